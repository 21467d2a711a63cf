"""What comes too late: after `run` has returned, after an attempt has timed out, after a test's own failure."""

import asyncio
import datetime
import warnings

import pytest

from durable_engine import (
    WATCHDOG,
    Engine,
    EngineClosedError,
    Modification,
    Selector,
    WorkflowDurationWarning,
    changes,
)

START = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)


class Refused(Exception):
    """Stands for what is meant for the test, as pytest's own outcomes are."""


@pytest.fixture
async def engine():
    async with Engine(now=START, timeout=2, passthrough=(Refused,)) as engine:
        yield engine


def kinds(engine):
    return [line.kind for line in engine.store.history(engine.instances[0].row.key)]


# -- after run has returned -------------------------------------------------------------------------------------------


async def test_a_sleep_that_nobody_awaited_does_not_end_after_run(engine):
    async def workflow(event, step):
        step.sleep("nap", 0)

    await engine.bind("W", workflow).create()
    await engine.run_until_idle()

    assert kinds(engine) == ["WORKFLOW_QUEUED", "WORKFLOW_START", "WORKFLOW_RUNNING", "SLEEP_START", "WORKFLOW_SUCCESS"]


async def test_a_wait_that_nobody_awaited_does_not_time_out_after_run(engine):
    async def workflow(event, step):
        asyncio.ensure_future(step.wait_for_event("w", "t"))  # noqa: RUF006 (it is left behind on purpose)
        await asyncio.sleep(0)

    binding = engine.bind("W", workflow)
    timeout = Modification(changes.ForceEventTimeout(Selector("w")), "force_event_timeout('w')")
    engine.modify(binding.workflow, "x", [timeout])
    await binding.create({"id": "x"})
    await engine.run_until_idle()

    assert kinds(engine) == ["WORKFLOW_QUEUED", "WORKFLOW_START", "WORKFLOW_RUNNING", "WAIT_START", "WORKFLOW_SUCCESS"]


async def test_an_attempt_that_nobody_awaited_has_no_outcome_after_run(engine):
    async def workflow(event, step):
        asyncio.ensure_future(step.do("s")(lambda: 1)())  # noqa: RUF006 (it is left behind on purpose)
        await asyncio.sleep(0)

    binding = engine.bind("W", workflow)
    timeout = Modification(changes.ForceStepTimeout(Selector("s")), "force_step_timeout('s')")
    engine.modify(binding.workflow, "x", [timeout])
    await binding.create({"id": "x"})
    await engine.run_until_idle()

    assert kinds(engine) == [
        "WORKFLOW_QUEUED",
        "WORKFLOW_START",
        "WORKFLOW_RUNNING",
        "STEP_START",
        "ATTEMPT_START",
        "WORKFLOW_SUCCESS",
    ]


# -- after an attempt has timed out -----------------------------------------------------------------------------------


async def test_a_callback_that_timed_out_goes_on_beside_the_next_attempt_and_does_not_disturb_it(engine):
    held, log = asyncio.Event(), []

    async def workflow(event, step):
        @step.do("slow", config={"timeout": "1 minute", "retries": {"limit": 1, "delay": 0}})
        async def slow(ctx):
            if ctx.attempt == 1:
                await held.wait()
            await step.sleep("inside", "30 seconds")
            log.append((ctx.attempt, (engine.clock.now - START).total_seconds()))
            return ctx.attempt

        return await slow()

    handle = await engine.bind("W", workflow).create()
    await engine.advance("70 seconds")  # the second attempt began at 60 and is in its sleep
    held.set()
    await engine.run_until_idle()

    assert log == [(2, 90)]
    assert (await handle.status())["output"] == 2


async def test_a_delay_that_comes_after_its_function_was_given_up_is_ignored(engine):
    held = asyncio.Event()

    async def delay(argument):
        await held.wait()
        return 5

    async def workflow(event, step):
        @step.do("s", config={"retries": {"limit": 1, "delay": delay}})
        async def s():
            raise RuntimeError("boom")

        try:
            await s()
        except Exception as error:
            await step.sleep("nap", "1 hour")
            return str(error)

    handle = await engine.bind("W", workflow).create()
    await engine.advance("31 seconds")
    held.set()
    await engine.run_until_idle()

    output = (await handle.status())["output"]
    assert output == 'Error: NonRetryableDelayError: The delay function for step "s-1" did not return within 5 seconds'
    assert kinds(engine).count("ATTEMPT_START") == 1


@pytest.mark.parametrize("by_code", [True, False], ids=["code", "tool"])
async def test_an_event_after_the_end_changes_nothing_and_is_reported_where_code_sends_it(engine, by_code):
    async def workflow(event, step):
        return "done"

    handle = await engine.bind("W", workflow).create()
    await engine.run_until_idle()
    before = kinds(engine)
    if by_code:
        await handle.send_event({"type": "late"})
    else:  # a recorded event, for instance: there is no source that sends it
        engine.send_event(engine.bindings["W"].workflow, handle.id, "late", b"")
    await engine.run_until_idle()

    assert kinds(engine) == before
    assert [finding.rule for finding in engine.take_findings()] == ["engine-hazard"] * by_code


async def test_an_event_goes_to_a_wait_whose_task_was_cancelled_and_that_is_one_finding(engine):
    async def workflow(event, step):
        wait = asyncio.create_task(step.wait_for_event("w", "t"))
        await step.sleep("nap", "1 minute")
        wait.cancel()
        await step.sleep("more", "1 hour")

    handle = await engine.bind("W", workflow).create()
    await engine.advance("2 minutes")
    await handle.send_event({"type": "t"})
    await engine.run_until_idle()

    assert "WAIT_COMPLETE" in kinds(engine)
    assert [finding.rule for finding in engine.take_findings()] == ["abandoned-wait"]


# -- after something was raised for the test --------------------------------------------------------------------------


async def test_what_is_meant_for_the_test_is_raised_by_one_wait_and_by_those_for_its_instance(engine):
    async def fails(event, step):
        if event["instanceId"] == "bad":
            raise Refused("the first")

    binding = engine.bind("W", fails)
    await binding.create({"id": "bad"})
    await binding.create({"id": "good"})
    await engine.advance(0)

    with pytest.raises(Refused, match="the first"):
        await engine.wait(lambda: True, lambda: "anything", about=("W", "good"))
    await engine.wait(lambda: True, lambda: "anything", about=("W", "good"))
    await engine.run_until_idle()
    for _ in range(2):
        with pytest.raises(Refused, match="the first"):
            await engine.wait(lambda: True, lambda: "anything", about=("W", "bad"))
    engine.raise_aborted()  # the test has got it


async def test_what_is_meant_for_the_test_and_ends_in_a_task_that_nobody_asks_is_raised_in_the_end(engine):
    async def fails(event, step):
        raise Refused("lost")

    await engine.bind("W", fails).create()
    task = asyncio.create_task(engine.run_until_idle())
    await asyncio.wait([task])

    with pytest.raises(Refused, match="lost"):
        engine.raise_aborted()

    task.exception()
    engine.raise_aborted()


async def test_the_first_of_several_is_what_the_test_gets(engine):
    async def fails(event, step):
        raise Refused(event["instanceId"])

    binding = engine.bind("W", fails)
    await binding.create({"id": "first"})
    await binding.create({"id": "second"})
    await engine.advance(0)

    with pytest.raises(Refused, match="first"):
        await engine.run_until_idle()


async def test_what_a_delay_function_raises_for_the_test_reaches_it(engine):
    def delay(argument):
        raise Refused("in the delay")

    async def workflow(event, step):
        @step.do("s", config={"retries": {"limit": 1, "delay": delay}})
        async def s():
            raise RuntimeError("boom")

        await s()

    await engine.bind("W", workflow).create()

    with pytest.raises(Refused, match="in the delay"):
        await engine.run_until_idle()


async def test_a_misread_duration_with_warnings_as_errors_is_kept_for_the_end_of_the_test(engine):
    async def workflow(event, step):
        await step.sleep("nap", "1 sec")
        return "went on"

    handle = await engine.bind("W", workflow).create()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        await engine.run_until_idle()

    assert (await handle.status())["output"] == "went on"
    assert [type(warning) for warning in engine.step_findings.refused] == [WorkflowDurationWarning]


async def test_a_step_forgotten_in_a_loop_is_one_finding(engine):
    async def workflow(event, step):
        for _ in range(3):
            step.do("s")(lambda: 1)()

    await engine.bind("W", workflow).create()
    await engine.run_until_idle()

    assert [finding.rule for finding in engine.findings.take()] == ["missing-await"]


async def test_the_store_is_closed_whatever_else_fails_to_close(monkeypatch):
    def fail(guard):
        raise ValueError("a wakeup descriptor that cannot be put back")

    engine = Engine()
    await engine.bind("W", lambda event, step: None).create()
    waiting = asyncio.ensure_future(engine.wait(lambda: False, lambda: "it", about=("W", "x")))
    await asyncio.sleep(0)
    with monkeypatch.context() as patched:
        patched.setattr(WATCHDOG, "unwatch", fail)
        with pytest.raises(ValueError, match="cannot be put back"):
            engine.close()

    with pytest.raises(EngineClosedError):
        engine.store.all_instances()
    with pytest.raises(EngineClosedError):
        await waiting
    WATCHDOG.unwatch(engine._loop.guard)
