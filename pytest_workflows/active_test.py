"""The active test, for the Worker's side: its bindings (`workers.env`), its network access, its terminal.

It imports nothing heavy, so that a test that does not use us pays nothing for it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, NamedTuple, Protocol

import msgspec

from .first_use import note_first_use

if TYPE_CHECKING:
    from .errors import UnprovidedError


class Resolver(NamedTuple):
    """A source of bindings.

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
    """Set the source of the bindings of `workers.env`. For the plugin.

    Args:
        resolve: Gives the binding of a name and raises KeyError for a name that is none; None when nobody answers.
        names: Gives the names of all bindings.
        hint: Gives what to do about a name that is missing, where more is known than that it is.

    Returns:
        The setting before, so that a nested session can put it back: `set_resolver(*(before or (None,)))`.
    """
    global _current
    before, _current = _current, None if resolve is None else Resolver(resolve, names, hint)
    return before


def get_resolver() -> Resolver | None:
    """The resolver in force: that of the Worker whose code runs; None outside of tests."""
    running = running_worker.get()
    if running is not None:
        return running.resolver
    if _current is None:
        note_first_use()
    return _current


class RunningWorker(msgspec.Struct, frozen=True, eq=False):
    """A Worker beside the test's own one, while its code runs.

    Attributes:
        resolver: The source of its bindings.
        python: Gives the Python that the platform runs it with.
        is_on: Whether a compatibility flag holds for it, by its name and the date since which it does by itself.
    """

    resolver: Resolver
    python: Callable[[], tuple[int, int]]
    is_on: Callable[[str, str], bool]


running_worker: ContextVar[RunningWorker | None] = ContextVar("pytest_workflows_worker", default=None)
"""The Worker whose code runs; None for the test's own one, and for the test."""


@contextmanager
def inside_worker(worker: RunningWorker | None) -> Iterator[None]:
    """A block in which a Worker's code runs.

    Args:
        worker: The Worker; None for the test's own one.
    """
    before = running_worker.get()
    running_worker.set(worker)
    try:
        yield
    finally:
        running_worker.set(before)  # no token: what was stopped amid the block is closed in another context


class Handler(msgspec.Struct, frozen=True, eq=False):
    """One call of a Worker's handler.

    Attributes:
        kind: `fetch` or `scheduled`.
    """

    kind: str


running_handler: ContextVar[Handler | None] = ContextVar("pytest_workflows_handler", default=None)
"""The call of a handler that the running code belongs to, where the fixture `workflow_worker` made it."""


class Caller(NamedTuple):
    """The caller of a function of ours: the code that runs.

    Attributes:
        is_workers: Whether it is a Worker's.
        place: Where in its source, as `src/entry.py:6`; None where that is not known.
    """

    is_workers: bool
    place: str | None = None


class Uses(Protocol):
    """A keeper of uses: of things that a Worker uses and nobody provides."""

    def caller(self) -> Caller | None:
        """The running code; None where that is of no interest."""

    def note(self, error: UnprovidedError, caller: Caller | None) -> None:
        """Note an error that is about to be raised for such a use."""


_uses: Uses | None = None


def set_uses(uses: Uses | None) -> Uses | None:
    """Set the keeper of unprovided uses. For the plugin.

    Args:
        uses: The keeper; None for none.

    Returns:
        The setting before.
    """
    global _uses
    before, _uses = _uses, uses
    return before


def get_uses() -> Uses | None:
    """The keeper of unprovided uses, or None."""
    if _uses is None:
        note_first_use()
    return _uses


def caller() -> Caller | None:
    """The running code; None where no keeper is set."""
    uses = get_uses()
    return None if uses is None else uses.caller()


def note_use(error: UnprovidedError, by: Caller | None = None) -> None:
    """Note a use of something that nobody provides.

    Args:
        error: The error that is about to be raised for it.
        by: The caller; the code that runs now by default.
    """
    uses = get_uses()
    if uses is not None:
        uses.note(error, by)


_allowed = False


def set_network(allowed: bool) -> bool:
    """Open or shut the network for `workers.fetch`. For the plugin.

    Args:
        allowed: Whether a request that no mock answered may go out.

    Returns:
        The setting before.
    """
    global _allowed
    before, _allowed = _allowed, allowed
    return before


def network_allowed() -> bool:
    """Whether a request that no mock answered may go out."""
    return _allowed


_ascii = False


def set_ascii(only: bool) -> bool:
    """Set whether the terminal takes ASCII only. For the plugin.

    Args:
        only: Whether it does.

    Returns:
        The setting before.
    """
    global _ascii
    before, _ascii = _ascii, only
    return before


def is_ascii() -> bool:
    """Whether the terminal takes ASCII only, so that bars are drawn in it."""
    return _ascii
