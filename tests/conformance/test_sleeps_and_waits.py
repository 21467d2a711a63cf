"""Sleeps, waits for events, and what asyncio makes of steps."""

import asyncio
import contextlib
from datetime import UTC, datetime, timedelta

import pytest
from pyodide.ffi import JsException
from rules import BOTH, DOCUMENTED, NEWEST, rule

from pytest_workflows import NeverHappensError, WorkflowDurationWarning, WorkflowRuleWarning

pytestmark = pytest.mark.workflow(now="2026-01-01T00:00:00Z")

SECTION = "Sleeps and waits"
DAY = 24 * 60 * 60 * 1000


def sleeping(duration):
    async def run(event, step):
        await step.sleep("nap", duration)

    return run


# -- durations -------------------------------------------------------------------------------------


@rule(
    SECTION,
    "A number is milliseconds; a text is a number and a unit, a month has 30 days, a year 365.25",
)
@pytest.mark.parametrize(
    ("duration", "ms"),
    [
        (0, 0),
        (300, 300),
        (1.4, 1),
        ("1 second", 1000),
        ("30 seconds", 30_000),
        ("1 minute", 60_000),
        ("2 hours", 7_200_000),
        ("3 days", 3 * DAY),
        ("1 week", 7 * DAY),
        ("2 months", 60 * DAY),
        ("1.5 hours", 5_400_000),
        ("0.5 year", 182.625 * DAY),
        ("1   day", DAY),
        ("50", 50),
    ],
)
async def test_a_duration_is_read_as_on_the_platform(lab, duration, ms):
    started = await lab.start(sleeping(duration))
    status = await started.end()

    assert status["status"] == "complete"
    assert started.kinds("SLEEP_START")[0].detail == {"durationMs": ms}
    assert lab.elapsed == ms


@rule(SECTION, "A unit other than the seven counts as milliseconds")
@pytest.mark.parametrize(("duration", "ms"), [("1 sec", 1), ("5 Seconds", 5), ("1 DAY", 1), ("3 fortnights", 3)])
async def test_an_unknown_unit_counts_as_milliseconds(lab, duration, ms):
    started = await lab.start(sleeping(duration))

    with pytest.warns(WorkflowDurationWarning):
        await started.end()

    assert lab.elapsed == ms


@rule(
    SECTION,
    "An unknown unit gives one WorkflowDurationWarning per place, with the text, the line and the fix",
    same=False,
    why="the platform says nothing, and the sleep that lasts a millisecond is found in production",
)
async def test_an_unknown_unit_is_warned_of_once_a_place(lab):
    async def run(event, step):
        for _ in range(3):
            await step.sleep("nap", "1 sec")
        with contextlib.suppress(JsException):
            await step.wait_for_event("wait", "t", timeout="2 mins")
        await step.do("s", config={"timeout": "9 Hours", "retries": {"limit": 1, "delay": "4 secs"}})(lambda: 1)()

    started = await lab.start(run)

    with pytest.warns(WorkflowDurationWarning) as caught:
        await started.end()

    texts = [str(warning.message) for warning in caught]
    assert len(texts) == 4
    for written, text in zip(["1 sec", "2 mins", "4 secs", "9 Hours"], texts, strict=True):
        assert text.startswith(f"{written!r} counts as milliseconds in production")
        assert f"({__file__}:" in text
        assert "Use second, minute, hour, day, week, month or year" in text
    assert issubclass(WorkflowDurationWarning, WorkflowRuleWarning)
    assert issubclass(WorkflowRuleWarning, UserWarning)


@rule(SECTION, "A number alone is milliseconds and no reason to warn")
async def test_a_number_as_text_is_not_warned_of(lab, recwarn):
    await (await lab.start(sleeping("50"))).end()

    assert list(recwarn) == []


@rule(SECTION, "A duration that cannot be read fails the sleep")
@pytest.mark.parametrize("duration", ["1s", "abc", "1 hour 30 minutes", "one day", " 1 day"])
async def test_an_unreadable_duration_fails(lab, duration):
    started = await lab.start(sleeping(duration))
    status = await started.end()

    assert status["status"] == "errored"
    assert started.kinds("SLEEP_START") == []


@rule(
    SECTION,
    "A sleep of more than 365 days is an error, one of 365 days is not",
    same=False,
    why="it is documented so, and in November 2026 it was slept",
    seen=DOCUMENTED,
)
async def test_the_longest_sleep_is_365_days(lab):
    outcomes = []

    async def run(event, step):
        await step.sleep("a year", "365 days")
        for duration in ("366 days", "1 year", 365 * DAY + 1):
            try:
                await step.sleep("longer", duration)
            except JsException as error:
                outcomes.append(error.message)
        try:
            await step.sleep_until("far", datetime(2028, 6, 1))
        except JsException as error:
            outcomes.append(error.message)

    started = await lab.start(run)

    assert (await started.end())["status"] == "complete"
    assert lab.elapsed == 365 * DAY
    assert len(outcomes) == 4
    assert all('"longer"' in outcome or '"far"' in outcome for outcome in outcomes)
    assert all("31536000000ms" in outcome for outcome in outcomes)


# -- sleep -----------------------------------------------------------------------------------------


@rule(SECTION, "A sleep that is not awaited starts, is logged, and run goes on without it")
async def test_a_sleep_without_await_starts_and_run_goes_on(lab):
    async def run(event, step):
        step.sleep("nap", "1 hour")
        return await step.do("s")(lambda: "went on")()

    started = await lab.start(run)
    await started.instance.wait_for_status("complete")

    assert lab.elapsed == 0
    assert started.log() == [
        "WORKFLOW_QUEUED",
        "WORKFLOW_START",
        "WORKFLOW_RUNNING",
        'SLEEP_START nap-1 {"durationMs":3600000}',
        "STEP_START s-1",
        'ATTEMPT_START s-1 {"attempt":1}',
        'ATTEMPT_SUCCESS s-1 {"attempt":1}',
        'STEP_SUCCESS s-1 {"result":"went on"}',
        'WORKFLOW_SUCCESS {"result":"went on"}',
    ]
    [finding] = lab.engine.findings.take()
    assert (finding.rule, finding.message) == ("missing-await", "step.sleep('nap') was never awaited")


@rule(SECTION, "A sleep is a future that can be awaited later; others run meanwhile")
async def test_a_sleep_can_be_awaited_later(lab):
    async def run(event, step):
        nap = step.sleep("nap", "1 hour")
        await step.sleep("inside", "20 minutes")
        await nap

    await (await lab.start(run)).end()

    assert lab.elapsed == 3_600_000


@rule(SECTION, "sleep_until takes a datetime (a naive one is UTC), or epoch milliseconds as an int or a float")
@pytest.mark.workflow(ignore_rules=["engine-hazard"])
@pytest.mark.parametrize(
    "when",
    [
        datetime(2026, 1, 1, 1),
        datetime(2026, 1, 1, 1, tzinfo=UTC),
        1_767_229_200_000,
        1_767_229_200_000.0,
    ],
    ids=["naive", "aware", "int", "float"],
)
async def test_sleep_until_reads_datetimes_and_epoch_milliseconds(lab, when):
    async def run(event, step):
        await step.sleep_until("nap", when)

    started = await lab.start(run)
    await started.end()

    assert lab.elapsed == 3_600_000
    assert started.log()[3:5] == ['SLEEP_START nap-1 {"durationMs":3600000}', "SLEEP_COMPLETE nap-1"]


@rule(SECTION, "sleep_until a time in the past is an error")
async def test_sleeping_until_the_past_is_an_error(lab):
    async def run(event, step):
        await step.sleep_until("nap", datetime(2025, 12, 31))

    started = await lab.start(run)
    await started.end()

    assert str(started.instance.exception) == "Error: You can't sleep until a time in the past, time-traveler"


@rule(SECTION, "sleep_until now takes no time")
@pytest.mark.workflow(ignore_rules=["engine-hazard"])
async def test_sleeping_until_now_takes_no_time(lab):
    async def run(event, step):
        await step.sleep_until("nap", datetime(2026, 1, 1))
        return "awake"

    assert await (await lab.start(run)).output() == "awake"


@rule(
    SECTION,
    "sleep_until in the past does not fail on replay: the sleep is over",
    same=False,
    why="documented so; miniflare 5.20261117.0-beta ends the instance there, which is the finding engine-hazard",
    seen=BOTH,
)
@pytest.mark.workflow(clock="manual")
async def test_a_sleep_until_that_is_over_is_not_an_error_on_replay(lab):
    async def run(event, step):
        await step.sleep_until("nap", datetime(2026, 1, 1, 1))
        await step.sleep("second", "1 hour")
        return "end"

    started = await lab.start(run)
    await lab.clock.advance("90 minutes")
    await started.instance.crash()
    await lab.clock.advance("30 minutes")

    assert await started.output() == "end"
    assert [finding.rule for finding in lab.engine.take_findings()] == ["engine-hazard"]


@rule(
    SECTION,
    "Sleeps of one name and another duration are counted each for themselves. In August 2026 they were counted together",
    seen=NEWEST,
)
async def test_sleeps_are_counted_by_name_and_duration(lab):
    async def run(event, step):
        for ms in (100, 200, 100):
            await step.sleep("s", ms)

    started = await lab.start(run)
    await started.end()

    assert [event.step for event in started.kinds("SLEEP_START")] == ["s-1", "s-1", "s-2"]
    assert [event.step for event in started.kinds("SLEEP_COMPLETE")] == ["s-1", "s-1", "s-2"]
    seconds = [step.duration.total_seconds() for step in started.instance.steps]
    assert seconds == [0.1, 0.2, 0.1]


@rule(SECTION, "A sleep whose duration changed is a new one in the next execution, and is slept again", seen=NEWEST)
@pytest.mark.workflow(clock="manual", ignore_rules=["changed-path"])
async def test_a_changed_duration_is_slept_again(lab):
    hours = ["1 hour"]

    async def run(event, step):
        await step.sleep("s", hours[-1])

    started = await lab.start(run)
    await lab.clock.advance("30 minutes")
    hours.append("2 hours")
    await started.instance.crash()
    await lab.clock.advance("119 minutes")
    assert await started.status() == "waiting"
    await lab.clock.advance("1 minute")

    assert await started.status() == "complete"
    assert [step.status for step in started.instance.steps] == ["waiting", "complete"]


@rule(SECTION, "A crash in a sleep: what is left of it is slept, no more")
@pytest.mark.workflow(clock="manual")
async def test_a_sleep_survives_a_crash(lab):
    started = await lab.start(sleeping("1 hour"))
    await lab.clock.advance("50 minutes")
    await started.instance.crash()
    await lab.clock.advance("9 minutes")
    assert await started.status() == "waiting"
    await lab.clock.advance("1 minute")

    assert await started.status() == "complete"
    assert [event.kind for event in started.instance.history].count("SLEEP_START") == 1


@rule(SECTION, "A crash in a retry delay: the next attempt comes when it would have come")
@pytest.mark.workflow(clock="manual")
async def test_a_retry_delay_survives_a_crash(lab):
    attempts = []

    async def run(event, step):
        @step.do("s", config={"retries": {"limit": 1, "delay": "1 hour"}})
        async def flaky(ctx):
            attempts.append(ctx.attempt)
            if ctx.attempt == 1:
                raise RuntimeError
            return "ok"

        return await flaky()

    started = await lab.start(run)
    await lab.clock.advance("50 minutes")
    await started.instance.crash()
    await lab.clock.advance("9 minutes")
    assert attempts == [1]
    await lab.clock.advance("1 minute")

    assert attempts == [1, 2]
    assert await started.output() == "ok"
    assert [event.detail["attempt"] for event in started.kinds("ATTEMPT_FAILURE")] == [1]


@rule(SECTION, "A crash in a wait: its timeout comes when it would have come")
@pytest.mark.workflow(clock="manual")
async def test_a_timeout_of_a_wait_survives_a_crash(lab):
    async def run(event, step):
        await step.wait_for_event("w", "t", timeout="1 hour")

    started = await lab.start(run)
    await lab.clock.advance("50 minutes")
    await started.instance.crash()
    await lab.clock.advance("9 minutes")
    assert await started.status() == "waiting"
    await lab.clock.advance("1 minute")

    assert await started.status() == "errored"
    assert (await started.instance.get_error())["message"].rstrip().endswith("Execution timed out after 3600000ms")


# -- what is not awaited ---------------------------------------------------------------------------


@rule(SECTION, "A do or wait_for_event that is not awaited never starts; ours is the one report of it")
@pytest.mark.filterwarnings("error::RuntimeWarning")
async def test_a_step_without_await_never_starts_and_is_reported(lab):
    calls = []

    async def run(event, step):
        step.do("s")(lambda: calls.append(1))()
        step.wait_for_event("w", "t")
        return "end"

    started = await lab.start(run)

    assert await started.output() == "end"
    assert calls == []
    assert started.instance.steps == []
    findings = [str(finding) for finding in lab.engine.findings.take()]
    assert [finding.split(" was never awaited")[0].rpartition(": ")[2] for finding in findings] == [
        "step.do('s')",
        "step.wait_for_event('w')",
    ]
    assert all(f" {__file__}:" in finding for finding in findings)


@rule(SECTION, "A call of a step and a wait are coroutines, which create_task takes; a sleep is a future")
async def test_steps_are_coroutines_and_sleeps_are_futures(lab):
    async def run(event, step):
        call = step.do("s")(lambda: 1)()
        wait = step.wait_for_event("w", "t", timeout=1)
        assert asyncio.iscoroutine(call)
        assert asyncio.iscoroutine(wait)
        nap = step.sleep("nap", 1)
        assert asyncio.isfuture(nap)
        task = asyncio.create_task(wait)
        await asyncio.gather(task, call, nap, return_exceptions=True)
        return "end"

    assert await (await lab.start(run)).output() == "end"


# -- events ----------------------------------------------------------------------------------------


def waiting(*names, timeout="1 hour", event_type="t"):
    async def run(event, step):
        out = []
        for name in names:
            try:
                out.append((await step.wait_for_event(name, event_type, timeout=timeout))["payload"])
            except JsException as error:
                out.append(error.message)
        return out

    return run


@rule(SECTION, "An event that was sent before the wait is kept and delivered")
@pytest.mark.workflow(clock="manual")
async def test_an_event_sent_before_the_wait_is_delivered(lab):
    async def run(event, step):
        await step.sleep("nap", 1000)
        return (await step.wait_for_event("w", "t"))["payload"]

    started = await lab.start(run)
    await started.handle.send_event({"type": "t", "payload": "early"})
    await lab.clock.advance(1000)

    assert await started.output() == "early"


@rule(SECTION, "An event sent right after create is delivered")
async def test_an_event_sent_right_after_create_is_delivered(lab):
    started = await lab.start(waiting("w"))
    await started.handle.send_event({"type": "t", "payload": "quick"})

    assert await started.output() == ["quick"]
    assert lab.elapsed == 0


@rule(SECTION, "Kept events of one type are delivered oldest first, one a wait")
@pytest.mark.workflow(clock="manual")
async def test_kept_events_are_delivered_oldest_first(lab):
    async def run(event, step):
        await step.sleep("busy", 200)
        return await waiting("w1", "w2", "w3", "w4", timeout=200)(event, step)

    started = await lab.start(run)
    for payload in (1, 2, 3):
        await started.handle.send_event({"type": "t", "payload": payload})
    await lab.clock.advance(400)

    assert await started.output() == [1, 2, 3, "WorkflowTimeoutError: Execution timed out after 200ms"]
    assert started.log()[5:] == [
        'WAIT_START w1-1 {"event":"t"}',
        'WAIT_COMPLETE w1-1 {"payload":1}',
        'WAIT_START w2-1 {"event":"t"}',
        'WAIT_COMPLETE w2-1 {"payload":2}',
        'WAIT_START w3-1 {"event":"t"}',
        'WAIT_COMPLETE w3-1 {"payload":3}',
        'WAIT_START w4-1 {"event":"t"}',
        "WAIT_TIMED_OUT w4-1",
        'WORKFLOW_SUCCESS {"result":[1,2,3,"WorkflowTimeoutError: Execution timed out after 200ms"]}',
    ]


@rule(SECTION, "Events are matched by type: one of another type is left for its own wait")
async def test_events_are_matched_by_type(lab):
    async def run(event, step):
        first = await step.wait_for_event("w1", "a")
        second = await step.wait_for_event("w2", "b c.d")
        return [first.payload, second.payload]

    started = await lab.start(run)
    await started.handle.send_event({"type": "b c.d", "payload": "second"})
    await started.handle.send_event({"type": "a", "payload": "first"})

    assert await started.output() == ["first", "second"]


@rule(SECTION, "A wait's result has payload, type and timestamp (a naive datetime, UTC) and reads attributes")
@pytest.mark.workflow(clock="manual")
async def test_the_result_of_a_wait(lab):
    seen = []

    async def run(event, step):
        seen.append(await step.wait_for_event("w", "t"))

    started = await lab.start(run)
    await lab.clock.advance("1 hour")
    await started.handle.send_event({"type": "t", "payload": {"a": 1}})
    await started.end()

    assert list(seen[0]) == ["payload", "type", "timestamp"]
    assert seen[0].payload.a == 1
    assert seen[0].type == "t"
    assert seen[0].timestamp == datetime(2026, 1, 1, 1)
    assert seen[0].timestamp.tzinfo is None


@rule(SECTION, "An event that was sent without a payload has None for one")
async def test_an_event_without_payload_has_none(lab):
    started = await lab.start(waiting("w"))
    await started.handle.send_event({"type": "t"})

    assert await started.output() == [None]


@rule(SECTION, "Concurrent waits of one type are served in order; a wait that timed out takes none")
@pytest.mark.workflow(clock="manual")
async def test_the_first_of_two_waits_gets_the_event(lab):
    async def run(event, step):
        async def one(name, timeout):
            try:
                return [name, (await step.wait_for_event(name, "t", timeout=timeout))["payload"]]
            except JsException as error:
                return [name, error.message]

        return await asyncio.gather(one("short", 100), one("first", 500), one("second", 500))

    started = await lab.start(run)
    await lab.clock.advance(150)
    await started.handle.send_event({"type": "t", "payload": "P"})
    await lab.clock.advance(350)

    assert await started.output() == [
        ["short", "WorkflowTimeoutError: Execution timed out after 100ms"],
        ["first", "P"],
        ["second", "WorkflowTimeoutError: Execution timed out after 500ms"],
    ]
    assert started.log()[3:9] == [
        'WAIT_START short-1 {"event":"t"}',
        'WAIT_START first-1 {"event":"t"}',
        'WAIT_START second-1 {"event":"t"}',
        "WAIT_TIMED_OUT short-1",
        'WAIT_COMPLETE first-1 {"payload":"P"}',
        "WAIT_TIMED_OUT second-1",
    ]


@rule(SECTION, "A wait lasts 24 hours where it has no timeout")
async def test_a_wait_lasts_a_day_by_default(lab):
    async def run(event, step):
        await step.wait_for_event("w", "t")

    started = await lab.start(run)
    status = await started.end()

    assert lab.elapsed == DAY
    assert status["status"] == "errored"
    assert str(started.instance.exception) == "Error: WorkflowTimeoutError: Execution timed out after 86400000ms"


@rule(SECTION, "A wait with a timeout of 0 lasts 24 hours; one of '0 seconds', or less, is over at once")
@pytest.mark.parametrize(("timeout", "ms"), [(0, DAY), ("0 seconds", 0), (-1, -1), (50, 50), ("1 minute", 60_000)])
async def test_how_long_a_wait_lasts(lab, timeout, ms):
    started = await lab.start(waiting("w", timeout=timeout))

    assert await started.output() == [f"WorkflowTimeoutError: Execution timed out after {ms}ms"]
    assert lab.elapsed == max(ms, 0)


@rule(SECTION, "A wait whose timeout cannot be read fails")
@pytest.mark.parametrize("timeout", ["1s", "banana", None, True])
async def test_an_unreadable_timeout_of_a_wait_fails(lab, timeout):
    started = await lab.start(waiting("w", timeout=timeout))
    await started.end()

    assert started.kinds("WAIT_START") == []


@rule(SECTION, "Waits of one name are distinguished by their occurrence, and each gets an event of its own")
async def test_waits_of_one_name_get_an_event_each(lab):
    started = await lab.start(waiting("w", "w"))
    await started.handle.send_event({"type": "t", "payload": 1})
    await (await lab.binding.get("x")).send_event({"type": "t", "payload": 2})

    assert await started.output() == [1, 2]
    assert [event.step for event in started.kinds("WAIT_COMPLETE")] == ["w-1", "w-2"]


@rule(SECTION, "name and type of a wait are positional only")
async def test_a_wait_takes_its_name_and_type_by_position(lab):
    async def run(event, step):
        await step.wait_for_event(name="w", event_type="t")

    started = await lab.start(run)
    await started.end()

    assert isinstance(started.instance.exception, TypeError)


@rule(
    SECTION,
    "An event kept across a crash is delivered once",
    same=False,
    why="documented so; miniflare 5.20261117.0-beta delivers it to the next wait again: the finding engine-hazard",
)
@pytest.mark.workflow(clock="manual")
async def test_an_event_is_delivered_once_across_crashes(lab):
    started = await lab.start(waiting("w1", "w2"))
    await lab.settle()
    await started.instance.crash()
    await started.handle.send_event({"type": "t", "payload": 1})
    await started.instance.crash()
    await lab.settle()
    await started.instance.crash()
    await lab.clock.advance("1 hour")

    assert await started.output() == [1, "WorkflowTimeoutError: Execution timed out after 3600000ms"]
    assert [finding.rule for finding in lab.engine.take_findings()] == ["engine-hazard"]


@rule(SECTION, "A wait that timed out raises again after a crash, and takes no event that came since")
@pytest.mark.workflow(clock="manual")
async def test_a_timed_out_wait_is_remembered(lab):
    async def run(event, step):
        out = await waiting("w1", timeout="1 minute")(event, step)
        await step.sleep("nap", "1 hour")
        return out + await waiting("w2")(event, step)

    started = await lab.start(run)
    await lab.clock.advance("1 minute")
    await started.handle.send_event({"type": "t", "payload": "late"})
    await started.instance.crash()
    await lab.clock.advance("1 hour")

    assert await started.output() == ["WorkflowTimeoutError: Execution timed out after 60000ms", "late"]


@rule(SECTION, "An abandoned wait (its task was cancelled) stays and swallows the event, and we report it")
@pytest.mark.workflow(clock="manual")
async def test_an_abandoned_wait_swallows_the_event_and_is_reported(lab):
    async def run(event, step):
        task = asyncio.create_task(step.wait_for_event("abandoned", "t", timeout="2 hours"))
        await step.sleep("nap", 10)
        task.cancel()
        try:
            return (await step.wait_for_event("second", "t", timeout="1 hour"))["payload"]
        except JsException:
            return "nothing"

    started = await lab.start(run)
    await lab.clock.advance(10)
    await started.handle.send_event({"type": "t", "payload": "P"})
    await lab.clock.advance("1 hour")

    assert await started.output() == "nothing"
    assert 'WAIT_COMPLETE abandoned-1 {"payload":"P"}' in started.log()
    [finding] = lab.engine.findings.take()
    assert finding.rule == "abandoned-wait"
    assert "abandoned" in str(finding)


# -- asyncio ---------------------------------------------------------------------------------------


def timed(step, name, duration, value=None):
    """A step that takes virtual time: a sleep and a `do`."""

    async def call():
        await step.sleep(f"{name} sleeps", duration)
        return await step.do(name)(lambda: value or name)()

    return call()


@rule(SECTION, "asyncio.gather runs steps side by side, and gives their results in its own order")
async def test_gather_runs_steps_side_by_side(lab):
    async def run(event, step):
        return await asyncio.gather(timed(step, "a", 200), timed(step, "b", 100))

    started = await lab.start(run)

    assert await started.output() == ["a", "b"]
    assert lab.elapsed == 200
    assert [event.step for event in started.kinds("STEP_SUCCESS")] == ["b-1", "a-1"]


@rule(SECTION, "Steps that gather starts together are in flight together, in order of their start")
@pytest.mark.workflow(clock="manual")
async def test_gathered_steps_are_in_flight_together(lab, gate):
    gates = {"a": gate(), "b": gate()}

    async def run(event, step):
        return await asyncio.gather(*[step.do(name)(named(name))() for name in gates])

    def named(name):
        async def callback():
            await gates[name]()
            return name

        return callback

    started = await lab.start(run)
    await gates["b"].reached.wait()
    gates["b"].open()
    await started.instance.wait_for_step_result("b")
    gates["a"].open()
    await started.instance.wait_for_status("complete")

    assert started.log() == [
        "WORKFLOW_QUEUED",
        "WORKFLOW_START",
        "WORKFLOW_RUNNING",
        "STEP_START a-1",
        'ATTEMPT_START a-1 {"attempt":1}',
        "STEP_START b-1",
        'ATTEMPT_START b-1 {"attempt":1}',
        'ATTEMPT_SUCCESS b-1 {"attempt":1}',
        'STEP_SUCCESS b-1 {"result":"b"}',
        'ATTEMPT_SUCCESS a-1 {"attempt":1}',
        'STEP_SUCCESS a-1 {"result":"a"}',
        'WORKFLOW_SUCCESS {"result":["a","b"]}',
    ]


@rule(SECTION, "Where one of several gathered steps fails, run catches it; the others complete and are stored")
async def test_the_others_complete_where_one_of_several_fails(lab):
    async def run(event, step):
        @step.do("bad", config={"retries": {"limit": 0, "delay": 0}})
        async def bad():
            raise ValueError("m")

        try:
            await asyncio.gather(bad(), timed(step, "good", 100))
        except ValueError:
            await step.sleep("long", 1000)
        return "end"

    started = await lab.start(run)

    assert await started.output() == "end"
    assert started.step("good").status == "complete"


@rule(SECTION, "A TaskGroup takes steps")
async def test_a_task_group_takes_steps(lab):
    async def run(event, step):
        async with asyncio.TaskGroup() as group:
            one = group.create_task(step.do("a")(lambda: 1)())
            two = group.create_task(step.wait_for_event("w", "t"))
        return [one.result(), two.result()["payload"]]

    started = await lab.start(run)
    await started.handle.send_event({"type": "t", "payload": 2})

    assert await started.output() == [1, 2]


@rule(SECTION, "asyncio.as_completed gives steps in the order in which they complete")
async def test_as_completed_gives_the_fastest_first(lab):
    async def run(event, step):
        pending = [timed(step, "a", 300), timed(step, "b", 100), timed(step, "c", 200)]
        return [await one for one in asyncio.as_completed(pending)]

    assert await (await lab.start(run)).output() == ["b", "c", "a"]


@rule(SECTION, "asyncio.wait(FIRST_COMPLETED) races steps; the one that lost still completes and is stored")
async def test_a_step_that_lost_a_race_still_completes(lab):
    async def run(event, step):
        tasks = [asyncio.create_task(timed(step, name, ms)) for name, ms in (("slow", 300), ("quick", 100))]
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        await step.sleep("later", 1000)
        return [task.result() for task in done]

    started = await lab.start(run)

    assert await started.output() == ["quick"]
    assert started.step("slow").status == "complete"


@rule(SECTION, "Waits can be raced: the first event wins")
@pytest.mark.workflow(clock="manual")
@pytest.mark.parametrize("winner", ["card", "invoice"])
async def test_the_first_event_of_two_waits_wins(lab, winner):
    async def run(event, step):
        tasks = {
            asyncio.create_task(step.wait_for_event(name, name, timeout="1 day")): name for name in ("card", "invoice")
        }
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        return [tasks[task] for task in done]

    started = await lab.start(run)
    await lab.settle()
    await started.handle.send_event({"type": winner, "payload": None})
    await lab.settle()

    assert await started.output() == [winner]


@rule(SECTION, "A wait can be raced with a sleep")
async def test_a_sleep_wins_against_an_event_that_does_not_come(lab):
    async def run(event, step):
        wait = asyncio.create_task(step.wait_for_event("w", "t", timeout="1 day"))
        nap = step.sleep("nap", "1 hour")
        done, _ = await asyncio.wait([wait, nap], return_when=asyncio.FIRST_COMPLETED)
        return nap in done

    started = await lab.start(run)
    await started.instance.wait_for_status("complete")

    assert await started.instance.get_output() is True
    assert lab.elapsed == 3_600_000


@rule(SECTION, "asyncio.wait_for around a step: its timer runs on virtual time, and the step goes on")
async def test_wait_for_runs_on_virtual_time(lab):
    async def run(event, step):
        try:
            await asyncio.wait_for(step.wait_for_event("w", "t", timeout="1 day"), 60)
        except TimeoutError:
            return "too late"

    started = await lab.start(run)
    await started.instance.wait_for_status("complete")

    assert await started.instance.get_output() == "too late"
    assert lab.elapsed == 60_000
    lab.engine.findings.take()


@rule(SECTION, "asyncio.wait_for around a step that is quick enough gives its result")
async def test_wait_for_gives_the_result_of_a_quick_step(lab):
    async def run(event, step):
        return await asyncio.wait_for(step.do("s")(lambda: "quick")(), 60)

    assert await (await lab.start(run)).output() == "quick"


@rule(SECTION, "Steps side by side are replayed by name and occurrence, whatever was done when the engine died")
@pytest.mark.workflow(clock="manual")
async def test_parallel_steps_survive_a_crash(lab, gate):
    held, calls = gate(), []

    def named(name):
        async def callback():
            calls.append(name)
            if name == "b" and calls.count("b") == 1:
                await held()
            return name

        return callback

    async def run(event, step):
        return await asyncio.gather(*[step.do(name)(named(name))() for name in "abc"])

    started = await lab.start(run)
    await held.reached.wait()
    await lab.settle()
    await started.instance.crash()
    await lab.settle()

    assert await started.output() == ["a", "b", "c"]
    assert calls == ["a", "b", "c", "b"]


@rule(
    SECTION,
    "Waiting for a step that cannot come fails at once and says where the instance is parked",
    same=False,
    why="the platform's test API hangs",
)
@pytest.mark.workflow(clock="manual")
async def test_waiting_for_what_nothing_can_bring_fails_at_once(lab):
    started = await lab.start(waiting("w"))

    with pytest.raises(NeverHappensError, match="waits for an event in 'w-1'"):
        await started.instance.wait_for_step_result("nothing")


@rule(SECTION, "No time passes but by timers: an instance of many sleeps ends at their sum")
async def test_virtual_time_is_the_sum_of_the_sleeps(lab):
    async def run(event, step):
        for number in range(10):
            await step.sleep(f"nap {number}", timedelta(days=1) / timedelta(milliseconds=1))

    await (await lab.start(run)).end()

    assert lab.elapsed == 10 * DAY
