"""A shop whose orders are checked, charged and shipped, and the command that is run in it."""

import contextlib
import os
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from pytest_workflows.cli.app import app

DUMPS = Path(__file__).parents[1] / "recordings" / "dumps"
PLUGINS = "pytest_asyncio.plugin,pytest_workflows.plugin"  # all that are installed cost more than what a command does
CONFIG = """
    {
      // The same workflow that the dumps in tests/recordings/dumps are of.
      "name": "shop",
      "main": "src/entry.py",
      "compatibility_date": "2026-11-10",
      "workflows": [{ "binding": "ORDERS", "name": "orders", "class_name": "OrderWorkflow" }]
    }
"""
INI = """
    [pytest]
    asyncio_mode = auto
    asyncio_default_fixture_loop_scope = function
    filterwarnings = error
"""
ENTRY = """
    from workers import WorkflowEntrypoint

    CARD = {"retries": {"limit": 2, "delay": "10 seconds", "backoff": "exponential"}, "timeout": "2 minutes"}


    class OrderWorkflow(WorkflowEntrypoint):
        async def run(self, event, step):
            order = event["payload"]

            @step.do("check stock")
            async def check_stock():
                return {"in_stock": 7}

            stock = await check_stock()
            if stock["in_stock"] < 1:
                return {"status": "out of stock"}

            @step.do("charge card", config=CARD)
            async def charge_card():
                if order.get("card") == "declined":
                    raise RuntimeError("the bank answered 503")
                return {"charge": "ch_81"}

            await charge_card()
            await step.sleep("cool down", "3 days")
            try:
                approval = await step.wait_for_event("approval", "approved", timeout="1 day")
            except Exception:
                return {"status": "not approved"}

            @step.do("ship-2026")
            async def ship():
                return "parcel 55"

            return {"status": "shipped", "parcel": await ship(), "approved_by": approval["payload"]["by"]}
"""
TESTS = """
    from pytest_workflows import introspect_workflow_instance


    async def test_an_order_ships(workflow_env):
        async with introspect_workflow_instance(workflow_env.ORDERS, "order-1") as instance:
            await workflow_env.ORDERS.create({"id": "order-1", "params": {"card": "declined"}})
            await instance.wait_for_status("complete")
"""


class Shop:
    """A worker project in a folder of its own.

    Args:
        path: The folder.
        here: Runs a command in this process.
        sessions: Runs the project's tests in this process.
    """

    def __init__(self, path: Path, here: "Callable[..., Ended]", sessions: Any) -> None:
        self.path = path
        self._here = here
        self._sessions = sessions
        self.write("wrangler.jsonc", CONFIG)
        self.write("pytest.ini", INI)
        self.write("src/entry.py", ENTRY)

    def write(self, name: str, text: str) -> Path:
        """Write a file, indentation and first empty line cut off."""
        path = self.path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text).lstrip("\n"), encoding="utf-8")
        return path

    def add_binding(self) -> None:
        """Bind the workflow a second time: the project has ORDERS and AGAIN."""
        path = self.path / "wrangler.jsonc"
        orders = '{ "binding": "ORDERS", "name": "orders", "class_name": "OrderWorkflow" }'
        again = orders.replace("ORDERS", "AGAIN").replace("orders", "again")
        text = path.read_text(encoding="utf-8")
        assert orders in text
        path.write_text(text.replace(orders, f"{orders}, {again}"), encoding="utf-8")

    def change(self, old: str, new: str) -> None:
        """Edit the workflow's source."""
        path = self.path / "src/entry.py"
        text = path.read_text(encoding="utf-8")
        assert old in text
        path.write_text(text.replace(old, new), encoding="utf-8")

    def command(self, *arguments: str, given: str | None = None, process: bool = False) -> "Ended":
        """Run `pytest-workflows` in the project, 80 columns wide and without colour."""
        if process:
            return self._run("pytest_workflows.cli", *arguments, given=given)
        with contextlib.chdir(self.path):
            return self._here(*arguments, given=given)

    def pytest(self, *arguments: str) -> "Ended":
        """Run the project's tests."""
        result = self._sessions.run(self.path, "-q", "-p", "no:cacheprovider", *arguments)
        return Ended(int(result.ret), result.stdout.str(), result.stderr.str())

    def _run(self, module: str, *arguments: str, given: str | None = None, **environment: str) -> "Ended":
        plain = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST", "COV"))}
        ended = subprocess.run(
            [sys.executable, "-m", module, *arguments],
            cwd=self.path,
            env={**plain, "COLUMNS": "80", "NO_COLOR": "1", **environment},
            input=given,
            capture_output=True,
            text=True,
            check=False,
        )
        return Ended(ended.returncode, ended.stdout, ended.stderr)


class Ended:
    """What a command did.

    Attributes:
        code: Its exit code.
        out: What it printed.
        err: What it complained of.
    """

    def __init__(self, code: int, out: str, err: str) -> None:
        self.code, self.out, self.err = code, out, err

    @property
    def lines(self) -> list[str]:
        return self.out.splitlines()


@pytest.fixture
def shop(tmp_path: Path, cli: "Callable[..., Ended]", sessions: Any) -> Shop:
    return Shop(tmp_path, cli, sessions)


@pytest.fixture
def dumps() -> Path:
    return DUMPS


@pytest.fixture
def cli(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> "Callable[..., Ended]":
    """Runs a command in this process; what it imports of a project is forgotten."""
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    monkeypatch.setenv("PYTEST_PLUGINS", PLUGINS)

    def run(*arguments: object, given: str | None = None) -> Ended:
        path = list(sys.path)
        try:
            result = CliRunner().invoke(app, list(map(str, arguments)), input=given, prog_name="pytest-workflows")
        finally:
            sys.path[:] = path
            forget(tmp_path)
        return Ended(result.exit_code, result.stdout, result.stderr)

    return run


def forget(folder: Path) -> None:
    """Forget the modules that lie in a folder: the next command is to find its own ones."""
    for name, module in list(sys.modules.items()):
        if str(getattr(module, "__file__", "")).startswith(f"{folder}{os.sep}"):
            del sys.modules[name]


def text(block: str) -> str:
    """An expected output: indentation and first empty line cut off."""
    return textwrap.dedent(block).lstrip("\n")
