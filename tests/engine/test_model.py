"""Random workflows, random events, random lifecycle calls and random crashes: what must hold always, holds."""

import asyncio
import contextlib
import datetime
import itertools

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from durable_engine import Engine, JsException

START = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
ALLOWED = {
    "queued": {"running", "paused", "waiting", "complete", "errored", "terminated"},
    "running": {"waiting", "paused", "waitingForPause", "complete", "errored", "terminated", "queued"},
    "waiting": {"running", "paused", "waitingForPause", "complete", "errored", "terminated", "queued"},
    "waitingForPause": {"paused", "running", "waiting", "complete", "errored", "terminated", "queued"},
    "paused": {"running", "waiting", "queued", "complete", "errored", "terminated"},
    "complete": {"queued", "running", "waiting", "errored", "complete"},
    "errored": {"queued", "running", "waiting", "complete", "errored"},
    "terminated": {"queued", "running", "waiting", "complete", "errored"},
}

leaf = st.one_of(
    st.tuples(st.just("do"), st.integers(0, 2)),  # fails so often before it works
    st.tuples(st.just("sleep"), st.integers(0, 5000)),
    st.tuples(st.just("wait"), st.sampled_from(["a", "a", "b"])),
    st.tuples(st.just("wait"), st.just("a")),
)
program = st.lists(st.one_of(leaf, st.tuples(st.just("gather"), st.lists(leaf, min_size=1, max_size=3))), max_size=6)
action = st.one_of(
    st.tuples(st.just("advance"), st.integers(0, 4000)),
    st.tuples(st.just("event"), st.sampled_from(["a", "b"])),
    st.tuples(st.just("event"), st.just("a")),
    st.tuples(st.just("crash"), st.none()),
    st.tuples(st.just("pause"), st.none()),
    st.tuples(st.just("resume"), st.none()),
    st.tuples(st.just("restart"), st.none()),
    st.tuples(st.just("terminate"), st.none()),
)


class Observed:
    """What a run did, told by the workflow itself."""

    def __init__(self):
        self.epoch = 0  # counts restarts: each begins with an empty memo
        self.done = {}
        self.results = {}
        self.times = []
        self.broken = []

    def ran(self, name, value):
        if (self.epoch, name) in self.done:
            self.broken.append(f"{name} ran again after it was complete")
        return value

    def got(self, name, value):
        known = self.results.setdefault((self.epoch, name), value)
        if known != value:
            self.broken.append(f"{name} gave {known}, and then {value}")


def workflow_of(steps, engine, seen):
    async def run_leaf(step, position, kind, detail):
        name = f"{kind} {position}"
        if kind == "do":

            @step.do(name, config={"retries": {"limit": 5, "delay": 700, "backoff": "linear"}})
            async def work(ctx):
                seen.ran(name, None)
                await asyncio.sleep(0)
                if ctx.attempt <= detail:
                    raise RuntimeError("not yet")
                return {"at": name, "epoch": seen.epoch}

            seen.got(name, await work())
            seen.done[seen.epoch, name] = True
        elif kind == "sleep":
            await step.sleep(name, detail)
        else:
            try:
                seen.got(name, (await step.wait_for_event(name, detail, timeout=3000))["payload"])
            except JsException:
                seen.got(name, "timed out")
        seen.times.append(engine.clock.now_ms)

    async def workflow(event, step):
        for position, (kind, detail) in enumerate(steps):
            if kind == "gather":
                jobs = [run_leaf(step, f"{position}.{inner}", *one) for inner, one in enumerate(detail)]
                await asyncio.gather(*jobs)
            else:
                await run_leaf(step, position, kind, detail)
        return "end"

    return workflow


async def play(steps, actions):
    seen = Observed()
    statuses = []
    async with Engine(now=START, seed=1, timeout=10) as engine:
        binding = engine.bind("W", workflow_of(steps, engine, seen))
        handle = await binding.create({"id": "x"})
        sent = 0

        async def look():
            status = (await handle.status())["status"]
            if not statuses or statuses[-1] != status:
                statuses.append(status)

        await look()
        for kind, detail in actions:
            if kind == "advance":
                await engine.advance(detail)
            elif kind == "event":
                sent += 1
                await handle.send_event({"type": detail, "payload": sent})
            elif kind == "crash":
                engine.crash(binding.workflow, "x")
            elif kind == "restart":
                seen.epoch += 1
                await handle.restart()
            else:
                with contextlib.suppress(JsException):
                    await getattr(handle, kind)()
            await engine.advance(0)
            await look()
        await handle.resume()
        await look()
        await engine.run_until_idle()
        await look()
        row = engine.instances[0].row
        history = [(line.kind, line.key, line.at) for line in engine.store.history(row.key)]
        return seen, statuses, history, await handle.status()


@settings(max_examples=250, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(steps=program, actions=st.lists(action, max_size=8))
def test_a_random_life_keeps_its_promises(steps, actions):
    seen, statuses, history, status = asyncio.run(play(steps, actions))

    assert seen.broken == []
    assert seen.times == sorted(seen.times)
    for before, after in itertools.pairwise(statuses):
        assert after in ALLOWED[before], statuses
    assert [at for *_, at in history] == sorted(at for *_, at in history)
    assert status["status"] in ("complete", "terminated")
    events = [
        value for (epoch, name), value in seen.results.items() if name.startswith("wait") and value != "timed out"
    ]
    assert len(events) == len(set(events)), "an event was delivered twice"
    again = asyncio.run(play(steps, actions))
    assert again[2] == history, "the same life gave another history"
