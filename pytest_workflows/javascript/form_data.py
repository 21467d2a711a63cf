"""JavaScript's `FormData`."""

from __future__ import annotations

from typing import Any

from durable_engine import jsnull

from . import multipart
from .blob import Blob, File
from .convert import is_missing
from .iterators import PairIterable
from .objects import JsArray, js_error, js_text
from .url import parse_query

_TYPES = "multipart/form-data, application/x-www-form-urlencoded"


class FormData(PairIterable):
    """The entries of a form, texts and files; iterated over, they are pairs."""

    def __init__(self) -> None:
        self._entries: list[tuple[str, Any]] = []

    def append(self, name: Any, value: Any, filename: Any = None) -> None:
        """Add an entry.

        Args:
            name: Its name.
            value: A blob, or what becomes a text.
            filename: The name of the file, for a blob.
        """
        self._entries.append((js_text(name), _value(value, filename)))

    def set(self, name: Any, value: Any, filename: Any = None) -> None:
        """Replace the entries of a name by one."""
        key, made = js_text(name), _value(value, filename)
        at = next((index for index, (found, _) in enumerate(self._entries) if found == key), len(self._entries))
        rest = [entry for entry in self._entries[at + 1 :] if entry[0] != key]
        self._entries = [*self._entries[:at], (key, made), *rest]

    def get(self, name: Any) -> Any:
        """The first value of a name; null where there is none."""
        return next((value for key, value in self._entries if key == js_text(name)), jsnull)

    def getAll(self, name: Any) -> JsArray:
        """The values of a name."""
        return JsArray([value for key, value in self._entries if key == js_text(name)])

    def has(self, name: Any) -> bool:
        """Whether there is an entry of a name."""
        return any(key == js_text(name) for key, _ in self._entries)

    def delete(self, name: Any) -> None:
        """Take out the entries of a name."""
        self._entries = [entry for entry in self._entries if entry[0] != js_text(name)]

    def _each(self) -> list[tuple[str, Any]]:
        return self._entries


def _value(value: Any, filename: Any) -> Any:
    if not isinstance(value, Blob):
        return js_text(value)
    if isinstance(value, File) and is_missing(filename):
        return value
    return File._named(value._content, "blob" if is_missing(filename) else js_text(filename), value.type)


def read_form(body: bytes, content_type: str | None) -> FormData:
    """The form that a body holds.

    Args:
        body: The bytes.
        content_type: The header of that name; None for none.

    Raises:
        JsException: A TypeError: no type, another one, or no such body.
    """
    if content_type is None:
        raise js_error("TypeError", "Parsing a Body as FormData requires a Content-Type header.")
    kind, given = multipart.parameters_of(content_type)
    form = FormData()
    if kind == "multipart/form-data":
        if "boundary" not in given:
            raise js_error(
                "TypeError",
                "No boundary string in Content-Type header. The multipart/form-data MIME type requires a boundary "
                "parameter, e.g. 'Content-Type: multipart/form-data; boundary=\"abcd\"'. See RFC 7578, section 4.",
            )
        form._entries = multipart.read(body, given["boundary"])
    elif kind == "application/x-www-form-urlencoded":
        form._entries = list(parse_query(body.decode("utf-8", "replace")))
    else:
        raise js_error(
            "TypeError",
            f"Unrecognized Content-Type header value. FormData can only parse the following MIME types: {_TYPES}.",
        )
    return form
