"""Who answers for `workers.env` now, and whether `workers.fetch` may leave the test.

It imports nothing heavy, so that a test that does not use us pays nothing for it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from .errors import UnprovidedError


class Resolver(NamedTuple):
    """Where bindings come from.

    Args:
        resolve: Gives the binding of a name; raises KeyError for a name that is none.
        names: Gives the names of all bindings, for messages and `dir()`.
        hint: Gives what to do about a name that is missing, where more is known than that it is.
    """

    resolve: Callable[[str], object]
    names: Callable[[], Iterable[str]] = tuple
    hint: Callable[[], str | None] = lambda: None


_current: Resolver | None = None


def set_resolver(
    resolve: Callable[[str], object] | None,
    names: Callable[[], Iterable[str]] = tuple,
    hint: Callable[[], str | None] = lambda: None,
) -> Resolver | None:
    """Say where `workers.env` takes its bindings from. For the plugin.

    Args:
        resolve: Gives the binding of a name and raises KeyError for a name that is none; None when nobody answers.
        names: Gives the names of all bindings.
        hint: Gives what to do about a name that is missing, where more is known than that it is.

    Returns:
        What was set before, so that a nested session can put it back: `set_resolver(*(before or (None,)))`.
    """
    global _current
    before, _current = _current, None if resolve is None else Resolver(resolve, names, hint)
    return before


def get_resolver() -> Resolver | None:
    """Who answers, or None."""
    return _current


@dataclass(frozen=True, slots=True, eq=False)
class Handler:
    """One call of a Worker's handler.

    Attributes:
        kind: `fetch` or `scheduled`.
    """

    kind: str


running_handler: ContextVar[Handler | None] = ContextVar("pytest_workflows_handler", default=None)
"""The call of a handler that the running code belongs to, where the fixture `workflow_worker` made it."""


class Caller(NamedTuple):
    """Whose code it is that runs.

    Attributes:
        is_workers: Whether it is a Worker's.
        place: Where in its source, as `src/entry.py:6`; None where that is not known.
    """

    is_workers: bool
    place: str | None = None


class Uses(Protocol):
    """Keeps what a Worker uses and nobody provides."""

    def caller(self) -> Caller | None:
        """Whose code it is that runs; None where that is of no interest."""

    def note(self, error: UnprovidedError, caller: Caller | None) -> None:
        """Such an error is about to be raised."""


_uses: Uses | None = None


def set_uses(uses: Uses | None) -> Uses | None:
    """Say who keeps what a Worker uses and nobody provides. For the plugin.

    Args:
        uses: Who does; None where nobody is interested.

    Returns:
        What was set before.
    """
    global _uses
    before, _uses = _uses, uses
    return before


def get_uses() -> Uses | None:
    """Who keeps that, or None."""
    return _uses


def caller() -> Caller | None:
    """Whose code it is that runs; None where nobody asks."""
    return None if _uses is None else _uses.caller()


def note_use(error: UnprovidedError, by: Caller | None = None) -> None:
    """Let it be known that something is used which nobody provides.

    Args:
        error: What is about to be raised for it.
        by: Who uses it; the code that runs now by default.
    """
    if _uses is not None:
        _uses.note(error, by)


_allowed = False


def set_network(allowed: bool) -> bool:
    """Open or shut the network for `workers.fetch`. For the plugin.

    Args:
        allowed: Whether a request that no mock answered may go out.

    Returns:
        What was set before.
    """
    global _allowed
    before, _allowed = _allowed, allowed
    return before


def network_allowed() -> bool:
    """Whether a request that no mock answered may go out."""
    return _allowed


_ascii = False


def set_ascii(only: bool) -> bool:
    """Say whether the terminal takes ASCII only. For the plugin.

    Args:
        only: Whether it does.

    Returns:
        What was set before.
    """
    global _ascii
    before, _ascii = _ascii, only
    return before


def is_ascii() -> bool:
    """Whether the terminal takes ASCII only, so that bars are drawn in it."""
    return _ascii
