"""Event loops other than asyncio's own: uvloop does not show its queue, and works all the same."""

import asyncio
import sys

import pytest

from durable_engine import Engine, EngineError

uvloop = pytest.importorskip("uvloop", reason="uvloop does not exist for Windows") if sys.platform != "win32" else None


async def scenario():
    attempts = []

    async def workflow(event, step):
        @step.do("flaky", config={"retries": {"limit": 1, "delay": "1 hour"}})
        async def flaky(ctx):
            attempts.append(ctx.attempt)
            await asyncio.sleep(0.001)
            if ctx.attempt == 1:
                raise ValueError("once")
            return await step.do("inner")(lambda: "in")()

        first, _ = await asyncio.gather(flaky(), step.sleep("nap", "1 day"))
        return first

    async with Engine(now="2026-01-01T00:00:00Z", timeout=2) as engine:
        handle = await engine.bind("W", workflow).create({"id": "x"})
        await engine.advance(0)
        engine.crash(engine.instances[0].workflow, "x")
        await engine.run_until_idle()
        return (await handle.status())["output"], attempts[-1], engine.clock.now.isoformat()


def test_uvloop_gives_the_same_as_asyncio():
    if uvloop is None:
        pytest.skip("uvloop does not exist for Windows")
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        there = runner.run(scenario())

    assert there == asyncio.run(scenario())
    assert there[0] == "in"


async def sending_at_once():
    async def workflow(event, step):
        return (await step.wait_for_event("w", "t", timeout="1 hour"))["payload"]

    async with Engine(now="2026-01-01T00:00:00Z", timeout=2) as engine:
        handle = await engine.bind("W", workflow).create({"id": "x"})
        await asyncio.gather(engine.run_until_idle(), handle.send_event({"type": "t", "payload": "in time"}))
        return (await handle.status())["output"]


def test_on_uvloop_no_timer_fires_under_a_task_that_is_about_to_act():
    if uvloop is None:
        pytest.skip("uvloop does not exist for Windows")
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        assert runner.run(sending_at_once()) == "in time"


def test_without_a_running_asyncio_loop_the_error_says_what_to_do():
    engine = Engine()
    binding = engine.bind("W", lambda event, step: None)

    with pytest.raises(EngineError, match="Workflows run on asyncio"):
        binding.create().send(None)

    engine.close()
