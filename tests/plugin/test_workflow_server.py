"""The fixture workflow_server: the test's own Worker at an address of its own, for clients that are no code of the test."""

import asyncio
import importlib.util
import os
import shlex
import shutil
import socket
import subprocess
import sys
import threading
from typing import Any

import httpx
import pytest

from pytest_workflows.session.serving.http_server import HOST, HttpServer
from pytest_workflows.session.serving.outside import OutsideClients

ENTRY = """
    import asyncio
    from workers import Response, WorkerEntrypoint, WorkflowEntrypoint


    class OrderWorkflow(WorkflowEntrypoint):
        async def run(self, event, step):
            @step.do("charge")
            async def charge():
                return {"charged": event["payload"]["sku"]}

            charged = await charge()
            await step.sleep("cool down", "3 days")
            approval = await step.wait_for_event("approval", "approval", timeout="1 day")
            return [charged, approval["payload"]]


    class Default(WorkerEntrypoint):
        async def fetch(self, request):
            path = request.url.split("/", 3)[3]
            if path == "slow":
                await asyncio.sleep(3600)
                return Response("an hour later")
            if path == "form":
                return Response("a form")
            if path == "echo":
                return Response(await request.text())
            if path == "broken":
                raise ValueError("the handler is broken")
            name, _, action = path.partition("/")
            if action == "approve":
                order = await self.env.ORDERS.get(name)
                await order.send_event({"type": "approval", "payload": await request.json()})
                return Response("approved")
            if request.method == "POST":
                order = await self.env.ORDERS.create({"id": name, "params": await request.json()})
                return Response.json({"id": order.id}, status=201)
            return Response.json(await (await self.env.ORDERS.get(name)).status())
"""
HEAD = """
    import asyncio
    import subprocess
    import sys
    import time

    import httpx
    import pytest

    from pytest_workflows import introspect_workflow_instance


    def call(method, url, **options):
        with httpx.Client(trust_env=False, verify=False) as client:
            return client.request(method, url, **options)
"""


@pytest.fixture
def shop(worker: Any) -> Any:
    worker.write("src/entry.py", ENTRY)
    return worker


def run(shop: Any, test: str, *arguments: str) -> Any:
    return shop.run(HEAD + test, *arguments)


# -- clients ----------------------------------------------------------------------------------------------------------


def test_a_client_in_a_thread_reaches_the_worker_with_mocks_stores_and_virtual_time_of_the_test(shop: Any) -> None:
    run(
        shop,
        """
    async def test_it(workflow_server, workflow_env, workflow_clock):
        async with introspect_workflow_instance(workflow_env.ORDERS, "o-1") as instance:
            async with instance.modify() as m:
                m.mock_step_result("charge", "mocked")
            start = workflow_clock.now

            made = await asyncio.to_thread(call, "POST", f"{workflow_server.url}/o-1", json={"sku": "A1"})
            assert (made.status_code, made.json()) == (201, {"id": "o-1"})
            sent = await asyncio.to_thread(call, "POST", f"{workflow_server.url}/o-1/approve", json="ada")
            assert sent.text == "approved"
            await instance.wait_for_status("complete")

            assert await instance.get_output() == ["mocked", "ada"]
            assert (workflow_clock.now - start).days == 3
            status = await asyncio.to_thread(call, "GET", f"{workflow_server.url}/o-1")
            assert status.json()["status"] == "complete"
    """,
    ).assert_outcomes(passed=1)


@pytest.mark.parametrize("fails", ["call", "setup"])
def test_a_client_that_polls_for_what_a_failed_test_no_longer_does_keeps_nothing_from_its_end(
    shop: Any, fails: str
) -> None:
    result = run(
        shop,
        """
    seen = []

    async def fail(workflow_server):
        url = f"{workflow_server.api_url}/accounts/local/workflows/orders/instances/o-1"
        polling = asyncio.Event()
        loop = asyncio.get_running_loop()

        def poll():
            with httpx.Client(trust_env=False, verify=False) as client:
                for _ in range(1000):
                    try:
                        seen.append(client.get(url).status_code)
                    except httpx.TransportError:
                        return
                    loop.call_soon_threadsafe(polling.set)
                    time.sleep(0.01)

        asyncio.get_running_loop().run_in_executor(None, poll)
        await polling.wait()
        assert False

    async def in_call(workflow_server, workflow_env):
        await fail(workflow_server)

    @pytest.fixture
    async def failing(workflow_server, workflow_env):
        await fail(workflow_server)

    async def in_setup(failing):
        pass

    test_it = in_FAILS

    def test_afterwards():
        assert set(seen) == {404}
        assert len(seen) < 1000
    """.replace("FAILS", fails),
    )
    result.assert_outcomes(passed=1, **{"failed" if fails == "call" else "errors": 1})


def test_a_request_that_is_under_way_when_the_server_ends_is_no_error_of_the_application(
    caplog: pytest.LogCaptureFixture,
) -> None:
    has_come = threading.Event()
    errors: list[httpx.TransportError] = []

    async def answer_never(scope: Any, receive: Any, send: Any) -> None:
        has_come.set()
        await asyncio.Event().wait()

    server = HttpServer(answer_never)

    def ask() -> None:
        with httpx.Client(trust_env=False, verify=False) as client:
            try:
                client.get(f"http://{HOST}:{server.port}")
            except httpx.TransportError as error:
                errors.append(error)

    client = threading.Thread(target=ask)
    client.start()
    assert has_come.wait(10)
    server.close()
    client.join(10)

    assert len(errors) == 1
    assert caplog.messages == []


def test_nobody_listens_for_the_page_when_the_test_is_over(shop: Any) -> None:
    run(
        shop,
        """
    import logging
    import sys

    def listening():
        found = [*logging.root.handlers, sys.stdout, sys.stderr]
        return [one for one in found if type(one).__module__.startswith("pytest_workflows")]

    async def test_it(workflow_server, workflow_env):
        await asyncio.to_thread(call, "POST", f"{workflow_server.url}/o-1", json={"sku": "A1"})
        assert listening()

    def test_afterwards():
        assert listening() == []
    """,
    ).assert_outcomes(passed=2)


def test_a_client_that_polls_until_the_worker_waits_is_in_time_with_its_answer(shop: Any) -> None:
    run(
        shop,
        """
    async def test_it(workflow_server, workflow_env):
        url = workflow_server.url

        def approve():
            with httpx.Client(trust_env=False, verify=False) as client:
                client.post(f"{url}/o-1", json={"sku": "A1"})
                there = f"{workflow_server.api_url}/accounts/local/workflows/orders/instances/o-1"
                while '"approval-1"' not in client.get(there).text:
                    time.sleep(0.02)
                client.post(f"{url}/o-1/approve", json="ada")

        approving = asyncio.create_task(asyncio.to_thread(approve))
        async with introspect_workflow_instance(workflow_env.ORDERS, "o-1") as instance:
            await instance.wait_for_status("complete")
            assert (await instance.get_output())[1] == "ada"
        await approving
    """,
    ).assert_outcomes(passed=1)


def test_time_waits_for_a_client_that_is_about_to_act_and_moves_for_one_that_waits(shop: Any) -> None:
    run(
        shop,
        """
    async def test_it(workflow_server, workflow_env):
        url = workflow_server.url
        slow = await asyncio.to_thread(call, "GET", f"{url}/slow")
        assert slow.text == "an hour later"

        def approve():
            time.sleep(0.2)
            return call("POST", f"{url}/o-1/approve", json="ada")

        async with introspect_workflow_instance(workflow_env.ORDERS, "o-1") as instance:
            await workflow_env.ORDERS.create({"id": "o-1", "params": {"sku": "A1"}})
            client = asyncio.create_task(asyncio.to_thread(approve))
            await instance.wait_for_status("complete")
            assert (await client).text == "approved"
    """,
    ).assert_outcomes(passed=1)


def test_a_client_that_polls_stops_no_time(shop: Any) -> None:
    run(
        shop,
        """
    async def test_it(workflow_server, workflow_env):
        def poll():
            while True:
                status = call("GET", f"{workflow_server.url}/o-1").json()
                if status["status"] == "complete":
                    return status["output"]
                time.sleep(0.05)

        async with introspect_workflow_instance(workflow_env.ORDERS, "o-1") as instance:
            async with instance.modify() as m:
                m.mock_event("approval", "ada")
            await workflow_env.ORDERS.create({"id": "o-1", "params": {"sku": "A1"}})
            client = asyncio.create_task(asyncio.to_thread(poll))
            await instance.wait_for_status("complete")
            assert await client == [{"charged": "A1"}, "ada"]
    """,
    ).assert_outcomes(passed=1)


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere nothing tells which processes there are")
def test_a_client_in_another_process_comes_before_the_time_that_it_was_waited_for_is_over(shop: Any) -> None:
    run(
        shop,
        """
    CLIENT = "import sys, urllib.request as u; u.build_opener(u.ProxyHandler({})).open(sys.argv[1], data=b'1')"

    async def test_it(workflow_server, workflow_env):
        async with introspect_workflow_instance(workflow_env.ORDERS, "o-1") as instance:
            await workflow_env.ORDERS.create({"id": "o-1", "params": {"sku": "A1"}})
            url = f"{workflow_server.url}/o-1/approve"
            with subprocess.Popen([sys.executable, "-I", "-S", "-c", CLIENT, url]) as process:
                await instance.wait_for_status("complete", timeout=20)
            assert process.returncode == 0
    """,
    ).assert_outcomes(passed=1)


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere nothing tells what processes do")
def test_what_a_process_does_that_another_has_started_is_work_too() -> None:
    work = "import time\nwhile time.process_time() < 0.2: pass\nprint(flush=True)\ninput()"
    outside = OutsideClients(list)
    script = f"{shlex.join([sys.executable, '-I', '-S', '-c', work])}; echo; read rest"
    with subprocess.Popen(["sh", "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert outside.processor_time() < 0.1
        process.stdout.readline()
        assert outside.processor_time() > 0.1
        process.stdin.write("\n")
        process.stdin.flush()
        process.stdout.readline()  # it has ended, and its parent goes on
        assert outside.processor_time() > 0.1
        process.communicate("\n")
    assert outside.processor_time() == 0


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere nothing tells which processes there are")
def test_a_process_is_a_client_that_starts_until_it_asks_or_has_had_the_time(monkeypatch: pytest.MonkeyPatch) -> None:
    outside = OutsideClients(list)
    assert outside.count() == 1  # nobody knows yet where requests come from
    assert not outside.is_starting()
    with subprocess.Popen(["cat"], stdin=subprocess.PIPE) as process:
        assert outside.is_starting()
        monkeypatch.setattr("pytest_workflows.session.serving.outside._TO_START", -1)
        assert not outside.is_starting()
        monkeypatch.undo()
        outside.note(("192.0.2.1", 1))
        assert not outside.is_starting()
        assert outside.count() == 1
        process.communicate()
    with subprocess.Popen(["true"]) as process:
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)  # it has ended, and nobody has waited for it
        assert outside.count() == 0
        assert not outside.is_starting()


def test_a_connection_is_a_client_outside_unless_its_other_end_is_here() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname()) as own:
        connected = [own.getsockname()]
        outside = OutsideClients(lambda: connected)
        outside.note(own.getsockname())
        assert outside.count() == 0
        connected.append(("192.0.2.1", 1))
        assert outside.count() == 1


def test_a_client_on_the_tests_own_loop_needs_no_thread_and_costs_no_time(shop: Any) -> None:
    run(
        shop,
        """
    async def test_it(workflow_server, workflow_env):
        async with (
            httpx.AsyncClient(base_url=workflow_server.url, trust_env=False) as client,
            introspect_workflow_instance(workflow_env.ORDERS, "o-1") as instance,
        ):
            assert (await client.post("/o-1", json={"sku": "A1"})).status_code == 201
            await client.post("/o-1/approve", json="ada")
            began = time.monotonic()
            await instance.wait_for_status("complete")
            assert time.monotonic() - began < 0.7  # the client is known to be the test: nobody waits for it a second
    """,
    ).assert_outcomes(passed=1)


def test_a_long_body_and_what_the_handler_raises_come_as_they_are(shop: Any) -> None:
    run(
        shop,
        """
    async def test_it(workflow_server):
        text = "x" * 3_000_000
        echoed = await asyncio.to_thread(call, "POST", f"{workflow_server.url}/echo", content=text)
        assert echoed.text == text
        broken = await asyncio.to_thread(call, "GET", f"{workflow_server.url}/broken")
        assert broken.status_code == 500
        assert "ValueError: the handler is broken" in broken.text
    """,
    ).assert_outcomes(passed=1)


@pytest.mark.skipif(importlib.util.find_spec("cloudflare") is None, reason="the platform's client is not installed")
def test_the_platforms_own_client_works_at_the_api_url(shop: Any) -> None:
    run(
        shop,
        """
    from cloudflare import Cloudflare

    async def test_it(workflow_server, workflow_env):
        def use():
            with httpx.Client(trust_env=False, verify=False) as http, Cloudflare(
                base_url=workflow_server.api_url, api_token="any", http_client=http
            ) as client:
                instances = client.workflows.instances
                made = instances.create("orders", account_id="any", instance_id="o-1", params={"sku": "A1"})
                instances.events.create(
                    "approval", account_id="any", workflow_name="orders", instance_id=made.id, body="ada"
                )
                return instances, made.id

        async with introspect_workflow_instance(workflow_env.ORDERS, "o-1") as instance:
            _, id = await asyncio.to_thread(use)
            await instance.wait_for_status("complete")
            assert await instance.get_output() == [{"charged": "A1"}, "ada"]
    """,
    ).assert_outcomes(passed=1)


def test_each_test_has_a_server_of_its_own_which_ends_with_it(shop: Any) -> None:
    run(
        shop,
        """
    SEEN = []

    @pytest.mark.parametrize("number", [1, 2])
    async def test_it(number, workflow_server):
        assert "not_found" in (await asyncio.to_thread(call, "GET", f"{workflow_server.url}/o-1")).text
        await asyncio.to_thread(call, "POST", f"{workflow_server.url}/o-1", json={"sku": "A1"})
        for url in SEEN:
            with pytest.raises(httpx.ConnectError):
                await asyncio.to_thread(call, "GET", url)
        SEEN.append(workflow_server.url)
        assert workflow_server.page_url == workflow_server.url + "/__workflows"
        assert repr(workflow_server) == f"<workflow_server at {workflow_server.url}>"
    """,
    ).assert_outcomes(passed=2)


def test_events_that_a_page_listens_to_hold_no_time(shop: Any) -> None:
    run(
        shop,
        """
    async def test_it(workflow_server, workflow_env):
        url = f"{workflow_server.page_url}/api/changes"
        async with httpx.AsyncClient(trust_env=False) as client, client.stream("GET", url) as response:
            if response.status_code != 200:
                pytest.skip("the page sends no events")
            async with introspect_workflow_instance(workflow_env.ORDERS, "o-1") as instance:
                async with instance.modify() as m:
                    m.mock_event("approval", "ada")
                await workflow_env.ORDERS.create({"id": "o-1", "params": {"sku": "A1"}})
                await instance.wait_for_status("complete")
    """,
    )


def test_what_a_mock_raises_for_the_test_reaches_the_test(shop: Any) -> None:
    shop.write(
        "src/entry.py",
        """
        from workers import Response, WorkerEntrypoint

        class Default(WorkerEntrypoint):
            async def fetch(self, request):
                return Response(await self.env.BANK.charge())
        """,
    )
    shop.write("wrangler.jsonc", '{"name": "shop", "main": "src/entry.py", "compatibility_date": "2026-11-10"}')
    result = run(
        shop,
        """
    class Bank:
        async def charge(self):
            pytest.fail("nobody is to be charged")

    @pytest.fixture
    def workflow_bindings():
        return {"BANK": Bank()}

    async def test_it(workflow_server):
        assert (await asyncio.to_thread(call, "GET", workflow_server.url)).status_code == 500
    """,
    )

    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*Failed: nobody is to be charged"])


def test_a_run_that_is_killed_at_its_fault_points_is_served_too(shop: Any) -> None:
    result = run(
        shop,
        """
    async def test_it(workflow_server, workflow_env):
        async with introspect_workflow_instance(workflow_env.ORDERS, "o-1") as instance:
            await asyncio.to_thread(call, "POST", f"{workflow_server.url}/o-1", json={"sku": "A1"})
            await asyncio.to_thread(call, "POST", f"{workflow_server.url}/o-1/approve", json="ada")
            await instance.wait_for_status("complete")
    """,
        "--workflows-crash=3",
    )

    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(["1 test, 3 crash points in *: none failed, 0 findings"])


# -- mistakes ---------------------------------------------------------------------------------------------------------


def test_a_client_that_blocks_the_loop_is_refused_in_words_and_the_test_says_where(shop: Any) -> None:
    result = run(
        shop,
        """
    async def test_it(workflow_server):
        answer = call("GET", workflow_server.url)
        assert answer.status_code == 503
        assert "The test's event loop stands still at tests/test_it.py:" in answer.text
        assert answer.headers["content-type"].startswith("text/plain")
        answer = call("POST", f"{workflow_server.api_url}/accounts/me/workflows/orders/instances", json={})
        assert (answer.status_code, answer.headers["x-should-retry"]) == (503, "false")
        assert answer.json()["errors"][0]["code"] == 10001
        assert "The test's event loop stands still at tests/test_it.py:" in answer.json()["errors"][0]["message"]
    """,
    )

    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines(["*WorkflowConfigError: The test's event loop stands still at tests/test_it.py:*"])


def test_a_test_that_is_not_async_is_told_so(shop: Any) -> None:
    result = run(
        shop,
        """
    def test_it(workflow_server):
        answer = call("GET", workflow_server.url)
        assert answer.status_code == 503
        assert "Make the test async" in answer.text
    """,
    )

    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines(["*WorkflowConfigError: No event loop runs in this test, *"])


def test_without_the_extra_it_says_what_to_install(shop: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "uvicorn", None)
    result = run(
        shop,
        """
    async def test_it(workflow_server):
        pass
    """,
    )

    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*pip install 'pytest-workflows[[]dev[]]'"])


def test_a_configuration_that_cannot_be_bound_is_said_to_client_and_test(shop: Any) -> None:
    shop.write("src/entry.py", "from workers import WorkerEntrypoint\n\nclass Default(WorkerEntrypoint):\n    pass\n")
    result = run(
        shop,
        """
    async def test_it(workflow_server):
        answer = await asyncio.to_thread(call, "GET", workflow_server.url)
        assert answer.status_code == 503
        assert "OrderWorkflow" in answer.text
    """,
    )

    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines(["*WorkflowConfigError: *OrderWorkflow*"])


# -- a browser --------------------------------------------------------------------------------------------------------


def test_a_browser_meets_the_tests_worker_and_its_click_comes_before_the_timeout_of_what_waits_for_it(
    shop: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("playwright")
    executable = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if executable is None and os.environ.get("WORKFLOWS_NEED_BROWSER"):
        pytest.fail("WORKFLOWS_NEED_BROWSER is set, but there is no Chromium: apt-get install chromium")
    if executable is None:
        pytest.skip("there is no Chromium: apt-get install chromium")
    monkeypatch.setenv("WORKFLOWS_TEST_BROWSER", executable)
    run(
        shop,
        """
    import os

    from playwright.async_api import async_playwright

    FORM = '''<button onclick="fetch('/o-1/approve', {method: 'POST', body: JSON.stringify('ada')})">Approve</button>'''

    async def test_it(workflow_server, workflow_env):
        async with (
            introspect_workflow_instance(workflow_env.ORDERS, "o-1") as instance,
            async_playwright() as playwright,
        ):
            await workflow_env.ORDERS.create({"id": "o-1", "params": {"sku": "A1"}})
            browser = await playwright.chromium.launch(
                executable_path=os.environ["WORKFLOWS_TEST_BROWSER"], args=["--no-sandbox", "--disable-gpu"]
            )
            page = await browser.new_page()
            await page.goto(workflow_server.page_url + "#/instances/ORDERS/o-1")  # which listens to events from now on
            await page.get_by_text("cool down").first.wait_for()
            form = await browser.new_page()
            await form.goto(workflow_server.url + "/form")
            await form.set_content(FORM)
            await form.click("button")  # the request of the click is on its way

            await instance.wait_for_status("complete")

            assert await instance.get_output() == [{"charged": "A1"}, "ada"]
            await page.locator("#detail .badge.complete").first.wait_for()
            await browser.close()
    """,
    ).assert_outcomes(passed=1)
