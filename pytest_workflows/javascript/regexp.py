"""JavaScript's `RegExp`, over Python's `re`: what both write alike, and named groups."""

from __future__ import annotations

import re
from typing import Any

from durable_engine import jsnull

from .convert import is_missing
from .objects import JsArray, JsObject, JsPlain, js_error, js_text

_FLAGS = {"i": re.IGNORECASE, "m": re.MULTILINE, "s": re.DOTALL}
_ALL_FLAGS = "dgimsuvy"


class RegExp(JsObject):
    """A regular expression.

    Args:
        pattern: The pattern, or an expression to copy.
        flags: Of `dgimsuvy`.

    Raises:
        JsException: A SyntaxError: the pattern is none, or Python's `re` cannot read it.
    """

    _source: str
    _flags: str

    def __init__(self, pattern: Any = "(?:)", flags: Any = None) -> None:
        source = pattern._source if isinstance(pattern, RegExp) else js_text(pattern)
        given = pattern._flags if isinstance(pattern, RegExp) and is_missing(flags) else flags
        self._source = source or "(?:)"
        self._flags = "" if is_missing(given) else "".join(sorted(js_text(given)))
        if any(flag not in _ALL_FLAGS for flag in self._flags) or len(set(self._flags)) < len(self._flags):
            raise js_error("SyntaxError", f"Invalid flags supplied to RegExp constructor '{self._flags}'")
        options = 0 if "u" in self._flags else re.ASCII
        for flag, value in _FLAGS.items():
            options |= value if flag in self._flags else 0
        try:
            self._compiled = re.compile(_pythons(self._source), options)
        except re.error as error:
            raise js_error(
                "SyntaxError", f"Invalid regular expression: /{self._source}/{self._flags}: {error}"
            ) from None
        self.lastIndex = 0

    @property
    def source(self) -> str:
        """The pattern."""
        return self._source

    @property
    def flags(self) -> str:
        """The flags."""
        return self._flags

    @property
    def global_(self) -> bool:
        """Whether the flag `g` is set (JavaScript's `global`)."""
        return "g" in self._flags

    def test(self, text: Any = None) -> bool:
        """Whether it is found in a text."""
        return self._search(js_text(text)) is not None

    def exec(self, text: Any = None) -> Any:
        """Where it is found in a text: an array of the match and its groups; null where it is not."""
        given = js_text(text)
        found = self._search(given)
        if found is None:
            return jsnull
        made = JsArray([found[0], *found.groups()])
        made.index, made.input = found.start(), given  # type: ignore[attr-defined]
        made.groups = JsPlain(found.groupdict()) if found.groupdict() else None  # type: ignore[attr-defined]
        return made

    def _search(self, text: str) -> re.Match[str] | None:
        goes_on = "g" in self._flags or "y" in self._flags
        start = self.lastIndex if goes_on else 0
        found = self._compiled.match(text, start) if "y" in self._flags else self._compiled.search(text, start)
        if goes_on:
            self.lastIndex = found.end() if found is not None else 0
        return found

    def toString(self) -> str:
        """The expression as JavaScript writes it."""
        return f"/{self._source}/{self._flags}"

    def _text(self) -> str:
        return f"/{self._source}/{self._flags}"


def _pythons(pattern: str) -> str:
    pattern = re.sub(r"\(\?<(?![=!])", "(?P<", pattern)
    pattern = re.sub(r"\\k<(\w+)>", r"(?P=\1)", pattern)
    pattern = re.sub(r"\\u\{([0-9a-fA-F]+)\}", lambda found: re.escape(chr(int(found[1], 16))), pattern)
    return pattern.replace(r"\/", "/").replace(r"\d", "[0-9]") if "[" not in pattern else pattern.replace(r"\/", "/")
