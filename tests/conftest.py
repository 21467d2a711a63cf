"""What concerns the whole suite."""

import ast
import contextlib
import gc
import importlib
import os
import pkgutil
import signal
import sys
import traceback
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
from hypothesis import HealthCheck, find, settings, strategies

# How long an example takes says more of the machine than of the code, and a change is not to fail for what a new draw
# finds in the rest: the same examples are drawn each time.
settings.register_profile(
    "suite", deadline=None, derandomize=True, database=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("suite")


# With them pytest cuts no line of its summary and repeats a message of several lines there. The tests read what a
# developer sees; the sessions that they start are to print the same on a build server.
for name in ("CI", "BUILD_NUMBER"):
    os.environ.pop(name, None)

# A shell without job control starts what it puts into the background (`.ci/run &`) with Ctrl-C ignored, and sessions that
# tests start and interrupt would inherit that.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


if sys.version_info < (3, 12):
    # A parse that begins within another one breaks that in CPython 3.11 (gh-106905): where garbage is collected amid a
    # parse, whatever is called for what goes may parse, and gives other threads their turn, which may. So none is. What
    # goes without that may still be logged, and a traceback of 3.11 parses code to underline a part of it.
    _parse, _anchors, _parsing = ast.parse, traceback._extract_caret_anchors_from_line_segment, []

    def _marked_parse(*args: Any, **kwargs: Any) -> Any:
        _parsing.append(1)
        collects = gc.isenabled()
        gc.disable()
        try:
            return _parse(*args, **kwargs)
        finally:
            if collects:
                gc.enable()
            _parsing.pop()

    ast.parse = _marked_parse
    traceback._extract_caret_anchors_from_line_segment = lambda segment: None if _parsing else _anchors(segment)


def pytest_collection_finish(session: pytest.Session) -> None:
    """Thousands of tests and all modules are not to be looked through whenever garbage is collected."""
    # Hypothesis makes its random generator at its first example and warns if nothing refers to it; what is frozen shows no
    # references, on Python 3.14 that of the module included.
    find(strategies.none(), lambda _: True)
    gc.collect()
    gc.freeze()


class Interrupts:
    """Knows of a session whether Ctrl-C ended it, which pytester asks for.

    In the place of its HookRecorder, which keeps every argument of every hook: of thousands of runs, all that they held.

    Args:
        plugins: The session's plugin manager.
    """

    def __init__(self, plugins: pytest.PytestPluginManager) -> None:
        self.ret: int | None = None
        self._interrupts: list[SimpleNamespace] = []
        plugins.register(self)

    def pytest_keyboard_interrupt(self, excinfo: pytest.ExceptionInfo[BaseException]) -> None:
        self._interrupts.append(SimpleNamespace(excinfo=excinfo))

    def getcalls(self, names: str) -> list[SimpleNamespace]:
        assert names == "pytest_keyboard_interrupt"
        return self._interrupts

    def finish_recording(self) -> None:
        pass


class Sessions:
    """Sessions of pytest inside of this one, of a project's tests.

    Args:
        pytester: Runs them.
        monkeypatch: The test's.
    """

    PLUGINS = ("pytest_asyncio.plugin", "pytest_workflows.plugin")

    def __init__(self, pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
        self._pytester = pytester
        monkeypatch.setattr(pytester, "make_hook_recorder", Interrupts)
        self._monkeypatch = monkeypatch
        # A source that a test changes within a second, and keeps as long as it was, would not be compiled again.
        monkeypatch.setattr(sys, "dont_write_bytecode", True)

    def run(self, folder: Path, *arguments: str) -> pytest.RunResult:
        """Run the tests of a folder as somebody would who stands in it, in this process."""
        self._monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
        with contextlib.chdir(folder):
            return self._pytester.runpytest_inprocess(*arguments, plugins=self.modules())

    def modules(self) -> list[ModuleType]:
        """The plugins, as modules: for each that is named pytest would read the metadata of all that is installed."""
        return [importlib.import_module(name) for name in self.PLUGINS]


@pytest.fixture(scope="session", autouse=True)
def all_modules() -> None:
    """Import all modules of ours, before pytester notes which there are.

    A pytest that runs in this process forgets those that it imported, and some of them would then exist twice.
    """
    import pytest_workflows

    for module in pkgutil.walk_packages(pytest_workflows.__path__, "pytest_workflows."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)


@pytest.fixture
def sessions(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> Sessions:
    return Sessions(pytester, monkeypatch)
