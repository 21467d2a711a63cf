"""What a run of a test leaves in its stores, and whether a crash has changed it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from durable_engine import Effect, Engine, Place
    from pytest_workflows.bindings.env_resolver import EnvResolver
    from pytest_workflows.exploration.run_plan import Progress

    from .run_setup import RunSetup

RULE = "different-state"


class RunState:
    """The comparison of what one run left with what the plain run left.

    Args:
        setup: The run.
        env: Its bindings.
    """

    def __init__(self, setup: RunSetup, env: EnvResolver) -> None:
        self._setup = setup
        self._env = env

    def check(self, engine: Engine) -> None:
        """At the end of a run that passed: keep what the plain run left, or add a finding where a crash changed it.

        Args:
            engine: The run's engine.
        """
        start, plan = self._setup.start, self._setup.plan
        if start is None or plan.seed != start.seed:
            return
        if plan.point is None:
            start.left, start.progress, start.ended_ms = self._env.contents(), _progress(engine), engine.clock.now_ms
        elif start.left is not None and engine.faults.struck and start.progress == _progress(engine):
            self._compare(engine, f"after a crash ({plan.point.title})")

    def _compare(self, engine: Engine, when: str) -> None:
        from pytest_workflows.exploration.clock_values import Window
        from pytest_workflows.exploration.state_difference import differences, summary

        start = self._setup.start
        assert start is not None
        assert start.left is not None
        clock = engine.clock
        window = Window(clock.started_ms, max(clock.now_ms, start.ended_ms))
        found = differences(start.left, self._env.contents(), self._setup.settings.ignore_state, window)
        if not found:
            return
        effect = self._cause(engine, found[0].names)
        place = self._place_of_test() if effect is None else effect.place
        step = None if effect is None or effect.step is None else effect.step.label
        engine.findings.add(RULE, f"{when} {summary(found)}", place, step=step, workflow=self._workflow)

    @property
    def _workflow(self) -> str | None:
        point = self._setup.plan.point
        return None if point is None else point.workflow

    def _cause(self, engine: Engine, names: tuple[str, ...]) -> Effect | None:
        """The call that most likely made the difference: the last that wrote to the store in the step that crashed."""
        from pytest_workflows.bindings.call_log import logs_of
        from pytest_workflows.rules.analysis.idempotency import classify_call, may_write

        point = self._setup.plan.point
        assert point is not None
        logs = logs_of(engine)
        calls = [record for name in names if name in logs for record in logs[name].records]
        step = (point.instance, point.step)
        effects = [one.effect for one in calls if (one.instance, one.step) == step and one.effect is not None]
        if not effects:  # what an attempt that was made again has called wrote there, such as a queue's consumer
            others = [record for log in logs.values() for record in log.records]
            again = [one for one in others if one.instance == point.instance and (one.attempt or 1) > 1]
            effects = [one.effect for one in again if one.effect is not None]
        if not effects:
            effects = [one.effect for one in calls if one.effect is not None]
        for likely in (
            [one for one in effects if classify_call(one) == "harmful"],
            [one for one in effects if may_write(one)],
        ):
            if likely:
                return likely[-1]
        return effects[-1] if effects else None

    def _place_of_test(self) -> Place:
        path, line, _ = self._setup.item.location
        return str(self._setup.rootdir / path), (line or 0) + 1


def _progress(engine: Engine) -> Progress:
    """How far the instances of a run came: of runs that were left amid their steps, one may have done more."""
    from durable_engine import FINAL_STATUSES
    from pytest_workflows.introspection.registry import runs_of

    return {
        (run.workflow, run.id): None
        if run.status in FINAL_STATUSES
        else frozenset(f"{row.key.kind} {row.key.label}" for row in run.steps if row.ended_at is not None)
        for run in runs_of(engine)
    }
