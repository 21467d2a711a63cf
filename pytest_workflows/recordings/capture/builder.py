"""The construction of recordings: from an instance's storage, and from observations while it ran."""

from __future__ import annotations

import traceback
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from durable_engine import (
    SENSITIVE,
    Finding,
    HistoryEvent,
    Modification,
    StepKey,
    StepRecord,
    decode,
    error_of,
    history_records,
    is_hidden,
    stored_inputs,
    to_datetime,
)
from durable_engine.history import STEP_STARTS, WAIT_COMPLETE, WORKFLOW_QUEUED, WORKFLOW_START
from pytest_workflows.recordings.format.model import (
    Attempt,
    Crash,
    Effect,
    ErrorRecord,
    FindingRecord,
    HistoryLine,
    LogLine,
    ModificationRecord,
    Recording,
    ResourceUse,
    RunSettings,
    SentEvent,
    SourcePlace,
    Step,
)
from pytest_workflows.recordings.format.redaction import HIDDEN
from pytest_workflows.recordings.format.values import is_unknown, tag, tag_items

from .observer import AttemptKey, OutputLine
from .snapshot import Origin, Snapshot

_LOST = "Attempt failed due to internal workflows error"


def build(run: Snapshot, origin: Origin) -> Recording:
    """The recording of one instance."""
    return _Builder(run, origin).build()


class _Builder:
    def __init__(self, run: Snapshot, origin: Origin) -> None:
        self._run = run
        self._seen = run.seen
        self._origin = origin
        self._history = history_records(run.stored.history)
        self._keys = [line.key for line in run.stored.lines]
        self._rows = {row.key: row for row in run.stored.steps}
        lines = list(zip(self._keys, self._history, strict=True))
        self._starts = {key: line.detail for key, line in lines if key is not None and line.kind in STEP_STARTS}
        self._taken: dict[str, int] = {}

    def build(self) -> Recording:
        run, origin, seen = self._run, self._origin, self._seen
        row = run.stored.row
        cls = origin.classes.get(run.workflow)
        error = error_of(row)
        events = self._events()
        self._taken = {event.taken_by: index for index, event in enumerate(events) if event.taken_by is not None}
        return Recording(
            instance_id=row.id,
            status=run.stored.status,
            made_by=f"pytest-workflows {_version()}",
            test=origin.test,
            binding=run.workflow,
            workflow=run.workflow_name,
            class_name=None if cls is None else cls.__qualname__,
            module=None if cls is None else cls.__module__,
            file=None if cls is None else self._file(origin.file_of(cls)),
            config=None if origin.config is None else self._file(str(origin.config)),
            bindings=origin.bindings,
            params=tag(decode(row.params)),
            trigger=self._trigger(),
            clock_start=origin.clock_start,
            created_at=to_datetime(row.created_at),
            started_at=next((line.at for line in self._history if line.kind == WORKFLOW_START), None),
            ended_at=None if row.ended_at is None else to_datetime(row.ended_at),
            recorded_at=run.now,
            seed=origin.seed,
            schedule_seed=origin.schedule_seed,
            settings=RunSettings(
                step_limit=run.step_limit,
                implicit_dependencies=run.implicit_dependencies,
                limits=dict(origin.limits),
            ),
            modifications=[modification_record(one) for one in run.modifications],
            steps=[self._step(step) for step in run.stored.step_records],
            events=events,
            effects=[self._effect(at, effect) for at, effect in seen.effects],
            log=_log(seen.lines.get(None, ())),
            crashes=[_crash(*crash) for crash in seen.crashes],
            findings=[self._finding(one) for one in origin.findings if one.workflow in (None, run.workflow)],
            history=[
                HistoryLine(kind=line.kind, at=line.at, step=line.step, detail=self._detail(line, key))
                for line, key in zip(self._history, self._keys, strict=True)
            ],
            output=None if row.output is None else tag(decode(row.output)),
            error=None if error is None else ErrorRecord(**error),
            traceback=None if run.exception is None else _traceback(run.exception),
            real_ms=round(((seen.ended or run.real_now) - seen.began) * 1000, 3),
            lives=max(seen.executions, 1),
            uses=[ResourceUse(one.resource, _rounded(one.used) or 0, one.limit, one.unit) for one in run.stored.uses],
        )

    # -- steps -------------------------------------------------------------------------------------------------------

    def _step(self, step: StepRecord) -> Step:
        row = self._rows[step.key]
        ask, seen = self._seen.asks.get(step.key), self._seen
        place = seen.places.get(step.key) if ask is None else ask.place
        parent = seen.parents.get(step.key)
        real_at, real_end = seen.step_times.get(step.key, (None, None))
        sensitive = bool(row.flags & SENSITIVE)
        result = None if row.result is None else HIDDEN if sensitive else tag(decode(row.result))
        detail = self._starts.get(step.key, {})
        event = self._taken.get(step.key.label) if step.kind == "wait_for_event" else None
        return Step(
            kind=step.kind,
            name=step.name,
            count=step.count,
            status=step.status,
            started_at=step.started_at,
            ended_at=step.ended_at,
            config=tag_items(detail["config"]) if "config" in detail else None,
            inputs=tag_items(stored_inputs(row)),
            result=result,
            error=None if step.error is None else ErrorRecord(**step.error),
            mocked=step.mocked,
            sensitive=sensitive,
            attempts=self._attempts(step),
            duration_ms=detail.get("durationMs"),
            event_type=detail.get("event"),
            timeout_ms=self._seen.timeouts.get(step.key),
            event=event,
            real_at_ms=_rounded(real_at),
            real_ms=None if real_at is None or real_end is None else round(real_end - real_at, 3),
            place=None if place is None else self._place(*place),
            branch=0 if ask is None else ask.branch,
            parent=None if parent is None else parent.label,
        )

    def _attempts(self, step: StepRecord) -> list[Attempt]:
        attempts = []
        for one in step.attempts:
            at: AttemptKey = (step.key, one.number)
            real = self._seen.real.get(at)
            delay = one.retry_delay
            attempts.append(
                Attempt(
                    number=one.number,
                    started_at=one.started_at,
                    ended_at=one.ended_at,
                    error=None if one.error is None else ErrorRecord(**one.error),
                    retry_delay_ms=None if delay is None else round(delay.total_seconds() * 1000),
                    lost=one.error is not None and one.error["message"] == _LOST,
                    mocked=step.mocked and real is None and one.ended_at is not None,
                    real_at_ms=_rounded(self._seen.began_at.get(at)),
                    real_ms=_rounded(real),
                    log=_log(self._seen.lines.get(at, ())),
                )
            )
        return attempts

    # -- the rest ----------------------------------------------------------------------------------------------------

    def _events(self) -> list[SentEvent]:
        """The events that were sent, and those that a mock made; of one type, waits took them in their order."""
        events = [SentEvent(type=type, payload=tag(decode(data)), sent_at=at) for type, data, at in self._seen.events]
        for line, row in zip(self._history, self._run.stored.lines, strict=True):
            if line.kind != WAIT_COMPLETE:
                continue
            assert row.value is not None
            received = decode(row.value)
            if is_unknown(received) or is_unknown(received["type"]):
                continue  # a replayed recording does not have it
            taken = next((one for one in events if one.taken_by is None and one.type == received["type"]), None)
            if taken is None or not _same_payload(taken, received):
                sent_at = received["timestamp"]
                taken = SentEvent(type=received["type"], payload=tag(received["payload"]), mocked=True)
                taken.sent_at = None if is_unknown(sent_at) else sent_at.replace(tzinfo=line.at.tzinfo)
                events.append(taken)
            taken.taken_by, taken.taken_at = line.step, line.at
        events += [
            SentEvent(type=one.type, payload=tag(decode(one.payload)), sent_at=to_datetime(one.at), mocked=True)
            for one in self._run.events
            if one.mocked
        ]
        return events

    def _effect(self, at: datetime, effect: Any) -> Effect:
        return Effect(
            service=effect.service,
            method=effect.method,
            args=[tag(value) for value in effect.args],
            kwargs=tag_items(effect.kwargs),
            at=at,
            step=None if effect.step is None else effect.step.label,
            attempt=effect.attempt,
            place=self._place(*effect.place),
        )

    def _finding(self, finding: Finding) -> FindingRecord:
        place = self._place(finding.file, finding.line)
        return FindingRecord(rule=finding.rule, message=finding.message, place=place, step=finding.step)

    def _detail(self, line: HistoryEvent, key: StepKey | None) -> dict[str, Any]:
        detail = tag_items(line.detail)
        if key is not None and key in self._rows and self._rows[key].flags & SENSITIVE and "result" in detail:
            detail["result"] = HIDDEN
        return detail

    def _trigger(self) -> dict[str, Any] | None:
        """The trigger of the instance, with the cron of one that a cron started, as production's dumps have it."""
        trigger = next((line.detail.get("trigger") for line in self._history if line.kind == WORKFLOW_QUEUED), None)
        cron = self._run.stored.row.trigger
        if trigger is None or cron is None:
            return trigger
        return {**trigger, "cron": cron.cron, "scheduledTime": cron.scheduled_time}

    def _place(self, file: str, line: int) -> SourcePlace:
        return SourcePlace(file=self._file(file) or file, line=line)

    def _file(self, file: str | None) -> str | None:
        return None if file is None else relative(Path(file), self._origin.rootdir)


def relative(path: Path, rootdir: Path) -> str:
    """A path as recordings show it: relative to rootdir where it lies in it, with forward slashes."""
    try:
        return path.relative_to(rootdir).as_posix()
    except ValueError:
        return str(path)


def _rounded(ms: float | None) -> float | None:
    return None if ms is None else round(ms, 3)


def _same_payload(event: SentEvent, detail: Mapping[str, Any]) -> bool:
    return bool(event.payload == tag(detail["payload"]))


def modification_record(one: Modification) -> ModificationRecord:
    """A modification as recordings have it."""
    selector = one.selector
    return ModificationRecord(
        call=one.call,
        kind=one.change.kind,
        step=None if selector is None else selector.name,
        index=None if selector is None else selector.index,
        times=one.times,
        used=one.used,
    )


def _crash(at: datetime, after: StepKey | None, lost: AttemptKey | None) -> Crash:
    return Crash(
        at=at,
        after=None if after is None else after.label,
        step=None if lost is None else lost[0].label,
        attempt=None if lost is None else lost[1],
    )


def _log(lines: Any) -> list[LogLine]:
    return [_line(line) for line in lines]


def _line(line: OutputLine) -> LogLine:
    text = line.text.encode("utf-8", "backslashreplace").decode()
    return LogLine(at=line.at, source=line.source, text=text, level=line.level, logger=line.logger)


def _traceback(exception: BaseException) -> str:
    summary = traceback.TracebackException.from_exception(exception)
    _leave_out_ours(summary)
    return "".join(summary.format()).encode("utf-8", "backslashreplace").decode()


def _leave_out_ours(summary: traceback.TracebackException) -> None:
    kept = [frame for frame in summary.stack if not is_hidden(frame.filename)]
    summary.stack = traceback.StackSummary.from_list(kept)
    for part in (summary.__cause__, summary.__context__, *(summary.exceptions or ())):
        if part is not None:
            _leave_out_ours(part)


def _version() -> str:
    from importlib.metadata import version

    return version("pytest-workflows")
