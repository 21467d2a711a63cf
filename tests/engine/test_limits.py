"""The platform's limits, lowered so that a test can meet them; and for how long an ended instance is kept."""

import pytest

from durable_engine import Engine, InvalidArgumentError, JsException, Limits
from pytest_workflows.project.plans import PLANS, limits_of

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


async def ended_with(workflow, **limits):
    """The text and the notes of what escaped from `run`, and what is recorded of it."""
    async with Engine(now="2026-01-01T00:00:00Z", limits=Limits(**limits)) as engine:
        handle = await engine.bind("W", lambda event, step: workflow(step)).create()
        await engine.run_until_idle()
        (error,) = engine.exceptions.values()
        return error.message, error.__notes__, (await handle.status())["error"]["message"]


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


@pytest.mark.parametrize(
    ("name", "fact"), [("abcdef", "The name has 6 characters."), ("a\nb", "The name has a control character: 'a\\nb'.")]
)
async def test_a_step_name_that_is_not_valid_names_the_limit_and_what_is_wrong(name, fact):
    async def workflow(step):
        await step.do(name)(lambda: 1)()

    text = f'Step name "{name}" exceeds max length (5 chars) or invalid characters found'
    assert await caught_in(workflow, step_name=5) == [f"Error: {text}"]
    message, notes, recorded = await ended_with(workflow, step_name=5)
    assert (message, notes) == (text, [fact])
    assert recorded.endswith(f"\n  {fact}\npyodide.ffi.JsException: Error: {text}\n")


async def test_more_steps_than_a_lifetime_has_are_refused_and_the_step_is_named():
    async def workflow(step):
        for number in range(3):
            await step.do(f"s{number}")(lambda: 1)()

    text = "The limit of 2 steps has been reached. This limit can be changed in your worker configuration."
    fact = 'Step "s2" would be number 3.'
    assert await caught_in(workflow, steps=2) == [f"Error: {text}"]
    message, notes, recorded = await ended_with(workflow, steps=2)
    assert (message, notes) == (text, [fact])
    assert recorded.endswith(f"\n  {fact}\npyodide.ffi.JsException: Error: {text}\n")


async def test_what_user_code_notes_of_a_limit_stands_at_the_end_as_python_has_it():
    async def workflow(step):
        try:
            await step.do("s")(lambda: 1)()
        except JsException as error:
            error.add_note("so there")
            raise

    _, _, recorded = await ended_with(workflow, step_name=0)
    assert recorded.endswith("invalid characters found\nso there\n")
    assert recorded.count("The name has 1 characters.") == 1


async def test_an_event_payload_that_is_too_large_is_refused_at_the_call():
    async with Engine(limits=Limits(event_payload=10)) as engine:
        handle = await engine.bind("W", lambda event, step: step.wait_for_event("w", "t")).create()

        with pytest.raises(
            JsException, match=r'event "t" is too large. Maximum allowed size is 10 bytes. It is 21 bytes'
        ):
            await handle.send_event({"type": "t", "payload": "a" * 20})


@pytest.mark.parametrize("size", [20, 2**20 + 1])
async def test_params_that_are_too_large_are_refused_at_the_call(size):
    async with Engine(limits=Limits(event_payload=10) if size == 20 else None) as engine:
        binding = engine.bind("W", lambda event, step: None)
        limit = "10 bytes" if size == 20 else "1MiB"
        reported = f"are too large. Maximum allowed size is {limit}. They are {size + (1 if size == 20 else 5)} bytes."

        for create in (binding.create, lambda options: binding.create_batch([{"id": "a"}, options])):
            with pytest.raises(JsException, match=f'^Error: The params of instance "b" of "W" {reported}$'):
                await create({"id": "b", "params": "x" * size})
            with pytest.raises(JsException, match=f'^Error: The params of a new instance of "W" {reported}$'):
                await create({"params": "x" * size})
        assert engine.instances == []


@pytest.mark.parametrize(
    ("id", "fact"),
    [
        ("abcdef", "'abcdef' has 6 characters, and may have 5."),
        ("", "'' is not made of letters, digits, - and _, or begins with -."),
        ("a b", "'a b' is not made of letters, digits, - and _, or begins with -."),
        (5, "An id is a text, not int: 5."),
        ({"id": "a"}, "An id is a text, not JsDict: {'id': 'a'}."),
    ],
)
async def test_an_id_that_is_not_valid_is_refused_and_a_note_says_why(id, fact):
    async with Engine(limits=Limits(instance_id=5)) as engine:
        binding = engine.bind("W", lambda event, step: None)
        for create in (binding.create, lambda options: binding.create_batch([options])):
            with pytest.raises(JsException) as caught:
                await create({"id": id})
            assert str(caught.value) == "Error: WorkflowError: Workflow instance has invalid id"
            assert caught.value.__notes__ == [fact]


async def test_a_batch_that_is_too_large_is_refused():
    async with Engine(limits=Limits(batch=2)) as engine:
        binding = engine.bind("W", lambda event, step: None)

        with pytest.raises(JsException, match="batchCreate only supports 2 instances at a time") as caught:
            await binding.create_batch([{}, {}, {}])
        assert caught.value.__notes__ == ["There are 3."]
        with pytest.raises(JsException, match="batchDeleteInstances only supports 2 instances at a time") as caught:
            await binding.deleteBatch(["a", "b", "c"])
        assert caught.value.__notes__ == ["There are 3."]


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
    assert workflow_engine.limits == Limits(**{**limits_of(PLANS["paid"], {}), **marker})
