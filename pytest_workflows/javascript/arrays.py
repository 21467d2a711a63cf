"""The methods of JavaScript's `Array`, and those that Pyodide gives an array's proxy beside them."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from typing import Any

from .convert import call, is_missing, is_true, items_of, to_integer, to_number
from .iterators import JsIterator, entries
from .objects import JsArray, JsPromise, from_python, js_error, js_text, settle, to_python


def same_value(one: Any, other: Any) -> bool:
    """JavaScript's `===`, but that NaN is itself."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, int | float) and isinstance(other, int | float):
        return one == other or (one != one and other != other)
    if isinstance(one, str) and isinstance(other, str):
        return one == other
    held, found = to_python(one), to_python(other)
    return held is found


def _place(array: JsArray, value: Any, default: int) -> int:
    if value is None:
        return default
    place, length = to_integer(value), len(array._items)
    return max(0, length + place) if place < 0 else min(place, length)


def _each(array: JsArray, function: Any) -> Iterator[tuple[int, Any, Any]]:
    for index, item in enumerate(list(array._items)):
        yield index, item, call(function, item, index, array)


def _map(self: JsArray, function: Any) -> JsArray:
    return JsArray([result for _, _, result in _each(self, function)])


def _filter(self: JsArray, function: Any) -> JsArray:
    return JsArray([item for _, item, result in _each(self, function) if is_true(result)])


def _for_each(self: JsArray, function: Any) -> None:
    for _ in _each(self, function):
        pass


def _find(self: JsArray, function: Any) -> Any:
    return next((item for _, item, result in _each(self, function) if is_true(result)), None)


def _find_index(self: JsArray, function: Any) -> int:
    return next((index for index, _, result in _each(self, function) if is_true(result)), -1)


def _some(self: JsArray, function: Any) -> bool:
    return any(is_true(result) for _, _, result in _each(self, function))


def _every(self: JsArray, function: Any) -> bool:
    return all(is_true(result) for _, _, result in _each(self, function))


def _reduce(self: JsArray, function: Any, *start: Any) -> Any:
    items = list(enumerate(self._items))
    if start:
        held = start[0]
    elif items:
        held = items.pop(0)[1]
    else:
        raise js_error("TypeError", "Reduce of empty array with no initial value")
    for index, item in items:
        held = call(function, held, item, index, self)
    return held


def _slice(self: JsArray, start: Any = None, end: Any = None) -> JsArray:
    return JsArray(self._items[_place(self, start, 0) : _place(self, end, len(self._items))])


def _splice(self: JsArray, start: Any = None, count: Any = None, *items: Any) -> JsArray:
    first = _place(self, start, 0)
    last = len(self._items) if count is None else first + max(0, to_integer(count))
    taken = self._items[first:last]
    self._items[first:last] = items
    return JsArray(taken)


def _concat(self: JsArray, *others: Any) -> JsArray:
    items = list(self._items)
    for other in others:
        items.extend(other._items if isinstance(other, JsArray) else [other])
    return JsArray(items)


def _join(self: JsArray, separator: Any = None) -> str:
    text = "," if separator is None else js_text(separator)
    return text.join("" if is_missing(item) else js_text(item) for item in self._items)


def _index_of(self: JsArray, value: Any, start: Any = None) -> int:
    for index in range(_place(self, start, 0), len(self._items)):
        if same_value(self._items[index], value):
            return index
    return -1


def _includes(self: JsArray, value: Any) -> bool:
    return _index_of(self, value) >= 0


def _at(self: JsArray, index: Any = None) -> Any:
    place = to_integer(index)
    return self._items[place] if -len(self._items) <= place < len(self._items) else None


def _shift(self: JsArray) -> Any:
    return self._items.pop(0) if self._items else None


def _unshift(self: JsArray, *values: Any) -> int:
    self._items[:0] = values
    return len(self._items)


def _sort(self: JsArray, compare: Any = None) -> JsArray:
    if is_missing(compare):
        self._items.sort(key=lambda item: (item is None, js_text(item).encode("utf-16-be", "surrogatepass")))
    else:
        self._items.sort(key=functools.cmp_to_key(lambda one, other: _sign(to_number(call(compare, one, other)))))
    return self


def _sign(value: float) -> int:
    return (value > 0) - (value < 0)


def _fill(self: JsArray, value: Any = None, start: Any = None, end: Any = None) -> JsArray:
    for index in range(_place(self, start, 0), _place(self, end, len(self._items))):
        self._items[index] = value
    return self


def _flat(self: JsArray, depth: Any = None) -> JsArray:
    left = 1 if depth is None else to_number(depth)
    items: list[Any] = []
    for item in self._items:
        if isinstance(item, JsArray) and left >= 1:
            items.extend(_flat(item, left - 1)._items)
        else:
            items.append(item)
    return JsArray(items)


def _flat_map(self: JsArray, function: Any) -> JsArray:
    return _flat(_map(self, function))


def _keys(self: JsArray) -> JsIterator:
    return JsIterator(iter(range(len(self._items))))


def _values(self: JsArray) -> JsIterator:
    return JsIterator(iter(self._items))


def _entries(self: JsArray) -> JsIterator:
    return entries(enumerate(self._items))


def _to_string(self: JsArray) -> str:
    return self._text()


_METHODS: dict[str, Callable[..., Any]] = {
    "map": _map,
    "filter": _filter,
    "forEach": _for_each,
    "find": _find,
    "findIndex": _find_index,
    "some": _some,
    "every": _every,
    "reduce": _reduce,
    "slice": _slice,
    "splice": _splice,
    "concat": _concat,
    "join": _join,
    "indexOf": _index_of,
    "includes": _includes,
    "at": _at,
    "shift": _shift,
    "unshift": _unshift,
    "sort": _sort,
    "fill": _fill,
    "flat": _flat,
    "flatMap": _flat_map,
    "keys": _keys,
    "values": _values,
    "entries": _entries,
    "toString": _to_string,
}


# -- Python's own names, which Pyodide gives an array's proxy: they win over JavaScript's ------------------------------


def _append(self: JsArray, value: Any) -> None:
    self._items.append(from_python(value))


def _extend(self: JsArray, values: Any) -> None:
    self._items.extend(map(from_python, values))


def _insert(self: JsArray, index: int, value: Any) -> None:
    self._items.insert(index, from_python(value))


def _pop(self: JsArray, index: int = -1) -> Any:
    return to_python(self._items.pop(index))


def _reverse(self: JsArray) -> None:
    self._items.reverse()


def _index(self: JsArray, value: Any, start: int = 0, stop: int | None = None) -> int:
    return self._items.index(from_python(value), start, len(self._items) if stop is None else stop)


def _count(self: JsArray, value: Any) -> int:
    return self._items.count(from_python(value))


def _remove(self: JsArray, value: Any) -> None:
    self._items.remove(from_python(value))


def _clear(self: JsArray) -> None:
    self._items.clear()


_PYTHONS: dict[str, Callable[..., Any]] = {
    "append": _append,
    "extend": _extend,
    "insert": _insert,
    "pop": _pop,
    "reverse": _reverse,
    "index": _index,
    "count": _count,
    "remove": _remove,
    "clear": _clear,
}


# -- the constructor ---------------------------------------------------------------------------------------------------


def _construct(cls: type[JsArray], *values: Any) -> JsArray:
    if len(values) == 1 and isinstance(values[0], int | float) and not isinstance(values[0], bool):
        length = values[0]
        if length != int(length) or not 0 <= length < 2**32:
            raise js_error("RangeError", "Invalid array length")
        return JsArray([None] * int(length))
    return JsArray(list(values))


def _of(*values: Any) -> JsArray:
    return JsArray(list(values))


def _is_array(value: Any = None) -> bool:
    return isinstance(value, JsArray)


def _from(source: Any = None, function: Any = None) -> JsArray:
    if isinstance(source, str):
        items: list[Any] = list(source)
    else:
        found = items_of(source)
        if found is not None:
            items = list(found)
        else:
            length = getattr(source, "length", None)
            items = [getattr(source, str(index), None) for index in range(length)] if isinstance(length, int) else []
    return JsArray(items if is_missing(function) else [call(function, item, at) for at, item in enumerate(items)])


def _from_async(source: Any = None) -> JsPromise:
    async def collect() -> JsArray:
        target = to_python(source)
        if hasattr(type(target), "__aiter__"):
            return JsArray([from_python(item) async for item in target])
        return JsArray([await settle(item) for item in items_of(source) or ()])

    return JsPromise.running(collect())


JsArray._complete(
    _METHODS, {"of": _of, "isArray": _is_array, "from_": _from, "fromAsync": _from_async}, construct=_construct
)
JsArray._call = JsArray._construct  # type: ignore[attr-defined]
for _name, _method in _PYTHONS.items():
    setattr(JsArray, _name, _method)
