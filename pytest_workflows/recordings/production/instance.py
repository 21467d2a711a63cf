"""The reader of a whole dump."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from msgspec.structs import replace

from durable_engine import FINAL_STATUSES, STATUSES
from durable_engine.history import WORKFLOW_QUEUED, WORKFLOW_START, WORKFLOW_TERMINATED
from pytest_workflows.recordings.errors import RecordingError
from pytest_workflows.recordings.format.model import ErrorRecord, HistoryLine, Recording, SentEvent, Step, Value
from pytest_workflows.recordings.format.values import tag, untag

from .envelope import open_envelope
from .fields import MISSING, UNKNOWN_ERROR, error, flag, get, mapping, text, time
from .names import split_names
from .notes import AS_JSON, AS_TEXT, Notes
from .steps import StepReader, duration_of, kind_of, output_of
from .values import guess_json, holds_unknown, read_value

UNKNOWN_ID = "unknown"
ROLLING_BACK = "rollingBack"
"""A status of production's that no Python workflow has: the SDK has no rollback."""
NO_ID = "The instance's id is not in the dump."
_KNOWN = ("status", "steps", "versionId", "queued", "trigger", "params", "step_count")


def read_production(found: object, where: str = "the dump", *, json_outputs: bool | None = None) -> Recording:
    """A recording from what the platform's API returns for an instance.

    Args:
        found: The decoded JSON: the bare object, or the API's envelope round it.
        where: Names it in errors.
        json_outputs: Whether outputs stand there as JSON text; None for what `"outputs"` says that somebody wrote into
            the dump or its envelope, and else to guess.

    Returns:
        The recording. It has no workflow unless somebody wrote `"binding"` into the dump or its envelope, and
        `"unknown"` for an instance id that is not given; `notes` says what else is not known.

    Raises:
        RecordingError: If it holds no instance, or `"outputs"` is neither `"json"` nor `"text"`.
    """
    data = open_envelope(found, where)
    if all(get(data, name) is MISSING for name in _KNOWN):
        raise RecordingError(
            f"{where}: this is neither a recording of pytest-workflows nor what the platform's API returns for an "
            f"instance: it has {_some(data)}. The API's answer has {', '.join(_KNOWN[:3])}, among others."
        )
    said = _said_of_outputs([data, mapping(found)], where)
    recording = _Dump(data, said if json_outputs is None else json_outputs).read()
    return replace(recording, binding=text(data.get("binding")) or text(mapping(found).get("binding")))


def _said_of_outputs(places: Iterable[Mapping[str, Any]], where: str) -> bool | None:
    said = [place["outputs"] for place in places if "outputs" in place]
    for one in said:
        if one not in ("json", "text"):
            shown = json.dumps(one, default=repr)
            raise RecordingError(
                f'{where}: "outputs" is {shown}, and it says how outputs are to be read that are JSON text. '
                'Write "outputs": "json" for the values that they hold, or "outputs": "text" for the texts as they are.'
            )
    return said[0] == "json" if said else None


def _some(data: Mapping[str, Any]) -> str:
    names = [repr(key) for key in data][:5]
    return f"the keys {', '.join(names)}" if names else "no keys at all"


class _Dump:
    """One dump, and the notes on it."""

    def __init__(self, data: Mapping[str, Any], json_outputs: bool | None) -> None:
        self._data = data
        self._notes = Notes()
        guess = guess_json(self._outputs()) if json_outputs is None else None
        if guess is not None:  # before all other notes, of which some may be left out
            self._notes.add(AS_JSON if guess else AS_TEXT)
        self._as_text = bool(json_outputs or guess)

    def read(self) -> Recording:
        notes = self._notes
        recording = Recording(
            source="production",
            instance_id=self._instance_id(),
            workflow=text(get(self._data, "workflowName")),
            version_id=text(get(self._data, "versionId")),
            trigger=self._trigger(),
            created_at=time(get(self._data, "queued", "created_on"), "The time of queueing", notes),
            started_at=time(get(self._data, "start", "started_on"), "The start", notes),
            ended_at=time(get(self._data, "end", "ended_on"), "The end", notes),
            status=self._status(),
            lives=1,
        )
        params = self._params()
        failure, output = self._end(recording)
        self._read_beginning(recording)
        rollbacks = self._read_steps(recording)
        self._read_rollback()
        return replace(
            recording,
            clock_start=recording.created_at or recording.started_at,
            params=params,
            error=failure,
            output=output,
            rollbacks=rollbacks,
            notes=notes.lines,
        )

    # -- the instance ------------------------------------------------------------------------------------------------

    def _instance_id(self) -> str:
        found = text(get(self._data, "id", "instanceId"))
        if found is None:
            self._notes.add(NO_ID)
        return found or UNKNOWN_ID

    def _status(self) -> str:
        found = text(get(self._data, "status"))
        if found is None:
            found = self._likely_status()
            self._notes.add(f"The status is not in the dump; what else is there says {found!r}.")
        elif found not in (*STATUSES, ROLLING_BACK):
            self._notes.add(f"The status {found!r} is none that this version knows.")
        return found

    def _likely_status(self) -> str:
        if error(get(self._data, "error")) is not None:
            return "errored"
        success = flag(get(self._data, "success"))
        if success is not None:
            return "complete" if success else "errored"
        return "running" if get(self._data, "end") is None else "unknown"

    def _trigger(self) -> Value:
        given = get(self._data, "trigger")
        if given is MISSING or given is None:
            self._notes.add("What triggered the instance is not in the dump.")
            return None
        trigger = dict(given) if isinstance(given, Mapping) else {"source": given}
        return tag({**trigger, **mapping(get(self._data, "schedule"))})

    def _params(self) -> Value:
        given = get(self._data, "params", "payload")
        params = read_value(given, "the value of params")
        if given is MISSING:
            self._notes.add("The params are not in the dump.")
        elif holds_unknown(params):
            self._notes.add("The params are not whole in the dump.")
        return params

    def _end(self, recording: Recording) -> tuple[ErrorRecord | None, Value]:
        """The error, and the output, that the instance ended with."""
        if recording.started_at is None and recording.status != "queued":
            self._notes.add("When the instance started is not in the dump.")
        if recording.ended_at is None and recording.status in FINAL_STATUSES:
            self._notes.add("When the instance ended is not in the dump.")
        found = error(get(self._data, "error"))
        if recording.status == "errored" and found is None:
            found = ErrorRecord(name="Error", message=UNKNOWN_ERROR)
            self._notes.add("What the instance ended with is not in the dump.")
        elif found is not None and found.message == UNKNOWN_ERROR:
            self._notes.add("The message of the error that the instance ended with is not in the dump.")
        return (None, self._output()) if recording.status == "complete" else (found, None)

    def _output(self) -> Value:
        output = get(self._data, "output")
        value = read_value(output, "the instance's output", cut=self._is_marked_cut(), as_text=self._as_text)
        if output is MISSING:
            self._notes.add("The output of the instance is not in the dump.")
        elif holds_unknown(value):
            self._notes.add("The output of the instance is not whole in the dump.")
        return value

    def _read_beginning(self, recording: Recording) -> None:
        # Playback takes the first line of a recording's history for the start of its clock.
        for kind, at in ((WORKFLOW_QUEUED, recording.created_at), (WORKFLOW_START, recording.started_at)):
            if at is not None:
                recording.history.append(HistoryLine(kind=kind, at=at))

    def _is_marked_cut(self) -> bool:
        return get(self._data, "outputTruncated", "truncated") is True

    def _read_rollback(self) -> None:
        outcome = text(get(mapping(get(self._data, "rollback")), "outcome"))
        if outcome is not None:
            self._notes.add(f"The instance was rolled back: {outcome}.")

    # -- its steps ---------------------------------------------------------------------------------------------------

    def _raw_steps(self) -> list[Mapping[str, Any]]:
        found = get(self._data, "steps")
        return [step for step in found if isinstance(step, Mapping)] if isinstance(found, list) else []

    def _outputs(self) -> list[object]:
        own = MISSING if self._is_marked_cut() else get(self._data, "output")
        return [*map(output_of, self._raw_steps()), own]

    def _read_steps(self, recording: Recording) -> list[Step]:
        """Put the steps into the recording, with the events that they took; those that undid others are given back."""
        raw = self._in_order(self._raw_steps())
        self._check_count(len(self._raw_steps()))
        kept = [(data, kind) for data in raw if (kind := kind_of(data)) is not None and text(get(data, "name"))]
        rollbacks = [data for data in raw if get(data, "type") == "rollback" and text(get(data, "name"))]
        for data in raw:
            if (data, kind_of(data)) not in kept and data not in rollbacks:
                self._leave_out(recording, data)
        undone = self._rollbacks(rollbacks, recording.status)
        durations = [duration_of(data) if kind == "sleep" else None for data, kind in kept]
        names = split_names([(kind, str(get(data, "name"))) for data, kind in kept], self._notes, durations)
        reader = StepReader(self._notes, ended=recording.status in FINAL_STATUSES, as_text=self._as_text)
        for (data, kind), (name, count) in zip(kept, names, strict=True):
            step = reader.read(data, kind, name, count)
            recording.steps.append(step)
            if kind == "wait_for_event" and step.status == "complete":
                _add_event(recording, step)
        return undone

    def _rollbacks(self, raw: list[Mapping[str, Any]], status: str) -> list[Step]:
        """The steps that undid others. Nothing of them is played, so unknown parts of them are no notes."""
        silent = Notes()
        names = split_names([("do", str(get(data, "name"))) for data in raw], silent)
        reader = StepReader(silent, ended=status in FINAL_STATUSES, as_text=self._as_text)
        return [reader.read(data, "do", name, count) for data, (name, count) in zip(raw, names, strict=True)]

    def _in_order(self, steps: list[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
        """Sort the steps, oldest first: the API also gives them newest first."""
        silent = Notes()
        starts = [time(get(step, "start"), "", silent) for step in steps]
        known = [start for start in starts if start is not None]
        if known == sorted(known):
            return steps
        if known == sorted(known, reverse=True):
            return steps[::-1]
        last = known[0]
        keys: list[datetime] = []
        for start in starts:
            last = start or last  # a step without a time stays behind the one before it
            keys.append(last)
        return [step for _, step in sorted(zip(keys, steps, strict=True), key=lambda pair: pair[0])]

    def _check_count(self, count: int) -> None:
        step_count = get(self._data, "step_count")
        if get(self._data, "steps") is MISSING:
            more = f" of its {step_count} steps" if isinstance(step_count, int) and step_count else " steps"
            self._notes.add(f"The dump has none{more}: ask the API for them, without simple=true.")
        elif isinstance(step_count, int) and step_count > count:
            self._notes.add(f"The dump has {count} of {step_count} steps.")

    def _leave_out(self, recording: Recording, data: Mapping[str, Any]) -> None:
        kind, name = get(data, "type"), get(data, "name")
        if kind == "termination":
            source = get(mapping(get(data, "trigger")), "source")
            at = time(get(data, "end", "start", "timestamp"), "The time of the termination", self._notes)
            at = at or recording.ended_at or recording.started_at or recording.created_at
            source = "unknown" if source is MISSING else source
            if at is not None:
                detail = {"trigger": {"source": source}}
                recording.history.append(HistoryLine(kind=WORKFLOW_TERMINATED, at=at, detail=detail))
            else:
                self._notes.add(f"The instance was terminated (trigger: {source}); when is not in the dump.")
            return
        shown = "a step without a name" if name is MISSING else f"step {name!r}"
        what = (
            "has no type" if kind is MISSING else f"has the type {json.dumps(kind)}, which this version does not know"
        )
        self._notes.add(f"{shown[0].upper()}{shown[1:]} {what}: it is left out.")


def _add_event(recording: Recording, step: Step) -> None:
    if step.event_type is None:
        return
    step.event = len(recording.events)
    event = mapping(step.result)
    at = event.get("timestamp")
    sent = untag(at) if isinstance(at, Mapping) and at.get("$type") == "datetime" else None
    recording.events.append(
        SentEvent(
            type=step.event_type,
            payload=event.get("payload"),
            sent_at=None if sent is None else sent.replace(tzinfo=UTC),
            taken_by=step.label,
            taken_at=step.ended_at,
        )
    )
