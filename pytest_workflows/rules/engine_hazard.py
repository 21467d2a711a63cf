"""engine-hazard: `pause()` makes what `run` awaits raise, and an `except` catches it. The engine notices the others."""

from __future__ import annotations

import asyncio
import weakref
from dataclasses import dataclass, field
from typing import Any

from durable_engine import PAUSE_REJECTS, Ask, Engine, Instance, JsException, StepKey
from pytest_workflows.sources.syntax import source_file
from pytest_workflows.sources.worker_code import Sources

from .awaiting import Line, lines_that_await, lines_that_gather
from .base import RuleObserver
from .catching import blocks_around, catcher_in, passes_on

_NAMES = frozenset(kind.__name__ for kind in JsException.__mro__)


@dataclass(slots=True)
class _Execution:
    """What is known of an execution of `run`.

    Attributes:
        task: The task of `run`.
        asked: The task that asked for each step.
    """

    task: asyncio.Task[Any] | None
    asked: dict[StepKey, asyncio.Task[Any] | None] = field(default_factory=dict)


class EngineHazard(RuleObserver):
    """Looks, when a pause takes hold, at the `try` blocks around whatever is awaited."""

    rule = "engine-hazard"

    def __init__(self, engine: Engine, sources: Sources) -> None:
        super().__init__(engine, sources)
        self._executions: weakref.WeakKeyDictionary[Instance, _Execution] = weakref.WeakKeyDictionary()

    def execution_started(self, instance: Instance, event: Any) -> None:
        """Remember the task of `run`."""
        self._executions[instance] = _Execution(asyncio.current_task())

    def step_asked(self, instance: Instance, ask: Ask) -> None:
        """Remember which task waits for it."""
        execution = self._executions.get(instance)
        if execution is not None:
            execution.asked[ask.key] = asyncio.current_task()

    def execution_ended(self, instance: Instance) -> None:
        """Judge, if it is for a pause."""
        execution = self._executions.pop(instance, None)
        if execution is None or instance.row.status != "paused":
            return
        for key, operation in instance.operations.items():
            task = execution.asked.get(key)
            lines = lines_that_await(task, operation.future, self._sources)
            if lines and task is not None and task is not execution.task and execution.task is not None:
                lines += lines_that_gather(execution.task, task, self._sources)
            self._judge(instance, key, lines)

    def _judge(self, instance: Instance, key: StepKey, lines: list[Line]) -> None:
        for line in lines:
            file = source_file(line.code.co_filename)
            statement = None if file is None else file.statement_at(line.number)
            for block, _ in blocks_around(file, statement):
                catcher = catcher_in(block, _NAMES, suppressed=_NAMES)
                if catcher is not None and not passes_on(catcher):
                    noticed = (
                        f"pause() takes hold while `run` awaits {key.label!r}, and line {catcher.lineno} catches what "
                        "that raises"
                    )
                    place = (lines[0].code.co_filename, lines[0].number)
                    self._engine.hazards.report(
                        PAUSE_REJECTS, noticed, place, workflow=instance.workflow.name, step=key
                    )
                    return
