"""The requests of clients that are under way, as virtual time sees them."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from contextvars import ContextVar
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from durable_engine import Clients


class ClientRequest:
    """One request: from its first byte to the last one of its response, time stands still, but for the Worker's code.

    Args:
        clients: What the engine knows of clients.
    """

    def __init__(self, clients: Clients) -> None:
        self._clients = clients
        self._is_open = True
        clients.asking.add(self)
        clients.arriving.add(self)
        clients.has_asked = True

    def has_arrived(self) -> None:
        """Its body is complete: code that waits now waits for something else."""
        self._clients.arriving.discard(self)

    def end(self) -> None:
        """It is answered, or its client is gone."""
        self._is_open = False
        self.has_arrived()
        self._clients.asking.discard(self)

    @contextlib.contextmanager
    def in_worker(self) -> Iterator[None]:
        """A block in which the Worker's code answers: time moves as that code lets it."""
        clients = self._clients
        clients.answered.add(self)
        clients.asking.discard(self)
        try:
            yield
        finally:
            if self._is_open:
                clients.asking.add(self)
                if not self._is_open:  # the server's thread has ended it meanwhile
                    clients.asking.discard(self)
            clients.answered.discard(self)


current_request: ContextVar[ClientRequest | None] = ContextVar("current_request", default=None)
"""The request that the running code answers, in the server's thread and in what this lets run on the test's loop."""
