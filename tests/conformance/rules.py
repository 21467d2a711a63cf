"""Marks a test as the proof of one rule of the platform, for the table that is generated from these tests."""

from collections.abc import Callable
from typing import NamedTuple, TypeVar

F = TypeVar("F", bound=Callable[..., object])


class Rule(NamedTuple):
    """What the platform does, and whether we do the same."""

    section: str
    text: str
    same: bool
    why: str | None


def rule(section: str, text: str, same: bool = True, why: str | None = None) -> Callable[[F], F]:
    """Record on the test which rule it proves; `why` is given where we differ on purpose, and only there."""
    assert same == (why is None), "a difference has its reason, and a rule that we share needs none"

    def mark(test: F) -> F:
        test.rule = Rule(section, text, same, why)  # type: ignore[attr-defined]
        return test

    return mark
