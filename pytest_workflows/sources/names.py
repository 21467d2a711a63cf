"""A step's name as the source writes it: a text, or a pattern where parts of it are known only when it runs."""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping

import msgspec

_ANY = r"[\s\S]*"
_NUMBERS = re.compile(r"\b[0-9a-fA-F]{8,}(?:-[0-9a-fA-F]{4,})*\b|\d+(?:\.\d+)*")
_FORMAT_FIELD = re.compile(r"\{[^{}]*\}|%(?:\([^)]*\))?[-#0-9.+ ]*[a-zA-Z]")


class StepName(msgspec.Struct, frozen=True):
    """A step's name in the source.

    Attributes:
        text: As people read it: `upload {file}`.
        pattern: The regular expression that its names match whole; None where the text is the name.
        known: How many characters of it are known; of two patterns that match, the one that knows more is meant.
    """

    text: str
    pattern: str | None = None
    known: int = 0

    def matches(self, name: str) -> bool:
        """Whether a step of that name may come from here."""
        return self.text == name if self.pattern is None else re.fullmatch(self.pattern, name) is not None


def family(name: str) -> str:
    """A name with its numbers and ids left open: where the source does not, `box 1` and `box 2` are one step."""
    return _NUMBERS.sub("{...}", name)


def read_name(node: ast.expr, constants: Mapping[str, str]) -> StepName:
    """The name that an expression gives.

    Args:
        node: The first argument of `step.do`, `step.sleep` or another one.
        constants: Texts that the module, the class or the function gives names to.
    """
    parts = _merge(_parts(node, constants))
    if all(known for known, _ in parts):
        return StepName("".join(text for _, text in parts))
    return StepName(
        text="".join(text if known else f"{{{text}}}" for known, text in parts),
        pattern="".join(re.escape(text) if known else _ANY for known, text in parts),
        known=sum(len(text) for known, text in parts if known),
    )


Part = tuple[bool, str]
"""Whether this part of a name is known, and its text or expression."""


def _parts(node: ast.expr, constants: Mapping[str, str]) -> list[Part]:
    match node:
        case ast.Constant(value=str(text)):
            return [(True, text)]
        case ast.JoinedStr(values=values):
            return [part for value in values for part in _parts(value, constants)]
        case ast.FormattedValue(value=value, conversion=-1, format_spec=None):
            return _parts(value, constants)
        case ast.FormattedValue(value=value):
            return [(False, ast.unparse(value))]
        case ast.BinOp(op=ast.Add(), left=left, right=right):
            parts = [*_parts(left, constants), *_parts(right, constants)]
            if any(known for known, _ in parts):  # two texts, not two numbers
                return parts
        case ast.BinOp(op=ast.Mod(), left=ast.Constant(value=str(text))):
            return _template(text)
        case ast.Call(func=ast.Attribute(value=ast.Constant(value=str(text)), attr="format")):
            return _template(text)
    written = ast.unparse(node)
    return [(True, constants[written])] if written in constants else [(False, written)]


def _template(text: str) -> list[Part]:
    parts: list[Part] = []
    at = 0
    for field in _FORMAT_FIELD.finditer(text):
        parts += [(True, text[at : field.start()]), (False, field.group().strip("{}") or "...")]
        at = field.end()
    return [*parts, (True, text[at:])]


def _merge(parts: list[Part]) -> list[Part]:
    merged: list[Part] = []
    for known, text in parts:
        if known and merged and merged[-1][0]:
            merged[-1] = (True, merged[-1][1] + text)
        elif text or not known:
            merged.append((known, text))
    return merged or [(True, "")]
