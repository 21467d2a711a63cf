"""Served as `js`: JavaScript's globals, and what the runtime puts beside them."""

from __future__ import annotations

import sys
from typing import Any

from pytest_workflows.javascript.globals import NAMES, find_global

from .missing import not_yet, unknown

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
_HERE = frozenset({"fetch", "globalThis", "self", "global"})
_PROVIDED = NAMES | _HERE
__all__ = sorted(_PROVIDED)
_NOT_YET = frozenset((_OF_LANGUAGE + _OF_RUNTIME).split()) - _PROVIDED
"""The globals that a Worker has: JavaScript's, and the runtime's (those of @cloudflare/workers-types 5.20261117)."""


def __getattr__(name: str) -> Any:
    if name in NAMES:
        found = find_global(name)
    elif name == "fetch":
        from .outbound import js_fetch as found
    elif name in _HERE:
        found = sys.modules[__name__]
    else:
        raise (not_yet if name in _NOT_YET else unknown)("js", name, _PROVIDED)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return list(__all__)
