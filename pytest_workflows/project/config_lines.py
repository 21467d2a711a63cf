"""Lines of keys and values in a configuration, which its parsers do not give."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cached_property

TOML_TOKEN = re.compile(r'"""(?:\\.|[^\\])*?"""|\'\'\'.*?\'\'\'|"(?:\\.|[^"\\\n])*"|\'[^\'\n]*\'|#[^\n]*', re.DOTALL)
"""A text or a comment of TOML."""
_BRACKET_OR_TEXT = re.compile(r"""[][{}]|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'""")


class Lines:
    """The lines of one file.

    Args:
        source: The file's text, comments blanked.
        environment: Which environment of it holds.
        is_toml: Whether it is TOML, where keys stand without quotes.
    """

    def __init__(self, source: str, environment: str | None, *, is_toml: bool) -> None:
        self._source = source
        self._environment = environment
        self._is_toml = is_toml

    def line_of(self, *texts: str | int) -> int:
        """The line of the last of these keys and values, each searched for behind the one before; 1 without any.

        A number is an entry of the list before it, and what follows it is searched for in that entry. What the chosen
        environment has itself comes before what it inherits.
        """
        if self._environment is not None:
            line = self._line(("env", self._environment, *texts))
            if line is not None:
                return line
        found = (self._line(texts[:end]) for end in range(len(texts), 0, -1))
        return next((line for line in found if line is not None), 1)

    def line_matching(self, pattern: re.Pattern[str]) -> int:
        """The line of the first text that matches; 1 where none does."""
        found = pattern.search(self._source)
        return 1 if found is None else self._source.count("\n", 0, found.start()) + 1

    def _line(self, texts: tuple[str | int, ...]) -> int | None:
        start = end = 0
        limit = len(self._source)
        for place, text in enumerate(texts):
            if isinstance(text, int):
                entries = self._entries(texts[:place], end)
                if text >= len(entries):
                    return None
                start, limit = entries[text]
                end = start
                continue
            found = self._find(text, end, limit)
            if found is None:
                return None
            start, end = found.span()
        return self._source.count("\n", 0, start) + 1

    def _find(self, text: str, start: int, end: int) -> re.Match[str] | None:
        """A key or a value of that text: in quotes, or in TOML as a word outside of quotes."""
        quoted = re.compile(rf"""["']{re.escape(text)}["']""").search(self._source, start, end)
        if not self._is_toml:
            return quoted
        bare = re.compile(rf"(?<![\w-]){re.escape(text)}(?![\w-])").search(self._outside_quotes, start, end)
        return min(
            (found for found in (quoted, bare) if found is not None), key=lambda found: found.start(), default=None
        )

    @cached_property
    def _outside_quotes(self) -> str:
        """The source of TOML with quoted texts blanked."""
        return TOML_TOKEN.sub(lambda token: re.sub(r"[^\n]", " ", token[0]), self._source)

    def _entries(self, path: tuple[str | int, ...], behind: int) -> list[tuple[int, int]]:
        """The begins and ends of the entries of a list, whose key ends at `behind`."""
        header = r"\s*\.\s*".join(re.escape(str(text)) for text in path)
        form = re.compile(rf"^[^\S\n]*(\[\[\s*{header}\s*\]\])", re.MULTILINE)
        headers = [found.start(1) for found in form.finditer(self._source)]
        if self._is_toml and headers:
            return list(zip(headers, [*headers[1:], len(self._source)], strict=True))
        opened = re.compile(r"\s*[:=]\s*\[").match(self._source, behind)
        return [] if opened is None else list(_tables(self._source, opened.end()))


def _tables(source: str, start: int) -> Iterator[tuple[int, int]]:
    """The begins and ends of the tables of a list, in JSON or in TOML; the list begins at `start`."""
    depth = began = 0
    for token in _BRACKET_OR_TEXT.finditer(source, start):
        if token[0] in ("{", "["):
            began = token.start() if depth == 0 else began
            depth += 1
        elif token[0] in ("}", "]"):
            depth -= 1
            if depth < 0:
                return
            if depth == 0:
                yield began, token.end()
