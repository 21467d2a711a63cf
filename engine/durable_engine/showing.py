"""Values as text that is the same on every machine and in every process, unlike `repr` of a set or a memoryview."""

from __future__ import annotations

from array import array
from dataclasses import fields, is_dataclass

_ARRAY_CODES = {"n": "q", "N": "Q"}
"""Formats of memoryviews that `array` calls otherwise."""


def show(value: object) -> str:
    """A value as text: its `repr`, with members of sets in order and the content of buffers instead of addresses."""
    if isinstance(value, dict):
        return f"{{{', '.join(f'{show(key)}: {show(item)}' for key, item in value.items())}}}"
    if isinstance(value, list):
        return f"[{', '.join(map(show, value))}]"
    if isinstance(value, set):
        return f"{{{', '.join(sorted(map(show, value)))}}}" if value else "set()"
    if isinstance(value, memoryview):
        return f"memoryview({plain_buffer(value.format, value.tobytes())!r})"
    return repr(value)


def plain_buffer(form: str, content: bytes) -> bytes | array[int] | array[float]:
    """A buffer as a value that compares and prints by its content: bytes, or an array of another format."""
    return content if form == "B" else array(_ARRAY_CODES.get(form, form), content)


class Shown:
    """A record whose `repr` is the same everywhere, and is the code that makes it."""

    __slots__ = ()

    def __repr__(self) -> str:
        assert is_dataclass(self)
        shown = (f"{field.name}={show(getattr(self, field.name))}" for field in fields(self))
        return f"{type(self).__name__}({', '.join(shown)})"
