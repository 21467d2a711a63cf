"""An upgrade amid a test's run: today's source takes the place of an older one, and what came of it is judged."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from durable_engine import EngineError, Observer
from pytest_workflows.errors import WorkflowUpgradeError
from pytest_workflows.exploration.branches import Branches
from pytest_workflows.exploration.judgement import BegunStep, Judgement, PathDifference
from pytest_workflows.exploration.source_run import InstanceEnd, SourceCall, SourceRun

from .upgrade_text import UpgradeText

if TYPE_CHECKING:
    from durable_engine import Ask, CallbackRun, Effect, Engine, ExecutionRecord, Instance, Place, StepKey
    from pytest_workflows.bindings.env_resolver import EnvResolver
    from pytest_workflows.exploration.clock_values import Window
    from pytest_workflows.project.old_source import OldSource
    from pytest_workflows.project.upgraded_project import UpgradedProjects
    from pytest_workflows.timeline.text import Run

    from .run_setup import RunSetup

Key = tuple[str, str]


@dataclass(eq=False)
class InFlight:
    """An instance that is in flight when today's source is deployed.

    Attributes:
        begun: The steps that the older source had begun, in order.
        lost: Those of them that were under way, whose attempts are made again.
        old_places: Where the older source has its steps.
        old_branches: The branches of the older source's execution.
        new_places: Where today's source has its steps.
        judgement: The judgement of the steps that today's source asks for.
        branches: The branches of today's execution.
        answered: The new steps that have an outcome.
        difference: The first step that is not taken up as it was left.
        is_orphan: Whether today's source has no such workflow.
    """

    begun: list[BegunStep]
    lost: frozenset[StepKey]
    old_places: Mapping[StepKey, Place]
    old_branches: Branches
    new_places: dict[StepKey, Place] = field(default_factory=dict)
    judgement: Judgement = field(init=False)
    branches: Branches = field(init=False)
    answered: list[StepKey] = field(default_factory=list)
    difference: PathDifference | None = None
    is_orphan: bool = False

    def __post_init__(self) -> None:
        self.begin()

    def begin(self) -> None:
        """An execution of today's source begins."""
        self.judgement = Judgement(self.begun, self.old_branches.may_wait)
        self.branches = Branches()
        self.answered = []

    def ask(self, ask: Ask) -> None:
        """Today's source asks for a step."""
        self.new_places.setdefault(ask.key, ask.place)
        self.branches.ask(ask)
        answered = [key for key in self.answered if self.branches.may_wait(ask.key, key)]
        difference = self.judgement.ask(ask.key, answered)
        self.difference = self.difference or difference

    def finish(self) -> None:
        """Today's source goes no further."""
        # What is never asked for says more than an order, which a crash alone may change as well.
        self.difference = self.judgement.finish() or self.difference

    def answer(self, key: StepKey) -> None:
        """A step has an outcome."""
        self.branches.answer(key)
        if key in self.judgement.new and key not in self.answered:
            self.answered.append(key)


class RunUpgrade(Observer):
    """The part of one run of a test in the check of an upgrade.

    Args:
        setup: The run.
        env: Its bindings.
        source: The older source.

    Attributes:
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
        point = self._setup.plan.point
        if self._upgraded is not None and point is not None:
            engine.faults.arm(point, self._deploy)

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
        in_flight = {one.key: _in_flight(self._engine, one, self._branches.get(one.key, Branches())) for one in live}
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
        now = self._source_run(failure)
        if self._upgraded is None:
            start.today[plan.seed] = now
        elif plan.point is None:
            start.old[plan.seed] = now
            if failure is not None and not now.instances:
                self.unknown = f"it fails on the older source, without instances: {UpgradeText.line(failure)}"
        elif self._in_flight is None:
            self.unknown = "the older source did not come to the point again"
        else:
            old = start.old[plan.seed]
            usual = old if plan.stage == "control" else start.today[plan.seed]
            try:
                self._compare(now, usual, old, failure)
            except WorkflowUpgradeError as error:
                self.problem = error.kind
                if plan.stage == "verdict":
                    raise

    def _compare(self, now: SourceRun, today: SourceRun, old: SourceRun, failure: BaseException | None) -> None:
        __tracebackhide__ = True
        assert self._in_flight is not None
        text = UpgradeText(self._setup, self._source, len(self._in_flight))
        is_stopped = failure is not None and not isinstance(failure, EngineError)
        for key, flight in self._in_flight.items():
            if flight.is_orphan:
                raise WorkflowUpgradeError(text.of_orphan(key, flight.old_places), "orphan")
            if now.instances[key].is_final or now.instances[key].status == "waiting":
                flight.finish()
            if flight.difference is not None:
                difference = _named(flight.difference, today.instances.get(key), old.instances.get(key))
                said = text.of_path(key, difference, flight.old_places, flight.new_places)
                raise WorkflowUpgradeError(said, difference.kind)
        window = self._window(today, old)
        for key, flight in self._in_flight.items():
            if key in today.instances:
                self._compare_instance(key, flight, now, today, old, window, text, is_stopped=is_stopped)
        if failure is None and not self._is_repeated:
            self._compare_stores(now, today, old, window, text)
        has_lost = any(flight.lost for flight in self._in_flight.values())  # only the test may see what is repeated
        if failure is not None and old.passed and not has_lost:
            raise WorkflowUpgradeError(text.of_test(failure), "test") from failure
        if is_stopped and any(not now.instances[key].is_final for key in self._in_flight):
            self.unknown = f"the test, which is about today's source, failed first: {text.line(failure)}"

    def _compare_instance(
        self,
        key: Key,
        flight: InFlight,
        now: SourceRun,
        today: SourceRun,
        old: SourceRun,
        window: Window,
        text: UpgradeText,
        *,
        is_stopped: bool,
    ) -> None:
        __tracebackhide__ = True
        from pytest_workflows.exploration.upgrade_comparison import call_difference, end_difference

        mine, usual, before = now.instances[key], today.instances[key], old.instances.get(key)
        if mine.is_final or (usual.is_final and not is_stopped):
            different = end_difference(mine, usual, before, window)
            # What a repeated effect answers may be another value, as after any crash.
            if different is not None and not (self._is_repeated and mine.status == usual.status == "complete"):
                raise WorkflowUpgradeError(text.of_end(key, different, flight.old_places, flight.new_places), "end")
        called = None if self._is_repeated else call_difference(mine, usual, before, window)
        if called is not None:
            raise WorkflowUpgradeError(text.of_call(key, *called, flight.old_places, flight.new_places), "call")

    def _compare_stores(
        self, now: SourceRun, today: SourceRun, old: SourceRun, window: Window, text: UpgradeText
    ) -> None:
        __tracebackhide__ = True
        from pytest_workflows.exploration.upgrade_comparison import state_difference

        ignored = self._setup.settings.ignore_state
        different = state_difference(now.contents, today.contents, old.contents, ignored, window)
        if different is not None:
            raise WorkflowUpgradeError(text.of_stores(different), "stores")

    def _window(self, today: SourceRun, old: SourceRun) -> Window:
        from pytest_workflows.exploration.clock_values import Window

        assert self._engine is not None
        clock = self._engine.clock
        return Window(clock.started_ms, max(clock.now_ms, today.ended_ms, old.ended_ms))

    # -- what the run came to ------------------------------------------------------------------------------------------

    def _source_run(self, failure: BaseException | None) -> SourceRun:
        from pytest_workflows.introspection.registry import runs_of

        assert self._engine is not None
        ends = {(run.workflow, run.id): self._end(run) for run in runs_of(self._engine)}
        return SourceRun(failure is None, ends, self._env.contents(), self._engine.clock.now_ms)

    def _end(self, run: Run) -> InstanceEnd:
        from durable_engine import decode

        error, output = run.error, run.row.output
        said = None if error is None else (error["name"], _last_line(error["message"]))
        calls = self._calls.get((run.workflow, run.id), [])
        value = None if output is None else decode(output)
        return InstanceEnd(run.status, value, said, calls, _places(run.executions))


def _named(difference: PathDifference, today: InstanceEnd | None, old: InstanceEnd | None) -> PathDifference:
    """A difference by its name: a step is no other one renamed, or before it, that both sources have beside it."""
    is_gone = today is not None and difference.old not in today.places
    has_both = old is not None and difference.new in old.places
    if difference.kind in ("renamed", "reordered") and is_gone and has_both:
        return PathDifference(difference.old, None, "lost")
    if difference.kind == "renamed" and not is_gone and has_both:
        return PathDifference(difference.old, difference.new, "reordered")
    return difference


def _in_flight(engine: Engine, instance: Instance, branches: Branches) -> InFlight:
    from durable_engine.history import STEP_ENDS, STEP_STARTS

    key, store = instance.row.key, engine.store
    places = _places(engine.paths.executions(key))
    starts, ends = store.ranks(key, STEP_STARTS), store.ranks(key, STEP_ENDS)
    steps = store.steps(key)
    begun = [
        BegunStep(step.key, starts.get(step.key, float("-inf")), ends.get(step.key, float("inf")))
        for step in steps
        if step.key in places and (step.key.kind != "do" or step.attempts)
    ]
    lost = [step.key for step in steps if step.status == "running" and step.attempts]
    return InFlight(begun, frozenset(lost), places, branches)


def _places(executions: Iterable[ExecutionRecord]) -> dict[StepKey, Place]:
    """Where the source has the steps that an instance has asked for."""
    return {ask.key: ask.place for execution in executions for ask in execution.path}


def _arguments(effect: Effect) -> tuple[Any, ...]:
    """The arguments of a call, after those of the calls that gave the object it was made on."""
    before = () if effect.origin is None else _arguments(effect.origin)
    given = tuple(value for one in effect.given for value in _arguments(one))
    return (*before, *given, *effect.args, *(effect.kwargs[name] for name in sorted(effect.kwargs)))


def _last_line(message: str) -> str:
    lines = [line for line in message.splitlines() if line.strip()]
    return lines[-1].strip() if lines else ""
