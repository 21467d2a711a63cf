"""Random workflows on a disk that takes its time, in processes that are killed: what was acknowledged holds."""

import asyncio
import collections
import contextlib

from disk import contents
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from model_world import World, workflow_of
from test_model import ONCE, program

from durable_engine import Engine, decode, to_datetime
from durable_engine.storage.disk import DiskStore
from durable_engine.storage.journal import decode_batch


class SlowDatabase:
    """A file that is a list; a commit takes so many turns of the loop, and none ends after the process has died."""

    def __init__(self, batches, turns):
        self.batches = batches
        self.is_dead = False
        self._turns = turns

    async def write(self, number, batches):
        for _ in range(self._turns):
            await asyncio.sleep(0)
        if not self.is_dead:
            self.batches += batches

    async def close(self):
        """Nothing is open."""


class KilledWorld(World):
    """A world on disk, whose process may be killed."""

    def __init__(self, steps, turns):
        self._batches, self._turns, self._program = [], turns, steps
        super().__init__(steps)

    def make_engine(self, now, seed):
        return self.loop.run_until_complete(self._make_engine(now, seed))

    async def _make_engine(self, now, seed):
        self.database = SlowDatabase(self._batches, self._turns)
        store = DiskStore(self.database, 1)
        store.replay(map(decode_batch, self._batches))
        return Engine(now=now, seed=seed, timeout=10, store=store)

    def put_away(self):
        super().put_away()
        self.database.is_dead = True
        self.loop.run_until_complete(self.engine.store.aclose())

    def kill(self):
        """Another process goes on with what the file has."""
        now = to_datetime(self.engine.clock.now_ms)
        self.put_away()
        self.engine = self.seen.engine = self.make_engine(now, 1)
        self.binding = self.engine.bind("W", workflow_of(self._program, self.seen))
        self.loop.run_until_complete(self._recover())

    async def answer(self):
        await super().answer()
        for _ in range(3 * self._turns):  # nobody waits for the file where time is moved by hand
            await asyncio.sleep(0)

    async def compare_file(self):
        """The file has what memory has."""
        store = self.engine.store
        while store._unwritten is not None:
            await store.stored()
        again = DiskStore(None, 1)
        again.replay(map(decode_batch, self._batches))
        assert contents(again) == contents(store)

    async def _recover(self):
        self.engine.recover()
        self.handle = await self.binding.get("x")


class KilledLives(RuleBasedStateMachine):
    """An instance lives, and its process is killed. Before each act the loop turns a few times, wherever that leads."""

    turns = st.integers(0, 12)

    @initialize(steps=program, turns=st.integers(0, 30))
    def create(self, steps, turns):
        self.world = KilledWorld(steps, turns)

    def act(self, turns, kind, detail=None):
        self.world.act(turns, None, kind, detail)

    @rule(turns=turns)
    def its_process_is_killed(self, turns):
        self.act(turns, "nothing")
        self.world.kill()

    @rule(turns=turns)
    def its_process_is_killed_again_at_once(self, turns):
        self.its_process_is_killed(turns)
        self.its_process_is_killed(turns // 3)

    @rule(turns=turns, ms=st.sampled_from([200, 1000, 4000]))
    def its_process_is_killed_soon_after_time_has_passed(self, turns, ms):
        self.act(turns, "advance", ms)
        self.its_process_is_killed(turns)

    @rule(turns=turns, ms=st.sampled_from([200, 1000, 4000]))
    def time_passes(self, turns, ms):
        self.act(turns, "advance", ms)

    @rule(turns=turns, event_type=st.sampled_from(["a", "a", "b"]))
    def an_event_comes(self, turns, event_type):
        self.act(turns, "send", event_type)

    @rule(turns=turns)
    def the_world_outside_answers(self, turns):
        self.act(turns, "answer")

    @rule(turns=turns, ms=st.sampled_from([0, 1000, 9000]))
    def it_is_paused_for_a_while(self, turns, ms):
        self.act(turns, "pause")
        self.act(0, "advance", ms)

    @rule(turns=turns)
    def it_is_resumed(self, turns):
        self.act(turns, "resume")

    @rule(turns=turns, number=st.integers(0, 9), call=st.sampled_from(["restart_from"] * 3 + ["restart"]))
    def it_is_restarted(self, turns, number, call):
        self.act(turns, call, number)

    @rule(turns=turns)
    def it_is_terminated(self, turns):
        self.act(turns, "terminate")
        self.act(0, "restart_from", 9)

    @invariant()
    def what_run_has_seen_never_runs_again_and_never_changes(self):
        assert self.world.seen.broken == []

    @invariant()
    def a_step_starts_once_and_ends_once(self):
        reported = collections.Counter((line.kind, line.key) for line in self.world.history if line.kind in ONCE)
        assert set(reported.values()) <= {1}

    @invariant()
    def events_that_were_acknowledged_are_delivered_once_in_order(self):
        taken, kept = collections.defaultdict(list), collections.defaultdict(list)
        for line in self.world.history:
            if line.kind == "WAIT_COMPLETE":
                event = decode(line.value)
                taken[event["type"]].append(event["payload"])
        for event in self.world.engine.store.events(1):
            kept[event.type].append(decode(event.payload))
        for event_type, sent in self.world.sent.items():
            since = [number for number in taken[event_type] if number >= sent[0]]
            assert [*since, *kept[event_type]] == sent

    def teardown(self):
        if hasattr(self, "world"):
            with contextlib.closing(self.world):
                self.act(0, "finish")
                self.what_run_has_seen_never_runs_again_and_never_changes()
                self.events_that_were_acknowledged_are_delivered_once_in_order()
                assert self.world.status == "complete"
                self.world.loop.run_until_complete(self.world.compare_file())


TestKilledLives = KilledLives.TestCase
TestKilledLives.settings = settings(
    max_examples=60,
    stateful_step_count=14,
    deadline=None,
    derandomize=True,
    suppress_health_check=list(HealthCheck),
)
