"""The HTTP clients of the standard library, and requests, in a Worker's code: mocks answer them as they answer fetch."""

import textwrap
from typing import Any

import pytest

HEAD = """
import http.client
import io
import json
import urllib.error
import urllib.request
from workers import Response, WorkerEntrypoint, WorkflowEntrypoint
"""
TEST = """
    from pytest_workflows import introspect_workflow_instance

    async def test_step(workflow_env, respx_mock):
        route = {route}
        async with introspect_workflow_instance(workflow_env.ORDERS, "a") as instance:
            await workflow_env.ORDERS.create({{"id": "a"}})
            assert await instance.wait_for_step_result("ask") == {expected!r}
        {after}

    async def test_handler(workflow_worker, respx_mock):
        route = {route}
        assert await (await workflow_worker.fetch("/")).json() == {expected!r}
        {after}
"""
POST = """
respx_mock.post("https://api.example.com/orders?a=1").respond(201, json={"id": 1}, headers={"x-a": "1", "set-cookie": "b=2"})
"""
SENT = """
    sent = route.calls.last.request
    assert (sent.content, sent.headers["x-token"]) == (b'{"sku": "A1"}', "t")
"""
CLIENTS = {
    "http.client": """
        connection = http.client.HTTPSConnection("api.example.com")
        connection.request("POST", "/orders?a=1", body=json.dumps({"sku": "A1"}), headers={"X-Token": "t"})
        answer = connection.getresponse()
        body = json.loads(answer.read())
        connection.close()
        return [answer.status, answer.reason, answer.getheader("x-a"), body["id"]]
    """,
    "urllib": """
        asked = urllib.request.Request(
            "https://api.example.com/orders?a=1", data=b'{"sku": "A1"}', headers={"X-Token": "t"}, method="POST"
        )
        with urllib.request.urlopen(asked) as answer:
            return [answer.status, answer.reason, answer.headers["x-a"], json.loads(answer.read())["id"]]
    """,
    "requests": """
        import requests
        answer = requests.post("https://api.example.com/orders?a=1", json={"sku": "A1"}, headers={"X-Token": "t"})
        return [answer.status_code, answer.reason, answer.headers["x-a"], answer.json()["id"]]
    """,
    "a session of requests": """
        import requests
        with requests.Session() as session:
            for _ in range(2):
                answer = session.post(
                    "https://api.example.com/orders?a=1", data=b'{"sku": "A1"}', headers={"X-Token": "t"}
                )
        return [answer.status_code, answer.reason, answer.headers["x-a"], answer.json()["id"]]
    """,
    "urllib3": """
        import urllib3
        pool = urllib3.PoolManager()
        answer = pool.request(
            "POST", "https://api.example.com/orders?a=1", body=b'{"sku": "A1"}', headers={"X-Token": "t"}
        )
        return [answer.status, answer.reason, answer.headers["x-a"], answer.json()["id"]]
    """,
}


def entry(body: str) -> str:
    """A Worker whose step and fetch handler give what a client got."""
    return (
        HEAD
        + "\ndef ask():\n"
        + textwrap.indent(textwrap.dedent(body).strip(), "    ")
        + textwrap.dedent("""

        class OrderWorkflow(WorkflowEntrypoint):
            async def run(self, event, step):
                @step.do("ask")
                async def asking():
                    return ask()

                return await asking()


        class Default(WorkerEntrypoint):
            async def fetch(self, request):
                return Response.json(ask())
        """)
    )


def suite(expected: object, *, route: str, after: str = "") -> str:
    lines = textwrap.dedent(after).strip().replace("\n", "\n    ")
    return textwrap.dedent(TEST).format(route=route.strip(), expected=expected, after=lines)


@pytest.mark.parametrize("body", CLIENTS.values(), ids=CLIENTS)
def test_a_mock_answers(worker: Any, body: str) -> None:
    if "requests" in body or "urllib3" in body:
        pytest.importorskip("requests")
    worker.write("src/entry.py", entry(body))

    result = worker.run(suite([201, "Created", "1", 1], route=POST, after=SENT), plugins=["respx"])

    result.assert_outcomes(passed=2)


def test_a_failure_is_the_client_s_own(worker: Any) -> None:
    worker.write(
        "src/entry.py",
        entry("""
        try:
            urllib.request.urlopen("http://api.example.com/x")
        except urllib.error.HTTPError as error:
            with error:
                return [error.code, error.reason, error.read().decode()]
        """),
    )
    route = 'respx_mock.get("http://api.example.com/x").respond(418, text="teapot")'

    worker.run(suite([418, "I'm a teapot", "teapot"], route=route), plugins=["respx"]).assert_outcomes(passed=2)


def test_a_broken_connection_is_the_client_s_own(worker: Any) -> None:
    worker.write(
        "src/entry.py",
        entry("""
        try:
            urllib.request.urlopen("http://api.example.com/x")
        except OSError as error:
            return type(error).__name__
        """),
    )
    route = 'respx_mock.get("http://api.example.com/x").mock(side_effect=__import__("httpx").ConnectError)'

    worker.run(suite("OSError", route=route), plugins=["respx"]).assert_outcomes(passed=2)


def test_redirects_are_followed_by_the_client(worker: Any) -> None:
    worker.write(
        "src/entry.py",
        entry("""
        with urllib.request.urlopen("http://api.example.com/old") as answer:
            return [answer.geturl(), answer.read().decode()]
        """),
    )
    route = (
        'respx_mock.get("http://api.example.com/old").respond(302, headers={"location": "/new"}), '
        'respx_mock.get("http://api.example.com/new").respond(text="here")'
    )

    result = worker.run(suite(["http://api.example.com/new", "here"], route=route), plugins=["respx"])

    result.assert_outcomes(passed=2)


def test_bodies_in_pieces_and_several_requests_on_one_connection(worker: Any) -> None:
    worker.write(
        "src/entry.py",
        entry("""
        connection = http.client.HTTPConnection("api.example.com", 8080)
        got = []
        for body in (io.BytesIO(b"a file"), [b"iter", b"able"], bytearray(b"bytes")):
            connection.request("POST", "/x", body=body, encode_chunked=True)
            got.append(connection.getresponse().read().decode())
        connection.request("HEAD", "/x")
        answer = connection.getresponse()
        got.append([answer.status, answer.read().decode()])
        connection.close()
        return got
        """),
    )
    route = (
        'respx_mock.post("http://api.example.com:8080/x").mock('
        "side_effect=lambda request: __import__('httpx').Response(200, content=request.content)), "
        'respx_mock.head("http://api.example.com:8080/x").respond(200, text="not shown")'
    )

    result = worker.run(suite(["a file", "iterable", "bytes", [200, ""]], route=route), plugins=["respx"])

    result.assert_outcomes(passed=2)


def test_what_was_compressed_is_not_said_to_be_any_more(worker: Any) -> None:
    worker.write("src/entry.py", entry('import requests\nreturn requests.get("https://api.example.com/x").text'))
    route = (
        'respx_mock.get("https://api.example.com/x").respond('
        'content=__import__("gzip").compress(b"plain"), headers={"content-encoding": "gzip"})'
    )

    worker.run(suite("plain", route=route), plugins=["respx"]).assert_outcomes(passed=2)


def test_no_mock_is_named_with_what_to_do(worker: Any) -> None:
    worker.write("src/entry.py", entry(CLIENTS["urllib"]))

    result = worker.run("async def test_it(workflow_worker):\n    await workflow_worker.fetch('/')")

    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        ["E*the Worker was about to open a connection to api.example.com:443 (src/entry.py:*): no mock answered its*"]
    )


def test_the_test_s_own_clients_are_left_alone(worker: Any) -> None:
    worker.write("src/entry.py", entry("return 1"))

    result = worker.run("""
        import http.client

        async def test_it(workflow_worker):
            connection = http.client.HTTPConnection("127.0.0.1", 9)
            assert "connect" not in vars(connection)

        def test_afterwards():
            assert http.client.HTTPConnection.__init__.__module__ == "http.client"
            assert not hasattr(http.client.HTTPConnection.__init__, "__wrapped__")
    """)

    result.assert_outcomes(passed=2)


def test_a_call_outside_of_a_step_is_named(worker: Any) -> None:
    worker.write(
        "src/entry.py",
        """
        import urllib.request
        from workers import WorkflowEntrypoint

        class OrderWorkflow(WorkflowEntrypoint):
            async def run(self, event, step):
                with urllib.request.urlopen("https://api.example.com/x") as answer:
                    return answer.read().decode()
        """,
    )

    result = worker.run(
        """
        from pytest_workflows import introspect_workflow_instance

        async def test_it(workflow_env, respx_mock):
            respx_mock.get("https://api.example.com/x").respond(text="hi")
            async with introspect_workflow_instance(workflow_env.ORDERS, "a") as instance:
                await workflow_env.ORDERS.create({"id": "a"})
                await instance.wait_for_status("complete")
        """,
        plugins=["respx"],
    )

    result.stdout.fnmatch_lines(["*effect-outside-step*"])
