"""Services that workflows of these tests call."""

import asyncio
from collections.abc import Awaitable, Callable
from types import SimpleNamespace
from typing import Any


class Service:
    """Has every method, and remembers the calls.

    Args:
        hangs: The method whose first call does not come back.
        answers: What methods answer, by name.
    """

    def __init__(self, hangs: str | None = None, **answers: Any) -> None:
        self.calls: list[tuple[str, tuple[Any, ...], dict[str, Any]]] = []
        self.reached = asyncio.Event()
        self._hangs = hangs
        self._answers = answers

    def __getattr__(self, name: str) -> Callable[..., Awaitable[Any]]:
        if name.startswith("__"):
            raise AttributeError(name)

        async def call(*args: Any, **kwargs: Any) -> Any:
            self.calls.append((name, args, kwargs))
            if name == self._hangs and not self.reached.is_set():
                self.reached.set()
                await asyncio.Event().wait()
            answer = self._answers.get(name)
            return answer(self) if callable(answer) else answer

        return call

    def prepare(self, sql: str) -> Any:
        """As D1's."""
        return SimpleNamespace(bind=lambda *values: SimpleNamespace(run=self.run, first=self.first), run=self.run)

    async def dies_after_first(self, handle: Any) -> None:
        """Let the engine die while the call hangs, and then run on."""
        engine = handle._binding.engine
        await self.reached.wait()
        engine.crash(handle._binding.workflow, handle.id)
        await engine.run_until_idle()
