"""pytest --workflows-target: an ordinary test runs against a server of the platform's API, and says what cannot be done.

The server is a process of `pytest-workflows dev`, one for all tests: nothing else shows that the two fit.
"""

import asyncio
import http.server
import json
import os
import subprocess
import sys
import textwrap
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pytest_workflows.target.address import read_address
from pytest_workflows.target.api import TargetApi
from pytest_workflows.target.errors import TargetError
from pytest_workflows.target.introspectors import TargetInstance
from pytest_workflows.target.started import Started

ENTRY = """
    from workers import Response, WorkerEntrypoint, WorkflowEntrypoint


    class OrderWorkflow(WorkflowEntrypoint):
        async def run(self, event, step):
            @step.do("charge", config={"retries": {"limit": 0, "delay": 0}})
            async def charge():
                if "refuse" in event["payload"]:
                    raise ValueError(event["payload"]["refuse"])
                return {"charged": event["payload"].get("sku")}

            charged = await charge()
            approval = await step.wait_for_event("approval", "approval", timeout="1 hour")
            return [charged, approval["payload"]]


    class Default(WorkerEntrypoint):
        async def fetch(self, request):
            if request.method == "POST":
                order = await self.env.ORDERS.create({"params": await request.json()})
                return Response(order.id, status=201, headers={"x-made": "yes"})
            return Response(f"{request.method} {request.url.split('/', 3)[3]}")
"""
CONFIG = """
    {
      "name": "shop", "main": "src/entry.py", "compatibility_date": "2026-11-10", "vars": {"STAGE": "test"},
      "kv_namespaces": [{"binding": "CACHE", "id": "1"}],
      "workflows": [{"binding": "ORDERS", "name": "orders", "class_name": "OrderWorkflow"}]
    }
"""
HEAD = """
    import pytest
    from pyodide.ffi import JsException

    from pytest_workflows import introspect_workflow, introspect_workflow_instance, reproduce
"""


def write(folder: Path) -> None:
    (folder / "src").mkdir(parents=True, exist_ok=True)
    (folder / "src/entry.py").write_text(textwrap.dedent(ENTRY).lstrip())
    (folder / "wrangler.jsonc").write_text(textwrap.dedent(CONFIG).lstrip())


@pytest.fixture(scope="module")
def target(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a running `pytest-workflows dev`."""
    folder = tmp_path_factory.mktemp("served")
    write(folder)
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    command = [sys.executable, "-m", "pytest_workflows.cli", "dev", "--port", "0"]
    with subprocess.Popen(command, cwd=folder, env=environment, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        url = ""
        for line in process.stdout:
            url = line.split()[1] if line.split()[:1] == ["Worker"] else url
            if "Ctrl-C stops" in line:
                break
        yield url
        process.kill()


@pytest.fixture
def shop(worker: Any) -> Any:
    write(worker.path)
    return worker


def run(shop: Any, test: str, *arguments: str) -> Any:
    return shop.run(HEAD + test, *arguments)


# -- what runs unchanged ----------------------------------------------------------------------------------------------

ORDINARY = """
    async def test_order(workflow_env):
        async with introspect_workflow_instance(workflow_env.ORDERS, "order-1") as instance:
            order = await workflow_env.ORDERS.create({"id": "order-1", "params": {"sku": "A1"}})
            assert order.id == "order-1"
            assert await instance.wait_for_step_result("charge") == {"charged": "A1"}
            await order.send_event({"type": "approval", "payload": {"by": "ada"}})
            await instance.wait_for_status("complete")
            assert await instance.get_output() == [{"charged": "A1"}, {"by": "ada"}]
            assert (await order.status())["output"] == [{"charged": "A1"}, {"by": "ada"}]
            assert (await instance.status())["output"] == [{"charged": "A1"}, {"by": "ada"}]

    async def test_lifecycle(workflow_env):
        async with introspect_workflow_instance(workflow_env.ORDERS, "order-1") as instance:
            order = await workflow_env.ORDERS.create({"id": "order-1", "params": {"sku": "A1"}})
            await instance.wait_for_status("waiting")
            await order.pause()
            await instance.wait_for_status("paused")
            await order.resume()
            await instance.wait_for_status("running")
            await order.restart({"from": {"name": "charge"}})
            await instance.wait_for_status("waiting")
            await (await workflow_env.ORDERS.get("order-1")).terminate()
            await instance.wait_for_status("terminated")

    async def test_failure(workflow_env):
        async with introspect_workflow(workflow_env.ORDERS) as introspector:
            await workflow_env.ORDERS.create_batch([{"params": {"refuse": "no funds"}}])
            (instance,) = introspector.get()
            with pytest.raises(Exception, match="no funds"):
                await instance.wait_for_step_result("charge")
            await instance.wait_for_status("errored")
            assert "no funds" in (await instance.get_error())["message"]

    async def test_fetch(workflow_env, workflow_worker):
        async with introspect_workflow(workflow_env.ORDERS) as introspector:
            response = await workflow_worker.fetch("/orders", method="POST", json={"sku": "B2"})
            assert (response.status, response.headers["x-made"]) == (201, "yes")
            (instance,) = await introspector.get()
            assert instance.id == await response.text()
            assert await instance.wait_for_step_result("charge") == {"charged": "B2"}
        assert await (await workflow_worker.fetch("https://example.com/a?b=1")).text() == "GET a?b=1"

    async def test_errors(workflow_env):
        with pytest.raises(JsException, match="not_found"):
            await workflow_env.ORDERS.get("nope")
        async with introspect_workflow_instance(workflow_env.ORDERS, "order-1") as instance:
            await workflow_env.ORDERS.create({"id": "order-1"})
            with pytest.raises(JsException, match="already_exists"):
                await workflow_env.ORDERS.create({"id": "order-1"})
            await instance.wait_for_status("waiting")
            with pytest.raises(Exception, match='is in status "waiting" but must be "complete"'):
                await instance.get_output()
"""


def test_an_ordinary_test_file_runs_in_memory_and_again_and_again_on_the_target(shop: Any, target: str) -> None:
    run(shop, ORDINARY).assert_outcomes(passed=5)

    for _ in range(2):  # what a test has created is gone with it, so that its ids are free again
        result = run(shop, ORDINARY, f"--workflows-target={target}")

        result.assert_outcomes(passed=5)
    result.stdout.fnmatch_lines([f"workflows: run on {target}/client/v4, account local; Worker: {target} (*-target)"])


def test_what_a_test_failed_with_stays_on_the_target_and_the_next_run_says_what_is_there(
    shop: Any, target: str
) -> None:
    kept = """
    async def test_it(workflow_env):
        async with introspect_workflow_instance(workflow_env.ORDERS, "kept-1") as instance:
            await workflow_env.ORDERS.create({"id": "kept-1", "params": {"sku": "A1"}})
            await instance.wait_for_status("complete", timeout=0.2)
    """
    first = run(shop, kept, f"--workflows-target={target}")
    second = run(shop, kept, f"--workflows-target={target}")

    first.stdout.fnmatch_lines(
        [
            "*WaitTimeoutError: Waiting for status 'complete' of instance 'kept-1' of 'ORDERS' at *",
            "*It is waiting. Its steps so far: step 'charge-1', a wait for an event 'approval-1'.",
            "*It did not happen within 0.2 real seconds: time is real there. *",
        ]
    )
    second.stdout.fnmatch_lines(["*already_exists*", "*A target (--workflows-target) keeps what is created *"])


# -- what cannot be done ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("fixture", ["workflow_clock", "workflow_engine", "workflow_server", "workflow_workers"])
def test_a_fixture_of_the_engine_is_refused_at_once(shop: Any, fixture: str) -> None:
    result = run(shop, f"\n    async def test_it({fixture}):\n        pass\n", "--workflows-target=http://127.0.0.1:9")

    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines([f"*The fixture {fixture} is not to be had with --workflows-target: *"])


@pytest.mark.parametrize(
    ("use", "what"),
    [
        ("async with instance.modify() as m: pass", "modify of an introspector"),
        ("await instance.crash()", "crash of an introspector"),
        ("instance.history", "history of an introspector"),
        ("workflow_env.CACHE", "env.CACHE"),
        ("workflow_env.STAGE", "env.STAGE"),
        ("await workflow_env.ORDERS.deleteBatch(['a'])", "deleteBatch of a workflow binding"),
        ("await reproduce(workflow_env.ORDERS, 'recording.json')", "reproduce(...)"),
        ("workflow_bindings['AI'] = 1", "workflow_bindings['AI'] = ..."),
        ("await workflow_worker.scheduled(cron='* * * * *')", "workflow_worker.scheduled"),
    ],
)
def test_what_only_an_engine_in_memory_can_do_is_refused_by_name(shop: Any, use: str, what: str) -> None:
    result = run(
        shop,
        f"""
    async def test_it(workflow_env, workflow_worker, workflow_bindings):
        async with introspect_workflow_instance(workflow_env.ORDERS, "order-1") as instance:
            {use}
    """,
        "--workflows-target=http://127.0.0.1:9",
    )

    result.assert_outcomes(failed=1)
    assert f"NotOnTargetError: {what} is not to be had with --workflows-target: " in result.stdout.str()


@pytest.mark.parametrize(
    ("test", "what"),
    [
        ("@pytest.mark.workflow(now='2026-01-01T00:00:00Z')\n{}", "@pytest.mark.workflow(now='2026-01-01T00:00:00Z')"),
        ("@pytest.fixture\ndef workflow_bindings():\n    return {{'AI': 1}}\n{}", "What the fixture workflow_bindings"),
        ("async def seed(env): pass\n@pytest.fixture\ndef workflow_seed():\n    return seed\n{}", "What the fixture w"),
    ],
)
def test_what_a_marker_or_a_conftest_asks_of_the_engine_is_refused(shop: Any, test: str, what: str) -> None:
    text = "import pytest\n" + test.format("async def test_it(workflow_env):\n    pass\n")
    result = shop.run(text, "--workflows-target=http://127.0.0.1:9")

    result.assert_outcomes(errors=1)
    assert f"NotOnTargetError: {what}" in result.stdout.str()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--workflows-crash"], "--workflows-crash is about runs in memory: leave one of the two out."),
        (["--workflows-report"], "--workflows-report is about runs in memory: leave one of the two out."),
        (["--workflows-record=all"], "--workflows-target records no instances: leave --workflows-record=all out."),
        (["--workflows-target=ftp://x"], "takes the address of a server, such as http://127.0.0.1:8787, not 'ftp://x'"),
        (["--workflows-target=http://[x"], "takes the address of a server, such as http://127.0.0.1:8787, not"),
        (["--workflows-target=http://x/api"], "has the path /api. Give the address of a server, such as"),
        (
            ["--workflows-target=https://api.cloudflare.com"],
            "there is no API token for the account. Set CLOUDFLARE_API_",
        ),
    ],
)
def test_options_that_do_not_fit_are_refused_before_any_test(
    shop: Any, monkeypatch: pytest.MonkeyPatch, options: list[str], message: str
) -> None:
    for name in [name for name in os.environ if name.startswith(("CLOUDFLARE_", "CF_"))]:
        monkeypatch.delenv(name)
    result = run(shop, ORDINARY, "--workflows-target=http://127.0.0.1:9", *options)

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert message in result.stderr.str()


def test_a_workers_address_without_a_target_is_refused(shop: Any) -> None:
    result = run(shop, ORDINARY, "--workflows-target-worker=http://127.0.0.1:9")

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*--workflows-target-worker says where the Worker of --workflows-target answers."])


# -- other servers ----------------------------------------------------------------------------------------------------


class Platform(http.server.BaseHTTPRequestHandler):
    """A server that answers as it is told to: the n-th request gets the n-th answer, the last one again and again."""

    answers: list[tuple[int, Any]]
    seen: list[tuple[str, str, str | None]]

    def answer(self) -> None:
        size = int(self.headers.get("content-length") or 0)
        self.rfile.read(size)
        self.seen.append((self.command, self.path, self.headers.get("authorization")))
        status, found = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        body = found if isinstance(found, bytes) else json.dumps(found).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.send_header("retry-after", "0.01")
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_POST = do_PATCH = do_DELETE = answer

    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture
def platform() -> Iterator[tuple[str, type[Platform]]]:
    kind = type("Answering", (Platform,), {"answers": [], "seen": []})
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), kind) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}", kind
        server.shutdown()
        thread.join()


def ok(result: Any) -> tuple[int, Any]:
    return 200, {"success": True, "errors": [], "messages": [], "result": result}


WAIT = """
    async def test_it(workflow_env):
        async with introspect_workflow_instance(workflow_env.ORDERS, "o") as instance:
            await instance.wait_for_status("complete", timeout=3)
            assert await instance.get_output() == {"total": 1}
"""


def test_an_answer_that_fails_in_passing_is_asked_for_again_with_the_token_of_the_environment(
    shop: Any, platform: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    url, server = platform
    monkeypatch.setenv("CLOUDFLARE_API_TOKEN", "secret")
    monkeypatch.setenv("CLOUDFLARE_ACCOUNT_ID", "acc")
    done = ok({"status": "complete", "output": '{"total": 1}', "steps": []})
    server.answers[:] = [(503, {}), (429, {}), ok({"status": "running", "steps": []}), done]

    run(shop, WAIT, f"--workflows-target={url}/client/v4").assert_outcomes(passed=1)

    assert {path for _, path, _ in server.seen} == {"/client/v4/accounts/acc/workflows/orders/instances/o"}
    assert {token for _, _, token in server.seen} == {"Bearer secret"}


async def test_a_server_that_holds_its_answer_back_makes_no_wait_much_longer(monkeypatch: pytest.MonkeyPatch) -> None:
    async def never(*args: Any, **options: Any) -> Any:
        await asyncio.Event().wait()

    monkeypatch.setattr("pytest_workflows.target.api.LOOK", 0.01)
    monkeypatch.setattr("pytest_workflows.target.api.request", never)
    api = TargetApi(read_address("http://127.0.0.1:1", None, {}))
    async with asyncio.timeout(20):
        instance = await TargetInstance(api, "ORDERS", "orders", "o", Started(), 0.01)
        with pytest.raises(TargetError, match="has not answered for 0 seconds, and the wait is over"):
            await instance.wait_for_status("complete")


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        ((403, {"success": False, "errors": [{"message": "no"}]}), "refuses who asks: no. Set CLOUDFLARE_API_TOKEN"),
        ((200, b"<html>"), "answers with status 200 and no JSON of the platform's API: '<html>'"),
        ((404, {"success": False, "errors": [{"message": "gone"}]}), "gone"),
    ],
)
def test_a_server_that_is_no_such_one_is_named(shop: Any, platform: Any, answer: Any, message: str) -> None:
    url, server = platform
    server.answers[:] = [answer]
    result = run(shop, WAIT, f"--workflows-target={url}")

    result.assert_outcomes(failed=1)
    assert message in result.stdout.str()


def test_a_workflow_that_the_server_does_not_have_is_said_at_once(shop: Any, platform: Any) -> None:
    url, server = platform
    gone = 404, {"success": False, "errors": [{"message": "gone"}]}
    server.answers[:] = [gone, gone, ok([{"name": "other"}])]
    result = run(shop, WAIT, f"--workflows-target={url}")

    result.stdout.fnmatch_lines(["*has no workflow 'orders', which is the binding 'ORDERS'. It has: other."])


def test_a_workflow_beyond_the_first_page_of_the_list_is_waited_for(shop: Any, platform: Any) -> None:
    url, server = platform
    gone = 404, {"success": False, "errors": [{"message": "gone"}]}
    done = ok({"status": "complete", "output": '{"total": 1}', "steps": []})
    server.answers[:] = [gone, ok({"name": "orders"}), done]

    run(shop, WAIT, f"--workflows-target={url}").assert_outcomes(passed=1)

    assert [path.rpartition("/accounts/local/")[2] for _, path, _ in server.seen[:3]] == [
        "workflows/orders/instances/o",
        "workflows/orders",
        "workflows/orders/instances/o",
    ]


def test_a_server_that_does_not_answer_is_named(shop: Any) -> None:
    result = run(shop, WAIT, "--workflows-target=http://127.0.0.1:9")

    result.stdout.fnmatch_lines(
        ["*TargetError: http://127.0.0.1:9/client/v4, which --workflows-target names, cannot *"]
    )


def test_an_instance_that_cannot_be_deleted_there_is_terminated(shop: Any, platform: Any) -> None:
    url, server = platform
    refused = (405, {"success": False, "errors": [{"message": "no such method"}]})
    server.answers[:] = [ok({"id": "o"}), refused, ok({"status": "waiting"}), ok({"status": "terminated"})]
    run(
        shop,
        """
    async def test_it(workflow_env):
        async with introspect_workflow_instance(workflow_env.ORDERS, "o"):
            await workflow_env.ORDERS.create({"id": "o", "params": "text", "retention": {"errorRetention": "1 day"}})
    """,
        f"--workflows-target={url}",
    ).assert_outcomes(passed=1)

    assert [method for method, _, _ in server.seen] == ["POST", "DELETE", "GET", "PATCH"]


@pytest.mark.parametrize(("then", "outcome"), [("complete", {"passed": 1}), ("waiting", {"failed": 1})])
def test_an_instance_that_ends_by_itself_before_it_is_terminated_is_no_failure(
    shop: Any, platform: Any, then: str, outcome: dict[str, int]
) -> None:
    url, server = platform
    refused = (405, {"success": False, "errors": [{"message": "no such method"}]})
    ended = (400, {"success": False, "errors": [{"message": "it has ended"}]})
    server.answers[:] = [ok({"id": "o"}), refused, ok({"status": "waiting"}), ended, ok({"status": then})]
    run(
        shop,
        """
    async def test_it(workflow_env):
        async with introspect_workflow_instance(workflow_env.ORDERS, "o"):
            await workflow_env.ORDERS.create({"id": "o"})
    """,
        f"--workflows-target={url}",
    ).assert_outcomes(**outcome)


def test_the_platforms_own_api_needs_the_workers_address_for_fetch(shop: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLOUDFLARE_API_TOKEN", "secret")
    test = """
    async def test_it(workflow_worker):
        await workflow_worker.fetch("/")
    """
    result = run(shop, test, "--workflows-target=https://api.cloudflare.com/client/v4")
    result.stdout.fnmatch_lines(["*TargetError: Where the Worker answers is not known: *-target-worker=https://NAME.*"])

    result = run(
        shop,
        test,
        "--workflows-target=https://api.cloudflare.com/client/v4",
        "--workflows-target-worker=http://127.0.0.1:9",
    )
    result.stdout.fnmatch_lines(["*TargetError: The Worker at http://127.0.0.1:9 cannot be reached: *"])
