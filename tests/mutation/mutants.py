"""Engines that are broken on purpose: each mutant breaks one thing, for as long as `broken` is entered.

Each mutant is a mistake that an engine like this one could have. The tests beside this file show that the tests of the
examples notice each.
"""

import contextlib
import functools
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from durable_engine.execution.do import DoOperation
from durable_engine.execution.execution import Execution
from durable_engine.execution.sleep import SleepOperation
from durable_engine.execution.step import Step
from durable_engine.execution.step_ledger import StepLedger
from durable_engine.execution.wait_for_event import EventOperation
from durable_engine.lifecycle import Lifecycle
from durable_engine.storage.store import Store
from durable_engine.values.failures import ErrorInfo

MUTANTS: dict[str, Callable[[], None]] = {}
_patch = pytest.MonkeyPatch()


def mutant(function: Callable[[], None]) -> Callable[[], None]:
    MUTANTS[function.__name__] = function
    return function


def replace(owner: type, name: str, changed: Callable[..., Any]) -> None:
    """Put `changed(original, self, *arguments)` in a method's place."""
    original = getattr(owner, name)
    _patch.setattr(owner, name, functools.wraps(original)(lambda *arguments: changed(original, *arguments)))


@contextlib.contextmanager
def broken(mutant: str) -> Iterator[None]:
    """The engine makes this mistake."""
    try:
        MUTANTS[mutant]()
        yield
    finally:
        _patch.undo()


# -- what is stored ----------------------------------------------------------------------------------------------------


@mutant
def forgets_to_store_a_result() -> None:
    def record(original, self, key, events, row=None):
        is_done = row is not None and row.key.kind == "do" and row.status == "complete"
        original(self, key, events, None if is_done else row)

    replace(Store, "record", record)


@mutant
def forgets_a_stored_failure() -> None:
    def steps(original, self, key):
        return [row for row in original(self, key) if row.status != "errored"]

    replace(Store, "steps", steps)


@mutant
def forgets_how_often_an_attempt_has_failed() -> None:
    def steps(original, self, key):
        rows = original(self, key)
        for row in rows:
            row.failures = 0
        return rows

    replace(Store, "steps", steps)


@mutant
def a_restart_keeps_what_was_stored() -> None:
    replace(Store, "forget_steps", lambda original, self, *arguments: None)


# -- which step is which -----------------------------------------------------------------------------------------------


@mutant
def runs_a_finished_step_again() -> None:
    def remembered(original, self, key):
        return None if key.kind == "do" else original(self, key)

    replace(Execution, "remembered", remembered)


@mutant
def knows_steps_by_their_name_alone() -> None:
    def count(original, self, kind, name):
        return original(self, kind, name)._replace(count=1)

    replace(StepLedger, "count", count)


@mutant
def runs_a_dependency_for_each_step_that_needs_it() -> None:
    async def value_of(original, self, decorated):
        return await decorated()

    replace(Step, "_value_of", value_of)


# -- events ------------------------------------------------------------------------------------------------------------


@mutant
def delivers_an_event_twice() -> None:
    def take_event(original, self, key, event_type):
        return next((event for event in self.events(key) if event.type == event_type), None)

    replace(Store, "take_event", take_event)


@mutant
def delivers_the_newest_event_first() -> None:
    def take_event(original, self, key, event_type):
        for event in reversed([one for one in self.events(key) if one.type == event_type]):
            self._of(key).events[event_type].remove(event)
            return event
        return None

    replace(Store, "take_event", take_event)


@mutant
def loses_kept_events_in_a_crash() -> None:
    def crash(original, self, workflow, id, *point):
        self._store.delete_events(self.require(workflow, id).row.key)
        original(self, workflow, id, *point)

    replace(Lifecycle, "crash", crash)


# -- time --------------------------------------------------------------------------------------------------------------


@mutant
def loses_the_timer_of_a_sleep_in_a_crash() -> None:
    def begin(original, self, duration):
        if self.row.due is None:
            original(self, duration)
        else:
            self.set_busy(False)

    replace(SleepOperation, "begin", begin)


@mutant
def sleeps_from_the_start_after_a_crash() -> None:
    def begin(original, self, duration):
        self.row.due = None
        original(self, duration)

    replace(SleepOperation, "begin", begin)


@mutant
def waits_from_the_start_after_a_crash() -> None:
    def begin(original, self, event_type, timeout):
        self.row.due = None
        original(self, event_type, timeout)

    replace(EventOperation, "begin", begin)


@mutant
def forgets_a_retry_delay_in_a_crash() -> None:
    def begin(original, self):
        self.row.due = None
        original(self)

    replace(DoOperation, "begin", begin)


# -- crashes -----------------------------------------------------------------------------------------------------------


@mutant
def a_lost_attempt_ends_the_step() -> None:
    def note_lost_attempts(original, self):
        original(self)
        for row in list(self.ledger.lost_attempts()):
            row.change_status("errored")
            row.error = ErrorInfo("Error", "lost").dump()

    replace(Execution, "_note_lost_attempts", note_lost_attempts)


@mutant
def a_lost_attempt_counts_for_nothing() -> None:
    def note_lost_attempts(original, self):
        for row in list(self.ledger.lost_attempts()):
            row.attempts = 0

    replace(Execution, "_note_lost_attempts", note_lost_attempts)


@mutant
def the_old_life_runs_on() -> None:
    replace(Execution, "kill", lambda original, self: None)
