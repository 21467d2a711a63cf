"""Bindings from the configuration alone: KV, R2, assets and the small ones, in workflows, in handlers and in tests."""

import json

import pytest

ENTRY = """
    import json

    from workers import Response, WorkerEntrypoint, WorkflowEntrypoint


    class W(WorkflowEntrypoint):
        async def run(self, event, step):
            @step.do("cache")
            async def cache():
                await self.env.CACHE.put("k", "v", expirationTtl=60)

            @step.do("store")
            async def store():
                return (await self.env.FILES.put("a/b", b"data")).etag

            @step.do("count")
            async def count():
                self.env.CLICKS.writeDataPoint(blobs=["k"])

            await cache()
            etag = await store()
            await count()
            await step.sleep("until it is gone", "1 minute")

            @step.do("look")
            async def look():
                return await self.env.CACHE.get("k")

            @step.do("list")
            async def list_them():
                return [one.etag for one in (await self.env.FILES.list(prefix="a/")).objects]

            return [etag, await look(), await list_them()]


    class Default(WorkerEntrypoint):
        async def fetch(self, request):
            if not (await self.env.LIMIT.limit({"key": "all"})).success:
                return Response("slow down", status=429)
            await self.env.CACHE.put("seen", request.url)
            asset = await self.env.ASSETS.fetch("https://assets.local/hello.txt")
            answer = await self.env.AI.run("model", {"prompt": "p"})
            return Response.json({"asset": await asset.text(), "answer": answer, "version": self.env.VERSION.tag})
"""
CONFIG = {
    "name": "w",
    "main": "src/entry.py",
    "compatibility_date": "2026-11-01",
    "kv_namespaces": [{"binding": "CACHE", "id": "1"}],
    "r2_buckets": [{"binding": "FILES", "bucket_name": "files"}],
    "analytics_engine_datasets": [{"binding": "CLICKS", "dataset": "clicks"}],
    "ratelimits": [{"name": "LIMIT", "namespace_id": "1", "simple": {"limit": 1, "period": 60}}],
    "version_metadata": {"binding": "VERSION"},
    "assets": {"directory": "public", "binding": "ASSETS"},
    "ai": {"binding": "AI"},
    "vectorize": [{"binding": "INDEX", "index_name": "i"}],
    "mtls_certificates": [{"binding": "CERT", "certificate_id": "1"}],
    "workflows": [{"name": "w", "binding": "W", "class_name": "W"}],
}
HEAD = "import pytest\n\nfrom pytest_workflows import AiAnswers, MissingBindingError, calls_of, introspect_workflow_instance\n"


@pytest.fixture
def shop(worker):
    worker.write("wrangler.jsonc", json.dumps(CONFIG, indent=2))
    worker.write("src/entry.py", ENTRY)
    worker.write("public/hello.txt", "hello")
    return worker


def test_a_workflow_stores_and_reads_and_time_is_the_tests(shop):
    result = shop.run(
        HEAD
        + """
async def test_it(workflow_env):
    async with introspect_workflow_instance(workflow_env.W, "a") as instance:
        await workflow_env.W.create({"id": "a"})
        await instance.wait_for_status("complete")
        etag, value, etags = await instance.get_output()
    assert value is None
    assert etags == [etag]
    assert await (await workflow_env.FILES.get("a/b")).text() == "data"
    assert [call.method for call in calls_of(workflow_env.CACHE)] == ["put", "get"]
    assert [(call.method, call.kwargs) for call in calls_of(workflow_env.CLICKS)] == [("writeDataPoint", {"blobs": ["k"]})]


async def test_another_starts_empty(workflow_env):
    assert await workflow_env.CACHE.list() == {"keys": [], "list_complete": True, "cacheStatus": None}
    assert (await workflow_env.FILES.list()).objects == []
"""
    )

    result.assert_outcomes(passed=2)


def test_a_handler_uses_assets_limits_and_a_model_that_the_test_answers_for(shop):
    result = shop.run(
        HEAD
        + """
@pytest.fixture
def workflow_bindings():
    return {"AI": AiAnswers({"model": lambda inputs: {"response": inputs["prompt"] * 2}})}


async def test_it(workflow_worker, workflow_env):
    response = await workflow_worker.fetch("https://shop.example/")
    assert await response.json() == {"asset": "hello", "answer": {"response": "pp"}, "version": ""}
    assert (await workflow_worker.fetch("https://shop.example/")).status == 429
    assert await workflow_env.CACHE.get("seen") == "https://shop.example/"
    (call,) = calls_of(workflow_env.AI)
    assert (call.method, call.args, call.result) == ("run", ("model", {"prompt": "p"}), {"response": "pp"})


async def test_a_model_that_the_test_does_not_know(workflow_env):
    with pytest.raises(MissingBindingError) as caught:
        await workflow_env.AI.run("other", {})
    assert str(caught.value) == (
        "env.AI.run('other') was called: the test has no answer of that model (it has: model). Give one: "
        "AiAnswers({'other': ...})."
    )
"""
    )

    result.assert_outcomes(passed=2)


def test_a_model_without_an_answer_fails_the_test_although_the_worker_catches_everything(shop):
    shop.write(
        "src/entry.py",
        """
        from workers import Response, WorkerEntrypoint, WorkflowEntrypoint

        class W(WorkflowEntrypoint):
            async def run(self, event, step):
                pass

        class Default(WorkerEntrypoint):
            async def fetch(self, request):
                try:
                    await self.env.AI.run("other", {})
                except Exception:
                    return Response("no answer", status=503)
        """,
    )
    result = shop.run(
        HEAD
        + """
@pytest.fixture
def workflow_bindings():
    return {"AI": AiAnswers({})}


async def test_it(workflow_worker):
    assert (await workflow_worker.fetch("/")).status == 503
"""
    )

    assert result.parseoutcomes().get("failed", 0) + result.parseoutcomes().get("errors", 0) == 1
    result.stdout.fnmatch_lines(["*the test has no answer of that model (it has: none)*"])


def test_a_binding_that_nobody_can_stand_in_for_says_how_to_give_a_fake_when_it_is_used(shop):
    result = shop.run(
        HEAD
        + """
async def test_it(workflow_env):
    assert workflow_env.INDEX and workflow_env.AI and callable(workflow_env.CERT.fetch)
    with pytest.raises(MissingBindingError, match=r"(?s)env.AI.run was used: the binding 'AI' \\(ai in .*AiAnswers\\("):
        await workflow_env.AI.run("model", {})
    with pytest.raises(MissingBindingError, match=r"env.INDEX.query was used: the binding 'INDEX' \\(vectorize in "):
        await workflow_env.INDEX.query([1.0])
    with pytest.raises(MissingBindingError, match=r"env.CERT.fetch was used: the binding 'CERT' \\(mtls_certificates in "):
        await workflow_env.CERT.fetch("https://a.example")
"""
    )

    result.assert_outcomes(passed=1)


LOOK = """
    from workers import Response, WorkerEntrypoint, WorkflowEntrypoint, env

    AT_IMPORT = [env.JSONVAR.a[0], env.NULLVAR]


    def look(env):
        found = []
        for text in (
            'env.JSONVAR["a"]', "env.JSONVAR.a[0]", "env.JSONVAR.a[1]", "env.LISTVAR[1]", "env.NULLVAR", "env.NULLVAR is None",
            "dict(env.JSONVAR)", "env.JSONVAR.to_py()", 'env["VAR"]', 'getattr(env, "NOPE", "default")', '"VAR" in env',
            "env.NUMVAR", "len(env.LISTVAR)", "[item for item in env.LISTVAR]", "AT_IMPORT",
        ):
            try:
                found.append(f"{text} -> {eval(text)!r}")
            except Exception as error:
                found.append(f"{text} -> {type(error).__name__}")
        return found


    class W(WorkflowEntrypoint):
        async def run(self, event, step):
            return look(self.env)


    class Default(WorkerEntrypoint):
        async def fetch(self, request):
            return Response.json(look(self.env))
"""
SEEN = """
env.JSONVAR["a"] -> TypeError
env.JSONVAR.a[0] -> 1
env.JSONVAR.a[1] -> jsnull
env.LISTVAR[1] -> 'b'
env.NULLVAR -> jsnull
env.NULLVAR is None -> False
dict(env.JSONVAR) -> TypeError
env.JSONVAR.to_py() -> {'a': [1, jsnull]}
env["VAR"] -> TypeError
getattr(env, "NOPE", "default") -> 'default'
"VAR" in env -> TypeError
env.NUMVAR -> 3
len(env.LISTVAR) -> 2
[item for item in env.LISTVAR] -> [1, 'b']
AT_IMPORT -> [1, jsnull]
"""


def test_variables_are_as_on_the_platform_in_workflows_and_handlers(worker):
    variables = {"VAR": "text", "JSONVAR": {"a": [1, None]}, "LISTVAR": [1, "b"], "NUMVAR": 3, "NULLVAR": None}
    worker.write(
        "wrangler.jsonc",
        json.dumps({**{k: CONFIG[k] for k in ("name", "main", "compatibility_date", "workflows")}, "vars": variables}),
    )
    worker.write("src/entry.py", LOOK)
    result = worker.run(
        HEAD
        + f"""
SEEN = {SEEN.strip().splitlines()!r}


async def test_it(workflow_env, workflow_worker):
    async with introspect_workflow_instance(workflow_env.W, "a") as instance:
        await workflow_env.W.create({{"id": "a"}})
        await instance.wait_for_status("complete")
        assert await instance.get_output() == SEEN
    assert await (await workflow_worker.fetch("/")).json() == SEEN
    assert workflow_env.JSONVAR.a[0] == 1
"""
    )

    result.assert_outcomes(passed=1)


def test_an_entry_that_cannot_be_is_an_error_with_file_and_line(shop):
    shop.write("wrangler.jsonc", json.dumps({**CONFIG, "assets": {"directory": "nope", "binding": "ASSETS"}}, indent=2))
    result = shop.run("def test_it(workflow_env):\n    workflow_env.ASSETS\n")

    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(
        ["E*WorkflowConfigError: *wrangler.jsonc:*: assets.directory is 'nope', and *nope is no folder."]
    )
