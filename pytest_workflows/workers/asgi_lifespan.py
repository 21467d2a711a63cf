"""The lifespan of an ASGI application around one request: its startup before, its shutdown after.

An application may have none: one that returns, or raises, before it answers the startup is served without.
Source: workers-runtime-sdk 1.9.5, `workers.asgi`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from .asgi_tasks import logger, run_in_background
from .threadless import no_threads

__all__ = ["ASGI", "Application", "start_application"]

ASGI = {"spec_version": "2.0", "version": "3.0"}

Application = Callable[..., Awaitable[Any]]


class _Lifespan:
    """One lifespan: the messages that go to the application, and its two answers."""

    def __init__(self, app: Application) -> None:
        loop = asyncio.get_running_loop()
        self._app = app
        self._to_app: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._started: asyncio.Future[bool] = loop.create_future()
        self._stopped: asyncio.Future[None] = loop.create_future()
        self.state: dict[str, Any] = {}

    async def start(self) -> bool:
        """Start the application; tells whether it has a lifespan. Raises RuntimeError where its startup failed."""
        self._to_app.put_nowait({"type": "lifespan.startup"})
        run_in_background(self._run())
        return await self._started

    async def stop(self) -> None:
        """Shut the application down. Raises RuntimeError where that failed."""
        self._to_app.put_nowait({"type": "lifespan.shutdown"})
        await self._stopped

    async def _run(self) -> None:
        try:
            with no_threads():
                await self._app(
                    {"asgi": ASGI, "state": self.state, "type": "lifespan"}, self._to_app.get, self._from_app
                )
        except Exception as error:
            if self._started.done():
                # The request was served; a shutdown that fails must not hang it.
                logger.exception("Exception in ASGI lifespan application", exc_info=error)
            else:
                logger.debug(
                    "The ASGI application's lifespan raised before reporting startup; it is served without one",
                    exc_info=error,
                )
        _settle(self._started, False)
        _settle(self._stopped, None)

    async def _from_app(self, message: dict[str, Any]) -> None:
        match message["type"]:
            case "lifespan.startup.complete":
                _settle(self._started, True)
            case "lifespan.startup.failed":
                _fail(self._started, message.get("message") or "ASGI lifespan startup failed")
            case "lifespan.shutdown.complete":
                _settle(self._stopped, None)
            case "lifespan.shutdown.failed":
                _fail(self._stopped, message.get("message") or "ASGI lifespan shutdown failed")
            case other:
                raise RuntimeError(f"Unexpected lifespan event {other}")


async def start_application(app: Application) -> tuple[Callable[[], Awaitable[None]], dict[str, Any]]:
    """Start an application.

    Args:
        app: The ASGI application.

    Returns:
        What shuts it down, and the state that its lifespan left for requests.

    Raises:
        RuntimeError: Its startup failed; the text is the application's.
    """
    lifespan = _Lifespan(app)
    has_lifespan = await lifespan.start()
    return (lifespan.stop if has_lifespan else _nothing), lifespan.state


async def _nothing() -> None:
    """The shutdown of an application without a lifespan."""


def _settle(future: asyncio.Future[Any], value: object) -> None:
    if not future.done():
        future.set_result(value)


def _fail(future: asyncio.Future[Any], message: str) -> None:
    if not future.done():
        future.set_exception(RuntimeError(message))
        # The shutdown's may come when nobody waits for it any more; that is no news for the loop.
        future.exception()
