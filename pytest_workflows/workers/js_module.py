"""Served as `js`: the few JavaScript globals that sources use which still convert by hand."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable
from typing import Any, NoReturn

from durable_engine import JsProxy, jsnull
from pytest_workflows.javascript.objects import JsPlain, from_python, js_text

from . import js_json
from .missing import not_yet, unknown

__all__ = ["JSON", "Date", "Object", "console"]

# Not a package; but only for one does `from js import X` ask the import hook, which can say why there is no X.
__path__: list[str] = []

_OF_LANGUAGE = """
    AggregateError Array ArrayBuffer Atomics BigInt BigInt64Array BigUint64Array Boolean DataView Error
    EvalError FinalizationRegistry Float16Array Float32Array Float64Array Function Infinity Int16Array
    Int32Array Int8Array Intl Iterator Map Math NaN Number Promise Proxy RangeError ReferenceError Reflect
    RegExp Set SharedArrayBuffer String Symbol SyntaxError TypeError URIError Uint16Array Uint32Array Uint8Array
    Uint8ClampedArray WeakMap WeakRef WeakSet WebAssembly decodeURI decodeURIComponent encodeURI
    encodeURIComponent escape eval globalThis isFinite isNaN parseFloat parseInt undefined unescape
"""
_OF_RUNTIME = """
    AbortController AbortSignal Blob Body Buffer ByteLengthQueuingStrategy Cache CacheStorage CloseEvent
    Cloudflare CompressionStream CountQueuingStrategy Crypto CryptoKey CustomEvent DOMException
    DecompressionStream ErrorEvent Event EventSource EventTarget ExtendableEvent FetchEvent File
    FixedLengthStream FormData HTMLRewriter Headers IdentityTransformStream MessageChannel MessageEvent
    MessagePort Navigator Performance PerformanceEntry PerformanceMark PerformanceMeasure PerformanceObserver
    PerformanceObserverEntryList PerformanceResourceTiming PromiseRejectionEvent ReadableByteStreamController
    ReadableStream ReadableStreamBYOBReader ReadableStreamBYOBRequest ReadableStreamDefaultController
    ReadableStreamDefaultReader Request Response ScheduledEvent SubtleCrypto TailEvent TextDecoder
    TextDecoderStream TextEncoder TextEncoderStream TraceEvent TransformStream TransformStreamDefaultController
    URL URLPattern URLSearchParams WebSocket WebSocketPair WebSocketRequestResponsePair WorkerGlobalScope
    WritableStream WritableStreamDefaultController WritableStreamDefaultWriter addEventListener atob btoa caches
    clearImmediate clearInterval clearTimeout crypto dispatchEvent fetch global navigator origin performance
    process queueMicrotask removeEventListener reportError scheduler self setImmediate setInterval setTimeout
    structuredClone
"""
_NOT_YET = frozenset((_OF_LANGUAGE + _OF_RUNTIME).split()).difference(__all__)
"""The globals that a Worker has: JavaScript's, and the runtime's (those of @cloudflare/workers-types 5.20261117)."""


class Object:
    """JavaScript's `Object`, with what `to_js(..., dict_converter=Object.fromEntries)` needs.

    Example:
        >>> Object.fromEntries([["id", "order-1"]]).id
        'order-1'
    """

    @staticmethod
    def fromEntries(entries: Iterable[Iterable[Any]]) -> JsProxy:
        """An object with these entries.

        Args:
            entries: Pairs of key and value.
        """
        pairs = (tuple(entry) for entry in entries)
        return JsPlain({js_text(from_python(key)): from_python(value) for key, value in pairs})


class Date:
    """JavaScript's `Date`, for the time of day."""

    @staticmethod
    def now() -> int:
        """Milliseconds since 1970, on the clock of the test."""
        return int(time.time() * 1000)


class JSON:
    """JavaScript's `JSON`."""

    stringify = staticmethod(js_json.stringify)
    parse = staticmethod(js_json.parse)


class console:
    """JavaScript's `console`: what is logged is printed, and pytest shows it with a failing test."""

    @staticmethod
    def log(*values: object) -> None:
        """Print to standard output."""
        print(*map(_shown, values))

    @staticmethod
    def error(*values: object) -> None:
        """Print to standard error."""
        print(*map(_shown, values), file=sys.stderr)

    debug = info = log
    warn = error


def _shown(value: object) -> object:
    if isinstance(value, JsProxy):
        return value.to_py()
    return "null" if value is jsnull else value


def __getattr__(name: str) -> NoReturn:
    raise (not_yet if name in _NOT_YET else unknown)("js", name, __all__)
