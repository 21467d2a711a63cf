"""Connections that a Worker opens without `workers.fetch` are refused as `fetch` is; those of the test are not."""

import asyncio
import socket
import sys
import textwrap
from typing import Any

import pytest

SERVER = """
    import http.server
    import threading
    import pytest

    class Hello(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.send_header("content-length", "5")
            self.end_headers()
            self.wfile.write(b"hello")

        def log_message(self, *args):
            pass

    @pytest.fixture
    def port():
        with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Hello) as server:
            thread = threading.Thread(target=server.serve_forever, args=(0.01,))  # how often it looks for its end
            thread.start()
            yield server.server_port
            server.shutdown()
            thread.join()
"""
HEAD = """
import asyncio
import http.client
import socket
import urllib.request
from workers import Response, WorkerEntrypoint, WorkflowEntrypoint
"""
CLIENTS = {
    "http.client": """
        connection = http.client.HTTPConnection("127.0.0.1", port)
        try:
            connection.request("GET", "/")
            return connection.getresponse().read().decode()
        finally:
            connection.close()
    """,
    "urllib": """
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(f"http://127.0.0.1:{port}/") as answer:
            return answer.read().decode()
    """,
    "a socket": """
        with socket.socket() as mine:
            mine.connect(("127.0.0.1", port))
            mine.sendall(b"GET / HTTP/1.0\\r\\n\\r\\n")
            return mine.makefile("rb").read().decode()[-5:]
    """,
    "open_connection": """
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"GET / HTTP/1.0\\r\\n\\r\\n")
        answer = await reader.read()
        writer.close()
        await writer.wait_closed()
        return answer.decode()[-5:]
    """,
    "a thread": """
        def ask():
            connection = http.client.HTTPConnection("127.0.0.1", port)
            try:
                connection.request("GET", "/")
                return connection.getresponse().read().decode()
            finally:
                connection.close()
        return await asyncio.to_thread(ask)
    """,
    "a library's function in a thread": """
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with await asyncio.to_thread(opener.open, f"http://127.0.0.1:{port}/") as answer:
            return answer.read().decode()
    """,
    "httpx": """
        import httpx
        async with httpx.AsyncClient(trust_env=False) as client:
            return (await client.get(f"http://127.0.0.1:{port}/")).text
    """,
    "httpx, by a task": """
        import httpx
        async with httpx.AsyncClient(trust_env=False) as client:
            answers = await asyncio.gather(client.get(f"http://127.0.0.1:{port}/"))
            return answers[0].text
    """,
}


def client(body: str) -> str:
    return "async def ask(port):\n" + textwrap.indent(textwrap.dedent(body).strip(), "    ") + "\n\n"


def entry(body: str, *, swallows: bool = False) -> str:
    """A Worker with this client, which its step and its fetch handler call."""
    ask = "await ask(port)" if not swallows else "await asyncio.gather(ask(port), return_exceptions=True)"
    return (
        HEAD
        + "\n"
        + client(body)
        + textwrap.dedent(f"""
        class OrderWorkflow(WorkflowEntrypoint):
            async def run(self, event, step):
                port = event["payload"]["port"]

                @step.do("ask")
                async def asking():
                    return str({ask})

                return await asking()


        class Default(WorkerEntrypoint):
            async def fetch(self, request):
                port = int(request.url.rpartition("=")[2])
                return Response(str({ask}))
        """)
    )


def suite(*, body: str, marker: str = "") -> str:
    return textwrap.dedent(SERVER) + textwrap.dedent(f"""
        from pytest_workflows import introspect_workflow_instance

        {marker}
        async def test_step(workflow_env, port):
            async with introspect_workflow_instance(workflow_env.ORDERS, "a") as instance:
                await workflow_env.ORDERS.create({{"id": "a", "params": {{"port": port}}}})
                {body.format(it='await instance.wait_for_step_result("ask")')}

        {marker}
        async def test_handler(workflow_worker, port):
            {body.format(it='await (await workflow_worker.fetch(f"/?port={port}")).text()')}
        """)


@pytest.mark.parametrize("body", CLIENTS.values(), ids=CLIENTS)
def test_a_client_of_the_worker_is_refused(worker: Any, body: str) -> None:
    worker.write("src/entry.py", entry(body))

    result = worker.run(suite(body="{it}"))

    result.assert_outcomes(failed=2)
    reported = [line for line in result.outlines if line.startswith("E   ") and "NetworkRefusedError" in line]
    assert len(reported) == 2, reported
    for line in reported:
        assert "the Worker was about to open a connection to 127.0.0.1:" in line
        assert "@pytest.mark.workflow(allow_network=True). That is this machine" in line


@pytest.mark.parametrize("body", [CLIENTS["urllib"], CLIENTS["open_connection"]], ids=["urllib", "open_connection"])
def test_a_refusal_that_the_worker_swallows_fails_the_test(worker: Any, body: str) -> None:
    worker.write("src/entry.py", entry(body, swallows=True))

    result = worker.run(suite(body="assert 'NetworkRefusedError' in {it}"))

    result.assert_outcomes(failed=2)
    assert (
        result.stdout.str().count("NetworkRefusedError: the Worker was about to open a connection to 127.0.0.1:") >= 2
    )


@pytest.mark.parametrize("body", CLIENTS.values(), ids=CLIENTS)
def test_allow_network_lets_it_out(worker: Any, body: str) -> None:
    worker.write("src/entry.py", entry(body))

    result = worker.run(suite(marker="@pytest.mark.workflow(allow_network=True)", body="assert {it} == 'hello'"))

    result.assert_outcomes(passed=2)


@pytest.mark.parametrize("body", CLIENTS.values(), ids=CLIENTS)
def test_clients_of_the_test_and_of_its_fakes_are_the_test_s(worker: Any, body: str) -> None:
    worker.write(
        "src/entry.py",
        entry("return await BANK.ask(port)").replace("\n\nclass Order", "\n\nBANK = None\n\nclass Order"),
    )
    test = (
        textwrap.dedent(SERVER)
        + textwrap.dedent(HEAD)
        + "import entry\nfrom pytest_workflows import introspect_workflow_instance\n\n"
        + client(body)
        + textwrap.dedent("""
        class Bank:
            async def ask(self, port):
                return await ask(port)

        @pytest.fixture
        def answer(port):
            return asyncio.run(ask(port))

        async def test_it(workflow_env, workflow_worker, port, monkeypatch):
            monkeypatch.setattr(entry, "BANK", Bank())
            assert await ask(port) == "hello"
            assert await (await workflow_worker.fetch(f"/?port={port}")).text() == "hello"
            async with introspect_workflow_instance(workflow_env.ORDERS, "a") as instance:
                await workflow_env.ORDERS.create({"id": "a", "params": {"port": port}})
                assert await instance.wait_for_step_result("ask") == "hello"

        def test_sync(workflow_env, answer, port):
            assert asyncio.run(ask(port)) == answer == "hello"
        """)
    )

    worker.run(test).assert_outcomes(passed=2)


def test_names_are_refused_before_anybody_looks_them_up(worker: Any) -> None:
    worker.write(
        "src/entry.py",
        entry("""
        try:
            socket.gethostbyname("api.invalid")
        except OSError:
            pass
        return urllib.request.urlopen("https://api.invalid/x").read()
        """),
    )

    result = worker.run(suite(body="{it}"))

    result.assert_outcomes(failed=2)
    result.stdout.fnmatch_lines(["E*the Worker was about to open a connection to api.invalid (src/entry.py:*): *"])


def test_a_datagram_is_refused(worker: Any) -> None:
    worker.write(
        "src/entry.py",
        entry("with socket.socket(type=socket.SOCK_DGRAM) as mine:\n    mine.sendto(b'x', ('127.0.0.1', port))"),
    )

    worker.run(suite(body="{it}")).assert_outcomes(failed=2)


def test_a_mock_of_the_client_answers(worker: Any) -> None:
    worker.write("src/entry.py", entry(CLIENTS["httpx"]))
    test = """
        import httpx

        async def test_it(workflow_worker, respx_mock):
            respx_mock.get("http://127.0.0.1:1/").respond(text="by respx")
            assert await (await workflow_worker.fetch("/?port=1")).text() == "by respx"
    """

    worker.run(test, plugins=["respx"]).assert_outcomes(passed=1)


def test_nothing_stays_after_the_tests(worker: Any) -> None:
    names = [(socket.socket, "connect"), (socket.socket, "connect_ex"), (socket.socket, "sendto")]
    names += [(socket, "getaddrinfo"), (socket, "gethostbyname"), (socket, "gethostbyname_ex")]
    names += [(asyncio.BaseEventLoop, "create_connection"), (asyncio.BaseEventLoop, "run_in_executor")]
    before = [vars(owner).get(name) for owner, name in names]
    worker.write("src/entry.py", entry(CLIENTS["urllib"]))

    worker.run(suite(body="{it}")).assert_outcomes(failed=2)

    assert [vars(owner).get(name) for owner, name in names] == before


def test_what_a_test_put_before_ours_still_answers_after_us(worker: Any) -> None:
    worker.write("src/entry.py", entry("return 1"))
    test = textwrap.dedent(SERVER) + textwrap.dedent("""
        import socket

        HELD = []

        async def test_one(workflow_env):
            HELD.append(socket.getaddrinfo)
            socket.getaddrinfo = lambda *args, **options: HELD[0](*args, **options)

        def test_two(port):
            assert socket.create_connection(("127.0.0.1", port)).close() is None
    """)
    before = socket.getaddrinfo
    try:
        worker.run(test).assert_outcomes(passed=2)
    finally:
        socket.getaddrinfo = before


@pytest.mark.skipif(sys.platform == "win32", reason="uvloop does not exist for Windows")
@pytest.mark.parametrize("body", [CLIENTS["open_connection"], CLIENTS["httpx"]], ids=["open_connection", "httpx"])
def test_uvloop_is_no_way_out(worker: Any, body: str) -> None:
    worker.write("src/entry.py", entry(body))
    test = textwrap.dedent(SERVER) + textwrap.dedent("""
        import asyncio
        import uvloop

        def test_it(workflow_worker, port):
            async def call():
                return await (await workflow_worker.fetch(f"/?port={port}")).text()

            with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
                runner.run(call())
    """)

    result = worker.run(test)

    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["E*NetworkRefusedError: the Worker was about to open a connection to 127.0.0.1:*"])
