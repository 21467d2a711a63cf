"""Time inside a step, a handler, a Durable Object and a consumer: sleeps and deadlines pass in virtual time."""

from __future__ import annotations

import time
from typing import Any

from pytest_workflows.introspection.monotonic import MonotonicTime

CONFIG = """
    {"main": "src/entry.py", "compatibility_date": "2026-11-10",
     "workflows": [{"name": "poll", "binding": "POLL", "class_name": "Poll"}],
     "durable_objects": {"bindings": [{"name": "JOB", "class_name": "Job"}]},
     "migrations": [{"tag": "v1", "new_sqlite_classes": ["Job"]}],
     "queues": {"producers": [{"binding": "QUEUE", "queue": "q"}], "consumers": [{"queue": "q"}]}}
"""
ENTRY = """
    import asyncio
    import time
    from time import monotonic, monotonic_ns

    from workers import DurableObject, Response, WorkerEntrypoint, WorkflowEntrypoint

    one_at_a_time = asyncio.Semaphore(1)


    async def until(deadline, clock):
        while clock() < deadline:
            await asyncio.sleep(15)


    class Job(DurableObject):
        async def work(self, seconds):
            async with asyncio.timeout(60):
                await asyncio.sleep(seconds)


    class Default(WorkerEntrypoint):
        async def fetch(self, request):
            async def nap():
                async with one_at_a_time:
                    await asyncio.sleep(30)

            await asyncio.gather(nap(), nap())
            return Response("slept")

        async def queue(self, batch, env, ctx):
            await asyncio.sleep(60)


    class Poll(WorkflowEntrypoint):
        async def run(self, event, step):
            kind = event["payload"]

            @step.do("poll", config={"retries": {"limit": 1, "delay": "1 second"}, "timeout": "2 minutes"})
            async def poll():
                job = self.env.JOB.getByName("a")
                if kind == "too long":
                    for _ in range(20):
                        await asyncio.sleep(30)
                elif kind == "a deadline":
                    await until(time.monotonic() + 30, time.monotonic)
                    await until(monotonic_ns() + 30_000_000_000, monotonic_ns)
                elif kind == "an object":
                    await asyncio.gather(job.work(30), asyncio.sleep(45))
                    try:
                        await asyncio.wait_for(job.work(100), 15)
                    except TimeoutError:
                        return "given up"

            return await poll()
"""
TESTS = """
    import time

    import pytest

    from pytest_workflows import introspect_workflow_instance


    @pytest.fixture(autouse=True)
    def watch(workflow_clock):
        began, real = workflow_clock.now, time.monotonic()
        yield lambda: (workflow_clock.now - began).total_seconds()
        assert time.monotonic() - real < 55  # of the test itself it counts no virtual time


    async def test_a_step_that_sleeps_too_long(workflow_env, watch):
        async with introspect_workflow_instance(workflow_env.POLL, "a") as instance:
            await workflow_env.POLL.create({"id": "a", "params": "too long"})
            await instance.wait_for_status("errored")
            error = await instance.get_error()
        assert "Execution timed out after 120000ms" in error["message"]
        assert watch() == 241


    @pytest.mark.parametrize("kind", ["a deadline", "an object"])
    async def test_a_step(workflow_env, watch, kind):
        async with introspect_workflow_instance(workflow_env.POLL, "a") as instance:
            await workflow_env.POLL.create({"id": "a", "params": kind})
            await instance.wait_for_status("complete")
        assert watch() == 60


    async def test_a_handler(workflow_worker, watch):
        await workflow_worker.fetch("/")
        assert watch() == 60


    async def test_a_consumer(workflow_env, workflow_engine, watch):
        await workflow_env.QUEUE.send("a message")
        await workflow_engine.run_until_idle()
        assert 60 <= watch() < 70
"""


def test_time_passes_in_every_kind_of_code(worker: Any) -> None:
    worker.set(workflows_ignore_rules="overlapping-attempts")
    worker.write("wrangler.jsonc", CONFIG)
    worker.write("src/entry.py", ENTRY)

    worker.run(TESTS).assert_outcomes(passed=5)


def test_the_monotonic_clock_is_put_back_however_often_it_was_put_in_place() -> None:
    before = time.monotonic, time.monotonic_ns
    clock = MonotonicTime()
    clock.install()
    clock.install()
    assert time.monotonic is not before[0]
    assert time.monotonic.__name__ == "monotonic"
    assert abs(time.monotonic() - before[0]()) < 60
    assert abs(time.monotonic_ns() - before[1]()) < 60_000_000_000

    clock.uninstall()
    clock.uninstall()

    assert (time.monotonic, time.monotonic_ns) == before
