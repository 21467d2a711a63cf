"""changed-event: `run` or a step changes the event it was given."""

from __future__ import annotations

from types import FunctionType
from typing import Any

from durable_engine import Ask, CallbackRun, Engine, Instance, Place
from pytest_workflows.sources.worker_code import Sources

from .analysis.await_stack import running_lines
from .analysis.value_snapshot import Snapshot
from .base import RuleObserver, unwrapped
from .registry import register


@register(
    "changed-event",
    consequence="every restart gets the event as it was sent, without the change",
    remedy="copy what you need and leave the event as it is",
)
class ChangedEvent(RuleObserver):
    """An observer that compares the event around each callback, at each step that `run` asks for, and at the end."""

    def __init__(self, engine: Engine, sources: Sources) -> None:
        super().__init__(engine, sources)
        self._events: dict[Instance, tuple[Any, Snapshot]] = {}
        self._asked: dict[Instance, Place] = {}

    def execution_started(self, instance: Instance, event: Any) -> None:
        """Take a snapshot of the event."""
        self._events[instance] = (event, Snapshot(event))

    def execution_ended(self, instance: Instance) -> None:
        """Compare the event for the last time."""
        self._compare(instance, None)
        self._events.pop(instance, None)
        self._asked.pop(instance, None)

    def step_asked(self, instance: Instance, ask: Ask) -> None:
        """Compare the event: a change since the last comparison is the doing of `run`."""
        self._asked[instance] = ask.place
        self._compare(instance, None, ask.place)

    def callback_started(self, instance: Instance, run: CallbackRun) -> None:
        """Compare the event: a change since the last comparison is the doing of `run`."""
        self._compare(instance, None, self._asked.get(instance))

    def callback_ended(self, instance: Instance, run: CallbackRun) -> None:
        """Compare the event: a change is the callback's doing, unless the source shows it elsewhere."""
        self._compare(instance, run, run.place)

    def _compare(self, instance: Instance, run: CallbackRun | None, seen: Place | None = None) -> None:
        kept = self._events.get(instance)
        if kept is None:
            return
        event, snapshot = kept
        if not snapshot.changes(event):
            return
        from .analysis.event_mutations import find_mutation

        self._events[instance] = (event, Snapshot(event))
        cls = self._sources.workflows.get(instance.workflow.name)
        method = unwrapped(getattr(cls, "run", None))
        if cls is None or not isinstance(method, FunctionType) or not self._sources.is_code(method.__code__):
            return
        callback = None if run is None else unwrapped(run.function)
        found = find_mutation(self._sources, cls, method, callback if isinstance(callback, FunctionType) else None)
        by_step = run if found is None or found.by_callback else None
        place = found.place if found is not None else self._near(method, seen)
        who, step = ("`run`", None) if by_step is None else (f"step {by_step.key.label!r}", by_step.key.label)
        self.report(f"{who} changed the event", place, instance.workflow, step=step)

    def _near(self, method: FunctionType, seen: Place | None) -> Place:
        """The place where the change showed: the line of `run` that asks for a step, the step, or the end."""
        from .analysis.event_mutations import end_of

        code = method.__code__
        asking = [line.number for line in running_lines(self._sources) if line.code is code]
        place = (code.co_filename, asking[0]) if asking else seen or end_of(method)
        return place or (code.co_filename, code.co_firstlineno)
