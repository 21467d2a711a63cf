"""The judgement of a changed source, as sequences of steps."""

from math import inf
from typing import Any

import pytest

from durable_engine import StepKey
from pytest_workflows.exploration.judgement import BegunStep, Judgement


def key(text: str) -> StepKey:
    """`charge` is a `do`, `z:nap:5` a sleep of five milliseconds, `w:paid` a wait for an event."""
    kind, _, name = text.rpartition(":") if text[1:2] != ":" else text.partition(":")
    if kind == "z":
        name, _, duration = name.partition(":")
        return StepKey("sleep", name, 1, int(duration))
    return StepKey("wait_for_event" if kind == "w" else "do", name, 1)


def judge(old: str, new: str) -> Any:
    """What is found: `+` behind a step of the old source says that it is open; `|` joins what runs at the same time."""
    begun = [
        BegunStep(key(name.rstrip("+")), moment, inf if name.endswith("+") else moment + 0.5)
        for moment, group in enumerate(old.split())
        for name in group.split("|")
    ]
    judgement, answered = Judgement(begun), []
    for group in new.split():
        names = [key(name) for name in group.split("|")]
        for name in names:
            found = judgement.ask(name, answered)
            if found is not None:
                return found.kind, found.old.name, found.new and found.new.name
        answered += [name for name in names if name in judgement.new]
    found = judgement.finish()
    return found and (found.kind, found.old.name, found.new and found.new.name)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("charge z:nap:5 ship", "charge z:nap:5 ship"),
        ("charge z:nap:5 ship", "charge z:nap:5 ship notify"),
        ("charge z:nap:5 ship", "charge z:nap:5 ship z:more:9 w:paid"),
        ("", "charge ship"),
        ("charge z:nap:5+", "charge check z:nap:5"),
        ("charge w:paid+", "charge check w:paid"),
        ("a|b", "b|a"),
        ("a|b", "a|c|b d"),
    ],
)
def test_equal_effects_on_another_path_are_no_difference(old, new):
    assert judge(old, new) is None


@pytest.mark.parametrize(
    ("old", "new", "found"),
    [
        ("charge z:nap:5+", "pay z:nap:5", ("renamed", "charge", "pay")),
        ("charge", "pay", ("renamed", "charge", "pay")),
        ("charge+", "pay", ("renamed", "charge", "pay")),
        ("charge", "validate recharge", ("renamed", "charge", "recharge")),
        ("charge", "z:charged:5 pay", ("renamed", "charge", "pay")),
        ("charge z:nap:5+", "charge z:nap:6", ("changed sleep", "nap", "nap")),
        ("charge z:nap:5+", "charge z:rest:5", ("renamed", "nap", "rest")),
        ("charge z:nap:5+", "charge", ("lost", "nap", None)),
        ("charge", "", ("lost", "charge", None)),
        ("w:paid", "charge", ("lost", "paid", "charge")),
        ("a b", "b a", ("reordered", "a", "b")),
        ("a|b c", "b c", ("reordered", "a", "c")),
        ("charge z:nap:5 ship", "charge check z:nap:5 ship", ("late", "ship", "check")),
        ("charge", "z:nap:5 charge", ("late", "charge", "nap")),
        ("charge+", "check charge", ("late", "charge", "check")),
    ],
)
def test_an_effect_that_comes_twice_or_at_another_time_is_found(old, new, found):
    assert judge(old, new) == found
