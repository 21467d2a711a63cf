"""The observer of recordings, for what storage does not keep: real durations, output, effects, places, crashes."""

from __future__ import annotations

import logging
import time
from datetime import datetime
from typing import Any

import msgspec

from durable_engine import (
    Ask,
    CallbackRun,
    Effect,
    Engine,
    Finding,
    Instance,
    Observer,
    Place,
    Scope,
    StepKey,
    current_scope,
)

from .output import Listening, Source

AttemptKey = tuple[StepKey, int]


class OutputLine(msgspec.Struct):
    """A line that was printed or logged.

    Attributes:
        at: The virtual time.
        source: Where it went.
        text: The line.
        level: Of a log record: its level's name.
        logger: Of a log record: its logger's name.
    """

    at: datetime
    source: Source
    text: str
    level: str | None = None
    logger: str | None = None


class Watched(msgspec.Struct):
    """The observations of one instance.

    Attributes:
        began: Real seconds at its creation.
        ended: Real seconds at its end.
        executions: How often `run` was called.
        asks: Where and by which branch of `run` each step was asked for first.
        places: Where a step was declared.
        parents: The step whose callback asked for a step.
        real: Real milliseconds of each attempt's callback.
        timeouts: How long each wait waits, in milliseconds.
        began_at: Real milliseconds from the instance's creation to the start of each attempt's callback.
        step_times: Real milliseconds from the instance's creation to each step's start and outcome.
        running: Real seconds at which a callback began that has not ended.
        lines: The output, printed and logged, by attempt; by None for code of `run`.
        unfinished: Text that was printed without a newline so far.
        effects: Calls on bindings, with the virtual time.
        events: Events that were sent: type, payload, time.
        crashes: When memory was lost, after which step, and which attempt was lost by it.
        last_step: The step that started last.
        is_whole: Whether it was observed from its creation on, and so is what is real of it known.
    """

    began: float
    ended: float | None = None
    executions: int = 0
    asks: dict[StepKey, Ask] = msgspec.field(default_factory=dict)
    places: dict[StepKey, Place] = msgspec.field(default_factory=dict)
    parents: dict[StepKey, StepKey] = msgspec.field(default_factory=dict)
    real: dict[AttemptKey, float] = msgspec.field(default_factory=dict)
    timeouts: dict[StepKey, int] = msgspec.field(default_factory=dict)
    began_at: dict[AttemptKey, float] = msgspec.field(default_factory=dict)
    step_times: dict[StepKey, tuple[float, float | None]] = msgspec.field(default_factory=dict)
    running: dict[AttemptKey, float] = msgspec.field(default_factory=dict)
    lines: dict[AttemptKey | None, list[OutputLine]] = msgspec.field(default_factory=dict)
    unfinished: dict[tuple[AttemptKey | None, Source], OutputLine] = msgspec.field(default_factory=dict)
    effects: list[tuple[datetime, Effect]] = msgspec.field(default_factory=list)
    events: list[tuple[str, bytes, datetime]] = msgspec.field(default_factory=list)
    crashes: list[tuple[datetime, StepKey | None, AttemptKey | None]] = msgspec.field(default_factory=list)
    last_step: StepKey | None = None
    is_whole: bool = False

    def real_now(self) -> float:
        """Real milliseconds since the instance's creation."""
        return (time.perf_counter() - self.began) * 1000


class Watcher(Observer):
    """An observer of everything that happens on an engine.

    Args:
        engine: The engine.
        most: How many lines of each attempt, calls of each instance, and findings are kept at least, the newest; None
            for all.

    Attributes:
        findings: The broken rules, in order.
    """

    def __init__(self, engine: Engine, most: int | None = None) -> None:
        self._engine = engine
        self._most = most
        self._seen: dict[tuple[str, str], Watched] = {}
        self._listening = Listening(engine, self._line_printed)
        self.findings: list[Finding] = []

    def of(self, workflow: str, id: str) -> Watched:
        """The observations of an instance; a later one of the same id has its own."""
        return self._seen.get((workflow, id)) or Watched(time.perf_counter())

    def find(self, workflow: str, id: str) -> Watched | None:
        """The observations of an instance; None where there are none."""
        return self._seen.get((workflow, id))

    def stop(self) -> None:
        """Stop capturing output."""
        self._listening.stop()

    def _leave(self) -> None:
        self.stop()  # whoever watches: a recording, or the page of a server of the test's

    def dismantle(self) -> None:
        """Let go of who captures output: the engine is closed, and what is printed belongs to nothing of it."""
        del self._listening

    def forget(self, workflow: str, id: str) -> None:
        """Forget an instance that is gone."""
        self._seen.pop((workflow, id), None)

    def _of(self, instance: Instance) -> Watched:
        key = (instance.workflow.name, instance.row.id)
        seen = self._seen.get(key)
        if seen is None:
            seen = self._seen[key] = Watched(time.perf_counter())
        return seen

    # -- executions --------------------------------------------------------------------------------------------------

    def instance_created(self, instance: Instance) -> None:
        """A new instance, even under an id that another one had."""
        self._seen[instance.workflow.name, instance.id] = Watched(time.perf_counter(), is_whole=True)

    def instance_finished(self, instance: Instance) -> None:
        """Note the real time."""
        self._of(instance).ended = time.perf_counter()

    def execution_started(self, instance: Instance, event: Any) -> None:
        """Capture the output of `run`."""
        self._of(instance).executions += 1
        self._listening.start()

    def crashed(self, instance: Instance) -> None:
        """Note the time of a crash, and the step before it."""
        seen = self._of(instance)
        seen.crashes.append((self._engine.clock.now, seen.last_step, None))

    def restarted(self, instance: Instance, *, whole: bool) -> None:
        """Forget the observations before a restart, as storage does."""
        if whole:
            key = (instance.workflow.name, instance.id)
            before = self._of(instance)
            self._seen[key] = Watched(before.began, is_whole=before.is_whole)

    def attempt_lost(self, instance: Instance, step: StepKey, attempt: int) -> None:
        """Note an attempt that a crash has taken with it."""
        crashes = self._of(instance).crashes
        if crashes:
            at, after, _ = crashes[-1]
            crashes[-1] = (at, after, (step, attempt))

    # -- steps -------------------------------------------------------------------------------------------------------

    def step_asked(self, instance: Instance, ask: Ask) -> None:
        """Note the place and the branch that asked for a step."""
        self._of(instance).asks.setdefault(ask.key, ask)

    def step_started(self, instance: Instance, step: StepKey) -> None:
        """Note the start of a step, and the callback that asked for it."""
        seen = self._of(instance)
        seen.last_step = step
        seen.step_times[step] = (seen.real_now(), None)
        scope = current_scope.get()
        if scope is not None and scope.instance is instance and scope.step is not None:
            seen.parents[step] = scope.step
        row = instance.find_step(step)
        if step.kind == "wait_for_event" and row is not None and row.due is not None:
            seen.timeouts[step] = row.due - self._engine.clock.now_ms

    def step_finished(self, instance: Instance, step: StepKey) -> None:
        """Note the time of a step's outcome."""
        seen = self._of(instance)
        if step in seen.step_times:
            seen.step_times[step] = (seen.step_times[step][0], seen.real_now())

    def callback_started(self, instance: Instance, run: CallbackRun) -> None:
        """Capture a callback's output, and note its start."""
        self._listening.start()
        seen = self._of(instance)
        seen.places.setdefault(run.key, run.place)
        seen.began_at[run.key, run.attempt] = seen.real_now()
        seen.running[run.key, run.attempt] = time.perf_counter()

    def callback_ended(self, instance: Instance, run: CallbackRun) -> None:
        """Note the duration of a callback."""
        seen = self._of(instance)
        began = seen.running.pop((run.key, run.attempt), None)
        if began is not None:
            seen.real[run.key, run.attempt] = (time.perf_counter() - began) * 1000

    # -- what it does ------------------------------------------------------------------------------------------------

    def effect(self, instance: Instance, effect: Effect) -> None:
        """Note a call on a binding."""
        effects = self._of(instance).effects
        effects.append((self._engine.clock.now, effect))
        self._bound(effects)

    def event_sent(self, instance: Instance, event_type: str, payload: bytes) -> None:
        """Note an event."""
        self._of(instance).events.append((event_type, payload, self._engine.clock.now))

    def found(self, finding: Finding) -> None:
        """Note a broken rule."""
        self.findings.append(finding)
        self._bound(self.findings)

    def _bound(self, kept: list[Any]) -> None:
        """Drop the oldest of what is twice as much as is to be kept."""
        if self._most is not None and len(kept) >= 2 * self._most:
            del kept[: -self._most]

    def _line_printed(self, scope: Scope, source: Source, text: str, record: logging.LogRecord | None) -> None:
        seen = self._of(scope.instance)
        where = None if scope.step is None or scope.attempt is None else (scope.step, scope.attempt)
        lines = seen.lines.setdefault(where, [])
        now = self._engine.clock.now
        if record is not None:
            lines.append(OutputLine(now, source, text, record.levelname, record.name))
            self._bound(lines)
            return
        for part in text.splitlines(keepends=True):
            line = seen.unfinished.get((where, source))
            if line is None:
                line = seen.unfinished[where, source] = OutputLine(now, source, "")
                lines.append(line)
                self._bound(lines)
            line.text += part.rstrip("\r\n")
            if part.endswith("\n"):
                del seen.unfinished[where, source]
