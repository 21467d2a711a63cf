"""A `modify` block or call of a test, while it is under way."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Generator
from types import TracebackType
from typing import Any, Generic, NoReturn, TypeVar

from durable_engine import Engine, IntrospectionError, InvalidArgumentError, Modification, hide_frames

from .base import Introspector
from .modifier import Modifier

hide_frames(__file__)

ModifyFunction = Callable[[Modifier], Awaitable[None] | None]
"""What `modify(fn)` takes: called with the modifier, plain or async."""
T = TypeVar("T", bound=Introspector)


class Modifying(Generic[T]):
    """A `modify` under way: serves `async with ... as m`, and `await` where a function was given.

    Args:
        introspector: Whose instances are modified; what awaiting it gives.
        engine: Where it is noted that the test must await this.
        function: Called with the modifier, if one was given.
        existing: The modifications that are in force already.
        apply: Puts what the modifier collected in force.
        called: The method's name, for messages: `instance.modify`.
    """

    def __init__(
        self,
        introspector: T,
        engine: Engine,
        function: ModifyFunction | None,
        existing: list[Modification],
        apply: Callable[[list[Modification]], None],
        called: str,
    ) -> None:
        self._called = called
        self._calls = engine.calls
        self._call = self._calls.note(f"{called}({'' if function is None else '...'})")
        self._introspector = introspector
        self._function = function
        self._apply = apply
        self._modifier = Modifier(existing)

    def __await__(self) -> Generator[Any, None, T]:
        return self._run().__await__()

    async def _run(self) -> T:
        self._calls.begun(self._call)
        if self._function is None:
            raise IntrospectionError(
                f"{self._called}() was awaited without a function. Write `async with {self._called}() as m:`, or "
                f"`await {self._called}(fn)`."
            )
        if not callable(self._function):
            raise InvalidArgumentError(
                f"modify takes a function of the modifier, plain or async, not {self._function!r}."
            )
        outcome = self._function(self._modifier)
        if inspect.isawaitable(outcome):
            await outcome
        self._apply(self._modifier.close())
        return self._introspector

    def __enter__(self) -> NoReturn:
        self._calls.begun(self._call)
        raise IntrospectionError(f"Write `async with {self._called}() as m:`, not `with`.")

    def __exit__(self, *error: object) -> None:
        """Never called."""

    async def __aenter__(self) -> Modifier:
        self._calls.begun(self._call)
        if self._function is not None:
            raise IntrospectionError("modify(fn) is awaited; `async with` takes modify() without a function.")
        return self._modifier

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        __tracebackhide__ = True
        modifications = self._modifier.close()
        if error is None:
            self._apply(modifications)
