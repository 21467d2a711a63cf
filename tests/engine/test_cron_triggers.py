"""Instances that a cron trigger makes, and for how long a workflow's instances are kept by default."""

import pytest

from durable_engine import Engine, InvalidArgumentError, JsException, history_of

NOW = "2026-01-01T00:00:00Z"
CRON = "*/15 9-17 * * MON-FRI"


async def tell(event, step):
    return {"keys": list(event), "schedule": event.get("schedule"), "payload": event["payload"]}


async def fail(event, step):
    raise ValueError("as told")


async def test_the_event_carries_the_schedule():
    async with Engine(now=NOW) as engine:
        binding = engine.bind("W", tell)
        id = engine.lifecycle.create_scheduled(binding.workflow, CRON, 1_767_225_600_000)
        await engine.run_until_idle()

        assert id == f"{CRON}-1767225600000"
        assert (await (await binding.get(id)).status())["output"] == {
            "keys": ["timestamp", "payload", "instanceId", "workflowName", "schedule"],
            "schedule": {"cron": CRON, "scheduledTime": 1_767_225_600_000},
            "payload": {},
        }


async def test_the_schedule_reads_attributes_as_well():
    async def run(event, step):
        return [event.schedule.cron, event["schedule"].scheduledTime]

    async with Engine(now=NOW) as engine:
        binding = engine.bind("W", run)
        handle = await binding.get(engine.lifecycle.create_scheduled(binding.workflow, CRON, 5))
        await engine.run_until_idle()

        assert (await handle.status())["output"] == [CRON, 5]


async def test_an_instance_that_no_cron_made_has_no_schedule():
    async with Engine(now=NOW) as engine:
        handle = await engine.bind("W", tell).create()
        await engine.run_until_idle()

        assert "schedule" not in (await handle.status())["output"]["keys"]


async def test_history_names_what_triggered_an_instance_and_a_restart_keeps_it():
    async with Engine(now=NOW) as engine:
        binding = engine.bind("W", tell)
        made = await binding.create()
        scheduled = await binding.get(engine.lifecycle.create_scheduled(binding.workflow, CRON, 5))
        await engine.run_until_idle()
        await scheduled.restart()
        await engine.run_until_idle()

        sources = [history_of(engine.store, one.row)[0].detail["trigger"]["source"] for one in engine.instances]
        assert sources == [0, "cron"]
        assert (await scheduled.status())["output"]["schedule"]["cron"] == CRON
        assert (await made.status())["status"] == "complete"


async def test_a_trigger_comes_once_at_a_time():
    async with Engine(now=NOW) as engine:
        workflow = engine.bind("W", tell).workflow
        engine.lifecycle.create_scheduled(workflow, CRON, 1_767_225_600_000)

        with pytest.raises(InvalidArgumentError) as caught:
            engine.lifecycle.create_scheduled(workflow, CRON, 1_767_225_600_000)

        assert str(caught.value) == (
            f"The cron '{CRON}' has started 'W' for 2026-01-01T00:00:00+00:00 already: instance "
            f"'{CRON}-1767225600000' exists. A trigger comes once at a time: give another scheduled_time, or move the "
            "clock."
        )


async def test_a_scheduled_instance_can_be_deleted_by_its_id():
    async with Engine(now=NOW) as engine:
        binding = engine.bind("W", tell)
        id = engine.lifecycle.create_scheduled(binding.workflow, CRON, 5)

        assert await binding.deleteBatch([id]) == {"deleted": [{"id": id}], "errors": []}
        with pytest.raises(JsException, match="not_found"):
            await binding.get(id)


# -- retention -------------------------------------------------------------------------------------


async def kept_for(run, default, options):
    """After how many hours an ended instance is gone; None if it stays for 40 days."""
    async with Engine(now=NOW) as engine:
        binding = engine.bind("W", run, retention=default)
        await binding.create({"id": "a", **options})
        await engine.run_until_idle()
        for hour in range(1, 41 * 24):
            await engine.advance("1 hour")
            if not engine.instances:
                return hour
    return None


@pytest.mark.parametrize(
    ("run", "default", "options", "hours"),
    [
        (tell, {"successRetention": "2 hours"}, {}, 2),
        (tell, {"errorRetention": "2 hours"}, {}, None),
        (fail, {"successRetention": "1 hour", "errorRetention": 10_800_000}, {}, 3),
        (tell, {"successRetention": "2 hours"}, {"retention": {"successRetention": "5 hours"}}, 5),
        (tell, {"successRetention": "2 hours"}, {"retention": {"errorRetention": "5 hours"}}, 2),
        (tell, None, {}, None),
    ],
)
async def test_the_default_retention_holds_unless_create_says_otherwise(run, default, options, hours):
    assert await kept_for(run, default, options) == hours


async def test_a_scheduled_instance_is_kept_for_the_default_retention():
    async with Engine(now=NOW) as engine:
        binding = engine.bind("W", tell, retention={"successRetention": "1 hour"})
        engine.lifecycle.create_scheduled(binding.workflow, CRON, 5)
        await engine.run_until_idle()
        await engine.advance("1 hour")

        assert engine.instances == []


async def test_a_default_retention_that_cannot_be_read_is_refused():
    async with Engine() as engine:
        with pytest.raises(InvalidArgumentError, match="retention takes"):
            engine.bind("W", tell, retention={"success_retention": "1 day"})


async def test_who_created_an_instance_is_stored_with_it_where_it_was_neither_a_binding_nor_a_cron():
    async with Engine() as engine:
        binding = engine.bind("ORDERS", lambda event, step: None)
        await binding.create({"id": "mine"})
        await binding.create({"id": "theirs"})

        engine.lifecycle.note_source(binding.workflow, "theirs", "api")
        engine.lifecycle.note_source(binding.workflow, "gone", "api")

        assert [row.source for row in engine.store.all_instances()] == [None, "api"]
