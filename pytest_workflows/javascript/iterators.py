"""JavaScript's iterators, as `headers.keys()` gives them: both an iterator and iterable."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

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
