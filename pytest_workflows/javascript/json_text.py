"""JavaScript's `JSON`: text to values and back, with the texts of V8's errors.

Source: V8 as in workerd 1.20261117.1, whose texts were observed where the tests say so.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Mapping
from typing import Any, NoReturn

from durable_engine import JsBigInt, JsException, JsProxy, js_number_text, jsnull

from .objects import JsArray, JsFunction, JsObject, JsPlain, PyProxy, from_python, js_error, js_text, number

# -- text to values ----------------------------------------------------------------------------------------------------


def parse(text: str) -> Any:
    """The value of a JSON text, as `JSON.parse` has it.

    Args:
        text: JSON.

    Raises:
        JsException: SyntaxError, with V8's text.
    """
    try:
        return _value(_DECODER.decode(text))
    except ValueError:
        raise _syntax_error(text) from None


def _number(text: str) -> int | float:
    return number(float(text))


def _constant(text: str) -> NoReturn:
    raise ValueError(text)  # NaN and Infinity, which Python would take


_DECODER = json.JSONDecoder(parse_float=_number, parse_int=_number, parse_constant=_constant)


def _value(value: Any) -> Any:
    if value is None:
        return jsnull
    if type(value) is dict:
        return JsPlain({key: _value(item) for key, item in value.items()})
    if type(value) is list:
        return JsArray([_value(item) for item in value])
    return value


def revive(value: Any, reviver: Any) -> Any:
    """What a function makes of a value that was read and of each that is in it, as `JSON.parse` has it.

    Args:
        value: What was read.
        reviver: A function of key and value that gives what is used in place of the value; undefined takes it out.
    """
    return _revived("", value, reviver)


def _revived(key: str, value: Any, reviver: Any) -> Any:
    if isinstance(value, JsPlain):
        revived = {name: _revived(name, item, reviver) for name, item in value._entries.items()}
        value = JsPlain({name: item for name, item in revived.items() if item is not None})
    elif isinstance(value, JsArray):
        value = JsArray([_revived(str(index), item, reviver) for index, item in enumerate(value._items)])
    return from_python(reviver(key, value))


class _Unexpected(Exception):
    """Where a text stops being JSON.

    Args:
        at: The position.
        expected: What V8 says of it; empty where it names the character.
    """

    def __init__(self, at: int, expected: str = "") -> None:
        super().__init__(expected)
        self.at, self.expected = at, expected


_SPACE = re.compile(r"[ \t\n\r]*")
_DIGITS = re.compile(r"[0-9]*")
_AROUND = 10
"""How many characters beside the unexpected one V8 shows."""


def _syntax_error(text: str) -> JsException:
    try:
        end = _skip(text, _scan(text, 0))
        at, expected = end, "Unexpected non-whitespace character after JSON"
    except _Unexpected as error:
        at, expected = error.at, error.expected
    if expected:
        line = text.count("\n", 0, at) + 1
        column = at - (text.rfind("\n", 0, at) + 1) + 1
        return js_error("SyntaxError", f"{expected} at position {at} (line {line} column {column})")
    if at >= len(text):
        return js_error("SyntaxError", "Unexpected end of JSON input")
    if text in ("NaN", "Infinity", "undefined", "[object Object]"):
        return js_error("SyntaxError", f'"{text}" is not valid JSON')
    return js_error("SyntaxError", f"Unexpected token '{text[at]}', {_excerpt(text, at)} is not valid JSON")


def _excerpt(text: str, at: int) -> str:
    if len(text) <= 2 * _AROUND:
        return f'"{text}"'
    if at < _AROUND:
        return f'"{text[: at + _AROUND]}"...'
    if at < len(text) - _AROUND:
        return f'..."{text[at - _AROUND : at + _AROUND]}"...'
    return f'..."{text[at - _AROUND :]}"'


def _skip(text: str, at: int) -> int:
    found = _SPACE.match(text, at)
    return at if found is None else found.end()


def _scan(text: str, at: int) -> int:
    """The end of the value that begins there, or the error of it."""
    at = _skip(text, at)
    first = text[at : at + 1]
    if first == "{":
        return _scan_object(text, at + 1)
    if first == "[":
        return _scan_array(text, at + 1)
    if first == '"':
        return _scan_string(text, at + 1)
    if first == "-" or (first.isdigit() and first.isascii()):
        return _scan_number(text, at)
    for literal in ("true", "false", "null"):
        if first == literal[0]:
            return _scan_literal(text, at, literal)
    raise _Unexpected(at)


def _scan_object(text: str, at: int) -> int:
    at = _skip(text, at)
    if text[at : at + 1] == "}":
        return at + 1
    expected = "Expected property name or '}' in JSON"
    while True:
        if text[at : at + 1] != '"':
            raise _Unexpected(at, expected)
        at = _skip(text, _scan_string(text, at + 1))
        if text[at : at + 1] != ":":
            raise _Unexpected(at, "Expected ':' after property name in JSON")
        at = _skip(text, _scan(text, at + 1))
        if text[at : at + 1] == "}":
            return at + 1
        if text[at : at + 1] != ",":
            raise _Unexpected(at, "Expected ',' or '}' after property value in JSON")
        at, expected = _skip(text, at + 1), "Expected double-quoted property name in JSON"


def _scan_array(text: str, at: int) -> int:
    at = _skip(text, at)
    if text[at : at + 1] == "]":
        return at + 1
    while True:
        at = _skip(text, _scan(text, at))
        if text[at : at + 1] == "]":
            return at + 1
        if text[at : at + 1] != ",":
            raise _Unexpected(at, "Expected ',' or ']' after array element in JSON")
        at += 1


def _scan_string(text: str, at: int) -> int:
    while at < len(text):
        char = text[at]
        if char == '"':
            return at + 1
        if char < " ":
            raise _Unexpected(at, "Bad control character in string literal in JSON")
        if char == "\\":
            at += 1
            escaped = text[at : at + 1]
            if escaped == "u":
                for place in range(at + 1, at + 5):
                    if re.fullmatch("[0-9a-fA-F]", text[place : place + 1]) is None:
                        raise _Unexpected(place, "Bad Unicode escape in JSON")
                at += 4
            elif not escaped:
                break
            elif escaped not in '"\\/bfnrt':
                raise _Unexpected(at, "Bad escaped character in JSON")
        at += 1
    raise _Unexpected(len(text), "Unterminated string in JSON")


def _scan_number(text: str, at: int) -> int:
    if text[at] == "-":
        at += 1
        if not _has_digit(text, at):
            raise _Unexpected(at, "No number after minus sign in JSON")
    if text[at] == "0" and _has_digit(text, at + 1):
        raise _Unexpected(at + 1, "Unexpected number in JSON")
    at = _skip_digits(text, at)
    if text[at : at + 1] == ".":
        at += 1
        if not _has_digit(text, at):
            raise _Unexpected(at, "Unterminated fractional number in JSON")
        at = _skip_digits(text, at)
    if text[at : at + 1] in ("e", "E"):
        at += 2 if text[at + 1 : at + 2] in ("+", "-") else 1
        if not _has_digit(text, at):
            raise _Unexpected(at, "Exponent part is missing a number in JSON")
        at = _skip_digits(text, at)
    return at


def _has_digit(text: str, at: int) -> bool:
    return text[at : at + 1] in tuple("0123456789")


def _skip_digits(text: str, at: int) -> int:
    found = _DIGITS.match(text, at)
    return at if found is None else found.end()


def _scan_literal(text: str, at: int, literal: str) -> int:
    for offset, char in enumerate(literal):
        if text[at + offset : at + offset + 1] != char:
            raise _Unexpected(at + offset)
    return at + len(literal)


# -- values to text ----------------------------------------------------------------------------------------------------


def stringify(value: Any, replacer: Any = None, indent: str = "") -> str | None:
    """The JSON text of a value, as `JSON.stringify` has it; None for what has none: undefined and functions.

    Args:
        value: A value of JavaScript.
        replacer: A function of key and value that gives the value to write, or an array of the keys to write.
        indent: What each level is indented by; empty for one line.

    Raises:
        JsException: TypeError, for a bigint or an object that holds itself.
    """
    return _Writer(replacer, indent).text("", value, "\n")


_BOXES = frozenset({"Number", "String", "Boolean"})
"""The classes of objects that are written as the primitive value in them."""


class _Writer:
    def __init__(self, replacer: Any, indent: str) -> None:
        self._replace: Callable[[str, Any], Any] | None = replacer if callable(replacer) else None
        self._keys = [js_text(key) for key in replacer._items] if isinstance(replacer, JsArray) else None
        self._indent = indent
        self._within: list[tuple[str, Any]] = []

    def text(self, key: str, value: Any, margin: str) -> str | None:
        """The text of a value under a key; `margin` is a line break and the indentation around it."""
        if isinstance(value, JsProxy) and not isinstance(value, JsFunction):
            convert = getattr(value, "toJSON", None)
            if callable(convert):
                value = from_python(convert(key))
        if self._replace is not None:
            value = from_python(self._replace(key, value))
        if isinstance(value, JsObject) and type(value)._js_class in _BOXES:
            value = value._primitive
        if isinstance(value, JsProxy):
            return self._object(key, value, margin)
        return _scalar(value)

    def _object(self, key: str, value: JsProxy, margin: str) -> str | None:
        if isinstance(value, JsFunction) or (isinstance(value, PyProxy) and callable(value._object)):
            return None
        if any(one is value for _, one in self._within):
            raise _circular([*self._within, (_member(self._within, key), value)])
        self._within.append((_member(self._within, key), value))
        inner = margin + self._indent
        if isinstance(value, JsArray):
            items = [self.text(str(at), item, inner) or "null" for at, item in enumerate(value._items)]
            written = self._joined("[]", items, margin)
        else:
            space = " " if self._indent else ""
            entries = _entries(value)
            names = entries if self._keys is None else [name for name in self._keys if name in entries]
            texts = ((name, self.text(name, entries[name], inner)) for name in names)
            items = [f"{_quoted(name)}:{space}{text}" for name, text in texts if text is not None]
            written = self._joined("{}", items, margin)
        self._within.pop()
        return written

    def _joined(self, brackets: str, items: list[str], margin: str) -> str:
        if not items:
            return brackets
        if not self._indent:
            return f"{brackets[0]}{','.join(items)}{brackets[1]}"
        inner = margin + self._indent
        return f"{brackets[0]}{inner}{f',{inner}'.join(items)}{margin}{brackets[1]}"


def _member(within: list[tuple[str, Any]], key: str) -> str:
    """What V8 calls a member of the innermost object."""
    return f"index {key}" if within and isinstance(within[-1][1], JsArray) else f"property '{key}'"


def _circular(chain: list[tuple[str, Any]]) -> JsException:
    """V8's error for an object that holds itself.

    Args:
        chain: The objects from the outermost one to the one that comes again, each with its member's name.
    """
    last, again = chain.pop()
    first = next(at for at, (_, value) in enumerate(chain) if value is again)
    circle = [(name, value._js_class) for name, value in chain[first:]]
    lines = [f"    --> starting at object with constructor '{circle[0][1]}'"]
    between = [f"    |     {name} -> object with constructor '{kind}'" for name, kind in circle[1:]]
    lines += between if len(between) <= 3 else [*between[:2], "    |     ...", between[-1]]
    return js_error(
        "TypeError", "\n".join(["Converting circular structure to JSON", *lines, f"    --- {last} closes the circle"])
    )


def _entries(value: JsProxy) -> Mapping[str, Any]:
    return value._properties() if isinstance(value, JsObject) else {}


def _scalar(value: Any) -> str | None:
    if value is None:
        return None
    if value is jsnull:
        return "null"
    if isinstance(value, str):
        return _quoted(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, JsBigInt):
        raise js_error("TypeError", "Do not know how to serialize a BigInt")
    return js_number_text(value) if math.isfinite(value) else "null"


_SURROGATE = re.compile("[\ud800-\udfff]")


def _quoted(text: str) -> str:
    quoted = json.dumps(text, ensure_ascii=False)
    return _SURROGATE.sub(lambda found: f"\\u{ord(found[0]):04x}", quoted)
