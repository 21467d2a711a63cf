"""pytest's hooks, and nothing else. What they do is in `session/`; nothing heavy is imported before it is needed."""

from __future__ import annotations

import copy
import os
import sys
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest

from .introspection.monotonic import monotonic_time
from .project import importer
from .session.command_line import add_options, read_exploration, read_slices
from .session.explanations import explain_async, explain_loop, note_newer_python
from .session.fixtures import (  # noqa: F401 (pytest finds fixtures by their names here)
    workflow_bindings,
    workflow_clock,
    workflow_engine,
    workflow_env,
    workflow_seed,
    workflow_worker,
    workflow_workers,
)
from .session.hooks.durations import Durations
from .session.hooks.exploration import NAME, ExplorationHooks
from .session.hooks.slices import SliceHooks
from .session.ini_options import add_ini_options
from .session.marker import HELP, check_markers
from .session.property_tests import is_property_test
from .session.report_options import read_report_options
from .session.report_sections import RECORDINGS, SECTION, ColouredSections, show_report
from .session.session import SESSION, WorkflowSession
from .session.session_report import RunCollector
from .session.terminal import TERMINAL, examine_terminal
from .session.upgrade_calls import call_for_upgrade
from .session.xdist_channel import CHANNEL, XdistChannel


def pytest_addoption(parser: pytest.Parser) -> None:
    """Declare our options."""
    add_options(parser)
    add_ini_options(parser)


def pytest_addhooks(pluginmanager: pytest.PytestPluginManager) -> None:
    """Declare our own hooks."""
    from . import hookspecs

    pluginmanager.add_hookspecs(hookspecs)


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config, parser: pytest.Parser, args: list[str]) -> None:
    """Serve the platform's modules before the first conftest imports a Worker."""
    if "--workflows-crash" in args:
        # argparse would take the path behind it for its value; that takes an equals sign.
        args[:] = ["--workflows-crash=all" if argument == "--workflows-crash" else argument for argument in args]
        read = parser.parse_known_args(args, namespace=copy.copy(early_config.option))
        known = early_config.known_args_namespace  # pytest has put more into it, such as where conftests end
        known.workflows_crash, known.file_or_dir = read.workflows_crash, read.file_or_dir
    _start(early_config)


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Serve the platform's modules where the plugin was loaded late; declare the marker, and register our hooks."""
    _start(config)
    config.addinivalue_line("markers", HELP)
    session = config.stash[SESSION]
    session.configured()
    if config.getoption("xmlpath", None):
        # Before the hooks that give runs of exploration their names, which so come to reports first.
        from .session.hooks.junit import JunitSections

        config.pluginmanager.register(JunitSections(config, (SECTION, RECORDINGS)))
    config.pluginmanager.register(config.stash[CHANNEL])
    if config.getoption("workflows_upgrade_from") is not None:
        from .session.hooks.upgrade import set_up_upgrade

        set_up_upgrade(config, session)
    exploration = ExplorationHooks(config, session, read_exploration(config))
    config.pluginmanager.register(exploration, NAME)
    config.pluginmanager.register(SliceHooks(config, read_slices(config), exploration.exploration_of))
    config.pluginmanager.register(ColouredSections())
    config.pluginmanager.register(RunCollector(config))
    report_options = read_report_options(config)
    if report_options:
        from .session.hooks import reports

        config.pluginmanager.register(reports.ReportHooks(config, session, report_options), reports.NAME)
    if config.getoption("workflows_replay"):
        from .session.hooks.replay import set_up_replays

        set_up_replays(config)
    if config.getoption("workflows_durations") is not None:
        config.pluginmanager.register(Durations(config.getoption("workflows_durations")))


def _start(config: pytest.Config) -> None:
    if SESSION not in config.stash:
        importer.install()
        monotonic_time.install()
        channel = config.stash[CHANNEL] = XdistChannel(config)
        channel.at_start(TERMINAL, lambda _: examine_terminal(config))
        config.stash[SESSION] = WorkflowSession(config)
        for path in _first_paths(config):
            config.stash[SESSION].enter(path)


def _first_paths(config: pytest.Config) -> list[Path]:
    arguments = getattr(config.known_args_namespace, "file_or_dir", None) or config.getini("testpaths") or ["."]
    paths = [config.invocation_params.dir / argument.split("::")[0] for argument in arguments]
    return [path for path in paths if os.path.exists(path)][:1]


def pytest_unconfigure(config: pytest.Config) -> None:
    """Remove everything that the session has put in place."""
    session = config.stash.get(SESSION, None)
    if session is not None:
        session.close()
        del config.stash[SESSION]
        importer.uninstall()
        monotonic_time.uninstall()


@pytest.hookimpl(tryfirst=True)
def pytest_collect_directory(path: Path, parent: pytest.Collector) -> None:
    """Make a Worker's sources importable before the folder's conftest is."""
    parent.config.stash[SESSION].enter(path)


@pytest.hookimpl(tryfirst=True)
def pytest_pycollect_makemodule(module_path: Path, parent: pytest.Collector) -> None:
    """Make a Worker's sources importable before the test module is."""
    parent.config.stash[SESSION].enter(module_path)


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(
    collector: pytest.Collector,
) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """Add a note where a test module cannot be imported because the Worker's source is for a newer Python."""
    report = yield
    call: pytest.CallInfo[Any] | None = getattr(report, "call", None)
    if report.failed and call is not None and call.excinfo is not None:
        project = collector.config.stash[SESSION].known_project_of(collector.path)
        notes = note_newer_python(call.excinfo.value, project)
        report.sections += [("Python", note) for note in notes]
    return report


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Refuse markers that say what they may not."""
    check_markers(items)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Begin a test."""
    item.config.stash[SESSION].begin(item)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, Any, Any]:
    """Check what the test must still learn, and end an engine that no fixture will end."""
    test_run = item.config.stash[SESSION].test_run
    if test_run is None:
        return (yield)
    if test_run.plan.upgrade_from is not None:
        return (yield from call_for_upgrade(test_run))
    try:
        outcome = (yield from explain_async(item)) if test_run.has_fixture else (yield)
        test_run.check()
        if item.config.getoption("workflows_report"):
            test_run.write_report()
        return outcome
    except BaseException as failure:
        test_run.fail(failure)
        raise
    finally:
        test_run.stop()


def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> None:
    """Make a run of its own of each example of a property test. By now, no function of a test is async any more."""
    test_run = pyfuncitem.config.stash[SESSION].test_run
    if test_run is not None and is_property_test(pyfuncitem):
        test_run.examples.separate(pyfuncitem)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(item: pytest.Item) -> Generator[None, Any, Any]:
    """The engine of a test ends with the test, after its fixtures."""
    session = item.config.stash[SESSION]
    try:
        return (yield)
    except BaseException:
        if session.test_run is not None:
            session.test_run.write_report()
        raise
    finally:
        session.end()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Put the runs of the test's instances into the report of its failure, and leave our own frames out of it."""
    # Without the engine no frame is ours, and nothing must be loaded to find that out.
    if call.excinfo is not None and "durable_engine" in sys.modules:
        from .reporting.tracebacks import hide_ours

        hide_ours(call.excinfo.value)
    session = item.config.stash[SESSION]
    error = None if call.excinfo is None else call.excinfo.value
    if error is not None:
        note_newer_python(error, session.known_project_of(item.path))
    report = yield
    if session.test_run is not None:
        shows_passed = item.config.getoption("workflows_report")
        session.test_run.complete_report(report, error, shows_passed=shows_passed)
    return report


def pytest_keyboard_interrupt() -> None:
    """Note that a Ctrl-C has arrived: no code of a Worker has caught it."""
    if "durable_engine" in sys.modules:
        from durable_engine import WATCHDOG

        WATCHDOG.interrupt_arrived()


def pytest_exception_interact(
    node: pytest.Item | pytest.Collector,
    call: pytest.CallInfo[Any],
    report: pytest.CollectReport | pytest.TestReport,
) -> None:
    """Add the next step where a Worker's module, imported by a test file or a test, wants an event loop."""
    assert call.excinfo is not None
    explain_loop(call.excinfo.value, node.config.stash[SESSION].switcher.active, report)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """With --workflows-report: the runs of all tests' instances."""
    if config.getoption("workflows_report"):
        show_report(terminalreporter)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, Any, Any]:
    """Let stopped code run again only after a test's report."""
    try:
        return (yield)
    finally:
        item.config.stash[SESSION].reported()
