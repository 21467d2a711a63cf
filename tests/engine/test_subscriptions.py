"""`async for event in await handle.subscribe()`: what was, then what comes, until the instance's end."""

import asyncio

import pytest

from durable_engine import Engine, InvalidArgumentError, JsException, NeverHappensError, WaitTimeoutError


@pytest.fixture
async def engine():
    async with Engine(now="2026-01-01T00:00:00Z", timeout=2) as engine:
        yield engine


async def patient(event, step):
    await step.sleep("nap", "1 hour")
    return (await step.wait_for_event("approval", "go", timeout="1 day")).payload


async def types(subscription):
    return [event.type async for event in subscription]


async def test_time_moves_while_the_next_event_is_awaited(engine):
    handle = await engine.bind("W", patient).create()
    seen = []

    async for event in await handle.subscribe():
        seen.append((event.type, (event.timestamp - engine.clock.started_ms) // 1000))
        if event.type == "wait_started":
            await handle.send_event({"type": "go", "payload": "yes"})

    assert seen == [
        ("workflow_queued", 0),
        ("workflow_started", 0),
        ("workflow_running", 0),
        ("sleep_started", 0),
        ("sleep_completed", 3600),
        ("wait_started", 3600),
        ("wait_completed", 3600),
        ("workflow_completed", 3600),
    ]


async def test_an_event_has_the_platforms_keys_in_their_order(engine):
    async def workflow(event, step):
        await step.do("nothing")(lambda: None)()

    handle = await engine.bind("W", workflow).create({"id": "a", "params": {"n": 1}})
    events = [event async for event in await handle.subscribe()]

    assert [event.eventId for event in events] == list(range(1, len(events) + 1))
    assert list(events[1]) == ["instanceId", "eventId", "timestamp", "type", "params"]
    assert (events[1].instanceId, events[1].timestamp, events[1].params.n) == ("a", engine.clock.started_ms, 1)
    completed = events[6]
    assert (completed.type, completed.stepName, "output" in completed) == ("step_completed", "nothing-1", False)
    assert "output" not in events[-1]


async def test_a_delay_function_is_dynamic_and_an_error_is_told(engine):
    async def workflow(event, step):
        @step.do("s", config={"retries": {"limit": 1, "delay": lambda argument: 5}})
        async def s():
            raise ValueError("no")

        try:
            await s()
        finally:
            await step.wait_for_event("w", "t", timeout=5)

    handle = await engine.bind("W", workflow).create()
    events = {event.type: event async for event in await handle.subscribe()}

    assert events["step_started"].config.retries == {"delay": "[dynamic]", "limit": 1, "backoff": "exponential"}
    assert events["attempt_errored"].attempt == 2
    assert events["wait_timed_out"].stepName == "w-1"
    assert events["workflow_errored"].error.name == "Error"


async def test_events_of_a_step_at_work_are_told_while_it_works(engine):
    reached, opened = asyncio.Event(), asyncio.Event()

    async def workflow(event, step):
        async def slow():
            reached.set()
            await opened.wait()

        await step.do("slow")(slow)()

    handle = await engine.bind("W", workflow).create()
    subscription = await handle.subscribe({"filter": ["attempt_started", "attempt_completed"]})
    first = asyncio.ensure_future(anext(subscription))
    await reached.wait()
    assert (await first).type == "attempt_started"
    opened.set()
    assert await types(subscription) == ["attempt_completed"]


async def test_filter_and_cursor_leave_out_what_is_known(engine):
    handle = await engine.bind("W", patient).create()
    await engine.run_until_idle()

    assert await types(await handle.subscribe({"filter": ["sleep_completed"], "cursor": 2})) == ["sleep_completed"]
    assert await types(await handle.subscribe(cursor=5, filter=None)) == [
        "wait_started",
        "wait_timed_out",
        "workflow_errored",
    ]
    assert await types(await handle.subscribe({"cursor": 99})) == []
    assert await types(await handle.subscribe({"filter": []})) == []


@pytest.mark.parametrize(
    ("options", "fact"),
    [
        ({"cursor": -1}, "subscribe takes {'cursor': 0, 'filter': ['step_completed', ...]}, both optional, and the"),
        ({"cursor": True}, "the cursor is an event's id, not True."),
        ({"cursor": "4"}, "the cursor is an event's id, not '4'."),
        ({"filter": "step_completed"}, "the filter is a list of types, not 'step_completed'."),
        (
            {"filter": ["step_done"]},
            "and 'step_done' is no type of event. There are: workflow_queued, workflow_started,",
        ),
        ({"filter": [7]}, "and 7 is no type of event."),
        ({"types": []}, "not 'types'."),
    ],
)
async def test_options_that_are_none_are_refused_as_there_and_a_note_says_why(engine, options, fact):
    handle = await engine.bind("W", patient).create()

    with pytest.raises(JsException) as caught:
        await handle.subscribe(options)

    assert str(caught.value) == "Error: Invalid Workflow subscription options"
    assert fact in caught.value.__notes__[0]


async def test_options_that_are_no_dict_are_refused(engine):
    handle = await engine.bind("W", patient).create()

    with pytest.raises(InvalidArgumentError, match="subscribe takes a dict of options, not int: 4"):
        await handle.subscribe(4)


async def test_rollback_types_are_known_and_never_come(engine):
    handle = await engine.bind("W", lambda event, step: 1).create()

    assert await types(await handle.subscribe({"filter": ["rollback_started", "workflow_waiting"]})) == []


@pytest.mark.parametrize("call", ["restart", "delete"])
async def test_a_subscription_does_not_outlive_its_lifetime(engine, call):
    handle = await engine.bind("W", patient).create()
    subscription = await handle.subscribe()
    assert (await anext(subscription)).type == "workflow_queued"

    await getattr(handle, call)()

    with pytest.raises(JsException) as caught:
        await anext(subscription)
    assert str(caught.value) == f"Error: Aborting engine: User called {call}"
    with pytest.raises(StopAsyncIteration):
        await anext(subscription)


async def test_an_instance_of_the_same_id_is_another_one(engine):
    binding = engine.bind("W", patient)
    subscription = await (await binding.create({"id": "a"})).subscribe()
    await (await binding.get("a")).delete()
    await binding.create({"id": "a"})

    with pytest.raises(JsException, match="User called delete"):
        await anext(subscription)


@pytest.mark.parametrize(("call", "said"), [("restart", "restart"), ("delete", "delete"), ("terminate", None)])
async def test_whoever_waits_hears_of_the_end_of_the_lifetime(call, said):
    async with Engine(now="2026-01-01T00:00:00Z", manual_clock=True) as engine:
        handle = await engine.bind("W", patient).create()
        subscription = await handle.subscribe({"cursor": 4})
        waiting = asyncio.ensure_future(anext(subscription))
        await asyncio.sleep(0)
        await engine.settle()

        await getattr(handle, call)()

        if said is None:
            assert (await waiting).type == "workflow_terminated"
        else:
            with pytest.raises(JsException, match=f"User called {said}"):
                await waiting


async def test_a_subscription_that_waits_for_nothing_ends_with_an_error(engine):
    async def workflow(event, step):
        await step.wait_for_event("w", "t")

    handle = await engine.bind("W", workflow).create({"id": "a"})
    await engine.settle()
    await handle.pause()
    subscription = await handle.subscribe({"filter": ["workflow_completed"]})

    with pytest.raises(NeverHappensError) as caught:
        await anext(subscription)
    assert str(caught.value).startswith(
        "Waiting for the next event of instance 'a' of 'W', which is paused: a subscription ends when the instance does."
    )
    await handle.resume()
    await handle.send_event({"type": "t"})
    assert await types(subscription) == ["workflow_completed"]


async def test_the_wait_for_an_event_is_bounded():
    async with Engine(now="2026-01-01T00:00:00Z", timeout=0.1) as engine:

        async def workflow(event, step):
            await step.do("never")(asyncio.Event().wait)()

        handle = await engine.bind("W", workflow).create({"id": "a"})

        with pytest.raises(WaitTimeoutError, match=r"did not happen within 0\.1 real seconds"):
            await types(await handle.subscribe())


async def test_a_step_follows_another_instance(engine):
    followed = engine.bind("FOLLOWED", patient)

    async def follower(event, step):
        async def follow():
            other = await followed.get("a")
            return [found.type async for found in await other.subscribe({"filter": ["workflow_completed"]})]

        return await step.do("follow")(follow)()

    other = await followed.create({"id": "a"})
    handle = await engine.bind("FOLLOWER", follower).create()
    await engine.settle()
    await engine.advance("1 hour")
    await other.send_event({"type": "go"})
    await engine.run_until_idle()

    assert (await handle.status())["output"] == ["workflow_completed"]


async def test_a_step_that_gave_up_following_is_not_told(engine):
    followed = engine.bind("FOLLOWED", patient)

    async def follower(event, step):
        async def follow():
            other = await followed.get("a")
            try:
                await asyncio.wait_for(anext(await other.subscribe({"cursor": 4})), 0.01)
            except TimeoutError:
                return "gave up"

        return await step.do("follow")(follow)()

    other = await followed.create({"id": "a"})
    handle = await engine.bind("FOLLOWER", follower).create()
    await engine.settle()
    while (await handle.status())["status"] != "complete":
        await asyncio.sleep(0.01)
    await other.terminate()

    assert (await handle.status())["output"] == "gave up"


async def test_a_subscription_says_what_it_is_of(engine):
    handle = await engine.bind("W", patient).create({"id": "a"})

    assert repr(await handle.subscribe()) == "<Subscription to instance 'a' of 'W'>"


async def test_next_gives_what_javascripts_iterators_give(engine):
    async def workflow(event, step):
        return 1

    handle = await engine.bind("W", workflow).create()
    subscription = await handle.subscribe()
    seen = []
    while not (given := await subscription.next())["done"]:
        seen.append(given["value"].type)

    assert seen[-1] == "workflow_completed"
    assert await subscription.next() == {"done": True, "value": None}
