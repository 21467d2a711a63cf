"""An upgrade amid a test's run: today's source takes the place of an older one, and what came of it is judged."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from durable_engine import Observer
from pytest_workflows.errors import WorkflowUpgradeError
from pytest_workflows.exploration.branches import Branches
from pytest_workflows.exploration.clock_values import Window
from pytest_workflows.exploration.in_flight import InFlight, put_in_flight
from pytest_workflows.exploration.source_run import InstanceEnd, SourceCall, SourceRun, places_of
from pytest_workflows.messages.short_repr import last_line

from .upgrade_text import UpgradeText
from .upgrade_verdict import Key, UpgradeVerdict

if TYPE_CHECKING:
    from durable_engine import Ask, CallbackRun, Effect, Engine, Instance, StepKey
    from pytest_workflows.bindings.env_resolver import EnvResolver
    from pytest_workflows.exploration.run_plan import CommonStart
    from pytest_workflows.project.old_source import OldSource
    from pytest_workflows.project.upgraded_project import UpgradedProjects
    from pytest_workflows.timeline.run import Run

    from .run_setup import RunSetup


class RunUpgrade(Observer):
    """The part of one run of a test in the check of an upgrade.

    Args:
        setup: The run.
        env: Its bindings.
        source: The older source.

    Attributes:
        has_instances: Whether there were instances at the end.
        problem: The kind of what is wrong with an upgrade; empty where nothing is.
        unknown: Why an upgrade could not be judged; empty where it was.
    """

    def __init__(self, setup: RunSetup, env: EnvResolver, source: OldSource) -> None:
        self._setup = setup
        self._env = env
        self._source = source
        self._engine: Engine | None = None
        self._calls: dict[Key, list[SourceCall]] = {}
        self._branches: dict[Key, Branches] = {}
        self._in_flight: dict[Key, InFlight] | None = None
        self._given: Mapping[str, Any] | None = None
        self._is_repeated = False
        self.has_instances = False
        self.problem = ""
        self.unknown = ""

    @property
    def _upgraded(self) -> UpgradedProjects | None:
        """The projects whose versions change; None in a run of today's source from the top."""
        return self._setup.upgraded

    def given(self, bindings: Mapping[str, Any]) -> Mapping[str, Any]:
        """What the older source has of the bindings that a test gives."""
        if self._upgraded is None:
            return bindings
        self._given = bindings
        return self._upgraded.of_old(bindings)

    def attach(self, engine: Engine) -> None:
        """Follow an engine, and deploy today's source where the run's plan says."""
        from pytest_workflows.introspection.registry import registry_of

        self._engine = engine
        engine.observers.add(self)
        registry_of(engine).keep_all_runs()
        if self._upgraded is not None:
            engine.faults.deploy = self._deploy

    # -- what happens ------------------------------------------------------------------------------------------------

    def effect(self, instance: Instance, effect: Effect) -> None:
        """Keep a call that may have changed something."""
        from pytest_workflows.rules.analysis.idempotency import classify_repeat, may_write

        if effect.step is not None and may_write(effect):
            is_harmless = classify_repeat(effect, instance) == "harmless"
            call = SourceCall(
                effect.service,
                effect.method,
                _arguments(effect),
                effect.place,
                effect.step,
                effect.attempt,
                is_harmless=is_harmless,
            )
            self._calls.setdefault(instance.key, []).append(call)

    def execution_started(self, instance: Instance, event: Any) -> None:
        """Judge an execution of today's source; let one of the older source see what the test has replaced."""
        self._follow_patches()
        flight = self._flight(instance)
        if flight is not None:
            flight.begin()
        elif self._in_flight is None:
            self._branches[instance.key] = Branches()

    def callback_started(self, instance: Instance, run: CallbackRun) -> None:
        """Let the older source see what the test has replaced since."""
        self._follow_patches()

    def _follow_patches(self) -> None:
        if self._upgraded is not None and self._in_flight is None:
            self._upgraded.follow_patches()

    def close(self) -> None:
        """The run is over."""
        if self._upgraded is not None:
            self._upgraded.close()

    def step_asked(self, instance: Instance, ask: Ask) -> None:
        """Judge a step that today's source asks for."""
        flight = self._flight(instance)
        if instance.replaying:
            return
        if flight is not None:
            flight.ask(ask)
        elif self._in_flight is None:
            self._branches.setdefault(instance.key, Branches()).ask(ask)

    def step_finished(self, instance: Instance, step: StepKey) -> None:
        """Note that a step has an outcome."""
        flight = self._flight(instance)
        if flight is not None:
            flight.answer(step)
        elif self._in_flight is None:
            self._branches.setdefault(instance.key, Branches()).answer(step)

    def _flight(self, instance: Instance) -> InFlight | None:
        return None if self._in_flight is None else self._in_flight.get(instance.key)

    def _deploy(self) -> None:
        assert self._engine is not None
        assert self._upgraded is not None
        live = [one for one in self._engine.instances if not one.finished]
        in_flight = {one.key: put_in_flight(self._engine, one, self._branches.get(one.key, Branches())) for one in live}
        # An attempt that is made again has its effects again, whatever the source.
        self._is_repeated = any(
            call.step in flight.lost and not call.is_harmless
            for key, flight in in_flight.items()
            for call in self._calls.get(key, ())
        )
        if self._setup.plan.stage == "control":
            self._in_flight = in_flight
            return
        self._upgraded.deploy()
        for folder in self._upgraded.folders:
            self._setup.sources.add_folder(folder)
        with self._engine.deploying() as bound:
            self._env.deploy(self._given)
        for key, flight in in_flight.items():
            flight.is_orphan = key[0] not in bound
        self._in_flight = in_flight

    # -- the judgement -----------------------------------------------------------------------------------------------

    def judge(self, failure: BaseException | None) -> None:
        """At the end of a test's call: keep what the run came to, and judge an upgrade.

        Args:
            failure: What the call failed with; None where it passed.

        Raises:
            WorkflowUpgradeError: If an instance in flight does not come to what it should.
        """
        __tracebackhide__ = True
        start, plan = self._setup.start, self._setup.plan
        if start is None or self._engine is None or self._engine.closed:
            return
        if self._upgraded is not None and self._upgraded.import_errors:
            self.unknown = self._source.not_importable(*self._upgraded.import_errors[0])
            return
        now = self._source_run(failure)
        self.has_instances = bool(now.instances)
        if self._upgraded is None:
            start.today[plan.seed] = now
        elif plan.point is None:
            start.old[plan.seed] = now
            if failure is not None and not now.instances:
                self.unknown = f"it fails on the older source, without instances: {UpgradeText.line(failure)}"
        elif self._in_flight is None:
            self.unknown = "the older source did not come to the point again"
        else:
            verdict = self._verdict(self._in_flight, now, start)
            try:
                self.unknown = verdict.check(failure)
            except WorkflowUpgradeError as error:
                self.problem = error.kind
                if plan.stage == "verdict":
                    raise

    def _verdict(self, in_flight: Mapping[Key, InFlight], now: SourceRun, start: CommonStart) -> UpgradeVerdict:
        assert self._engine is not None
        plan = self._setup.plan
        old = start.old[plan.seed]
        today = old if plan.stage == "control" else start.today[plan.seed]
        return UpgradeVerdict(
            in_flight,
            now,
            today,
            old,
            Window(self._engine.clock.started_ms, max(now.ended_ms, today.ended_ms, old.ended_ms)),
            self._setup.settings.ignore_state,
            self._is_repeated,
            UpgradeText(self._setup, self._source, len(in_flight)),
        )

    # -- what the run came to ------------------------------------------------------------------------------------------

    def _source_run(self, failure: BaseException | None) -> SourceRun:
        from pytest_workflows.introspection.registry import runs_of

        assert self._engine is not None
        ends = {(run.workflow, run.id): self._end(run) for run in runs_of(self._engine)}
        return SourceRun(failure is None, ends, self._env.contents(), self._engine.clock.now_ms)

    def _end(self, run: Run) -> InstanceEnd:
        from durable_engine import decode

        error, output = run.error, run.row.output
        said = None if error is None else (error["name"], last_line(error["message"]))
        calls = self._calls.get((run.workflow, run.id), [])
        value = None if output is None else decode(output)
        return InstanceEnd(run.status, value, said, calls, places_of(run.executions))


def _arguments(effect: Effect) -> tuple[Any, ...]:
    """The arguments of a call, after those of the calls that gave the object it was made on."""
    before = () if effect.origin is None else _arguments(effect.origin)
    given = tuple(value for one in effect.given for value in _arguments(one))
    return (*before, *given, *effect.args, *(effect.kwargs[name] for name in sorted(effect.kwargs)))
