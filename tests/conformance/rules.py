"""Marks a test as the proof of one rule of the platform, for the table that is generated from these tests."""

from collections.abc import Callable
from typing import NamedTuple, TypeVar

F = TypeVar("F", bound=Callable[..., object])

OLDER = "August 2026"
NEWEST = "November 2026"
BOTH = "both"
DOCUMENTED = "documented"


class Rule(NamedTuple):
    """What the platform does, whether we do the same, and which engine it was seen on."""

    section: str
    text: str
    same: bool
    why: str | None
    seen: str


def rule(section: str, text: str, same: bool = True, why: str | None = None, seen: str = OLDER) -> Callable[[F], F]:
    """Record on the test which rule it proves.

    Args:
        section: The part of the engine that it is of.
        text: The rule.
        same: Whether it holds here.
        why: Why not: where we differ on purpose, and only there.
        seen: The engine that it was seen on, as docs/reference/fidelity.md names them; `DOCUMENTED` for what was not.
    """
    assert same == (why is None), "a difference has its reason, and a rule that we share needs none"
    assert seen in (OLDER, NEWEST, BOTH, DOCUMENTED)

    def mark(test: F) -> F:
        test.rule = Rule(section, text, same, why, seen)  # type: ignore[attr-defined]
        return test

    return mark
