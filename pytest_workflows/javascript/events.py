"""JavaScript's events, their targets, and `AbortController` with its signals."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from durable_engine import jsnull

from .convert import as_error, call, is_callable, is_missing, is_true, items_of, to_number, when_settled
from .delays import after
from .errors import DOMException
from .objects import JsObject, JsPromise, PyProxy, js_error, js_text, option


class Event(JsObject):
    """An event.

    Args:
        kind: Its type.
        options: `cancelable`.
    """

    def __init__(self, kind: Any, options: Any = None) -> None:
        self._kind = js_text(kind)
        self._is_cancelable = is_true(option(options, "cancelable"))
        self._is_prevented = self._is_stopped = False
        self._target: Any = jsnull

    @property
    def type(self) -> str:
        """Its type."""
        return self._kind

    @property
    def target(self) -> Any:
        """What it was dispatched to."""
        return self._target

    @property
    def currentTarget(self) -> Any:
        """What it was dispatched to."""
        return self._target

    @property
    def defaultPrevented(self) -> bool:
        """Whether `preventDefault()` was called."""
        return self._is_prevented

    @property
    def cancelable(self) -> bool:
        """Whether `preventDefault()` has an effect."""
        return self._is_cancelable

    def preventDefault(self) -> None:
        """Say that what would follow shall not."""
        self._is_prevented = self._is_cancelable

    def stopPropagation(self) -> None:
        """Accepted: an event goes to one target alone."""

    def stopImmediatePropagation(self) -> None:
        """Let no further listener have it."""
        self._is_stopped = True


class CustomEvent(Event):
    """An event with a value.

    Args:
        kind: Its type.
        options: `detail`.
    """

    def __init__(self, kind: Any, options: Any = None) -> None:
        super().__init__(kind, options)
        self._detail = option(options, "detail")

    @property
    def detail(self) -> Any:
        """The value."""
        return jsnull if self._detail is None else self._detail


class MessageEvent(Event):
    """A message that arrived.

    Args:
        kind: `"message"`.
        options: `data`.
    """

    def __init__(self, kind: Any, options: Any = None) -> None:
        super().__init__(kind, options)
        self._data = option(options, "data")

    @property
    def data(self) -> Any:
        """The message."""
        return self._data


class CloseEvent(Event):
    """A connection that ended.

    Args:
        kind: `"close"`.
        options: `code`, `reason`, `wasClean`.
    """

    def __init__(self, kind: Any, options: Any = None) -> None:
        super().__init__(kind, options)
        code, reason = option(options, "code"), option(options, "reason")
        self._code = 0 if is_missing(code) else int(to_number(code))
        self._reason = "" if is_missing(reason) else js_text(reason)
        self._is_clean = is_true(option(options, "wasClean"))

    @property
    def code(self) -> int:
        """The code of the end: 1000 is a normal one."""
        return self._code

    @property
    def reason(self) -> str:
        """The reason that was given."""
        return self._reason

    @property
    def wasClean(self) -> bool:
        """Whether both sides said goodbye."""
        return self._is_clean


class ErrorEvent(Event):
    """An error that happened.

    Args:
        kind: `"error"`.
        options: `message`, `error`.
    """

    def __init__(self, kind: Any, options: Any = None) -> None:
        super().__init__(kind, options)
        message = option(options, "message")
        self._message = "" if is_missing(message) else js_text(message)
        self._error = option(options, "error")

    @property
    def message(self) -> str:
        """Its text."""
        return self._message

    @property
    def error(self) -> Any:
        """The error."""
        return self._error


class EventTarget(JsObject):
    """What events are dispatched to. A handler may be an attribute too: `target.onmessage = function`."""

    def __init__(self) -> None:
        self._listeners: dict[str, list[tuple[Any, bool]]] = {}
        self._handlers: dict[str, Any] = {}

    def __setattr__(self, name: str, value: Any) -> None:
        if name.startswith("on"):
            self._handlers[name[2:]] = value
        else:
            object.__setattr__(self, name, value)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("on"):
            return self._handlers.get(name[2:], jsnull)
        raise AttributeError(name)

    def addEventListener(self, kind: Any, listener: Any, options: Any = None) -> None:
        """Call a function with each event of a type.

        Args:
            kind: The type.
            listener: The function, or an object with `handleEvent`.
            options: `once`: only with the next one.
        """
        listeners = self._listeners.setdefault(js_text(kind), [])
        if all(not _same(one, listener) for one, _ in listeners):
            listeners.append((listener, is_true(option(options, "once"))))

    def removeEventListener(self, kind: Any, listener: Any, options: Any = None) -> None:
        """Call a function no more."""
        listeners = self._listeners.get(js_text(kind), [])
        listeners[:] = [entry for entry in listeners if not _same(entry[0], listener)]

    def dispatchEvent(self, event: Event) -> bool:
        """Call who listens; whether nobody prevented what follows."""
        event._target = self
        kind = event._kind
        handler = self._handlers.get(kind)
        listeners = list(self._listeners.get(kind, ()))
        if handler is not None and handler is not jsnull:
            listeners.insert(0, (handler, False))
        for listener, is_once in listeners:
            if event._is_stopped:
                break
            if is_once:
                self.removeEventListener(kind, listener)
            if is_callable(listener) or callable(listener):
                call(listener, event)
            else:
                call(option(listener, "handleEvent"), event)
        return not event._is_prevented


def _same(one: Any, other: Any) -> bool:
    if isinstance(one, PyProxy) and isinstance(other, PyProxy):
        return bool(one._object == other._object)
    return one is other


class AbortSignal(EventTarget):
    """Says whether something was aborted. There is no constructor."""

    def __init__(self) -> None:
        raise js_error("TypeError", "Illegal constructor")

    @classmethod
    def _made(cls) -> AbortSignal:
        made = cls.__new__(cls)
        EventTarget.__init__(made)
        made._is_aborted = False
        made._reason = None
        made._callbacks: list[Callable[[], None]] = []  # type: ignore[misc]
        return made

    _is_aborted: bool
    _reason: Any
    _callbacks: list[Callable[[], None]]

    @property
    def aborted(self) -> bool:
        """Whether it was."""
        return self._is_aborted

    @property
    def reason(self) -> Any:
        """Why; undefined unless it was."""
        return self._reason

    def throwIfAborted(self) -> None:
        """Throw the reason, if it was."""
        if self._is_aborted:
            raise as_error(self._reason)

    def _abort(self, reason: Any) -> None:
        if not self._is_aborted:
            self._is_aborted = True
            self._reason = DOMException("The operation was aborted", "AbortError") if reason is None else reason
            callbacks, self._callbacks = self._callbacks, []
            for callback in callbacks:
                callback()
            self.dispatchEvent(Event("abort"))

    @staticmethod
    def abort(reason: Any = None) -> AbortSignal:
        """A signal that is aborted."""
        made = AbortSignal._made()
        made._abort(reason)
        return made

    @staticmethod
    def timeout(ms: Any) -> AbortSignal:
        """A signal that is aborted after a time.

        Args:
            ms: Milliseconds.
        """
        made = AbortSignal._made()
        error = DOMException("The operation was aborted due to timeout", "TimeoutError")
        after(to_number(ms), lambda: made._abort(error))
        return made

    @staticmethod
    def any(signals: Any) -> AbortSignal:
        """A signal that is aborted with the first of others."""
        made = AbortSignal._made()
        for signal in items_of(signals) or ():
            made._follow(signal)
        return made

    def _follow(self, other: AbortSignal) -> None:
        """Be aborted when another signal is, for its reason."""
        when_aborted(other, lambda: self._abort(other._reason))


class AbortController(JsObject):
    """Aborts what was given its signal."""

    def __init__(self) -> None:
        self._signal = AbortSignal._made()

    @property
    def signal(self) -> AbortSignal:
        """The signal."""
        return self._signal

    def abort(self, reason: Any = None) -> None:
        """Abort it.

        Args:
            reason: Why; an AbortError, unless given.
        """
        self._signal._abort(reason)


def when_aborted(signal: AbortSignal, callback: Callable[[], None]) -> None:
    """Call back when a signal is aborted; at once, if it is."""
    if signal._is_aborted:
        callback()
    else:
        signal._callbacks.append(callback)


def until_aborted(promise: JsPromise, signal: Any) -> JsPromise:
    """A promise of the same, rejected as soon as a signal is aborted."""
    if not isinstance(signal, AbortSignal):
        return promise
    either = JsPromise()
    when_aborted(signal, lambda: either._reject(as_error(signal._reason)))
    when_settled(promise, either._resolve, either._reject)
    return either
