"""The opening of a session: with the first use of the plugin, and not before.

Most sessions of an environment that has the plugin use nothing of it. Such a one loads this file, what pytest must know
of options and fixtures, and the import hook; our hooks do nothing in it.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pytest_workflows.first_use import stop_waiting, wait_for_use
from pytest_workflows.introspection.monotonic import monotonic_time
from pytest_workflows.project import importer
from pytest_workflows.project.config_search import find_config

from .use_signs import has_ini, has_option, has_use, is_imported

if TYPE_CHECKING:
    from .session import WorkflowSession
    from .testrun import TestRun


class Opening:
    """What stands for our session until something uses the plugin.

    Args:
        config: pytest's configuration.

    Attributes:
        session: Our session; None while nothing has used it.
    """

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._is_opening = False
        self._is_configured = False
        self._pytest: pytest.Session | None = None
        self._item: pytest.Item | None = None
        self._stderr: int | None = None
        self._without: set[Path] = set()
        self.session: WorkflowSession | None = None

    def begin(self) -> None:
        """Serve the platform's modules, and Python's clock with virtual time, from now on."""
        importer.install()
        monotonic_time.install()
        wait_for_use(self.note_use)
        first = _first_path(self._config)
        if is_imported() or has_ini(self._config) or (first is not None and self._has_config(first)):
            self.open()

    def configured(self) -> None:
        """Open where the command line asks for something of ours: pytest knows its options now."""
        # By now pytest has not begun to capture what tests print, or has left off.
        with contextlib.suppress(OSError):
            self._stderr = os.dup(2)
        self._is_configured = True
        if self.session is not None:
            self._register(self.session)
        elif has_option(self._config):
            self.open()

    def open(self) -> WorkflowSession:
        """Our session, opened if it is not yet."""
        if self.session is None:
            from .session import SESSION, WorkflowSession
            from .terminal import TERMINAL, examine_terminal
            from .xdist_channel import CHANNEL, XdistChannel

            self._is_opening = True  # in this, something of ours is used, and asks for a session
            channel = self._config.stash[CHANNEL] = XdistChannel(self._config)
            channel.at_start(TERMINAL, lambda _: examine_terminal(self._config))
            self.session = self._config.stash[SESSION] = WorkflowSession(self._config)
            self._is_opening = False
            first = _first_path(self._config)
            if first is not None:
                self.session.enter(first)
            if self._is_configured:
                self._register(self.session)
        return self.session

    def note_use(self) -> None:
        """Something of the plugin is about to be used: open, and begin the test that uses it, amid which we are."""
        if self._is_opening:
            return
        session = self.open()
        item, self._item = self._item, None
        if item is not None:
            session.begin(item)

    def close(self) -> None:
        """Remove everything that the session has put in place."""
        stop_waiting(self.note_use)
        if self.session is not None:
            from .session import SESSION

            self.session.close()
            self.session = None
            del self._config.stash[SESSION]
        if self._stderr is not None:
            os.close(self._stderr)
            self._stderr = None
        importer.uninstall()
        monotonic_time.uninstall()

    # -- what pytest does ----------------------------------------------------------------------------------------------

    def started(self, session: pytest.Session) -> None:
        """Know pytest's own session, for hooks of ours that come after its start."""
        self._pytest = session

    def enter(self, path: Path) -> None:
        """Make the sources of the project importable that this file or folder belongs to."""
        if self.session is None and self._has_config(path):
            self.open()
        if self.session is None:
            importer.prepare_for(path, self._config.rootpath)
        else:
            self.session.enter(path)

    def collected(self, found: Iterable[object]) -> None:
        """Open where something that was collected uses us."""
        if self.session is None and (is_imported() or has_use(found)):
            self.open()

    def begin_test(self, item: pytest.Item) -> None:
        """Begin a test; where nothing has used us yet, with its first use."""
        if self.session is None:
            self._item = item
        else:
            self.session.begin(item)

    @property
    def test_run(self) -> TestRun | None:
        """The run of the test that is set up, called or torn down now; None where it does not use us."""
        return None if self.session is None else self.session.test_run

    def tests_are_over(self) -> None:
        """No test follows: whoever ends the session sees the standard library's own functions."""
        if self.session is not None:
            from .standing import put_back_functions

            put_back_functions()

    def reported(self) -> None:
        """Let go of a test whose report is written."""
        self._item = None
        if self.session is not None:
            self.session.reported()

    # -- parts ---------------------------------------------------------------------------------------------------------

    def _has_config(self, path: Path) -> bool:
        folder = path if os.path.isdir(path) else path.parent
        if folder in self._without:
            return False
        if find_config(folder, self._config.rootpath) is not None:
            return True
        self._without.add(folder)
        return False

    def _register(self, session: WorkflowSession) -> None:
        """Register our hooks that only some sessions need."""
        from .command_line import read_exploration, read_slices
        from .hooks.exploration import NAME, ExplorationHooks
        from .hooks.slices import SliceHooks
        from .report_options import read_report_options
        from .report_sections import RECORDINGS, SECTION, ColouredSections
        from .session_report import RunCollector
        from .xdist_channel import CHANNEL

        config = self._config
        register = config.pluginmanager.register
        session.configured(2 if self._stderr is None else self._stderr)
        if config.getoption("xmlpath", None):
            # Before the hooks that give runs of exploration their names, which so come to reports first.
            from .hooks.junit import JunitSections

            register(JunitSections(config, (SECTION, RECORDINGS)))
        register(config.stash[CHANNEL])
        if config.getoption("workflows_target") is not None:
            from .on_target import TestsOnTarget, read_target

            session.target = TestsOnTarget(read_target(config))
            register(session.target)
        elif config.getoption("workflows_target_worker") is not None:
            raise pytest.UsageError("--workflows-target-worker says where the Worker of --workflows-target answers.")
        if config.getoption("workflows_upgrade_from") is not None:
            from .hooks.upgrade import set_up_upgrade

            set_up_upgrade(config, session)
        wanted = read_exploration(config)
        exploration = ExplorationHooks(config, session, wanted)
        slices = SliceHooks(config, read_slices(config), exploration.exploration_of, explores_all=bool(wanted))
        register(exploration, NAME)
        register(slices)
        if self._pytest is not None:
            exploration.pytest_sessionstart(self._pytest)
            slices.pytest_sessionstart(self._pytest)
        register(ColouredSections())
        register(RunCollector(config))
        report_options = read_report_options(config)
        if report_options:
            from .hooks import reports

            register(reports.ReportHooks(config, session, report_options), reports.NAME)
        if config.getoption("workflows_replay"):
            from .hooks.replay import set_up_replays

            set_up_replays(config)
        if config.getoption("workflows_durations") is not None:
            from .hooks.durations import Durations

            register(Durations(config.getoption("workflows_durations")))


def _first_path(config: pytest.Config) -> Path | None:
    arguments = getattr(config.known_args_namespace, "file_or_dir", None) or config.getini("testpaths") or ["."]
    paths = (config.invocation_params.dir / argument.split("::")[0] for argument in arguments)
    return next((path for path in paths if os.path.exists(path)), None)
