"""One run of a test, with what it has of ours: its engine, its `env`, and what is said of both when it is over."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import pytest

from pytest_workflows.bindings.env_resolver import EnvResolver

from .engine_lifecycle import EngineLifecycle
from .property_tests import Examples
from .refusals import RunRefusals
from .report_sections import clean
from .run_findings import RunFindings
from .run_recordings import RunRecordings
from .run_report import RunReport
from .run_secrets import RunSecrets
from .run_state import RunState
from .seeds import FIXTURE
from .unprovided_uses import UnprovidedUses, ends_the_test

if TYPE_CHECKING:
    from durable_engine import Engine
    from pytest_workflows.bindings.config_checks import ConfigChecks
    from pytest_workflows.errors import UnprovidedError
    from pytest_workflows.exploration.run_plan import RunOutcome, RunPlan
    from pytest_workflows.introspection.freeze import Freezer
    from pytest_workflows.project.worker_project import Project
    from pytest_workflows.rules.registry import RuleObservers
    from pytest_workflows.standins.stores import Stores

    from .deploy_findings import DeployFindings
    from .rule_warnings import RuleWarnings
    from .run_setup import RunSetup
    from .run_upgrade import RunUpgrade
    from .seeds import Seeds
    from .session_report import KeptRuns
    from .settings import Settings


_running: list[TestRun] = []


def running_test() -> TestRun:
    """The run of the test that is set up, called or torn down now: of the innermost session, where one runs in one."""
    return _running[-1]


class TestRun:
    """One run of a test: the owner of its parts, each of which has one job.

    Args:
        setup: What the run is made from.
        freezer: The freezer, which shows virtual time to user code.
        rule_warnings: Warns of broken rules, once a session.
        has_fixture: Whether the test asks for a fixture of ours, so that its engine is kept until they are torn down.
        given: The dict of the fixture `workflow_bindings` where nobody overrides it: empty at the start of a test.
        stderr: The file descriptor that is printed to where the process must end.
        kept: Keeps the runs of its instances for the end of the session, if anybody wants them.
        early_uses: What the Worker's module used while it was imported for pytest's collection, and nobody provides.
        seeds: What the session's seeds have left.
        checks: Checks the configuration's bindings, once a session.
        deploys: What is wrong with what the session's Workers deploy.

    Attributes:
        setup: What the run is made from: the test, its settings, its project and its plan.
        has_fixture: Whether the test asks for a fixture of ours.
        given: As given.
        env: Resolves the names of `env` and of `ctx.exports`.
        recordings: Its instances as recordings.
        secrets: What must not be shown of it.
        examples: The examples of a property test.
        upgrade: Its part in the check of an upgrade; None where none is checked.
        before_teardown: Called once, before the test's fixtures go, whether its call or its setup was the last.
    """

    __test__ = False  # nothing for pytest to collect

    def __init__(
        self,
        setup: RunSetup,
        freezer: Freezer,
        rule_warnings: RuleWarnings,
        *,
        has_fixture: bool,
        given: Mapping[str, Any],
        stderr: int = 2,
        kept: KeptRuns | None = None,
        early_uses: list[UnprovidedError] | None = None,
        seeds: Seeds | None = None,
        checks: ConfigChecks | None = None,
        deploys: DeployFindings | None = None,
    ) -> None:
        self.setup = setup
        self._check_time = freezer.check
        self._seeds = seeds
        self._checks = checks
        self._deploys = deploys
        self._seed: object = None
        self.has_fixture = has_fixture
        self.given = given
        self.env = EnvResolver(
            setup.project,
            lambda: setup.sources,
            lambda: self.engine,
            ask_given=self._ask_given,
            check=freezer.check,
            is_strict=setup.settings.unused_mocks == "error",
            template=self._left_by_seed,
            registry=setup.registry,
        )
        self.env.member.group.reached = self._find_in_deploy
        self.secrets = RunSecrets(setup.settings, setup.project, setup.registry)
        self.recordings = RunRecordings(setup, self.env, self.secrets)
        self.examples = Examples(self)
        self._lifecycle = EngineLifecycle(setup, freezer, stderr)
        self._findings = RunFindings(
            setup.project, rule_warnings, self.secrets.redact_known, is_strict=setup.settings.strict
        )
        self._state = RunState(setup, self.env)
        self._report = RunReport(setup, self.secrets)
        self.before_teardown: list[Callable[[], object]] = []
        self.upgrade: RunUpgrade | None = None
        if setup.old_source is not None and setup.start is not None:
            from .run_upgrade import RunUpgrade

            self.upgrade = RunUpgrade(setup, self.env, setup.old_source)
        self._uses = UnprovidedUses(setup, [] if early_uses is None else early_uses)  # emptied for all tests
        self._refusals = RunRefusals(setup)
        self._kept = kept
        self._rules: RuleObservers | None = None

    def enter(self) -> None:
        """The run begins: it is the running test's until it leaves."""
        _running.append(self)

    def leave(self) -> None:
        """The run is over, and its test's report is written: nothing of it is left for the garbage collector to find.

        What a Worker keeps of its `env` beyond the test asks for what stays. The engines of a property test's earlier
        examples stay whole: fixtures that are still up may know the first.
        """
        _running.remove(self)
        if self.used_engine is not None:
            self.used_engine.dismantle()
        self.recordings.dismantle()
        del self.recordings, self.examples, self._findings, self._state, self._report, self._rules

    @property
    def settings(self) -> Settings:
        """Ini and marker."""
        return self.setup.settings

    @property
    def project(self) -> Project | None:
        """The worker project that the test belongs to; None where no configuration was found."""
        return self.setup.project

    @property
    def plan(self) -> RunPlan:
        """How this run differs from the plain one."""
        return self.setup.plan

    @property
    def title(self) -> str:
        """The test's node id, with what sets this run apart from the plain one."""
        return self.setup.title

    # -- the engine --------------------------------------------------------------------------------------------------

    @property
    def used(self) -> bool:
        """Whether the test has an engine."""
        return self._lifecycle.engine is not None

    @property
    def used_engine(self) -> Engine | None:
        """The test's engine; None before its first use."""
        return self._lifecycle.engine

    @property
    def open_engine(self) -> Engine | None:
        """The test's engine while it is open; None otherwise."""
        return self._lifecycle.open_engine

    @property
    def engine(self) -> Engine:
        """The test's engine, made on first use."""
        return self._lifecycle.engine or self._open()

    def _open(self) -> Engine:
        from pytest_workflows.rules.registry import RuleObservers

        from .hook_caller import hook_callers

        engine = self._lifecycle.open()
        self._findings.attach(engine)
        if self.upgrade is not None:
            self.upgrade.attach(engine)
        for hooks in hook_callers(self.setup.item):
            engine.observers.add(hooks)
        self.recordings.attach(engine)
        self._rules = RuleObservers(engine, self.setup.sources)
        if self._kept is not None:
            self._kept.attach(engine)
        self._uses.attach(engine)
        self._refusals.attach(engine)
        self._find_in_deploy(self.project)
        return engine

    def _find_in_deploy(self, project: Project | None) -> None:
        """Add to the findings what is known of a Worker's deploy."""
        if self._deploys is not None:
            from pytest_workflows.project.plans import PLANS

            self._deploys.attach(self.engine, project, PLANS[self.settings.plan].worker_bytes)

    def begin_again(self) -> Engine | None:
        """Begin the next example of a property test: as if the test began again, with another engine.

        Returns:
            The engine; None if the test has none.
        """
        if not self.used:
            return None
        self.close()
        self.close_stopped()
        self._lifecycle.forget()
        self._report.clear()
        self.env.forget()
        return self.engine

    def begin_teardown(self) -> None:
        """The test's fixtures are about to go."""
        while self.before_teardown:
            self.before_teardown.pop()()

    def stop(self) -> None:
        """The test's call is over: nothing runs on. The teardown of our fixtures can still read what is stored."""
        self.recordings.stop()
        self.recordings.finish_all()
        self.examples.stop()
        self._lifecycle.stop()
        if not self.has_fixture:
            self.close()

    def close(self) -> None:
        """End the engine: no task, timer or row of it stays. Closing twice is fine."""
        self._refusals.close()
        self._uses.close()
        if self.upgrade is not None:
            self.upgrade.close()
        engine = self._lifecycle.open_engine
        if engine is not None:
            from pytest_workflows.introspection.registry import registry_of

            registry_of(engine).keep_left()
            self.recordings.stop()  # again, but for an example of a property test, or a test whose setup failed
            if self._kept is not None:
                self._kept.keep(engine)
            self._lifecycle.close()
        self.env.close()

    def close_stopped(self) -> None:
        """Close the stopped tasks, after the test's report."""
        self._lifecycle.close_stopped()
        if self._rules is not None:
            self._rules.close()
        if self.used_engine is not None:
            self.used_engine.observers.clear()

    # -- what the test must still learn ------------------------------------------------------------------------------

    def check(self) -> None:
        """At the end of a call that passed: raise what the test must still learn."""
        __tracebackhide__ = True
        if not self.examples.have_begun:
            self.check_run()

    def check_run(self) -> None:
        """At the end of a run that passed: raise what its test must still learn."""
        __tracebackhide__ = True
        engine = self._lifecycle.open_engine
        if engine is None:
            return
        from pytest_workflows.introspection.registry import registry_of

        engine.raise_aborted()
        self._uses.check(engine)
        self._findings.check_configuration()
        engine.calls.check()
        registry = registry_of(engine)
        registry.check_used()
        if registry.replays:
            engine.check_all_by_replay()
        self._state.check(engine)
        self._findings.settle(engine)
        if self.upgrade is not None:
            self.upgrade.judge(None)

    def fail(self, failure: BaseException) -> None:
        """At the end of a call that failed: warn of broken rules, write the report, and raise what may be the cause.

        Args:
            failure: What the test failed with.
        """
        __tracebackhide__ = True
        engine = self._lifecycle.open_engine
        if engine is not None:
            self._findings.warn(engine)
        self.write_report(failure)
        if engine is not None and ends_the_test(failure):
            self._uses.check(engine, failure)

    def outcome(self, *, passed: bool) -> RunOutcome:
        """The outcome of this run, for further ones."""
        from pytest_workflows.exploration.run_plan import RunOutcome

        faults, interleaving = self.engine.faults, self.engine.interleaving
        return RunOutcome(
            passed=passed,
            points=faults.reached,
            has_choices=interleaving.has_choices,
            trace=interleaving.trace,
            struck=faults.struck,
            findings=[(finding.rule, finding.file, finding.line) for finding in self._findings.found],
            has_instances=self.upgrade is not None and self.upgrade.has_instances,
            problem="" if self.upgrade is None else self.upgrade.problem,
            unknown="" if self.upgrade is None else self.upgrade.unknown,
        )

    # -- reports -----------------------------------------------------------------------------------------------------

    def write_report(self, error: BaseException | None = None) -> None:
        """Write down the runs of the test's instances, while the engine is open.

        Args:
            error: What the test failed with; what its message says in full is not said again.
        """
        self.recordings.finish()
        engine = self._lifecycle.open_engine
        if engine is not None:
            self._report.write(engine, self._findings.found, error)

    def complete_report(self, report: pytest.TestReport, error: BaseException | None, *, shows_passed: bool) -> None:
        """Put what we know into the report of one of the test's phases, and take out of it what must not be shown.

        Args:
            report: The report.
            error: What the phase failed with.
            shows_passed: Whether the runs of a test that passed are shown as well.
        """
        if self.used and (report.failed or (report.when != "setup" and report.sections and self.secrets.are_known)):
            clean(report, self.secrets.redact, escape=not isinstance(error, AssertionError))
        if not self._report.is_shown and (report.failed or (report.when == "call" and shows_passed)):
            if not self._report.is_written:
                self.write_report()
            self._report.show(report)
        if self.used:
            self.recordings.report(report)
        if report.when == "teardown" and self._kept is not None:
            self._kept.hand_over(report)

    # -- the bindings of the fixture ---------------------------------------------------------------------------------

    def override(self, bindings: Mapping[str, Any], seed: object = None) -> None:
        """Take the bindings of the fixture `workflow_bindings`, and the seed of the fixture `workflow_seed`.

        Raises:
            pytest.UsageError: If they are no mapping, or somebody has frozen time.
            WorkflowConfigError: If a binding of the configuration cannot be right.
        """
        self._check_time()
        self.env.override(self._checked(bindings))
        self._seed = seed
        if self.project is not None and self._checks is not None and self.plan.upgrade_from is None:
            self._checks.check(self.project, self.env)
        if seed is not None:
            assert self.env.host  # the seed runs now, and not amid a step

    def missing_hint(self) -> str | None:
        """The next step for a name that `env` does not have, where that is for want of a configuration."""
        if self.project is not None:
            return None
        return f"{self.setup.nothing_found()}. Or give the binding through the fixture workflow_bindings."

    def _ask_given(self) -> Mapping[str, Any]:
        """For a test that asks for no fixture of ours: its bindings are asked for when one is first touched."""
        request = getattr(self.setup.item, "_request", None)
        if request is None:
            return {}
        self._seed = request.getfixturevalue(FIXTURE)
        return self._checked(request.getfixturevalue("workflow_bindings"))

    def _checked(self, bindings: object) -> Mapping[str, Any]:
        if not isinstance(bindings, Mapping):
            raise pytest.UsageError(
                f"The fixture workflow_bindings returns a dict of bindings by name, not {bindings!r}."
            )
        return bindings if self.upgrade is None else self.upgrade.given(bindings)

    def _left_by_seed(self) -> Stores | None:
        """What the test's seed has left; None where it has none."""
        if self._seed is None or self._seeds is None:
            return None
        return self._seeds.left_by(self._seed, self.setup, self.env.given)
