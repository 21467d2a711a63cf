"""How many instances of a workflow run at a time: further ones are queued, and start in order as others end."""

import pytest

from durable_engine import Engine, InvalidArgumentError, NeverHappensError, history_of
from pytest_workflows import introspect_workflow_instance

NOW = "2026-01-01T00:00:00Z"


async def nap(event, step):
    await step.sleep("nap", "1 hour")
    if event["payload"].get("fails"):
        raise ValueError("as told")
    return event["instanceId"]


async def wait_for_word(event, step):
    await step.wait_for_event("word", "word", timeout="365 days")


def started(engine):
    """When each instance started, in hours."""
    return {
        one.id: [
            (line.at - engine.clock.now.replace(month=1, day=1, hour=0)).total_seconds() / 3600
            for line in history_of(engine.store, one.row)
            if line.kind == "WORKFLOW_START"
        ]
        for one in engine.instances
    }


async def statuses(*handles):
    return [(await handle.status())["status"] for handle in handles]


async def create(binding, *ids, **params):
    return [await binding.create({"id": id, "params": params}) for id in ids]


async def test_further_instances_are_queued_and_start_in_order_as_others_end():
    async with Engine(now=NOW) as engine:
        handles = await create(engine.bind("W", nap, concurrency=2), "a", "b", "c", "d", "e")
        await engine.settle()
        assert await statuses(*handles) == ["waiting", "waiting", "queued", "queued", "queued"]

        await engine.run_until_idle()

        assert await statuses(*handles) == ["complete"] * 5
        assert started(engine) == {"a": [0], "b": [0], "c": [1], "d": [1], "e": [2]}


async def test_history_of_a_queued_instance_shows_when_it_was_queued_and_when_it_started():
    async with Engine(now=NOW) as engine:
        await create(engine.bind("W", nap, concurrency=1), "a", "b")
        await engine.run_until_idle()

        lines = [(line.kind, line.at.hour) for line in history_of(engine.store, engine.instances[1].row)]
        assert [line for line in lines if line[0] in ("WORKFLOW_QUEUED", "WORKFLOW_START")] == [
            ("WORKFLOW_QUEUED", 0),
            ("WORKFLOW_START", 1),
        ]


async def test_an_instance_that_fails_frees_its_slot():
    async with Engine(now=NOW) as engine:
        binding = engine.bind("W", nap, concurrency=1)
        handles = [*await create(binding, "a", fails=True), *await create(binding, "b")]
        await engine.run_until_idle()

        assert await statuses(*handles) == ["errored", "complete"]
        assert started(engine) == {"a": [0], "b": [1]}


@pytest.mark.parametrize("how", ["terminate", "delete", "deleteBatch"])
async def test_an_instance_that_is_ended_or_deleted_frees_its_slot(how):
    async with Engine(now=NOW) as engine:
        binding = engine.bind("W", nap, concurrency=1)
        first, second, third = await create(binding, "a", "b", "c")
        await engine.settle()

        await (binding.deleteBatch(["a"]) if how == "deleteBatch" else getattr(first, how)())
        await engine.settle()

        assert await statuses(second, third) == ["waiting", "queued"]


@pytest.mark.parametrize("how", ["terminate", "delete"])
async def test_a_queued_instance_that_is_ended_or_deleted_never_starts(how):
    async with Engine(now=NOW) as engine:
        first, second, third = await create(engine.bind("W", nap, concurrency=1), "a", "b", "c")
        await getattr(second, how)()
        await engine.run_until_idle()

        assert await statuses(first, third) == ["complete", "complete"]
        assert {id: at for id, at in started(engine).items() if at} == {"a": [0], "c": [1]}


async def test_instances_that_are_deleted_together_do_not_start_one_another():
    async with Engine(now=NOW) as engine:
        binding = engine.bind("W", nap, concurrency=1)
        *_, last = await create(binding, "a", "b", "c")
        engine.discard(binding.workflow, ["a", "b"])
        await engine.settle()

        assert await statuses(last) == ["waiting"]
        assert [one.id for one in engine.instances] == ["c"]


async def test_a_paused_instance_keeps_its_slot():
    async with Engine(now=NOW) as engine:
        first, second = await create(engine.bind("W", nap, concurrency=1), "a", "b")
        await engine.settle()
        await first.pause()
        await engine.run_until_idle()
        assert await statuses(first, second) == ["paused", "queued"]

        await first.resume()
        await engine.run_until_idle()
        assert await statuses(first, second) == ["complete", "complete"]


async def test_a_queued_instance_that_is_paused_queues_anew_when_it_is_resumed():
    async with Engine(now=NOW) as engine:
        _, second, third = await create(engine.bind("W", nap, concurrency=1), "a", "b", "c")
        await second.pause()
        assert await statuses(second, third) == ["paused", "queued"]
        await second.resume()
        assert await statuses(second, third) == ["queued", "queued"]

        await engine.run_until_idle()
        assert started(engine) == {"a": [0], "b": [2], "c": [1]}


async def test_an_instance_that_is_paused_at_once_keeps_its_slot_too():
    async with Engine(now=NOW) as engine:
        first, second = await create(engine.bind("W", nap, concurrency=1), "a", "b")
        await first.pause()
        await engine.settle()
        assert await statuses(first, second) == ["paused", "queued"]

        await first.resume()
        await engine.run_until_idle()
        assert started(engine) == {"a": [0], "b": [1]}


async def test_a_crash_loses_neither_a_slot_nor_a_place_in_the_queue():
    async with Engine(now=NOW) as engine:
        binding = engine.bind("W", nap, concurrency=1)
        await create(binding, "a", "b", "c")
        await engine.settle()
        for id in ("a", "b"):
            engine.crash(binding.workflow, id)
        await engine.run_until_idle()

        assert started(engine) == {"a": [0], "b": [1], "c": [2]}


async def test_a_restarted_instance_keeps_its_slot_and_one_that_had_ended_queues():
    async with Engine(now=NOW) as engine:
        first, second, third = await create(engine.bind("W", nap, concurrency=1), "a", "b", "c")
        await engine.settle()
        await first.restart()
        assert await statuses(second) == ["queued"]
        await engine.advance("1 hour")
        assert await statuses(first, second, third) == ["complete", "waiting", "queued"]

        await first.restart()
        assert await statuses(first) == ["queued"]
        await engine.run_until_idle()
        assert started(engine) == {"a": [3], "b": [1], "c": [2]}


async def test_a_restart_from_a_step_that_has_to_queue_starts_once():
    async with Engine(now=NOW) as engine:
        binding = engine.bind("W", nap, concurrency=1)
        first, second = await create(binding, "a", "b")
        await engine.advance("1 hour")

        await first.restart({"from": {"name": "nap", "type": "sleep"}})
        assert await statuses(first, second) == ["queued", "waiting"]
        engine.crash(binding.workflow, "a")
        await engine.run_until_idle()

        assert await statuses(first, second) == ["complete", "complete"]
        assert started(engine) == {"a": [0], "b": [1]}
        assert engine.clock.now.hour == 3


async def test_limits_of_other_workflows_do_not_matter():
    async with Engine(now=NOW) as engine:
        await create(engine.bind("ONE", nap, concurrency=1), "a")
        await create(engine.bind("OTHER", nap), "a", "b")
        await engine.run_until_idle()

        assert engine.clock.now.hour == 1


async def test_a_wait_that_no_slot_can_ever_end_names_who_holds_it():
    async with Engine(now=NOW) as engine:
        binding = engine.bind("W", nap, concurrency=1)
        first, _ = await create(binding, "a", "b")
        await engine.settle()
        await first.pause()

        async with introspect_workflow_instance(binding, "b") as second:
            assert second.steps == []
            with pytest.raises(NeverHappensError) as caught:
                await second.wait_for_status("complete")

        assert str(caught.value).splitlines()[:2] == [
            "Waiting for status 'complete' of instance 'b' of 'W'.",
            "It is queued: concurrency.limit lets 1 instance(s) of 'W' run at a time, and the slots are held by 'a' "
            "(paused). Bring one of them to its end, or delete it.",
        ]


async def test_a_wait_for_an_instance_that_holds_a_slot_says_nothing_of_slots():
    async with Engine(now=NOW) as engine:
        binding = engine.bind("W", nap, concurrency=1)
        first, _ = await create(binding, "a", "b")
        await engine.settle()
        await first.pause()

        async with introspect_workflow_instance(binding, "a") as paused:
            with pytest.raises(NeverHappensError) as caught:
                await paused.wait_for_status("complete")

        assert "It is paused" in str(caught.value)
        assert "slot" not in str(caught.value)


async def test_a_slot_that_an_event_frees_lets_the_next_one_start():
    async with Engine(now=NOW) as engine:
        binding = engine.bind("W", wait_for_word, concurrency=1)
        first, second = await create(binding, "a", "b")
        await engine.settle()
        assert await statuses(first, second) == ["waiting", "queued"]

        await first.send_event({"type": "word"})
        await engine.settle()
        assert await statuses(first, second) == ["complete", "waiting"]


@pytest.mark.parametrize("limit", [0, -1, True, 1.5, "2"])
async def test_a_limit_that_is_none_is_refused(limit):
    async with Engine() as engine:
        with pytest.raises(InvalidArgumentError, match="concurrency is a number of instances from 1 on, or None, not"):
            engine.bind("W", nap, concurrency=limit)


# -- another limit while instances are there ---------------------------------------------------------------------------


def deploy(engine, limit, workflow=nap):
    def replace():
        with engine.deploying():
            engine.bind("W", workflow, concurrency=limit)

    engine.lifecycle.deploy(replace)


@pytest.mark.parametrize(("limit", "waiting"), [(1, 1), (2, 2), (4, 4), (None, 5)])
async def test_a_source_with_more_slots_lets_queued_instances_start_at_once_and_in_order(limit, waiting):
    async with Engine(now=NOW) as engine:
        handles = await create(engine.bind("W", nap, concurrency=1), "a", "b", "c", "d", "e")
        await engine.settle()
        deploy(engine, limit)
        await engine.settle()
        assert await statuses(*handles) == ["waiting"] * waiting + ["queued"] * (5 - waiting)

        await engine.run_until_idle()
        assert await statuses(*handles) == ["complete"] * 5


@pytest.mark.parametrize("before", [3, None])
async def test_a_source_with_fewer_slots_takes_none_away_and_gives_none_until_enough_have_ended(before):
    async with Engine(now=NOW) as engine:
        binding = engine.bind("W", wait_for_word, concurrency=before)
        handles = await create(binding, "a", "b", "c")
        await engine.settle()
        await handles[0].pause()
        deploy(engine, 2, wait_for_word)
        handles += await create(binding, "d", "e", "f", "g")
        await engine.settle()
        assert await statuses(*handles) == ["paused", "waiting", "waiting", *["queued"] * 4]

        await handles[1].send_event({"type": "word"})
        await engine.settle()
        assert await statuses(*handles) == ["paused", "complete", "waiting", *["queued"] * 4]

        await handles[2].send_event({"type": "word"})
        await engine.settle()
        assert await statuses(*handles) == ["paused", "complete", "complete", "waiting", *["queued"] * 3]
