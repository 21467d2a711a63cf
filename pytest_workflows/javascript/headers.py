"""JavaScript's `Headers`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from durable_engine import jsnull

from .convert import pairs_of
from .iterators import PairIterable
from .objects import JsArray, js_error, js_text

_NAME = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_REFUSED_IN_VALUES = re.compile("[\0\r\n]")


class Headers(PairIterable):
    """The headers of a request or response; iterated over, they are pairs, sorted by name.

    Several values of one name are one, joined by commas; only `set-cookie` stands alone.
    Source: workerd 1.20261117.1.

    Args:
        init: Other headers, an iterable of pairs, or an object.

    Raises:
        JsException: A TypeError, for a name or value that no header may have.
    """

    def __init__(self, init: Any = None) -> None:
        self._values: dict[str, list[str]] = {}
        if isinstance(init, Headers):
            self._values = {name: list(values) for name, values in init._values.items()}
        else:
            for name, value in pairs_of(init, "Headers"):
                self._add(name, value)

    def _add(self, name: str, value: str) -> None:
        key, checked = _key(name), _checked(value)
        self._values.setdefault(key, []).append(checked)

    def append(self, name: Any, value: Any) -> None:
        """Add a value beside those that a name has."""
        self._add(js_text(name), js_text(value))

    def set(self, name: Any, value: Any) -> None:
        """Replace the values of a name."""
        key = _key(js_text(name))
        self._values[key] = [_checked(js_text(value))]

    def get(self, name: Any) -> Any:
        """The values of a name, joined by commas; null where there are none."""
        found = self._first(_key(js_text(name)))
        return jsnull if found is None else found

    def getAll(self, name: Any) -> JsArray:
        """The values of `set-cookie`, the one name that may be asked for."""
        if js_text(name).lower() != "set-cookie":
            raise js_error("TypeError", 'getAll() can only be used with the header name "Set-Cookie".')
        return JsArray(list(self._values.get("set-cookie", ())))

    def getSetCookie(self) -> JsArray:
        """The values of `set-cookie`."""
        return JsArray(list(self._values.get("set-cookie", ())))

    def has(self, name: Any) -> bool:
        """Whether a name has values."""
        return _key(js_text(name)) in self._values

    def delete(self, name: Any) -> None:
        """Take a name out."""
        self._values.pop(_key(js_text(name)), None)

    def _each(self) -> Iterator[tuple[str, str]]:
        for name in sorted(self._values):
            values = self._values[name]
            for value in values if name == "set-cookie" else [", ".join(values)]:
                yield name, value

    def _default(self, name: str, value: str) -> None:
        """Set a header unless it is there."""
        if name not in self._values:
            self._add(name, value)

    def _first(self, name: str) -> str | None:
        """The value of a name in lower case, None where there is none."""
        values = self._values.get(name)
        return None if values is None else ", ".join(values)


def _key(name: str) -> str:
    if not _NAME.fullmatch(name):
        raise js_error("TypeError", "Invalid header name.")
    return name.lower()


def _checked(value: str) -> str:
    value = value.strip("\t\r\n ")
    if _REFUSED_IN_VALUES.search(value):
        raise js_error("TypeError", "Invalid header value.")
    return value
