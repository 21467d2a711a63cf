"""The recordings of one test's run: captured while it runs, and written when it is over."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

    import pytest

    from durable_engine import Engine
    from pytest_workflows.bindings.env_resolver import EnvResolver
    from pytest_workflows.recordings.capture.captured import Capture
    from pytest_workflows.recordings.capture.observer import Watcher
    from pytest_workflows.recordings.capture.snapshot import Origin
    from pytest_workflows.recordings.format.model import Recording
    from pytest_workflows.recordings.format.redaction import Secrets

    from .run_secrets import RunSecrets
    from .run_setup import RunSetup


class RunRecordings:
    """The recordings of the instances of one run of a test.

    Args:
        setup: The test's run.
        env: Knows the workflows' classes.
        secrets: What is kept out of them.
    """

    def __init__(self, setup: RunSetup, env: EnvResolver, secrets: RunSecrets) -> None:
        self._setup = setup
        self._settings = setup.settings
        self._env = env
        self._secrets = secrets
        self._clock_start: datetime | None = None
        self._capture: Capture | None = None
        self._is_reported = False

    @property
    def _records_all(self) -> bool:
        settings = self._settings
        return settings.record == "all" or settings.records_for_reports

    def attach(self, engine: Engine) -> None:
        """Capture the instances of an engine, if anybody wants recordings or something must be redacted."""
        settings = self._settings
        if settings.record == "none" and not settings.records_for_reports and not self._secrets.are_known:
            return
        from durable_engine import to_datetime
        from pytest_workflows.introspection.registry import registry_of
        from pytest_workflows.recordings.capture.captured import MOST, Capture

        most = None if self._records_all else MOST
        self._clock_start = to_datetime(engine.clock.started_ms)
        self._capture = Capture(engine, settings.redact, most, self._secrets.values)
        self._secrets.attach(self._collect_secrets)
        registry_of(engine).on_leave(self._capture.keep)

    def stop(self) -> None:
        """The test's call is over: what is printed is no output of an instance any more. Stopping twice is fine."""
        if self._capture is not None:
            self._capture.stop()

    def dismantle(self) -> None:
        """Let go of what was captured, which knows the engine and this: nobody asks for it any more."""
        self._secrets.detach()
        if self._capture is not None:
            self._capture.dismantle()
            self._capture = None

    def finish_all(self) -> None:
        """Capture every instance as it is when the call is over, if all tests are recorded."""
        if self._records_all:
            self.finish()

    def finish(self) -> None:
        """Capture every instance that is left; doing so again, or when the engine is closed, changes nothing."""
        if self._capture is not None:
            self._capture.finish()

    def recordings(self) -> list[Recording]:
        """The recordings of the instances so far; none with `--workflows-record=none`."""
        if self._capture is None:
            return []
        self._capture.finish()
        return self._capture.recordings(self._origin)

    def report(self, report: pytest.TestReport) -> None:
        """Write the recordings where the settings want them, and name the files in the report of a test's phase."""
        if self._setup.plan.is_repeated:
            return  # the first slice writes the same files
        settings = self._settings
        if self._is_reported or settings.record == "none" or (report.when != "call" and not report.failed):
            return
        base = os.path.join(self._setup.rootdir, settings.failures_dir)
        if report.failed or settings.record == "all" or os.path.isdir(base):
            from .recording_section import report_recordings

            self._is_reported = report_recordings(report, self._setup, self.recordings)

    @property
    def kept_steps(self) -> int | None:
        """How many steps of an instance the files keep that were written, 0 for all; None where none were."""
        return self._settings.record_steps if self._is_reported else None

    def _collect_secrets(self) -> Secrets | None:
        assert self._capture is not None
        self._capture.finish()
        return self._capture.hiding(self._origin)

    def _origin(self, watcher: Watcher) -> Origin:
        from pytest_workflows.recordings.capture.snapshot import Origin
        from pytest_workflows.sources.code_owner import file_of_class

        setup = self._setup
        assert self._clock_start is not None
        return Origin(
            rootdir=setup.rootdir,
            test=setup.title,
            clock_start=self._clock_start,
            seed=setup.seed,
            schedule_seed=setup.interleaving_seed,
            limits=self._settings.limits,
            config=None if setup.project is None else setup.project.path,
            bindings=self._env.overridden,
            classes=self._env.classes,
            findings=watcher.findings,
            file_of=file_of_class,
        )
