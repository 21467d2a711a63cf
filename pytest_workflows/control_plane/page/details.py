"""One instance in full: its recording as it stands, which the page draws, and a test that is written of it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from durable_engine import InstanceRow, decode, to_datetime
from pytest_workflows.control_plane.served import Served
from pytest_workflows.recordings import SentEvent, tag
from pytest_workflows.recordings.capture.builder import build, relative
from pytest_workflows.recordings.capture.observer import Watched, Watcher
from pytest_workflows.recordings.capture.snapshot import Origin, Snapshot, snapshot
from pytest_workflows.sources.code_owner import file_of_class
from pytest_workflows.timeline.run import keep_run

if TYPE_CHECKING:
    from pytest_workflows.recordings import Recording

_MOST = 1000
"""How many lines of an attempt, and calls of an instance, are kept at least: a Worker may run for weeks."""

_BEFORE = "What was printed and which bindings were called before the process was started again."

Taken = tuple[Snapshot, Origin]

_OF = "pytest-workflows dev"


class _Recorder(Watcher):
    """Observes what storage does not keep, for as long as an instance is kept."""

    def instance_discarded(self, row: InstanceRow) -> None:
        """Forget an instance that is gone."""
        self.forget(row.workflow, row.id)


class Details:
    """The instances in full.

    Args:
        served: What is served.
    """

    def __init__(self, served: Served) -> None:
        self._served = served
        self._watcher = _Recorder(served.engine, _MOST)
        self._started = served.engine.clock.now
        served.engine.observers.add(self._watcher)

    @property
    def root(self) -> Path:
        """The project's folder."""
        return self._served.engine.root or Path.cwd()

    def place_of(self, workflow: str) -> tuple[str | None, str | None]:
        """The name of a workflow's class, and its file as recordings have it."""
        cls = self._served.env.classes.get(workflow)
        file = None if cls is None else file_of_class(cls)
        return None if cls is None else cls.__qualname__, None if file is None else relative(Path(file), self.root)

    def wall_ms(self, workflow: str, id: str) -> float | None:
        """The real milliseconds of an instance so far; None where another process began it."""
        seen = self._watcher.find(workflow, id)
        if seen is None or not seen.is_whole:
            return None
        return seen.real_now() if seen.ended is None else (seen.ended - seen.began) * 1000

    def take(self, workflow: str, id: str) -> Taken | None:
        """What a recording of an instance is made of; None where there is no such instance. On the engine's loop.

        Args:
            workflow: The workflow's binding.
            id: The instance's id.
        """
        engine = self._served.engine
        binding = engine.bindings.get(workflow)
        instance = None if binding is None else engine.find(binding.workflow, id)
        if instance is None:
            return None
        seen = _copy(self._watcher.of(workflow, id))
        return snapshot(engine, instance, seen, keep_run(engine, instance)), self._origin()

    def recording(self, taken: Taken) -> Recording:
        """The recording of an instance. It is made of copies, on whatever thread.

        Args:
            taken: What it is made of.
        """
        found = build(*taken)
        if not self._served.is_live:
            return msgspec.structs.replace(found, test=None)
        # An event that was sent to a former process is no mocked one.
        events = [msgspec.structs.replace(event, mocked=False) for event in found.events]
        found = msgspec.structs.replace(found, test=None, events=events)
        if taken[0].seen.is_whole:
            return found
        kept = [_as_event(event) for event in taken[0].events if not event.mocked]
        events += [event for event in kept if event not in events]
        return msgspec.structs.replace(found, events=events, real_ms=None, notes=[*found.notes, _BEFORE])

    def _origin(self) -> Origin:
        served = self._served
        project = served.env.project
        return Origin(
            rootdir=self.root,
            test=_OF,
            clock_start=self._started,
            seed=served.engine.seed,
            schedule_seed=None,
            limits={},
            config=None if project is None else project.path,
            bindings=[],
            classes=dict(served.env.classes),
            findings=list(self._watcher.findings),
            file_of=file_of_class,
        )


def _as_event(row: Any) -> SentEvent:
    return SentEvent(type=row.type, payload=tag(decode(row.payload)), sent_at=to_datetime(row.at))


def _copy(seen: Watched) -> Watched:
    """What was observed so far: more is, while the recording is built elsewhere."""
    fields = {name: getattr(seen, name) for name in seen.__struct_fields__}
    copies = {name: value.copy() for name, value in fields.items() if isinstance(value, dict | list)}
    copies["lines"] = {where: list(lines) for where, lines in seen.lines.items()}
    return Watched(**{**fields, **copies})
