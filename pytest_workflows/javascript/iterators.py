"""JavaScript's iterators, as `headers.keys()` gives them, both an iterator and iterable; and what gives such."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from .convert import call
from .objects import JsArray, JsObject, JsPlain, to_python


class JsIterator(JsObject, js_class="Iterator"):
    """An iterator of JavaScript.

    Args:
        items: What it gives: values of JavaScript.
    """

    def __init__(self, items: Iterable[Any]) -> None:
        self._left = iter(items)

    def next(self) -> JsPlain:
        """The next item, as `{value, done}`."""
        for item in self._left:
            return JsPlain({"value": item, "done": False})
        return JsPlain({"value": None, "done": True})

    def toArray(self) -> JsArray:
        """The items that are left."""
        return JsArray(list(self._left))

    def __iter__(self) -> Iterator[Any]:
        return self

    def __next__(self) -> Any:
        return to_python(next(self._left))

    def to_py(self, *, depth: int = -1, default_converter: Any = None) -> Any:
        """The iterator itself, which Python can iterate over."""
        return self


def entries(pairs: Iterable[tuple[Any, Any]]) -> JsIterator:
    """An iterator of pairs, each an array.

    Args:
        pairs: The pairs, of values of JavaScript.
    """
    return JsIterator(JsArray([key, value]) for key, value in pairs)


class PairIterable(JsObject):
    """Base of what is iterated over as pairs of name and value, as the Web IDL standard has it."""

    def _each(self) -> Iterable[tuple[str, Any]]:
        raise NotImplementedError

    def forEach(self, callback: Any, this: Any = None) -> None:
        """Call a function with value, name and the object itself, for each pair."""
        for name, value in list(self._each()):
            call(callback, value, name, self)

    def entries(self) -> JsIterator:
        """Pairs of name and value."""
        return entries(iter(self._each()))

    def keys(self) -> JsIterator:
        """The names."""
        return JsIterator(name for name, _ in self._each())

    def values(self) -> JsIterator:
        """The values."""
        return JsIterator(value for _, value in self._each())

    def __iter__(self) -> Iterator[Any]:
        return entries(iter(self._each()))
