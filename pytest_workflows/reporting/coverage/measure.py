"""The measurement of step coverage: the steps of recordings against the steps of the source."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

from pytest_workflows.recordings import Recording, Step, workflow_of
from pytest_workflows.sources import SourceWorkflow, family, find_steps

from .model import Coverage, KnownWorkflow, StepCoverage, WorkflowCoverage

_TIMEOUT = "WorkflowTimeoutError"


FindSource = Callable[[KnownWorkflow], SourceWorkflow | None]


def sources_of(rootdir: Path) -> FindSource:
    """Reads workflows' sources, each once.

    Args:
        rootdir: What files are relative to.
    """
    read: dict[KnownWorkflow, SourceWorkflow | None] = {}

    def find(workflow: KnownWorkflow) -> SourceWorkflow | None:
        if workflow not in read:
            known = workflow.file is not None and workflow.class_name is not None
            read[workflow] = find_steps(rootdir / workflow.file, workflow.class_name) if known else None  # type: ignore[operator,arg-type]  # known says so
        return read[workflow]

    return find


def known_by(recording: Recording) -> KnownWorkflow:
    """The workflow that a recording is of."""
    return KnownWorkflow(workflow_of(recording), recording.class_name, recording.file)


def measure(
    recordings: Iterable[Recording], configured: Iterable[KnownWorkflow], find: FindSource, rootdir: Path
) -> Coverage:
    """The coverage of all workflows.

    Args:
        recordings: The recordings of the tests.
        configured: Workflows that count even where no test ran them.
        find: Reads a workflow's source.
        rootdir: What files are relative to.
    """
    workflows: dict[KnownWorkflow, _Counter] = {}
    for known in configured:
        workflows.setdefault(known, _Counter(known, find(known), rootdir))
    for recording in recordings:
        known = known_by(recording)
        workflows.setdefault(known, _Counter(known, find(known), rootdir)).add(recording)
    ordered = sorted(
        workflows.items(), key=lambda item: (item[0].workflow, item[0].file or "", item[0].class_name or "")
    )
    return Coverage([counter.finish() for _, counter in ordered])


class _Counter:
    """A counter for one workflow."""

    def __init__(self, known: KnownWorkflow, source: SourceWorkflow | None, rootdir: Path) -> None:
        self._source = source
        self._steps = [
            StepCoverage(step.kind, step.name.text, step.line, relative(step.file, rootdir))
            for step in (source.steps if source is not None else ())
        ]
        self._others: dict[tuple[str, str], StepCoverage] = {}
        self._tests: dict[int, set[str | None]] = {}
        self._coverage = WorkflowCoverage(known, found=source is not None)

    def add(self, recording: Recording) -> None:
        """Count one run."""
        self._coverage.instances += 1
        for step in recording.steps:
            covered = self._covered(step)
            _count(covered, step, recording)
            self._tests.setdefault(id(covered), set()).add(recording.test)

    def _covered(self, step: Step) -> StepCoverage:
        index = None if self._source is None else self._source.find(step.kind, step.name)
        if index is not None:
            return self._steps[index]
        key = (step.kind, family(step.name))
        return self._others.setdefault(key, StepCoverage(*key))

    def finish(self) -> WorkflowCoverage:
        """The workflow's coverage."""
        steps = [*self._steps, *self._others.values()]
        for step in steps:
            step.tests = len(self._tests.get(id(step), ()))
        self._coverage.steps = steps
        return self._coverage


def what_happened(step: Step, recording: Recording) -> set[str]:
    """The counts that a run of a step adds to, by name: `real` or `mocked`, `failed`, `crashed`, ..."""
    said = {
        "real": _is_real(step, recording),
        "mocked": not _is_real(step, recording),
        "failed": step.kind == "do" and step.status == "errored",
        "timed_out": _timed_out(step),
        "exhausted": _exhausted(step),
        "crashed": _crashes(step, recording) > 0,
    }
    return {name for name, is_so in said.items() if is_so}


def _count(covered: StepCoverage, step: Step, recording: Recording) -> None:
    for name in what_happened(step, recording) - {"crashed"}:
        setattr(covered, name, getattr(covered, name) + 1)
    covered.crashed += _crashes(step, recording)


def _crashes(step: Step, recording: Recording) -> int:
    return sum(
        crash.step == step.label or (crash.step is None and crash.after == step.label) for crash in recording.crashes
    )


def _is_real(step: Step, recording: Recording) -> bool:
    if step.kind != "do":
        event = None if step.event is None else recording.events[step.event]
        return not step.mocked and (event is None or not event.mocked)
    return not step.mocked or any(not attempt.mocked for attempt in step.attempts)


def _timed_out(step: Step) -> bool:
    if step.kind == "do":
        errors = [attempt.error for attempt in step.attempts]
        return any(error is not None and _TIMEOUT in (error.name, error.message.split(":")[0]) for error in errors)
    return step.kind == "wait_for_event" and step.status == "errored"


def _exhausted(step: Step) -> bool:
    retries = (step.config or {}).get("retries")
    limit = retries.get("limit") if isinstance(retries, dict) else None
    return step.status == "errored" and isinstance(limit, int) and 0 < limit < len(step.attempts)


def relative(file: str, rootdir: Path) -> str:
    """A file relative to rootdir, where it lies in it."""
    path = Path(file)
    return path.relative_to(rootdir).as_posix() if path.is_relative_to(rootdir) else file
