"""Random workflows, and random calls, events and crashes at any of their awaits: what must hold always, holds."""

import collections
import contextlib
import itertools

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from model_world import WAIT, World

from durable_engine import decode

ALLOWED = {
    "queued": {"running", "paused", "terminated"},
    "running": {"waitingForPause", "paused", "complete", "terminated", "queued"},
    "waitingForPause": {"paused", "running", "terminated", "queued"},
    "paused": {"running", "queued", "terminated"},
    "complete": {"queued", "running"},
    "terminated": {"queued", "running"},
}
ONCE = {"STEP_START", "STEP_SUCCESS", "SLEEP_START", "SLEEP_COMPLETE", "WAIT_START", "WAIT_COMPLETE", "WAIT_TIMED_OUT"}

lengths = st.sampled_from([0, 300, 1000, 5000])
leaf = st.one_of(
    st.tuples(st.just("do"), st.integers(0, 2)),  # fails so often before it works
    st.tuples(st.just("nested"), lengths),  # a step with a step and a sleep inside
    st.tuples(st.just("held"), st.none()),  # a step that waits for the world outside
    st.tuples(st.just("sleep"), lengths),
    st.tuples(st.just("wait"), st.sampled_from(["a", "b"])),
    st.tuples(st.just("wait"), st.just("a")),
)
gather = st.tuples(st.just("gather"), st.lists(leaf, min_size=2, max_size=4))
rivals = st.just(("gather", [("wait", "a"), ("wait", "a")]))
program = st.lists(st.one_of(leaf, gather, gather, rivals), min_size=1, max_size=4)


class Lives(RuleBasedStateMachine):
    """An instance lives, and is interfered with. Before each act the loop turns a few times, wherever that leads."""

    turns = st.integers(0, 9)
    crash = st.one_of(st.none(), st.integers(0, 25))

    @initialize(steps=program)
    def create(self, steps):
        self.steps = steps
        self.actions = []
        self.world = World(steps)

    def act(self, turns, crash, kind, detail=None):
        self.actions.append((turns, crash, kind, detail))
        self.world.act(turns, crash, kind, detail)

    @rule(turns=turns, crash=crash, ms=st.sampled_from([200, 1000, 4000]))
    def time_passes(self, turns, crash, ms):
        self.act(turns, crash, "advance", ms)

    @rule(turns=turns, crash=crash, event_type=st.sampled_from(["a", "a", "b"]))
    def an_event_comes(self, turns, crash, event_type):
        self.act(turns, crash, "send", event_type)

    @rule(turns=turns, crash=crash)
    def the_world_outside_answers(self, turns, crash):
        self.act(turns, crash, "answer")

    @rule(turns=turns)
    def it_crashes(self, turns):
        self.act(turns, None, "crash")

    @rule(turns=turns, crash=crash, ms=st.sampled_from([0, 1000, 9000]))
    def it_is_paused_for_a_while(self, turns, crash, ms):
        self.act(turns, crash, "pause")
        self.act(0, None, "advance", ms)

    @rule(turns=turns, crash=crash)
    def it_is_resumed(self, turns, crash):
        self.act(turns, crash, "resume")

    @rule(turns=turns, crash=crash, number=st.integers(0, 9), call=st.sampled_from(["restart_from"] * 3 + ["restart"]))
    def it_is_restarted(self, turns, crash, number, call):
        self.act(turns, crash, call, number)

    @rule(turns=turns, crash=crash)
    def it_is_terminated(self, turns, crash):
        self.act(turns, crash, "terminate")
        self.act(0, None, "restart_from", 9)

    @invariant()
    def a_completed_step_never_runs_again_and_results_never_change(self):
        assert self.world.seen.broken == []

    @invariant()
    def a_step_starts_once_and_ends_once(self):
        reported = collections.Counter((line.kind, line.key) for line in self.world.history if line.kind in ONCE)
        assert set(reported.values()) <= {1}

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

    @invariant()
    def of_waits_for_one_type_the_first_is_served_first(self):
        waiting = collections.defaultdict(list)
        for line in self.world.history:
            if line.kind == "WAIT_START":
                waiting[line.detail["event"]].append(line.key)
            elif line.kind == "WAIT_COMPLETE":
                assert waiting[decode(line.value)["type"]].pop(0) == line.key
            elif line.kind == "WAIT_TIMED_OUT":
                next(keys for keys in waiting.values() if line.key in keys).remove(line.key)

    @invariant()
    def timers_stand_still_while_it_is_paused(self):
        for start, _, took in self.world.took("SLEEP_START", ["SLEEP_COMPLETE"]):
            assert took == start.detail["durationMs"]
        for _, end, took in self.world.took("WAIT_START", ["WAIT_COMPLETE", "WAIT_TIMED_OUT"]):
            assert took == WAIT if end.kind == "WAIT_TIMED_OUT" else took <= WAIT

    @invariant()
    def a_pause_takes_hold_unless_the_world_outside_is_waited_for(self):
        if self.world.status == "waitingForPause" and not self.world.seen.held:
            self.act(0, None, "advance", 6000)
            assert self.world.status == "paused" or self.world.seen.held

    def teardown(self):
        if hasattr(self, "world"):
            with contextlib.closing(self.world):
                self.it_comes_to_its_end()
                self.the_same_again_gives_the_same_history()

    def it_comes_to_its_end(self):
        self.act(0, None, "finish")
        for check in (
            self.a_completed_step_never_runs_again_and_results_never_change,
            self.a_step_starts_once_and_ends_once,
            self.time_never_goes_back,
            self.statuses_move_along_allowed_edges,
            self.events_are_delivered_once_in_order_and_none_is_lost,
            self.of_waits_for_one_type_the_first_is_served_first,
            self.timers_stand_still_while_it_is_paused,
        ):
            check()
        assert self.world.status == "complete"

    def the_same_again_gives_the_same_history(self):
        with contextlib.closing(World(self.steps)) as again:
            for action in self.actions:
                again.act(*action)
            assert again.history == self.world.history


TestLives = Lives.TestCase
TestLives.settings = settings(
    max_examples=400,
    stateful_step_count=14,
    deadline=None,
    derandomize=True,
    suppress_health_check=list(HealthCheck),
)
