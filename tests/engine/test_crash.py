"""Losing an instance's memory, and recovering it from storage."""

import asyncio
import contextlib
import datetime
import gc
import warnings

import pytest

from durable_engine import Engine

START = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)


@pytest.fixture
async def engine():
    async with Engine(now=START, timeout=2) as engine:
        yield engine


def crash(engine, handle):
    engine.crash(engine.instances[0].workflow, handle.id)


def kinds(engine):
    return [(line.kind, line.key and line.key.label) for line in engine.store.history(engine.instances[0].row.key)]


async def test_a_completed_step_never_runs_again(engine):
    runs = []

    async def workflow(event, step):
        first = await step.do("first")(lambda: runs.append("first") or "kept")()
        await step.sleep("nap", "1 hour")
        return first

    handle = await engine.bind("W", workflow).create()
    await engine.advance("1 minute")
    crash(engine, handle)
    await engine.run_until_idle()

    assert runs == ["first"]
    assert (await handle.status())["output"] == "kept"
    assert engine.clock.now == START + datetime.timedelta(hours=1)


async def test_an_attempt_that_was_lost_counts_and_never_ends_the_step(engine):
    attempts = []

    async def workflow(event, step):
        @step.do("s", config={"retries": {"limit": 0, "delay": "1 hour"}})
        async def s(ctx):
            attempts.append(ctx.attempt)
            if ctx.attempt == 1:
                await asyncio.Event().wait()
            return ctx.attempt

        return await s()

    handle = await engine.bind("W", workflow).create()
    await engine.advance(0)
    crash(engine, handle)
    await engine.run_until_idle()

    assert attempts == [1, 2]
    assert (await handle.status())["output"] == 2
    assert engine.clock.now == START
    assert kinds(engine)[3:] == [
        ("STEP_START", "s-1"),
        ("ATTEMPT_START", "s-1"),
        ("ATTEMPT_FAILURE", "s-1"),
        ("ATTEMPT_START", "s-1"),
        ("ATTEMPT_SUCCESS", "s-1"),
        ("STEP_SUCCESS", "s-1"),
        ("WORKFLOW_SUCCESS", None),
    ]


async def test_a_retry_delay_goes_on_where_it_was(engine):
    async def workflow(event, step):
        @step.do("s", config={"retries": {"limit": 1, "delay": "1 hour", "backoff": "constant"}})
        async def s(ctx):
            if ctx.attempt == 1:
                raise ValueError("no")
            return ctx.attempt

        return await s()

    handle = await engine.bind("W", workflow).create()
    await engine.advance("20 minutes")
    crash(engine, handle)
    await engine.run_until_idle()

    assert (await handle.status())["output"] == 2
    assert engine.clock.now == START + datetime.timedelta(hours=1)


async def test_a_wait_goes_on_with_what_is_left_of_its_timeout(engine):
    async def workflow(event, step):
        try:
            await step.wait_for_event("w", "t", timeout="1 hour")
        except Exception as error:
            return str(error)

    handle = await engine.bind("W", workflow).create()
    await engine.advance("20 minutes")
    crash(engine, handle)
    await engine.run_until_idle()

    assert (await handle.status())["output"] == "Error: WorkflowTimeoutError: Execution timed out after 3600000ms"
    assert engine.clock.now == START + datetime.timedelta(hours=1)


async def test_an_event_that_was_kept_survives(engine):
    async def workflow(event, step):
        await step.sleep("nap", "1 hour")
        return (await step.wait_for_event("w", "t")).payload

    handle = await engine.bind("W", workflow).create()
    await handle.send_event({"type": "t", "payload": 5})
    crash(engine, handle)
    await engine.run_until_idle()

    assert (await handle.status())["output"] == 5


async def test_a_remembered_failure_raises_again_without_running(engine):
    runs = []

    async def workflow(event, step):
        @step.do("bad", config={"retries": {"limit": 0, "delay": 0}})
        async def bad():
            runs.append(1)
            raise ValueError("no")

        caught = None
        try:
            await bad()
        except ValueError as error:
            caught = str(error)
        await step.sleep("nap", "1 hour")
        return caught

    handle = await engine.bind("W", workflow).create()
    await engine.advance("1 minute")
    crash(engine, handle)
    await engine.run_until_idle()

    assert runs == [1]
    assert (await handle.status())["output"] == "ValueError: no"


async def test_nothing_of_the_old_life_runs_again(engine):
    seen = []
    release = asyncio.Event()

    lives = []

    async def background(life):
        await release.wait()
        if life == 1:
            seen.append("a task of the old life")

    async def workflow(event, step):
        lives.append(1)
        tasks = [asyncio.create_task(background(len(lives)))]

        @step.do("s")
        async def s(ctx):
            if ctx.attempt == 1:
                try:
                    await release.wait()
                    seen.append("the lost attempt")
                finally:
                    seen.append("finally")
            return ctx.attempt

        result = await s()
        for task in tasks:
            task.cancel()
        return result

    handle = await engine.bind("W", workflow).create()
    await engine.advance(0)
    crash(engine, handle)
    release.set()
    for _ in range(10):
        await asyncio.sleep(0)
    await engine.run_until_idle()

    assert seen == []
    assert (await handle.status())["output"] == 2


async def test_killed_tasks_are_not_seen_by_asyncio_and_make_no_noise(engine):
    async def workflow(event, step):
        await asyncio.gather(step.sleep("a", "1 hour"), asyncio.sleep(5), asyncio.to_thread(lambda: None))

    before = asyncio.all_tasks()
    handle = await engine.bind("W", workflow).create()
    await engine.advance(0)
    await handle.terminate()

    assert asyncio.all_tasks() == before
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        engine.stopped_tasks.close()
        gc.collect()


async def test_the_loop_does_not_close_the_async_generators_of_a_killed_task():
    seen = []

    async def lines():
        try:
            yield await asyncio.get_running_loop().create_future()
        finally:
            seen.append("finally")

    async def pages():
        async for line in lines():
            yield line

    async def workflow(event, step):
        async for _ in pages():
            pass

    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda _, context: seen.append(context["message"]))
    async with Engine(now=START) as engine:
        handle = await engine.bind("W", workflow).create()
        await engine.settle()
        await handle.terminate()
        await loop.shutdown_asyncgens()

        assert seen == []


@pytest.mark.parametrize("where", ["run", "callback"])
@pytest.mark.parametrize("call", ["pause", "restart", "terminate", "delete"])
async def test_a_life_that_ends_itself_is_put_away_with_all_that_it_holds(engine, call, where):
    seen = []

    async def end_itself():
        try:
            await getattr(handle, call)()
        finally:
            seen.append("finally")

    async def workflow(event, step):
        seen.append("run")
        if len(seen) == 1:
            if where == "callback" and call != "pause":  # a pause lets the callback end
                await step.do("s")(end_itself)()
            else:
                await end_itself()

    before = asyncio.all_tasks()
    handle = await engine.bind("W", workflow).create()
    await engine.run_until_idle()
    if call == "pause":
        await handle.resume()
        await engine.run_until_idle()
    gc.collect()

    assert seen == ["run"] * (2 if call in ("pause", "restart") else 1)
    assert asyncio.all_tasks() == before


async def test_code_that_crashes_its_own_instance_has_no_say_afterwards(engine):
    seen = []

    async def workflow(event, step):
        seen.append("run")
        if len(seen) == 1:
            crash(engine, handle)
            return "from the grave"
        return "from the new life"

    handle = await engine.bind("W", workflow).create()
    await engine.run_until_idle()

    assert seen == ["run", "run"]
    assert (await handle.status())["output"] == "from the new life"


async def test_a_callback_that_crashes_its_own_instance_has_no_outcome(engine):
    async def workflow(event, step):
        @step.do("s")
        def s(ctx):
            if ctx.attempt == 1:
                crash(engine, handle)
            return ctx.attempt

        return await s()

    handle = await engine.bind("W", workflow).create()
    await engine.run_until_idle()

    assert (await handle.status())["output"] == 2
    assert kinds(engine)[3:] == [
        ("STEP_START", "s-1"),
        ("ATTEMPT_START", "s-1"),
        ("ATTEMPT_FAILURE", "s-1"),
        ("ATTEMPT_START", "s-1"),
        ("ATTEMPT_SUCCESS", "s-1"),
        ("STEP_SUCCESS", "s-1"),
        ("WORKFLOW_SUCCESS", None),
    ]


@pytest.mark.parametrize("turns", range(4))
async def test_a_failure_that_a_killed_life_has_not_heard_of_is_not_complained_of(engine, caplog, turns):
    async def workflow(event, step):
        await step.wait_for_event("w", "t", timeout="1 hour")

    handle = await engine.bind("W", workflow).create()
    await engine.advance("59 minutes")
    engine.clock.fire(engine.clock.next_timer())  # the failure is on its way to `run`
    crash(engine, handle)
    for _ in range(turns):  # and so it is in the next life, from storage
        await asyncio.sleep(0)
    crash(engine, handle)
    await engine.run_until_idle()
    gc.collect()

    assert caplog.messages == []
    assert (await handle.status())["status"] == "errored"


async def test_an_answer_from_storage_that_was_cancelled_disturbs_nobody(engine):
    async def workflow(event, step):
        task = asyncio.ensure_future(step.do("s")(lambda: 1)())
        await asyncio.sleep(0)
        if lives.pop():
            await step.sleep("nap", "1 hour")
        task.cancel()
        return "end"

    lives = [False, True]
    handle = await engine.bind("W", workflow).create()
    await engine.advance(0)
    crash(engine, handle)
    await engine.run_until_idle()

    assert (await handle.status())["output"] == "end"


async def test_code_that_crashes_its_own_instance_can_start_nothing_afterwards(engine):
    seen = []

    async def workflow(event, step):
        seen.append("run")
        if len(seen) == 1:
            crash(engine, handle)
            await step.sleep("nap", 0)
            seen.append("slept")
        elif len(seen) == 2:
            crash(engine, handle)
            await step.do("s")(lambda: seen.append("s"))()
        return "end"

    handle = await engine.bind("W", workflow).create()
    await engine.run_until_idle()

    assert seen == ["run", "run", "run"]
    assert (await handle.status())["output"] == "end"


async def test_killing_leaves_the_others_who_wait_for_the_same_alone(engine):
    shared = asyncio.get_running_loop().create_future()
    reported = []
    shared.add_done_callback(reported.append)

    async def workflow(event, step):
        async def s():
            return await shared

        return await step.do("s")(s)()

    binding = engine.bind("W", workflow)
    for name in ("x", "y"):
        await binding.create({"id": name})
    await engine.advance(0)
    await (await binding.get("x")).terminate()
    shared.set_result("came")
    await engine.run_until_idle()

    assert [instance.status for instance in engine.instances] == ["terminated", "complete"]
    assert reported == [shared]


async def test_a_step_that_a_killed_life_never_awaited_is_not_reported(engine):
    async def workflow(event, step):
        forgotten = step.do("s")(lambda: 1)()
        await step.sleep("nap", "1 hour")
        del forgotten

    handle = await engine.bind("W", workflow).create()
    await engine.advance(0)
    await handle.terminate()
    engine.stopped_tasks.close()
    gc.collect()

    assert engine.findings.take() == []


async def test_a_step_whose_dependency_came_after_the_end_does_not_start(engine):
    ran = []

    async def workflow(event, step):
        first = step.do("first")(lambda: ran.append("first"))

        @step.do("second")
        async def second(first):
            ran.append("second")

        if len(lives) == 2:  # what storage answers is not there in the same turn
            asyncio.ensure_future(second())  # noqa: RUF006 (it is left behind on purpose)
            await asyncio.sleep(0)
            return
        await first()
        await step.sleep("nap", "1 hour")

    lives = [1]
    handle = await engine.bind("W", workflow).create()
    await engine.advance(0)
    lives.append(2)
    crash(engine, handle)
    await engine.run_until_idle()

    assert ran == ["first"]
    assert (await handle.status())["status"] == "complete"


async def test_an_instance_that_terminates_itself_goes_no_further(engine):
    seen = []

    async def workflow(event, step):
        @step.do("s")
        async def s():
            await (await binding.get("me")).terminate()
            seen.append("went on")

        await s()

    binding = engine.bind("W", workflow)
    handle = await binding.create({"id": "me"})
    with contextlib.suppress(Exception):
        await engine.run_until_idle()

    assert seen == []
    assert (await handle.status())["status"] == "terminated"
