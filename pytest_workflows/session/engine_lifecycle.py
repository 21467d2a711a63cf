"""The lifecycle of one test's engine: made on first use, stopped after the call, closed after the fixtures."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

import pytest

from pytest_workflows.introspection import freeze

from .process_end import arm_watchdog

if TYPE_CHECKING:
    from durable_engine import Engine, Rule

    from .run_setup import RunSetup


class EngineLifecycle:
    """The engine of one test, from its making to its end.

    A property test has one after the other, and all of them start at the same virtual time.

    Args:
        setup: The test's run.
        freezer: The freezer, which shows virtual time to user code.
        stderr: The file descriptor that is printed to where the process must end.

    Attributes:
        engine: The engine; None before it is first used.
    """

    def __init__(self, setup: RunSetup, freezer: freeze.Freezer, stderr: int) -> None:
        self._setup = setup
        self._settings = setup.settings
        self._freezer = freezer
        self._stderr = stderr
        self._now: int | None = None
        self.engine: Engine | None = None

    @property
    def open_engine(self) -> Engine | None:
        """The engine, while it is not closed."""
        return None if self.engine is None or self.engine.closed else self.engine

    def open(self) -> Engine:
        """Make an engine as the settings and the plan of the run want it.

        Raises:
            pytest.UsageError: If somebody else has frozen time.
        """
        from durable_engine import to_datetime
        from pytest_workflows.introspection.registry import registry_of
        from pytest_workflows.rules.registry import load_rules
        from pytest_workflows.standins.entropy import draw_from_seed

        settings, plan = self._settings, self._setup.plan
        now = to_datetime(self._start_of_clock())
        rules = load_rules().rules
        self._freezer.start(now)  # it may refuse: nothing must be open by then
        engine = self.engine = _make_engine(self._setup, now, rules)
        start = self._setup.start
        draw_from_seed(engine, None if start is None else start.entropy)
        arm_watchdog(self._setup.item, self._stderr)
        engine.faults.recording = plan.records
        if plan.point is not None:
            engine.faults.arm(plan.point)
        registry_of(engine).configure(
            strict=settings.unused_mocks == "error" and plan.upgrade_from is None,
            replays=settings.replay and plan.point is None and plan.upgrade_from is None,
        )
        engine.clock.observers.append(self._freezer.move_to)
        return engine

    def _start_of_clock(self) -> int:
        if self._now is None:
            from durable_engine import read_now

            now, start = self._settings.now, self._setup.start
            if now is not None:
                self._now = read_now(now)
            else:
                self._now = freeze.real_seconds() * 1000 if start is None or start.now is None else start.now
            if start is not None:
                start.now = self._now
        return self._now

    def stop(self) -> None:
        """The test's call is over: nothing runs on, but teardown can still read what is stored."""
        engine = self.open_engine
        if engine is not None:
            from pytest_workflows.introspection.registry import registry_of

            registry_of(engine).stop_replays()
            engine.stop()

    def close(self) -> None:
        """End the engine: no task, timer or row of it stays. Closing twice is fine."""
        engine = self.open_engine
        if engine is not None:
            from pytest_workflows.workers.context import cancel_background

            engine.close()
            cancel_background()

    def close_stopped(self) -> None:
        """After the test's report: close the code that was stopped in its middle."""
        if self.engine is not None:
            from pytest_workflows.standins.entropy import stop_drawing

            self.engine.stopped_tasks.close()
            stop_drawing(self.engine)  # not earlier: a fixture may put back what it found while the engine was open

    def forget(self) -> None:
        """The next use makes another engine."""
        self.engine = None


def _make_engine(setup: RunSetup, now: datetime, rules: Mapping[str, Rule]) -> Engine:
    from durable_engine import Engine, Limits
    from pytest_workflows.errors import UnprovidedError
    from pytest_workflows.project.plans import PLANS, limits_of

    settings, project = setup.settings, setup.project
    configured = {} if project is None or not project.readable else project.config.limits
    limits: dict[str, Any] = {**limits_of(PLANS[settings.plan], configured), **settings.limits}
    return Engine(
        now=now,
        seed=setup.seed,
        schedule_seed=setup.interleaving_seed,
        timeout=settings.timeout,
        manual_clock=settings.clock == "manual",
        limits=Limits(steps=settings.step_limit, **limits),
        # The rules are about today's source, which other runs of the test check.
        ignore_rules=settings.ignore_rules if setup.plan.upgrade_from is None else rules,
        rules=rules,
        root=setup.rootdir,
        passthrough=(pytest.fail.Exception, pytest.skip.Exception, pytest.exit.Exception, pytest.xfail.Exception),
        unprovided=(UnprovidedError,) if settings.unprovided == "error" else (),
    )
