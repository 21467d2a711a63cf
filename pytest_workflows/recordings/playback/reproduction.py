"""Reproduction: the current source run against a recording."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from os import PathLike
from types import TracebackType
from typing import Any

import msgspec

from durable_engine import (
    FINAL_STATUSES,
    CronTrigger,
    EngineError,
    InvalidArgumentError,
    NeverHappensError,
    WorkflowBinding,
    encode,
    engine_of,
    to_ms,
)
from pytest_workflows.introspection.instance import InstanceIntrospector
from pytest_workflows.introspection.introspectors import check_binding, introspect_workflow_instance
from pytest_workflows.recordings.errors import DivergenceError, RecordingError
from pytest_workflows.recordings.files import load, read
from pytest_workflows.recordings.format.model import Recording
from pytest_workflows.recordings.format.values import untag
from pytest_workflows.recordings.production import guess_of

from .divergence import call
from .script import RecordedScript, find_until

_AT_ONCE = timedelta(seconds=1)
"""An instance that starts within this time was not kept waiting."""
AnyRecording = str | PathLike[str] | Mapping[str, Any] | Recording


def reproduce(binding: WorkflowBinding, recording: AnyRecording, *, until: object = None) -> Reproduction:
    """Run the current source against a recording.

    Recorded steps answer as they were recorded, attempt by attempt, at the times at which they did; no callback runs.
    Where the source asks for something else, the wait that is under way raises `DivergenceError`.

    Args:
        binding: The workflow's binding, such as `workflow_env.ORDERS`.
        recording: A file, what its JSON holds, or a `Recording`.
        until: Selects a step, as everywhere, or is its name with its occurrence (`"charge-2"`): that step and all
            that follows run for real.

    Returns:
        For `async with ... as instance`; the instance runs when the block first awaits it.

    Raises:
        InvalidArgumentError: If an argument is of the wrong type.
        RecordingError: If the recording cannot be read, or has no such step.

    Example:
        ```python
        async with reproduce(workflow_env.ORDERS, "tests/recordings/order-1.json") as instance:
            await instance.wait_for_status("errored")
        ```
    """
    check_binding(binding, "reproduce")
    if isinstance(recording, Recording):
        return Reproduction(binding, recording, "the recording", until)
    if isinstance(recording, Mapping):
        return Reproduction(binding, read(recording), "the recording", until)
    if isinstance(recording, str | PathLike):
        return Reproduction(binding, load(recording), str(recording), until)
    raise InvalidArgumentError(
        f"reproduce takes a recording's file, what its JSON holds, or a Recording, not {recording!r}."
    )


def execution_start(recording: Recording) -> datetime | None:
    """The start of the recorded execution: after a restart or a queue, later than the instance's creation."""
    if recording.history and recording.source == "test":
        return recording.history[0].at
    created, started = recording.created_at or recording.clock_start, recording.started_at
    if created is None or started is None:
        return created or started
    return started if started - created > _AT_ONCE else created


def cron_trigger(recording: Recording) -> CronTrigger | None:
    """The cron trigger that made the recorded instance, if one did and the recording says which."""
    trigger: Any = untag(recording.trigger)
    if not isinstance(trigger, Mapping):
        return None
    cron, time = trigger.get("cron"), trigger.get("scheduledTime")
    return CronTrigger(cron, time) if isinstance(cron, str) and isinstance(time, int) else None


class Reproduction:
    """A recorded instance that is run again. Made by `reproduce`.

    Attributes:
        script: The recording as it is played, and the steps that `run` asked for.
    """

    def __init__(
        self,
        binding: WorkflowBinding,
        recording: Recording,
        name: str,
        until: object = None,
        script: type[RecordedScript] = RecordedScript,
    ) -> None:
        self._binding = binding
        self._engine = engine_of(binding)
        self._recording = recording
        key = None if until is None else find_until(recording, until)
        self.script = script(recording=recording, until=key, name=name, workflow=binding.workflow.name)
        self._introspector: InstanceIntrospector | None = None
        self._limits = self._engine.limits

    async def __aenter__(self) -> InstanceIntrospector:
        engine, recording, workflow = self._engine, self._recording, self._binding.workflow
        if engine.manual_clock:
            raise RecordingError(
                "A recording is played on the clock that moves by itself, as the recorded times ask for it. Take "
                'clock="manual" off this test\'s marker.'
            )
        self._set_scene()
        self._introspector = await introspect_workflow_instance(self._binding, recording.instance_id)
        engine.lifecycle.scripts[workflow.name, recording.instance_id] = self.script
        params = encode(untag(recording.params))
        engine.lifecycle.create(workflow, recording.instance_id, params, trigger=cron_trigger(recording))
        if recording.created_at is not None:
            # Of an instance that was restarted, the last execution begins later than that.
            instance = engine.require(workflow, recording.instance_id)
            instance.row.created_at = to_ms(recording.created_at)
        return self._introspector

    def check_known(self) -> None:
        """Check, where nothing can run any more, whether the recording lacks what it would take.

        Raises:
            RecordingError: If the instance stands in a step of which is not known what became of it.
        """
        __tracebackhide__ = True
        row = self._engine.require(self._binding.workflow, self._recording.instance_id).row
        stuck = self.script.stuck_at
        if row.status not in FINAL_STATUSES and stuck:
            raise RecordingError(
                f"Instance {row.id!r} of {self.script.workflow!r} follows {self.script.name} up to "
                f"{call(stuck[0].key)}, and what became of that is not known: the recording has neither its outcome "
                "nor its end. Write into it what you know, such as the step's success and output."
            )

    def _set_scene(self) -> None:
        recording, engine = self._recording, self._engine
        begins = execution_start(recording)
        engine.set_scene(engine.clock.now_ms if begins is None else to_ms(begins), recording.seed)
        settings = recording.settings
        limits = {name: value for name, value in settings.limits.items() if hasattr(engine.limits, name)}
        if settings.step_limit is not None:
            limits["steps"] = settings.step_limit
        engine.limits = msgspec.structs.replace(engine.limits, **limits) if limits else engine.limits

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        __tracebackhide__ = True
        assert self._introspector is not None
        self.script.stop()
        self._engine.limits = self._limits
        aborted = self._engine.pending_errors.take()
        ended = aborted if error is None else error
        if isinstance(error, NeverHappensError):
            self.check_known()
        if isinstance(error, EngineError) and not isinstance(error, DivergenceError):  # that one says it itself
            for note in guess_of(self._recording.notes):
                error.add_note(note)
        await self._introspector.__aexit__(None if ended is None else type(ended), ended, traceback)
        if error is None and aborted is not None:
            raise aborted
