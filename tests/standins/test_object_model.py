"""The storage of a Durable Object against a plain model: keys, a table, transactions in transactions, aborts, copies."""

import random
from collections import Counter

from hypothesis import settings, strategies
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, precondition, rule

from pytest_workflows.javascript.rpc import python_from_rpc, python_to_rpc
from pytest_workflows.standins.object_data import ObjectData
from pytest_workflows.standins.object_storage import ObjectWrites
from pytest_workflows.standins.sqlite import SqliteDatabase

KEYS = strategies.sampled_from(["a", "ab", "b", "B", "ä", "\U0001f600", ""])
VALUES = strategies.recursive(
    strategies.none() | strategies.booleans() | strategies.integers(-5, 5) | strategies.text(max_size=3),
    lambda inner: strategies.lists(inner, max_size=3) | strategies.dictionaries(strategies.text(max_size=2), inner),
    max_leaves=4,
)


def open_database(file):
    return SqliteDatabase(lambda: 0, lambda: random.Random(0), file)


class Model:
    """What storage must hold: all of it, copied at the beginning of each transaction."""

    def __init__(self, keys=None, rows=None, alarm=None):
        self.keys, self.rows, self.alarm = dict(keys or {}), rows, alarm

    def copy(self):
        return Model(self.keys, None if self.rows is None else list(self.rows), self.alarm)


class ObjectStorageMachine(RuleBasedStateMachine):
    """An object's writes, as its storage makes them, beside the model."""

    numbers = Bundle("numbers")

    def __init__(self):
        super().__init__()
        self.now = 0
        self.data = self.made()
        self.writes = ObjectWrites(self.data, lambda: self.now, lambda *, is_asked=False: None)
        self.model = Model()
        self.kept = Model()
        """What an abort leaves."""
        self.kept_at = 0
        self.outer = []
        """The models at the beginning of the open transactions."""

    def made(self):
        return ObjectData(open_database)

    def before(self):
        """What happens before anything is written: what was written at another time is kept."""
        if not self.outer and self.kept_at != self.now:
            self.kept, self.kept_at = self.model.copy(), self.now
        self.writes.before()

    @rule(key=KEYS, value=VALUES)
    def put(self, key, value):
        self.before()
        self.data.put(key, python_to_rpc(value))
        self.model.keys[key] = value

    @rule(key=KEYS)
    def delete(self, key):
        self.before()
        assert self.data.delete(key) is (key in self.model.keys)
        self.model.keys.pop(key, None)

    @rule(number=strategies.integers(0, 9))
    def insert(self, number):
        self.before()
        database = self.data.database()
        database.run("CREATE TABLE IF NOT EXISTS t(x)")
        database.run("INSERT INTO t VALUES (?)", [number])
        self.model.rows = [*(self.model.rows or []), number]

    @rule()
    def delete_all(self):
        self.before()
        self.data.delete_all()
        self.model.keys, self.model.rows = {}, None

    @rule(due=strategies.none() | strategies.integers(1, 9))
    def set_alarm(self, due):
        self.before()
        self.writes.set_alarm(due)
        self.model.alarm = due

    @rule()
    def let_time_pass(self):
        self.now += 1

    @precondition(lambda self: len(self.outer) < 3)
    @rule()
    def begin(self):
        if not self.outer:
            self.writes.keep()
            self.kept, self.kept_at = self.model.copy(), self.now
        self.data.begin()
        self.outer.append(self.model.copy())

    @precondition(lambda self: self.outer)
    @rule()
    def commit(self):
        self.data.commit()
        self.outer.pop()
        if not self.outer:
            self.kept, self.kept_at = self.model.copy(), self.now

    @precondition(lambda self: self.outer)
    @rule()
    def roll_back(self):
        self.writes.roll_back()
        self.model = self.outer.pop()

    @precondition(lambda self: not self.outer)
    @rule()
    def end_of_a_call(self):
        self.writes.keep()
        self.kept, self.kept_at = self.model.copy(), self.now

    @rule()
    def abort(self):
        if not self.outer and self.kept_at != self.now:
            self.kept, self.kept_at = self.model.copy(), self.now
        self.writes.undo()
        self.model, self.outer = self.kept.copy(), []

    @precondition(lambda self: not self.outer)
    @rule()
    def copy(self):
        self.writes.keep()
        copied = self.copied()
        self.data.close()
        self.data = self.writes.data = copied
        self.kept, self.kept_at = self.model.copy(), self.now

    def copied(self):
        return self.data.copy()

    @invariant()
    def it_holds_what_the_model_holds(self):
        listed = self.data.listed()
        assert list(listed) == sorted(self.model.keys, key=lambda key: key.encode())
        assert python_from_rpc_of(listed) == self.model.keys
        assert self.data.tables().get("t", {}) == Counter((("x", number),) for number in self.model.rows or [])
        assert self.data.alarm == self.model.alarm

    def teardown(self):
        self.data.close()


def python_from_rpc_of(entries):
    return {key: python_from_rpc(value) for key, value in entries.items()}


TestObjectStorage = ObjectStorageMachine.TestCase
TestObjectStorage.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
