"""The verdict on an upgrade amid a test's run: whether the instances in flight come to what they should."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from durable_engine import EngineError
from pytest_workflows.errors import WorkflowUpgradeError
from pytest_workflows.exploration.judgement import PathDifference
from pytest_workflows.exploration.upgrade_comparison import call_difference, end_difference, state_difference

if TYPE_CHECKING:
    from pytest_workflows.exploration.clock_values import Window
    from pytest_workflows.exploration.in_flight import InFlight
    from pytest_workflows.exploration.source_run import InstanceEnd, SourceRun

    from .upgrade_text import UpgradeText

Key = tuple[str, str]


@dataclass(frozen=True, slots=True)
class UpgradeVerdict:
    """The verdict on one run.

    Attributes:
        in_flight: The instances that were in flight.
        now: What the run came to.
        today: What today's source comes to from the top; where a crash alone is looked at, the older one.
        old: What the older source comes to.
        window: The virtual time of the three.
        ignored: Names of stores, or of tables of them, that may differ.
        is_repeated: Whether an attempt with effects is made again, as after any crash.
        text: Says what is wrong.
    """

    in_flight: Mapping[Key, InFlight]
    now: SourceRun
    today: SourceRun
    old: SourceRun
    window: Window
    ignored: Iterable[str]
    is_repeated: bool
    text: UpgradeText

    def check(self, failure: BaseException | None) -> str:
        """Check the instances in flight, the stores, and the test.

        Args:
            failure: What the test's call failed with; None where it passed.

        Returns:
            Why nothing can be said for certain; empty where it can.

        Raises:
            WorkflowUpgradeError: If an instance in flight does not come to what it should.
        """
        __tracebackhide__ = True
        is_stopped = failure is not None and not isinstance(failure, EngineError)
        for key, flight in self.in_flight.items():
            self._check_path(key, flight)
        for key, flight in self.in_flight.items():
            if key in self.today.instances:
                self._check_end(key, flight, is_stopped=is_stopped)
                self._check_calls(key, flight)
        if failure is None:
            self._check_stores()
        has_lost = any(flight.lost for flight in self.in_flight.values())  # only the test may see what is repeated
        if failure is not None and self.old.passed and not has_lost:
            raise WorkflowUpgradeError(self.text.of_test(failure), "test") from failure
        if is_stopped and any(not self.now.instances[key].is_final for key in self.in_flight):
            return f"the test, which is about today's source, failed first: {self.text.line(failure)}"
        return ""

    def _check_path(self, key: Key, flight: InFlight) -> None:
        __tracebackhide__ = True
        if flight.is_orphan:
            raise WorkflowUpgradeError(self.text.of_orphan(key, flight.old_places), "orphan")
        now = self.now.instances[key]
        if now.is_final or now.status == "waiting":
            flight.finish()
        if flight.difference is not None:
            difference = _named(flight.difference, self.today.instances.get(key), self.old.instances.get(key))
            said = self.text.of_path(key, difference, flight.old_places, flight.new_places)
            raise WorkflowUpgradeError(said, difference.kind)

    def _check_end(self, key: Key, flight: InFlight, *, is_stopped: bool) -> None:
        __tracebackhide__ = True
        now, today = self.now.instances[key], self.today.instances[key]
        if not now.is_final and (is_stopped or not today.is_final):
            return
        different = end_difference(now, today, self.old.instances.get(key), self.window)
        # What a repeated effect answers may be another value, as after any crash.
        if different is not None and not (self.is_repeated and now.status == today.status == "complete"):
            raise WorkflowUpgradeError(self.text.of_end(key, different, flight.old_places, flight.new_places), "end")

    def _check_calls(self, key: Key, flight: InFlight) -> None:
        __tracebackhide__ = True
        if self.is_repeated:
            return
        now, today, old = self.now.instances[key], self.today.instances[key], self.old.instances.get(key)
        called = call_difference(now, today, old, self.window)
        if called is not None:
            raise WorkflowUpgradeError(self.text.of_call(key, *called, flight.old_places, flight.new_places), "call")

    def _check_stores(self) -> None:
        __tracebackhide__ = True
        if self.is_repeated:
            return
        all_contents = (self.now.contents, self.today.contents, self.old.contents)
        different = state_difference(*all_contents, self.ignored, self.window)
        if different is not None:
            raise WorkflowUpgradeError(self.text.of_stores(different), "stores")


def _named(difference: PathDifference, today: InstanceEnd | None, old: InstanceEnd | None) -> PathDifference:
    """A difference by its name: a step is no other one renamed, or before it, that both sources have beside it."""
    is_gone = today is not None and difference.old not in today.places
    has_both = old is not None and difference.new in old.places
    if difference.kind in ("renamed", "reordered") and is_gone and has_both:
        return PathDifference(difference.old, None, "lost")
    if difference.kind == "renamed" and not is_gone and has_both:
        return PathDifference(difference.old, difference.new, "reordered")
    return difference
