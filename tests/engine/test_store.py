"""Storage: what was read is read anew when it has changed."""

from durable_engine.model import StepKey
from durable_engine.rows import HistoryRow
from durable_engine.storage.store import Store

KEY = StepKey("do", "charge", 1)


def test_a_history_that_was_read_grows_and_goes():
    store = Store()
    first, other = (store.add_instance("W", id, 0, b"") for id in ("first", "other"))

    def record(row, kind):
        store.record(row.key, [HistoryRow(kind, KEY, 0, None, None)])

    def kinds(row):
        return [line.kind for line in store.history(row.key)]

    record(first, "STEP_START")
    record(other, "STEP_START")
    assert kinds(first) == kinds(other) == ["STEP_START"]

    record(other, "STEP_SUCCESS")
    assert kinds(other) == ["STEP_START", "STEP_SUCCESS"]
    assert store.ranks(other.key, {"STEP_SUCCESS"}) == {KEY: 1}

    store.forget_steps(other.key)
    assert kinds(other) == []

    assert kinds(first) == ["STEP_START"]
    store.delete_instances([first.key])
    assert kinds(first) == []
    store.close()
