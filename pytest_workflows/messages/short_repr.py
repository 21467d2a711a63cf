"""Short `repr`: values in messages, which can always be shown and do not fill the terminal."""

from __future__ import annotations

from pathlib import Path

_LONGEST = 200
_MOST_DIGITS = 40


def shown(value: object) -> str:
    """The repr of a value, cut in its middle where it is long; of one that has none, its type."""
    if type(value) is int and value.bit_length() > 4 * _MOST_DIGITS:
        return f"a whole number of {_digits(value)} digits"
    try:
        text = repr(value)
    except Exception as error:  # a repr of the user's, or one that is nested too deep
        return f"<{type(value).__name__}, whose repr raised {type(error).__name__}>"
    return _cut(text)


def shown_path(path: Path | str) -> str:
    """A path, cut in its middle where it is long, with what cannot be printed escaped."""
    text = str(path)
    return _cut(text if text.isprintable() else repr(text)[1:-1])


def brief(text: str) -> str:
    """Words of somebody else, such as a parser's error, cut in their middle where they are long."""
    return _cut(" ".join(text.split()))


def _cut(text: str) -> str:
    # Nothing that a terminal or a file could not take.
    text = text.encode("utf-8", "backslashreplace").decode()
    half = _LONGEST // 2 - 2
    return text if len(text) <= _LONGEST else f"{text[:half]}...{text[-half:]}"


def _digits(value: int) -> int:
    # Not by its text: Python refuses to write a number of many thousand digits.
    return int(value.bit_length() * 0.30103) + 1
