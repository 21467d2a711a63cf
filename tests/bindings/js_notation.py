"""The notation of JavaScript values, as the observations have it (../golden/README.md)."""

import json
import math

from durable_engine import JsBigInt, JsException, JsProxy, jsnull
from pytest_workflows.javascript.objects import JsArray, JsFunction, JsObject, JsPlain, is_index, js_text

MOST, SHOWN = 600, 120
"""The longest text that is shown as a whole, and how much of a longer one."""


class Raw(JsProxy):
    """A text that is shown without quotes; code reads it as `.s`."""

    def __init__(self, text):
        self.s = text


def show(value, seen=()):
    """A value's notation."""
    scalar = _scalar(value)
    if scalar is not None:
        return scalar
    if any(value is one for one in seen):
        return "[Circular]"
    inside = (*seen, value)
    if isinstance(value, JsArray):
        return "[" + ", ".join(show(item, inside) for item in value._items) + "]"
    if isinstance(value, JsPlain):
        return _entries(value._entries, inside)
    if isinstance(value, JsException):
        return show_error(value)
    return _object(value, inside)


def show_error(error):
    """An error's notation; its own properties and its cause are left out."""
    name, known = error.name, ("Error", "TypeError", "RangeError", "SyntaxError", "AggregateError")
    if name in ("DataCloneError", "AbortError"):
        name = f'DOMException(name="{name}")'
    elif name not in known:
        name = f'Error(name="{name}")'
    return f"{name}: {_quoted(error.message)}"


def _scalar(value):
    match value:
        case None:
            return "undefined"
        case bool():
            return "true" if value else "false"
        case Raw():
            return value.s
        case JsBigInt():
            return f"{int(value)}n"
        case str():
            return _quoted(value)
        case int():
            return str(value)
        case float() if math.isnan(value):
            return "NaN"
        case float() if math.isinf(value):
            return "Infinity" if value > 0 else "-Infinity"
        case float():
            return "-0" if value == 0 else js_text(value)
    return "null" if value is jsnull else None


def _quoted(text):
    quoted = json.dumps(text[:SHOWN] if len(text) > MOST else text, ensure_ascii=False)
    return f"{quoted}…({len(text)} chars)" if len(text) > MOST else quoted


def _entries(entries, seen):
    return "{" + ", ".join(f"{_key(key)}: {show(value, seen)}" for key, value in entries.items()) + "}"


def _key(key):
    return key if key.isidentifier() and not is_index(key) else _quoted(key)


def _object(value, seen):
    name = getattr(value, "_js_class", type(value).__name__)
    match name:
        case "Map":
            pairs = [f"{show(key, seen)} => {show(item, seen)}" for key, item in value._entries.items()]
            return f"Map({len(pairs)}){{{', '.join(pairs)}}}"
        case "Set":
            return f"Set({len(value)}){{{', '.join(show(item, seen) for item in value._entries)}}}"
        case "Date":
            return "Date(Invalid)" if math.isnan(value.getTime()) else f"Date({value.toISOString()})"
        case "Error":
            return show_error(value)
        case "RegExp":
            return f"RegExp(/{value.source}/{value.flags})"
        case "Headers":
            return f"Headers{{{', '.join(f'{key}: {item}' for key, item in _pairs(value))}}}"
        case "RpcStub":
            return "[RpcStub, typeof function]"
        case "ArrayBuffer":
            return f"ArrayBuffer({value.byteLength})[{','.join(map(str, value.to_bytes()))}]"
    if name.endswith("Array"):
        return f"{name}({value.length})[{','.join(map(str, value._view().tolist()))}]"
    if isinstance(value, JsFunction) or callable(value):
        return f"function {getattr(value, '_name', '')}".strip()
    return f"{name} {_entries({key: getattr(value, key) for key in own_keys(value)}, seen)}"


def _pairs(headers):
    return [tuple(pair) for pair in headers.entries()]


def own_keys(value):
    """The names of an object's own properties, where it tells."""
    names = getattr(value, "_own", ())
    return list(names() if callable(names) else names)


def all_keys(value):
    """The names of an object's own properties, and of its class's, the nearest class first."""
    names = own_keys(value)
    classes = [one for one in type(value).__mro__ if issubclass(one, JsObject) and one is not JsObject]
    return list(dict.fromkeys(names + [name for one in classes for name in vars(one) if not name.startswith("_")]))
