"""The world of the model test: one engine, one instance of a random workflow, and all that can happen to it."""

import asyncio
import collections
import contextlib
import datetime
import itertools

from crashing_loop import CrashingLoop

from durable_engine import FINAL_STATUSES, Engine, JsException, StepKey

START = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
WAIT = 3000


class Witness:
    """What the workflow saw, told by itself."""

    def __init__(self, engine):
        self.engine = engine
        self.results = {}
        self.times = []
        self.broken = []
        self.life = 0
        self.held = False
        self.outside = None
        self._runs = itertools.count(1)

    def begins(self):
        """`run` begins anew."""
        self.life += 1
        self.held = False
        return self.life

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

    async def wait_for_the_outside(self, life):
        """Wait for something that the engine knows nothing of."""
        if self.outside is None or self.outside.done():
            self.outside = asyncio.get_running_loop().create_future()
        self.held = True
        await asyncio.shield(self.outside)
        self.held = False
        if life != self.life:
            self.broken.append("a life that was over ran on")


def workflow_of(steps, seen):
    async def do(step, name, fails, life):
        key = StepKey("do", name, 1)

        @step.do(name, config={"retries": {"limit": fails, "delay": 700, "backoff": "linear"}})
        async def work():
            result = seen.ran(key)
            await asyncio.sleep(0)
            failed = sum(line.kind == "ATTEMPT_FAILURE" and "retryDelayMs" in line.detail for line in history(key))
            if failed < fails:
                raise RuntimeError("not yet")
            return result

        seen.got(key, await work())

    def history(key):
        return [line for line in seen.engine.store.history(1) if line.key == key]

    async def nested(step, name, duration, life):
        key = StepKey("do", name, 1)

        @step.do(name)
        async def outer():
            result = seen.ran(key)

            @step.do(f"{name} inner")
            async def inner(ctx):
                return seen.ran(StepKey("do", f"{name} inner", ctx.step.count))

            await inner()
            await step.sleep(f"{name} nap", duration)
            return result

        seen.got(key, await outer())

    async def held(step, name, _, life):
        key = StepKey("do", name, 1)

        @step.do(name)
        async def callback():
            result = seen.ran(key)
            await seen.wait_for_the_outside(life)
            return result

        seen.got(key, await callback())

    async def sleep(step, name, duration, life):
        await step.sleep(name, duration)
        seen.got(StepKey("sleep", name, 1), None)

    async def wait(step, name, event_type, life):
        try:
            outcome = (await step.wait_for_event(name, event_type, timeout=WAIT))["payload"]
        except JsException:
            outcome = "timed out"
        seen.got(StepKey("wait_for_event", name, 1), outcome)

    kinds = {"do": do, "nested": nested, "held": held, "sleep": sleep, "wait": wait}

    async def workflow(event, step):
        life = seen.begins()
        for position, (kind, detail) in enumerate(steps):
            together = detail if kind == "gather" else [(kind, detail)]
            await asyncio.gather(
                *[kinds[one](step, f"{one} {position}.{n}", about, life) for n, (one, about) in enumerate(together)]
            )
        return "end"

    return workflow


class World:
    """One engine with one instance, and all that happens to it."""

    def __init__(self, steps):
        self.loop = CrashingLoop()
        self.engine = self.make_engine(START, 1)
        self.seen = Witness(self.engine)
        self.statuses = [(self.engine.clock.now_ms, "queued")]
        self.sent = collections.defaultdict(list)
        self._number = itertools.count(1)
        self._watch_the_store()
        self.binding = self.engine.bind("W", workflow_of(steps, self.seen))
        self.handle = self.loop.run_until_complete(self.binding.create({"id": "x"}))

    def make_engine(self, now, seed):
        """An engine for the instance."""
        engine = Engine(now=now, seed=seed, timeout=10)
        # A machine that stands still for as long as the shortest sleep would make another history of the same actions.
        engine.waits.arm_real_time = lambda: None
        return engine

    def _watch_the_store(self):
        save, record = self.engine.store.save_instance, self.engine.store.record

        def watched_save(row):
            if row.status != self.statuses[-1][1]:
                self.statuses.append((self.engine.clock.now_ms, row.status))
            save(row)

        def watched_record(instance, events, step=None):
            for line in events:
                pending = self.statuses[-1][1] == "waitingForPause"
                if pending and line.kind == "ATTEMPT_START" and not line.key.name.endswith("inner"):
                    self.seen.broken.append(f"an attempt of {line.key.label} began while a pause was pending")
            record(instance, events, step)

        self.engine.store.save_instance = watched_save
        self.engine.store.record = watched_record

    def put_away(self):
        self.engine.close()
        self.engine.stopped_tasks.close()

    def close(self):
        self.put_away()
        self.loop.close()

    # -- what happens --------------------------------------------------------------------------------------------------

    def act(self, turns, crash, kind, detail):
        """Let the loop turn so often, then do something; a crash comes before so many callbacks have run, or never."""
        if crash is not None:
            self.loop.before_callback(crash, self._lose_memory)
        self.loop.run_until_complete(self._act(turns, kind, detail))
        self.loop.forget()

    async def _act(self, turns, kind, detail):
        for _ in range(turns):
            await asyncio.sleep(0)
        with contextlib.suppress(JsException):  # some calls are refused in some states
            await getattr(self, kind)(*([] if detail is None else [detail]))

    def _lose_memory(self):
        self.engine.crash(self.binding.workflow, "x")

    async def nothing(self):
        """Do nothing."""

    async def crash(self):
        self._lose_memory()

    async def advance(self, ms):
        await self.engine.advance(ms)

    async def send(self, event_type):
        number = next(self._number)
        if self.status not in FINAL_STATUSES:
            self.sent[event_type].append(number)
        await self.handle.send_event({"type": event_type, "payload": number})

    async def answer(self):
        if self.seen.outside is not None and not self.seen.outside.done():
            self.seen.outside.set_result(None)

    async def pause(self):
        await self.handle.pause()

    async def resume(self):
        await self.handle.resume()

    async def terminate(self):
        await self.handle.terminate()

    async def restart(self, _):
        self._restarted(0)
        await self.handle.restart()

    async def restart_from(self, number):
        steps = self.steps
        if steps:
            first = steps[number % len(steps)]
            self._restarted(first.seq)
            kind = "waitForEvent" if first.key.kind == "wait_for_event" else first.key.kind
            await self.handle.restart({"from": {"name": first.key.name, "count": first.key.count, "type": kind}})

    def _restarted(self, first):
        self.seen.forget([step.key for step in self.steps if step.seq >= first])
        self.sent.clear()

    async def finish(self):
        """Let it go on to its end, whatever it waits for."""
        await self.handle.resume()
        if self.status == "terminated":
            await self.restart(None)
        for _ in range(100):
            if self.status in FINAL_STATUSES:
                break
            await self.engine.advance(WAIT)
            await self.answer()

    # -- what came of it -----------------------------------------------------------------------------------------------

    @property
    def status(self):
        return self.engine.instances[0].row.status

    @property
    def history(self):
        return self.engine.store.history(1)

    @property
    def steps(self):
        return self.engine.store.steps(1)

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
