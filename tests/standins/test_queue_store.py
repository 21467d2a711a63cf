"""The state machine of a queue against a plain model: which batch is due when, and what becomes of its messages."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from pytest_workflows.standins.queue_store import Delivery, QueueStore, StoredMessage, Verdict

START = 1_780_000_000_000


def message(id: str) -> StoredMessage:
    return StoredMessage(id, START, "text", id, len(id))


@dataclass
class Model:
    """The same with a list of what is in the queue, and one of what comes at which time."""

    delivery: Delivery
    now: int = START
    inside: list[str] = field(default_factory=list)
    coming: list[tuple[int, int, str]] = field(default_factory=list)
    due: int | None = None
    failures: dict[str, int] = field(default_factory=dict)
    count: int = 0

    def enter(self, id: str, delay_ms: int) -> None:
        self.count += 1
        if delay_ms > 0:
            self.coming.append((self.now + delay_ms, self.count, id))
            return
        self.inside.append(id)
        if len(self.inside) >= self.delivery.batch_size:
            self.due = self.now if self.due is None else min(self.due, self.now)
        elif self.due is None:
            self.due = self.now + self.delivery.batch_timeout_ms

    def next(self) -> int | None:
        return min([due for due, _, _ in self.coming] + ([] if self.due is None else [self.due]), default=None)

    def batch_at(self, now: int) -> list[str] | None:
        self.now = now
        arrived = sorted(one for one in self.coming if one[0] <= now)
        self.coming = [one for one in self.coming if one[0] > now]
        for _, _, id in arrived:
            self.enter(id, 0)
        if self.due is None or self.due > now:
            return None
        size = self.delivery.batch_size
        batch, self.inside, self.due = self.inside[:size], self.inside[size:], None
        return batch

    def end(self, batch: list[str], verdict: Verdict) -> list[str]:
        rest, self.inside = self.inside, []
        for id in rest:
            self.enter(id, 0)
        dead = []
        for id in batch:
            if not verdict.retries_all and id not in (verdict.retried or {}):
                continue
            self.failures[id] = self.failures.get(id, 0) + 1
            if self.failures[id] > self.delivery.retries:
                dead.append(id)
                continue
            own = (verdict.retried or {}).get(id)
            general = self.delivery.retry_delay if verdict.delay is None else verdict.delay
            self.enter(id, int((general if own is None else own) * 1000))
        return dead


DELIVERIES = st.builds(
    Delivery,
    batch_size=st.integers(1, 4),
    batch_timeout_ms=st.sampled_from([0, 1000, 5000]),
    retries=st.integers(0, 3),
    retry_delay=st.sampled_from([0, 1, 10]),
)
DELAYS = st.sampled_from([0, 0, 500, 1000, 7000])


class QueueModel(RuleBasedStateMachine):
    """Messages are sent, time passes, and each batch meets a consumer who says anything."""

    def made(self, delivery: Delivery) -> QueueStore:
        return QueueStore(delivery)

    @initialize(delivery=DELIVERIES)
    def begin(self, delivery: Delivery) -> None:
        self.store, self.model = self.made(delivery), Model(delivery)
        self.sent: list[str] = []
        self.done: set[str] = set()
        self.attempts: dict[str, int] = {}

    @rule(delays=st.lists(DELAYS, min_size=1, max_size=6))
    def send(self, delays: list[int]) -> None:
        for delay in delays:
            id = f"m{len(self.sent)}"
            self.sent.append(id)
            self.store.add(message(id), self.model.now, delay)
            self.model.enter(id, delay)

    @rule(data=st.data(), passed=st.sampled_from([0, 100, 1000, 10_000]))
    def let_time_pass(self, data: Any, passed: int) -> None:
        until = self.model.now + passed
        for _ in range(200):
            due = self.store.next_due()
            assert due == self.model.next()
            if due is None or due > until:
                break
            self.deliver(data, max(due, self.model.now))
        self.model.now = until

    def deliver(self, data: Any, now: int) -> None:
        batch = self.store.take(now)
        assert (None if batch is None else [one.id for one in batch]) == self.model.batch_at(now)
        if batch is None:
            return
        ids = [one.id for one in batch]
        assert 0 < len(ids) <= self.model.delivery.batch_size
        for one in batch:
            self.attempts[one.id] = self.attempts.get(one.id, 0) + 1
            assert one.failures + 1 == self.attempts[one.id]
        verdict = data.draw(
            st.builds(
                Verdict,
                retries_all=st.booleans(),
                delay=st.sampled_from([None, 0, 3]),
                retried=st.dictionaries(st.sampled_from(ids), st.sampled_from([None, 0, 2])),
            )
        )
        arriving = data.draw(st.booleans())  # something is sent while the consumer is at work
        if arriving:
            self.send([0])
            assert self.store.take(now) is None  # one batch at a time
        dead = [one.id for one in self.store.finish(now, verdict)]
        assert dead == self.model.end(ids, verdict)
        assert all(self.attempts[id] == self.model.delivery.retries + 1 for id in dead)
        retried = set(ids) if verdict.retries_all else set(verdict.retried or {})
        self.done |= (set(ids) - retried) | set(dead)

    @invariant()
    def every_message_is_either_there_or_done(self) -> None:
        if hasattr(self, "store"):
            there = [one.id for one in self.store.messages()]
            assert sorted([*there, *self.done]) == sorted(self.sent)
            assert [one.id for one in self.store.backlog] == self.model.inside
            backlog = self.store.measure()
            assert (backlog.count, backlog.size) == (len(self.model.inside), sum(map(len, self.model.inside)))
            assert backlog.oldest == (START if self.model.inside else None)

    @rule()
    def a_copy_holds_the_same_and_goes_its_own_way(self) -> None:
        copy = self.store.copy()
        assert copy.contents() == self.store.contents()
        before = self.store.contents()
        copy.add(message("other"), self.model.now)
        assert self.store.contents() == before


QueueModel.TestCase.settings = settings(max_examples=25, stateful_step_count=20, deadline=None)
TestQueueModel = QueueModel.TestCase


def test_a_queue_without_a_consumer_keeps_no_message_and_remembers_its_body():
    store = QueueStore(None)

    store.add(message("gone"), START)

    assert store.next_due() is None
    assert list(store.messages()) == []
    assert store.contents() == {"": {("text", "gone"): True}}


def test_contents_hold_a_body_once_since_any_message_may_come_twice():
    once, twice = QueueStore(Delivery()), QueueStore(Delivery())

    for store, ids in ((once, ["1"]), (twice, ["1", "2"])):
        for id in ids:
            store.add(StoredMessage(id, START, "json", '{"a": 1}', 8), START)

    assert once.contents() == twice.contents()


def test_a_consumer_without_settings_gets_five_after_a_second_and_each_up_to_three_times():
    store = QueueStore(Delivery())
    for id in "abcd":
        store.add(message(id), START)
    assert store.next_due() == START + 1000

    for id in "ef":
        store.add(message(id), START)
    assert store.next_due() == START

    store = QueueStore(Delivery())
    store.add(message("a"), START)
    deaths = []
    for _ in range(3):
        now = store.next_due()
        batch = store.take(now)
        assert [one.id for one in batch] == ["a"]
        deaths.append([one.id for one in store.finish(now, Verdict(retries_all=True))])
    assert deaths == [[], [], ["a"]]
    assert store.next_due() is None


def test_a_batch_without_settings_holds_five():
    store = QueueStore(Delivery())
    for id in "abcdef":
        store.add(message(id), START)

    assert [one.id for one in store.take(START)] == ["a", "b", "c", "d", "e"]
