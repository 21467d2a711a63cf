"""What the introspectors of an instance and of a workflow share: opening, leaving, disposing."""

from __future__ import annotations

import functools
from collections.abc import Callable, Coroutine, Generator, Iterable
from functools import partial
from types import TracebackType
from typing import Any, Concatenate, Literal, NoReturn, ParamSpec, Self, TypeVar

from durable_engine import (
    IntrospectionError,
    Modification,
    UnusedModificationError,
    WorkflowBinding,
    as_coroutine_function,
    engine_of,
    hide_frames,
)

from .registry import Leaving, Registry, registry_of

hide_frames(__file__)

P = ParamSpec("P")
R = TypeVar("R")


def awaited(
    method: Callable[Concatenate[Any, P], Coroutine[Any, Any, R]],
) -> Callable[Concatenate[Any, P], Coroutine[Any, Any, R]]:
    """A method that a test must await: where it does not, the test's end says so."""

    @functools.wraps(method)
    def call(self: Introspector, /, *args: P.args, **kwargs: P.kwargs) -> Coroutine[Any, Any, R]:
        what = f"instance.{method.__name__}(...)"
        return self._calls.watch(what, partial(method, self, *args, **kwargs))

    return as_coroutine_function(call)


class Introspector:
    """The base of both introspectors: opening, leaving, disposing."""

    def __init__(self, binding: WorkflowBinding) -> None:
        self._binding = binding
        self._workflow = binding.workflow
        self._engine = engine_of(binding)
        self._calls = self._engine.calls
        self._state: Literal["new", "open", "disposed"] = "new"
        self._modifications: list[Modification] = []

    def __await__(self) -> Generator[Any, None, Self]:
        return self._opened().__await__()

    async def __aenter__(self) -> Self:
        return await self._opened()

    def __enter__(self) -> NoReturn:
        raise IntrospectionError(
            f"Write `async with` for {self!r}, as in `async with {self._called} as x:`, not `with`."
        )

    def __exit__(self, *error: object) -> None:
        """Never called."""

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        __tracebackhide__ = True
        unused = None
        if error is None and self._state == "open":
            unused = self._unused()
            await self._replay()
        self._dispose()
        if unused is not None and self._registry.strict:
            raise unused

    @awaited
    async def dispose(self) -> None:
        """Stop the instances and drop all that is stored of them; disposing twice is fine.

        A modification that nothing used fails the test at its end, if it passed.
        """
        if self._state == "open":
            self.note_unused()
            await self._replay()
        self._dispose()

    async def _replay(self) -> None:
        """Replay the instances that have ended from their storage, before they are gone."""
        if self._engine.closed or not self._registry.replays:
            return
        for id in self._ids():
            instance = self._engine.find(self._workflow, id)
            if instance is not None and instance.finished:
                await self._engine.check_by_replay(instance)

    def note_unused(self) -> None:
        """Keep the error for modifications that nothing used until the end of the test."""
        unused = self._unused()
        if unused is not None:
            self._registry.add_unused(unused)

    @property
    def _registry(self) -> Registry:
        return registry_of(self._engine)

    async def _opened(self) -> Self:
        __tracebackhide__ = True
        if self._state != "new":
            raise IntrospectionError(f"{self!r} was opened before. Introspect anew: each introspector is used once.")
        self._engine.check_open()
        self._open()
        self._state = "open"
        return self

    def _check_open(self) -> None:
        __tracebackhide__ = True
        if self._state == "new":
            raise IntrospectionError(f"{self!r} is not open. Use `async with ... as x`, or `x = await ...`.")
        if self._state == "disposed":
            raise IntrospectionError(
                f"{self!r} was disposed of: its instances and their storage are gone, and nothing runs any more. Wait "
                "for them, and change them, before the `async with` block ends."
            )
        self._engine.check_open()

    def keep_left(self, leaving: Leaving | None = None) -> None:
        """Keep the records of the instances that are seen after they are gone.

        Args:
            leaving: Gives their runs, where somebody else keeps those, too.
        """
        raise NotImplementedError

    @property
    def _called(self) -> str:
        raise NotImplementedError

    def _open(self) -> None:
        raise NotImplementedError

    def _dispose(self) -> None:
        raise NotImplementedError

    def _unused(self) -> UnusedModificationError | None:
        raise NotImplementedError

    def _ids(self) -> Iterable[str]:
        raise NotImplementedError
