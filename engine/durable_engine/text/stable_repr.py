"""Stable `repr`: values as text that is the same on every machine and in every process.

The text is safe to print, too: what would steer a terminal is shown as code writes it.
"""

from __future__ import annotations

import unicodedata
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


def printable(text: str) -> str:
    """A text in which every character that steers a terminal, or hides in it, stands as code writes it.

    Escapes are control characters, those for the direction of writing, line separators, lone surrogates and other
    characters that nobody sees. Newlines and tabs stay, and so does what joins the parts of a letter or an emoji.
    """
    if text.isprintable():
        return text
    return "".join(map(_printable, text))


def _printable(letter: str) -> str:
    if letter in _KEPT or unicodedata.category(letter) not in _STEERING:
        return letter
    return letter.encode("unicode_escape").decode()


_KEPT = frozenset("\n\t\u200c\u200d")
_STEERING = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})


class Shown:
    """A record whose `repr` is the same everywhere, and is the code that makes it."""

    __slots__ = ()

    def __repr__(self) -> str:
        assert is_dataclass(self)
        shown = (f"{field.name}={show(getattr(self, field.name))}" for field in fields(self))
        return f"{type(self).__name__}({', '.join(shown)})"
