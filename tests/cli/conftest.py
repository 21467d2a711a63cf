"""A shop whose orders are checked, charged and shipped, and the command that is run in it."""

import contextlib
import functools
import json
import os
import subprocess
import sys
import textwrap
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

import pytest
from typer.testing import CliRunner

from pytest_workflows.account.requests import Requests
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


# -- an account of the platform, for `pull` --------------------------------------------------------------------------

UNKNOWN_TOKEN = {"code": 1000, "message": "Invalid API Token"}
NOT_FOUND = {"code": 10007, "message": "workflows.api.error.not_found"}


class Platform:
    """The platform's API for one account, with the workflow `orders`.

    Attributes:
        instances: What it has: by id, as `GET .../instances/{id}` answers without the envelope.
        outputs: The whole outputs of steps: by id and name.
        failures: What the next requests get in place of an answer: status, headers, body.
        requests: The requests so far: path and query.
        headers: The headers of the last one.
        cursors: Whether lists are continued by a cursor, or by page numbers.
        page: How many rows a page has at most.
        gone: Ids that are listed and are no more.
    """

    def __init__(self) -> None:
        self.instances: dict[str, dict[str, Any]] = {}
        self.outputs: dict[tuple[str, str], Any] = {}
        self.failures: list[tuple[int, dict[str, str], Any]] = []
        self.requests: list[tuple[str, dict[str, str]]] = []
        self.headers: dict[str, str] = {}
        self.cursors = True
        self.page = 100
        self.gone: set[str] = set()

    def add(self, id: str, dump: dict[str, Any], number: int = 0) -> None:
        self.instances[id] = {**dump, "queued": f"2026-03-02T09:{number // 60:02}:{number % 60:02}.000Z"}

    def answer(self, path: str, query: dict[str, str]) -> tuple[int, dict[str, str], Any]:
        if self.failures:
            return self.failures.pop(0)
        if self.headers.get("authorization") != "Bearer good":
            return 401, {}, failure(UNKNOWN_TOKEN)
        match [unquote(part) for part in path.removeprefix("/client/v4/").split("/")]:
            case ["accounts"]:
                return 200, {}, success([{"id": "acc", "name": "Ours"}])
            case ["accounts", "acc", "workflows"]:
                return 200, {}, success([{"name": "orders"}, {"name": "reports"}], total_count=2, page=1, per_page=100)
            case ["accounts", "acc", "workflows", "orders"]:
                return 200, {}, success({"name": "orders"})
            case ["accounts", "acc", "workflows", "orders", "instances"]:
                return 200, {}, self._list(query)
            case ["accounts", "acc", "workflows", "orders", "instances", id] if id in self.instances.keys() - self.gone:
                return 200, {}, success(self.instances[id])
            case ["accounts", "acc", "workflows", "orders", "instances", id, "step"]:
                output = self.outputs.get((id, query["name"]))
                if isinstance(output, bytes):
                    return 200, {"content-type": "application/octet-stream"}, output
                return (404, {}, failure(NOT_FOUND)) if output is None else (200, {}, success(output))
        return 404, {}, failure(NOT_FOUND)

    @staticmethod
    def row(id: str, one: dict[str, Any]) -> dict[str, Any]:
        times = {
            "created_on": one["queued"],
            "started_on": one["start"],
            "ended_on": one["end"],
            "modified_on": one["queued"],
        }
        ids = {"id": id, "workflow_id": "wf", "version_id": one["versionId"]}
        return {**ids, **times, "status": one["status"], "trigger_source": "api"}

    def _list(self, query: dict[str, str]) -> dict[str, Any]:
        rows = [
            self.row(id, one)
            for id, one in self.instances.items()
            if one["status"] == query.get("status", one["status"])
        ]
        rows.sort(key=lambda one: one["created_on"], reverse=query.get("direction") == "desc")
        size = min(self.page, int(query.get("per_page", "10")))
        page = int(query.get("cursor" if self.cursors else "page") or 1)
        found = rows[(page - 1) * size : page * size]
        info: dict[str, Any] = {"per_page": size, "count": len(found)}
        if not self.cursors:
            info |= {"page": page, "total_count": len(rows)}
        elif page * size < len(rows):
            info["cursor"] = str(page + 1)
        return success(found, **info)


def success(result: Any, **info: Any) -> dict[str, Any]:
    return {"success": True, "errors": [], "messages": [], "result": result, **({"result_info": info} if info else {})}


def failure(error: dict[str, Any]) -> dict[str, Any]:
    return {"success": False, "errors": [error], "messages": [], "result": None}


@pytest.fixture(scope="module")
def server():
    """The one server of this file; each test gives it a platform of its own."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            here: Platform = self.server.platform  # type: ignore[attr-defined]
            parts = urlsplit(self.path)
            query = dict(parse_qsl(parts.query))
            here.headers = {name.lower(): value for name, value in self.headers.items()}
            here.requests.append((parts.path, query))
            status, headers, body = here.answer(parts.path, query)
            data = body if isinstance(body, bytes) else json.dumps(body).encode()
            self.send_response(status)
            for name, value in {
                "content-type": "application/json",
                **headers,
                "content-length": str(len(data)),
            }.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as found:
        thread = threading.Thread(target=found.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield found
        found.shutdown()
        thread.join()


@pytest.fixture
def pauses(monkeypatch):
    """The seconds that the command would have waited."""
    found: list[float] = []
    monkeypatch.setattr("pytest_workflows.cli.commands.pull.Requests", functools.partial(Requests, sleep=found.append))
    return found


@pytest.fixture
def platform(server, monkeypatch, pauses):
    server.platform = Platform()
    for name in ("API_KEY", "EMAIL", "API_TOKEN", "ACCOUNT_ID", "API_BASE_URL"):
        monkeypatch.delenv(f"CLOUDFLARE_{name}", raising=False)
        monkeypatch.delenv(f"CF_{name}", raising=False)
    monkeypatch.setenv("CLOUDFLARE_API_BASE_URL", f"http://127.0.0.1:{server.server_port}/client/v4")
    monkeypatch.setenv("CLOUDFLARE_API_TOKEN", "good")
    monkeypatch.setenv("CLOUDFLARE_ACCOUNT_ID", "acc")
    return server.platform


@pytest.fixture
def dump(dumps):
    """A dump as the API has it: bare, by name."""

    def read(name: str, **changes: Any) -> dict[str, Any]:
        found = json.loads((dumps / f"{name}.json").read_text(encoding="utf-8"))
        found = found.get("result", found)
        return {**{key: value for key, value in found.items() if key != "id"}, **changes}

    return read
