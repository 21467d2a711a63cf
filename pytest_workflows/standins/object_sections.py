"""What holds back a Durable Object's other events: `blockConcurrencyWhile` and transactions, one in the other."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from contextvars import ContextVar
from typing import Any, TypeVar

T = TypeVar("T")

_inside: ContextVar[_Section | None] = ContextVar("section", default=None)


class _Section:
    """One section that is open, within another one or none."""

    __slots__ = ("outer",)

    def __init__(self, outer: _Section | None) -> None:
        self.outer = outer


class Sections:
    """The open sections of one object. Nobody else's work begins while one is open."""

    def __init__(self) -> None:
        self._innermost: _Section | None = None
        self._waiting: list[asyncio.Future[None]] = []

    @property
    def is_open(self) -> bool:
        """Whether a section is open."""
        return self._innermost is not None

    async def wait(self) -> None:
        """Until no section is open."""
        while self._innermost is not None:
            await self._next_end()

    def run(self, work: Callable[[], Awaitable[T]]) -> Coroutine[Any, Any, T]:
        """Do something in a section of its own, which opens now, or when the section is over that others have opened.

        Args:
            work: What to do; it may open sections in this one.

        Returns:
            A coroutine that does it.
        """
        return self._run(work, self._open())

    def _open(self) -> _Section | None:
        if self._innermost is not None and self._innermost is not _inside.get():
            return None
        self._innermost = _Section(self._innermost)
        return self._innermost

    async def _run(self, work: Callable[[], Awaitable[T]], section: _Section | None) -> T:
        while section is None:
            await self._next_end()
            section = self._open()
        token = _inside.set(section)
        try:
            return await work()
        finally:
            _inside.reset(token)
            if self._innermost is section:
                self._innermost = section.outer
            waiting, self._waiting = self._waiting, []
            for future in waiting:
                if not future.done():
                    future.set_result(None)

    async def _next_end(self) -> None:
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(future)
        await future


__all__ = ["Sections"]
