"""A worker project in a temporary folder, whose tests are run by a pytest of their own."""

import textwrap
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

INI = """
    [pytest]
    asyncio_mode = auto
    asyncio_default_fixture_loop_scope = function
    filterwarnings = error
"""
CONFIG = """
    {
      "name": "shop",
      "main": "src/entry.py",
      "compatibility_date": "2026-11-10",
      "compatibility_flags": ["disable_python_no_global_handlers"],
      "vars": {"STAGE": "test"},
      "workflows": [
        {"binding": "ORDERS", "name": "orders", "class_name": "OrderWorkflow"}
      ]
    }
"""
ENTRY = """
    from workers import WorkflowEntrypoint


    class OrderWorkflow(WorkflowEntrypoint):
        async def run(self, event, step):
            @step.do("charge")
            async def charge():
                return {"sku": event["payload"].get("sku")}

            charged = await charge()
            await step.sleep("cool down", "1 day")

            @step.do("ship")
            async def ship():
                return "shipped"

            return [charged, await ship()]
"""


class WorkerProject:
    """A worker project: wrangler.jsonc, src/entry.py, and tests.

    Args:
        pytester: Runs its tests.
        monkeypatch: The test's.
        sessions: Says how they run in this process.
    """

    def __init__(self, pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, sessions: Any) -> None:
        self.pytester = pytester
        self.monkeypatch = monkeypatch
        self._sessions = sessions
        self.path: Path = pytester.path
        self.ini(INI)
        self.write("wrangler.jsonc", CONFIG)
        self.write("src/entry.py", ENTRY)

    def write(self, name: str, text: str) -> Path:
        """Write a file, indentation and first empty line cut off."""
        path = self.path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text).lstrip("\n"), encoding="utf-8")
        return path

    def ini(self, text: str) -> None:
        """Replace the ini file."""
        self.write("pytest.ini", text)

    def set(self, **options: str) -> None:
        """Set ini options, beside those that every project here has."""
        known = dict(line.split(" = ") for line in textwrap.dedent(INI).strip().splitlines()[1:])
        self.ini("\n".join(["[pytest]", *(f"{name} = {value}" for name, value in {**known, **options}.items())]))

    def run(
        self, tests: str | None = None, *arguments: str, process: bool = False, plugins: Sequence[str] | None = ()
    ) -> pytest.RunResult:
        """Run the project's tests.

        Args:
            tests: The content of tests/test_it.py.
            arguments: More arguments for pytest.
            process: Whether they run in a process of their own.
            plugins: Which plugins are there beside ours and pytest-asyncio's, which are half of what a run costs; None
                for all that are installed.
        """
        if tests is not None:
            self.write("tests/test_it.py", tests)
        options: dict[str, Any] = {}
        if plugins is None:
            self.monkeypatch.delenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", raising=False)
        else:
            self.monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
            named = [*plugins]
            if process or "-n" in arguments:
                named += [*self._sessions.PLUGINS, *(["xdist.plugin"] if "-n" in arguments else [])]
            else:
                options = {"plugins": self._sessions.modules()}
            arguments = (*(word for name in named for word in ("-p", name)), *arguments)
        how: Callable[..., pytest.RunResult] = (
            self.pytester.runpytest_subprocess if process else self.pytester.runpytest_inprocess
        )
        return how(*arguments, **options)


@pytest.fixture
def worker(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, sessions: Any) -> WorkerProject:
    return WorkerProject(pytester, monkeypatch, sessions)
