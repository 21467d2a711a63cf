"""An engine on disk: what `run` and whoever calls may see only once it is there, and how the next process goes on."""

import asyncio
import contextlib
import datetime
import itertools

import pytest
from disk import Commits, as_killed, engine_on, opened, put, turns

from durable_engine import Engine, EngineClosedError, JsException, RealClock, StepKey, history_of
from durable_engine.storage.disk import DiskStore

NOW = "2026-01-01T00:00:00Z"
LATER = "2026-01-01T02:00:00Z"


@pytest.fixture
def path(tmp_path):
    return tmp_path / "workflows.sqlite"


@pytest.fixture
def kill(path, tmp_path):
    """The file as a process that is killed now would leave it."""
    count = iter(range(100))
    return lambda: as_killed(path, tmp_path / f"killed{next(count)}")


async def statuses(engine):
    return {instance.id: instance.status for instance in engine.instances}


# -- what waits for the disk -------------------------------------------------------------------------------------------


async def test_a_create_is_answered_and_run_begins_once_the_instance_is_on_disk(path):
    began = []

    async def workflow(event, step):
        began.append(event["instanceId"])

    async with engine_on(path, {"W": workflow}) as engine:
        commits = Commits(engine.store)
        commits.hold()
        creating = asyncio.ensure_future(engine.bindings["W"].create({"id": "x"}))
        await turns()
        assert (creating.done(), began) == (False, [])

        commits.release()
        assert (await creating).id == "x"
        await engine.run_until_idle()
        assert began == ["x"]


@pytest.mark.parametrize("seed", [None, 7])
async def test_run_gets_what_a_step_came_to_once_that_is_on_disk(path, kill, seed):
    seen = []

    async def workflow(event, step):
        async def fails():
            raise ValueError("no")

        await step.do("one")(lambda: 1)()
        seen.append(("one", kill()))
        with contextlib.suppress(Exception):
            await step.do("two", config={"retries": {"limit": 0, "delay": 0}})(fails)()
        seen.append(("two", kill()))
        await step.sleep("nap", 0)
        seen.append(("nap", kill()))
        await step.wait_for_event("word", "word")
        seen.append(("word", kill()))
        with contextlib.suppress(Exception):
            await step.wait_for_event("late", "late", timeout=1000)
        seen.append(("late", kill()))

    async with engine_on(path, {"W": workflow}, now=NOW, schedule_seed=seed) as engine:
        commits = Commits(engine.store)
        commits.delay = 10
        handle = await engine.bindings["W"].create({"id": "x"})
        await handle.send_event({"type": "word", "payload": "go"})
        await engine.run_until_idle()
        assert len(seen) == 5
    for name, left in seen:
        async with opened(left) as store:
            (step,) = [step for step in store.steps(1) if step.key.name == name]
            assert step.status in ("complete", "errored"), name


async def test_an_instance_that_is_stopped_before_its_outcome_is_on_disk_gets_it_from_storage(path):
    runs, seen = [], []

    async def workflow(event, step):
        @step.do("s")
        async def s():
            runs.append(event["instanceId"])
            return "result"

        seen.append(await s())

    async with engine_on(path, {"W": workflow}, now=NOW) as engine:
        binding = engine.bindings["W"]
        commits = Commits(engine.store)
        await binding.create({"id": "x"})
        commits.hold()
        while engine.store.step(1, ("do", "s", 1, None)) is None or not runs:
            commits.release()
            await asyncio.sleep(0)
            commits.hold()
        await turns()
        engine.crash(binding.workflow, "x")  # with the outcome of its step in a batch that is under way
        await turns()
        assert seen == []
        commits.release()
        await engine.run_until_idle()
        assert (runs, seen) == (["x"], ["result"])


async def test_an_instance_that_is_deleted_before_its_beginning_is_on_disk_never_begins(path):
    began = []

    async def workflow(event, step):
        began.append(event["instanceId"])

    async with engine_on(path, {"W": workflow}) as engine:
        workflow = engine.bindings["W"].workflow
        engine.lifecycle.create(workflow, "x", b"{}")
        engine.discard(workflow, ["x"])
        await engine.run_until_idle()
        assert (began, engine.instances) == ([], [])


async def test_an_event_and_the_calls_of_a_handle_are_answered_once_they_are_on_disk(path, kill):
    async def workflow(event, step):
        return (await step.wait_for_event("word", "word"))["payload"]

    async with engine_on(path, {"W": workflow}, now=NOW) as engine:
        handle = await engine.bindings["W"].create({"id": "x"})
        other = await engine.bindings["W"].create({"id": "y"})
        await engine.settle()
        commits = Commits(engine.store)
        for call in (
            lambda: handle.send_event({"type": "word", "payload": "go"}),
            other.pause,
            other.resume,
            handle.status,
            other.restart,
            other.terminate,
            other.delete,
            lambda: engine.bindings["W"].deleteBatch(["y"]),
            lambda: engine.bindings["W"].createBatch([{"id": "z"}]),
        ):
            await engine.settle()
            await engine.store.stored()
            commits.hold()
            put(engine.store, "something", b"is written")
            calling = asyncio.ensure_future(call())
            await turns()
            assert not calling.done(), call
            commits.release()
            await calling
            await engine.store.stored()
        left = kill()
    async with engine_on(left, {"W": workflow}, now=NOW) as engine:
        await engine.settle()
        assert (await (await engine.bindings["W"].get("x")).status())["output"] == "go"
        assert await statuses(engine) == {"x": "complete", "z": "waiting"}


async def test_an_error_that_tells_of_what_there_is_comes_once_that_is_on_disk(path):
    async def workflow(event, step):
        await step.wait_for_event("word", "word")

    async with engine_on(path, {"W": workflow}, now=NOW) as engine:
        binding = engine.bindings["W"]
        handle = await binding.create({"id": "x"})
        commits = Commits(engine.store)

        async def call(calling):
            commits.hold()
            put(engine.store, "something", b"is written")
            made = asyncio.ensure_future(calling())
            await turns()
            was_done = made.done()
            commits.release()
            await asyncio.wait([made])
            assert not was_done
            made.result()

        async def calls():
            for calling in (
                lambda: binding.create({"id": "x"}),
                lambda: binding.create_batch({"instances": [{"id": "y"}]}),
                lambda: binding.get("z"),
            ):
                yield calling
            await handle.terminate()
            yield handle.terminate

        async for calling in calls():
            with pytest.raises((JsException, TypeError)):
                await call(calling)
        engine.close()
        with pytest.raises(EngineClosedError):  # and it waits for nothing
            await handle.status()


async def test_a_wait_whose_end_no_calendar_has_is_stored_and_goes_on(path, kill):
    async def workflow(event, step):
        return (await step.wait_for_event("word", "word", timeout=1e20))["payload"]

    async with engine_on(path, {"W": workflow}, now=NOW) as engine:
        await engine.bindings["W"].create({"id": "x", "retention": {"successRetention": 1e20}})
        await engine.settle()
        await engine.store.stored()
        left = kill()
    async with engine_on(left, {"W": workflow}, now=NOW) as engine:
        handle = await engine.bindings["W"].get("x")
        await handle.send_event({"type": "word", "payload": "go"})
        await engine.settle()
        assert (await handle.status())["output"] == "go"


async def test_a_subscription_gives_no_event_that_is_not_on_disk(path):
    async def workflow(event, step):
        await step.do("s")(lambda: 1)()

    async with engine_on(path, {"W": workflow}, now=NOW) as engine:
        handle = await engine.bindings["W"].create({"id": "x"})
        await engine.run_until_idle()
        subscription = await handle.subscribe()
        commits = Commits(engine.store)
        commits.hold()
        put(engine.store, "something", b"is written")
        asking = asyncio.ensure_future(subscription.next())
        await turns()
        assert not asking.done()
        commits.release()
        assert (await asking)["value"]["type"] == "workflow_queued"


async def test_code_of_an_instance_that_creates_another_one_goes_on_once_that_is_on_disk(path):
    async def parent(event, step):
        binding = engine.bindings["CHILD"]

        @step.do("start")
        async def start():
            child = await binding.create({"id": "child"})
            return [child.id, [row.id for row in stored]]

        return await start()

    async def child(event, step):
        pass

    async with engine_on(path, {"W": parent, "CHILD": child}) as engine:
        write, stored = engine.store._database.write, []

        async def noted(number, batches):
            await write(number, batches)
            stored[:] = engine.store.all_instances()

        engine.store._database.write = noted
        handle = await engine.bindings["W"].create({"id": "parent"})
        await engine.run_until_idle()
        assert (await handle.status())["output"] == ["child", ["parent", "child"]]


# -- the next process --------------------------------------------------------------------------------------------------


async def test_no_step_that_has_its_outcome_runs_again_and_one_that_was_under_way_does(path, kill):
    runs = []
    is_open = asyncio.Event()

    async def workflow(event, step):
        @step.do("first")
        async def first():
            runs.append("first")
            return "kept"

        @step.do("second", config={"retries": {"limit": 0, "delay": 0}})
        async def second(first, ctx):
            runs.append(ctx.attempt)
            if not is_open.is_set():
                await asyncio.Event().wait()
            return first + "!"

        return await second()

    async with engine_on(path, {"W": workflow}, now=NOW) as engine:
        await engine.bindings["W"].create({"id": "x"})
        while runs != ["first", 1]:
            await asyncio.sleep(0)
        await engine.store.stored()
        left = kill()
    is_open.set()
    async with engine_on(left, {"W": workflow}, now=NOW) as engine:
        await engine.run_until_idle()
        assert runs == ["first", 1, 2]
        (instance,) = engine.instances
        assert (await (await engine.bindings["W"].get("x")).status())["output"] == "kept!"
        lost = [line for line in history_of(engine.store, instance.row) if line.kind == "ATTEMPT_FAILURE"]
        assert [line.detail["error"]["name"] for line in lost] == ["WorkflowInternalError"]


async def test_sleeps_waits_and_retries_go_on_until_when_they_were_due(path, kill):
    attempts = []

    async def workflow(event, step):
        @step.do("fails", config={"retries": {"limit": 1, "delay": "3 hours", "backoff": "constant"}})
        async def fails():
            attempts.append(event["instanceId"])
            if len(attempts) == 1:
                raise ValueError("once")

        async def waits():
            try:
                await step.wait_for_event("word", "word", timeout="4 hours")
            except Exception as error:
                return type(error).__name__

        await asyncio.gather(step.sleep("short", "1 hour"), step.sleep("long", "5 hours"), fails(), waits())

    async with engine_on(path, {"W": workflow}, now=NOW) as engine:
        await engine.bindings["W"].create({"id": "x"})
        await engine.settle()
        await engine.store.stored()
        assert attempts == ["x"]
        left = kill()
    async with engine_on(left, {"W": workflow}, now=LATER) as engine:
        await engine.run_until_idle()
        (instance,) = engine.instances
        ends = {
            line.kind: line.at.hour
            for line in history_of(engine.store, instance.row)
            if line.step and "-1" in line.step
        }
        slept = [line.at.hour for line in history_of(engine.store, instance.row) if line.kind == "SLEEP_COMPLETE"]
        assert slept == [2, 5]  # the short one was over when the process began
        assert (ends["STEP_SUCCESS"], ends["WAIT_TIMED_OUT"]) == (3, 4)
        assert instance.status == "complete"


async def test_events_that_nothing_has_taken_are_there_again(path, kill):
    async def workflow(event, step):
        await step.sleep("nap", "1 hour")
        return [(await step.wait_for_event(f"w{n}", "word"))["payload"] for n in range(2)]

    async with engine_on(path, {"W": workflow}, now=NOW) as engine:
        handle = await engine.bindings["W"].create({"id": "x"})
        for payload in ("one", "two"):
            await handle.send_event({"type": "word", "payload": payload})
        left = kill()
    async with engine_on(left, {"W": workflow}, now=NOW) as engine:
        await (await engine.bindings["W"].get("x")).send_event({"type": "word", "payload": "three"})
        await engine.run_until_idle()
        assert (await (await engine.bindings["W"].get("x")).status())["output"] == ["one", "two"]
        assert engine.take_findings() == []  # nothing is wrong with their order


async def test_what_is_paused_stays_so_and_its_timers_go_on_from_where_they_were(path, kill):
    async def workflow(event, step):
        await step.sleep("nap", "3 hours")
        return "awake"

    async with engine_on(path, {"W": workflow}, now=NOW) as engine:
        handle = await engine.bindings["W"].create({"id": "x"})
        await engine.advance("1 hour")
        await handle.pause()
        left = kill()
    async with engine_on(left, {"W": workflow}, now="2026-01-02T00:00:00Z") as engine:
        await engine.run_until_idle()
        assert await statuses(engine) == {"x": "paused"}
        handle = await engine.bindings["W"].get("x")
        await handle.resume()
        await engine.run_until_idle()
        assert engine.clock.now == datetime.datetime(2026, 1, 2, 2, tzinfo=datetime.UTC)
        assert (await handle.status())["output"] == "awake"


async def test_what_was_on_its_way_to_a_pause_is_paused(path, kill):
    async def workflow(event, step):
        await step.do("hangs")(asyncio.Event().wait)()

    async with engine_on(path, {"W": workflow}, now=NOW) as engine:
        handle = await engine.bindings["W"].create({"id": "x"})
        await engine.settle(most=50)
        await handle.pause()
        assert await statuses(engine) == {"x": "waitingForPause"}
        left = kill()
    async with engine_on(left, {"W": workflow}, now=NOW) as engine:
        assert await statuses(engine) == {"x": "paused"}


async def test_queued_instances_begin_in_their_order_and_those_under_way_keep_their_slots(path, kill):
    begun = []

    async def workflow(event, step):
        begun.append(event["instanceId"])
        await step.sleep("nap", "1 hour")

    workflows = {"W": (workflow, {"concurrency": 2})}
    async with engine_on(path, workflows, now=NOW) as engine:
        binding = engine.bindings["W"]
        handles = {id: await binding.create({"id": id}) for id in "abcdef"}
        await engine.settle()
        await handles["c"].pause()
        await handles["c"].resume()  # it has lost its place
        await handles["a"].pause()  # it keeps its slot
        await handles["f"].pause()
        assert begun == ["a", "b"]
        left = kill()
    begun.clear()
    async with engine_on(left, workflows, now=NOW) as engine:
        await engine.settle()
        assert begun == ["b"]
        assert await statuses(engine) == {
            "a": "paused", "b": "waiting", "c": "queued", "d": "queued", "e": "queued", "f": "paused",
        }  # fmt: skip
        await engine.run_until_idle()
        assert begun == ["b", "d", "e", "c"]
        await (await engine.bindings["W"].get("a")).resume()
        await (await engine.bindings["W"].get("f")).resume()
        await engine.run_until_idle()
        assert begun == ["b", "d", "e", "c", "a", "f"]


async def test_one_that_was_paused_while_it_was_queued_anew_has_no_slot_in_the_next_process(path, kill):
    async def workflow(event, step):
        await step.sleep("nap", "1 hour")

    workflows = {"W": (workflow, {"concurrency": 1})}
    async with engine_on(path, workflows, now=NOW) as engine:
        first = await engine.bindings["W"].create({"id": "first"})
        await engine.run_until_idle()
        await engine.bindings["W"].create({"id": "second"})
        await engine.settle()
        await first.restart({"from": {"name": "nap", "type": "sleep"}})
        await first.pause()
        await engine.bindings["W"].create({"id": "third"})
        left = kill()
    async with engine_on(left, workflows, now=NOW) as engine:
        await engine.run_until_idle()
        assert await statuses(engine) == {"first": "paused", "second": "complete", "third": "complete"}


@pytest.mark.parametrize("limit", [1, 2])
async def test_fewer_slots_in_the_next_process_let_nobody_start_before_enough_have_ended(path, kill, limit):
    async def workflow(event, step):
        await step.wait_for_event("word", "word")

    async with engine_on(path, {"W": (workflow, {"concurrency": 3})}, now=NOW) as engine:
        for id in "abcdefgh":
            await engine.bindings["W"].create({"id": id})
        await engine.settle()
        left = kill()
    async with engine_on(left, {"W": (workflow, {"concurrency": limit})}, now=NOW) as engine:
        await engine.settle()
        for ended, running in (("a", 2), ("b", max(1, limit)), ("c", limit)):
            await (await engine.bindings["W"].get(ended)).send_event({"type": "word"})
            await engine.settle()
            under_way = [one for one in (await statuses(engine)).values() if one not in ("queued", "complete")]
            assert len(under_way) == running


async def test_one_that_was_resumed_and_queued_goes_on_and_does_not_begin_again(path, kill):
    async def workflow(event, step):
        await step.sleep("nap", "1 hour")

    workflows = {"W": (workflow, {"concurrency": 1})}
    async with engine_on(path, workflows, now=NOW) as engine:
        binding = engine.bindings["W"]
        first = await binding.create({"id": "first"})
        await engine.settle()
        await binding.create({"id": "second"})
        await engine.advance("1 minute")
        await first.restart({"from": {"name": "nap", "type": "sleep"}})
        left = kill()
    async with engine_on(left, workflows, now=NOW) as engine:
        await engine.run_until_idle()
        kinds = [line.kind for line in history_of(engine.store, engine.instances[0].row)]
        assert kinds.count("WORKFLOW_START") == 1
        assert await statuses(engine) == {"first": "complete", "second": "complete"}


async def test_one_that_was_restarted_from_a_step_and_queued_does_not_begin_again(path, kill):
    async def workflow(event, step):
        await step.sleep("nap", "1 hour")

    workflows = {"W": (workflow, {"concurrency": 1})}
    async with engine_on(path, workflows, now=NOW) as engine:
        binding = engine.bindings["W"]
        first = await binding.create({"id": "first"})
        await engine.run_until_idle()
        await binding.create({"id": "second"})
        await first.restart({"from": {"name": "nap", "type": "sleep"}})
        assert (await first.status())["status"] == "queued"
        await engine.store.stored()
        left = kill()
    async with engine_on(left, workflows, now=NOW) as engine:
        await engine.run_until_idle()
        (row,) = (one.row for one in engine.instances if one.id == "first")
        assert [line.kind for line in history_of(engine.store, row)].count("WORKFLOW_START") == 1
        assert await statuses(engine) == {"first": "complete", "second": "complete"}


async def test_what_has_ended_is_there_and_what_is_kept_no_longer_is_not(path, kill):
    async def workflow(event, step):
        return "done"

    async with engine_on(path, {"W": workflow}, now=NOW) as engine:
        await engine.bindings["W"].create({"id": "kept"})
        await engine.bindings["W"].create({"id": "brief", "retention": {"successRetention": "1 hour"}})
        await engine.run_until_idle()
        await engine.store.stored()
        left = kill()
    async with engine_on(left, {"W": workflow}, now=LATER) as engine:
        assert await statuses(engine) == {"kept": "complete"}
        with pytest.raises(JsException, match="already"):
            await engine.bindings["W"].create({"id": "kept"})
        await engine.bindings["W"].create({"id": "brief"})


async def test_a_new_process_makes_ids_that_no_earlier_one_has_made(path, kill):
    async def workflow(event, step):
        pass

    made = []
    for _ in range(3):
        async with engine_on(path, {"W": workflow}, now=NOW) as engine:
            made += [(await engine.bindings["W"].create()).id for _ in range(3)]
    assert len(set(made)) == 9


async def test_a_workflow_that_is_bound_later_goes_on_then_and_one_that_is_not_bound_stays_stored(path, kill):
    async def workflow(event, step):
        await step.sleep("nap", "1 hour")

    async with engine_on(path, {"A": workflow, "B": workflow, "C": workflow}, now=NOW) as engine:
        for name in "ABC":
            await engine.bindings[name].create({"id": name})
        left = kill()
    async with engine_on(left, {"A": workflow}, now=NOW) as engine:
        await engine.run_until_idle()
        assert await statuses(engine) == {"A": "complete"}
        engine.bind("B", workflow)
        await engine.run_until_idle()
        assert await statuses(engine) == {"A": "complete", "B": "complete"}
        assert engine.store.find_instance("C", "C").status == "running"


async def test_a_store_in_memory_is_recovered_as_well():
    async def workflow(event, step):
        await step.sleep("nap", "1 hour")
        return "awake"

    async with Engine(now=NOW) as first:
        first.bind("W", workflow, concurrency=1)
        for id in ("x", "y"):
            await first.bindings["W"].create({"id": id})
        await first.settle()
        first.stop()
        async with Engine(now=NOW, store=first.store) as second:
            second.bind("W", workflow, concurrency=1)
            second.recover()
            await second.run_until_idle()
            assert await statuses(second) == {"x": "complete", "y": "complete"}


async def test_a_closed_engine_recovers_nothing(path):
    async with opened(path) as store:
        engine = Engine(store=store)
        engine.close()
        with pytest.raises(EngineClosedError):
            engine.recover()


async def test_an_engine_that_stops_leaves_what_is_stored(path):
    async def workflow(event, step):
        await step.sleep("nap", "1 hour")

    store = await DiskStore.open(path)
    async with Engine(now=NOW, store=store) as engine:
        engine.bind("W", workflow)
        await engine.bindings["W"].create({"id": "x"})
        await engine.settle()
    await store.aclose()
    async with engine_on(path, {"W": workflow}, now=NOW) as engine:
        await engine.run_until_idle()
        assert await statuses(engine) == {"x": "complete"}


async def test_time_that_was_moved_by_hand_stays_moved_and_what_ended_before_expires_then(path, kill):
    async def workflow(event, step):
        await step.sleep("nap", event["payload"]["nap"])

    async with engine_on(path, {"W": workflow}, clock=RealClock()) as engine:
        binding = engine.bindings["W"]
        await binding.create({"id": "short", "params": {"nap": "1 hour"}})
        await binding.create({"id": "long", "params": {"nap": "60 days"}})
        await engine.advance("2 days")
        await engine.store.stored()
        assert await statuses(engine) == {"short": "complete", "long": "waiting"}
        left, now = kill(), engine.clock.now
    async with engine_on(left, {"W": workflow}, clock=RealClock()) as engine:
        assert engine.clock.now >= now
        short, _ = engine.instances
        assert short.find_step(StepKey("sleep", "nap", 1, 3_600_000)) is None  # memory has nothing of its course
        await engine.advance("29 days")
        assert await statuses(engine) == {"long": "waiting"}
        await engine.advance("31 days")
        assert await statuses(engine) == {"long": "complete"}


async def test_a_thousand_outcomes_that_one_commit_stored_are_handed_over_in_small_parts(path):
    ended = []

    async def workflow(event, step):
        await step.do("s")(lambda: 1)()
        ended.append(None)

    async with engine_on(path, {"W": workflow}, clock=RealClock()) as engine:
        await engine.bindings["W"].createBatch([{"id": f"i{number}"} for number in range(100)])
        sizes = [0]
        while len(ended) < 100:
            await asyncio.sleep(0)
            sizes.append(len(ended))
    assert max(after - before for before, after in itertools.pairwise(sizes)) < 100
