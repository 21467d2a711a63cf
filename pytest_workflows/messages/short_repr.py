"""Values, paths and texts of others in messages: all can be shown, steer no terminal, and do not fill it.

The engine writes values and escapes texts, for its own messages as well; what a message has room for is decided here.
"""

from __future__ import annotations

from pathlib import Path

_LONGEST = 200
_MOST_DIGITS = 40
_KINDS = {dict: "a table", list: "a list", str: "a text", bool: "true or false", int: "a number", float: "a number"}
_JSON_WORDS: dict[object, str] = {None: "null", True: "true", False: "false"}


def shown(value: object) -> str:
    """A value as code has it, cut in its middle where it is long; of one that has no such form, its type."""
    if type(value) is int and value.bit_length() > 4 * _MOST_DIGITS:
        return f"a whole number of {_digits(value)} digits"
    from durable_engine import show

    try:
        text = show(value)
    except Exception as error:  # a repr of the user's, or one that is nested too deep
        return f"<{type(value).__name__}, whose repr raised {type(error).__name__}>"
    return _cut_middle(printable(text))


def shown_setting(value: object) -> str:
    """A value of a configuration, in the words of JSON and TOML."""
    return _JSON_WORDS[value] if value is None or isinstance(value, bool) else shown(value)


def kind_of(value: object) -> str:
    """What kind of value of a configuration that is, and the value: "a list ([1])"."""
    return "null" if value is None else f"{_KINDS.get(type(value), type(value).__name__)} ({shown(value)})"


def shown_path(path: Path | str) -> str:
    """A path, cut in its middle where it is long, with what cannot be printed escaped."""
    text = str(path)
    return _cut_middle(text if text.isprintable() else repr(text)[1:-1])


def counted(number: int, what: str) -> str:
    """A count in words: `1 place`, `303 instances`."""
    return f"{number} {what}{'' if number == 1 else 's'}"


def brief(text: str) -> str:
    """Words of somebody else, such as a parser's error, on one line, cut in their middle where they are long."""
    return _cut_middle(printable(one_line(text)))


def one_line(text: str) -> str:
    """A text on one line, with single spaces."""
    return " ".join(text.split())


def last_line(text: str) -> str:
    """The last line of a text that is not blank; empty where there is none."""
    lines = text.strip().splitlines()
    return lines[-1].strip() if lines else ""


def cut(text: str, width: int, mark: str = "...") -> str:
    """A text, cut at its end where it is longer than a width, with a mark that says so."""
    return text if len(text) <= width else f"{text[: width - len(mark)]}{mark}"


def printable(text: str) -> str:
    """A text with what would steer a terminal, or hide in it, as code writes that."""
    if text.isprintable():
        return text
    from durable_engine import printable as escaped

    return escaped(text)


def _cut_middle(text: str) -> str:
    half = _LONGEST // 2 - 2
    return text if len(text) <= _LONGEST else f"{text[:half]}...{text[-half:]}"


def _digits(value: int) -> int:
    # Not by its text: Python refuses to write a number of many thousand digits.
    return int(value.bit_length() * 0.30103) + 1
