"""A text of SQL, cut into its statements as the platform cuts it."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

_TOKEN = re.compile(
    r"""
      (?P<space>\s+|--[^\n]*|/\*.*?(?:\*/|\Z))
    | (?P<string>'(?:''|[^'])*'|[xX]'[^']*')
    | (?P<quoted>"(?:""|[^"])*"|`(?:``|[^`])*`|\[[^\]]*\])
    | (?P<variable>\?\d*|[:@$][\w:$]+)
    | (?P<word>[^\W\d]\w*|[\w$]+)
    | (?P<other>.)
    """,
    re.VERBOSE | re.DOTALL,
)
_SPACE = re.compile(r"[ \t\n\r\v\f]*")
_QUERIES = frozenset(["select", "values", "explain", "pragma"])
_CHANGES = frozenset(["insert", "update", "delete", "replace", "with"])
_ORDINARY = frozenset(["select", "values"]) | _CHANGES
_OF_ITS_OWN = frozenset({"pragma", "vacuum"})
"""Statements that mean something else outside of a transaction, where the platform never has one."""


@dataclass(frozen=True, slots=True)
class Token:
    """A token that is no space.

    Attributes:
        kind: `string`, `quoted`, `variable`, `word` or `other`.
        text: Its text, as written.
        start: Where it begins.
    """

    kind: str
    text: str
    start: int

    @property
    def name(self) -> str:
        """The name that it spells, without quotes."""
        if self.kind != "quoted":
            return self.text
        quote = self.text[-1]
        return self.text[1:-1].replace(quote * 2, quote)


def quoted(name: str) -> str:
    """A name in quotes, whatever it has in it."""
    return '"' + name.replace('"', '""') + '"'


def tokens(sql: str) -> list[Token]:
    """The tokens of a text, without spaces and comments."""
    return list(_tokens_from(sql, 0))


def _tokens_from(sql: str, start: int) -> Iterator[Token]:
    for found in _TOKEN.finditer(sql, start):
        if found.lastgroup is not None and found.lastgroup != "space":
            yield Token(found.lastgroup, found.group(), found.start())


@dataclass(frozen=True, slots=True)
class Script:
    """A text of SQL, cut.

    Attributes:
        prelude: The statements before the last one, which run without parameters.
        last: The last statement: the one that gets the parameters and gives the result; `""` where a comment or a
            semicolon follows the last statement, or there is none at all.
        is_simple: Whether it is one statement that means the same outside of a transaction.
        has_query_in_prelude: Whether a statement before the last one gives rows, as far as its first word says.
        is_ordinary: Whether it is one statement that reads or changes rows, as far as its first word says.
        is_change: Whether the last statement changes rows, as far as its first word says.
    """

    prelude: tuple[str, ...]
    last: str
    is_simple: bool
    has_query_in_prelude: bool
    is_ordinary: bool
    is_change: bool


@lru_cache(maxsize=2048)
def script(sql: str) -> Script:
    """Cut a text into its statements.

    Args:
        sql: The text.
    """
    parts = [part for _, part in split(sql)]
    words = [first_word(part) for part in parts]
    last = parts.pop()
    return Script(
        tuple(parts),
        _positional(last) if words[-1] else "",
        len(words) == 1 and words[0] != "" and words[0] not in _OF_ITS_OWN and "rollback" not in last.lower(),
        not _QUERIES.isdisjoint(words[:-1]),
        len(words) == 1 and words[0] in _ORDINARY,
        words[-1] in _CHANGES,
    )


def split(sql: str) -> list[tuple[int, str]]:
    """The statements of a text, each with its semicolon, and where it begins; the last one may be a comment only.

    Args:
        sql: The text.
    """
    parts: list[tuple[int, str]] = []
    start = 0
    while True:
        end = _end_of_statement(sql, start)
        parts.append((start, sql[start:end]))
        following = _SPACE.match(sql, end)
        assert following is not None
        start = following.end()
        if start == len(sql):
            return parts


def _end_of_statement(sql: str, start: int) -> int:
    """Where the statement that begins at `start` ends, with its semicolon; a trigger's has others in it."""
    if sql.find(";", start) >= 0:
        for token in _tokens_from(sql, start):
            if token.text == ";":
                end = token.start + 1
                if sqlite3.complete_statement(sql[start:end]):
                    return end
    return len(sql)


def first_word(statement: str) -> str:
    """A statement's first word, in lower case; `""` where it has none.

    Args:
        statement: The statement; a comment may stand before it.
    """
    word = _TOKEN.match(statement, begin(statement))
    return "" if word is None or word.group() == ";" else word.group().lower()


def begin(statement: str) -> int:
    """Where a statement begins, after spaces and comments.

    Args:
        statement: The statement.
    """
    end = 0
    while (found := _TOKEN.match(statement, end)) is not None and found.lastgroup == "space":
        end = found.end()
    return end


def _positional(statement: str) -> str:
    """A statement with `?1` for its first named parameter, and so on: `sqlite3` binds no sequence to names."""
    if not any(sign in statement for sign in ":@$"):
        return statement
    names: dict[str, int] = {}
    highest = 0
    made: list[str] = []
    end = 0
    for token in tokens(statement):
        if token.kind != "variable":
            continue
        if token.text == "?":
            highest += 1
            number = highest
        elif token.text[0] == "?":
            number = int(token.text[1:])
            highest = max(highest, number)
        else:
            if token.text not in names:
                highest += 1
                names[token.text] = highest
            number = names[token.text]
        made += [statement[end : token.start], f"?{number}"]
        end = token.start + len(token.text)
    return "".join([*made, statement[end:]]) if names else statement
