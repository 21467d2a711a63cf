"""The changes that a test can make: each is a small class of its own."""

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
    return cls(**{name: VALUES[name] for name in cls.__struct_fields__})


@made
def test_a_change_cannot_be_changed(cls):
    for name in cls.__struct_fields__:
        with pytest.raises(AttributeError, match="immutable"):
            setattr(make(cls), name, None)


@made
def test_the_step_and_the_number_that_a_change_names_are_found(cls):
    names = set(cls.__struct_fields__)

    assert changes.selector_of(make(cls)) == (VALUES["selector"] if "selector" in names else None)
    assert changes.times_of(make(cls)) == (3 if "times" in names else None)


def test_each_kind_that_recordings_know_is_that_of_a_change():
    assert {cls.kind for cls in get_args(changes.Change)} == set(get_args(changes.ChangeKind))
