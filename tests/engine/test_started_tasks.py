"""Each task is registered with the instance whose code starts it, and the loop's own task factory is left as it was."""

import asyncio
import contextvars
import functools

import pytest

from durable_engine import Engine


@pytest.fixture
def ran():
    return []


def workflow(ran):
    async def run(event, step):
        async def go_on():
            while True:
                await asyncio.sleep(0)
                ran.append(event["instanceId"])

        tasks = [asyncio.create_task(go_on()), asyncio.create_task(go_on(), context=contextvars.copy_context())]
        await asyncio.wait(tasks)

    return run


async def turns_after_the_end(engine, ran):
    """Let one of two instances be terminated, and say whose tasks ran on."""
    binding = engine.bind("ORDERS", workflow(ran))
    first, second = await binding.create({"id": "first"}), await binding.create({"id": "second"})
    for _ in range(5):
        await asyncio.sleep(0)
    assert ran.count("first") == ran.count("second") > 1
    await first.terminate()
    ran.clear()
    for _ in range(5):
        await asyncio.sleep(0)
    await second.terminate()
    return ran.count("first"), ran.count("second")


async def test_what_an_instance_has_started_stops_with_it(ran):
    async with Engine() as engine:
        assert await turns_after_the_end(engine, ran) == (0, 10)


async def test_what_an_instance_has_started_stops_with_it_where_its_code_makes_the_tasks_in_its_own_way(ran):
    def made_here(loop, coro, **options):
        return asyncio.Task(coro, loop=loop, **options)

    loop = asyncio.get_running_loop()
    async with Engine() as engine:
        assert engine.loop is loop
        loop.set_task_factory(made_here)
        assert await turns_after_the_end(engine, ran) == (0, 10)

    assert loop.get_task_factory() is made_here
    loop.set_task_factory(None)


async def test_the_loop_has_its_own_factory_again_when_the_last_engine_on_it_is_closed():
    made = []

    def counting(loop, coro, **options):
        made.append(coro)
        return asyncio.Task(coro, loop=loop, **options)

    loop = asyncio.get_running_loop()
    loop.set_task_factory(counting)
    async with Engine() as first:
        assert first.loop is loop
        async with Engine() as second:
            assert second.loop is loop
            await asyncio.create_task(asyncio.sleep(0))
        assert loop.get_task_factory() is not counting
        await asyncio.create_task(asyncio.sleep(0))

    assert loop.get_task_factory() is counting
    assert len(made) == 2
    loop.set_task_factory(None)


async def test_tasks_of_the_test_belong_to_no_instance(ran):
    async with Engine() as engine:
        binding = engine.bind("ORDERS", workflow(ran))
        instance = await binding.create({"id": "order-1"})
        task = asyncio.create_task(asyncio.sleep(0, "mine"))
        await instance.terminate()

        assert await task == "mine"


async def test_a_workflow_sets_context_variables_for_all_of_its_code_and_for_no_other():
    whose = contextvars.ContextVar("whose", default="nobody's")
    seen = []

    def of(name):
        async def run(event, step):
            @step.do("twice", config={"retries": {"limit": 1, "delay": "1 minute"}, "timeout": "1 minute"})
            async def twice(ctx):
                seen.append(whose.get())
                if ctx.attempt == 1:
                    raise RuntimeError("once more, set off by a timer")

            seen.append(whose.get())
            await step.sleep("a while", "1 hour")
            await twice()

        return run

    async with Engine() as engine:
        for name in ("a", "b"):
            binding = engine.bind(name.upper(), of(name), setup=functools.partial(whose.set, name))
            await binding.create({"id": name})
            await engine.run_until_idle()
        plain = engine.bind("PLAIN", of("plain"))
        await plain.create({"id": "c"})
        await engine.run_until_idle()

    assert seen == ["a"] * 3 + ["b"] * 3 + ["nobody's"] * 3
    assert whose.get() == "nobody's"
