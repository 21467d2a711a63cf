"""`workers.env`: one object for the whole session, answering with the running test's bindings."""

from __future__ import annotations

from typing import Any, NoReturn

from pytest_workflows.active_test import get_resolver, set_resolver

from .errors import OutsideTestError, no_binding, read_only

__all__ = ["EnvProxy", "env", "set_resolver"]


class EnvProxy:
    """The Worker's bindings as attributes. Sources and tests share the one instance `env`."""

    __slots__ = ()

    def __getattr__(self, name: str) -> Any:
        # pytest, inspect and copy ask any object for dunder names; none of them is a binding.
        if name.startswith("__") and name.endswith("__"):
            raise AttributeError(name)
        current = get_resolver()
        if current is None:
            raise OutsideTestError(name)
        try:
            return current.resolve(name)
        except KeyError:
            raise no_binding(name, current.names(), current.hint()) from None

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise read_only(name)

    def __delattr__(self, name: str) -> NoReturn:
        raise read_only(name)

    def __dir__(self) -> list[str]:
        current = get_resolver()
        return sorted(current.names()) if current else []

    def __repr__(self) -> str:
        return f"<workers.env: {', '.join(dir(self)) or 'no bindings'}>"


EnvProxy.__name__ = EnvProxy.__qualname__ = "_EnvWrapper"
EnvProxy.__module__ = "workers.rpc"
env = EnvProxy()
