"""pytest's hooks, and what keeps pytest's own import hook off our modules.

What the hooks do is in `session/`. Nothing is imported here at the top: this module and the package are all that pytest
may rewrite, and a session that does not use the plugin shall load next to nothing of it.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import copy
import sys
from collections.abc import Generator, Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from .session.opening import Opening

_OWN_MODULES = "pytest-workflows-own-modules"
_OURS = frozenset({"pytest_workflows", "durable_engine"})
_OPENING = pytest.StashKey["Opening"]()


class OwnModules(MetaPathFinder):
    """Finds our modules before pytest's import hook does, and leaves it nothing of ours to rewrite.

    pytest rewrites the assertions of all that is installed with a registered plugin, and compiles it anew for that in
    each environment, and in each run where no bytecode may be written. No module of ours holds an assertion of a test.
    """

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Find a module of ours as Python itself does."""
        return PathFinder.find_spec(fullname, path, target) if fullname.partition(".")[0] in _OURS else None

    def install(self) -> None:
        """Come first from now on."""
        self.uninstall()
        sys.meta_path.insert(0, self)

    def uninstall(self) -> None:
        """Find nothing any more. Twice is fine."""
        if self in sys.meta_path:
            sys.meta_path.remove(self)


def _opening(config: pytest.Config) -> Opening:
    return config.stash[_OPENING]


def pytest_addhooks(pluginmanager: pytest.PytestPluginManager) -> None:
    """Declare our hooks and fixtures. It is the first hook that pytest calls: nothing of ours is imported before."""
    own_modules = OwnModules()
    own_modules.install()
    from . import hookspecs
    from .session import fixtures

    pluginmanager.add_hookspecs(hookspecs)
    pluginmanager.register(fixtures, fixtures.__name__)
    pluginmanager.register(own_modules, _OWN_MODULES)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Declare our options."""
    from .session.command_line import add_options
    from .session.ini_options import add_ini_options

    add_options(parser)
    add_ini_options(parser)


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
    """Serve the platform's modules where the plugin was loaded late; declare the marker, and read what is asked for."""
    from .session.marker import HELP

    _start(config)
    config.addinivalue_line("markers", HELP)
    _opening(config).configured()


def _start(config: pytest.Config) -> None:
    from .session.opening import Opening

    if _OPENING not in config.stash:
        own_modules: Any = config.pluginmanager.get_plugin(_OWN_MODULES)
        config.add_cleanup(own_modules.uninstall)
        config.stash[_OPENING] = Opening(config)
        config.stash[_OPENING].begin()


def pytest_unconfigure(config: pytest.Config) -> None:
    """Remove everything that the session has put in place."""
    if _OPENING in config.stash:
        config.stash[_OPENING].close()
        del config.stash[_OPENING]


@pytest.hookimpl(trylast=True)
def pytest_sessionstart(session: pytest.Session) -> None:
    """Know pytest's own session."""
    _opening(session.config).started(session)


@pytest.hookimpl(tryfirst=True)
def pytest_collect_directory(path: Path, parent: pytest.Collector) -> None:
    """Make a Worker's sources importable before the folder's conftest is."""
    _opening(parent.config).enter(path)


@pytest.hookimpl(tryfirst=True)
def pytest_pycollect_makemodule(module_path: Path, parent: pytest.Collector) -> None:
    """Make a Worker's sources importable before the test module is."""
    _opening(parent.config).enter(module_path)


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(
    collector: pytest.Collector,
) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """Add a note where a test module cannot be imported because the Worker's source is for a newer Python."""
    report = yield
    opening = _opening(collector.config)
    opening.collected(report.result or ())
    call: pytest.CallInfo[Any] | None = getattr(report, "call", None)
    if opening.session is not None and report.failed and call is not None and call.excinfo is not None:
        from .session.explanations import note_newer_python

        notes = note_newer_python(call.excinfo.value, opening.session.known_project_of(collector.path))
        report.sections += [("Python", note) for note in notes]
    return report


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Refuse markers that say what they may not."""
    opening = _opening(config)
    if config.hook.pytest_workflows_report.get_hookimpls():
        opening.open()  # whoever waits for the report of all tests gets it, whatever is in it
    opening.collected(items)
    if opening.session is not None:
        from .session.marker import check_markers

        check_markers(items)


@pytest.hookimpl(wrapper=True)
def pytest_runtestloop(session: pytest.Session) -> Generator[None, object, object]:
    """Leave nothing in other modules to whoever ends the session."""
    try:
        return (yield)
    finally:
        _opening(session.config).tests_are_over()


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Begin a test."""
    _opening(item.config).begin_test(item)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, Any, Any]:
    """Check what the test must still learn, and end an engine that no fixture will end."""
    opening = _opening(item.config)
    test_run = opening.test_run
    if test_run is not None and test_run.plan.upgrade_from is not None:
        from .session.upgrade_calls import call_for_upgrade

        return (yield from call_for_upgrade(test_run))
    try:
        if test_run is not None and test_run.has_fixture:
            from .session.explanations import explain_async

            outcome = yield from explain_async(item)
        else:
            outcome = yield
        test_run = opening.test_run  # which may have begun amid the call
        if test_run is not None:
            test_run.check()
            if item.config.getoption("workflows_report"):
                test_run.write_report()
        return outcome
    except BaseException as failure:
        if opening.test_run is not None:
            opening.test_run.fail(failure)
        raise
    finally:
        if opening.test_run is not None:
            opening.test_run.stop()


def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> None:
    """Make a run of its own of each example of a property test. By now, no function of a test is async any more."""
    test_run = _opening(pyfuncitem.config).test_run
    if test_run is None:
        return
    from .session.property_tests import is_property_test

    if is_property_test(pyfuncitem):
        test_run.examples.separate(pyfuncitem)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(item: pytest.Item) -> Generator[None, Any, Any]:
    """The engine of a test ends with the test, after its fixtures."""
    opening = _opening(item.config)
    try:
        if opening.test_run is not None:
            opening.test_run.begin_teardown()
        return (yield)
    except BaseException:
        if opening.test_run is not None:
            opening.test_run.write_report()
        raise
    finally:
        if opening.session is not None:
            opening.session.end()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Put the runs of the test's instances into the report of its failure, and leave our own frames out of it."""
    # Without the engine no frame is ours, and nothing must be loaded to find that out.
    if call.excinfo is not None and "durable_engine" in sys.modules:
        from .reporting.tracebacks import hide_ours

        hide_ours(call.excinfo.value)
    opening = _opening(item.config)
    error = None if call.excinfo is None else call.excinfo.value
    if error is not None and opening.session is not None:
        from .session.explanations import note_newer_python

        note_newer_python(error, opening.session.known_project_of(item.path))
    report = yield
    if opening.test_run is not None:
        shows_passed = item.config.getoption("workflows_report")
        opening.test_run.complete_report(report, error, shows_passed=shows_passed)
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
    session = _opening(node.config).session
    if session is not None:
        from .session.explanations import explain_loop

        assert call.excinfo is not None
        explain_loop(call.excinfo.value, session.switcher.active, report)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """With --workflows-report: the runs of all tests' instances."""
    if config.getoption("workflows_report"):
        from .session.report_sections import show_report

        show_report(terminalreporter)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, Any, Any]:
    """Let stopped code run again only after a test's report."""
    try:
        return (yield)
    finally:
        _opening(item.config).reported()
