"""Python values as JSON that says exactly what they were.

Plain JSON stands for itself. What JSON has no form for is an object with the key `$type`, such as
`{"$type": "datetime", "value": "2026-01-01T00:00:00"}`; docs/reference/recordings.md lists them.
"""

from __future__ import annotations

import base64
import json
import math
from array import array
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from durable_engine import PLAIN_DATETIME, JsBigInt, JsDict, JsException, JsNull, JsProxy, StreamContent, UnknownValue
from pytest_workflows.messages.short_repr import shown
from pytest_workflows.recordings.errors import RecordingError

JsonValue: TypeAlias = "bool | int | float | str | list[JsonValue] | dict[str, JsonValue] | None"
"""What JSON holds: a value of a workflow stands in a recording as `tag` makes it."""
JsonObject: TypeAlias = dict[str, JsonValue]

TYPE = "$type"
_MAX_SAFE = 2**53 - 1
_NOT_FINITE = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}


UNKNOWN = UnknownValue()
"""A value that the recording does not have."""


def is_unknown(value: object) -> bool:
    """Whether a tagged value, or a Python one, is itself unknown; its parts are not inspected."""
    return isinstance(value, UnknownValue) or (isinstance(value, dict) and value.get(TYPE) == "unknown")


def tag(value: object) -> JsonValue:
    """A Python value as JSON.

    Args:
        value: Anything; what no tag is made for (an object that was handed to a fake) becomes its `repr`.
    """
    convert = _TAGS.get(type(value))
    if convert is not None:
        return convert(value)
    for base, convert in _TAGS_OF_BASES:
        if isinstance(value, base):
            return convert(value)
    return _tagged("repr", _safe_repr(value))


def tag_items(values: Mapping[str, object]) -> JsonObject:
    """Python values by their names, each as JSON."""
    return {name: tag(value) for name, value in values.items()}


def untag(value: Any) -> Any:
    """The Python value of what `tag` made.

    Raises:
        RecordingError: If it has a tag that this version does not know.
    """
    if isinstance(value, list):
        return [untag(item) for item in value]
    if not isinstance(value, dict):
        return value
    if TYPE not in value:
        return JsDict({key: untag(item) for key, item in value.items()})
    kind = value[TYPE]
    convert = _UNTAGS.get(kind) if isinstance(kind, str) else None
    if convert is None:
        raise RecordingError(
            f"The recording has a value of the type {shown(kind)}, which this version of pytest-workflows does not "
            f"know. It knows: {', '.join(sorted(_UNTAGS))}."
        )
    return convert(value)


def _tagged(kind: str, value: JsonValue, **more: JsonValue) -> JsonObject:
    return {TYPE: kind, **more, "value": value}


def _safe_repr(value: object) -> str:
    try:
        return repr(value).encode("utf-8", "backslashreplace").decode()
    except Exception as error:
        return f"<{type(value).__name__}, whose repr raised {type(error).__name__}>"


def _int(value: int) -> JsonValue:
    value = int.__int__(value)
    return value if -_MAX_SAFE <= value <= _MAX_SAFE else _bigint(value)


def _bigint(value: int) -> JsonObject:
    return _tagged("bigint", str(int(value)))


def _float(value: float) -> JsonValue:
    if math.isfinite(value):
        return value
    return _tagged("number", "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity")


def _str(value: str) -> JsonValue:
    try:
        value.encode()
    except UnicodeEncodeError:
        return _tagged("text", json.dumps(value)[1:-1])
    return value


def _dict(value: dict[Any, Any]) -> JsonObject:
    pairs: list[tuple[JsonValue, JsonValue]] = [(tag(key), tag(item)) for key, item in value.items()]
    texts = {key: item for key, item in pairs if isinstance(key, str)}
    if TYPE in value or not all(isinstance(key, str) for key, _ in pairs):
        return _tagged("object", [list(pair) for pair in pairs])
    return texts


def _datetime(value: Any) -> JsonObject:
    return _tagged("datetime", PLAIN_DATETIME.isoformat(value))


def _buffer(value: Any) -> JsonObject:
    view = memoryview(value)
    return _tagged("array", base64.b64encode(view.tobytes()).decode(), format=view.format)


def _error(text: str) -> Exception:
    # One that crossed has the name that JavaScript gave it, which must not be put before it twice when it is stored.
    if text == "Error" or text.startswith("Error: "):
        return JsException("Error", text[len("Error: ") :])
    return Exception(text)


def _unknown(value: UnknownValue) -> JsonObject:
    return {TYPE: "unknown", "reason": value.reason}


def _set(value: set[Any] | frozenset[Any]) -> JsonObject:
    # What crossed keeps its order; a Python set that a fake was handed has none, and must be the same in every run.
    return _tagged("set", [tag(item) for item in sorted(value, key=lambda item: (type(item).__name__, repr(item)))])


def _proxy(value: JsProxy) -> JsonValue:
    if value._kept is not None:
        return _stream(value._kept)
    converted = value.to_py()
    return _tagged("repr", _safe_repr(value)) if converted is value else tag(converted)


def _stream(content: bytes) -> JsonObject:
    return _tagged("stream", base64.b64encode(content).decode())


_TAGS: dict[type, Callable[[Any], JsonValue]] = {
    type(None): lambda _: None,
    bool: lambda value: value,
    int: _int,
    float: _float,
    str: _str,
    list: lambda value: [tag(item) for item in value],
    dict: _dict,
    JsDict: _dict,
    JsBigInt: _bigint,
    JsNull: lambda _: None,
    JsProxy: _proxy,
    StreamContent: lambda value: _stream(value.data),
    tuple: lambda value: _tagged("tuple", [tag(item) for item in value]),
    set: _set,
    bytes: lambda value: _tagged("bytes", base64.b64encode(value).decode()),
    memoryview: _buffer,
    PLAIN_DATETIME: _datetime,
    UnknownValue: _unknown,
}
_TAGS_OF_BASES: tuple[tuple[type, Callable[[Any], JsonValue]], ...] = (
    (str, lambda value: _str(str.__str__(value))),
    (int, _int),
    (float, lambda value: _float(float.__float__(value))),
    (list, lambda value: [tag(item) for item in value]),
    (dict, _dict),
    (set, _set),
    (frozenset, _set),
    (bytearray, _buffer),
    (array, _buffer),
    (PLAIN_DATETIME, _datetime),
    (JsProxy, _proxy),
    (Exception, lambda value: _tagged("error", str(value), name=type(value).__name__)),
)
_UNTAGS: dict[str, Callable[[dict[str, Any]], Any]] = {
    "array": lambda value: memoryview(bytearray(base64.b64decode(value["value"]))).cast(value["format"]),
    "bigint": lambda value: JsBigInt(value["value"]),
    "bytes": lambda value: base64.b64decode(value["value"]),
    "datetime": lambda value: PLAIN_DATETIME.fromisoformat(value["value"]),
    "error": lambda value: _error(value["value"]),
    "number": lambda value: _NOT_FINITE[value["value"]],
    "object": lambda value: JsDict({untag(key): untag(item) for key, item in value["value"]}),
    "repr": lambda value: UnknownValue(f"only its repr is recorded: {value['value']}"),
    "set": lambda value: {untag(item) for item in value["value"]},
    "stream": lambda value: StreamContent(base64.b64decode(value["value"])),
    "text": lambda value: json.loads(f'"{value["value"]}"'),
    "tuple": lambda value: tuple(untag(item) for item in value["value"]),
    "unknown": lambda value: UnknownValue(value.get("reason", UNKNOWN.reason)),
}
