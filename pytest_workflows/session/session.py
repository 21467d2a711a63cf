"""The state of a pytest session: settings, projects, the freezer, and the active test."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Generator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from pytest_workflows import active_test
from pytest_workflows.exploration.run_plan import PLAIN
from pytest_workflows.project import importer
from pytest_workflows.project.loop_at_import import explain_missing_loop

from .hooks.junit import PROPERTY
from .property_tests import exempt_our_fixtures, is_property_test, separate_examples
from .report_sections import add_section, clean, takes_ascii_only
from .rule_warnings import RuleWarnings
from .session_report import Kept, hand_over, is_awaited
from .settings import MARKER, Settings, read_ini, read_marker

if TYPE_CHECKING:
    from pytest_workflows.active_test import Caller
    from pytest_workflows.errors import UnprovidedError
    from pytest_workflows.introspection.freeze import Freezer
    from pytest_workflows.project.worker_project import Project, ProjectSwitcher

    from .testrun import RunningTest

SESSION = pytest.StashKey["WorkflowSession"]()
OUR_FIXTURES = frozenset({"workflow_env", "workflow_bindings", "workflow_worker", "workflow_clock", "workflow_engine"})


class WorkflowSession:
    """One pytest session's state.

    Args:
        config: pytest's configuration.
    """

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._settings: Settings | None = None
        self._switcher: ProjectSwitcher | None = None
        self._freezer: Freezer | None = None
        self.rule_warnings = RuleWarnings()
        self.plan = PLAIN
        self._stderr: int | None = None
        self.running: RunningTest | None = None
        self._early_uses: list[UnprovidedError] = []
        # A session may run inside another one (pytester), whose resolver is put back afterwards.
        self._before = active_test.get_resolver()
        self._ascii_before = active_test.is_ascii()
        self._uses_before = active_test.get_uses()
        self.serve_outside()

    def configured(self) -> None:
        """Read settings anew: pytest knows its options now and, under xdist, the controller's terminal.

        It did not when the first conftest was loaded, and settings may have been asked for.

        Raises:
            pytest.UsageError: If an ini option cannot be read.
        """
        active_test.set_ascii(takes_ascii_only(self._config))
        # By now pytest has not begun to capture what tests print, or has left off.
        with contextlib.suppress(OSError):
            self._stderr = self._stderr or os.dup(2)
        # Settings that were read while pytest started did not know the command line's options yet.
        self._settings = read_ini(self._config)

    @property
    def settings(self) -> Settings:
        """The settings that ini gives."""
        if self._settings is None:
            self._settings = read_ini(self._config)
        return self._settings

    def record_for_reports(self) -> None:
        """Record every instance of every test, for the reports at the end."""
        self._settings = replace(self.settings, records_for_reports=True)

    @property
    def switcher(self) -> ProjectSwitcher:
        """The worker projects of this session."""
        if self._switcher is None:
            from pytest_workflows.project.worker_project import ProjectSwitcher

            self._switcher = ProjectSwitcher(
                self._config.rootpath,
                self.settings.config,
                self.settings.environment,
                dev_vars=self.settings.dev_vars,
            )
        return self._switcher

    # -- collection --------------------------------------------------------------------------------------------------

    def enter(self, path: Path) -> None:
        """Make the sources of the project importable that this file or folder belongs to."""
        importer.prepare_for(path, self._config.rootpath)
        self._project_of(path)

    def _project_of(self, path: Path) -> Project | None:
        from pytest_workflows.errors import WorkflowConfigError

        try:
            return self.switcher.activate_for(path)
        except WorkflowConfigError as error:
            raise pytest.UsageError(str(error)) from None

    def explain(self, error: BaseException, path: Path) -> list[str]:
        """Note on an error where the Worker's source may be for a newer Python than this one.

        Args:
            error: The error.
            path: The test's file.

        Returns:
            The notes.
        """
        project = None if self._switcher is None else self._switcher.project_of(path)
        if project is None or not project.readable:
            return []
        from pytest_workflows.project.newer_python import add_notes

        return add_notes(error, project)

    def check_markers(self, items: list[pytest.Item]) -> None:
        """Refuse what a marker may not say, before any test runs."""
        for item in items:
            for mark in item.iter_markers(MARKER):
                given = read_marker(mark.args, mark.kwargs, item.nodeid)
                if given.get("crash") and is_property_test(item):
                    raise pytest.UsageError(
                        f"{item.nodeid}: @pytest.mark.workflow(crash=True) explores one run, and a property test has "
                        "many. Draw where it crashes with pytest_workflows.strategies.fault_plans()."
                    )

    # -- a test ------------------------------------------------------------------------------------------------------

    def begin(self, item: pytest.Item) -> None:
        """Begin a test, which is about to be set up."""
        from .testrun import RunningTest

        ours = bool(OUR_FIXTURES.intersection(getattr(item, "fixturenames", ())))
        if not ours and self._freezer is not None:
            self._freezer.stop()
            self._stop_watchdog()
        if self._freezer is None:
            from pytest_workflows.introspection.freeze import Freezer

            self._freezer = Freezer()
        item.user_properties[:] = [one for one in item.user_properties if one[0] != PROPERTY]  # left by an earlier run
        project = self._project_of(item.path)
        self.running = RunningTest(
            item,
            self.settings.for_item(item),
            project,
            self._freezer,
            self.rule_warnings,
            self.plan,
            has_fixture=ours,
            early_uses=self._early_uses,
        )
        if self._stderr is not None:
            self.running.stderr = self._stderr
        if is_awaited(self._config):
            self.running.kept = Kept()
        active_test.set_resolver(self.running.resolve, self.running.names, self.running.missing_hint)
        active_test.set_network(self.running.settings.allow_network)
        if is_property_test(item):
            exempt_our_fixtures(item, OUR_FIXTURES)
        if ours:
            # Before any fixture runs: user code never sees real time first and virtual time later.
            assert self.running.engine

    def _stop_watchdog(self) -> None:
        """Stop the watchdog: tests that have nothing to do with us get no thread of ours."""
        if "durable_engine" in sys.modules:
            from durable_engine import WATCHDOG

            WATCHDOG.stop()

    def separate_examples(self, item: pytest.Function) -> None:
        """Make each example of a property test, whose function is about to be called, a run of its own."""
        if self.running is not None and is_property_test(item):
            self.running.undo.append(separate_examples(item, self.running))

    def explained(self, item: pytest.Item) -> Generator[None, Any, Any]:
        """Call a test, and explain the failure of an async one that nothing runs."""
        try:
            return (yield)
        except (pytest.fail.Exception, pytest.skip.Exception) as outcome:
            if self.running is None or not self.running.has_fixture or "async def function" not in str(outcome):
                raise
        pytest.fail(_not_run(item), pytrace=False)

    def serve_outside(self) -> None:
        """Answer for `workers.env` while no test runs: variables and secrets have values, bindings have not."""
        active_test.set_resolver(self._resolve_outside)
        active_test.set_uses(_EarlyUses(self))

    def _resolve_outside(self, name: str) -> object:
        from pytest_workflows.workers.errors import OutsideTestError

        project = self.switcher.active
        if project is not None and project.readable and name in project.variables:
            return project.variables[name]
        raise OutsideTestError(name)

    def note_early_use(self, error: UnprovidedError) -> None:
        """Note an unprovided use by a Worker's module that is imported while no test runs."""
        from pytest_workflows.bindings.unprovided import UseNoter
        from pytest_workflows.sources.worker_code import Sources

        project = self.switcher.active
        sources = Sources(None if project is None else project.folder)
        UseNoter(sources, self._config.rootpath, self._early_uses.append).note(error, None)

    def add_section(self, report: pytest.TestReport) -> None:
        """Put the runs of the test's instances into the report of its failure, or of any call if that was asked for."""
        running = self.running
        if running is None:
            return
        if not running.reported and (
            report.failed or (report.when == "call" and self._config.getoption("workflows_report"))
        ):
            if not running.report:
                running.write_report()
            if running.report:
                add_section(report, running.report, self._config)
                running.reported = True
        if running.used and running.settings.record != "none":
            from .recording_section import report_recordings

            report_recordings(report, running, self._config, running.plan.title)

    def clean(self, report: pytest.TestReport, error: BaseException | None) -> None:
        """Clean a report of secrets."""
        running = self.running
        if running is None or not running.used:
            return
        if report.failed or (report.when != "setup" and report.sections and running.has_secrets):
            clean(report, running.redacted, escape=not isinstance(error, AssertionError))

    def explain_error(self, error: BaseException, report: pytest.CollectReport | pytest.TestReport) -> None:
        """Add notes on an error to the report of a test, or of a file that cannot be collected."""
        project = self.switcher.active
        said = None if project is None else explain_missing_loop(error, project.has_file)
        if said is not None:
            report.sections.append(("Workflows", said))

    def add_runs(self, report: pytest.TestReport) -> None:
        """Hand over the runs of the test for the hook at the session's end."""
        if report.when == "teardown" and self.running is not None and self.running.kept is not None:
            hand_over(report, self.running.kept)

    def end(self) -> None:
        """End a test that was torn down: nothing of it stays."""
        if self.running is not None:
            self.running.close()
            self.serve_outside()
            if self._freezer is not None:
                self._freezer.stop()
            active_test.set_network(False)

    def reported(self) -> None:
        """Let go of a test whose report is written, or which was interrupted and gets none."""
        self.end()
        if self.running is not None:
            self.running.close_stopped()
            self.running = None
        self.rule_warnings.warn_of_failures()

    def close(self) -> None:
        """Close everything at the session's end."""
        self.end()
        self.reported()
        self._stop_watchdog()
        if self._stderr is not None:
            os.close(self._stderr)
            self._stderr = None
        active_test.set_resolver(*(self._before or (None,)))
        active_test.set_ascii(self._ascii_before)
        active_test.set_uses(self._uses_before)
        if self._freezer is not None:
            self._freezer.stop()
        if self._switcher is not None:
            self._switcher.close()


def _not_run(item: pytest.Item) -> str:
    """The explanation where nothing runs an async test."""
    where = (
        'asyncio_mode = "auto" under [tool.pytest.ini_options] of pyproject.toml (in pytest.ini, asyncio_mode = auto '
        "under [pytest])"
    )
    if hasattr(item.config.option, "asyncio_mode"):
        return (
            f"{item.name} is an async test, and nothing ran it: pytest-asyncio is in strict mode, as it is where "
            f"asyncio_mode is not set, and runs only what is marked. Write {where}, or @pytest.mark.asyncio before the "
            "test."
        )
    return (
        f"{item.name} is an async test, and nothing ran it: pytest has no plugin for async tests here. Install one, "
        f"`pip install pytest-asyncio`, and write {where}."
    )


class _EarlyUses:
    """A keeper of unprovided uses by a Worker's module while it is imported for pytest's collection.

    Args:
        session: Where it is kept.
    """

    def __init__(self, session: WorkflowSession) -> None:
        self._session = session

    def caller(self) -> Caller | None:
        """No caller: no test runs."""
        return None

    def note(self, error: UnprovidedError, caller: Caller | None) -> None:
        """Keep a use, if it is the Worker's."""
        self._session.note_early_use(error)
