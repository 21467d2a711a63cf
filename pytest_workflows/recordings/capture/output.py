"""Output of user code, captured on its way and left as it is: with the instance and step whose code it is.

A tee stands in `sys.stdout` and `sys.stderr` while workflows run, and a handler at the root logger. What belongs to no
instance passes by unseen. pytest's capture puts its own objects there at any time; the tee is put before whatever is
there whenever an execution or a callback begins.
"""

from __future__ import annotations

import contextlib
import logging
import sys
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Literal, TextIO

from durable_engine import Engine, Scope, current_scope

Source = Literal["stdout", "stderr", "logging"]
Notify = Callable[[Scope, Source, str, "logging.LogRecord | None"], None]
_STREAMS: tuple[Literal["stdout", "stderr"], ...] = ("stdout", "stderr")


class Listening:
    """The capture of output that code of one engine's instances prints and logs, from `start` on until `stop`.

    Args:
        engine: The engine.
        notify: Called with the code's scope, where the text went, the text, and the log record if it is one.
    """

    def __init__(self, engine: Engine, notify: Notify) -> None:
        self._engine = engine
        self._notify = notify
        self._handler: _Handler | None = None
        self._is_stopped = False

    def start(self) -> None:
        """Capture from the present streams and the root logger; doing so again costs next to nothing."""
        self._is_stopped = False
        for name in _STREAMS:
            stream = getattr(sys, name)
            if isinstance(stream, _Tee) and stream.listening is self:
                continue
            while isinstance(stream, _Tee) and stream.listening.is_over:
                stream = stream.wrapped
            setattr(sys, name, stream if self._is_behind(stream) else _Tee(stream, name, self))
        if self._handler is None:
            self._handler = _Handler(self.receive)
        if self._handler not in logging.root.handlers:
            logging.root.addHandler(self._handler)

    @property
    def is_over(self) -> bool:
        """Whether nobody wants to know any more: it was stopped, or its engine is closed."""
        return self._is_stopped or self._engine.closed

    def _is_behind(self, stream: object) -> bool:
        """Whether what is written to a stream comes here, maybe by way of others who listen."""
        while isinstance(stream, _Tee):
            if stream.listening is self:
                return True
            stream = stream.wrapped
        return False

    def stop(self) -> None:
        """Stop capturing. A tee that somebody put aside stays silent where it is."""
        self._is_stopped = True
        for name in _STREAMS:
            stream = getattr(sys, name)
            if isinstance(stream, _Tee) and stream.listening is self:
                setattr(sys, name, stream.wrapped)
        handler, self._handler = self._handler, None  # which knows us
        # A list of its own: a record may be on its way to the handlers just now.
        logging.root.handlers = [one for one in logging.root.handlers if one is not handler]

    def receive(self, source: Source, text: str, record: logging.LogRecord | None = None) -> None:
        """Take a text that is printed or logged."""
        if self.is_over:
            if not self._is_stopped:
                self.stop()
            return
        scope = current_scope.get()
        if scope is not None and scope.instance.engine is self._engine and not scope.instance.killed:
            self._notify(scope, source, text, record)


class _Tee:
    """A stream that behaves as the one that it wraps, and passes on what is written."""

    def __init__(self, wrapped: TextIO, name: Literal["stdout", "stderr"], listening: Listening) -> None:
        self.wrapped = wrapped
        self.listening = listening
        self._name: Source = name

    def write(self, text: str) -> int:
        written = self.wrapped.write(text)
        self.listening.receive(self._name, text)
        return written

    def writelines(self, lines: Iterable[str]) -> None:
        for line in lines:
            self.write(line)

    def __getattr__(self, name: str) -> object:
        found: object = getattr(self.wrapped, name)
        return found

    def __iter__(self) -> Iterator[str]:
        return iter(self.wrapped)

    def __enter__(self) -> TextIO:
        return self.wrapped.__enter__()

    def __exit__(self, *error: Any) -> None:
        self.wrapped.__exit__(*error)


class _Handler(logging.Handler):
    def __init__(self, receive: Callable[[Source, str, logging.LogRecord], None]) -> None:
        super().__init__()
        self._receive = receive

    def emit(self, record: logging.LogRecord) -> None:
        # A record that cannot be formatted is a matter of those handlers that show it.
        with contextlib.suppress(Exception):
            self._receive("logging", record.getMessage(), record)
