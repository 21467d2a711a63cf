"""JavaScript's timers pass in virtual time, in steps and in handlers, as asyncio's sleeps do."""

from __future__ import annotations

from textwrap import dedent

CONFIG = """
    {"main": "src/entry.py", "compatibility_date": "2026-11-01",
     "workflows": [{"name": "w", "binding": "W", "class_name": "W"}]}
"""
ENTRY = """
    import asyncio

    from js import Date, Promise, scheduler, setTimeout
    from workers import Response, WorkerEntrypoint, WorkflowEntrypoint


    def two_minutes():
        return Promise.new(lambda resolve, reject: setTimeout(resolve, 120_000))


    class Default(WorkerEntrypoint):
        async def fetch(self, request):
            kind = request.url.rsplit("/", 1)[1]
            if kind == "wait":
                await scheduler.wait(120_000)
            elif kind == "timeout":
                await two_minutes()
            else:
                self.ctx.waitUntil(two_minutes())
            return Response("done")


    class W(WorkflowEntrypoint):
        async def run(self, event, step):
            @step.do("wait")
            async def wait():
                begun = Date.now()
                await scheduler.wait(120_000)
                await two_minutes()
                return (Date.now() - begun) // 1000

            return await wait()
"""
TESTS = """
    import pytest

    from pytest_workflows import introspect_workflow_instance


    async def test_a_step_waits_four_minutes(workflow_env):
        async with introspect_workflow_instance(workflow_env.W, "one") as instance:
            await workflow_env.W.create({"id": "one", "params": {}})
            await instance.wait_for_status("complete")
            assert await instance.get_output() == 240


    @pytest.mark.parametrize("kind", ["wait", "timeout", "later"])
    async def test_a_handler_waits_two_minutes(workflow_worker, workflow_clock, kind):
        begun = workflow_clock.now
        await workflow_worker.fetch(f"/{kind}")
        assert (workflow_clock.now - begun).total_seconds() == 120
"""


def test_timers_pass_in_virtual_time(pytester):
    pytester.makeini("[pytest]\nasyncio_mode = auto\nasyncio_default_fixture_loop_scope = function\n")
    pytester.path.joinpath("wrangler.jsonc").write_text(CONFIG)
    pytester.path.joinpath("src").mkdir()
    pytester.path.joinpath("src", "entry.py").write_text(dedent(ENTRY))
    pytester.makepyfile(TESTS)

    pytester.runpytest("-p", "no:cacheprovider", "--workflows-strict").assert_outcomes(passed=4)


def test_a_timer_ends_with_its_test(pytester):
    pytester.makeini(
        "[pytest]\nasyncio_mode = auto\nasyncio_default_fixture_loop_scope = session\n"
        "asyncio_default_test_loop_scope = session\n"
    )
    pytester.path.joinpath("wrangler.jsonc").write_text(CONFIG)
    pytester.path.joinpath("src").mkdir()
    pytester.path.joinpath("src", "entry.py").write_text(dedent(ENTRY))
    pytester.makepyfile(
        """
        import asyncio

        from js import setInterval

        called = []

        async def test_one(workflow_env):
            setInterval(lambda: called.append(1), 1)

        async def test_two(workflow_env):
            await asyncio.sleep(0.02)
            assert called == []
        """
    )

    pytester.runpytest("-p", "no:cacheprovider").assert_outcomes(passed=2)
