"""What the engine says to bad input: at once, what was given, and what it takes instead."""

import datetime
import re

import pytest

from durable_engine import Engine, InvalidArgumentError, JsException, read_now

START = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)


@pytest.fixture
async def engine():
    async with Engine(now=START, timeout=2) as engine:
        yield engine


async def sleeper(event, step):
    await step.sleep("nap", "1 hour")


async def caught_in_run(engine, call):
    """What `call(step)` raises inside `run`."""
    caught = []

    async def workflow(event, step):
        try:
            await call(step)
        except Exception as error:
            caught.append(error)

    await engine.bind("W", workflow).create()
    await engine.run_until_idle()
    return caught[0]


# -- binding ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["", 7, None])
async def test_a_binding_needs_a_name(engine, name):
    with pytest.raises(InvalidArgumentError, match=f"^A binding's name is a text such as 'ORDERS', not {name!r}\\.$"):
        engine.bind(name, sleeper)


async def test_a_binding_name_is_given_once(engine):
    engine.bind("ORDERS", sleeper)

    with pytest.raises(
        InvalidArgumentError, match=r"^The binding 'ORDERS' exists already: <WorkflowBinding 'ORDERS'>\.$"
    ):
        engine.bind("ORDERS", sleeper)


async def test_a_workflow_can_be_called(engine):
    with pytest.raises(
        InvalidArgumentError, match=r"^A workflow is a callable \(event, step\) -> result, not 'run'\.$"
    ):
        engine.bind("ORDERS", "run")


async def test_a_name_of_python_that_a_binding_lacks_is_an_attribute_error_without_advice(engine):
    binding = engine.bind("ORDERS", sleeper)

    with pytest.raises(AttributeError, match=r"^__aenter__$"):
        binding.__aenter__  # noqa: B018


# -- create, create_batch, send_event ---------------------------------------------------------------------------------


@pytest.mark.parametrize("options", ["o-1", ["o-1"], 7])
async def test_create_takes_a_dict(engine, options):
    message = f"create takes a dict of options, not {type(options).__name__}: {options!r}"

    with pytest.raises(InvalidArgumentError, match=f"^{re.escape(message)}$"):
        await engine.bind("ORDERS", sleeper).create(options)


@pytest.mark.parametrize("batch", [{"id": "o-1"}, "o-1", 7, None])
@pytest.mark.parametrize("method", ["create_batch", "createBatch"])
async def test_a_batch_is_a_list_or_one_of_two_objects(engine, batch, method):
    with pytest.raises(JsException) as caught:
        await getattr(engine.bind("ORDERS", sleeper), method)(batch)

    assert str(caught.value) == "Error: WorkflowError: (body) Provided argument is invalid"
    (note,) = caught.value.__notes__
    assert note.startswith("It takes a list of options, {'instances': [{'id': ..., 'params': ...}, ...]} or {'count'")
    assert repr(batch) in note


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"retention": {"foo": 1}}, "retention takes {'successRetention': '1 day', 'errorRetention': '7 days'}, not"),
    ],
)
async def test_options_of_a_batch_that_are_none_are_refused_before_anything_is_created(engine, options, message):
    with pytest.raises(InvalidArgumentError, match=f"^{re.escape(message)}"):
        await engine.bind("ORDERS", sleeper).createBatch({"instances": [{"id": "good"}, options]})

    assert engine.instances == []


@pytest.mark.parametrize("event", [None, {}, {"payload": 1}, {"type": ""}, {"type": 7}])
async def test_send_event_needs_a_type(engine, event):
    handle = await engine.bind("ORDERS", sleeper).create()

    with pytest.raises(InvalidArgumentError, match="send_event needs a 'type', which is a text; got"):
        await handle.send_event(event)


# -- restart ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"step": "nap"}, "restart takes {'from': {...}} or nothing, not {'step': 'nap'}."),
        ({"from": "nap"}, "restart takes {'from': {'name': ..., 'count': 1, 'type': 'do'}}, not 'nap'."),
        ({"from": {"count": 1}}, "restart takes {'from': {'name': ..., 'count': 1, 'type': 'do'}}, not {'count': 1}."),
        (
            {"from": {"name": "nap", "type": "nap"}},
            "'nap' is no type of step to restart from. Use one of: do, sleep, waitForEvent.",
        ),
        ({"from": {"name": "nap", "count": 0}}, "0 is no occurrence of a step; the first one is 1."),
        ({"from": {"name": "nap", "count": True}}, "True is no occurrence of a step; the first one is 1."),
        ({"from": {"name": "nap", "count": "1"}}, "'1' is no occurrence of a step; the first one is 1."),
    ],
)
async def test_a_point_to_restart_from_that_is_none_is_refused_and_changes_nothing(engine, options, message):
    handle = await engine.bind("ORDERS", sleeper).create()
    await engine.advance("1 minute")

    with pytest.raises(InvalidArgumentError, match=f"^{re.escape(message)}$"):
        await handle.restart(options)

    assert (await handle.status())["status"] == "waiting"
    assert [line.kind for line in engine.store.history(1)] == [
        "WORKFLOW_QUEUED",
        "WORKFLOW_START",
        "WORKFLOW_RUNNING",
        "SLEEP_START",
    ]


# -- steps ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("call", "error"),
    [
        (
            lambda step: step.do("s", retries=3),
            TypeError("step.do() got an unexpected keyword argument 'retries'"),
        ),
        (
            lambda step: step.do(len),
            TypeError("step.do is a decorator with arguments: write @step.do() or @step.do('name')."),
        ),
        (
            lambda step: step.do("s", lambda: 1),
            TypeError("Step.do() takes from 1 to 2 positional arguments but 3 were given"),
        ),
        (lambda step: step.do(7)(lambda: 1), TypeError("A step's name is a str, not int: 7")),
        (lambda step: step.sleep(None, 5), TypeError("A step's name is a str, not NoneType: None")),
        (lambda step: step.wait_for_event(7, "t"), TypeError("A step's name is a str, not int: 7")),
        (
            lambda step: step.wait("w", "t"),
            AttributeError("step has no 'wait'. It has: do, sleep, sleep_until, wait_for_event."),
        ),
    ],
)
async def test_a_step_that_python_would_not_take_either_is_an_error_in_run(engine, call, error):
    def start(step):
        called = call(step)
        return called() if callable(called) else called

    caught = await caught_in_run(engine, start)

    assert type(caught) is type(error)
    assert str(caught) == str(error)


@pytest.mark.parametrize("when", ["tomorrow", None, True, float("nan"), float("inf")])
async def test_a_time_to_sleep_until_that_is_none_fails(engine, when):
    caught = await caught_in_run(engine, lambda step: step.sleep_until("nap", when))

    assert isinstance(caught, JsException)
    assert caught.message.startswith(f"the time of sleep 'nap' is {when!r}, which cannot be read.")


async def test_a_date_to_sleep_until_does_not_even_cross(engine):
    caught = await caught_in_run(engine, lambda step: step.sleep_until("nap", datetime.date(2027, 1, 1)))

    assert isinstance(caught, JsException)
    assert caught.name == "DataCloneError"


# -- a closed engine --------------------------------------------------------------------------------------------------


async def test_closing_and_discarding_after_the_end_is_fine():
    async with Engine(now=START) as engine:
        binding = engine.bind("ORDERS", sleeper)
        handle = await binding.create()

    engine.close()
    engine.discard(binding.workflow, [handle.id])

    assert engine.closed


async def test_what_the_engine_hands_out_shows_what_it_is(engine):
    binding = engine.bind("ORDERS", sleeper)
    handle = await binding.create({"id": "o-1"})
    await engine.advance(0)

    assert repr(binding) == "<WorkflowBinding 'ORDERS'>"
    assert repr(handle) == "<WorkflowInstance 'o-1' of 'ORDERS'>"
    assert repr(engine.instances) == "[<Instance 'o-1' of 'ORDERS': waiting>]"


async def a_parameter_of_another_name(step):
    @step.do("load asset")
    async def load_asset():
        return 1

    @step.do("save")
    async def save(load_asset):
        return load_asset

    await save()


async def a_parameter_of_no_name(step):
    @step.do("save")
    async def save(asset):
        return asset

    await save()


@pytest.mark.parametrize(
    ("call", "parameter", "note"),
    [
        (
            a_parameter_of_another_name,
            "load_asset",
            "A parameter is named after the step that it depends on, and not after the function: load_asset is the step "
            "'load asset'. Name the step after the function, @step.do(\"load_asset\") or @step.do(), or use its result "
            "inside the callback as a variable of `run`.",
        ),
        (
            a_parameter_of_no_name,
            "asset",
            "A parameter is named after the step that it depends on. Steps declared so far: 'save'.",
        ),
    ],
)
async def test_a_parameter_that_names_no_step_says_which_one_is_meant(engine, call, parameter, note):
    error = await caught_in_run(engine, call)

    assert (type(error), str(error)) == (TypeError, f"Received unexpected parameter {parameter}")
    assert error.__notes__ == [note]


@pytest.mark.parametrize("timeout", [10**400, 10**5000, -(10**5000), float("inf"), 1_000_000_001], ids=range(5))
async def test_a_timeout_that_no_timer_takes_is_an_error(engine, timeout):
    with pytest.raises(InvalidArgumentError, match=r"above 0 and up to 1,000,000,000; this one is beyond that\."):
        await engine.run_until_idle(timeout=timeout)


@pytest.mark.parametrize("now", ["1969-12-31T23:59:59Z", "9000-01-01", "0001-01-01", "9999-12-31T23:59:59.999999"])
def test_a_clock_starts_between_1970_and_the_year_9000(now):
    with pytest.raises(InvalidArgumentError, match="now takes a time from 1970 to the year 9000"):
        read_now(now)


def test_the_first_and_the_last_start_of_a_clock_are_taken():
    assert read_now("1970-01-01") == 0
    assert read_now("8999-12-31T23:59:59.999Z") == 221_845_391_999_999


@pytest.mark.parametrize("limit", [0, 1])
async def test_a_step_that_raises_half_of_a_surrogate_pair_fails_as_any_other(engine, limit):
    async def workflow(event, step):
        @step.do("read", config={"retries": {"limit": limit, "delay": 1}})
        async def read():
            raise ValueError("no file of that name: \udcff.txt")

        try:
            await read()
        except ValueError as error:
            return str(error)

    handle = await engine.bind("W", workflow).create()
    await engine.run_until_idle()

    status = await handle.status()
    assert (status["status"], status["output"]) == ("complete", "ValueError: no file of that name: \\udcff.txt")


async def test_a_wait_for_half_of_a_surrogate_pair_is_one_for_an_event_that_nobody_sends(engine):
    error = await caught_in_run(engine, lambda step: step.wait_for_event("wait", "\ud800", timeout=1000))

    assert "Execution timed out after 1000ms" in str(error)
