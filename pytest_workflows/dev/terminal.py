"""What the process writes to the terminal: lines with the time before them, of the Worker's output apart."""

from __future__ import annotations

import contextlib
import logging
import sys
import time
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, TextIO

from durable_engine import printable

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Message, Receive, Send], Awaitable[None]]

_OF_TOOLS = ("uvicorn", "watchfiles")
_FORMAT = "%(levelname)s %(name)s: %(message)s"


class Terminal:
    """The terminal of a process.

    Args:
        stream: Where lines go; standard output by default.
    """

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = sys.stdout if stream is None else stream

    def plain(self, text: str = "") -> None:
        """Write a text as it is.

        What the stream's encoding has no character for is written as code has it; where nobody reads any more, or
        nothing more can be written, the text is lost and nothing else.
        """
        encoding = self._stream.encoding or "utf-8"
        line = f"{printable(text)}\n".encode(encoding, "backslashreplace").decode(encoding)
        with contextlib.suppress(OSError):
            self._stream.write(line)
            self._stream.flush()

    def note(self, text: str) -> None:
        """Write what happened, with the time; further lines stand below it."""
        first, *rest = text.splitlines() or [""]
        self.plain("\n".join([f"{time.strftime('%H:%M:%S')} {first}", *(f"         {line}" for line in rest)]))


class LogLines:
    """Log records on the terminal, as they are on the platform: the Worker's own settings find a handler there."""

    def __init__(self) -> None:
        self._handler = logging.StreamHandler()
        self._handler.setFormatter(logging.Formatter(_FORMAT))
        self._basic_config = logging.basicConfig

    def start(self) -> None:
        """Show records from now on."""
        for name in _OF_TOOLS:  # the Worker's wish for more is none for what serves it
            logging.getLogger(name).setLevel(logging.WARNING)
        logging.root.addHandler(self._handler)
        logging.basicConfig = self._only_level

    def stop(self) -> None:
        """Show them no more."""
        logging.root.removeHandler(self._handler)
        logging.basicConfig = self._basic_config

    def _only_level(self, **options: Any) -> None:
        """`logging.basicConfig`, which would do nothing where a handler is, and may not take ours away."""
        if options.get("level") is not None:
            logging.root.setLevel(options["level"])


class RequestLines:
    """Shows each request of the Worker's own, when it is answered.

    Args:
        app: Answers requests.
        terminal: Where they are shown.
        is_own: Whether a path is the control plane's.
    """

    def __init__(self, app: App, terminal: Terminal, is_own: Callable[[str], bool]) -> None:
        self._app = app
        self._terminal = terminal
        self._is_own = is_own

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Answer a request (ASGI)."""
        if scope["type"] != "http" or self._is_own(scope["path"]):
            await self._app(scope, receive, send)
            return
        began, status = time.perf_counter(), 0

        async def noting(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, noting)
        finally:
            took = (time.perf_counter() - began) * 1000
            self._terminal.note(f"{scope['method']} {scope['path']} {status or 'broken off'} {took:.0f} ms")
