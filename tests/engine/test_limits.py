"""The platform's limits, lowered so that a test can meet them; and for how long an ended instance is kept."""

import pytest

from durable_engine import Engine, InvalidArgumentError, JsException, Limits

NO_RETRY = {"retries": {"limit": 0, "delay": 0}}


async def caught_in(workflow, **limits):
    caught = []

    async def run(event, step):
        try:
            await workflow(step)
        except JsException as error:
            caught.append(str(error))

    async with Engine(now="2026-01-01T00:00:00Z", limits=Limits(**limits)) as engine:
        await engine.bind("W", run).create()
        await engine.run_until_idle()
    return caught


async def test_a_result_that_is_too_large_names_limit_size_and_step():
    async def workflow(step):
        await step.do("s", config=NO_RETRY)(lambda: "a" * 200)()

    assert await caught_in(workflow, step_output=100) == [
        "Error: WorkflowInternalError: Step s-1 output is too large. Maximum allowed size is 100 bytes. It is 202 bytes."
    ]


async def test_all_results_of_an_instance_count_against_its_storage():
    async def workflow(step):
        for _ in range(3):
            await step.do("s", config=NO_RETRY)(lambda: "a" * 100)()

    assert await caught_in(workflow, storage=250) == [
        'Error: WorkflowInternalError: Step "s-3" exceeds the storage of the instance. '
        "Maximum allowed size is 250 bytes. It would be 306 bytes."
    ]


async def test_what_an_instance_has_stored_counts_after_a_crash():
    async def workflow(event, step):
        for _ in range(3):
            await step.do("s", config=NO_RETRY)(lambda: "a" * 100)()
            await step.sleep("nap", "1 hour")

    async with Engine(now="2026-01-01T00:00:00Z", limits=Limits(storage=250)) as engine:
        handle = await engine.bind("W", workflow).create()
        await engine.advance("90 minutes")
        engine.crash(engine.instances[0].workflow, handle.id)
        await engine.run_until_idle()

        assert "exceeds the storage" in (await handle.status())["error"]["message"]


async def test_a_sleep_that_is_too_long_names_limit_duration_and_step():
    async def workflow(step):
        await step.sleep("nap", "2 years")

    assert await caught_in(workflow) == [
        'Error: Sleep "nap" is too long: 63115200000ms. Maximum allowed duration is 31536000000ms.'
    ]


async def test_a_step_name_that_is_too_long_names_the_limit():
    async def workflow(step):
        await step.do("abcdef")(lambda: 1)()

    assert await caught_in(workflow, step_name=5) == [
        'Error: Step name "abcdef" exceeds max length (5 chars) or invalid characters found'
    ]


async def test_more_steps_than_a_lifetime_has_are_refused():
    async def workflow(step):
        for _ in range(3):
            await step.do("s")(lambda: 1)()

    assert await caught_in(workflow, steps=2) == [
        "Error: The limit of 2 steps has been reached. This limit can be changed in your worker configuration."
    ]


async def test_an_event_payload_that_is_too_large_is_refused_at_the_call():
    async with Engine(limits=Limits(event_payload=10)) as engine:
        handle = await engine.bind("W", lambda event, step: step.wait_for_event("w", "t")).create()

        with pytest.raises(
            JsException, match=r'event "t" is too large. Maximum allowed size is 10 bytes. It is 21 bytes'
        ):
            await handle.send_event({"type": "t", "payload": "a" * 20})


@pytest.mark.parametrize("options", [{"id": "abcdef"}, {"id": ""}, {"id": "a b"}, {"id": 5}])
async def test_an_id_that_is_not_valid_is_refused(options):
    async with Engine(limits=Limits(instance_id=5)) as engine:
        with pytest.raises(JsException, match="Workflow instance has invalid id"):
            await engine.bind("W", lambda event, step: None).create(options)


async def test_a_batch_that_is_too_large_is_refused():
    async with Engine(limits=Limits(batch=2)) as engine:
        binding = engine.bind("W", lambda event, step: None)

        with pytest.raises(JsException, match="at most 2 instances, got 3"):
            await binding.create_batch([{}, {}, {}])
        with pytest.raises(InvalidArgumentError, match="up to 2 ids"):
            await binding.deleteBatch(["a", "b", "c"])


async def test_an_instance_is_gone_once_its_retention_has_passed():
    async def workflow(event, step):
        if event.payload:
            raise ValueError("no")

    async with Engine(now="2026-01-01T00:00:00Z") as engine:
        binding = engine.bind("W", workflow)
        retention = {"successRetention": "1 day", "errorRetention": "3 days"}
        good = await binding.create({"id": "good", "retention": retention})
        bad = await binding.create({"id": "bad", "params": 1, "retention": retention})
        kept = await binding.create({"id": "kept"})
        await engine.run_until_idle()

        await engine.advance("1 day")
        with pytest.raises(JsException, match=r"instance.not_found"):
            await good.status()
        assert (await bad.status())["status"] == "errored"
        assert [instance.id for instance in engine.instances] == ["bad", "kept"]

        await engine.advance("2 days")
        with pytest.raises(JsException, match=r"instance.not_found"):
            await binding.get("bad")
        assert (await kept.status())["status"] == "complete"
        assert (await binding.create({"id": "good"})).id == "good"


async def test_a_retention_of_none_keeps_the_instance():
    async with Engine() as engine:
        binding = engine.bind("W", lambda event, step: None)
        handle = await binding.create({"retention": {"successRetention": None, "errorRetention": "1 day"}})
        await engine.advance("365 days")

        assert (await handle.status())["status"] == "complete"


async def test_an_instance_that_is_restarted_in_time_is_kept_until_its_new_end():
    async def workflow(event, step):
        await step.sleep("nap", "1 hour")

    async with Engine() as engine:
        binding = engine.bind("W", workflow)
        handle = await binding.create({"id": "x", "retention": {"successRetention": "1 day"}})
        await engine.advance("24 hours")
        await handle.restart()
        await engine.advance("2 hours")

        assert (await handle.status())["status"] == "complete"
        await engine.advance("1 day")
        assert engine.instances == []


@pytest.mark.parametrize(
    "retention", ["1 day", {"success": "1 day"}, {"successRetention": "1 dayz"}, {"errorRetention": -1}]
)
async def test_a_retention_that_cannot_be_read_is_refused(retention):
    async with Engine() as engine:
        with pytest.raises(InvalidArgumentError, match="retention"):
            await engine.bind("W", lambda event, step: None).create({"retention": retention})


@pytest.mark.parametrize("marker", [{"step_output": 100}])
@pytest.mark.workflow(limits={"step_output": 100})
async def test_a_marker_sets_limits(workflow_engine, marker):
    assert workflow_engine.limits == Limits(**marker)
