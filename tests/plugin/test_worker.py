"""The fixture workflow_worker: the Worker's own handlers, called as the platform calls them."""

import json
from typing import Any

import pytest

DEFAULT = """
    from workers import Response, WorkerEntrypoint, WorkflowEntrypoint

    SEEN = []


    class Default(WorkerEntrypoint):
        async def fetch(self, request):
            SEEN.append(self.ctx)
            return Response.json(
                {
                    "method": request.method,
                    "url": request.url,
                    "headers": {"x-test": request.headers.get("x-test"), "type": request.headers.get("content-type")},
                    "body": await request.text() if request.method != "GET" else None,
                    "stage": self.env.STAGE,
                },
                status=201,
                headers={"x-answer": "yes"},
            )

        async def scheduled(self, controller, env, ctx):
            SEEN.append([controller.cron, controller.scheduledTime])


    class OrderWorkflow(WorkflowEntrypoint):
        async def run(self, event, step):
            pass
"""


@pytest.fixture
def shop(worker: Any) -> Any:
    worker.write("src/entry.py", DEFAULT)
    return worker


# -- fetch ------------------------------------------------------------------------------------------------------------


def test_fetch_calls_the_class_default_and_gives_its_response(shop: Any) -> None:
    shop.run("""
        async def test_it(workflow_worker):
            response = await workflow_worker.fetch("https://shop.example/orders?id=1")
            assert response.status == 201
            assert response.headers.get("x-answer") == "yes"
            assert await response.json() == {
                "method": "GET",
                "url": "https://shop.example/orders?id=1",
                "headers": {"x-test": None, "type": None},
                "body": None,
                "stage": "test",
            }
    """).assert_outcomes(passed=1)


def test_method_headers_json_and_content_arrive(shop: Any) -> None:
    shop.run("""
        async def test_json(workflow_worker):
            response = await workflow_worker.fetch(
                "https://shop.example/", method="POST", headers={"X-Test": "1"}, json={"a": [1, None]}
            )
            seen = await response.json()
            assert seen["method"] == "POST"
            assert seen["headers"] == {"x-test": "1", "type": "application/json"}
            assert __import__("json").loads(seen["body"]) == {"a": [1, None]}

        async def test_content(workflow_worker):
            for content in ("text", b"text"):
                response = await workflow_worker.fetch("https://shop.example/", method="put", content=content)
                seen = await response.json()
                assert (seen["method"], seen["body"]) == ("PUT", "text")

        async def test_falsy_json(workflow_worker):
            for value, text in ((0, "0"), (False, "false"), ([], "[]"), ("", '""')):
                response = await workflow_worker.fetch("https://shop.example/", method="POST", json=value)
                assert (await response.json())["body"] == text
    """).assert_outcomes(passed=3)


def test_a_path_alone_and_a_whole_request_will_do(shop: Any) -> None:
    shop.run("""
        from workers import Request

        async def test_it(workflow_worker):
            assert (await (await workflow_worker.fetch("/a?b=1")).json())["url"] == "https://example.com/a?b=1"
            request = Request("https://shop.example/x", method="POST", body="hello")
            seen = await (await workflow_worker.fetch(request)).json()
            assert (seen["url"], seen["method"], seen["body"]) == ("https://shop.example/x", "POST", "hello")
    """).assert_outcomes(passed=1)


@pytest.mark.parametrize(
    "parameters", ["request", "request, env", "request, env, ctx", "request, env, ctx, more=1", "*args"]
)
def test_a_function_on_fetch_takes_as_much_as_it_names(worker: Any, parameters: str) -> None:
    worker.write(
        "src/entry.py",
        f"""
        from workers import Response, handler

        @handler
        async def on_fetch({parameters}):
            return Response(" ".join(sorted(locals())))
        """,
    )

    result = worker.run(
        """
        async def test_it(workflow_worker):
            print("TOOK", await (await workflow_worker.fetch("/")).text())
    """,
        "-s",
    )

    result.assert_outcomes(passed=1)
    names = sorted(name.strip(" *").split("=")[0] for name in parameters.split(","))
    result.stdout.fnmatch_lines([f"*TOOK {' '.join(names)}"])


def test_a_plain_function_on_fetch_gets_env_and_ctx(worker: Any) -> None:
    worker.write(
        "src/entry.py",
        """
        from workers import Response

        def on_fetch(request, env, ctx):
            async def later():
                pass
            ctx.waitUntil(later())
            return Response(env.STAGE)
        """,
    )

    worker.run("""
        async def test_it(workflow_worker):
            assert await (await workflow_worker.fetch("/")).text() == "test"
    """).assert_outcomes(passed=1)


def test_a_function_without_the_decorator_gets_javascripts_objects(worker: Any) -> None:
    worker.write(
        "wrangler.jsonc",
        '{"main": "src/entry.py", "compatibility_date": "2025-08-01", "kv_namespaces": [{"binding": "KV", "id": "k"}]}',
    )
    worker.write(
        "src/entry.py",
        """
        from js import Response
        from pyodide.ffi import JsProxy, to_js

        async def on_fetch(request, env):
            body = await request.json()
            assert isinstance(body, JsProxy)
            await env.KV.put("name", body.name)
            assert request.headers.get("x-a") == "b"
            listed = await env.KV.list()
            return Response.new(listed.keys[0].name + await env.KV.get("name"))
        """,
    )

    worker.run("""
        async def test_it(workflow_worker, workflow_env):
            response = await workflow_worker.fetch("/", method="POST", json={"name": "ada"}, headers={"x-a": "b"})
            assert await response.text() == "nameada"
            assert await workflow_env.KV.get("name") == "ada"
    """).assert_outcomes(passed=1)


@pytest.mark.parametrize(
    ("date", "flags", "found"),
    [
        ("2025-08-13", "", False),
        ("2025-08-14", "", True),
        ("2025-08-14", "disable_python_no_global_handlers", False),
        ("2025-08-13", "python_no_global_handlers", True),
    ],
)
def test_a_function_that_the_platform_no_longer_calls_is_found_with_its_line(
    worker: Any, date: str, flags: str, found: bool
) -> None:
    config = {"main": "src/entry.py", "compatibility_date": date, "compatibility_flags": flags.split()}
    worker.write("wrangler.jsonc", json.dumps(config))
    worker.write("src/entry.py", "from workers import Response\n\ndef on_fetch(request):\n    return Response('x')\n")

    result = worker.run("""
        import pytest
        from pytest_workflows import WorkflowRuleWarning

        @pytest.mark.filterwarnings("default")
        async def test_it(workflow_worker):
            await workflow_worker.fetch("/")
    """)

    result.assert_outcomes(passed=1, warnings=int(found))
    if found:
        result.stdout.fnmatch_lines(["*[[]ignored-handler] */src/entry.py:3: the function `on_fetch` is no handler *"])


def test_a_decorated_function_gets_the_sdks_objects(worker: Any) -> None:
    worker.write(
        "wrangler.jsonc",
        '{"main": "src/entry.py", "compatibility_date": "2025-08-01", "kv_namespaces": [{"binding": "KV", "id": "k"}]}',
    )
    worker.write(
        "src/entry.py",
        """
        from workers import Response, handler

        @handler
        async def on_fetch(request, env):
            await env.KV.put("name", (await request.json())["name"])
            return Response((await env.KV.list())["keys"][0]["name"])
        """,
    )

    worker.run("""
        from pytest_workflows import calls_of

        async def test_it(workflow_worker, workflow_env):
            response = await workflow_worker.fetch("/", method="POST", json={"name": "ada"})
            assert await response.text() == "name"
            assert [call.method for call in calls_of(workflow_env.KV)] == ["put", "list"]
    """).assert_outcomes(passed=1)


def test_a_type_error_inside_a_handler_is_its_own(worker: Any) -> None:
    worker.write("src/entry.py", "async def on_fetch(request):\n    return len(5)\n")

    result = worker.run("""
        async def test_it(workflow_worker):
            await workflow_worker.fetch("/")
    """)

    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["E*TypeError: object of type 'int' has no len()", "src/entry.py:2: TypeError"])


def test_an_exception_of_a_handler_reaches_the_test(worker: Any) -> None:
    worker.write("src/entry.py", "async def on_fetch(request):\n    raise KeyError('order')\n")

    worker.run("""
        import pytest

        async def test_it(workflow_worker):
            with pytest.raises(KeyError, match="order"):
                await workflow_worker.fetch("/")
    """).assert_outcomes(passed=1)


def test_a_handler_touches_instances_of_the_test(worker: Any) -> None:
    worker.write(
        "src/entry.py",
        (worker.path / "src/entry.py").read_text()
        + """

from workers import Response

async def on_fetch(request, env):
    instance = await env.ORDERS.create({"params": await request.json()})
    return Response.json({"id": instance.id, "status": await instance.status()})
""",
    )

    worker.run("""
        from pytest_workflows import introspect_workflow

        async def test_it(workflow_worker, workflow_env):
            async with introspect_workflow(workflow_env.ORDERS) as introspector:
                response = await workflow_worker.fetch("/", method="POST", json={"sku": "A1"})
                (instance,) = introspector.get()
                assert (await response.json())["id"] == instance.id
                assert await instance.wait_for_step_result("charge") == {"sku": "A1"}
    """).assert_outcomes(passed=1)


# -- scheduled --------------------------------------------------------------------------------------------------------


def test_scheduled_gets_the_cron_and_the_virtual_time(shop: Any) -> None:
    shop.run("""
        from datetime import datetime, timezone
        import pytest
        from entry import SEEN

        @pytest.mark.workflow(now="2026-01-01T00:00:00Z")
        async def test_it(workflow_worker, workflow_clock):
            await workflow_worker.scheduled()
            await workflow_worker.scheduled(cron="0 0 * * *", scheduled_time=datetime(2026, 2, 1, tzinfo=timezone.utc))
            await workflow_worker.scheduled(scheduled_time=5000)
            assert SEEN == [
                ["* * * * *", 1767225600000],
                ["0 0 * * *", 1769904000000],
                ["* * * * *", 5000],
            ]
    """).assert_outcomes(passed=1)


@pytest.mark.parametrize("parameters", ["controller, env, ctx", "controller, *rest", "controller, env, ctx, more=1"])
def test_a_function_on_scheduled_gets_three_arguments(worker: Any, parameters: str) -> None:
    worker.write(
        "src/entry.py", f"SEEN = []\n\nasync def on_scheduled({parameters}):\n    SEEN.append(controller.cron)\n"
    )

    worker.run("""
        from entry import SEEN

        async def test_it(workflow_worker):
            await workflow_worker.scheduled(cron="1 * * * *")
            assert SEEN == ["1 * * * *"]
    """).assert_outcomes(passed=1)


@pytest.mark.parametrize("parameters", ["", "controller", "controller, env"])
def test_a_scheduled_handler_of_fewer_says_what_the_platform_passes(worker: Any, parameters: str) -> None:
    worker.write("src/entry.py", f"async def on_scheduled({parameters}):\n    pass\n")

    said = error_of(
        worker.run("""
        async def test_it(workflow_worker):
            await workflow_worker.scheduled()
    """)
    )

    assert said == (
        f"TypeError: {worker.path}/src/entry.py:1: the scheduled handler takes ({parameters}), and the platform always "
        "calls it with three arguments. Write `async def on_scheduled(controller, env, ctx):`."
    )


def test_a_method_scheduled_of_fewer_says_so_too(worker: Any) -> None:
    source = (
        "from workers import WorkerEntrypoint\n\nclass Default(WorkerEntrypoint):\n    async def scheduled(self): ..."
    )
    worker.write("src/entry.py", source)

    said = error_of(
        worker.run("""
        async def test_it(workflow_worker):
            await workflow_worker.scheduled()
    """)
    )

    assert said == (
        f"TypeError: {worker.path}/src/entry.py:4: the scheduled handler takes (), and the platform always calls it with "
        "three arguments. Write `async def scheduled(self, controller, env, ctx):`."
    )


def test_a_fetch_handler_that_takes_nothing_gets_nothing(worker: Any) -> None:
    source = "from workers import Response, WorkerEntrypoint\n\nclass Default(WorkerEntrypoint):\n"
    worker.write("src/entry.py", f"{source}    async def fetch(self):\n        return Response('ok')\n")

    worker.run("""
        async def test_it(workflow_worker):
            assert await (await workflow_worker.fetch("/")).text() == "ok"
    """).assert_outcomes(passed=1)


# -- mistakes ---------------------------------------------------------------------------------------------------------


def error_of(result: pytest.RunResult) -> str:
    result.assert_outcomes(failed=1)
    return next(line[1:].strip() for line in result.outlines if line.startswith("E "))


@pytest.mark.parametrize(("call", "kind"), [("fetch('/')", "fetch"), ("scheduled()", "scheduled")])
def test_a_worker_without_a_handler_says_what_to_add(worker: Any, call: str, kind: str) -> None:
    said = error_of(
        worker.run(f"""
        async def test_it(workflow_worker):
            await workflow_worker.{call}
    """)
    )

    assert said == (
        f"pytest_workflows.errors.WorkflowConfigError: {worker.path}/src/entry.py has no {kind} handler: neither a "
        f"class `Default` with a method `{kind}`, nor a function `on_{kind}`. Add one, or call the workflow's binding "
        "itself: workflow_env.ORDERS.create(...)."
    )


def test_a_default_without_fetch_is_a_worker_without_a_handler(worker: Any) -> None:
    worker.write("src/entry.py", "from workers import WorkerEntrypoint\n\nclass Default(WorkerEntrypoint):\n    pass\n")

    said = error_of(
        worker.run("""
        async def test_it(workflow_worker):
            await workflow_worker.fetch("/")
    """)
    )

    assert "src/entry.py has no fetch handler: neither a class `Default` with a method `fetch`" in said


@pytest.mark.parametrize(
    ("value", "kind", "shown"),
    [("None", "NoneType", "None"), ("'hello'", "str", "'hello'"), ("{'a': 1}", "dict", "{'a': 1}")],
)
def test_a_handler_that_returns_no_response_is_an_error(worker: Any, value: str, kind: str, shown: str) -> None:
    worker.write("src/entry.py", f"async def on_fetch(request):\n    return {value}\n")

    said = error_of(
        worker.run("""
        async def test_it(workflow_worker):
            await workflow_worker.fetch("/")
    """)
    )

    assert said == (
        f"TypeError: The fetch handler returned {kind}, not a Response: {shown}. Return workers.Response(...)."
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("5", "fetch takes a URL or a workers.Request, not 5."),
        ("None", "fetch takes a URL or a workers.Request, not None."),
        ("'/', method='POST', json={}, content='x'", "fetch takes json= or content=, not both."),
    ],
)
def test_a_wrong_argument_says_what_is_allowed(shop: Any, arguments: str, message: str) -> None:
    said = error_of(
        shop.run(f"""
        async def test_it(workflow_worker):
            await workflow_worker.fetch({arguments})
    """)
    )

    assert said == f"durable_engine.errors.InvalidArgumentError: {message}"


@pytest.mark.parametrize(
    "arguments", ["'/', method=5", "'/', method='POST', json=object()", "'/', method='POST', content=5"]
)
def test_other_wrong_arguments_are_errors_of_ours_too(shop: Any, arguments: str) -> None:
    said = error_of(
        shop.run(f"""
        async def test_it(workflow_worker):
            await workflow_worker.fetch({arguments})
    """)
    )

    assert said.startswith("durable_engine.errors.InvalidArgumentError: ")


@pytest.mark.parametrize("arguments", ["scheduled_time='tomorrow'", "scheduled_time=[]", "cron=5"])
def test_wrong_arguments_of_scheduled_are_errors_of_ours(shop: Any, arguments: str) -> None:
    said = error_of(
        shop.run(f"""
        async def test_it(workflow_worker):
            await workflow_worker.scheduled({arguments})
    """)
    )

    assert said.startswith("durable_engine.errors.InvalidArgumentError: ")


def test_without_a_configuration_it_says_that_it_needs_one(worker: Any) -> None:
    (worker.path / "wrangler.jsonc").unlink()

    said = error_of(
        worker.run("""
        async def test_it(workflow_worker):
            await workflow_worker.fetch("/")
    """)
    )

    assert said == (
        "pytest_workflows.errors.WorkflowConfigError: workflow_worker needs the Worker's wrangler configuration, which "
        "names its `main`. No wrangler configuration was found: wrangler.json, wrangler.jsonc and wrangler.toml were "
        f"looked for in {worker.path}/tests, {worker.path}. Put one beside the Worker, above its tests, or name it: ini "
        "workflows_config = path/to/wrangler.jsonc."
    )


def test_a_binding_that_is_missing_in_the_handler_says_how_to_give_one(worker: Any) -> None:
    worker.write(
        "wrangler.jsonc",
        '{"main": "src/entry.py", "vectorize": [{"binding": "CACHE", "index_name": "x"}]}',
    )
    worker.write(
        "src/entry.py",
        "async def on_fetch(request, env):\n    cache = env.CACHE\n    return await cache.get('a')\n",
    )

    said = error_of(
        worker.run("""
        async def test_it(workflow_worker):
            await workflow_worker.fetch("/")
    """)
    )

    assert said == (
        "pytest_workflows.errors.MissingBindingError: env.CACHE.get was used (src/entry.py:3): the binding 'CACHE' "
        f"(vectorize in {worker.path}/wrangler.jsonc) is not provided here. Give the test a stand-in for it, in the test file or in "
        "conftest.py:"
    )


# -- outgoing requests ------------------------------------------------------------------------------------------------

CALLING = """
    from workers import Response, fetch

    async def on_fetch(request):
        answer = await fetch("https://api.example/x", method="POST", body="hello")
        return Response(await answer.text(), status=answer.status)
"""


def test_respx_and_pytest_httpx_answer_outgoing_requests(worker: Any) -> None:
    worker.write("src/entry.py", CALLING)

    tests = """
        async def test_respx(workflow_worker, respx_mock):
            route = respx_mock.post("https://api.example/x").respond(202, text="by respx")
            response = await workflow_worker.fetch("/")
            assert (response.status, await response.text()) == (202, "by respx")
            assert route.calls.last.request.content == b"hello"

        async def test_httpx(workflow_worker, httpx_mock):
            httpx_mock.add_response(url="https://api.example/x", method="POST", status_code=203, text="by httpx")
            response = await workflow_worker.fetch("/")
            assert (response.status, await response.text()) == (203, "by httpx")
    """
    worker.run(tests, plugins=["respx", "pytest_httpx"]).assert_outcomes(passed=2)


def test_a_request_that_no_mock_answers_is_refused(worker: Any) -> None:
    worker.write("src/entry.py", CALLING)

    said = error_of(
        worker.run("""
        async def test_it(workflow_worker):
            await workflow_worker.fetch("/")
    """)
    )

    assert said == (
        "pytest_workflows.errors.NetworkRefusedError: workers.fetch was about to send POST https://api.example/x to the "
        "network (src/entry.py:4): no mock answered it. Answer it with respx or with pytest-httpx (fixture "
        "httpx_mock), or let requests out with @pytest.mark.workflow(allow_network=True)."
    )
