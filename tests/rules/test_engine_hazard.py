"""engine-hazard: where the vendor's newest local engine departs from its documentation, and a workflow would be hurt."""

import asyncio
from typing import Any

import pytest

from durable_engine import InvalidArgumentError

RULE = "engine-hazard"
ENGINE = "miniflare 5.20261117.0-beta (workerd 1.20261117.1, wrangler 4.164.0)"
NEW_YEAR = 1_767_225_600_000


async def replayed(bench: Any, handle: Any) -> None:
    """Run to the end, and replay what has ended, as a test's end does."""
    engine = bench.running.engine
    await engine.run_until_idle()
    for instance in engine.instances:
        await engine.check_by_replay(instance)


async def pause_and_resume(bench: Any, handle: Any) -> None:
    await handle.pause()
    await bench.running.engine.settle()
    assert (await handle.status())["status"] == "paused"
    await handle.resume()
    await bench.running.engine.settle()


def crash(bench: Any) -> None:
    [instance] = bench.running.engine.instances
    bench.running.engine.crash(instance.workflow, instance.id)


# -- sleep_until -----------------------------------------------------------------------------------------------------

SLEEPS_UNTIL = """
    class Launch(WorkflowEntrypoint):
        async def run(self, event, step):
            await step.sleep_until("wait", event["payload"])  # <-- here
            await step.sleep("a while", "1 hour")
"""
NOW = {"now": "2026-01-01T00:00:00Z"}


async def test_a_sleep_until_is_found_by_the_replay_of_a_plain_test(bench: Any) -> None:
    found = await bench.findings(
        SLEEPS_UNTIL, NEW_YEAR + 3_600_000, settings=NOW, act=lambda handle: replayed(bench, handle)
    )

    assert [(finding.rule, finding.line) for finding in found] == bench.marked(SLEEPS_UNTIL, RULE)
    assert found[0].step == "wait-1"
    assert str(found[0]).endswith(
        "entry.py:5: the time of sleep_until 'wait-1' has passed when `run` is replayed: "
        f'{ENGINE} ends the instance with "You can\'t sleep until a time in the past, time-traveler"; so does the '
        "engine of vitest-pool-workers 0.23.0. In production: not seen there, and it may be the same. Instead: let a "
        "step return the milliseconds that are left, and give them to step.sleep: a replay finds a sleep again by its "
        "name and duration (docs/reference/rules/engine-hazard.md#sleep-until)."
    )


async def test_a_sleep_until_is_found_after_a_crash_behind_it(bench: Any) -> None:
    async def act(handle: Any) -> None:
        await bench.running.engine.advance("90 minutes")
        crash(bench)
        await bench.running.engine.advance("1 hour")
        assert (await handle.status())["status"] == "complete"  # as documented: the sleep is over

    found = await bench.findings(SLEEPS_UNTIL, NEW_YEAR + 3_600_000, settings={**NOW, "clock": "manual"}, act=act)

    assert [(finding.rule, finding.line) for finding in found] == bench.marked(SLEEPS_UNTIL, RULE)


async def test_a_sleep_until_is_found_when_it_was_paused_beyond_its_time(bench: Any) -> None:
    async def act(handle: Any) -> None:
        await bench.running.engine.advance("10 minutes")
        await handle.pause()
        await bench.running.engine.advance("2 hours")
        await handle.resume()
        await bench.running.engine.settle()

    found = await bench.findings(SLEEPS_UNTIL, NEW_YEAR + 3_600_000, settings={**NOW, "clock": "manual"}, act=act)

    assert [(finding.rule, finding.line) for finding in found] == bench.marked(SLEEPS_UNTIL, RULE)


async def test_a_sleep_until_that_took_no_time_is_found_all_the_same(bench: Any) -> None:
    found = await bench.findings(
        SLEEPS_UNTIL,
        NEW_YEAR + 3_600_000,
        settings=NOW,
        modify=lambda m: m.disable_sleeps(),
        act=lambda handle: replayed(bench, handle),
    )

    assert [(finding.rule, finding.line) for finding in found] == bench.marked(SLEEPS_UNTIL, RULE)


async def test_a_sleep_until_is_silent_while_its_time_has_not_come(bench: Any) -> None:
    async def act(handle: Any) -> None:
        engine = bench.running.engine
        await engine.advance("10 minutes")
        crash(bench)
        await engine.advance("10 minutes")
        await pause_and_resume(bench, handle)
        await engine.advance("30 minutes")

    assert await bench.findings(SLEEPS_UNTIL, NEW_YEAR + 3_600_000, settings={**NOW, "clock": "manual"}, act=act) == []


async def test_a_sleep_until_that_nothing_replays_is_silent(bench: Any) -> None:
    assert await bench.findings(SLEEPS_UNTIL, NEW_YEAR + 3_600_000, settings=NOW) == []


async def test_a_sleep_until_the_past_is_an_error_and_no_hazard(bench: Any) -> None:
    found = await bench.findings(SLEEPS_UNTIL, NEW_YEAR - 1, settings=NOW, act=lambda handle: replayed(bench, handle))

    assert found == []


async def test_a_restart_begins_with_a_new_sleep_until(bench: Any) -> None:
    async def act(handle: Any) -> None:
        await bench.running.engine.advance("10 minutes")
        await handle.restart()
        await bench.running.engine.advance("40 minutes")

    assert await bench.findings(SLEEPS_UNTIL, NEW_YEAR + 3_600_000, settings={**NOW, "clock": "manual"}, act=act) == []


async def test_a_sleep_whose_duration_a_step_computes_is_silent(bench: Any) -> None:
    source = """
        from datetime import UTC, datetime

        class Launch(WorkflowEntrypoint):
            async def run(self, event, step):
                @step.do("how long until then?")
                async def left():
                    return max(0, event["payload"] - int(datetime.now(UTC).timestamp() * 1000))

                await step.sleep("wait", await left())
                await step.sleep("a while", "1 hour")
    """

    async def act(handle: Any) -> None:
        await bench.running.engine.advance("90 minutes")
        crash(bench)
        await replayed(bench, handle)

    found = await bench.findings(source, NEW_YEAR + 3_600_000, settings={**NOW, "clock": "manual"}, act=act)

    assert found == []


async def test_what_a_replay_asks_for_behind_its_end_is_not_looked_at(bench: Any) -> None:
    source = """
        import asyncio

        asked = []

        class Launch(WorkflowEntrypoint):
            async def run(self, event, step):
                asked.append(1)

                async def look():
                    if len(asked) > 1:
                        await self.env.WORKFLOW.get("one")  # no replay calls that: what follows is not known

                async def wait():
                    await asyncio.sleep(0)
                    await step.sleep_until("wait", event["payload"])

                await asyncio.gather(look(), wait())
    """

    found = await bench.findings(source, NEW_YEAR + 3_600_000, settings=NOW, act=lambda handle: replayed(bench, handle))

    assert [finding for finding in found if finding.rule == RULE] == []


# -- events ----------------------------------------------------------------------------------------------------------

TWO_WAITS = """
    class Approvals(WorkflowEntrypoint):
        async def run(self, event, step):
            first = await step.wait_for_event("w1", "go")
            await step.wait_for_event("mid", "mid")
            second = await step.wait_for_event("w2", event["payload"])  # <-- here
            return [first["payload"], second["payload"]]
"""


@pytest.mark.parametrize("lost", ["pause", "crash"])
async def test_a_wait_that_gets_a_taken_event_again_is_found(bench: Any, lost: str) -> None:
    async def act(handle: Any) -> None:
        await handle.send_event({"type": "go", "payload": "first"})
        await bench.running.engine.settle()
        await pause_and_resume(bench, handle) if lost == "pause" else crash(bench)
        await handle.send_event({"type": "mid"})
        await bench.running.engine.settle()
        await handle.send_event({"type": "go", "payload": "second"})
        await bench.running.engine.settle()
        assert (await handle.status())["output"] == ["first", "second"]  # as documented

    found = await bench.findings(TWO_WAITS, "go", settings={"clock": "manual"}, act=act)

    assert [(finding.rule, finding.line) for finding in found] == bench.marked(TWO_WAITS, RULE)
    assert found[0].message == (
        "the wait 'w2-1' for 'go' begins after a pause or a crash before which an event of that type was taken: "
        f"{ENGINE} delivers an event to it that another wait has taken"
    )


async def test_an_event_that_is_stored_in_the_place_of_a_taken_one_is_silent(bench: Any) -> None:
    async def act(handle: Any) -> None:
        await bench.running.engine.settle()
        for payload in ("first", "second"):
            await handle.send_event({"type": "go", "payload": payload})
        await bench.running.engine.settle()
        await pause_and_resume(bench, handle)
        await handle.send_event({"type": "mid"})
        await bench.running.engine.settle()

    # The first one had been taken when the second one came, and is overwritten in that engine's storage.
    assert await bench.findings(TWO_WAITS, "go", settings={"clock": "manual"}, act=act) == []


async def test_a_kept_event_that_was_taken_comes_again(bench: Any) -> None:
    source = """
        class Approvals(WorkflowEntrypoint):
            async def run(self, event, step):
                await step.wait_for_event("begin", "begin")
                await step.wait_for_event("w1", "go")
                await step.wait_for_event("mid", "mid")
                await step.wait_for_event("w2", "go")  # <-- here
    """

    async def act(handle: Any) -> None:
        for _ in range(2):
            await handle.send_event({"type": "go"})
        await handle.send_event({"type": "begin"})
        await bench.running.engine.settle()
        await pause_and_resume(bench, handle)
        await handle.send_event({"type": "mid"})
        await bench.running.engine.settle()
        assert (await handle.status())["status"] == "complete"

    found = await bench.findings(source, settings={"clock": "manual"}, act=act)

    assert [(finding.rule, finding.line) for finding in found] == bench.marked(source, RULE)
    assert "that another wait has taken" in found[0].message


async def test_what_comes_behind_the_first_difference_is_not_known(bench: Any) -> None:
    source = """
        class Approvals(WorkflowEntrypoint):
            async def run(self, event, step):
                await step.wait_for_event("w1", "go")
                await step.wait_for_event("w2", "go")  # <-- here
                await step.wait_for_event("w3", "go")
    """

    async def act(handle: Any) -> None:
        await bench.running.engine.settle()
        await handle.send_event({"type": "go"})
        await bench.running.engine.settle()
        await pause_and_resume(bench, handle)
        for _ in range(2):
            await handle.send_event({"type": "go"})
            await bench.running.engine.settle()
        assert (await handle.status())["status"] == "complete"

    found = await bench.findings(source, settings={"clock": "manual"}, act=act)

    assert [(finding.rule, finding.line) for finding in found] == bench.marked(source, RULE)


async def test_queues_are_stored_as_they_stand_whenever_an_event_comes(bench: Any) -> None:
    source = """
        class Approvals(WorkflowEntrypoint):
            async def run(self, event, step):
                await step.wait_for_event("begin", "begin")
                await step.wait_for_event("w1", "go")
                await step.wait_for_event("mid", "mid")
                await step.wait_for_event("w2", "go")
                await step.wait_for_event("w3", "go")  # <-- here
    """

    async def act(handle: Any) -> None:
        for _ in range(2):
            await handle.send_event({"type": "go"})
        await handle.send_event({"type": "begin"})
        await bench.running.engine.settle()
        await handle.send_event({"type": "other"})  # stores the rest of the queue, one place further ahead
        await pause_and_resume(bench, handle)
        await handle.send_event({"type": "mid"})
        await bench.running.engine.settle()

    found = await bench.findings(source, settings={"clock": "manual"}, act=act)

    assert [(finding.rule, finding.line) for finding in found] == bench.marked(source, RULE)


async def test_a_wait_of_another_type_is_silent(bench: Any) -> None:
    async def act(handle: Any) -> None:
        await handle.send_event({"type": "go"})
        await bench.running.engine.settle()
        await pause_and_resume(bench, handle)
        await handle.send_event({"type": "mid"})
        await bench.running.engine.settle()
        await handle.send_event({"type": "go-2"})
        await bench.running.engine.settle()
        assert (await handle.status())["status"] == "complete"

    assert await bench.findings(TWO_WAITS, "go-2", settings={"clock": "manual"}, act=act) == []


async def test_a_second_wait_without_a_pause_is_silent(bench: Any) -> None:
    async def act(handle: Any) -> None:
        for event_type in ("go", "mid", "go"):
            await handle.send_event({"type": event_type})
        await replayed(bench, handle)

    assert await bench.findings(TWO_WAITS, "go", act=act) == []


async def test_events_are_sent_anew_after_a_restart(bench: Any) -> None:
    async def act(handle: Any) -> None:
        for _ in range(2):
            await handle.send_event({"type": "go"})
            await bench.running.engine.settle()
            await handle.restart()
            await bench.running.engine.settle()

    assert await bench.findings(TWO_WAITS, "go", settings={"clock": "manual"}, act=act) == []


MANY = """
    class Many(WorkflowEntrypoint):
        async def run(self, event, step):
            await step.wait_for_event("start", "start")
            return [
                (await step.wait_for_event("w", "n"))["payload"]  # <-- here
                for _ in range(event["payload"])
            ]
"""


@pytest.mark.parametrize(("count", "is_found"), [(12, True), (11, True), (10, False)])
async def test_more_than_ten_kept_events_change_their_order(bench: Any, count: int, *, is_found: bool) -> None:
    async def act(handle: Any) -> None:
        for number in range(count):
            await handle.send_event({"type": "n", "payload": number})
        await pause_and_resume(bench, handle)
        await handle.send_event({"type": "start"})
        await bench.running.engine.run_until_idle()
        assert (await handle.status())["output"] == list(range(count))  # as documented

    found = await bench.findings(MANY, count, act=act)

    assert [(finding.rule, finding.line) for finding in found] == bench.marked(MANY, RULE) * is_found
    if is_found:
        assert found[0].step == "w-3"
        assert found[0].message == (
            "the wait 'w-3' for 'n' begins after a pause or a crash before which an event of that type was kept with "
            f"ten others: {ENGINE} delivers more than ten kept events in the order 0, 1, 10, 11, 2 and so "
            "on"
        )


async def test_more_than_ten_kept_events_without_a_pause_are_silent(bench: Any) -> None:
    async def act(handle: Any) -> None:
        for number in range(12):
            await handle.send_event({"type": "n", "payload": number})
        await handle.send_event({"type": "start"})
        await replayed(bench, handle)

    assert await bench.findings(MANY, 12, act=act) == []


async def test_mocked_events_are_there_in_their_order(bench: Any) -> None:
    def modify(m: Any) -> None:
        for number in range(12):
            m.mock_event("n", number)
        m.mock_event("start", None)

    assert await bench.findings(MANY, 12, modify=modify) == []


async def test_an_event_to_an_instance_that_has_ended_is_found(bench: Any) -> None:
    source = """
        class Done(WorkflowEntrypoint):
            async def run(self, event, step):
                return "done"
    """

    async def act(handle: Any) -> None:
        await bench.running.engine.run_until_idle()
        await handle.send_event({"type": "go", "payload": 1})

    [finding] = await bench.findings(source, act=act)

    assert (finding.rule, finding.file) == (RULE, __file__)
    assert finding.message == (
        "the event 'go' was sent to instance 'one', which has ended (complete): "
        f"{ENGINE} accepts it, and nobody ever learns of it"
    )


async def test_an_event_that_a_worker_sends_through_a_gathering_is_found_where_it_is_sent(bench: Any) -> None:
    source = """
        import asyncio

        class Sender(WorkflowEntrypoint):
            async def run(self, event, step):
                if event["instanceId"] == "one":
                    @step.do("tell the others")
                    async def tell():
                        others = [await self.env.WORKFLOW.create({"id": name}) for name in ("two", "three")]
                        for other in others:
                            while (await other.status())["status"] != "complete":
                                await asyncio.sleep(0)
                        await asyncio.gather(*[other.send_event({"type": "go"}) for other in others])  # <-- here

                    await tell()
    """

    found = await bench.findings(source)

    assert [(finding.rule, finding.line) for finding in found if finding.rule == RULE] == bench.marked(source, RULE)


async def test_an_event_without_a_type_is_found_even_if_its_error_is_caught(bench: Any) -> None:
    async def act(handle: Any) -> None:
        with pytest.raises(InvalidArgumentError, match="send_event needs a 'type'"):
            await handle.send_event({"payload": 1})

    [finding] = await bench.findings(TWO_WAITS, "go", act=act)

    assert finding.message == (
        f"an event without a type was sent to instance 'one': {ENGINE} accepts it, and nobody ever learns of it"
    )


async def test_an_event_to_an_instance_that_runs_is_silent(bench: Any) -> None:
    async def act(handle: Any) -> None:
        await handle.send_event({"type": "go"})
        await handle.send_event({"type": "never awaited"})
        await bench.running.engine.settle()

    assert await bench.findings(TWO_WAITS, "go", settings={"clock": "manual"}, act=act) == []


# -- restart from a step ---------------------------------------------------------------------------------------------

SLEEPS_BESIDE = """
    class Long(WorkflowEntrypoint):
        async def run(self, event, step):
            long = step.sleep("long", "1 hour")  # <-- here
            await step.do("a")(lambda: 1)()
            await step.sleep("short", "1 minute")
            await step.do("b")(lambda: 2)()
            await long
"""


async def test_a_sleep_under_way_is_found_when_a_step_behind_it_is_restarted(bench: Any) -> None:
    async def act(handle: Any) -> None:
        await bench.running.engine.advance("2 minutes")
        await handle.restart({"from": {"name": "b"}})
        await bench.running.engine.advance("50 minutes")
        assert (await handle.status())["status"] == "waiting"  # as documented: the sleep goes on

    found = await bench.findings(SLEEPS_BESIDE, settings={"clock": "manual"}, act=act)

    assert [(finding.rule, finding.line) for finding in found] == bench.marked(SLEEPS_BESIDE, RULE)
    assert found[0].message == (
        "the sleep 'long-1' is under way while the instance is restarted from a step behind it: "
        f"{ENGINE} ends that sleep at once"
    )


@pytest.mark.parametrize(
    "options", [None, {"from": {"name": "long", "type": "sleep"}}], ids=["from the top", "from the sleep"]
)
async def test_a_restart_from_before_the_sleep_is_silent(bench: Any, options: Any) -> None:
    async def act(handle: Any) -> None:
        await bench.running.engine.advance("2 minutes")
        await handle.restart(options)
        await bench.running.engine.settle()

    assert await bench.findings(SLEEPS_BESIDE, settings={"clock": "manual"}, act=act) == []


async def test_a_restart_when_the_sleep_is_over_is_silent(bench: Any) -> None:
    async def act(handle: Any) -> None:
        await bench.running.engine.run_until_idle()
        await handle.restart({"from": {"name": "b"}})
        await bench.running.engine.run_until_idle()

    assert await bench.findings(SLEEPS_BESIDE, act=act) == []


# -- pause -----------------------------------------------------------------------------------------------------------

CAUGHT = {
    "a wait": """
        class Order(WorkflowEntrypoint):
            async def run(self, event, step):
                try:
                    await step.wait_for_event("payment", "paid", timeout="1 day")  # <-- here
                except Exception:
                    await step.do("cancel the order")(lambda: None)()
    """,
    "a sleep": """
        class Order(WorkflowEntrypoint):
            async def run(self, event, step):
                try:
                    await step.do("charge")(lambda: None)()
                    await step.sleep("until tomorrow", "1 day")  # <-- here
                except Exception:
                    await step.do("refund")(lambda: None)()
    """,
    "a retry": """
        class Order(WorkflowEntrypoint):
            async def run(self, event, step):
                @step.do("charge", config={"retries": {"limit": 3, "delay": "1 day"}})
                async def charge(ctx):
                    if ctx.attempt == 1:
                        raise ValueError("no")

                try:
                    await charge()  # <-- here
                except:
                    await step.do("refund")(lambda: None)()
    """,
    "a function in between": """
        from pyodide.ffi import JsException

        class Order(WorkflowEntrypoint):
            async def run(self, event, step):
                async def paid():
                    try:
                        return await step.wait_for_event("payment", "paid", timeout="1 day")  # <-- here
                    except ValueError:
                        return None

                try:
                    await paid()
                except (KeyError, JsException):
                    await step.do("cancel the order")(lambda: None)()
    """,
    "suppressed": """
        import contextlib

        from pyodide.ffi import JsException

        class Order(WorkflowEntrypoint):
            async def run(self, event, step):
                with contextlib.suppress(JsException):
                    await step.wait_for_event("payment", "paid", timeout="1 day")  # <-- here
    """,
    "a gathering": """
        import asyncio

        class Order(WorkflowEntrypoint):
            async def run(self, event, step):
                async def paid():
                    return await step.wait_for_event("payment", "paid", timeout="1 day")  # <-- here

                try:
                    await asyncio.gather(paid(), step.sleep("a while", "1 hour"))
                except Exception:
                    await step.do("cancel the order")(lambda: None)()
    """,
    "a branch": """
        import asyncio

        class Order(WorkflowEntrypoint):
            async def run(self, event, step):
                async def paid():
                    try:
                        return await step.wait_for_event("payment", "paid", timeout="1 day")  # <-- here
                    except Exception:
                        return None

                await asyncio.gather(paid(), step.sleep("a while", "1 hour"))
    """,
}
LET_THROUGH = {
    "no try": """
        class Order(WorkflowEntrypoint):
            async def run(self, event, step):
                await step.wait_for_event("payment", "paid", timeout="1 day")
    """,
    "another exception": """
        class Order(WorkflowEntrypoint):
            async def run(self, event, step):
                try:
                    await step.wait_for_event("payment", "paid", timeout="1 day")
                except (ValueError, TimeoutError):
                    return None
    """,
    "raised again": """
        class Order(WorkflowEntrypoint):
            async def run(self, event, step):
                try:
                    await step.wait_for_event("payment", "paid", timeout="1 day")
                except Exception as error:
                    if "User called pause" in str(error):
                        raise
                    await step.do("cancel the order")(lambda: None)()
    """,
    "in the except block": """
        class Order(WorkflowEntrypoint):
            async def run(self, event, step):
                try:
                    raise ValueError
                except Exception:
                    await step.wait_for_event("payment", "paid", timeout="1 day")
    """,
    "a task that is not awaited yet": """
        import asyncio

        class Order(WorkflowEntrypoint):
            async def run(self, event, step):
                try:
                    paid = asyncio.create_task(step.wait_for_event("payment", "paid", timeout="1 day"))
                except Exception:
                    return None
                await step.sleep("a while", "1 hour")
                await paid
    """,
}


async def pause(bench: Any, handle: Any) -> None:
    await bench.running.engine.settle()
    await pause_and_resume(bench, handle)


@pytest.mark.parametrize("source", CAUGHT.values(), ids=CAUGHT)
async def test_an_except_that_would_catch_a_pause_is_found(bench: Any, source: str) -> None:
    found = await bench.findings(source, settings={"clock": "manual"}, act=lambda handle: pause(bench, handle))

    assert [(finding.rule, finding.line) for finding in found] == bench.marked(source, RULE)


@pytest.mark.parametrize("source", LET_THROUGH.values(), ids=LET_THROUGH)
async def test_what_lets_a_pause_through_is_silent(bench: Any, source: str) -> None:
    assert await bench.findings(source, settings={"clock": "manual"}, act=lambda handle: pause(bench, handle)) == []


@pytest.mark.parametrize("source", CAUGHT.values(), ids=CAUGHT)
async def test_an_except_is_silent_where_nobody_pauses(bench: Any, source: str) -> None:
    async def act(handle: Any) -> None:
        await bench.running.engine.settle()
        crash(bench)
        await bench.running.engine.settle()
        await handle.terminate()

    assert await bench.findings(source, settings={"clock": "manual"}, act=act) == []


async def test_the_finding_names_the_step_and_the_line_that_catches(bench: Any) -> None:
    [finding] = await bench.findings(
        CAUGHT["a wait"], settings={"clock": "manual"}, act=lambda handle: pause(bench, handle)
    )

    assert finding.step == "payment-1"
    assert finding.message == (
        "pause() takes hold while `run` awaits 'payment-1', and line 7 catches what that raises: "
        f'{ENGINE} lets it raise "Aborting engine: User called pause", so that what is caught runs on while the '
        "instance is paused, and after the resume `run` goes on as if nothing had been raised"
    )
    assert str(finding).endswith(
        'Instead: let the pause pass, with `if "User called pause" in str(error): raise` '
        "(docs/reference/rules/engine-hazard.md#pause-rejects)."
    )


async def test_a_pause_that_waits_for_a_callback_is_found_when_it_takes_hold(bench: Any) -> None:
    source = """
        class Order(WorkflowEntrypoint):
            async def run(self, event, step):
                @step.do("charge")
                async def charge():
                    await self.env.GATE.wait()

                try:
                    await charge()  # <-- here
                except Exception:
                    await step.do("refund")(lambda: None)()
    """

    gate = asyncio.Event()

    async def act(handle: Any) -> None:
        await bench.running.engine.settle()
        await handle.pause()
        assert (await handle.status())["status"] == "waitingForPause"
        gate.set()
        await bench.running.engine.settle()
        assert (await handle.status())["status"] == "paused"

    found = await bench.findings(source, env={"GATE": gate}, act=act)

    assert [(finding.rule, finding.line) for finding in found] == bench.marked(source, RULE)


async def test_a_pause_that_is_called_off_is_silent(bench: Any) -> None:
    source = CAUGHT["a wait"]

    async def act(handle: Any) -> None:
        await handle.pause()  # before `run` has asked for anything
        await handle.resume()
        await bench.running.engine.settle()

    assert await bench.findings(source, settings={"clock": "manual"}, act=act) == []


# -- leaving it out --------------------------------------------------------------------------------------------------


async def test_the_rule_can_be_left_out(bench: Any) -> None:
    settings = {**NOW, "ignore_rules": (RULE,)}

    found = await bench.findings(
        SLEEPS_UNTIL, NEW_YEAR + 3_600_000, settings=settings, act=lambda handle: replayed(bench, handle)
    )

    assert found == []


async def test_a_place_is_found_once(bench: Any) -> None:
    async def act(handle: Any) -> None:
        await bench.running.engine.advance("90 minutes")
        crash(bench)
        await bench.running.engine.settle()
        crash(bench)
        await replayed(bench, handle)

    found = await bench.findings(SLEEPS_UNTIL, NEW_YEAR + 3_600_000, settings={**NOW, "clock": "manual"}, act=act)

    assert len(found) == 1
