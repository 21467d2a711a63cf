"""Each scenario that was run on the newest engine, written in Python and run on ours."""

import asyncio
import contextlib
import json
import pathlib

import pytest
from workers.workflows import NonRetryableError

from durable_engine import Engine, InvalidArgumentError, JsException

FILE = pathlib.Path(__file__).parent / "golden" / "engine-newest.json"
GOLDEN = {row["id"]: row for row in json.loads(FILE.read_text(encoding="utf-8"))}
SAME = "as observed"
END = ("complete", "errored", "terminated")

WORKFLOWS = {}
SCENARIOS = {}
OTHERS = set()


def workflow(function):
    """A body, by the name that it has in the golden file."""
    WORKFLOWS[function.__name__] = function
    return function


def scenario(function):
    """A scenario that goes as it was observed; what it returns is compared."""
    SCENARIOS[function.__name__] = function
    return function


def other(id, reason):
    """Marks the test of a scenario that goes otherwise here, and why: what the golden file says of it."""

    def mark(test):
        assert GOLDEN[id]["python"] == reason
        OTHERS.add(id)
        return test

    return mark


class Lab:
    """What the scenarios were run with."""

    def __init__(self, engine):
        self.engine = engine
        self.log = []
        self.gate = asyncio.Event()
        self.binding = engine.bind("WF", self._run)

    async def _run(self, event, step):
        return await WORKFLOWS[event.payload.s](self, event, step)

    async def create(self, s, id=None, **params):
        options = {} if id is None else {"id": id}
        return await self.binding.create({**options, "params": {"s": s, **params}})

    async def wait(self, ms):
        await self.engine.advance(ms)

    async def end(self, handle):
        await self.engine.run_until_idle()
        return await status(handle)


async def status(handle):
    """A status as JavaScript writes it: what is undefined there is left out."""
    found = dict(await handle.status())
    if found["error"] is None:
        del found["error"]
    else:
        found["error"] = dict(found["error"])
        found["error"]["message"] = said(found["error"]["message"])
    return found


def said(message):
    """What an error says, without what makes a Python exception of it: `PythonError: Traceback ... ValueError: no`."""
    if not message.startswith("PythonError: "):
        return message
    return message.rstrip().split("\n")[-1].partition(": ")[2].removeprefix("Error: ")


def text(error):
    """`String(error)`."""
    return f"Error: {said(error.message)}"


async def drain(handle, options=None, most=1000):
    found = []
    async for event in await handle.subscribe(options):
        shown = {key: value for key, value in event.items() if key not in ("timestamp", "instanceId", "eventId")}
        if "error" in shown:
            shown["error"] = {**shown["error"], "message": said(shown["error"]["message"])}
        found.append(shown)
        if len(found) == most:
            return found
    return [*found, "(done)"]


async def attempt(awaitable):
    try:
        return await awaitable
    except JsException as error:
        return {"raised": str(error)}


def plain(value):
    """Without the ids of events, and with one order of keys."""
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items() if key != "eventId"}
    return [plain(item) for item in value] if isinstance(value, list) else value


def observed(id):
    return plain(GOLDEN[id]["observed"])


def lines(events):
    return [event if event == "(done)" else f"{event['type']} {event.get('stepName', '')}" for event in events]


def types(events):
    return [event if event == "(done)" else event["type"] for event in events]


@pytest.fixture
async def lab():
    async with Engine(now="2026-01-01T00:00:00Z") as engine:
        yield Lab(engine)


# -- the workflows ----------------------------------------------------------------------------------------------------


def boom():
    raise RuntimeError("boom")


def failing(config):
    """A workflow whose step fails until its retries are used up, and that tells how often it ran."""

    async def body(lab, event, step):
        attempts = []

        @step.do("x", config=config)
        async def x():
            attempts.append(1)
            boom()

        try:
            await x()
        except JsException as error:
            return {"n": len(attempts), "err": text(error)}

    return body


def stepping(name="x", value=1, **options):
    """A workflow of one step."""

    async def body(lab, event, step):
        return await step.do(name, **options)(lambda: value)()

    return body


def failed_by_delay(delay):
    async def body(lab, event, step):
        await step.do("x", config={"retries": {"limit": 1, "delay": delay}})(boom)()

    return body


async def never(argument):
    await asyncio.get_running_loop().create_future()


def no_delay(argument):
    raise RuntimeError("dl")


def retries(limit, delay=1, **others):
    return {"retries": {"limit": limit, "delay": delay, **others}}


WORKFLOWS |= {
    "delayhang": failed_by_delay(never),
    "delaythrow": failed_by_delay(no_delay),
    "fraclimit": failing(retries(1.5, backoff="constant")),
    "zerodelay": failing(retries(2, 0)),
    "fracdelay": failing(retries(1, 1.5, backoff="constant")),
    "longtimeout": stepping(config={**retries(3, "1 second"), "timeout": "400 days"}),
    "ok": stepping("a"),
    "hundredname": stepping("", "empty name ok"),
    "delname": stepping("a\x7fb", "ok"),
    "underscorename": stepping("a_b^c", "ok"),
    "badbackoff": stepping(config=retries(1, backoff="quadratic")),
    "inflimit": stepping(config=retries(float("inf"))),
    "baddelay": stepping(config=retries(1, "abc")),
    "badtimeout": stepping(config={"timeout": "abc"}),
}


@workflow
async def longbackoff(lab, event, step):
    await step.do("x", config=retries(3, "300 days", backoff="exponential"))(boom)()


@workflow
async def longsleep(lab, event, step):
    await step.sleep("s", "366 days")


@workflow
async def longwait(lab, event, step):
    await step.wait_for_event("w", "t", timeout="366 days")


@workflow
async def sleepneg(lab, event, step):
    await step.sleep("s", "-5 seconds")
    return "done"


@workflow
async def sleepnan(lab, event, step):
    await step.sleep("s", "abc")
    return "done"


@workflow
async def sleepnames(lab, event, step):
    await step.sleep("s", 100)
    await step.sleep("s", 200)
    await step.sleep("s", 100)
    return 1


@workflow
async def sleepuntilreplay(lab, event, step):
    await step.sleep_until("s", event.payload.until)
    await step.wait_for_event("w", "go", timeout="1 minute")
    return "done"


@workflow
async def sleepreplay(lab, event, step):
    await step.sleep("s", 50)
    await step.wait_for_event("w", "go", timeout="1 minute")
    return "done"


@workflow
async def eventtwice(lab, event, step):
    first = await step.wait_for_event("w1", "go", timeout="1 minute")
    await step.wait_for_event("mid", "mid", timeout="1 minute")
    try:
        second = (await step.wait_for_event("w2", "go", timeout=300)).payload
    except JsException as error:
        second = str(error)
    return [first.payload, second]


@workflow
async def history(lab, event, step):
    @step.do("a")
    async def a():
        return 5

    @step.do("f", config=retries(1, 10))
    async def f():
        raise RuntimeError("no")

    @step.do("sec", config={"sensitive": "output"})
    async def sec():
        return "top secret"

    r = await a()
    await step.sleep("z", 20)
    await step.wait_for_event("w", "go", timeout="1 minute")
    with contextlib.suppress(JsException):
        await f()
    await sec()
    return {"r": r}


@workflow
async def selfdelete(lab, event, step):
    await step.do("a")(lambda: 1)()
    me = await lab.binding.get(event.instanceId)
    await me.delete()
    lab.log.append("after delete")
    return 1


@workflow
async def big(lab, event, step):
    return len(await step.do("st", config=retries(0))(lambda: "x" * event.payload.n)())


@workflow
async def parkwait(lab, event, step):
    return (await step.wait_for_event("w1", "go", timeout="1 minute")).payload


@workflow
async def slowstep(lab, event, step):
    async def slow():
        await lab.gate.wait()
        return "slow"

    await step.do("slow")(slow)()
    await step.do("after")(lambda: 1)()
    return "done"


@workflow
async def nrerun(lab, event, step):
    await step.do("x")(lambda: 1)()
    raise NonRetryableError("stop")


def timing_out(timeout):
    async def body(lab, event, step):
        try:
            await step.wait_for_event("w", "t", timeout=timeout)
        except JsException as error:
            return str(error)

    return body


WORKFLOWS |= {
    "waitzero": timing_out("0 seconds"),
    "waitneg": timing_out("-5 seconds"),
    "waitbad": timing_out("abc"),
}


@workflow
async def unawaited(lab, event, step):
    step.do("x")(lambda: 1)()
    return "done"


@workflow
async def keepsleep(lab, event, step):
    asleep = step.sleep("long", 2500)
    await step.do("a")(lambda: 1)()
    await step.do("b")(lambda: 2)()
    await step.wait_for_event("w", "go", timeout="1 minute")
    await asleep
    return "done"


@workflow
async def many(lab, event, step):
    await step.wait_for_event("start", "start", timeout="1 minute")
    return [(await step.wait_for_event("w", "n", timeout=500)).payload for _ in range(12)]


@workflow
async def mutevent(lab, event, step):
    event.payload.x = 1
    event.payload = {"y": 2}
    return event.payload


@workflow
async def rollback(lab, event, step):
    return step.with_rollback


@workflow
async def nocb(lab, event, step):
    return await step.do("x", config={})


@workflow
async def runthrow(lab, event, step):
    raise "just text"  # noqa: B016


# -- as observed ------------------------------------------------------------------------------------------------------


def to_the_end(id):
    """A scenario of one instance, which is created and ends."""

    async def play(lab):
        return await lab.end(await lab.create(id))

    SCENARIOS[id] = play


for one in GOLDEN.values():
    if one["test"] == "create it, and wait for its end: status()" and one["python"] == SAME and one["id"] != "nrerun":
        to_the_end(one["id"])


@scenario
async def delayhang(lab):
    before = lab.engine.clock.now
    st = await lab.end(await lab.create("delayhang"))
    return {"st": st, "secs": (lab.engine.clock.now - before).seconds}


@scenario
async def longbackoff(lab):  # noqa: F811
    return await drain(await lab.create("longbackoff"), {"filter": ["attempt_errored"]}, 1)


@scenario
async def sleepnames(lab):  # noqa: F811
    handle = await lab.create("sleepnames")
    await lab.end(handle)
    return await drain(handle, {"filter": ["sleep_started", "sleep_completed"]})


async def paused_and_resumed(lab, handle, before, after):
    await lab.wait(before)
    await handle.pause()
    p = (await handle.status()).status
    await handle.resume()
    await lab.wait(after)
    return p


@scenario
async def sleepreplay(lab):  # noqa: F811
    handle = await lab.create("sleepreplay")
    p = await paused_and_resumed(lab, handle, 300, 200)
    await handle.send_event({"type": "go", "payload": 1})
    return {"p": p, "st": await lab.end(handle), "h": await drain(handle)}


@scenario
async def eventnopause(lab):
    handle = await lab.create("eventtwice")
    await lab.wait(100)
    await handle.send_event({"type": "go", "payload": "first"})
    await lab.wait(100)
    await handle.send_event({"type": "mid", "payload": 0})
    return await lab.end(handle)


@scenario
async def history(lab):  # noqa: F811
    handle = await lab.create("history")
    await paused_and_resumed(lab, handle, 200, 150)
    await handle.send_event({"type": "go", "payload": 7})
    await lab.end(handle)
    return await drain(handle)


@scenario
async def subfilter(lab):
    handle = await lab.create("ok")
    await lab.end(handle)
    return {
        "all": await drain(handle),
        "filtered": await drain(handle, {"filter": ["step_completed"]}),
        "cursor": await drain(handle, {"cursor": 4}),
        "badopt": await attempt(drain(handle, {"cursor": -1})),
        "badfilter": await attempt(drain(handle, {"filter": ["nope"]})),
        "unknownkey": await attempt(drain(handle, {"x": 1})),
        "after": await drain(handle, {"cursor": 99}),
    }


@scenario
async def subrestart(lab):
    handle = await lab.create("ok")
    await lab.end(handle)
    await handle.restart()
    await lab.end(handle)
    return await drain(handle)


@scenario
async def submissing(lab):
    handle = await lab.create("ok")
    await lab.end(handle)
    await handle.delete()
    return await attempt(drain(handle))


@scenario
async def deletebatch(lab):
    delete = lab.binding.deleteBatch
    for id in ("d1", "d2"):
        await lab.end(await lab.create("ok", id))
    return {
        "dup": await delete(["d1", "d1", "nope"]),
        "again": await delete(["d1"]),
        "empty": await attempt(delete([])),
        "invalid": await attempt(delete(["d2", "a b!"])),
        "d2still": (await lab.binding.get("d2")).id,
        "cronid": await delete(["a */#,-b"]),
        "nonstr": await attempt(delete([5])),
        "many": await attempt(delete([f"x{number}" for number in range(101)])),
        "notlist": await attempt(delete("d2")),
    }


@scenario
async def dele(lab):
    handle = await lab.create("ok", "e1")
    await lab.end(handle)
    await handle.delete()
    calls = {"again": "delete", "status": "status", "pause": "pause", "resume": "resume", "restart": "restart"}
    found = {key: await attempt(getattr(handle, name)()) for key, name in calls.items()}
    found["term"] = await attempt(handle.terminate())
    found["send"] = await attempt(handle.send_event({"type": "t", "payload": 1}))
    return {**found, "recreate": (await lab.create("ok", "e1")).id}


SCENARIOS["del"] = SCENARIOS.pop("dele")


@scenario
async def selfdelete(lab):  # noqa: F811
    handle = await lab.create("selfdelete", "sd")
    await lab.wait(700)
    return {"st": await attempt(handle.status()), "log": lab.log}


def shown_id(handle):
    return "uuid" if len(handle.id) > 30 else handle.id


@scenario
async def batchlegacy(lab):
    params = {"params": {"s": "ok"}}
    create_batch = lab.binding.create_batch
    first = await create_batch([{"id": "b1", **params}])
    second = await create_batch([{"id": "b1", **params}, {"id": "b2", **params}, {"id": "b2", **params}, params])
    found = {
        "first": [handle.id for handle in first],
        "second": [shown_id(handle) for handle in second],
        "empty": await attempt(create_batch([])),
        "many": await attempt(create_batch([params] * 101)),
        "invalid": await attempt(create_batch([{"id": "good1", **params}, {"id": "-bad"}])),
    }
    good = await attempt(lab.binding.get("good1"))
    found["good1"] = "not created" if good == {"raised": "Error: instance.not_found"} else good
    found["reserved"] = len(await create_batch([{"id": "batch", **params}]))
    return found


@scenario
async def batchobject(lab):
    params = {"params": {"s": "ok"}}
    await lab.create("ok", "o1")

    async def batch(options):
        answer = await attempt(lab.binding.createBatch(options))
        if "raised" in answer:
            return answer
        return {"created": [shown_id(handle) for handle in answer.created], "errors": answer.errors}

    given = {
        "count": {"count": 2, **params},
        "inst": {"instances": [{"id": id, **params} for id in ("o1", "o2", "o2")]},
        "zero": {"count": 0},
        "neg": {"count": -1},
        "frac": {"count": 1.5},
        "many": {"count": 101},
        "empty": {"instances": []},
        "manyinst": {"instances": [{}] * 101},
        "reserved": {"instances": [{"id": "batch"}]},
        "badid": {"instances": [{"id": "-x"}]},
        "badret": {"instances": [{"id": "o5", "retention": {"successRetention": "abc"}}]},
        "badloc": {"instances": [{"id": "o6", "locationHint": "moon"}]},
        "nothing": {},
        "str": "x",
        "nul": None,
        "both": {"count": 1, "instances": [{"id": "o7", **params}], **params},
    }
    return {name: await batch(options) for name, options in given.items()}


@scenario
async def dupafterdelete(lab):
    await lab.create("ok", "q1")
    return await attempt(lab.create("ok", "q1"))


@scenario
async def getodd(lab):
    get = lab.binding.get
    return {"num": await attempt(get(5)), "undef": await attempt(get()), "empty": await attempt(get(""))}


@scenario
async def restartfrom(lab):
    handle = await lab.create("history")
    await lab.wait(200)
    await handle.send_event({"type": "go", "payload": 7})
    await lab.end(handle)

    def restart(**point):
        return handle.restart({"from": point})

    found = {
        "bad": await attempt(restart(name="nope")),
        "badtype": await attempt(restart(name="a", type="sleep")),
        "badc": await attempt(restart(name="a", count=2)),
    }
    await restart(name="f")
    st = await lab.end(handle)
    return {**found, "st": st["status"], "h": lines(await drain(handle))}


@scenario
async def terminatehist(lab):
    handle = await lab.create("parkwait")
    await lab.wait(100)
    await handle.terminate()
    return {
        "st": await status(handle),
        "again": await attempt(handle.terminate()),
        "h": types(await drain(handle)),
    }


@scenario
async def pauserunning(lab):
    handle = await lab.create("slowstep")
    await lab.wait(150)
    await handle.pause()
    a = (await handle.status()).status
    lab.gate.set()
    await lab.engine.run_until_idle()
    b = (await handle.status()).status
    await handle.terminate()
    return {"a": a, "b": b, "after": (await handle.status()).status}


@scenario
async def manynopause(lab):
    handle = await lab.create("many")
    await lab.wait(100)
    for number in range(12):
        await handle.send_event({"type": "n", "payload": number})
    await handle.send_event({"type": "start", "payload": 0})
    return (await lab.end(handle))["output"]


@scenario
async def statusfresh(lab):
    handle = await lab.create("slowstep")
    found = (await handle.status()).status
    await handle.terminate()
    return found


@pytest.mark.parametrize("id", [id for id, row in GOLDEN.items() if row["python"] == SAME and id != "nrerun"])
async def test_it_goes_as_on_the_newest_engine(lab, id):
    assert plain(await SCENARIOS[id](lab)) == observed(id)


# -- otherwise --------------------------------------------------------------------------------------------------------


@other("nrerun", SAME)
async def test_a_non_retryable_error_of_run_ends_it_with_the_error_as_python_has_it(lab):
    """The engine looks for a JavaScript error of that name: what leaves Python is a PythonError."""
    found = await lab.end(await lab.create("nrerun"))

    assert found.pop("error") == {"name": "Error", "message": "stop"}
    expected = observed("nrerun")
    del expected["error"]
    assert found == expected


@other("longsleep", "differs: a sleep of more than 365 days is an error, as documented; status waiting")
async def test_a_sleep_over_365_days_is_an_error(lab):
    handle = await lab.create("longsleep")
    found = await lab.end(handle)

    assert found["status"] == "errored"
    assert found["error"]["message"] == (
        'Sleep "s" is too long: 31622400000ms. Maximum allowed duration is 31536000000ms.'
    )
    before_the_sleep = observed("longsleep")[1][:3]
    assert (await drain(handle))[:3] == before_the_sleep


@other("longwait", "differs: status waiting, as documented")
async def test_a_wait_over_365_days_is_fine_and_parks_the_instance(lab):
    handle = await lab.create("longwait")
    await lab.wait(200)

    assert await status(handle) == {**observed("longwait"), "status": "waiting"}


SQLITE = "as observed, but for the engine's own SQLite text"


@other("sleepnan", SQLITE)
@other("waitbad", SQLITE)
async def test_durations_that_cannot_be_read_fail_with_our_own_words(lab):
    asleep = await lab.end(await lab.create("sleepnan"))
    waited = await lab.end(await lab.create("waitbad"))

    expected = observed("sleepnan")
    expected["error"]["message"] = (
        "the duration of sleep 's' is 'abc', which cannot be read. Write a number and a unit, as in '30 seconds'."
    )
    assert asleep == expected
    output = (
        "Error: the timeout of wait 'w' is 'abc', which cannot be read. Write a number and a unit, as in '30 seconds'."
    )
    assert waited == {**observed("waitbad"), "output": output}


GOES_ON = (
    "differs: here the instance goes on as documented, and a finding engine-hazard says what the newest engine does"
)


@other("sleepuntilreplay", GOES_ON)
async def test_a_sleep_until_that_is_over_is_over_when_it_is_replayed(lab):
    until = lab.engine.clock.now_ms + 300
    handle = await lab.create("sleepuntilreplay", until=until)
    p = await paused_and_resumed(lab, handle, 600, 200)
    await handle.send_event({"type": "go", "payload": 1})
    st = await lab.end(handle)

    expected = observed("sleepuntilreplay")
    assert p == expected["p"]
    assert (st["status"], st["output"]) == ("complete", "done")
    common = types(expected["h"])[:9]
    assert types(await drain(handle)) == [*common, "wait_completed", "workflow_completed", "(done)"]


@other("eventtwice", GOES_ON)
async def test_an_event_that_was_taken_is_not_delivered_again_after_a_pause(lab):
    handle = await lab.create("eventtwice")
    await lab.wait(100)
    await handle.send_event({"type": "go", "payload": "first"})
    p = await paused_and_resumed(lab, handle, 100, 150)
    await handle.send_event({"type": "mid", "payload": 0})
    st = await lab.end(handle)

    assert p == observed("eventtwice")["p"]
    assert st == observed("eventnopause")


@other("keepsleep", GOES_ON)
async def test_restart_from_a_step_keeps_an_earlier_sleep_under_way(lab):
    begun = lab.engine.clock.now_ms
    handle = await lab.create("keepsleep")
    await lab.wait(400)
    await handle.restart({"from": {"name": "b"}})
    await lab.wait(100)
    await handle.send_event({"type": "go", "payload": 1})
    st = await lab.end(handle)

    expected = observed("keepsleep")
    assert st["status"] == expected["st"]
    assert lab.engine.clock.now_ms - begun == 2500
    ended = "sleep_completed long-1"
    later = [line for line in expected["h"] if line != ended]
    assert lines(await drain(handle)) == [*later[:-2], ended, *later[-2:]]


LIMIT = "differs: the documented limit holds here"


@other("big", LIMIT)
@other("bigger", LIMIT)
@pytest.mark.parametrize("n", [int(n) for id in ("big", "bigger") for n in GOLDEN[id]["observed"]])
async def test_a_step_returns_1_mib_at_most(lab, n):
    found = await lab.end(await lab.create("big", n=n))

    if n < 2**20:
        assert found["output"] == observed("big")[str(n)]
    else:
        # The newest engine says the same of what is too large for it, wherever that begins.
        message = observed("bigger")["9000000"]
        assert found["error"]["message"].startswith(message + " It is ")


@other("bigparams", LIMIT)
@pytest.mark.parametrize("n", [int(n) for n in GOLDEN["bigparams"]["observed"]])
async def test_params_are_1_mib_at_most(lab, n):
    with pytest.raises(JsException, match=r"are too large\. Maximum allowed size is 1MiB\."):
        await lab.create("ok", p="x" * n)


@other("bigevent", LIMIT)
@pytest.mark.parametrize("n", [int(n) for n in GOLDEN["bigevent"]["observed"]])
async def test_the_payload_of_an_event_is_1_mib_at_most(lab, n):
    handle = await lab.create("parkwait")
    await lab.wait(100)

    with pytest.raises(JsException, match=r"is too large\. Maximum allowed size is 1MiB\."):
        await handle.send_event({"type": "go", "payload": "x" * n})
    assert (await handle.status()).status == "waiting"


@other("createopts", "as observed, but for what fidelity.md lists: unknown keys of retention are refused here")
async def test_options_of_create(lab):
    params = {"params": {"s": "ok"}}
    expected = observed("createopts")

    found = {
        "loc": (await lab.binding.create({"id": "c1", **params, "locationHint": "weur"})).id,
        "emptyid": await attempt(lab.binding.create({"id": "", **params})),
        "numid": await attempt(lab.binding.create({"id": 5, **params})),
    }
    assert found == {key: expected[key] for key in found}
    for key, options in {
        "badloc": {"id": "c2", "locationHint": "moon"},
        "unknownkey": {"id": "c3", "wat": 1},
        "reserved": {"id": "batch"},
    }.items():
        assert (await lab.binding.create({**options, **params})).id == expected[key]["id"]
    with pytest.raises(InvalidArgumentError, match="retention takes"):
        await lab.binding.create({"id": "c4", **params, "retention": {"foo": 1}})
    # None is undefined on the other side, not null: the id is left out.
    assert len((await lab.binding.create({"id": None, **params})).id) == 36


@other("restartbad", "as fidelity.md lists, where it differs")
@pytest.mark.parametrize("point", [{"name": "a", "count": 0}, {}, {"name": "a", "type": "wat"}])
async def test_points_to_restart_from_that_are_none_are_refused_in_our_words(lab, point):
    handle = await lab.create("ok")
    await lab.end(handle)

    with pytest.raises(InvalidArgumentError):
        await handle.restart({"from": point})
    assert set(observed("restartbad")) == {"zero", "noname", "badtype"}


@other("unawaited", "differs: in Python an un-awaited do never starts")
async def test_a_do_that_is_not_awaited_never_starts(lab):
    found = await lab.end(await lab.create("unawaited"))

    assert found == {**observed("unawaited"), "__LOCAL_DEV_STEP_OUTPUTS": []}
    assert [finding.rule for finding in lab.engine.take_findings()] == ["missing-await"]


@other("mutevent", "as observed where Python's dict allows the same")
async def test_an_event_can_be_changed(lab):
    assert await lab.end(await lab.create("mutevent")) == observed("mutevent")


# -- what Python has not ----------------------------------------------------------------------------------------------


@other("rollback", "none: the Python SDK has no rollback")
@other("nocb", "none: no counterpart in Python")
@other("runthrow", "none: Python cannot raise a text")
@pytest.mark.parametrize(
    ("id", "message"),
    [
        ("rollback", "step has no 'with_rollback', here as in production"),
        ("nocb", "function"),  # which cannot be awaited: each version of Python has its own words
        ("runthrow", "exceptions must derive from BaseException"),
    ],
)
async def test_what_python_says_instead(lab, id, message):
    found = await lab.end(await lab.create(id))

    assert found["status"] == "errored"
    assert message in found["error"]["message"]


LATER = {"stream": "none yet: needs streams"}


def test_every_scenario_has_its_test():
    same = {id for id, row in GOLDEN.items() if row["python"] == SAME} - {"nrerun"}

    assert {id: GOLDEN[id]["python"] for id in LATER} == LATER
    assert len(GOLDEN) == 56
    assert set(SCENARIOS) == same
    assert same | OTHERS | set(LATER) == set(GOLDEN)
    assert len(same) + len(OTHERS) + len(LATER) == len(GOLDEN)


def test_all_were_seen_on_the_same_versions():
    versions = {"miniflare": "5.20261117.0-beta", "workerd": "1.20261117.1", "wrangler": "4.164.0"}

    assert all(row["versions"] == versions for row in GOLDEN.values())
