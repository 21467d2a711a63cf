"""Introspection: mocks, waits, history, as the platform's TypeScript test API was seen to do it."""

import asyncio
import contextlib
import json

import pytest
from pyodide.ffi import JsException
from rules import rule
from workers.workflows import NonRetryableError

from pytest_workflows import (
    InstanceEndedError,
    ModificationError,
    NeverHappensError,
    NotAvailableError,
    StepFailedError,
    UnreachableStatusError,
    UnusedModificationError,
    introspect_workflow,
    introspect_workflow_instance,
)

pytestmark = pytest.mark.workflow(now="2026-01-01T00:00:00Z")

SECTION = "Introspection"
TIMED_OUT = "WorkflowTimeoutError: Execution timed out after {}ms"


def one_step(calls=None, **config):
    """A workflow of one step, which tells its attempt."""

    async def run(event, step):
        @step.do("s", config=config)
        async def real(ctx):
            if calls is not None:
                calls.append(ctx.attempt)
            return f"attempt {ctx.attempt}"

        return await real()

    return run


async def twice(event, step):
    return [await step.do("dup")(lambda: "first")(), await step.do("dup")(lambda: "second")()]


# -- results ---------------------------------------------------------------------------------------


@rule(SECTION, "A mocked result bypasses the callback, and history is written as for a real run")
async def test_a_mocked_result_bypasses_the_callback(lab):
    calls = []
    started = await lab.start(one_step(calls), modify=lambda m: m.mock_step_result("s", "MOCK"))

    assert await started.output() == "MOCK"
    assert calls == []
    assert started.log() == [
        "WORKFLOW_QUEUED",
        "WORKFLOW_START",
        "WORKFLOW_RUNNING",
        "STEP_START s-1",
        'ATTEMPT_START s-1 {"attempt":1}',
        'ATTEMPT_SUCCESS s-1 {"attempt":1}',
        'STEP_SUCCESS s-1 {"result":"MOCK"}',
        'WORKFLOW_SUCCESS {"result":"MOCK"}',
    ]
    assert started.step("s").mocked


@rule(SECTION, "A selector means the first occurrence, or the one of its index")
@pytest.mark.parametrize(
    ("mocks", "output"),
    [
        ({"dup": "MOCK"}, ["MOCK", "second"]),
        ({("dup", 1): "MOCK"}, ["MOCK", "second"]),
        ({("dup", 2): "MOCK"}, ["first", "MOCK"]),
        ({"dup": "M1", ("dup", 2): "M2"}, ["M1", "M2"]),
    ],
    ids=str,
)
async def test_an_index_selects_the_occurrence(lab, mocks, output):
    def modify(m):
        for selector, result in mocks.items():
            m.mock_step_result(selector, result)

    started = await lab.start(twice, modify=modify)

    assert await started.output() == output
    assert started.log() == [
        "WORKFLOW_QUEUED",
        "WORKFLOW_START",
        "WORKFLOW_RUNNING",
        "STEP_START dup-1",
        'ATTEMPT_START dup-1 {"attempt":1}',
        'ATTEMPT_SUCCESS dup-1 {"attempt":1}',
        f'STEP_SUCCESS dup-1 {{"result":"{output[0]}"}}',
        "STEP_START dup-2",
        'ATTEMPT_START dup-2 {"attempt":1}',
        'ATTEMPT_SUCCESS dup-2 {"attempt":1}',
        f'STEP_SUCCESS dup-2 {{"result":"{output[1]}"}}',
        f"WORKFLOW_SUCCESS {json.dumps({'result': output}, separators=(',', ':'))}",
    ]


@rule(
    SECTION,
    "Falsy mocked results are results like others",
    same=False,
    why="the platform ignores None, 0, False and '' and runs the real step",
)
@pytest.mark.parametrize("result", [None, 0, False, "", [], {}], ids=repr)
async def test_falsy_results_are_mocked_as_others(lab, result):
    calls = []
    started = await lab.start(one_step(calls), modify=lambda m: m.mock_step_result("s", result))

    assert await started.output() == result
    assert calls == []


@rule(SECTION, "do, sleep and wait_for_event of one name are counted separately")
async def test_each_kind_of_step_has_its_own_count(lab):
    async def run(event, step):
        a = await step.do("x")(lambda ctx: ctx.step.count)()
        await step.sleep("x", 10)
        e = await step.wait_for_event("x", "t")
        b = await step.do("x")(lambda ctx: ctx.step.count)()
        return [a, e["payload"], b]

    started = await lab.start(run, modify=lambda m: m.mock_event("t", "P"))

    assert await started.output() == [1, "P", 2]
    assert await started.instance.wait_for_step_result("x") == 1
    assert await started.instance.wait_for_step_result(("x", 2)) == 2
    assert started.log() == [
        "WORKFLOW_QUEUED",
        "WORKFLOW_START",
        "WORKFLOW_RUNNING",
        "STEP_START x-1",
        'ATTEMPT_START x-1 {"attempt":1}',
        'ATTEMPT_SUCCESS x-1 {"attempt":1}',
        'STEP_SUCCESS x-1 {"result":1}',
        'SLEEP_START x-1 {"durationMs":10}',
        "SLEEP_COMPLETE x-1",
        'WAIT_START x-1 {"event":"t"}',
        'WAIT_COMPLETE x-1 {"payload":"P"}',
        "STEP_START x-2",
        'ATTEMPT_START x-2 {"attempt":1}',
        'ATTEMPT_SUCCESS x-2 {"attempt":1}',
        'STEP_SUCCESS x-2 {"result":2}',
        'WORKFLOW_SUCCESS {"result":[1,"P",2]}',
    ]


@rule(SECTION, "Mocking a step's result twice is an error")
async def test_mocking_a_result_twice_is_an_error(lab):
    started = await lab.start(one_step(), modify=lambda m: m.mock_step_result("s", "M1"))

    with pytest.raises(ModificationError, match="Trying to mock step 's' multiple times!"):
        await started.instance.modify(lambda m: m.mock_step_result("s", "M2"))
    assert await started.output() == "M1"


@rule(SECTION, "Mocking an error after the result is an error")
@pytest.mark.parametrize("call", ["error", "timeout"])
async def test_mocking_an_error_after_the_result_is_an_error(lab, call):
    started = await lab.start(one_step(), modify=lambda m: m.mock_step_result("s", "M1"))

    with pytest.raises(ModificationError, match="Trying to mock error on step 's' after mocking its result!"):
        await started.instance.modify(
            lambda m: m.mock_step_error("s", ValueError()) if call == "error" else m.force_step_timeout("s")
        )
    assert await started.output() == "M1"


@rule(SECTION, "A modification made after create holds from then on")
@pytest.mark.workflow(clock="manual")
async def test_a_modification_after_create_holds_from_then_on(lab):
    async def run(event, step):
        await step.sleep("nap", 10)
        return await step.do("s")(lambda: "real")()

    started = await lab.start(run)
    await lab.settle()
    await started.instance.modify(lambda m: m.mock_step_result("s", "MOCK"))
    await lab.clock.advance(10)

    assert await started.output() == "MOCK"


@rule(
    SECTION,
    "A mock for a step that never runs fails the test",
    same=False,
    why="the platform is silent, so that a renamed step is tested no more",
)
async def test_a_mock_for_a_step_that_does_not_exist_is_an_error(lab, bodies):
    bodies["WORKFLOW"] = one_step()

    with pytest.raises(UnusedModificationError, match=r"mock_step_result\('z'\)"):  # noqa: PT012
        async with introspect_workflow_instance(lab.binding, "y") as instance:
            async with instance.modify() as m:
                m.mock_step_result("z", 1)
            await lab.binding.create({"id": "y"})
            await instance.wait_for_status("complete")


# -- errors and timeouts ---------------------------------------------------------------------------


@rule(SECTION, "A mocked error holds for its number of attempts, then the real callback runs")
async def test_a_mocked_error_for_two_attempts(lab):
    calls = []

    def modify(m):
        m.disable_retry_delays()
        m.mock_step_error("s", RuntimeError("mocked"), times=2)

    started = await lab.start(one_step(calls), modify=modify)

    assert await started.output() == "attempt 3"
    assert calls == [3]
    assert lab.elapsed == 0
    assert started.log()[3:] == [
        "STEP_START s-1",
        'ATTEMPT_START s-1 {"attempt":1}',
        'ATTEMPT_FAILURE s-1 {"attempt":1,"retryDelayMs":1000}',
        'ATTEMPT_START s-1 {"attempt":2}',
        'ATTEMPT_FAILURE s-1 {"attempt":2,"retryDelayMs":2000}',
        'ATTEMPT_START s-1 {"attempt":3}',
        'ATTEMPT_SUCCESS s-1 {"attempt":3}',
        'STEP_SUCCESS s-1 {"result":"attempt 3"}',
        'WORKFLOW_SUCCESS {"result":"attempt 3"}',
    ]


@rule(SECTION, "Errors and timeouts queue up in the order given, before the result")
@pytest.mark.parametrize("order", ["EET", "ETE", "TE"])
@pytest.mark.parametrize("result", [True, False])
async def test_errors_and_timeouts_share_one_queue(lab, order, result):
    def modify(m):
        m.disable_retry_delays()
        for kind in order:
            if kind == "E":
                m.mock_step_error("s", RuntimeError("E"), times=1)
            else:
                m.force_step_timeout("s", times=1)
        if result:
            m.mock_step_result("s", "MOCK")

    started = await lab.start(one_step(), modify=modify)

    assert await started.output() == ("MOCK" if result else f"attempt {len(order) + 1}")
    names = [event.detail["error"]["name"] for event in started.kinds("ATTEMPT_FAILURE")]
    assert names == [{"E": "Error", "T": "WorkflowTimeoutError"}[kind] for kind in order]


@rule(SECTION, "An error without times wins over a result mocked later")
@pytest.mark.workflow(unused_mocks="ignore")  # the result is never needed
async def test_an_error_without_times_wins_over_a_later_result(lab, bodies):
    bodies["WORKFLOW"] = one_step(retries={"limit": 1, "delay": 0})
    instance = await introspect_workflow_instance(lab.binding, "y")
    async with instance.modify() as m:
        m.mock_step_error("s", RuntimeError("E"))
        m.mock_step_result("s", "never")
    await lab.binding.create({"id": "y"})
    await lab.engine.run_until_idle()

    assert str(instance.exception) == "E"


@rule(SECTION, "A mocked error reaches run as if the callback had raised it")
@pytest.mark.parametrize(
    ("error", "kind", "text", "attempts"),
    [
        (ValueError("m"), ValueError, "ValueError: m", 2),
        (TypeError("m"), TypeError, "TypeError: m", 2),
        (NonRetryableError("m"), NonRetryableError, "m", 1),
        (KeyError("k"), JsException, None, 2),
    ],
    ids=["ValueError", "TypeError", "NonRetryableError", "KeyError"],
)
async def test_a_mocked_error_reaches_run_as_a_real_one(lab, error, kind, text, attempts):
    caught = []

    async def run(event, step):
        try:
            await one_step(retries={"limit": 1, "delay": 0})(event, step)
        except Exception as raised:
            caught.append(raised)

    started = await lab.start(run, modify=lambda m: m.mock_step_error("s", error))
    await started.end()

    assert type(caught[0]) is kind
    assert text is None or str(caught[0]) == text
    assert len(started.step("s").attempts) == attempts


@rule(
    SECTION,
    "A forced timeout of a step acts at once, takes no virtual time, and says the step's own timeout",
    same=False,
    why="the platform says 0ms, which no real timeout says",
)
async def test_a_forced_step_timeout_says_the_steps_timeout(lab):
    def modify(m):
        m.disable_retry_delays()
        m.force_step_timeout("s", times=1)

    started = await lab.start(one_step(timeout="30 seconds"), modify=modify)

    assert await started.output() == "attempt 2"
    assert lab.elapsed == 0
    failure = started.kinds("ATTEMPT_FAILURE")[0].detail
    assert failure["error"] == {"name": "WorkflowTimeoutError", "message": "Execution timed out after 30000ms"}
    assert failure["retryDelayMs"] == 1000


@rule(SECTION, "A step that times out for good raises the timeout in run")
async def test_a_forced_step_timeout_for_good_raises_in_run(lab):
    started = await lab.start(
        one_step(timeout=60, retries={"limit": 1, "delay": 0}), modify=lambda m: m.force_step_timeout("s")
    )
    await started.end()

    assert started.instance.exception is not None
    assert TIMED_OUT.format(60) in (await started.instance.get_error())["message"]


# -- events ----------------------------------------------------------------------------------------


@rule(SECTION, "A forced timeout of a wait acts at once, takes no time, and no event")
async def test_a_forced_wait_timeout_takes_no_event(lab):
    async def run(event, step):
        try:
            await step.wait_for_event("w1", "t")
        except JsException as error:
            return [error.message, (await step.wait_for_event("w2", "t"))["payload"]]

    def modify(m):
        m.force_event_timeout("w1")
        m.mock_event("t", "P")

    started = await lab.start(run, modify=modify)

    assert await started.output() == [TIMED_OUT.format(86_400_000), "P"]
    assert lab.elapsed == 0
    assert started.log()[3:7] == [
        'WAIT_START w1-1 {"event":"t"}',
        "WAIT_TIMED_OUT w1-1",
        'WAIT_START w2-1 {"event":"t"}',
        'WAIT_COMPLETE w2-1 {"payload":"P"}',
    ]


@rule(SECTION, "A forced timeout selects its wait by occurrence, and says the wait's own timeout")
async def test_a_forced_wait_timeout_of_the_second_occurrence(lab):
    async def run(event, step):
        out = []
        for _ in range(2):
            try:
                out.append((await step.wait_for_event("w", "t", timeout="1 hour"))["payload"])
            except JsException as error:
                out.append(error.message)
        return out

    def modify(m):
        m.mock_event("t", 1)
        m.force_event_timeout(("w", 2))

    started = await lab.start(run, modify=modify)

    assert await started.output() == [1, TIMED_OUT.format(3_600_000)]
    detail = started.kinds("WAIT_TIMED_OUT")[0].detail
    assert detail == {"name": "WorkflowTimeoutError", "message": "Execution timed out after 3600000ms"}


@rule(
    SECTION,
    "A mocked event is delivered once",
    same=False,
    why="mocked before create, the platform delivers it twice",
)
@pytest.mark.parametrize("before", [True, False])
async def test_a_mocked_event_is_delivered_once(lab, before):
    async def run(event, step):
        out = [(await step.wait_for_event("w1", "t"))["payload"]]
        try:
            await step.wait_for_event("w2", "t", timeout=100)
        except JsException as error:
            out.append(error.message)
        return out

    def modify(m):
        m.mock_event("t", "P")

    started = await lab.start(run, modify=modify if before else None)
    if not before:
        await started.instance.wait_for_status("waiting")
        await started.instance.modify(modify)

    assert await started.output() == ["P", TIMED_OUT.format(100)]


@rule(SECTION, "Several mocked events of a type are delivered in order; those of another type are not")
async def test_mocked_events_are_delivered_in_order(lab):
    async def run(event, step):
        return [(await step.wait_for_event("w", type))["payload"] for type in ("t", "t", "u")]

    def modify(m):
        m.mock_event("u", "other")
        m.mock_event("t", "first")
        m.mock_event("t", "second")

    assert await (await lab.start(run, modify=modify)).output() == ["first", "second", "other"]


# -- sleeps and delays -----------------------------------------------------------------------------


@rule(SECTION, "disable_sleeps counts by name, and history keeps the full duration")
@pytest.mark.parametrize(
    ("steps", "elapsed"),
    [(None, 0), ("nap", 300), (("nap", 2), 300), (["nap", ("nap", 2)], 0)],
    ids=str,
)
async def test_disable_sleeps_counts_by_name(lab, steps, elapsed):
    async def run(event, step):
        for _ in range(2):
            await step.sleep("nap", 300)

    started = await lab.start(run, modify=lambda m: m.disable_sleeps(steps))
    await started.end()

    assert lab.elapsed == elapsed
    assert started.log() == [
        "WORKFLOW_QUEUED",
        "WORKFLOW_START",
        "WORKFLOW_RUNNING",
        'SLEEP_START nap-1 {"durationMs":300}',
        "SLEEP_COMPLETE nap-1",
        'SLEEP_START nap-2 {"durationMs":300}',
        "SLEEP_COMPLETE nap-2",
        "WORKFLOW_SUCCESS",
    ]


@rule(SECTION, "disable_sleeps holds for sleep_until, not for timeouts of waits and not for retry delays")
@pytest.mark.workflow(ignore_rules=["engine-hazard"])
async def test_disable_sleeps_leaves_timeouts_and_delays_alone(lab):
    async def run(event, step):
        await step.sleep_until("nap", 1_767_225_600_000 + 5000)
        with contextlib.suppress(JsException):
            await step.wait_for_event("w", "t", timeout=70)

        @step.do("s", config={"retries": {"limit": 1, "delay": 30}})
        async def flaky(ctx):
            if ctx.attempt == 1:
                raise RuntimeError

        await flaky()

    started = await lab.start(run, modify=lambda m: m.disable_sleeps())

    assert (await started.end())["status"] == "complete"
    assert lab.elapsed == 100


@rule(SECTION, "disable_retry_delays may select its step")
async def test_disable_retry_delays_for_one_step(lab):
    async def run(event, step):
        for name in ("a", "b"):
            with contextlib.suppress(JsException):
                await step.do(name, config={"retries": {"limit": 1, "delay": 100}})(_raise)()

    started = await lab.start(run, modify=lambda m: m.disable_retry_delays("a"))
    await started.end()

    assert lab.elapsed == 100
    assert [event.detail.get("retryDelayMs") for event in started.kinds("ATTEMPT_FAILURE")] == [100, None, 100, None]


def _raise():
    raise RuntimeError("x")


# -- restart ---------------------------------------------------------------------------------------


@rule(SECTION, "Mocks survive restart, and so do mocked events; errors are counted anew")
async def test_mocks_survive_restart(lab):
    async def run(event, step):
        a = await step.do("a")(lambda: "real")()
        e = await step.wait_for_event("w", "t", timeout=500)
        b = await step.do("b", config={"retries": {"limit": 2, "delay": 1}})(lambda ctx: f"attempt {ctx.attempt}")()
        return [a, e["payload"], b]

    def modify(m):
        m.mock_step_result("a", "MOCK")
        m.mock_event("t", "EV")
        m.mock_step_error("b", RuntimeError("x"), times=1)

    started = await lab.start(run, modify=modify)
    first = await started.output()
    await started.handle.restart()

    assert first == await started.output() == ["MOCK", "EV", "attempt 2"]
    life = [
        "WORKFLOW_QUEUED",
        "WORKFLOW_START",
        "WORKFLOW_RUNNING",
        "STEP_START a-1",
        'ATTEMPT_START a-1 {"attempt":1}',
        'ATTEMPT_SUCCESS a-1 {"attempt":1}',
        'STEP_SUCCESS a-1 {"result":"MOCK"}',
        'WAIT_START w-1 {"event":"t"}',
        'WAIT_COMPLETE w-1 {"payload":"EV"}',
        "STEP_START b-1",
        'ATTEMPT_START b-1 {"attempt":1}',
        'ATTEMPT_FAILURE b-1 {"attempt":1,"retryDelayMs":1}',
        'ATTEMPT_START b-1 {"attempt":2}',
        'ATTEMPT_SUCCESS b-1 {"attempt":2}',
        'STEP_SUCCESS b-1 {"result":"attempt 2"}',
        'WORKFLOW_SUCCESS {"result":["MOCK","EV","attempt 2"]}',
    ]
    assert started.log() == life


async def test_an_event_that_a_kept_wait_took_is_not_mocked_again_by_a_restart_from_later_on(lab):
    async def run(event, step):
        first = await step.wait_for_event("first", "t", timeout=500)
        await step.do("s")(lambda: 1)()
        second = await step.wait_for_event("second", "t", timeout=500)
        return [first["payload"], second["payload"]]

    def modify(m):
        m.mock_event("t", "for the first")
        m.mock_event("t", "for the second")

    started = await lab.start(run, modify=modify)
    assert await started.output() == ["for the first", "for the second"]

    for point in ({"name": "s"}, {"name": "first", "type": "waitForEvent"}):
        await started.handle.restart({"from": point})
        assert await started.output() == ["for the first", "for the second"]


async def test_a_failure_that_a_crash_made_forgotten_is_not_told_to_who_waits_for_the_step(lab):
    calls = []

    async def run(event, step):
        def once():
            calls.append(1)
            if len(calls) == 1:
                raise NonRetryableError("no")
            return "second"

        try:
            result = await step.do("s")(once)()
        except NonRetryableError:
            result = "caught"
        await step.sleep("nap", "1 hour")
        return result

    started = await lab.start(run)
    with pytest.raises(StepFailedError):
        await started.instance.wait_for_step_result("s")
    await started.instance.crash()

    assert await started.instance.wait_for_step_result("s") == "second"
    assert await started.output() == "second"


async def test_what_is_modified_after_an_instance_expired_is_for_the_next_one(lab):
    started = await lab.start(one_step(), retention={"successRetention": "1 day"})
    assert await started.output() == "attempt 1"
    await lab.clock.advance("2 days")

    async with started.instance.modify() as m:
        m.mock_step_result("s", "mocked")
    await lab.binding.create({"id": "x"})

    assert await started.output() == "mocked"


@rule(SECTION, "restart, terminate and delete reject whoever waits for a step of the run that ended, and say so")
@pytest.mark.workflow(clock="manual")
@pytest.mark.parametrize("call", ["restart", "terminate", "delete"])
async def test_the_end_of_a_life_rejects_who_waits_for_its_steps(lab, gate, call):
    held = gate()

    async def run(event, step):
        await step.do("s")(held)()

    started = await lab.start(run)
    await held.reached.wait()
    waiter = asyncio.create_task(started.instance.wait_for_step_result("s"))
    await asyncio.sleep(0)
    await getattr(started.handle, call)()

    with pytest.raises(InstanceEndedError, match=rf"{call}\(\) was called"):
        await waiter


@rule(
    SECTION,
    "Who waits for a status goes on waiting through a restart",
    same=False,
    why="there restart rejects it with 'Aborting engine: User called restart', and the status still comes",
)
@pytest.mark.workflow(clock="manual")
async def test_a_wait_for_a_status_survives_restart(lab, gate):
    held = gate()

    async def run(event, step):
        await step.do("s")(held)()

    started = await lab.start(run)
    await held.reached.wait()
    waiter = asyncio.create_task(started.instance.wait_for_status("complete"))
    await asyncio.sleep(0)
    await started.handle.restart()
    held.open()

    await waiter


# -- waiting ---------------------------------------------------------------------------------------


async def start_of(lab, final):
    async def run(event, step):
        if final == "errored":
            raise ValueError("boom")
        if final == "terminated":
            await step.sleep("nap", "1 hour")
        return 1

    started = await lab.start(run)
    if final == "terminated":
        await started.handle.terminate()
    return started


@rule(SECTION, "Waiting for a status that can no longer come fails at once")
@pytest.mark.parametrize("late", [True, False])
@pytest.mark.parametrize(
    ("final", "wanted"),
    [
        ("complete", "errored"),
        ("complete", "terminated"),
        ("complete", "waiting"),
        ("complete", "paused"),
        ("errored", "complete"),
        ("terminated", "complete"),
    ],
)
async def test_a_status_that_cannot_come_any_more_fails_the_wait(lab, final, wanted, late):
    started = await start_of(lab, final)
    if late:
        await started.end()

    with pytest.raises(UnreachableStatusError) as caught:
        await started.instance.wait_for_status(wanted)

    assert str(caught.value).startswith(
        f"The Workflow instance x has reached status '{final}'. This is a finite status that prevents it from ever "
        f"reaching the expected status of '{wanted}'."
    )


@rule(SECTION, "A status that was reached is awaited at once; one may be awaited before create")
async def test_a_status_may_be_awaited_before_create(lab, bodies):
    bodies["WORKFLOW"] = one_step()
    instance = await introspect_workflow_instance(lab.binding, "y")
    waiter = asyncio.create_task(instance.wait_for_status("complete"))
    await asyncio.sleep(0)
    await lab.binding.create({"id": "y"})

    await waiter
    await instance.wait_for_status("complete")


@rule(
    SECTION,
    "Any number of waiters may wait for one step or status",
    same=False,
    why="there the first of two never settles",
)
async def test_any_number_of_waiters_are_served(lab):
    started = await lab.start(one_step())
    waits = [started.instance.wait_for_step_result("s") for _ in range(3)]
    waits += [started.instance.wait_for_status("complete") for _ in range(3)]

    assert await asyncio.gather(*waits) == ["attempt 1"] * 3 + [None] * 3


@rule(SECTION, "A step's result may be awaited before and after it came; one that failed raises its error")
@pytest.mark.parametrize("late", [True, False])
async def test_waiting_for_a_step_that_failed_raises(lab, late):
    async def run(event, step):
        await step.do("s", config={"retries": {"limit": 1, "delay": 0}})(_raise)()

    started = await lab.start(run)
    if late:
        await started.end()

    with pytest.raises(StepFailedError) as caught:
        await started.instance.wait_for_step_result("s")
    assert caught.value.name == "Error"
    assert caught.value.message.endswith("RuntimeError: x\n")


@rule(SECTION, "A step that fails once and then succeeds gives its result to who waits")
async def test_a_retried_step_gives_its_result(lab):
    started = await lab.start(one_step(), modify=lambda m: m.mock_step_error("s", RuntimeError(), times=1))

    assert await started.instance.wait_for_step_result("s") == "attempt 2"


@rule(
    SECTION,
    "Waiting for a step that the instance never ran, or for a sleep, fails at once",
    same=False,
    why="there it hangs",
)
@pytest.mark.parametrize("name", ["nothing", "nap"])
async def test_waiting_for_a_step_that_cannot_come_fails(lab, name):
    async def run(event, step):
        await step.sleep("nap", 10)

    started = await lab.start(run)

    with pytest.raises(NeverHappensError):
        await started.instance.wait_for_step_result(name)


@rule(SECTION, "get_output before the end, and get_error without one, say the status")
@pytest.mark.workflow(clock="manual")
async def test_output_and_error_in_the_wrong_status(lab, gate):
    held = gate()

    async def run(event, step):
        await step.do("s")(held)()

    started = await lab.start(run)
    await held.reached.wait()
    with pytest.raises(NotAvailableError) as output:
        await started.instance.get_output()
    with pytest.raises(NotAvailableError) as error:
        await started.instance.get_error()

    assert str(output.value).splitlines()[0] == (
        'Cannot retrieve output: Workflow instance is in status "running" but must be "complete" to have an output '
        "available"
    )
    assert str(error.value).splitlines()[0] == (
        'Cannot retrieve error: Workflow instance is in status "running" but must be "errored" to have error '
        "information available"
    )


@rule(SECTION, "get_output of an errored instance and get_error of a complete one say the status")
async def test_output_of_an_errored_instance(lab):
    started = await start_of(lab, "errored")
    await started.end()

    with pytest.raises(NotAvailableError, match='is in status "errored" but must be "complete"'):
        await started.instance.get_output()
    error = await started.instance.get_error()
    assert error["name"] == "Error"
    assert error["message"].endswith("ValueError: boom\n")


# -- history ---------------------------------------------------------------------------------------


@rule(SECTION, "History tells the config of a step, the error of an attempt and the result")
async def test_the_details_of_history(lab):
    config = {"retries": {"limit": 3, "delay": 60_000, "backoff": "exponential"}, "timeout": "10 minutes"}
    started = await lab.start(
        one_step(retries={"limit": 3, "delay": 60_000}),
        modify=lambda m: m.mock_step_error("s", ValueError("m"), times=1),
        params={"p": 1},
    )
    await started.end()

    details = {event.kind: event.detail for event in started.instance.history}
    assert details["WORKFLOW_QUEUED"]["params"] == {"p": 1}
    assert details["STEP_START"] == {"config": config}
    assert details["ATTEMPT_FAILURE"]["error"]["name"] == "Error"
    assert details["ATTEMPT_FAILURE"]["error"]["message"].endswith("ValueError: m\n")
    assert details["STEP_SUCCESS"] == {"result": "attempt 2"}


@rule(SECTION, "An instance that fails ends its history with WORKFLOW_FAILURE and the error")
async def test_the_history_of_a_failed_instance(lab):
    started = await start_of(lab, "errored")
    await started.end()

    last = started.instance.history[-1]
    assert last.kind == "WORKFLOW_FAILURE"
    assert last.detail["error"] == await started.instance.get_error()


@rule(SECTION, "An instance that is terminated ends its history with WORKFLOW_TERMINATED")
@pytest.mark.workflow(clock="manual")
async def test_the_history_of_a_terminated_instance(lab):
    async def run(event, step):
        await step.sleep("nap", "1 hour")

    started = await lab.start(run)
    await lab.settle()
    await started.handle.terminate()

    assert started.log() == [
        "WORKFLOW_QUEUED",
        "WORKFLOW_START",
        "WORKFLOW_RUNNING",
        'SLEEP_START nap-1 {"durationMs":3600000}',
        "WORKFLOW_TERMINATED",
    ]


# -- workflow introspectors ------------------------------------------------------------------------


@rule(SECTION, "A workflow introspector covers what is created while it is open; get() gives the same objects")
async def test_a_workflow_introspector_covers_what_is_created_meanwhile(lab, bodies):
    bodies["WORKFLOW"] = one_step()
    await lab.binding.create({"id": "before"})
    async with introspect_workflow(lab.binding) as introspector:
        assert introspector.get() == []
        await lab.binding.create({"id": "one"})
        await lab.binding.create_batch([{"id": "two"}, {}])

        assert [one.id for one in introspector.get()][:2] == ["one", "two"]
        assert len(introspector.get()) == 3
        assert introspector.get()[0] is introspector.get()[0]


@rule(SECTION, "modify_all holds for later instances alone, and adds up; an own mock goes before it")
async def test_modify_all_holds_for_later_instances(lab, bodies):
    bodies["WORKFLOW"] = one_step()
    async with introspect_workflow(lab.binding) as introspector:
        await lab.binding.create({"id": "a"})
        await introspector.modify_all(lambda m: m.mock_step_result("s", "ALL"))
        await lab.binding.create({"id": "b"})
        own = await introspect_workflow_instance(lab.binding, "c")
        await own.modify(lambda m: m.mock_step_result("s", "ONE"))
        await lab.binding.create({"id": "c"})
        await lab.engine.run_until_idle()

        assert [await one.get_output() for one in introspector.get()] == ["attempt 1", "ALL", "ONE"]


@rule(
    SECTION,
    "After dispose an id is free and its mocks are gone; disposing twice is fine",
)
async def test_dispose_leaves_nothing(lab, bodies):
    bodies["WORKFLOW"] = one_step()
    async with introspect_workflow_instance(lab.binding, "y") as instance:
        await instance.modify(lambda m: m.mock_step_result("s", "MOCK"))
        await lab.binding.create({"id": "y"})
        await instance.wait_for_status("complete")
    await instance.dispose()

    with pytest.raises(JsException, match=r"instance\.not_found"):
        await lab.binding.get("y")
    handle = await lab.binding.create({"id": "y"})
    await lab.engine.run_until_idle()
    assert (await handle.status())["output"] == "attempt 1"
