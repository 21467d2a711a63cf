"""D1 against a plain model: whatever is done, in whatever order, a database has the rows that a dict would have."""

import asyncio

from d1_databases import database
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, rule

from durable_engine import JsException
from pytest_workflows.standins.d1_store import D1Store

KEYS = st.sampled_from(["a", "b", "c", "'", ";", "--", "é"])
VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**53) + 1, 2**53 - 1),
    st.floats(),
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=5),
    st.binary(max_size=5),
    st.lists(st.integers(0, 255), max_size=3),
)
CHANGES = st.lists(st.tuples(st.sampled_from(["insert", "upsert", "delete"]), KEYS, VALUES), max_size=4)
SQL = {
    "insert": "INSERT INTO rows (k, v) VALUES (?, ?)",
    "upsert": "INSERT INTO rows (k, v) VALUES (?, ?) ON CONFLICT (k) DO UPDATE SET v = excluded.v",
    "delete": "DELETE FROM rows WHERE k = ? AND ?2 IS ?2",
}


def came_back(value):
    """What a value is after its way there and back."""
    if isinstance(value, bytes):
        return list(value)
    if isinstance(value, float) and (value != value or value in (float("inf"), float("-inf"))):
        return None
    if isinstance(value, bool | float):
        return int(value) if float(value).is_integer() and abs(value) < 2**53 else value
    return value


class DatabaseModel(RuleBasedStateMachine):
    """Databases, each beside the dict that it is to be."""

    databases = Bundle("databases")

    def __init__(self):
        super().__init__()
        self.all = []

    def run(self, coroutine):
        return self.loop.run_until_complete(coroutine)

    @property
    def loop(self):
        if not hasattr(self, "_loop"):
            self._loop = asyncio.new_event_loop()
        return self._loop

    def outcome(self, coroutine):
        """What it gives, or the text of its error."""
        try:
            return self.run(coroutine)
        except JsException as error:
            return str(error)

    def entered(self, store, model):
        made = (store, database(store), dict(model))
        self.all.append(made)
        return made

    @rule(target=databases)
    def make(self):
        store, db, model = self.entered(D1Store(), {})
        self.run(db.exec("CREATE TABLE rows (k TEXT PRIMARY KEY, v) WITHOUT ROWID"))
        return store, db, model

    @rule(target=databases, one=databases)
    def copy(self, one):
        store, _, model = one
        return self.entered(store.copy(), model)

    @rule(one=consumes(databases))
    def forget(self, one):
        self.all = [other for other in self.all if other[0] is not one[0]]
        one[0].close()

    def expected(self, model, changes):
        """The rows after the changes and how many each changed; None where one must fail."""
        after, counts = dict(model), []
        for kind, key, value in changes:
            if kind == "insert" and key in after:
                return None
            counts.append(int(kind != "delete" or key in after))
            if kind == "delete":
                after.pop(key, None)
            else:
                after[key] = came_back(value)
        return after, counts

    @rule(one=databases, changes=CHANGES)
    def batch(self, one, changes):
        _, db, model = one
        statements = [db.prepare(SQL[kind]).bind(key, value) for kind, key, value in changes]
        expected = self.expected(model, changes)
        results = self.outcome(db.batch(statements))
        if expected is None or not changes:
            assert ("UNIQUE constraint failed: rows.k" if changes else "No SQL statements detected.") in results
            return
        after, counts = expected
        assert [result.meta.changes for result in results] == counts
        model.clear()
        model.update(after)

    @rule(
        one=databases,
        change=CHANGES.filter(bool).map(lambda changes: changes[0]),
        method=st.sampled_from(["run", "all", "raw", "first"]),
    )
    def alone(self, one, change, method):
        _, db, model = one
        kind, key, value = change
        expected = self.expected(model, [change])
        outcome = self.outcome(getattr(db.prepare(SQL[kind]).bind(key, value), method)())
        if expected is None:
            assert "UNIQUE constraint failed: rows.k" in outcome
            return
        model.clear()
        model.update(expected[0])

    @rule(one=databases, key=KEYS)
    def read_one(self, one, key):
        _, db, model = one
        statement = db.prepare("SELECT v, k FROM rows WHERE k = ?").bind(key)
        row = self.run(statement.first())
        assert row == ({"v": model[key], "k": key} if key in model else None)
        assert self.run(statement.first("v")) == model.get(key)

    @invariant()
    def every_database_has_its_rows(self):
        for store, db, model in self.all:
            rows = self.run(db.prepare("SELECT k, v FROM rows").raw())
            assert dict(rows) == model
            result = self.run(db.prepare("SELECT * FROM rows ORDER BY k").all())
            assert [row.k for row in result.results] == sorted(model)
            assert result.meta.rows_read == len(model)
            assert sum(store.contents().get("rows", {}).values()) == len(model)

    def teardown(self):
        for store, _, _ in self.all:
            store.close()
        self.loop.close()


TestDatabase = DatabaseModel.TestCase
TestDatabase.settings = settings(max_examples=50, stateful_step_count=30, deadline=None)
