"""Random workflows, and random calls, events and crashes at any of their awaits: what must hold always, holds."""

import asyncio
import collections
import contextlib
import datetime
import itertools

from crashing_loop import CrashingLoop
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from durable_engine import FINAL_STATUSES, Engine, JsException, StepKey, decode

START = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
WAIT = 3000
ALLOWED = {
    "queued": {"running", "paused", "terminated"},
    "running": {"waitingForPause", "paused", "complete", "terminated", "queued"},
    "waitingForPause": {"paused", "running", "terminated", "queued"},
    "paused": {"running", "queued", "terminated"},
    "complete": {"queued", "running"},
    "terminated": {"queued", "running"},
}

leaf = st.one_of(
    st.tuples(st.just("do"), st.integers(0, 2)),  # fails so often before it works
    st.tuples(st.just("nested"), st.integers(0, 1000)),  # a step with a step and a sleep of that length inside
    st.tuples(st.just("sleep"), st.integers(0, 5000)),
    st.tuples(st.just("wait"), st.sampled_from(["a", "a", "b"])),
    st.tuples(st.just("wait"), st.just("a")),
)
program = st.lists(st.one_of(leaf, st.tuples(st.just("gather"), st.lists(leaf, min_size=1, max_size=3))), max_size=5)


class Witness:
    """What the workflow saw, told by itself."""

    def __init__(self, engine):
        self.engine = engine
        self.results = {}
        self.times = []
        self.broken = []
        self._runs = itertools.count(1)

    def ran(self, key):
        """A callback runs; its result differs from that of every other run."""
        stored = self.engine.store.step(1, key)
        if key in self.results or (stored is not None and stored.status == "complete"):
            self.broken.append(f"{key.label} ran again after it was complete")
        return {"run": next(self._runs)}

    def got(self, key, value):
        """`run` was given an outcome."""
        known = self.results.setdefault(key, value)
        if known != value:
            self.broken.append(f"{key.label} gave {known}, and then {value}")
        self.times.append(self.engine.clock.now_ms)

    def forget(self, keys):
        """A restart has wiped these."""
        for key in keys:
            self.results.pop(key, None)


def workflow_of(steps, seen):
    async def do(step, name, fails):
        key = StepKey("do", name, 1)

        @step.do(name, config={"retries": {"limit": 5, "delay": 700, "backoff": "linear"}})
        async def work(ctx):
            result = seen.ran(key)
            await asyncio.sleep(0)
            if ctx.attempt <= fails:
                raise RuntimeError("not yet")
            return result

        seen.got(key, await work())

    async def nested(step, name, duration):
        key = StepKey("do", name, 1)

        @step.do(name)
        async def outer(ctx):
            result = seen.ran(key)

            @step.do(f"{name} inner")
            async def inner(ctx):
                return seen.ran(StepKey("do", f"{name} inner", ctx.step.count))

            await inner()
            await step.sleep(f"{name} nap", duration)
            return result

        seen.got(key, await outer())

    async def sleep(step, name, duration):
        await step.sleep(name, duration)
        seen.got(StepKey("sleep", name, 1), None)

    async def wait(step, name, event_type):
        try:
            outcome = (await step.wait_for_event(name, event_type, timeout=WAIT))["payload"]
        except JsException:
            outcome = "timed out"
        seen.got(StepKey("wait_for_event", name, 1), outcome)

    kinds = {"do": do, "nested": nested, "sleep": sleep, "wait": wait}

    async def workflow(event, step):
        for position, (kind, detail) in enumerate(steps):
            if kind == "gather":
                jobs = [kinds[one](step, f"{one} {position}.{n}", about) for n, (one, about) in enumerate(detail)]
                await asyncio.gather(*jobs)
            else:
                await kinds[kind](step, f"{kind} {position}", detail)
        return "end"

    return workflow


class World:
    """One engine with one instance, and all that happens to it."""

    def __init__(self, steps):
        self.loop = CrashingLoop()
        self.engine = Engine(now=START, seed=1, timeout=10)
        self.seen = Witness(self.engine)
        self.statuses = [(self.engine.clock.now_ms, "queued")]
        self.sent = collections.defaultdict(list)
        self._number = itertools.count(1)
        self._watch_statuses()
        self.binding = self.engine.bind("W", workflow_of(steps, self.seen))
        self.handle = self.loop.run_until_complete(self.binding.create({"id": "x"}))

    def _watch_statuses(self):
        save = self.engine.store.save_instance

        def watched(row):
            if row.status != self.statuses[-1][1]:
                self.statuses.append((self.engine.clock.now_ms, row.status))
            save(row)

        self.engine.store.save_instance = watched

    def close(self):
        self.engine.close()
        self.engine.graveyard.close()
        self.loop.close()

    # -- what happens ----------------------------------------------------------------------------------------------

    def act(self, turns, crash, kind, detail):
        """Let the loop turn so often, then do something; meanwhile it crashes before that callback, or never."""
        if crash is not None:
            self.loop.before_callback(crash, self.crash)
        self.loop.run_until_complete(self._act(turns, kind, detail))
        self.loop.forget()

    async def _act(self, turns, kind, detail):
        for _ in range(turns):
            await asyncio.sleep(0)
        with contextlib.suppress(JsException):  # some calls are refused in some states
            await getattr(self, kind)(*([] if detail is None else [detail]))

    def crash(self):
        self.engine.crash(self.binding.workflow, "x")

    async def advance(self, ms):
        await self.engine.advance(ms)

    async def die(self):
        self.crash()

    async def send(self, event_type):
        number = next(self._number)
        if self.status not in FINAL_STATUSES:
            self.sent[event_type].append(number)
        await self.handle.send_event({"type": event_type, "payload": number})

    async def pause(self):
        await self.handle.pause()

    async def resume(self):
        await self.handle.resume()

    async def terminate(self):
        await self.handle.terminate()

    async def restart(self):
        self._restarted(0)
        await self.handle.restart()

    async def restart_from(self, number):
        steps = self.engine.store.steps(1)
        if steps:
            first = steps[number % len(steps)]
            self._restarted(first.seq)
            kind = "waitForEvent" if first.key.kind == "wait_for_event" else first.key.kind
            await self.handle.restart({"from": {"name": first.key.name, "count": first.key.count, "type": kind}})

    def _restarted(self, first):
        self.seen.forget([step.key for step in self.engine.store.steps(1) if step.seq >= first])
        self.sent.clear()

    async def finish(self):
        await self.handle.resume()
        await self.engine.run_until_idle()

    # -- what came of it -------------------------------------------------------------------------------------------

    @property
    def status(self):
        return self.engine.instances[0].row.status

    @property
    def history(self):
        return self.engine.store.history(1)

    def paused_between(self, begin, end):
        """For how many milliseconds it was paused then."""
        now = self.engine.clock.now_ms
        return sum(
            max(0, min(left, end) - max(entered, begin))
            for (entered, status), (left, _) in itertools.pairwise([*self.statuses, (now, "now")])
            if status == "paused"
        )

    def took(self, kind, ends):
        """Each sleep or wait that is over: how long it took while the instance was not paused, and how it ended."""
        began = {line.key: line for line in self.history if line.kind == kind}
        for line in self.history:
            if line.kind in ends:
                start = began[line.key]
                yield start, line, line.at - start.at - self.paused_between(start.at, line.at)


class Lives(RuleBasedStateMachine):
    """An instance lives, and is interfered with."""

    @initialize(steps=program)
    def create(self, steps):
        self.steps = steps
        self.actions = []
        self.world = World(steps)

    def act(self, turns, crash, kind, detail=None):
        self.actions.append((turns, crash, kind, detail))
        self.world.act(turns, crash, kind, detail)

    turns = st.integers(0, 9)
    crash = st.one_of(st.none(), st.integers(0, 25))

    @rule(turns=turns, crash=crash, ms=st.integers(0, 4000))
    def time_passes(self, turns, crash, ms):
        self.act(turns, crash, "advance", ms)

    @rule(turns=turns, crash=crash, event_type=st.sampled_from(["a", "a", "b"]))
    def an_event_comes(self, turns, crash, event_type):
        self.act(turns, crash, "send", event_type)

    @rule(turns=turns)
    def it_crashes(self, turns):
        self.act(turns, None, "die")

    @rule(turns=turns, crash=crash)
    def it_is_paused(self, turns, crash):
        self.act(turns, crash, "pause")

    @rule(turns=turns, crash=crash)
    def it_is_resumed(self, turns, crash):
        self.act(turns, crash, "resume")

    @rule(turns=turns, crash=crash)
    def it_is_restarted(self, turns, crash):
        self.act(turns, crash, "restart")

    @rule(turns=turns, crash=crash, number=st.integers(0, 9))
    def it_is_restarted_from_a_step(self, turns, crash, number):
        self.act(turns, crash, "restart_from", number)

    @rule(turns=turns, crash=crash)
    def it_is_terminated(self, turns, crash):
        self.act(turns, crash, "terminate")

    @invariant()
    def a_completed_step_never_runs_again_and_results_never_change(self):
        assert self.world.seen.broken == []

    @invariant()
    def time_never_goes_back(self):
        times = [line.at for line in self.world.history]
        assert times == sorted(times)
        assert self.world.seen.times == sorted(self.world.seen.times)

    @invariant()
    def statuses_move_along_allowed_edges(self):
        for (_, before), (_, after) in itertools.pairwise(self.world.statuses):
            assert after in ALLOWED[before], self.world.statuses

    @invariant()
    def events_are_delivered_once_in_order_and_none_is_lost(self):
        world = self.world
        taken, kept = collections.defaultdict(list), collections.defaultdict(list)
        for step in world.engine.store.steps(1):
            if step.key.kind == "wait_for_event" and step.status == "complete":
                event = decode(step.result)
                taken[event["type"]].append(event["payload"])
        for event in world.engine.store.events(1):
            kept[event.type].append(decode(event.payload))
        for event_type, sent in world.sent.items():
            mine = sorted(number for number in taken[event_type] if number >= sent[0])
            assert [*mine, *kept[event_type]] == sent

    @invariant()
    def timers_stand_still_while_it_is_paused(self):
        for start, _, took in self.world.took("SLEEP_START", ["SLEEP_COMPLETE"]):
            assert took == start.detail["durationMs"]
        for _, end, took in self.world.took("WAIT_START", ["WAIT_COMPLETE", "WAIT_TIMED_OUT"]):
            assert took == WAIT if end.kind == "WAIT_TIMED_OUT" else took <= WAIT

    def teardown(self):
        if hasattr(self, "world"):
            with contextlib.closing(self.world):
                self.it_comes_to_its_end()
                self.the_same_again_gives_the_same_history()

    def it_comes_to_its_end(self):
        self.act(0, None, "finish")
        self.check_invariants_once_more()
        assert self.world.status in ("complete", "terminated")

    def check_invariants_once_more(self):
        self.a_completed_step_never_runs_again_and_results_never_change()
        self.time_never_goes_back()
        self.statuses_move_along_allowed_edges()
        self.events_are_delivered_once_in_order_and_none_is_lost()
        self.timers_stand_still_while_it_is_paused()

    def the_same_again_gives_the_same_history(self):
        with contextlib.closing(World(self.steps)) as again:
            for action in self.actions:
                again.act(*action)
            assert again.history == self.world.history


TestLives = Lives.TestCase
TestLives.settings = settings(
    max_examples=400,
    stateful_step_count=10,
    deadline=None,
    derandomize=True,
    suppress_health_check=list(HealthCheck),
)
