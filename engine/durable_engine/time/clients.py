"""Clients of the Worker in other threads and processes: what they ask, and may be about to ask, holds virtual time."""

from __future__ import annotations

from typing import Protocol


class Outside(Protocol):
    """What there is outside of this process that may call the Worker."""

    def count(self) -> int:
        """How many clients there seem to be."""
        ...

    def is_starting(self) -> bool:
        """Whether one is not far enough yet to have asked for anything."""
        ...

    def processor_time(self) -> float:
        """How many seconds of processor time they have used so far, as far as that is known."""
        ...


class Clients:
    """The clients of a server through which the Worker of a test is reached.

    Whoever serves them keeps this up to date, from whichever thread: each change is one of the set's own methods.

    Attributes:
        asking: The requests that are under way, outside of the Worker's code: time stands still for them.
        answered: Those that code of the Worker answers: time moves for what it waits for.
        arriving: Those whose body is still on its way: code of the Worker that waits may wait for that.
        outside: Knows the clients outside of this process; None where nobody serves the Worker.
        has_asked: Whether one has asked for something since a wait for an event last began.
        is_due: Whether a wait for an event has begun that a client may be about to answer.
    """

    def __init__(self) -> None:
        self.asking: set[object] = set()
        self.answered: set[object] = set()
        self.arriving: set[object] = set()
        self.outside: Outside | None = None
        self.has_asked = False
        self.is_due = False

    def wait_began(self) -> None:
        """A wait for an event begins: who has been asking, such as for a status, is about to send one."""
        if self.has_asked:
            self.has_asked = False
            self.is_due = True

    @property
    def are_served(self) -> bool:
        """Whether a client may come at any time."""
        return self.outside is not None

    def close(self) -> None:
        """Nobody is served any more."""
        self.outside = None
        self.asking.clear()
        self.answered.clear()
        self.arriving.clear()
