"""engine-hazard: the vendor's newest local engine departs from its documentation, and the workflow would be hurt.

The engine notices all hazards but one: `pause()` makes what `run` awaits raise there, and an `except` catches that.
"""

from __future__ import annotations

import asyncio
import weakref
from typing import Any

import msgspec

from durable_engine import PAUSE_REJECTS, Ask, Engine, Instance, JsException, StepKey
from pytest_workflows.sources.syntax import source_file
from pytest_workflows.sources.worker_code import Sources

from .analysis.await_stack import Line, lines_that_await, lines_that_gather
from .analysis.exception_handlers import blocks_around, catcher_in, reraises
from .base import RuleObserver
from .registry import register

_NAMES = frozenset(kind.__name__ for kind in JsException.__mro__)


class _Execution(msgspec.Struct):
    """The tasks of an execution of `run`.

    Attributes:
        task: The task of `run`.
        asked: The task that asked for each step, by the step.
    """

    task: asyncio.Task[Any] | None
    asked: dict[StepKey, asyncio.Task[Any] | None] = msgspec.field(default_factory=dict)


@register(
    "engine-hazard",
    consequence="not seen there, and it may be the same",
    remedy="write it as docs/reference/rules/engine-hazard.md shows",
)
class EngineHazard(RuleObserver):
    """An observer of pauses, which reads the `try` blocks around whatever is awaited when one takes hold."""

    def __init__(self, engine: Engine, sources: Sources) -> None:
        super().__init__(engine, sources)
        self._executions: weakref.WeakKeyDictionary[Instance, _Execution] = weakref.WeakKeyDictionary()

    def execution_started(self, instance: Instance, event: Any) -> None:
        """Keep the task of `run`."""
        self._executions[instance] = _Execution(asyncio.current_task())

    def step_asked(self, instance: Instance, ask: Ask) -> None:
        """Keep which task asks for the step."""
        execution = self._executions.get(instance)
        if execution is not None:
            execution.asked[ask.key] = asyncio.current_task()

    def execution_ended(self, instance: Instance) -> None:
        """Judge what is awaited, if the execution ends for a pause."""
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
                if catcher is not None and not reraises(catcher):
                    noticed = (
                        f"pause() takes hold while `run` awaits {key.label!r}, and line {catcher.lineno} catches what "
                        "that raises"
                    )
                    place = (lines[0].code.co_filename, lines[0].number)
                    self._engine.hazards.report(
                        PAUSE_REJECTS, noticed, place, workflow=instance.workflow.name, step=key
                    )
                    return
