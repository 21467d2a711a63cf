"""The changes that a test can make: each is a small class of its own."""

import dataclasses
from typing import get_args

import pytest

from durable_engine import FaultPoint, Selector, changes

VALUES = {
    "selector": Selector("charge", 2),
    "result": b"\x01",
    "function": print,
    "error": OSError("no"),
    "outcomes": [1],
    "times": 3,
    "event_type": "paid",
    "payload": b"\x02",
    "after": 1000,
    "point": FaultPoint.parse("end"),
}
made = pytest.mark.parametrize("cls", get_args(changes.Change), ids=lambda cls: cls.__name__)


def make(cls):
    return cls(**{one.name: VALUES[one.name] for one in dataclasses.fields(cls)})


@made
def test_a_change_cannot_be_changed(cls):
    for one in dataclasses.fields(cls):
        with pytest.raises(dataclasses.FrozenInstanceError):
            setattr(make(cls), one.name, None)


@made
def test_the_step_and_the_number_that_a_change_names_are_found(cls):
    names = {one.name for one in dataclasses.fields(cls)}

    assert changes.selector_of(make(cls)) == (VALUES["selector"] if "selector" in names else None)
    assert changes.times_of(make(cls)) == (3 if "times" in names else None)


def test_each_kind_that_recordings_know_is_that_of_a_change():
    assert {cls.kind for cls in get_args(changes.Change)} == set(get_args(changes.ChangeKind))
