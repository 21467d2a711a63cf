"""JavaScript's globals by their names, each imported when somebody asks for it."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from importlib import import_module
from typing import Any

from durable_engine import TYPED_ARRAYS

from .objects import JsFunction, JsObject, constructor_of, js_text

_CLASSES = {
    "arrays": {"Array": "JsArray"},
    "blob": {"Blob": "Blob", "File": "File"},
    "buffers": {
        "ArrayBuffer": "JsArrayBuffer",
        "DataView": "JsDataView",
        "Uint8ClampedArray": "Uint8ClampedArray",
    },
    "crypto": {"Crypto": "Crypto", "CryptoKey": "CryptoKey", "SubtleCrypto": "SubtleCrypto"},
    "dates": {"Date": "JsDate"},
    "errors": {
        "AggregateError": "JsAggregateErrorObject",
        "DOMException": "DOMException",
        "Error": "JsErrorObject",
        "EvalError": "JsEvalErrorObject",
        "RangeError": "JsRangeErrorObject",
        "ReferenceError": "JsReferenceErrorObject",
        "SyntaxError": "JsSyntaxErrorObject",
        "TypeError": "JsTypeErrorObject",
        "URIError": "JsURIErrorObject",
    },
    "events": {
        name: name
        for name in (
            *("AbortController", "AbortSignal", "CloseEvent", "CustomEvent", "ErrorEvent", "Event", "EventTarget"),
            "MessageEvent",
        )
    },
    "form_data": {"FormData": "FormData"},
    "headers": {"Headers": "Headers"},
    "iterators": {"Iterator": "JsIterator"},
    "language": {"BigInt": "BigInt", "Boolean": "Boolean", "Number": "Number", "Object": "JsPlain", "String": "String"},
    "maps": {"Map": "JsMap", "Set": "JsSet"},
    "promises": {"Promise": "JsPromise"},
    "regexp": {"RegExp": "RegExp"},
    "request": {"Request": "Request"},
    "response": {"Response": "Response"},
    "streams": {
        name: name
        for name in (
            *("ReadableByteStreamController", "ReadableStream", "ReadableStreamBYOBReader"),
            *("ReadableStreamDefaultController", "ReadableStreamDefaultReader"),
        )
    },
    "text_coding": {"TextDecoder": "TextDecoder", "TextEncoder": "TextEncoder"},
    "transform": {
        name: name
        for name in (
            *("CompressionStream", "DecompressionStream", "FixedLengthStream", "IdentityTransformStream"),
            *("TextDecoderStream", "TextEncoderStream", "TransformStream", "TransformStreamDefaultController"),
        )
    },
    "url": {"URL": "URL", "URLSearchParams": "URLSearchParams"},
    "web_socket": {
        "WebSocket": "WebSocket",
        "WebSocketPair": "WebSocketPair",
        "WebSocketRequestResponsePair": "WebSocketRequestResponsePair",
    },
    "writable": {
        name: name for name in ("WritableStream", "WritableStreamDefaultController", "WritableStreamDefaultWriter")
    },
}
_FUNCTIONS = {
    "language": {
        "decodeURI": "decode_uri",
        "decodeURIComponent": "decode_uri_component",
        "encodeURI": "encode_uri",
        "encodeURIComponent": "encode_uri_component",
        "isFinite": "is_finite",
        "isNaN": "is_nan",
        "parseFloat": "parse_float",
        "parseInt": "parse_int",
    },
    "cloning": {"structuredClone": "structured_clone"},
    "text_coding": {"atob": "atob", "btoa": "btoa"},
    "timers": {
        "clearInterval": "clear",
        "clearTimeout": "clear",
        "queueMicrotask": "queue_microtask",
        "setInterval": "set_interval",
        "setTimeout": "set_timeout",
    },
}
_OBJECTS = {
    "console": ("console", "Console"),
    "crypto": ("crypto", "Crypto"),
    "Math": ("language", "Math"),
    "Reflect": ("language", "Reflect"),
    "scheduler": ("timers", "Scheduler"),
}
_WITHOUT_LIMIT = frozenset({"setInterval", "setTimeout"})
_VALUES: dict[str, Any] = {"undefined": None, "NaN": math.nan, "Infinity": math.inf}


class Performance(JsObject):
    """JavaScript's `performance`: on the platform its clock is that of `Date`."""

    @property
    def timeOrigin(self) -> int:
        """Always 0."""
        return 0

    def now(self) -> int:
        """Milliseconds, on the clock of the test."""
        return int(time.time() * 1000)


class Navigator(JsObject):
    """JavaScript's `navigator`."""

    @property
    def userAgent(self) -> str:
        """What the runtime calls itself."""
        return "Cloudflare-Workers"

    @property
    def language(self) -> str:
        """Always "en"."""
        return "en"


class JSON(JsObject):
    """JavaScript's `JSON`."""

    def parse(self, text: Any = None, reviver: Any = None) -> Any:
        """The value that a text says.

        Args:
            text: JSON.
            reviver: A function of key and value that gives what is used in place of the value.
        """
        from .json_text import parse, revive

        value = parse(js_text(text))
        return value if reviver is None else revive(value, reviver)

    def stringify(self, value: Any = None, replacer: Any = None, space: Any = None) -> str | None:
        """The text of a value; undefined where it has none.

        Args:
            value: The value.
            replacer: A function of key and value that gives what is written, or an array of the keys to write.
            space: How many spaces a level is indented by, or what with.
        """
        from .json_text import stringify

        indent = space[:10] if isinstance(space, str) else ""
        if isinstance(space, int | float):
            indent = " " * max(0, min(10, int(space)))
        return stringify(value, replacer, indent)


_HERE: dict[str, type[JsObject]] = {"JSON": JSON, "navigator": Navigator, "performance": Performance}


def _finders() -> dict[str, Callable[[], Any]]:
    found: dict[str, Callable[[], Any]] = {}
    for module, names in _CLASSES.items():
        for name, attribute in names.items():
            found[name] = lambda module=module, attribute=attribute: constructor_of(_get(module, attribute))  # type: ignore[misc]
    for module, names in _FUNCTIONS.items():
        for name, attribute in names.items():
            found[name] = lambda name=name, module=module, attribute=attribute: _function(name, module, attribute)  # type: ignore[misc]
    for name, (module, attribute) in _OBJECTS.items():
        found[name] = lambda module=module, attribute=attribute: _get(module, attribute)()  # type: ignore[misc]
    for form, name in TYPED_ARRAYS.items():
        found[name] = lambda form=form: constructor_of(_get("buffers", "TYPED")[form])  # type: ignore[misc]
    return found | dict(_HERE)


def _get(module: str, attribute: str) -> Any:
    return getattr(import_module(f"{__package__}.{module}"), attribute)


def _function(name: str, module: str, attribute: str) -> JsFunction:
    most = None if name in _WITHOUT_LIMIT else 2
    return JsFunction(_get(module, attribute), name, most=most)


_FINDERS = _finders()


NAMES = frozenset({*_FINDERS, *_VALUES})
"""The names of the globals that there are."""


def find_global(name: str) -> Any:
    """A global.

    Args:
        name: One of `NAMES`.

    Raises:
        KeyError: There is none of that name.
    """
    if name in _VALUES:
        return _VALUES[name]
    return _FINDERS[name]()
