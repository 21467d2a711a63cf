"""What an instance in flight comes to is held against both sources, part for part."""

import pytest

from durable_engine import StepKey
from pytest_workflows.exploration.clock_values import Window
from pytest_workflows.exploration.source_run import InstanceEnd, SourceCall
from pytest_workflows.exploration.upgrade_comparison import (
    call_difference,
    end_difference,
    is_mixed,
    state_difference,
)
from pytest_workflows.standins.stores import Row

WINDOW = Window(1_767_225_600_000, 1_767_312_000_000)  # the first of January 2026
FIRST, SECOND = StepKey("do", "first", 1), StepKey("do", "second", 1)


class Odd:
    def __eq__(self, other):
        raise ValueError

    __hash__ = None


@pytest.mark.parametrize(
    ("now", "today", "old", "mixed"),
    [
        (1, 1, 2, True),
        (2, 1, 2, True),
        (3, 1, 2, False),
        (True, 1, 1, False),
        ([1, "b"], [1, "a"], [2, "b"], True),
        ([1, "c"], [1, "a"], [2, "b"], False),
        ([1], [1, 2], [3], True),
        ([3, 2], [1, 2], [3], True),
        ([1, 2, 3], [1, 2], [3], False),
        ({"a": 1, "b": 2}, {"a": 1, "b": 0}, {"a": 0, "b": 2}, True),
        ({"a": 1}, {"a": 1, "new": 1}, {"a": 0}, True),
        ({"new": 1}, {"a": 1, "new": 1}, {"a": 0}, False),
        ({"a": 1, "b": 1}, {"a": 1}, {"a": 0}, False),
        (Odd(), Odd(), Odd(), True),
    ],
)
def test_a_value_may_be_of_either_source_in_each_of_its_parts(now, today, old, mixed):
    assert is_mixed(now, today, old) is mixed


def complete(output=None, *calls):
    return InstanceEnd("complete", output, calls=list(calls))


ERRORED = InstanceEnd("errored", error=("Error", "KeyError: 'id'"))


@pytest.mark.parametrize(
    ("now", "today", "old", "said"),
    [
        (complete(1), complete(1), None, None),
        (complete(2), complete(1), None, "is complete with 2 in the end, and complete with 1 where today's source"),
        (complete(2), complete(1), complete(2), None),
        (ERRORED, complete(1), complete(1), "is errored with Error: KeyError: 'id' in the end, and complete with 1"),
        (ERRORED, complete(1), ERRORED, None),
        (InstanceEnd("waiting"), complete(1), complete(1), "is waiting in the end, and complete with 1 where"),
        (complete(1_767_225_603), complete(1_767_225_602), complete(1_767_225_601), None),
        (complete(3_767_225_603), complete(1_767_225_602), complete(1_767_225_601), "is complete with 3767225603 in"),
        (complete(1), complete(True), complete(True), "is complete with 1 in the end, and complete with True where"),
    ],
)
def test_an_end_is_that_of_one_of_the_sources(now, today, old, said):
    found = end_difference(now, today, old, WINDOW)

    assert (found is None) == (said is None)
    assert said is None or found.startswith(said)


def call(step, *args, service="BANK", method="charge", harmless=False):
    return SourceCall(service, method, args, ("src/entry.py", 1), step, 1, is_harmless=harmless)


@pytest.mark.parametrize(
    ("now", "today", "old", "said"),
    [
        ([call(FIRST, 5)], [call(FIRST, 5)], [call(FIRST, 5)], None),
        ([call(FIRST, 5), call(SECOND, 5)], [call(SECOND, 5)], [call(FIRST, 5)], "BANK.charge(5) 2 times, and once on"),
        ([call(FIRST, 5), call(SECOND, 6)], [call(SECOND, 6)], [call(FIRST, 5)], "BANK.charge(5) 2 times, and once on"),
        ([], [call(FIRST, 5)], [call(SECOND, 5)], "BANK.charge(5) never, and once on each source alone"),
        ([], [call(FIRST, 5)], [], None),
        ([], [call(FIRST, 5)], None, "BANK.charge(5) never, and once on each source alone"),
        ([call(FIRST, 12)], [call(FIRST, 1200)], [call(FIRST, 1201)], "BANK.charge(12), with values that neither"),
        ([call(FIRST, {"a": 1, "b": 2})], [call(FIRST, {"a": 1, "b": 1})], [call(FIRST, {"a": 2, "b": 2})], None),
        (
            [call(FIRST, "k", harmless=True), call(SECOND, "k", harmless=True)],
            [call(SECOND, "k", harmless=True)],
            [call(FIRST, "k", harmless=True)],
            None,
        ),
        (
            [call(FIRST, "at 2026-01-01T03:00:00Z")],
            [call(FIRST, "at 2026-01-01T02:00:00Z")],
            [call(FIRST, "at 2026-01-01T01:00:00Z")],
            None,
        ),
    ],
)
def test_calls_are_counted_over_both_sources(now, today, old, said):
    before = None if old is None else complete(None, *old)

    found = call_difference(complete(None, *now), complete(None, *today), before, WINDOW)

    assert (found is None) == (said is None)
    assert said is None or found[0].startswith(f"calls {said}")


def row(**columns):
    return Row(columns.items())


def stores(*rows, **keys):
    counted = {}
    for one in rows:
        counted[one] = counted.get(one, 0) + 1
    return {("DB",): {"orders": counted}, ("CACHE",): {"": keys}}


@pytest.mark.parametrize(
    ("now", "today", "old", "said"),
    [
        (stores(row(id=1)), stores(row(id=1)), stores(row(id=1)), None),
        (stores(row(id=1), row(id=1)), stores(row(id=1)), stores(row(id=1)), "DB.orders has the row (id=1) 2 times"),
        (stores(row(id=2)), stores(row(id=1)), stores(), "DB.orders has the row (id=2) once, and never on one source"),
        (stores(), stores(row(id=1)), stores(row(id=1)), "DB.orders has the row (id=1) never, and once on each source"),
        (stores(), stores(row(id=1)), stores(), None),
        (stores(row(a=1, b=2)), stores(row(a=1, b=1)), stores(row(a=2, b=2)), None),
        (stores(row(a=3, b=2)), stores(row(a=1, b=1)), stores(row(a=2, b=2)), "DB.orders has the row (a=3, b=2) once"),
        (stores(row(a=1, new=None)), stores(row(a=1, new="x")), stores(row(a=1)), None),
        (stores(k=1), stores(k=2), stores(k=1), None),
        (stores(k=3), stores(k=2), stores(k=1), "CACHE has the key 'k' with 3, as neither source alone leaves it"),
        (stores(), stores(k=2), stores(k=1), "CACHE lacks the key 'k', which each source alone leaves"),
        (stores(), stores(k=2), stores(), None),
    ],
)
def test_stores_hold_what_one_of_the_sources_leaves(now, today, old, said):
    found = state_difference(now, today, old, [], WINDOW)

    assert (found is None) == (said is None)
    assert said is None or found.startswith(said)


def test_stores_that_may_differ_are_left_out_and_a_binding_may_be_renamed():
    assert state_difference(stores(k=3), stores(k=2), stores(k=1), ["CACHE"], WINDOW) is None
    now, today, old = ({names: {"": {"k": 1}}} for names in (("KV", "OLD_KV"), ("KV",), ("OLD_KV",)))
    assert state_difference(now, today, old, [], WINDOW) is None
    assert state_difference({("KV", "OLD_KV"): {"": {"k": 2}}}, today, old, [], WINDOW) is not None
