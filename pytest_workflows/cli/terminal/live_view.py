"""The live view of an instance: its timeline on a terminal, a line for each event anywhere else."""

from __future__ import annotations

import textwrap
import time
from datetime import datetime
from typing import TYPE_CHECKING, Any

from rich.console import Console, Group
from rich.live import Live
from rich.text import Text

from durable_engine import (
    FINAL_STATUSES,
    Finding,
    Instance,
    Observer,
    StepKey,
    in_words,
    shown_result,
    step_error,
    steps_of,
)
from pytest_workflows.timeline.run import keep_run
from pytest_workflows.timeline.text import render

from . import formatting as words
from .console import STYLES

if TYPE_CHECKING:
    from types import TracebackType

    from durable_engine import Engine

_KINDS = {"do": "step", "sleep": "sleep", "wait_for_event": "wait"}
_OFFSET = 21
_LINES = 3
_ERROR = 70
_FRAMES = 20
"""The most times a second that the terminal is drawn."""


class Watcher(Observer):
    """A live view of one instance of an engine.

    Args:
        engine: The engine.
        console: Where it is shown.

    Attributes:
        findings: The broken rules that were noticed.
    """

    def __init__(self, engine: Engine, console: Console) -> None:
        self.findings: list[Finding] = []
        self._engine = engine
        self._console = console
        self._instance: Instance | None = None
        self._created_ms = 0
        self._began = time.perf_counter()
        self._drawn = 0.0
        self._live: Live | None = None

    def __enter__(self) -> Watcher:
        self._engine.observers.add(self)
        if self._console.is_terminal:
            self._live = Live(console=self._console, auto_refresh=False, vertical_overflow="visible")
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._draw(at_once=True)
        if self._live is not None:
            self._live.stop()

    # -- observer hooks ----------------------------------------------------------------------------------------------

    def instance_created(self, instance: Instance) -> None:
        """Watch the first instance; the others are its children."""
        if self._instance is None:
            self._instance = instance
            self._created_ms = self._engine.clock.now_ms
            self._line(f"{instance.workflow.name} {instance.id} begins at {words.moment(self._engine.clock.now)}")
        elif instance.id != self._instance.id or instance.workflow is not self._instance.workflow:
            self._line(f"created {instance.workflow.name} {instance.id}")

    def step_started(self, instance: Instance, step: StepKey) -> None:
        """Show the begin of a sleep or a wait; a callback is shown when it is over."""
        if step.kind != "do" and self._is_mine(instance):
            self._step(step, "begins")

    def step_finished(self, instance: Instance, step: StepKey) -> None:
        """A step has its outcome."""
        if self._is_mine(instance):
            self._retries(instance, step)
            self._step(step, self._outcome(instance, step))

    def event_sent(self, instance: Instance, event_type: str, payload: bytes) -> None:
        """An event arrived."""
        if self._is_mine(instance):
            self._line(f"event {event_type!r} arrives")

    def found(self, finding: Finding) -> None:
        """A broken rule was noticed."""
        self.findings.append(finding)

    # -- showing -----------------------------------------------------------------------------------------------------

    def _is_mine(self, instance: Instance) -> bool:
        mine = self._instance
        return mine is not None and instance.id == mine.id and instance.workflow is mine.workflow

    def _outcome(self, instance: Instance, step: StepKey) -> str:
        row: Any = instance.find_step(step)
        error = step_error(row)
        if error is not None:
            return f"fails: {words.exception(error['message']) or error['name']}"
        if step.kind == "sleep":
            return "is over"
        result = shown_result(row)
        return f"took {result['payload']!r}" if step.kind == "wait_for_event" else f"complete: {result!r}"

    def _retries(self, instance: Instance, step: StepKey) -> None:
        if self._live is not None or step.kind != "do":
            return
        record = next(record for record in steps_of(self._engine.store, instance.row) if record.key == step)
        for attempt in record.attempts:
            if attempt.error is not None and attempt.retry_delay is not None:
                error = words.cut(words.exception(attempt.error["message"]), _ERROR)
                again = in_words(round(attempt.retry_delay.total_seconds() * 1000))
                self._step(step, f"attempt {attempt.number}: {error}, retried after {again}", attempt.started_at)

    def _step(self, step: StepKey, text: str, at: datetime | None = None) -> None:
        self._line(f"{_KINDS[step.kind]:<5} {step.label} {text}", at)

    def _line(self, text: str, at: datetime | None = None) -> None:
        if self._live is not None:
            self._draw()
            return
        ms = self._engine.clock.now_ms if at is None else round(at.timestamp() * 1000)
        lines = textwrap.wrap(text, self._console.width - _OFFSET - 1, max_lines=_LINES, placeholder="…")
        for offset, line in zip([f"+{in_words(ms - self._created_ms)}", *[""] * _LINES], lines, strict=False):
            self._console.print(Text(f"{offset:<{_OFFSET}} {line}"))

    def _draw(self, *, at_once: bool = False) -> None:
        now = time.perf_counter()
        if self._live is None or self._instance is None or self._engine.closed:
            return
        if at_once or now - self._drawn >= 1 / _FRAMES:
            self._drawn = now
            present = self._engine.find(self._instance.workflow, self._instance.id)
            if present is not None:
                self._live.update(self._view(present, now), refresh=True)

    def _view(self, instance: Instance, now: float) -> Group:
        run = keep_run(self._engine, instance)
        over = run.status in FINAL_STATUSES
        progress = Text.assemble(
            (f"{'■' if over else '▶'} {run.status}", STYLES.get(run.status, "")),
            f"  {sum(step.status == 'complete' for step in run.steps)} of {len(run.steps)} steps complete"
            f"  virtual +{in_words(self._engine.clock.now_ms - self._created_ms)}"
            f"  real {now - self._began:.1f} s",
        )
        in_colour = render(run, colour=self._console.color_system is not None)
        return Group(Text.from_ansi(in_colour), Text(), progress)
