"""What is said of an instance in flight that does not come to what it should: both lines, the point, what to do."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING

from pytest_workflows.messages.short_repr import brief
from pytest_workflows.recordings.playback.divergence import call

if TYPE_CHECKING:
    from durable_engine import Place, StepKey
    from pytest_workflows.exploration.judgement import PathDifference
    from pytest_workflows.exploration.source_run import SourceCall
    from pytest_workflows.project.old_source import OldSource

    from .run_setup import RunSetup

Places = Mapping["StepKey", "Place"]


class UpgradeText:
    """The messages of one run.

    Args:
        setup: The run.
        source: The older source.
        in_flight: How many instances are in flight.
    """

    def __init__(self, setup: RunSetup, source: OldSource, in_flight: int) -> None:
        self._setup = setup
        self._source = source
        self._in_flight = in_flight

    def of_path(self, key: tuple[str, str], difference: PathDifference, old: Places, new: Places) -> str:
        """A step that today's source does not take up as the older one left it."""
        step, other = difference.old, difference.new
        was = f"{_step(step)} ({self._place(old.get(step))})"
        now = "" if other is None else f"{_step(other)} ({self._place(new.get(other))})"
        keep = f"keep the name {step.name!r} and its place"
        if difference.kind == "renamed":
            what = f"The older source had begun {was}. Today's source does not ask for it, and does {now} in its place"
            keep = f"keep the name {step.name!r}"
        elif difference.kind == "changed sleep":
            what = f"The older source had begun {was}. A sleep of another length is another one: it sleeps again, {now}"
            keep = f"keep the length of {step.name!r}"
        elif difference.kind == "lost":
            instead = f", and has {now} there" if now else ""
            what = f"The older source had begun {was}. Today's source never asks for it{instead} ({self._run(key)})"
            keep = f"keep the step {step.name!r}"
        elif difference.kind == "reordered":
            what = f"The older source had done {was} first. Today's source asks for {now} before it"
        else:
            what = f"The older source had begun {was}. Today's source wants {now} before it, and only does it now"
            keep = f"put {other.name if other else step.name!r} behind all steps that instances can have begun"
        return self._message(key, what, keep)

    def of_orphan(self, key: tuple[str, str], old: Places) -> str:
        """An instance of a workflow that today's source does not have."""
        last = "".join(f", in {_step(step)} ({self._place(place)})" for step, place in list(old.items())[-1:])
        what = f"The older source had begun it{last}. Today's source has no workflow of the binding {key[0]!r}"
        return self._message(key, what, "keep the workflow")

    def of_end(self, key: tuple[str, str], different: str, old: Places, new: Places) -> str:
        """An instance that ends otherwise."""
        what = f"It {different} ({self._both(key, old, new)})"
        return self._message(key, what, "let today's source read what the older one has stored")

    def of_call(self, key: tuple[str, str], different: str, call: SourceCall, old: Places, new: Places) -> str:
        """An instance that calls something else, or more often, or not at all."""
        what = f"It {different} ({self._place(call.place)}, step {call.step.label!r}; {self._both(key, old, new)})"
        return self._message(key, what, "let each step have the effects that it had")

    def of_stores(self, different: str) -> str:
        """Stores that hold something else."""
        return self._message(None, f"In the end {different}", "let each step have the effects that it had")

    def of_test(self, failure: BaseException) -> str:
        """A test that passes on both sources, and not where one takes the place of the other."""
        what = f"The test passes on each source alone, and fails here: {self.line(failure)}"
        return self._message(None, what, "look at what the steps that were done already had given")

    @staticmethod
    def line(failure: BaseException | None) -> str:
        """An exception on one line."""
        lines = str(failure).strip().splitlines()
        return brief(f"{type(failure).__name__}: {lines[0] if lines else ''}")

    def _message(self, key: tuple[str, str] | None, what: str, keep: str) -> str:
        point = self._setup.plan.point
        assert point is not None
        whose = "The test's instances are" if key is None else f"Instance {key[1]!r} of {key[0]!r} is"
        name = self._source.shown_name
        many = "it is" if self._in_flight == 1 else f"these {self._in_flight} are"
        return (
            f"{whose} in flight when today's source takes the place of {name}, at the point {point.short!r} "
            f"({point.title}).\n  {what}.\n"
            f"What to do: {keep}; or branch by a version that only new instances have in their params; or deploy when "
            f"no instance of the older source runs any more (here {many} in flight; `pytest-workflows pull WORKFLOW "
            "--running` shows those of an account)."
        )

    def _both(self, key: tuple[str, str], old: Places, new: Places) -> str:
        """The last step on either side."""
        last = [
            f"{side} {_step(step)} at {self._place(place)}"
            for side, places in (("the older source came to", old), ("today's to", new))
            for step, place in list(places.items())[-1:]
        ]
        return ", ".join(last) or self._run(key)

    def _run(self, key: tuple[str, str]) -> str:
        """Where today's source has the workflow."""
        cls = self._setup.sources.workflows.get(key[0])
        code = getattr(getattr(cls, "run", None), "__code__", None)
        return (
            "today's source"
            if code is None
            else f"today's run is at {self._place((code.co_filename, code.co_firstlineno))}"
        )

    def _place(self, place: Place | None) -> str:
        if place is None:
            return "nowhere"
        file, line = place
        return f"{self._source.shown_file(file) or self._todays(file)}:{line}"

    def _todays(self, file: str) -> str:
        return os.path.relpath(file, self._setup.rootdir) if file.startswith(str(self._setup.rootdir)) else file


def _step(key: StepKey) -> str:
    return call(key, with_duration=True)
