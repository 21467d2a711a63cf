"""What lives as long as a pytest session: settings, projects, the freezer, and the place of the test that runs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from pytest_workflows import active_test
from pytest_workflows.bindings.config_checks import ConfigChecks
from pytest_workflows.exploration.run_plan import PLAIN, CommonStart, RunPlan
from pytest_workflows.project import importer

from .deploy_findings import DeployFindings
from .garbage import SeldomCollected
from .outside_tests import OutsideTests
from .process_end import stop_watchdog
from .property_tests import exempt_our_fixtures, is_property_test
from .refusals import RULE, SessionRefusals
from .report_sections import PROPERTY
from .rule_warnings import RuleWarnings
from .seeds import Seeds
from .session_report import KeptRuns, is_awaited
from .settings import Settings, read_ini
from .standing import put_back_functions
from .terminal import terminal_of
from .upgrades import Upgrades
from .use_signs import OUR_FIXTURES

if TYPE_CHECKING:
    from pytest_workflows.introspection.freeze import Freezer
    from pytest_workflows.project.worker_project import Project, ProjectSwitcher

    from .on_target import TestsOnTarget
    from .run_setup import RunSetup
    from .testrun import TestRun

SESSION = pytest.StashKey["WorkflowSession"]()


class WorkflowSession:
    """One pytest session's state.

    Args:
        config: pytest's configuration.

    Attributes:
        rule_warnings: What the session was warned of.
        test_run: The run of a test that is set up, called or torn down now, until its report is written; or None.
        upgrades: The older source that an upgrade is checked from.
        target: What stands in the place of engines where tests run on a target; None otherwise.
    """

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._settings: Settings | None = None
        self._switcher: ProjectSwitcher | None = None
        self._freezer: Freezer | None = None
        self._plan = PLAIN
        self._start: CommonStart | None = None
        self._stderr = 2
        self._outside = OutsideTests(lambda: self.switcher.active, config.rootpath)
        self._given: dict[str, Any] = {}
        self.rule_warnings = RuleWarnings()
        self._deploys = DeployFindings(lambda: None if self.test_run is None else self.test_run.open_engine)
        self._refusals = SessionRefusals(lambda: self.switcher.active, self._deploys.keep, self._has_no_refusals)
        self._checks = ConfigChecks()
        self._seeds = Seeds(lambda: self._freezer_for(has_fixture=True), lambda: self.settings.now)
        self.test_run: TestRun | None = None
        self.target: TestsOnTarget | None = None
        self.upgrades = Upgrades(self._activate_for)
        config.add_cleanup(SeldomCollected().close)
        self._outside.serve()

    def configured(self, stderr: int) -> None:
        """Read settings anew: pytest knows its options now and, under xdist, the controller's terminal.

        It did not when the first conftest was loaded, and settings may have been asked for.

        Args:
            stderr: The file descriptor of the process' stderr, whether pytest captures what tests print or not.

        Raises:
            pytest.UsageError: If an ini option cannot be read.
        """
        active_test.set_ascii(terminal_of(self._config).is_ascii)
        self._stderr = stderr
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
        self._settings = msgspec.structs.replace(self.settings, records_for_reports=True)

    def plan_runs(self, plan: RunPlan, start: CommonStart | None = None) -> None:
        """Let the tests that begin from now on run by this plan.

        Args:
            plan: The plan.
            start: What the run has in common with other runs of its test; None where there are none.
        """
        self._plan, self._start = plan, start

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
                workers=self.settings.workers,
                made=self._watch,
            )
        return self._switcher

    def _watch(self, project: Project) -> None:
        self._refusals.watch(project)
        self._deploys.watch(project)

    def _has_no_refusals(self) -> bool:
        settings = self.settings if self.test_run is None else self.test_run.settings
        return RULE in settings.ignore_rules

    def enter(self, path: Path) -> None:
        """Make the sources of the project importable that this file or folder belongs to.

        Raises:
            pytest.UsageError: If ini names a configuration that does not exist or cannot be read.
        """
        importer.prepare_for(path, self._config.rootpath)
        self._activate_for(path)

    def _activate_for(self, path: Path) -> Project | None:
        from pytest_workflows.errors import WorkflowConfigError

        try:
            return self.switcher.activate_for(path)
        except WorkflowConfigError as error:
            raise pytest.UsageError(str(error)) from None

    def known_project_of(self, path: Path) -> Project | None:
        """The project of a file that was collected; None where no project was asked for yet."""
        return None if self._switcher is None else self._switcher.project_of(path)

    def settings_of(self, item: pytest.Item) -> Settings:
        """The settings of a test, with its markers applied.

        Raises:
            pytest.UsageError: If a marker has an unknown keyword or a value of the wrong type.
        """
        return self.settings.for_item(item)

    # -- a test ------------------------------------------------------------------------------------------------------

    def begin(self, item: pytest.Item) -> None:
        """Begin a test, which is about to be set up."""
        if self.target is not None:
            self.target.begin(item, self._activate_for(item.path), self.settings_of(item))
            return
        from .testrun import TestRun

        has_fixture = bool(OUR_FIXTURES.intersection(getattr(item, "fixturenames", ())))
        freezer = self._freezer_for(has_fixture)
        item.user_properties[:] = [one for one in item.user_properties if one[0] != PROPERTY]  # left by an earlier run
        test_run = self.test_run = TestRun(
            self._setup_of(item),
            freezer,
            self.rule_warnings,
            has_fixture=has_fixture,
            given=self._given,
            stderr=self._stderr,
            kept=KeptRuns() if is_awaited(self._config) else None,
            early_uses=self._outside.early_uses,
            seeds=self._seeds,
            checks=self._checks,
            deploys=self._deploys,
        )
        test_run.enter()
        env = test_run.env
        active_test.set_resolver(env.resolve, env.names, test_run.missing_hint)
        active_test.set_network(test_run.settings.allow_network)
        if is_property_test(item):
            exempt_our_fixtures(item, OUR_FIXTURES)
        if has_fixture:
            # Before any fixture runs: user code never sees real time first and virtual time later.
            assert test_run.engine

    def _setup_of(self, item: pytest.Item) -> RunSetup:
        """The setup of a run of a test: by its plan on today's source, or on an older one at first."""
        from pytest_workflows.javascript.runtime import set_runtime

        from .run_setup import RunSetup

        project, upgraded, registry = self._activate_for(item.path), None, self.switcher.registry
        if project is not None and self._plan.upgrade_from is not None:
            upgraded = self.upgrades.begin(registry)
            project, registry = upgraded.of(project), upgraded.as_registry()
        if project is not None and self.upgrades.source is not None:
            set_runtime(project.python_version, project.is_on)
        settings = self.settings_of(item)
        return RunSetup(
            item,
            settings,
            project,
            self._plan,
            self._start,
            registry=registry,
            old_source=self.upgrades.source,
            upgraded=upgraded,
        )

    def _freezer_for(self, has_fixture: bool) -> Freezer:
        """What shows virtual time; a test that has nothing to do with us sees the real time, and no thread of ours.

        Nor does it see a function of ours where one of the standard library's was.
        """
        if self._freezer is None:
            from pytest_workflows.introspection.freeze import Freezer

            self._freezer = Freezer()
        elif not has_fixture:
            self._freezer.stop()
            stop_watchdog()
            put_back_functions()
        return self._freezer

    def end(self) -> None:
        """The test was torn down: nothing of it stays but what its report is made from."""
        if self.target is not None:
            self.target.end()
            self._outside.serve()
        if self.test_run is not None:
            self.test_run.close()
            self._outside.serve()
            if self._freezer is not None:
                self._freezer.stop()
            active_test.set_network(False)
        self._given.clear()

    def reported(self) -> None:
        """Let go of a test whose report is written, or which was interrupted and gets none."""
        self.end()
        if self.test_run is not None:
            self.test_run.close_stopped()
            self.test_run.leave()
            self.test_run = None
        self.rule_warnings.warn_of_failures()

    def close(self) -> None:
        """Close everything at the session's end."""
        self.reported()
        stop_watchdog()
        self._outside.close()
        self._refusals.close()
        put_back_functions()
        if self._freezer is not None:
            self._freezer.stop()
        if self._switcher is not None:
            self._switcher.close()
