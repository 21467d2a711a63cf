"""The limits of the plan that a Worker is deployed to: which hold, and what a Worker gets that goes beyond them."""

import json
import sys
from pathlib import Path

import pytest

from durable_engine import Limits
from pytest_workflows.errors import WorkflowConfigError
from pytest_workflows.project.plans import PLANS, limits_of
from pytest_workflows.project.wrangler import load_config
from pytest_workflows.rules import memory_limit
from pytest_workflows.timeline.usage import Use, in_words

DAY = 24 * 60 * 60 * 1000
MIB = 2**20
CONFIGURED = (
    "To configure this limit, refer to https://developers.cloudflare.com/workers/wrangler/configuration/#limits"
)


# -- which limits hold -------------------------------------------------------------------------------------------------


def test_the_plans_have_what_is_documented():
    paid, free = (Limits(**limits_of(PLANS[name], {})) for name in ("paid", "free"))

    assert (paid.default_steps, paid.most_steps) == (10_000, 25_000)
    assert (free.default_steps, free.most_steps) == (1_024, 1_024)
    assert (paid.subrequests, paid.service_calls) == (10_000, 10_000)
    assert (free.subrequests, free.service_calls) == (50, 1_000)
    assert (paid.cpu_ms, free.cpu_ms) == (30_000, 10)
    assert (paid.storage, free.storage) == (1024 * MIB, 100 * MIB)
    assert (paid.kept, paid.longest_kept) == (7 * DAY, 30 * DAY)
    assert (free.kept, free.longest_kept) == (3 * DAY, 3 * DAY)
    assert (paid.memory, free.memory) == (128 * MIB, 128 * MIB)


@pytest.mark.parametrize(
    ("plan", "settings", "subrequests", "service_calls", "cpu_ms"),
    [
        ("paid", {"subrequests": 5, "cpu_ms": 100}, 5, 5, 100),
        ("paid", {"subrequests": 20_000_000, "cpu_ms": 900_000}, 10_000_000, 10_000_000, 300_000),
        ("free", {"subrequests": 5, "cpu_ms": 5}, 5, 5, 5),
        ("free", {"subrequests": 20_000, "cpu_ms": 300_000}, 50, 1_000, 10),
    ],
)
def test_the_configuration_sets_limits_as_far_as_the_plan_goes_along(
    plan, settings, subrequests, service_calls, cpu_ms
):
    limits = Limits(**limits_of(PLANS[plan], settings))

    assert (limits.subrequests, limits.service_calls, limits.cpu_ms) == (subrequests, service_calls, cpu_ms)


def config(folder: Path, limits, **others):
    path = folder / "wrangler.json"
    path.write_text(json.dumps({"name": "it", "limits": limits, **others}, indent=1))
    return path


def test_limits_are_read_and_an_environment_inherits_them(tmp_path):
    path = config(tmp_path, {"cpu_ms": 100.0, "subrequests": 5}, env={"same": {}, "own": {"limits": {"cpu_ms": 7}}})

    assert load_config(path).limits == {"cpu_ms": 100, "subrequests": 5}
    assert load_config(path, "same").limits == {"cpu_ms": 100, "subrequests": 5}
    assert load_config(path, "own").limits == {"cpu_ms": 7}


@pytest.mark.parametrize(
    ("limits", "message"),
    [
        ([], "wrangler.json:3: limits is a list ([]), not a table."),
        ({"cpu_ms": "much"}, "wrangler.json:4: limits.cpu_ms is 'much', not a whole number from 1 on."),
        ({"subrequests": 0}, "wrangler.json:4: limits.subrequests is 0, not a whole number from 1 on."),
        ({"subrequests": 1.5}, "wrangler.json:4: limits.subrequests is 1.5, not a whole number from 1 on."),
        ({"cpu_ms": True}, "wrangler.json:4: limits.cpu_ms is true, not a whole number from 1 on."),
    ],
)
def test_a_limit_that_is_no_number_is_an_error_with_its_line(tmp_path, limits, message):
    with pytest.raises(WorkflowConfigError) as caught:
        load_config(config(tmp_path, limits))

    assert str(caught.value) == f"{tmp_path}/{message}"


def test_more_than_the_platform_has_is_warned_of(tmp_path):
    found = load_config(config(tmp_path, {"cpu_ms": 300_001, "subrequests": 10_000_001}))

    assert found.warnings == (
        (4, "limits.cpu_ms is 300001, and production has at most 300000: this may not work there."),
        (5, "limits.subrequests is 10000001, and production has at most 10000000: this may not work there."),
    )


def test_an_unknown_plan_is_a_usage_error(worker):
    worker.set(workflows_plan="pro")

    result = worker.run("def test_it(): pass")

    assert result.ret == 4
    result.stderr.fnmatch_lines(["ERROR: ini option workflows_plan takes 'free' or 'paid', not 'pro'."])


# -- subrequests of a Worker ---------------------------------------------------------------------------------------------

ENTRY = """
    from workers import DurableObject, Response, WorkerEntrypoint, WorkflowEntrypoint, fetch


    class Counter(DurableObject):
        async def add(self):
            for _ in range(7):  # a budget of its own, of which storage takes nothing
                await self.ctx.storage.put("at", 1)
            return 1


    class Calls(WorkflowEntrypoint):
        async def run(self, event, step):
            kind, _, times = event["payload"].partition("*")
            ONCE = {"retries": {"limit": 0, "delay": 0}}
            env = self.env

            async def once(number):
                if kind == "fetch":
                    await fetch(f"https://example.org/{number}")
                elif kind == "redirect":
                    await fetch("https://example.org/moved")
                elif kind == "kv":
                    await env.KV.get("key")
                elif kind == "d1":
                    await env.DB.prepare("SELECT ?").bind(number).all()
                elif kind == "d1 batch":
                    await env.DB.batch([env.DB.prepare("SELECT 1") for _ in range(9)])
                elif kind == "queue":
                    await env.QUEUE.send("hello")
                elif kind == "object":
                    await env.COUNTER.getByName("one").add()
                elif kind == "fake":
                    await env.FAKE.send(number)
                elif kind == "fake get":
                    await env.FAKE.get(number)
                elif kind == "plain fake":
                    env.FAKE.count()
                elif kind == "workflow":
                    await env.CALLS.create({"id": f"child-{number}", "params": "none"})
                elif kind == "points":
                    env.POINTS.writeDataPoint({"blobs": ["x"]})

            made = 0
            for number in range(0 if kind == "none" else 20):

                @step.do(f"call {number}", config=ONCE)
                async def call():
                    for _ in range(int(times or 1)):
                        await once(number)

                await call()
                made += 1
            return made


    class Default(WorkerEntrypoint):
        async def fetch(self, request):
            for _ in range(int(request.url.rpartition("/")[2])):
                await self.env.KV.get("key")
            return Response("ok")
"""
CONFIG = {
    "name": "it",
    "main": "src/entry.py",
    "compatibility_date": "2026-11-10",
    "workflows": [{"binding": "CALLS", "name": "calls", "class_name": "Calls"}],
    "kv_namespaces": [{"binding": "KV", "id": "one"}],
    "d1_databases": [{"binding": "DB", "database_name": "db", "database_id": "one"}],
    "queues": {"producers": [{"binding": "QUEUE", "queue": "jobs"}]},
    "analytics_engine_datasets": [{"binding": "POINTS"}],
    "durable_objects": {"bindings": [{"name": "COUNTER", "class_name": "Counter"}]},
    "migrations": [{"tag": "v1", "new_sqlite_classes": ["Counter"]}],
}
TESTS = """
    import pytest

    from pytest_workflows import UnreachableStatusError, introspect_workflow_instance
    from pyodide.ffi import JsException


    class Fake:
        def __init__(self):
            self.calls = []

        async def send(self, number):
            self.calls.append(number)

        async def get(self, number):
            self.calls.append(number)

        def count(self):
            self.calls.append(None)


    @pytest.fixture
    def workflow_bindings():
        return {"FAKE": Fake()}


    @pytest.fixture
    def site(respx_mock):
        respx_mock.get("https://example.org/moved").respond(301, headers={"location": "/there"})
        respx_mock.get(url__regex=r"https://example.org/(there|[0-9]+)").respond(text="ok")
        respx_mock._assert_all_called = False
        return respx_mock


    async def ended(env, kind):
        async with introspect_workflow_instance(env.CALLS, "one") as instance:
            await env.CALLS.create({"id": "one", "params": kind})
            try:
                await instance.wait_for_status("complete")
            except UnreachableStatusError:
                ended_with = (await instance.get_error())["message"].rstrip().splitlines()[-1]
                return sum(step.status == "complete" for step in instance.steps), ended_with
            return await instance.get_output(), None
"""
FETCHES = f"Too many subrequests by single Worker invocation. {CONFIGURED}"
CALLS = f"Too many API requests by single Worker invocation. {CONFIGURED}"


@pytest.fixture
def run(worker):
    """Runs tests of the Worker above, whose configuration sets limits."""

    def run(tests, *arguments, limits, entry=ENTRY):
        worker.write("src/entry.py", entry)
        worker.write("wrangler.jsonc", json.dumps({**CONFIG, "limits": limits}))
        return worker.run(TESTS + tests, *arguments, plugins=["respx"])

    return run


def test_the_subrequests_of_an_instance_end_as_the_platform_ends_them(run):
    result = run(
        f"""

    @pytest.mark.parametrize("kind", ["kv", "d1", "d1 batch", "queue", "object", "fake", "fake get", "plain fake", "workflow"])
    async def test_calls_of_bindings(workflow_env, kind):
        made, error = await ended(workflow_env, kind)
        assert made == 5
        assert error.endswith("{CALLS}")
        if "fake" in kind:
            assert len(workflow_env.FAKE.calls) == 5


    async def test_requests(workflow_env, site):
        made, error = await ended(workflow_env, "fetch")
        assert made == 5
        assert error == "OSError: {FETCHES}"
        assert site.calls.call_count == 5


    async def test_each_hop_of_a_redirect_is_a_request(workflow_env, site):
        assert (await ended(workflow_env, "redirect"))[0] == 2
        assert site.calls.call_count == 5


    async def test_what_makes_no_request(workflow_env):
        assert await ended(workflow_env, "points") == (20, None)


    async def test_a_handler_has_a_count_of_its_own_each_time(workflow_worker):
        for _ in range(3):
            assert (await workflow_worker.fetch("/5")).status == 200
        with pytest.raises(JsException) as caught:
            await workflow_worker.fetch("/6")
        assert caught.value.message == "{CALLS}"


    async def test_the_test_itself_may_call_more(workflow_env):
        for _ in range(9):
            await workflow_env.KV.get("key")


    @pytest.mark.workflow(limits={{"service_calls": 7}})
    async def test_a_marker_wins(workflow_env):
        assert (await ended(workflow_env, "kv"))[0] == 7
    """,
        limits={"subrequests": 5},
    )

    result.assert_outcomes(passed=15)


def test_the_free_plan_has_its_own_limits(worker, run):
    worker.set(workflows_plan="free")

    result = run(
        f"""

    async def test_fifty_requests(workflow_env, site):
        assert await ended(workflow_env, "fetch") == (50, "OSError: {FETCHES}")


    async def test_a_thousand_calls(workflow_env):
        assert (await ended(workflow_env, "fake*300"))[0] == 3
        assert len(workflow_env.FAKE.calls) == 1000


    async def test_its_steps(workflow_env):
        made, error = await ended(workflow_env, "nothing")
        assert made == 1024
        assert "The limit of 1024 steps has been reached." in error


    async def test_an_instance_is_kept_for_three_days(workflow_env, workflow_clock):
        async with introspect_workflow_instance(workflow_env.CALLS, "one") as instance:
            handle = await workflow_env.CALLS.create({{"id": "one", "params": "none"}})
            await instance.wait_for_status("complete")
            await workflow_clock.advance("71 hours")
            assert (await handle.status())["status"] == "complete"
            await workflow_clock.advance("1 hour")
            with pytest.raises(JsException, match="instance.not_found"):
                await workflow_env.CALLS.get("one")
            assert (await instance.status())["status"] == "complete"
            assert await instance.get_output() == 0
    """,
        limits={"subrequests": 5000},
        entry=ENTRY.replace("else 20)", "else 1030)"),
    )

    result.assert_outcomes(passed=4)


# -- what is measured ----------------------------------------------------------------------------------------------------

HEAVY = """
    from workers import WorkflowEntrypoint


    class OrderWorkflow(WorkflowEntrypoint):
        async def run(self, event, step):
            @step.do("count")
            async def count():
                return sum(number * number for number in range(1_000_000))

            @step.do("load")
            async def load():
                return len(bytearray(160 * 2**20))

            @step.do("call")
            async def call():
                return await self.env.API.ask()

            return [await count(), await load(), await call()]
"""
HEAVY_TEST = """
    import pytest

    from pytest_workflows import introspect_workflow_instance


    class Api:
        async def ask(self):
            return sum(number * number for number in range(1_000_000)) > 0  # a service's work, not the Worker's


    @pytest.fixture
    def workflow_bindings():
        return {"API": Api()}


    async def test_it(workflow_env):
        async with introspect_workflow_instance(workflow_env.ORDERS, "one") as instance:
            await workflow_env.ORDERS.create({"id": "one"})
            await instance.wait_for_status("complete")
"""


def test_what_is_beyond_a_measured_limit_is_a_finding_that_fails_no_test(worker):
    worker.set(workflows_plan="free")
    worker.write("src/entry.py", HEAVY)

    result = worker.run(HEAVY_TEST, "--workflows-strict", "--workflows-report", "-W", "error")

    result.assert_outcomes(passed=1, warnings=3)  # to make so many bytes takes its time as well
    text = " ".join(result.stdout.str().split())
    assert "WorkflowRuleWarning: [cpu-limit] " in text
    assert "src/entry.py:6: step 'count-1' took " in text
    assert " times the 10 ms of its limit. In production: the platform ends the step there" in text
    assert "step 'call-1' took" not in text
    assert "[memory-limit] " in text
    assert "MiB while step 'load-1' ran, 1." in text
    assert " times the 128 MiB of an isolate" in text
    assert " of 10 ms of processor time, " in text
    assert " of 128 MiB of memory" in text


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="Linux alone shows the peak of a while")
def test_memory_is_measured_in_a_process_that_a_larger_one_has_started(worker, monkeypatch):
    worker.write("src/entry.py", HEAVY)
    monkeypatch.setattr(memory_limit._Floor, "most", None)  # nothing was measured in the process yet
    monkeypatch.setattr(memory_limit._Process, "base", 0)
    monkeypatch.setattr(memory_limit._Process, "peak", lambda: 2**40)
    monkeypatch.setattr(memory_limit, "_peak", lambda: 2**40)  # as Linux has it then, until this process is as large

    worker.run(HEAVY_TEST).stdout.fnmatch_lines("*WorkflowRuleWarning: [[]memory-limit]*")


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="Linux alone shows the peak of a while")
def test_memory_is_measured_from_what_the_process_has_when_a_test_begins(worker):
    worker.write("src/entry.py", HEAVY)
    larger = HEAVY_TEST.replace("async with", "ballast = b'1' * 400 * 2**20\n        async with", 1).replace(
        "    async def test_it",
        "    @pytest.mark.workflow(ignore_rules=['memory-limit'])\n    async def test_it_in_a_larger_process",
    )

    result = worker.run(larger + HEAVY_TEST)

    result.stdout.fnmatch_lines("*WorkflowRuleWarning: [[]memory-limit]*")


def test_on_the_paid_plan_a_step_has_half_a_minute(worker):
    worker.write("src/entry.py", HEAVY.replace("160 * 2**20", "1"))

    worker.run(HEAVY_TEST, "--workflows-strict").assert_outcomes(passed=1, warnings=0)


# -- what is shown -------------------------------------------------------------------------------------------------------


TWENTY_CALLS = """

    async def test_it(workflow_env):
        assert await ended(workflow_env, "kv") == (20, None)
"""


def test_the_timeline_shows_use_against_limit(run):
    result = run(TWENTY_CALLS, "--workflows-report", limits={"subrequests": 25})

    result.stdout.fnmatch_lines(["*used: 20 of 25 calls of bindings"])


@pytest.mark.parametrize(
    ("use", "text"),
    [
        (Use("steps", 999, 10_000), None),
        (Use("steps", 1_000, 10_000), "1,000 of 10,000 steps"),
        (Use("requests", 0, 50), None),
        (Use("requests", 1, 10_000), "1 of 10,000 requests"),
        (Use("requests", 1, None), "1 requests"),
        (Use("state", 2**20 * 100, 2**30, "bytes"), None),
        (Use("state", 2**20 * 512, 2**30, "bytes"), "512 MiB of 1 GiB of state"),
        (Use("state", 600, 1024 * 2, "bytes"), "600 bytes of 2 KiB of state"),
        (Use("processor time", 4, 10, "ms"), None),
        (Use("processor time", 12.4, 10, "ms"), "12 ms of 10 ms of processor time"),
        (Use("processor time", 42_500, 30_000, "ms"), "42.5 s of 30 s of processor time"),
        (Use("memory", 2**20 * 130.5, 2**20 * 128, "bytes"), "130.5 MiB of 128 MiB of memory"),
    ],
)
def test_a_use_is_worth_a_word_from_a_part_of_its_limit_on(use, text):
    assert in_words([use]) == text


def test_a_recording_has_what_an_instance_used(worker, run):
    run(TWENTY_CALLS, "--workflows-record=all", limits={"subrequests": 25, "cpu_ms": 50}).assert_outcomes(passed=1)

    [file] = (worker.path / ".workflows").rglob("*.json")
    uses = {use["resource"]: use for use in json.loads(file.read_text())["uses"]}
    assert uses["calls of bindings"] == {"resource": "calls of bindings", "used": 20.0, "limit": 25}
    assert uses["steps"] == {"resource": "steps", "used": 20.0, "limit": 10_000}
    assert uses["state"]["limit"] == 2**30
    assert uses["processor time"]["limit"] == 50
    assert uses["processor time"]["unit"] == "ms"
