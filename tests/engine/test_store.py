"""Storage: what is stored are copies, and what is read is read anew when it has changed."""

import pytest

from durable_engine import EngineClosedError
from durable_engine.model import StepKey
from durable_engine.rows import HistoryRow, StepRow
from durable_engine.storage.store import Store

KEY = StepKey("do", "charge", 1)


def test_nobody_who_holds_a_row_changes_what_is_stored():
    store = Store()
    instance = store.add_instance("W", "x", 0, b"")
    instance.change_status("running")
    assert store.find_instance("W", "x").status == "queued"
    store.save_instance(instance)
    (read,) = store.all_instances()
    read.change_status("complete")
    assert store.find_instance("W", "x").status == "running"

    detail = {"config": {"retries": {"limit": 1}}}
    step = StepRow(KEY, 1, 0)
    store.record(instance.key, [HistoryRow("STEP_START", KEY, 0, detail)], step)
    step.begin_attempt()
    detail["config"]["retries"]["limit"] = 2
    assert store.step(instance.key, KEY).attempts == 0
    store.step(instance.key, KEY).begin_attempt()
    store.steps(instance.key)[0].begin_attempt()
    assert store.steps(instance.key)[0].attempts == 0
    store.history(instance.key)[0].detail["config"].clear()
    assert store.history(instance.key)[0].detail == {"config": {"retries": {"limit": 1}}}


def test_a_detail_that_history_repeats_is_stored_once_unless_it_is_long():
    store = Store()
    instance = store.add_instance("W", "x", 0, b"").key
    for detail in ({"attempt": 1}, {"error": "e" * 300}):
        store.record(instance, [HistoryRow("ATTEMPT_START", KEY, 0, dict(detail)) for _ in range(2)])
    packed = [line.detail for line in store._contents[instance].history]
    assert packed[0] is packed[1]
    assert packed[2] == packed[3]
    assert packed[2] is not packed[3]


def test_a_value_is_stored_once_however_many_rows_have_it():
    store = Store()
    instance = store.add_instance("W", "x", 0, b"").key
    value = b"v" * 1000
    step = StepRow(KEY, 1, 0, result=value)
    store.record(instance, [HistoryRow("STEP_SUCCESS", KEY, 0, None, value)], step)
    store.add_event(instance, "go", value, 0, mocked=False)
    assert store.step(instance, KEY).result is value
    assert store.history(instance)[0].value is value
    assert store.take_event(instance, "go").payload is value


def test_steps_come_in_the_order_of_their_start_though_one_of_them_begins_anew():
    store = Store()
    instance = store.add_instance("W", "x", 0, b"").key
    for seq, name in ((1, "a"), (2, "b"), (3, "a")):
        store.record(instance, [], StepRow(StepKey("do", name, 1), seq, 0))
    assert [row.key.name for row in store.steps(instance)] == ["b", "a"]


def test_events_of_several_types_come_in_the_order_of_their_arrival():
    store = Store()
    instance = store.add_instance("W", "x", 0, b"").key
    numbers = [store.add_event(instance, type, b"", 0, mocked=False) for type in ("a", "b", "a", "b")]
    assert [event.seq for event in store.events(instance)] == numbers
    assert store.take_event(instance, "b").seq == numbers[1]
    assert [event.type for event in store.events(instance)] == ["a", "a", "b"]
    store.delete_events(instance)
    assert store.events(instance) == []
    assert not store.has_event(instance, "a")
    assert store.take_event(instance, "a") is None


def test_what_is_deleted_is_not_stored_again_and_its_id_is_free():
    store = Store()
    row = store.add_instance("W", "x", 0, b"")
    store.delete_instances([row.key])
    store.save_instance(row)
    store.record(row.key, [HistoryRow("STEP_START", KEY, 0)], StepRow(KEY, 1, 0))
    assert store.find_instance("W", "x") is None
    assert store.all_instances() == store.steps(row.key) == store.history(row.key) == []
    assert store.add_instance("W", "x", 0, b"").key != row.key


def test_a_closed_store_is_neither_read_nor_written():
    store = Store()
    row = store.add_instance("W", "x", 0, b"")
    store.close()
    store.close()
    for use in (
        store.all_instances,
        lambda: store.find_instance("W", "x"),
        lambda: store.add_instance("W", "y", 0, b""),
        lambda: store.save_instance(row),
        lambda: store.steps(row.key),
        lambda: store.delete_instances([row.key]),
    ):
        with pytest.raises(EngineClosedError, match="storage"):
            use()


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


def test_when_an_instance_changed_last_is_the_time_of_its_last_line():
    store = Store()
    instance = store.add_instance("W", "x", 0, b"")

    assert store.last_at(instance.key) is None
    store.record(instance.key, [HistoryRow("STEP_START", KEY, 3), HistoryRow("STEP_SUCCESS", KEY, 5)])
    assert store.last_at(instance.key) == 5


@pytest.mark.parametrize("detail", [{"event": "half of a pair: \ud83d"}, {"config": {"delay": 10**30, "limit": 1.5}}])
def test_a_detail_that_messagepack_cannot_encode_is_found_again(detail):
    store = Store()
    instance = store.add_instance("W", "x", 0, b"")

    store.record(instance.key, [HistoryRow("STEP_START", KEY, 3, detail)])

    assert store.history(instance.key)[0].detail == detail


def test_in_memory_everything_is_stored_at_once():
    told = []
    Store().once_stored(told.append)

    assert told == [None]
