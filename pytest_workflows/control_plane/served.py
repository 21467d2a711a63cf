"""What a control plane serves: an engine with the bindings of its Worker, wherever their event loop runs."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, Protocol, TypeVar

import msgspec

from durable_engine import EngineClosedError, StoreError

if TYPE_CHECKING:
    from durable_engine import Engine
    from pytest_workflows.bindings.env_resolver import EnvResolver
    from pytest_workflows.workers import Request, Response

T = TypeVar("T")


class Version(msgspec.Struct, frozen=True):
    """A version of the Worker's source.

    Attributes:
        number: 1 for the first, and one more with each deploy.
        id: A UUID that stays the version's.
        created_at: When it was deployed, in milliseconds since 1970.
        problem: What is wrong with it, in words: a source that cannot be imported, a configuration that cannot be
            read. It is not deployed, and the last good one goes on. None for a good one.
    """

    number: int
    id: str
    created_at: int
    problem: str | None = None


class Fired(msgspec.Struct, frozen=True):
    """What became of a cron trigger that was fired.

    Attributes:
        outcome: `ok`, or `exception` where the handler raised one or a workflow could not be started.
        no_retry: Whether the handler asked for no retry.
    """

    outcome: str
    no_retry: bool = False


class Served(Protocol):
    """A Worker that runs, as the control plane sees it."""

    @property
    def engine(self) -> Engine:
        """Its engine."""
        ...

    @property
    def env(self) -> EnvResolver:
        """Its bindings."""
        ...

    @property
    def loop(self) -> asyncio.AbstractEventLoop:
        """The event loop that both live on. All of their methods are called there (`on_loop`)."""
        ...

    @property
    def is_live(self) -> bool:
        """Whether time is real and contents are kept on disk: `dev`. False for a test's Worker."""
        ...

    @property
    def versions(self) -> Sequence[Version]:
        """The versions of the source, the oldest first; the last one without a problem runs."""
        ...

    async def fetch(self, request: Request) -> Response:
        """Call the Worker's fetch handler. On `loop`."""
        ...

    async def scheduled(self, cron: str, scheduled_time: float) -> Fired:
        """Fire a cron trigger: its workflows are started, and the scheduled handler is called. On `loop`.

        Args:
            cron: The expression.
            scheduled_time: When it was due, in milliseconds since 1970.
        """
        ...


async def on_loop(served: Served, ask: Callable[[], Awaitable[T]], *, is_reading: bool = False) -> T:
    """Ask something of what is served, on its loop, from whichever loop runs; what was written by then is on disk.

    Args:
        served: What is served.
        ask: Makes what is awaited there.
        is_reading: Whether it changes nothing: where nothing can be stored, it shows what is in memory.

    Returns:
        The answer, once everything that the engine has written so far is where it is kept.
    """

    async def answer() -> T:
        try:
            found = await ask()
        except (StoreError, EngineClosedError):
            raise
        except Exception:
            await served.engine.store.stored()  # "it exists already" is an answer as well
            raise
        with contextlib.suppress(StoreError) if is_reading else contextlib.nullcontext():
            await served.engine.store.stored()
        return found

    if asyncio.get_running_loop() is served.loop:
        return await answer()
    return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(answer(), served.loop))
