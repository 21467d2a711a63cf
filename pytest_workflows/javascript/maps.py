"""The methods of JavaScript's `Map` and `Set` that no conversion needs."""

from __future__ import annotations

from typing import Any

from .collections import JsMap, JsSet
from .convert import call, items_of, read_entries
from .iterators import JsIterator, entries
from .objects import js_error, js_text, to_python


class LiteralMap(JsMap):
    """What `to_js` makes of a dict on Python 3.12 and 3.13: a map whose keys are attributes as well.

    Source: Pyodide before 314.
    """

    def __getattr__(self, name: str) -> Any:
        entries: dict[Any, Any] = object.__getattribute__(self, "_entries")
        if name in entries:
            return to_python(entries[name])
        raise AttributeError(name)

    def _properties(self) -> dict[str, Any]:
        return {js_text(key): item for key, item in self._entries.items()}


def _construct_map(cls: type[JsMap], pairs: Any = None) -> JsMap:
    made = cls()
    made._entries.update(read_entries(_items(pairs)))
    return made


def _construct_set(cls: type[JsSet], items: Any = None) -> JsSet:
    made = cls()
    made._entries = dict.fromkeys(_items(items))
    return made


def _items(value: Any) -> list[Any]:
    if not value and not hasattr(value, "_js_class"):
        return []
    if isinstance(value, str):
        return list(value)
    found = items_of(value)
    if found is None:
        raise js_error("TypeError", f"object is not iterable (cannot read property Symbol(Symbol.iterator)): {value!r}")
    return list(found)


def _map_for_each(self: JsMap, function: Any) -> None:
    for key, value in list(self._entries.items()):
        call(function, value, key, self)


def _set_for_each(self: JsSet, function: Any) -> None:
    for item in list(self._entries):
        call(function, item, item, self)


def _values(self: JsSet) -> JsIterator:
    return JsIterator(list(self._entries))


def _entries(self: JsSet) -> JsIterator:
    return entries((item, item) for item in list(self._entries))


JsMap._complete({"forEach": _map_for_each}, {}, construct=_construct_map)
JsSet._complete(
    {"forEach": _set_for_each, "values": _values, "keys": _values, "entries": _entries}, {}, construct=_construct_set
)
