"""`workers.env`: one object for the whole session, answering with the running test's bindings."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple, NoReturn

from .errors import OutsideTestError, no_binding, read_only


class Resolver(NamedTuple):
    """Where bindings come from.

    Args:
        resolve: Gives the binding of a name; raises KeyError for a name that is none.
        names: Gives the names of all bindings, for messages and `dir()`.
    """

    resolve: Callable[[str], object]
    names: Callable[[], Iterable[str]] = tuple


_current: Resolver | None = None


def set_resolver(
    resolve: Callable[[str], object] | None, names: Callable[[], Iterable[str]] = tuple
) -> Resolver | None:
    """Say where `workers.env` takes its bindings from. For the plugin.

    Args:
        resolve: Gives the binding of a name and raises KeyError for a name that is none; None when no test is
            running.
        names: Gives the names of all bindings.

    Returns:
        What was set before, so that a nested session can put it back: `set_resolver(*(before or (None,)))`.
    """
    global _current
    before, _current = _current, None if resolve is None else Resolver(resolve, names)
    return before


class EnvProxy:
    """The Worker's bindings as attributes. Sources and tests share the one instance `env`."""

    __slots__ = ()

    def __getattr__(self, name: str) -> Any:
        # pytest, inspect and copy ask any object for dunder names; none of them is a binding.
        if name.startswith("__") and name.endswith("__"):
            raise AttributeError(name)
        if _current is None:
            raise OutsideTestError(name)
        try:
            return _current.resolve(name)
        except KeyError:
            raise no_binding(name, _current.names()) from None

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise read_only(name)

    def __delattr__(self, name: str) -> NoReturn:
        raise read_only(name)

    def __dir__(self) -> list[str]:
        return sorted(_current.names()) if _current else []

    def __repr__(self) -> str:
        return f"<workers.env: {', '.join(dir(self)) or 'no bindings'}>"


env = EnvProxy()
