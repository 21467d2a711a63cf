"""Served as `workers.formdata`: the fields of a form, over JavaScript's `FormData`.

Source: workers-runtime-sdk 1.9.5, `workers.formdata`.
"""

from __future__ import annotations

from collections.abc import Iterator, MutableMapping
from typing import Any

from . import js_module as js
from .blob import Blob, File
from .js_view import class_name, is_js_instance

__all__ = ["FormData", "FormDataValue"]

FormDataValue = "str | js.Blob | Blob"


class FormData(MutableMapping[str, Any]):
    """The fields of a form; a name may have several values.

    Args:
        form_data: A dict of fields, or a `js.FormData`; an empty form by default.

    Raises:
        TypeError: It is neither.

    Example:
        >>> form = FormData({"name": "Ada"})  # doctest: +SKIP
        >>> await fetch(url, method="POST", body=form)  # doctest: +SKIP
    """

    __module__ = "workers.formdata"

    def __init__(self, form_data: Any = None) -> None:
        if is_js_instance(form_data, "FormData"):
            self._js_form_data = form_data
            return
        if form_data and not isinstance(form_data, dict):
            raise TypeError("Expected form_data to be a dict or an instance of FormData")
        self._js_form_data = js.FormData.new()
        for key, value in (form_data or {}).items():
            self._js_form_data.append(key, _to_js(value))

    @property
    def js_object(self) -> Any:
        """The `js.FormData`."""
        return self._js_form_data

    def __getitem__(self, key: str) -> Any:
        return _from_js(self._js_form_data.get(key))

    def __setitem__(self, key: str, value: Any) -> None:
        if isinstance(value, list):
            raise TypeError("Expected single item in arguments to FormData.__setitem__")
        self._js_form_data.set(key, _to_js(value))

    def __delitem__(self, key: str) -> None:
        self.delete(key)

    def __contains__(self, key: object) -> bool:
        return bool(self._js_form_data.has(key))

    def __iter__(self) -> Iterator[str]:
        return iter(self.keys())

    def __len__(self) -> int:
        return len(self.keys())  # type: ignore[arg-type]  # a TypeError, as in the SDK: its keys are a generator

    def append(self, key: str, value: Any, filename: str | None = None) -> None:
        """Add a value to a name.

        Args:
            key: The name.
            value: str or a blob.
            filename: The name of the file, for a blob.
        """
        self._js_form_data.append(key, _to_js(value), filename)

    def delete(self, key: str) -> None:
        """Take all values of a name out."""
        self._js_form_data.delete(key)

    def get_all(self, key: str) -> list[Any]:
        """The values of a name."""
        return [_from_js(value) for value in self._js_form_data.getAll(key)]

    def keys(self) -> Iterator[str]:  # type: ignore[override]
        """The names, one for each value."""
        yield from self._js_form_data.keys()

    def values(self) -> Iterator[Any]:  # type: ignore[override]
        """The values."""
        for value in self._js_form_data.values():
            yield _from_js(value)

    def items(self) -> Iterator[tuple[str, Any]]:  # type: ignore[override]
        """Names and values."""
        for key, value in self._js_form_data.entries():
            yield key, _from_js(value)


def _to_js(value: Any) -> Any:
    return value.js_object if isinstance(value, Blob) else value


def _from_js(value: Any) -> Any:
    match class_name(value):
        case "File":
            return File(value, value.name)
        case "Blob":
            return Blob(value)
        case _:
            return value
