"""What the Worker's code uses of what the platform limits: subrequests, processor time, and how long it is kept."""

import asyncio
import contextlib

import pytest

from durable_engine import (
    Engine,
    InstanceUsage,
    JsException,
    Limits,
    Observer,
    Stopwatch,
    acting_scope,
    call_bounded,
    count_subrequest,
    current_scope,
    inside_service,
    notify_call,
    untimed,
)
from durable_engine.context import processor_time
from durable_engine.usage import Subrequests

NO_RETRY = {"retries": {"limit": 0, "delay": 0}}
START = "2026-01-01T00:00:00Z"
CONFIGURED = (
    "To configure this limit, refer to https://developers.cloudflare.com/workers/wrangler/configuration/#limits"
)
DAY = 24 * 60 * 60 * 1000


def request(kind="fetch"):
    refused = count_subrequest(kind)
    if refused is not None:
        raise refused


async def errors_of(run, **limits):
    """What an instance ended with, and the engine's notes beside it."""
    async with Engine(now=START, limits=Limits(**limits)) as engine:
        handle = await engine.bind("W", run).create()
        await engine.run_until_idle()
        status = await handle.status()
        return status["status"], [error.__notes__ for error in engine.exceptions.values()], status["error"]


# -- subrequests ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "limits", "text", "what"),
    [
        ("fetch", {"subrequests": 2}, "Too many subrequests by single Worker invocation.", "requests"),
        ("service", {"service_calls": 2}, "Too many API requests by single Worker invocation.", "calls of bindings"),
    ],
)
async def test_the_call_beyond_the_limit_raises_the_platforms_error(kind, limits, text, what):
    made = []

    async def run(event, step):
        for number in range(9):
            request(kind)
            made.append(number)

    status, notes, error = await errors_of(run, **limits)

    assert (status, made) == ("errored", [0, 1])
    assert f"Error: {text} {CONFIGURED}\n" in error["message"] + "\n"
    assert notes == [[f"This execution of the instance has made 2 {what}, and may make no more."]]


async def test_the_kinds_are_counted_apart():
    async def run(event, step):
        request("fetch")
        request("service")

    assert (await errors_of(run, subrequests=1, service_calls=1))[0] == "complete"


async def test_without_a_limit_nothing_is_refused():
    async def run(event, step):
        for _ in range(20_000):
            request("fetch")

    assert (await errors_of(run))[0] == "complete"


async def test_steps_retries_and_sleeps_share_the_count_of_an_instance():
    attempts = []

    async def run(event, step):
        @step.do("first")
        async def first():
            request()

        await first()
        await step.sleep("over night", "1 day")

        @step.do("second", config={"retries": {"limit": 2, "delay": "1 hour"}})
        async def second():
            attempts.append(None)
            request()
            raise ValueError("again")

        await second()

    status, _, error = await errors_of(run, subrequests=3)

    assert (status, len(attempts)) == ("errored", 3)
    assert "Too many subrequests" in error["message"]


async def test_an_execution_that_a_crash_begins_counts_anew():
    async with Engine(now=START, limits=Limits(subrequests=1)) as engine:

        async def run(event, step):
            request()
            await step.sleep("nap", "1 hour")

        binding = engine.bind("W", run)
        handle = await binding.create({"id": "x"})
        await engine.settle()
        engine.crash(binding.workflow, "x")
        await engine.run_until_idle()

        assert (await handle.status())["status"] == "complete"
        assert engine.usage_of(engine.instances[0].row.key).most == {"fetch": 1, "service": 0}


async def test_what_a_lost_execution_still_does_is_counted_for_nobody():
    answers = []

    async with Engine(now=START, limits=Limits(subrequests=1)) as engine:

        async def run(event, step):
            @step.do("crashes")
            def crashes():
                if not answers:
                    engine.crash(binding.workflow, "x")
                answers.append(count_subrequest("fetch"))

            await crashes()

        binding = engine.bind("W", run)
        handle = await binding.create({"id": "x"})
        await engine.run_until_idle()

        assert (await handle.status())["status"] == "complete"
        assert answers == [None, None]


async def test_the_most_of_all_executions_is_what_an_instance_has_used():
    usage = InstanceUsage({"fetch": None, "service": None})
    usage.subrequests.take("fetch")
    usage.subrequests.take("fetch")
    usage.begin()
    usage.subrequests.take("fetch")
    usage.subrequests.take("service")

    assert usage.most == {"fetch": 2, "service": 1}
    usage.begin()
    assert usage.most == {"fetch": 2, "service": 1}


async def test_a_services_own_requests_are_not_the_workers():
    async def run(event, step):
        with inside_service():
            for _ in range(3):
                request()

    assert (await errors_of(run, subrequests=1))[0] == "complete"


async def test_what_a_service_sets_off_is_the_workers_again():
    async with Engine(now=START, limits=Limits(subrequests=1)) as engine:
        acting, refused = [], []

        async def child(event, step):
            acting.append(acting_scope() is not None)
            request()
            request()

        async def method():
            request()
            refused.append(count_subrequest("fetch"))

        async def run(event, step):
            with inside_service():
                await engine.worker_calls.spawn(method(), "Method `add` of COUNTER")
                await children.create()

        children = engine.bind("CHILD", child)
        await engine.bind("W", run).create()
        await engine.run_until_idle()

        assert acting == [True]
        assert "Too many subrequests" in refused[0].message
        assert sorted(instance.row.status for instance in engine.instances) == ["complete", "errored"]


async def test_code_of_the_test_may_make_any_number():
    async with Engine(now=START, limits=Limits(subrequests=1)):
        for _ in range(3):
            request()


async def test_a_replay_counts_nothing():
    replayed = []

    async with Engine(now=START, limits=Limits(subrequests=1)) as engine:

        async def run(event, step):
            replayed.append(current_scope.get().instance.replaying)
            await step.do("first")(lambda: None)()
            request()

        await engine.bind("W", run).create()
        await engine.run_until_idle()
        await engine.check_by_replay(engine.instances[0])

        assert replayed == [False, True]
        assert engine.usage_of(engine.instances[0].row.key).most["fetch"] == 1


async def test_each_call_of_a_handler_has_a_count_of_its_own():
    async with Engine(now=START, limits=Limits(subrequests=2)) as engine:

        async def handler(times):
            for _ in range(times):
                request()

        for _ in range(3):
            await call_bounded(engine, "The fetch handler", lambda: handler(2))
        with pytest.raises(JsException, match="Too many subrequests") as caught:
            await call_bounded(engine, "The fetch handler", lambda: handler(3))

        assert caught.value.__notes__ == ["The fetch handler has made 2 requests, and may make no more."]


async def test_what_time_or_a_call_sets_off_has_a_count_of_its_own():
    async with Engine(now=START, limits=Limits(subrequests=1)) as engine:

        async def work():
            request()
            return "done"

        async def handler():
            request()
            return await engine.worker_calls.spawn(work(), "Method `add` of COUNTER")

        assert await call_bounded(engine, "The fetch handler", handler) == "done"


async def test_calls_of_a_workflows_binding_and_handle_count_as_calls_of_services():
    async with Engine(now=START, limits=Limits(service_calls=2)) as engine:
        child = engine.bind("CHILD", lambda event, step: None)
        caught = []

        async def run(event, step):
            handle = await child.create({"id": "one"})
            await handle.status()
            try:
                await child.create({"id": "two"})
            except JsException as error:
                caught.append(error.message)

        await engine.bind("W", run).create()
        await engine.run_until_idle()

        assert caught == [f"Too many API requests by single Worker invocation. {CONFIGURED}"]
        assert [instance.id for instance in engine.instances if instance.workflow is child.workflow] == ["one"]


def test_a_count_says_whether_there_is_one_left():
    count = Subrequests({"fetch": 1, "service": None})

    assert count.has_left("fetch")
    assert count.take("fetch")
    assert not count.has_left("fetch")
    assert not count.take("fetch")
    assert count.has_left("service")
    assert count.made == {"fetch": 1, "service": 0}


# -- steps of a run --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("asked", "limits", "meant"),
    [
        (None, {}, 10_000),
        (None, {"default_steps": 1024}, 1024),
        (20_000, {"default_steps": 1024}, 20_000),
        (20_000, {"most_steps": 1024}, 1024),
        (5, {"most_steps": 1024}, 5),
    ],
)
async def test_a_workflow_has_the_steps_that_it_asks_for_as_far_as_the_limits_allow(asked, limits, meant):
    async with Engine(now=START, limits=Limits(**limits)) as engine:
        assert engine.bind("W", lambda event, step: None, step_limit=asked).workflow.step_limit == meant


# -- how long an instance is kept ------------------------------------------------------------------------------------


async def test_an_instance_that_nobody_keeps_is_gone_for_the_worker_and_not_for_the_test():
    async with Engine(now=START, limits=Limits(kept=3 * DAY)) as engine:
        binding = engine.bind("W", lambda event, step: "done")
        handle = await binding.create({"id": "x"})
        await engine.run_until_idle()
        await engine.advance(3 * DAY - 1)
        assert (await handle.status())["status"] == "complete"

        await engine.advance(1)

        with pytest.raises(JsException, match=r"instance\.not_found") as caught:
            await handle.status()
        assert caught.value.__notes__ == [
            "Instance 'x' ended 3 days ago or earlier, and nobody said for how long it is kept: `retention` of create does, "
            "or default_retention of the wrangler configuration."
        ]
        with pytest.raises(JsException, match=r"instance\.not_found"):
            await binding.get("x")
        assert [instance.id for instance in engine.instances] == ["x"]
        assert engine.find(binding.workflow, "x") is not None


async def test_the_id_of_an_instance_that_is_kept_no_longer_is_free():
    async with Engine(now=START, limits=Limits(kept=3 * DAY)) as engine:
        binding = engine.bind("W", lambda event, step: event["payload"])
        await binding.create({"id": "x", "params": 1})
        await engine.run_until_idle()
        await engine.advance(3 * DAY)

        again = await binding.create({"id": "x", "params": 2})
        await engine.run_until_idle()

        assert (await again.status())["output"] == 2


async def test_an_instance_that_has_not_ended_is_kept():
    async with Engine(now=START, limits=Limits(kept=DAY)) as engine:

        async def run(event, step):
            await step.sleep("long", "30 days")

        handle = await engine.bind("W", run).create()
        await engine.advance(10 * DAY)

        assert (await handle.status())["status"] == "waiting"


async def test_the_longest_retention_cuts_what_is_asked_for():
    async with Engine(now=START, limits=Limits(longest_kept=2 * DAY)) as engine:
        binding = engine.bind("W", lambda event, step: "done")
        handle = await binding.create({"retention": {"successRetention": "30 days"}})
        await engine.run_until_idle()
        await engine.advance(2 * DAY)

        with pytest.raises(JsException, match=r"instance\.not_found"):
            await handle.status()


# -- processor time --------------------------------------------------------------------------------------------------


@pytest.fixture
def processor(monkeypatch):
    """The processor's clock, which code moves by hand."""

    class Processor:
        ns = 0

        def work(self, ms):
            self.ns += ms * 1_000_000

    made = Processor()
    monkeypatch.setattr(processor_time, "thread_time_ns", lambda: made.ns)
    return made


async def cpu_of(run):
    async with Engine(now=START) as engine:
        await engine.bind("W", run).create()
        await engine.run_until_idle()
        usage = engine.usage_of(engine.instances[0].row.key)
        return {key.label: ns // 1_000_000 for key, ns in usage.cpu_ns.items()}


async def test_a_steps_own_work_is_measured_plain_and_async_with_what_it_awaits(processor):
    async def run(event, step):
        await step.do("plain")(lambda: processor.work(3))()

        @step.do("async")
        async def callback():
            processor.work(5)
            await asyncio.sleep(0)
            await deeper()

        async def deeper():
            processor.work(7)

        await callback()

    assert await cpu_of(run) == {"plain-1": 3, "async-1": 12}


async def test_what_else_runs_while_a_step_waits_is_not_its_work(processor):
    async def run(event, step):
        @step.do("idle")
        async def idle():
            for _ in range(5):
                await asyncio.sleep(0)

        @step.do("busy")
        async def busy():
            for _ in range(5):
                processor.work(2)
                await asyncio.sleep(0)

        await asyncio.gather(idle(), busy())

    assert await cpu_of(run) == {"idle-1": 0, "busy-1": 10}


async def test_a_stand_ins_work_is_not_the_steps(processor):
    async def answer():
        processor.work(50)
        await asyncio.sleep(0)
        processor.work(50)
        return "row"

    async def run(event, step):
        @step.do("query")
        async def query():
            processor.work(1)
            Stopwatch().run(processor.work, 40)
            row = await untimed(answer())
            processor.work(2)
            return row

        assert await query() == "row"

    assert await cpu_of(run) == {"query-1": 3}


async def test_the_attempt_that_took_most_is_what_a_step_has_used(processor):
    costs = [9, 4]

    async def run(event, step):
        @step.do("twice", config={"retries": {"limit": 1, "delay": 0}})
        async def twice():
            processor.work(costs.pop(0))
            if costs:
                raise ValueError("again")

        await twice()

    assert await cpu_of(run) == {"twice-1": 9}


@pytest.mark.parametrize("seconds", [0, 3600])
async def test_what_is_raised_into_a_measured_callback_arrives_there(seconds):
    caught = []

    async def run(event, step):
        @step.do("cancelled", config=NO_RETRY)
        async def cancelled():
            task = asyncio.current_task()
            asyncio.get_running_loop().call_soon(task.cancel)
            try:
                await asyncio.sleep(seconds)
            except asyncio.CancelledError:
                caught.append(acting_scope() is not None)
            return await untimed(Awaited())

        return await cancelled()

    class Awaited:
        def __await__(self):
            yield
            return "went on"

    async with Engine(now=START) as engine:
        handle = await engine.bind("W", run).create()
        await engine.run_until_idle()
        assert (await handle.status())["output"] == "went on"
    assert caught == [True]


def test_the_most_memory_of_a_steps_attempts_is_kept():
    usage = InstanceUsage({"fetch": None, "service": None})
    for grown in (10, 30, 20):
        usage.note_memory("step", grown)

    assert usage.memory == {"step": 30}


async def test_what_observers_do_is_not_the_work_of_the_code_that_they_watch(processor):
    class Slow(Observer):
        def effect(self, instance, effect):
            processor.work(30)

        def binding_called(self, workflow, method, args, kwargs):
            processor.work(30)

        def instance_created(self, instance):
            processor.work(30)

    async with Engine(now=START) as engine:
        engine.observers.add(Slow())
        child = engine.bind("CHILD", lambda event, step: None)

        async def run(event, step):
            @step.do("start")
            async def start():
                notify_call("example.org", "GET /")
                await child.create({"id": "child"})
                await child.create_batch([{"id": "second"}, {"id": "third"}])
                processor.work(1)

            await start()

        handle = await engine.bind("W", run).create({"id": "one"})
        await engine.run_until_idle()

        assert (await handle.status())["status"] == "complete"
        [key] = [one.row.key for one in engine.instances if one.id == "one"]
        assert [ns // 1_000_000 for ns in engine.usage_of(key).cpu_ns.values()] == [1]


async def test_the_first_refusal_of_an_attempt_is_kept_with_its_place():
    async with Engine(now=START, limits=Limits(subrequests=0, service_calls=0)) as engine:

        async def run(event, step):
            @step.do("both")
            async def both():
                for kind in ("service", "fetch"):
                    with contextlib.suppress(JsException):
                        request(kind)

            await both()
            with contextlib.suppress(JsException):
                request()

        await engine.bind("W", run).create()
        await engine.run_until_idle()

        refused = engine.usage_of(engine.instances[0].row.key).refused
        assert [(step and step.label, attempt, kind) for (step, attempt), (kind, _) in refused.items()] == [
            ("both-1", 1, "service"),
            (None, None, "fetch"),
        ]
        assert {file for _, (file, _) in refused.values()} == {__file__}


# -- awaiting while it is measured ---------------------------------------------------------------------------------


class Turns:
    """An awaitable whose `__await__` gives an iterator that is no generator."""

    def __await__(self):
        return iter([None])


def measured_and_bounded():
    async def bounded(coroutine):
        async with Engine() as engine:
            await call_bounded(engine, "it", lambda: coroutine)

    return [lambda coroutine: untimed(coroutine).__await__(), bounded]


@pytest.mark.parametrize("wrapped", measured_and_bounded(), ids=["measured", "bounded"])
def test_what_is_closed_already_is_closed_with_what_awaits_it(wrapped):
    closed = []

    async def work():
        try:
            await Turns()
        finally:
            closed.append(1)

    async def test():
        coroutine = work()
        awaiting = wrapped(coroutine)
        assert awaiting.send(None) is None
        coroutine.close()  # the garbage collector closes in any order
        awaiting.close()
        awaiting = wrapped(work())
        awaiting.send(None)
        awaiting.close()

    asyncio.run(test())
    assert closed == [1, 1]


async def test_an_iterator_is_awaited_measured_or_not():
    assert await untimed(Turns()) is None
    awaiting = untimed(Turns()).__await__()
    awaiting.send(None)
    awaiting.close()
    awaiting = untimed(Turns()).__await__()
    awaiting.send(None)
    with pytest.raises(ValueError, match="thrown in"):
        awaiting.throw(ValueError("thrown in"))
