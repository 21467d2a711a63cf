"""One test and its engine: made when the test first needs it, ended with the test."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from pytest_workflows.introspection import freeze

from .rule_warnings import as_error, configuration_error

if TYPE_CHECKING:
    from durable_engine import Engine, Finding, WorkflowBinding
    from pytest_workflows.bindings.sockets import SocketGuard
    from pytest_workflows.errors import UnprovidedError
    from pytest_workflows.exploration.run_plan import RunOutcome, RunPlan
    from pytest_workflows.project.worker_project import Project
    from pytest_workflows.project.wrangler import WorkflowBindingConfig
    from pytest_workflows.recordings.capture.builder import Origin
    from pytest_workflows.recordings.capture.captured import Capture
    from pytest_workflows.recordings.capture.observer import Watcher
    from pytest_workflows.recordings.format.model import Recording
    from pytest_workflows.recordings.format.redaction import Secrets
    from pytest_workflows.rules.registry import RuleObservers
    from pytest_workflows.sources.worker_code import Sources
    from pytest_workflows.timeline.styled_text import Line
    from pytest_workflows.timeline.text import Run
    from pytest_workflows.workers.context import ExecutionContext

    from .rule_warnings import RuleWarnings
    from .session_report import Kept
    from .settings import Settings


_COMMON_VALUES = frozenset({"true", "false", "null", "none"})
"""Values of `.dev.vars` that are no secrets, in lower case: taking them out of everything would hide too much."""


class RunningTest:
    """A test and what the plugin keeps for it.

    Args:
        item: The test.
        settings: Ini and marker.
        project: The worker project that it belongs to, if a configuration was found.
        freezer: The freezer, which shows virtual time to user code.
        rule_warnings: The session's warnings of broken rules.
        plan: How this run differs from the plain one.
        has_fixture: Whether the test asks for a fixture of ours, so that its engine is kept until they are torn down.
        early_uses: The unprovided uses by the Worker's module while it was imported for pytest's collection;
            the first test that has an engine takes them.
    """

    def __init__(
        self,
        item: pytest.Item,
        settings: Settings,
        project: Project | None,
        freezer: freeze.Freezer,
        rule_warnings: RuleWarnings,
        plan: RunPlan,
        *,
        has_fixture: bool,
        early_uses: list[UnprovidedError] | None = None,
    ) -> None:
        self.has_fixture = has_fixture
        self.rule_warnings = rule_warnings
        self.plan = plan
        self.item = item
        self.settings = settings
        self.project = project
        self.report: list[Line] = []
        self.reported = False
        self.stderr = 2
        self.recorded = False
        self.kept: Kept | None = None
        self._freezer = freezer
        self._engine: Engine | None = None
        self._now: int | None = None
        self._has_examples = False
        self.undo: list[Callable[[], None]] = []
        self.first_engine: Engine | None = None
        self._overrides: Mapping[str, Any] | None = None
        self._env: dict[str, Any] = {}
        self._found: list[Finding] = []
        self._classes: dict[str, type] = {}
        self._capture: Capture | None = None
        self._hiding: Secrets | None = None
        self.has_secrets = False
        self._shown_error = ""
        self._proxies: dict[str, Any] = {}
        self._sources: Sources | None = None
        self._watch: RuleObservers | None = None
        self._early_uses = [] if early_uses is None else early_uses  # one list for all tests
        self._sockets: SocketGuard | None = None
        self._refused: list[Warning] = []

    # -- the engine --------------------------------------------------------------------------------------------------

    @property
    def used(self) -> bool:
        """Whether the test has an engine."""
        return self._engine is not None

    @property
    def engine(self) -> Engine:
        """The test's engine, made on first use."""
        if self._engine is None:
            self._engine = self._make_engine()
        return self._engine

    def _make_engine(self) -> Engine:
        from durable_engine import WATCHDOG, Engine, Limits, read_now, to_datetime
        from pytest_workflows.errors import UnprovidedError
        from pytest_workflows.introspection.registry import registry_of
        from pytest_workflows.rules.registry import RuleObservers, load_rules

        from .hook_caller import FindingKeeper, hook_callers
        from .process_end import end_process

        settings = self.settings
        seed = settings.seed if self.plan.seed is None else self.plan.seed
        if self._now is None:
            self._now = freeze.real_seconds() * 1000 if settings.now is None else read_now(settings.now)
        now = self._now
        rules = load_rules().rules
        self._freezer.start(to_datetime(now))  # it may refuse: nothing must be open by then
        engine = Engine(
            now=to_datetime(now),
            seed=self.item.nodeid if seed is None else seed,
            schedule_seed=seed,
            timeout=settings.timeout,
            manual_clock=settings.clock == "manual",
            limits=Limits(steps=settings.step_limit, **settings.limits),
            ignore_rules=settings.ignore_rules,
            rules=rules,
            root=self.item.config.rootpath,
            passthrough=(pytest.fail.Exception, pytest.skip.Exception, pytest.exit.Exception, pytest.xfail.Exception),
            unprovided=(UnprovidedError,) if settings.unprovided == "error" else (),
        )
        WATCHDOG.stderr = self.stderr
        WATCHDOG.end_process = partial(end_process, self.item, self.stderr)
        self._warn_of_configuration()
        engine.step_findings.warned_durations = self.rule_warnings.durations
        engine.observers.off, engine.observers.report = self.rule_warnings.switched_off, self.rule_warnings.keep
        engine.faults.recording = self.plan.records
        if self.plan.point is not None:
            engine.faults.arm(self.plan.point)
        registry = registry_of(engine)
        registry.strict = settings.unused_mocks == "error"
        registry.replays = settings.replay and self.plan.point is None
        engine.clock.observers.append(self._freezer.move_to)
        for hooks in hook_callers(self.item):
            engine.observers.add(hooks)
        secrets = self._secret_values()
        self.has_secrets = bool(settings.redact or secrets)
        if settings.record != "none" or settings.records_for_reports or self.has_secrets:
            from pytest_workflows.recordings.capture.captured import MOST, Capture

            most = None if self._records_all else MOST
            self._capture = Capture(engine, settings.redact, most, secrets)
            self._hiding = None
            registry.on_leave = self._capture.keep
        self._watch = RuleObservers(engine, self.sources)
        if self.kept is not None:
            registry.most_runs = None
            engine.observers.add(FindingKeeper(self.kept.findings))
        self._watch_uses(engine)
        return engine

    def _watch_uses(self, engine: Engine) -> None:
        """Keep the Worker's uses of unprovided things, and let it open no connections."""
        from pytest_workflows import active_test
        from pytest_workflows.bindings.sockets import SocketGuard
        from pytest_workflows.bindings.unprovided import UseNoter

        engine.unprovided.has_reached_test = self.sources.was_caught_elsewhere
        noter = UseNoter(self.sources, self.item.config.rootpath, engine.pending_errors.keep_unprovided)
        active_test.set_uses(noter)
        if self.settings.unprovided == "error":
            while self._early_uses:
                engine.pending_errors.keep_unprovided(self._early_uses.pop(0))
        if not self.settings.allow_network:
            self._sockets = SocketGuard(noter)
            self._sockets.start()

    def _warn_of_configuration(self) -> None:
        """Pass on wrangler's warnings; with warnings as errors the test fails at its end, and no user code does."""
        if self.project is not None and self.project.readable:
            config = self.project.config
            self._refused = self.rule_warnings.warn_of_configuration(config.path, config.warnings)

    def _secret_values(self) -> list[str]:
        from pytest_workflows.errors import WorkflowConfigError

        try:
            found = {} if self.project is None else self.project.secrets
        except WorkflowConfigError:
            return []  # code that asks for one of them gets the error
        return [value for value in found.values() if value.lower() not in _COMMON_VALUES]

    @property
    def sources(self) -> Sources:
        """The sources of the Worker under test."""
        if self._sources is None:
            from pytest_workflows.sources.worker_code import Sources

            self._sources = Sources(None if self.project is None else self.project.folder)
        return self._sources

    def next_example(self) -> Engine | None:
        """Begin the next example of a property test: as if the test began again, with another engine.

        Returns:
            The engine, if the test has one.
        """
        if not self._has_examples:
            self._has_examples = True
            self.first_engine = self._engine
        elif self._engine is not None:
            self.close()
            self.close_stopped()
            self._engine = self._watch = None
            self.report = []
            self._env, self._proxies = {}, {}
            return self.engine
        return self._engine

    def check(self) -> None:
        """Raise, at the end of a call that passed, every failure that the test must know of."""
        __tracebackhide__ = True
        if not self._has_examples:  # each example was checked at its own end
            self.check_run()

    def check_run(self) -> None:
        """Raise, at the end of a run that passed, every failure that its test must know of."""
        __tracebackhide__ = True
        engine = self._engine
        if engine is None or engine.closed:
            return
        from pytest_workflows.introspection.registry import registry_of

        engine.raise_aborted()
        self._raise_unprovided(engine)
        if self._refused:
            raise configuration_error(self._refused)
        engine.calls.check()
        registry_of(engine).check_used()
        if registry_of(engine).replays:
            engine.check_all_by_replay()
        self._settle_findings(engine)

    def explain(self, failure: BaseException) -> None:
        """Raise, at the end of a call that failed, the uses of unprovided things, which may be the cause.

        Args:
            failure: The test's failure. One that is itself such a use gets the others as notes.
        """
        __tracebackhide__ = True
        engine = self._engine
        ends_the_test = isinstance(failure, Exception | pytest.fail.Exception) and not isinstance(
            failure, pytest.exit.Exception
        )
        if engine is not None and not engine.closed and ends_the_test:
            self._raise_unprovided(engine, failure)

    def _raise_unprovided(self, engine: Engine, failure: BaseException | None = None) -> None:
        __tracebackhide__ = True
        from pytest_workflows.errors import UnprovidedError

        pending = engine.unprovided.pending
        if not pending:
            return
        first = failure if isinstance(failure, UnprovidedError) else pending[0]
        for error in pending:
            engine.unprovided.report(error)
            if error is not first:
                first.add_note(f"\nAnd {type(error).__name__}: {error}")
        if first is not failure:
            comes_of_it = engine.unprovided.find(failure) is first
            raise first from None if comes_of_it else failure

    def _settle_findings(self, engine: Engine) -> None:
        __tracebackhide__ = True
        from durable_engine import WorkflowRuleError

        found = self._take_findings(engine)
        if self.settings.strict and found:
            raise WorkflowRuleError("\n".join([f"{len(found)} broken rule(s):", *map(str, found)]))
        refused = [*engine.step_findings.refused, *self.rule_warnings.warn(found, self._hide)]
        if refused:
            raise as_error(refused)

    def _take_findings(self, engine: Engine) -> list[Finding]:
        found = engine.take_findings()
        self._found += found
        return found

    def warn_of_findings(self) -> None:
        """Warn of broken rules at the end of a call that failed. They stand in the report, and raise nothing."""
        if self._engine is not None and not self._engine.closed:
            self.rule_warnings.warn(self._take_findings(self._engine), self._hide)

    def outcome(self, *, passed: bool) -> RunOutcome:
        """The outcome of this run, for further ones."""
        from pytest_workflows.exploration.run_plan import RunOutcome

        faults, order = self.engine.faults, self.engine.interleaving
        return RunOutcome(
            passed=passed,
            points=faults.reached,
            has_choices=order.has_choices,
            trace=order.trace,
            struck=faults.struck,
            findings=[(finding.rule, finding.file, finding.line) for finding in self._found],
        )

    def write_report(self, error: BaseException | None = None) -> None:
        """Write down the runs of the test's instances, those that are gone included, for its report.

        Args:
            error: The test's failure; a message that it shows in full is not shown so again.
        """
        engine = self._engine
        if self._capture is not None:
            self._capture.finish()
        if engine is not None and not engine.closed:
            from pytest_workflows.introspection.registry import MOST_RUNS, registry_of
            from pytest_workflows.timeline.step_table import TextFormatter
            from pytest_workflows.timeline.styled_text import Part
            from pytest_workflows.timeline.text import keep_run, lines_of

            self._hiding = None if self._capture is None else self._capture.hiding(self._origin)
            self._shown_error = self._shown_error if error is None else "".join(traceback.format_exception_only(error))
            formatter = TextFormatter(self._hiding, self._shown_error)
            alive = [keep_run(engine, instance) for instance in engine.instances[:MOST_RUNS]]
            parts = [lines_of(run, formatter) for run in [*registry_of(engine).gone[:MOST_RUNS], *alive]]
            more = len(engine.instances) - len(alive)
            if more:
                parts.append([[Part(f"... and {more} more instance(s).")]])
            forgotten = [str(call) for call in engine.calls.forgotten if not formatter.has_shown(str(call))]
            if forgotten:
                parts.append([[Part(formatter.word(call))] for call in forgotten])
            parts += [[[Part(note)]] for note in self._notes_of_python(engine)]
            if self._found:
                found = [[Part(f"  {formatter.text(str(finding))}")] for finding in self._found]
                parts.append([[Part("Broken rules:")], *found])
            self.report = [line for part in parts for line in (*part, [])][:-1]

    def _notes_of_python(self, engine: Engine) -> list[str]:
        """Notes on instances that failed for something that only a newer Python may have."""
        from pytest_workflows.project.newer_python import note_of

        notes = (note_of(error, self.project) for error in engine.exceptions.values())
        return list(dict.fromkeys(note for note in notes if note is not None))

    def _all_runs(self, engine: Engine) -> list[Run]:
        from pytest_workflows.introspection.registry import registry_of
        from pytest_workflows.timeline.text import keep_run

        return [*registry_of(engine).gone, *(keep_run(engine, instance) for instance in engine.instances)]

    def stop(self) -> None:
        """Stop everything at the end of the test's call; stored data can still be read in teardown."""
        if self._capture is not None:
            self._capture.stop()
            if self._records_all:
                self._capture.finish()
        while self.undo:
            self.undo.pop()()
        if self._engine is not None and not self._engine.closed:
            from pytest_workflows.introspection.registry import registry_of

            registry_of(self._engine).replays = False  # an introspector that a fixture closes comes too late for it
            self._engine.stop()

    def close(self) -> None:
        """End the engine: no task, timer or row of it stays. Closing twice is fine."""
        if self._sockets is not None:
            self._sockets.stop()
        if self._engine is not None and not self._engine.closed:
            from pytest_workflows.introspection.registry import registry_of
            from pytest_workflows.workers import context

            registry_of(self._engine).keep_left()
            if self._capture is not None:
                self._capture.stop()  # once more, but for an example of a property test, or a failed setup
            if self.kept is not None:
                self.kept.runs = self._all_runs(self._engine)
            self._engine.close()
            context.cancel_background()

    @property
    def _records_all(self) -> bool:
        return self.settings.record == "all" or self.settings.records_for_reports

    @property
    def recording_mode(self) -> tuple[str, str]:
        """The tests whose instances are recorded, and the folder."""
        return self.settings.record, self.settings.failures_dir

    @property
    def record_steps(self) -> int:
        """The most steps of each instance that a recording's file keeps; 0 for all."""
        return self.settings.record_steps

    def recordings(self) -> list[Recording]:
        """The recordings of the test's instances so far; none with `--workflows-record=none`."""
        if self._capture is None:
            return []
        self._capture.finish()
        return self._capture.recordings(self._origin)

    def redacted(self, text: str) -> str:
        """A text without the secrets that are redacted in recordings."""
        if self._hiding is None and self._capture is not None:
            self._capture.finish()
            self._hiding = self._capture.hiding(self._origin)
        return text if self._hiding is None else self._hiding.text(text)

    def _hide(self, text: str) -> str:
        return self.redacted(text) if self.has_secrets else text

    def _origin(self, watcher: Watcher) -> Origin:
        from durable_engine import to_datetime
        from pytest_workflows.recordings.capture.builder import Origin

        seed = self.settings.seed if self.plan.seed is None else self.plan.seed
        return Origin(
            rootdir=self.item.config.rootpath,
            test=self.item.nodeid + self.plan.title,
            clock_start=to_datetime(self.engine.clock.started_ms),
            seed=self.item.nodeid if seed is None else seed,
            schedule_seed=seed,
            limits=self.settings.limits,
            config=None if self.project is None else self.project.path,
            bindings=sorted(self._overrides or ()),
            classes=self._classes,
            findings=watcher.findings,
        )

    def close_stopped(self) -> None:
        """Close the stopped tasks, after the test's report."""
        if self._engine is not None:
            self._engine.stopped_tasks.close()
        if self._watch is not None:
            self._watch.close()

    # -- env ---------------------------------------------------------------------------------------------------------

    def override(self, bindings: Mapping[str, Any]) -> None:
        """Take the bindings of the `workflow_bindings` fixture."""
        self._freezer.check()
        if not isinstance(bindings, Mapping):
            raise pytest.UsageError(
                f"The fixture workflow_bindings returns a dict of bindings by name, not {bindings!r}."
            )
        self._overrides = self.sources.given = bindings  # not a copy: a property test puts new fakes into it

    def resolve(self, name: str) -> Any:
        """The binding, variable or fake of that name, as the Worker sees it in `env`.

        Raises:
            KeyError: If there is none.
        """
        self._freezer.check()
        if name not in self._env:
            self._env[name] = self._make_binding(name)
        return self._recorded(name) if self._is_asked_by_worker() else self._env[name]

    def _is_asked_by_worker(self) -> bool:
        """Whether the Worker's own code asks, in a workflow; tests, fakes and handlers get the object itself."""
        from durable_engine import current_scope

        return current_scope.get() is not None and self.sources.caller() is not None

    def _recorded(self, name: str) -> Any:
        if name not in self._proxies:
            from pytest_workflows.bindings.recording_proxy import record

            self._proxies[name] = record(self._env[name], name)
        return self._proxies[name]

    def names(self) -> Iterable[str]:
        """The names that `env` has."""
        configured = self._configured()
        names = set(self._given())
        if configured is not None:
            names |= {workflow.binding for workflow in configured.workflows}
            assert self.project is not None
            names |= self.project.variables.keys() | configured.other_bindings.keys()
        return sorted(names)

    def missing_hint(self) -> str | None:
        """The next step for a name that `env` does not have, where that is for want of a configuration."""
        if self.project is not None:
            return None
        from pytest_workflows.project.wrangler import nothing_found

        found = nothing_found(self.item.path, self.item.config.rootpath)
        return f"{found}. Or give the binding through the fixture workflow_bindings."

    def workflow_names(self) -> list[str]:
        """The engine's names of the workflows that have a class here: configured ones first, then exported ones."""
        configured = self._configured()
        given = self._given()
        workflows = () if configured is None else configured.workflows
        # A workflow of another Worker does not matter until it is used.
        names = [one.binding for one in workflows if one.script_name is None or one.binding in given]
        names += [] if configured is None else [one.binding for one in configured.exports if one.binding not in names]
        mine = [name for name in names if name not in given or _is_entrypoint(given[name])]
        return mine + [name for name in given if name not in names and _is_entrypoint(given[name])]

    # -- what the Worker exports -------------------------------------------------------------------------------------

    @property
    def context(self) -> ExecutionContext:
        """A `ctx`, for an entrypoint or a handler."""
        from pytest_workflows.project.wrangler import has_ctx_exports
        from pytest_workflows.workers.context import ExecutionContext, Exports

        exports = Exports(self.export, self._export_names) if has_ctx_exports(self._configured()) else None
        return ExecutionContext(exports)

    def export(self, class_name: str) -> WorkflowBinding:
        """The workflow that the configuration exports under the name of its class.

        Raises:
            KeyError: If there is none; its argument says why.
            MissingBindingError: If the platform has it, and we have not.
        """
        from pytest_workflows.bindings.missing_exports import no_export

        configured = self._configured()
        for workflow in () if configured is None else configured.exports:
            if workflow.class_name == class_name:
                return self._bind_export(workflow)
        raise no_export(class_name, self.project)

    def _bind_export(self, workflow: WorkflowBindingConfig) -> WorkflowBinding:
        """The binding of an exported workflow: its own, or that of `env` that is the same workflow."""
        name, configured = workflow.binding, self._configured()
        if name in self._given() or any(one.binding == name for one in configured.workflows):
            return self.resolve(name)  # type: ignore[no-any-return]
        if name not in self.engine.bindings:
            self._bind_configured(workflow)
        return self.engine.bindings[name]

    def _export_names(self) -> list[str]:
        configured = self._configured()
        return [] if configured is None else [workflow.class_name for workflow in configured.exports]

    def workflow_binding(self, name: str) -> WorkflowBinding:
        """A workflow's binding, by one of `workflow_names`."""
        configured = self._configured()
        for workflow in () if configured is None else configured.exports:
            if workflow.binding == name:
                return self._bind_export(workflow)
        return self.resolve(name)  # type: ignore[no-any-return]

    @property
    def schedules(self) -> dict[str, list[WorkflowBindingConfig]]:
        """The workflows of this Worker that each cron starts."""
        configured = self._configured()
        found: dict[str, list[WorkflowBindingConfig]] = {}
        for workflow in () if configured is None else configured.all_workflows:
            for cron in dict.fromkeys(workflow.schedules if workflow.script_name is None else ()):
                found.setdefault(cron, []).append(workflow)
        return found

    def _given(self) -> Mapping[str, Any]:
        if self._overrides is None:
            # A test that asks for no fixture of ours: its bindings are asked for when one is first touched.
            request = getattr(self.item, "_request", None)
            self.override(request.getfixturevalue("workflow_bindings") if request is not None else {})
        assert self._overrides is not None
        return self._overrides

    def _configured(self) -> Any:
        return None if self.project is None else self.project.config

    def _make_binding(self, name: str) -> Any:
        given = self._given()
        if name in given:
            value = given[name]
            return self._bind_class(name, value) if _is_entrypoint(value) else value
        configured = self._configured()
        if configured is None:
            raise KeyError(name)
        for workflow in configured.workflows:
            if workflow.binding == name:
                return self._bind_configured(workflow)
        assert self.project is not None
        if name in self.project.variables:
            return self.project.variables[name]
        if name in configured.other_bindings:
            from pytest_workflows.bindings.missing_binding import MissingBinding

            return MissingBinding(name, configured.other_bindings[name], configured.path)
        raise KeyError(name)

    def _bind_configured(self, workflow: Any) -> Any:
        from durable_engine import InvalidArgumentError
        from pytest_workflows.errors import WorkflowConfigError

        assert self.project is not None
        if workflow.script_name is not None:
            from pytest_workflows.bindings.missing_binding import ForeignWorkflow

            place = f"{self.project.config.path}:{workflow.line}"
            return ForeignWorkflow(workflow.binding, workflow.class_name, workflow.script_name, place)
        cls = self.project.workflow_class(workflow)
        retention = {"successRetention": workflow.success_retention, "errorRetention": workflow.error_retention}
        options: dict[str, Any] = {"concurrency": workflow.concurrency, "retention": retention}
        if workflow.step_limit is not None:
            options["step_limit"] = workflow.step_limit
        try:
            return self._bind_class(workflow.binding, cls, workflow.name, **options)
        except InvalidArgumentError as error:
            raise WorkflowConfigError(f"{self.project.path}:{workflow.line}: {error}") from None

    def _bind_class(self, name: str, cls: type, workflow_name: str | None = None, **options: Any) -> Any:
        from pytest_workflows.project.wrangler import implicit_dependencies, preserves_non_retryable

        if not callable(getattr(cls, "run", None)):
            from durable_engine import InvalidArgumentError

            raise InvalidArgumentError(
                f"The workflow class {cls.__name__} for binding {name!r} has no method `run`. "
                "Add `async def run(self, event, step)` to it."
            )
        self._classes[name] = cls
        self.sources.add_class(name, cls)
        return self.engine.bind(
            name,
            lambda event, step: self._entrypoint(cls).run(event, step),
            workflow_name=workflow_name,
            implicit_dependencies=implicit_dependencies(self._configured()),
            preserves_non_retryable=preserves_non_retryable(self._configured()),
            **options,
        )

    def _entrypoint(self, cls: type) -> Any:
        from pytest_workflows.workers import env

        return cls(self.context, env)


def _is_entrypoint(value: object) -> bool:
    from pytest_workflows.workers.entrypoints import WorkflowEntrypoint

    return isinstance(value, type) and issubclass(value, WorkflowEntrypoint)
