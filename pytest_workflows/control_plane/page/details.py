"""One instance in full: its recording as it stands, which the page draws, and a test that is written of it."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from pytest_workflows.control_plane.served import Served, on_loop
from pytest_workflows.recordings.capture.builder import build
from pytest_workflows.recordings.capture.observer import Watched, Watcher
from pytest_workflows.recordings.capture.snapshot import Origin, Snapshot, snapshot
from pytest_workflows.sources.code_owner import file_of_class
from pytest_workflows.timeline.run import keep_run

if TYPE_CHECKING:
    from pytest_workflows.recordings import Recording

_OF = "pytest-workflows dev"


class Details:
    """The instances in full.

    Args:
        served: What is served.
    """

    def __init__(self, served: Served) -> None:
        self._served = served
        self._watcher = Watcher(served.engine)
        self._started = served.engine.clock.now
        served.engine.observers.add(self._watcher)

    @property
    def root(self) -> Path:
        """The project's folder."""
        return self._served.engine.root or Path.cwd()

    def forget(self, gone: Iterable[tuple[str, str]]) -> None:
        """Forget instances that were deleted."""
        for workflow, id in gone:
            self._watcher.forget(workflow, id)

    def wall_ms(self, workflow: str, id: str) -> float | None:
        """The real milliseconds of an instance so far; None where another process began it."""
        seen = self._watcher.find(workflow, id)
        if seen is None or not seen.is_whole:
            return None
        return seen.real_now() if seen.ended is None else (seen.ended - seen.began) * 1000

    async def recording(self, workflow: str, id: str) -> Recording | None:
        """The recording of an instance as it stands; None where there is no such instance.

        Args:
            workflow: The workflow's binding.
            id: The instance's id.
        """

        async def take() -> tuple[Snapshot, Origin] | None:
            return self._take(workflow, id)

        # Only what is stored is read on the engine's loop; what costs time is done on that of whoever asks.
        taken = await on_loop(self._served, take)
        if taken is None:
            return None
        found = self._as_real(build(*taken))
        return found if taken[0].seen.is_whole else msgspec.structs.replace(found, real_ms=None)

    def _take(self, workflow: str, id: str) -> tuple[Snapshot, Origin] | None:
        engine = self._served.engine
        binding = engine.bindings.get(workflow)
        instance = None if binding is None else engine.find(binding.workflow, id)
        if instance is None:
            return None
        seen = _copy(self._watcher.of(workflow, id))
        return snapshot(engine, instance, seen, keep_run(engine, instance)), self._origin(workflow, id)

    def _origin(self, workflow: str, id: str) -> Origin:
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

    def _as_real(self, recording: Recording) -> Recording:
        """Without what only a test has: an event that was sent before a restart of the process is no mocked one."""
        events = [msgspec.structs.replace(event, mocked=False) for event in recording.events]
        return msgspec.structs.replace(recording, test=None, events=events if self._served.is_live else recording.events)


def _copy(seen: Watched) -> Watched:
    """What was observed so far: more is, while the recording is built elsewhere."""
    fields = {name: getattr(seen, name) for name in seen.__struct_fields__}
    copies = {name: value.copy() for name, value in fields.items() if isinstance(value, dict | list)}
    copies["lines"] = {where: list(lines) for where, lines in seen.lines.items()}
    return Watched(**{**fields, **copies})

