"""The store on disk: what it commits and when, and that the file has what memory had."""

import asyncio
import sqlite3

import pytest
from disk import Commits, as_killed, contents, got, opened, put, turns

from durable_engine import StoreError
from durable_engine.context.scope import Scope, current_scope
from durable_engine.model import CronTrigger, StepKey
from durable_engine.rows import EventRow, HistoryRow, InstanceRow, StepRow
from durable_engine.storage import disk
from durable_engine.storage.journal import Added, Batch, Deleted, EventAdded, Recorded, Saved, Whole
from durable_engine.storage.journaled_store import JournaledStore
from durable_engine.storage.store import Line, Shown
from durable_engine.workflow import Retention

KEY = StepKey("do", "charge", 1)
NAP = StepKey("sleep", "nap", 1, 1000)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "state" / "workflows.sqlite"


def fill(store):
    """One of everything, changed in every way that there is."""
    kept, gone, ended = (store.add_instance("W", id, 5, id.encode()) for id in ("kept", "gone", "ended"))
    store.add_instance("W", "c-1", 6, b"{}", Retention(1, 2), CronTrigger("* * * * *", 1))
    step = StepRow(KEY, 1, 10)
    for row in (kept, gone, ended):
        store.record(row.key, [HistoryRow("WORKFLOW_QUEUED", None, 5, {"trigger": {"source": 0}}, row.params)])
        row.change_status("running")
        store.save_instance(row)
        step = StepRow(KEY, 1, 10)
        step.begin(b"inputs", 2)
        store.record(row.key, [HistoryRow("STEP_START", KEY, 10, {"config": {"a": 1}})], step)
        step.end("complete", 11, result=b"result")
        store.record(row.key, [HistoryRow("STEP_SUCCESS", KEY, 11, None, step.result)], step)
    nap = StepRow(NAP, 2, 12)
    nap.wait_until(1012)
    store.record(kept.key, [HistoryRow("SLEEP_START", NAP, 12, {"durationMs": 1000})], nap)
    store.forget_steps(kept.key, 2)
    store.record(kept.key, [HistoryRow("STEP_SUCCESS", StepKey("do", "secret", 1), 13, None, b"shown")])
    for type in ("a", "b", "a"):
        store.add_event(kept.key, type, type.encode(), 20, mocked=False)
    store.take_event(kept.key, "a")
    assert store.take_event(kept.key, "z") is None
    store.add_event(ended.key, "a", b"", 20, mocked=False)
    store.delete_events(ended.key)
    ended.note_end(30, b"output")
    ended.change_status("complete")
    store.record(ended.key, [HistoryRow("WORKFLOW_SUCCESS", None, 30, None, ended.output)])
    store.save_instance(ended)
    store.delete_instances([gone.key])
    store.delete_instances([])
    store.record(gone.key, [HistoryRow("STEP_START", KEY, 10)])
    store.save_instance(gone)
    store.note_moved(1000)
    store.note_moved(2000)


async def test_what_was_written_is_there_after_the_process_has_died(path, tmp_path):
    async with opened(path) as store:
        fill(store)
        await store.stored()
        written, last_key = contents(store), store.last_key
        left = as_killed(path, tmp_path / "killed")
    async with opened(left) as again:
        assert contents(again) == written
        assert again.moved_ms == 2000
        assert again.last_key == last_key
        assert again.add_event(1, "a", b"", 0, mocked=False) == 5
        assert again.find_instance("W", "gone") is None


async def test_a_value_that_history_shows_is_in_the_file_once_and_read_once(path):
    value = b"v" * 1_000_000
    async with opened(path) as store:
        row = store.add_instance("W", "x", 0, value)
        store.record(row.key, [HistoryRow("WORKFLOW_QUEUED", None, 0, None, row.params)])
        row.change_status("running")
        store.save_instance(row)
        step = StepRow(KEY, 1, 0)
        step.begin(None, 0)
        step.end("complete", 0, result=value[:-1])
        store.record(row.key, [HistoryRow("STEP_SUCCESS", KEY, 0, None, step.result)], step)
        await store.stored()
        assert store._size < 2_100_000
    async with opened(path) as again:
        queued, success = again.history(row.key)
        assert queued.value is again.find_instance("W", "x").params
        assert success.value is again.step(row.key, KEY).result
        assert (queued.value, success.value) == (value, value[:-1])


async def test_what_is_written_in_one_turn_of_the_loop_is_one_commit_and_what_comes_meanwhile_is_the_next(path):
    async with opened(path) as store:
        commits = Commits(store)
        for number in range(100):
            store.add_instance("W", f"i{number}", 0, b"")
        await store.stored()
        assert commits.count == 1

        commits.hold()
        put(store, "n", b"0")
        await turns()
        for number in range(100):
            put(store, "n", str(number).encode())
            await turns(1)
        commits.release()
        await store.stored()
        assert commits.count == 3


async def test_an_action_waits_for_the_commit_of_what_was_written_before_it_and_comes_in_order(path):
    done = []
    async with opened(path) as store:
        store.when_stored(lambda: done.append("nothing to wait for"))
        assert done == ["nothing to wait for"]

        commits = Commits(store)
        commits.hold()
        put(store, "n", b"0")
        store.when_stored(lambda: done.append("first"))
        await turns()
        store.when_stored(lambda: done.append("first, while it is under way"))
        put(store, "n", b"1")
        store.when_stored(lambda: done.append("second"))
        await turns()
        assert done == ["nothing to wait for"]

        commits.release()
        await store.stored()
        store.when_stored(lambda: done.append("after them"))
        await turns()
        assert done[1:] == ["first", "first, while it is under way", "second", "after them"]


async def test_what_an_answer_tells_of_is_waited_for_and_nothing_else(path):
    told = []

    def ask(what, about=None):
        store.once_stored(lambda problem: told.append((what, problem)), about)

    async with opened(path) as store:
        kept, other = (store.add_instance("W", id, 0, b"") for id in ("kept", "other"))
        await store.stored()
        commits = Commits(store)
        commits.hold()
        store.record(other.key, [HistoryRow("STEP_START", KEY, 0)])
        store.note_moved(5)
        ask("nothing of it", Shown([kept.key]))
        ask("which there are", Shown([kept.key], all_rows=True))
        ask("nothing", Shown())
        assert [what for what, _ in told] == ["nothing of it", "which there are", "nothing"]

        ask("all of it", Shown([kept.key, other.key]))
        await turns()  # its commit is under way
        ask("all of it, while it is under way", Shown([other.key]))
        store.save_instance(kept)
        ask("which there are, and one has changed", Shown(all_rows=True))
        ask("that one", Shown([kept.key]))
        store.delete_instances([other.key])
        ask("one that is gone", Shown([other.key]))
        ask("everything")
        await turns()
        assert len(told) == 3

        commits.release()
        await store.stored()
        assert told[3:] == [
            ("all of it", None),
            ("all of it, while it is under way", None),
            ("which there are, and one has changed", None),
            ("that one", None),
            ("one that is gone", None),
            ("everything", None),
        ]
        assert commits.count == 2


@pytest.mark.parametrize(
    "change",
    [
        lambda store, row: store.add_instance("W", "new", 0, b""),
        lambda store, row: store.save_instance(row),
        lambda store, row: store.delete_instances([row.key]),
    ],
    ids=["one is new", "one has changed", "one is gone"],
)
async def test_an_answer_that_tells_which_there_are_waits_for_each_change_of_that(path, change):
    told = []
    async with opened(path) as store:
        row = store.add_instance("W", "x", 0, b"")
        await store.stored()
        change(store, row)
        store.once_stored(told.append, Shown(all_rows=True))
        assert told == []

        await store.stored()
        assert told == [None]


async def test_whoever_waits_for_an_answer_is_told_before_what_goes_on(path):
    done = []
    async with opened(path) as store:
        put(store, "n", b"")
        store.when_stored(lambda: done.append("goes on"))
        store.once_stored(lambda problem: done.append("told"))
        await store.stored()
    assert done == ["told", "goes on"]


async def test_whoever_waits_no_more_is_no_trouble(path):
    async with opened(path) as store:
        put(store, "n", b"")
        waiting = asyncio.ensure_future(store.stored())
        await turns(1)
        waiting.cancel()
        await store.stored()
        assert store.problem is None


async def test_an_action_that_fails_keeps_none_from_happening(path):
    done, failed = [], []
    asyncio.get_running_loop().set_exception_handler(lambda loop, context: failed.append(context["exception"]))
    async with opened(path) as store:
        put(store, "n", b"")
        store.when_stored(lambda: done.append(1 / 0))
        store.when_stored(lambda: done.append("second"))
        await store.stored()
        assert done == ["second"]  # whoever waits goes on after the actions
    assert [type(error) for error in failed] == [ZeroDivisionError]


async def test_the_end_writes_what_was_written_last(path):
    async with opened(path) as store:
        put(store, "a", b"1")
    async with opened(path) as store:
        assert got(store, "a") == b"1"
        commits = Commits(store)
        commits.hold()
        put(store, "a", b"2")
        await turns()
        put(store, "a", b"3")
        asyncio.get_running_loop().call_later(0, commits.release)
    async with opened(path) as store:
        assert got(store, "a") == b"3"


async def test_what_is_written_after_the_end_goes_nowhere(path):
    async with opened(path) as store:
        put(store, "a", b"1")
    put(store, "a", b"2")
    await turns()
    async with opened(path) as again:
        assert got(again, "a") == b"1"


async def test_a_closed_store_drops_what_memory_has_and_not_the_file(path):
    async with opened(path) as store:
        store.add_instance("W", "x", 0, b"")
        store.close()
    async with opened(path) as again:
        assert again.find_instance("W", "x") is not None


# -- compaction --------------------------------------------------------------------------------------------------------


@pytest.fixture
def small(monkeypatch):
    """Files are compacted soon, and a few instances at a time."""
    monkeypatch.setattr(disk, "SPARE_BYTES", 20_000)
    monkeypatch.setattr(disk, "MOST_WHOLE_LINES", 8)
    monkeypatch.setattr(disk, "MOST_DROPPED", 4)


def work(store, row, number):
    """A step, and one that is forgotten."""
    step = StepRow(StepKey("do", f"s{number % 7}", 1), 1, number)
    step.begin(None, 0)
    step.end("complete", number, result=b"r" * 50)
    store.record(row.key, [HistoryRow("STEP_SUCCESS", step.key, number, None, step.result)], step)
    if number % 7 == 6:
        store.forget_steps(row.key)


async def test_a_journal_is_written_anew_when_most_of_it_is_out_of_date(path, tmp_path, small):
    async with opened(path) as store:
        fill(store)
        rows = [store.add_instance("W", f"i{number}", 0, b"") for number in range(20)]
        for number in range(300):
            for row in rows:
                work(store, row, number)
            put(store, "last", str(number).encode())
            if number == 150:
                store.delete_instances([rows.pop().key])
                rows.append(store.add_instance("W", "late", 0, b""))
            await store.stored()
        batches = await store._database.batches()
        assert sum(len(batch) for _, batch in batches) == store._size < 300_000
        written, queued = contents(store), store.queued()
        left = as_killed(path, tmp_path / "killed")
    async with opened(left) as again:
        assert contents(again) == written
        assert again.queued() == queued
        assert (again.moved_ms, got(again, "last")) == (2000, b"299")


async def test_a_compaction_takes_few_large_instances_at_a_time(path, small, monkeypatch):
    monkeypatch.setattr(disk, "MOST_WHOLE_LINES", 1000)
    monkeypatch.setattr(disk, "MOST_WHOLE_BYTES", 150)
    async with opened(path) as store:
        for number in range(6):
            work(store, store.add_instance("W", f"i{number}", 0, b""), 0)
        keys, counts = iter(store.keys()), []
        while store._gather_whole(keys):
            counts.append(len([one for one in store._gathered.entries if isinstance(one, Whole)]))
        assert counts == [3, 6]


async def test_a_process_that_dies_at_any_point_of_a_compaction_loses_nothing(path, tmp_path, small):
    async with opened(path) as store:
        rows = [store.add_instance("W", f"i{number}", 0, b"") for number in range(10)]
        left = []

        async def copy(method, *args):
            answer = await method(*args)
            left.append(as_killed(path, tmp_path / f"killed{len(left)}"))
            return answer

        write, drop = store._database.write, store._database.drop_before
        store._database.write = lambda *args: copy(write, *args)
        store._database.drop_before = lambda *args: copy(drop, *args)
        for number in range(60):
            for row in rows:
                work(store, row, number)
        stored = contents(store)
        await store.stored()
        while store._writer is not None:
            await asyncio.sleep(0)
        assert len(left) > 6
    for copied in left:
        async with opened(copied) as again:
            assert contents(again) == stored


async def test_an_engine_that_is_closed_before_a_compaction_loses_nothing(path, small):
    async with opened(path) as store:
        for number in range(30):
            store.add_instance("W", f"i{number}", 0, b"x" * 1000)
        store.close()
    async with opened(path) as again:
        assert len(again.all_instances()) == 30


@pytest.mark.parametrize("end", ["the engine's", "the store's"])
async def test_the_end_in_the_middle_of_a_compaction_ends_it_and_loses_nothing(path, small, end):
    async with opened(path) as store:
        dropped = []
        drop = store._database.drop_before
        store._database.drop_before = lambda *args: dropped.append(args) or drop(*args)
        for number in range(30):
            store.add_instance("W", f"i{number}", 0, b"x" * 1000)
        await store.stored()
        commits = Commits(store)
        commits.hold()
        await turns()
        assert store._writer is not None  # it writes what there is anew
        if end == "the engine's":
            store.close()
        closing = asyncio.ensure_future(store.aclose() if end == "the store's" else asyncio.sleep(0))
        await turns()
        commits.release()
        await closing
    assert dropped == []
    async with opened(path) as again:
        assert len(again.all_instances()) == 30


async def written_anew(store):
    """Let the file be written anew, if it is due; returns the number of the first batch that it has."""
    await store.stored()
    while store._writer is not None:
        await asyncio.sleep(0)
    return (await store._database.batches())[0][0]


async def test_a_file_that_was_written_anew_is_gone_on_with(path, small):
    async with opened(path) as store:
        for number in range(40):
            put(store, "n", b"%d" % number * 500)
            await store.stored()
        assert await written_anew(store) > 1
    async with opened(path) as again:
        put(again, "n", b"later")
    async with opened(path) as again:
        assert got(again, "n") == b"later"


async def test_what_a_file_has_when_it_is_opened_counts(path, small):
    async with opened(path) as store:
        for number in range(15):
            put(store, "n", b"%d" % number * 1000)
            await store.stored()
    async with opened(path) as again:
        put(again, "n", b"y" * 10_000)
        assert await written_anew(again) > 1


async def test_the_order_of_the_queue_and_of_the_instances_is_the_same_in_a_file_that_was_written_anew(path, small):
    async with opened(path) as store:
        rows = [store.add_instance("W", id, 0, b"") for id in ("first", "second", "gone")]
        for status in ("running", "queued"):
            rows[0].change_status(status)
            store.save_instance(rows[0])
        store.delete_instances([rows[2].key])
        assert list(store._queue) == [rows[1].key, rows[0].key]
        put(store, "large", b"x" * 30_000)
        assert await written_anew(store) > 1
        names = [row.id for row in store.all_instances()]
    async with opened(path) as again:
        assert [row.id for row in again.queued()] == ["second", "first", "large"]
        assert [row.id for row in again.all_instances()] == names == ["first", "second", "large"]


def test_nothing_is_left_in_the_queue_of_an_instance_that_was_deleted():
    entries = []
    store = JournaledStore(entries.append)
    row = store.add_instance("W", "x", 0, b"")
    store.delete_instances([row.key])
    again = JournaledStore(entries.append)
    again.replay([Batch(1, 0, list(entries))])

    assert store._queue == again._queue == {}


def test_instances_are_in_the_order_of_their_creation_whichever_the_file_has_first():
    first, second = (InstanceRow(key, "W", f"i{key}", 0, b"", "running") for key in (1, 2))
    store = JournaledStore(lambda entry: None)
    store.replay([Batch(2, 0, [Added(second)]), Batch(2, 0, [Whole(first, [], [], [])])])  # a part of it was dropped

    assert store.keys() == [1, 2]


async def test_entries_about_instances_whose_beginning_is_gone_are_left_out(path):
    async with opened(path) as store:
        row = store.add_instance("W", "x", 0, b"")
        entries = [
            Saved(row),
            Recorded(row.key, [], StepRow(KEY, 1, 0)),
            EventAdded(row.key, EventRow(1, "a", b"", 0, False)),
            Deleted([row.key]),
        ]
        store.delete_instances([row.key])
        store.replay([Batch(row.key, 1, entries)])
        assert contents(store) == []
        assert list(store.whole([row.key])) == []  # as of one that is deleted while others are written anew


async def test_what_cannot_be_dropped_stays(path, small, caplog):
    async def refuse(number, most):
        raise StoreError("locked")

    async with opened(path) as store:
        store._database.drop_before = refuse
        put(store, "n", b"x" * 30_000)
        await store.stored()
        while store._writer is not None:
            await asyncio.sleep(0)
        assert "stays there for now. locked" in caplog.text
        assert store._limit > 2 * store._size
    async with opened(path) as again:
        assert got(again, "n") == b"x" * 30_000


async def test_the_order_of_the_queue_is_that_in_which_instances_came_to_it(path):
    async with opened(path) as store:
        first, second, third = (store.add_instance("W", id, 0, b"") for id in ("first", "second", "third"))
        first.change_status("running")
        store.save_instance(first)
        second.change_status("queued")
        store.save_instance(second)
        first.change_status("queued")
        store.save_instance(first)
        store.delete_instances([third.key])
        assert [row.id for row in store.queued()] == ["second", "first"]
    async with opened(path) as again:
        assert [row.id for row in again.queued()] == ["second", "first"]


async def test_a_large_batch_is_written_in_parts_that_are_there_together(path, monkeypatch):
    monkeypatch.setattr(disk, "LARGEST_BATCH", 300)
    async with opened(path) as store:
        for number in range(10):
            put(store, f"n{number}", b"x" * 100)
        await store.stored()
        assert len(await store._database.batches()) > 3
    async with opened(path) as again:
        assert all(got(again, f"n{number}") == b"x" * 100 for number in range(10))


async def test_an_instance_that_is_more_than_a_value_of_a_file_is_written_anew_in_parts(path, tmp_path, monkeypatch):
    monkeypatch.setattr(disk, "LARGEST_BATCH", 300)
    monkeypatch.setattr(disk, "SPARE_BYTES", 10_000)
    async with opened(path) as store:
        fill(store)
        row = store.find_instance("W", "kept")
        store.add_event(row.key, "c", b"e" * 200, 30, mocked=False)
        for number in range(40):
            key = StepKey("do", "large", number)
            step = StepRow(key, number + 10, 0)
            step.begin(None, 0)
            lines = [HistoryRow("STEP_START", key, number)]
            if number % 4:
                step.end("complete", 1, result=b"r" * 300)
                lines.append(HistoryRow("STEP_SUCCESS", key, number, None, step.result if number % 2 else b"redacted"))
            store.record(row.key, lines, step)
        await store.stored()
        while store._writer is not None:
            await asyncio.sleep(0)
        written = contents(store)
        first, sizes = (await store._database.batches())[0][0], [len(b) for _, b in await store._database.batches()]
        assert first > 1  # what was written before is dropped
        assert max(sizes) < 1000
        left = as_killed(path, tmp_path / "killed")
    async with opened(left) as again:
        assert contents(again) == written


async def test_a_step_whose_name_utf_8_cannot_encode_is_found_again(path):
    odd = StepKey("do", "half of a pair: \ud83d", 1)
    async with opened(path) as store:
        row = store.add_instance("W", "x", 0, b"\xff")
        for key in (odd, KEY):
            step = StepRow(key, 1, 0)
            step.begin(b"\x00", 0)
            step.end("complete", 1, result=b"\xfe")
            store.record(row.key, [HistoryRow("STEP_SUCCESS", key, 1, {"a": "b"}, step.result)], step)
        written = contents(store)
        await store.stored()
        assert store.problem is None
    async with opened(path) as again:
        assert contents(again) == written
        assert again.step(row.key, odd).result == b"\xfe"


async def test_numbers_beyond_64_bits_are_found_again(path):
    async with opened(path) as store:
        row = store.add_instance("W", "x", 0, b"\xff", Retention(10**20, 10**30))
        step = StepRow(StepKey("sleep", "s", 1, 10**25), 1, 0)
        step.wait_until(10**22)
        store.record(row.key, [HistoryRow("SLEEP_START", step.key, 1)], step)
        written = contents(store)
        await store.stored()
        assert store.problem is None
    async with opened(path) as again:
        assert contents(again) == written
        assert again.step(row.key, step.key).due == 10**22


# -- what does not work ------------------------------------------------------------------------------------------------


@pytest.fixture
def soon(monkeypatch):
    """A commit that failed is tried again at once."""
    monkeypatch.setattr(disk, "RETRY_SECONDS", (0.0,))
    monkeypatch.setattr("durable_engine.storage.database.BUSY_SECONDS", 0.0)


def fill_disk(store, *, full):
    """Let the disk be full from now on, or no more."""
    pages = 1 if full else 1_000_000_000
    return store._database._connection.execute_fetchall(f"PRAGMA max_page_count={pages}")


async def test_a_full_disk_is_said_and_loses_nothing(path, soon, caplog):
    done = []
    async with opened(path) as store:
        await store.stored()
        await fill_disk(store, full=True)
        put(store, "n", b"x" * 100_000)
        store.when_stored(lambda: done.append("run goes on"))
        with pytest.raises(StoreError, match=r"workflows.sqlite is full .*make room.* nothing is lost unless"):
            await store.stored()
        assert store.problem is not None
        assert store.problem in caplog.text
        with pytest.raises(StoreError, match="is full"):
            await store.stored()  # whoever asks later is told at once
        put(store, "m", b"later")
        await turns()
        assert done == []

        await fill_disk(store, full=False)
        while store.problem is not None:
            await asyncio.sleep(0)
        await store.stored()
        await turns()
        assert done == ["run goes on"]
        assert "is written again; nothing was lost" in caplog.text
    async with opened(path) as again:
        assert got(again, "n") == b"x" * 100_000
        assert got(again, "m") == b"later"


async def test_whoever_waits_or_asks_while_nothing_can_be_written_is_told_at_once(path, monkeypatch):
    monkeypatch.setattr(disk, "RETRY_SECONDS", (1000.0,))
    told = []
    async with opened(path) as store:
        await fill_disk(store, full=True)
        commits = Commits(store)
        commits.hold()
        put(store, "n", b"x" * 100_000)
        await turns()  # its commit is under way
        put(store, "m", b"")
        store.once_stored(lambda problem: told.append(("waits for the next one", str(problem))))
        commits.release()
        while store.problem is None:
            await asyncio.sleep(0)
        store.once_stored(lambda problem: told.append(("asks now", str(problem))))

        assert told == [("waits for the next one", store.problem), ("asks now", store.problem)]
        await fill_disk(store, full=False)
    async with opened(path) as again:
        assert got(again, "m") == b""


async def test_a_store_that_cannot_be_written_at_its_end_says_what_is_lost(path, soon):
    store = await disk.DiskStore.open(path)
    await fill_disk(store, full=True)
    put(store, "n", b"x" * 100_000)
    with pytest.raises(
        StoreError, match=r"did last is not on disk, and is lost with this process. .* is full .* run again after"
    ):
        await store.aclose()


async def test_a_store_that_waits_for_room_ends_at_once(path, monkeypatch):
    monkeypatch.setattr(disk, "RETRY_SECONDS", (3600.0,))
    store = await disk.DiskStore.open(path)
    await fill_disk(store, full=True)
    put(store, "n", b"x" * 100_000)
    with pytest.raises(StoreError):
        await store.stored()
    await fill_disk(store, full=False)
    await store.aclose()
    async with opened(path) as again:
        assert got(again, "n") == b"x" * 100_000


async def test_an_entry_that_cannot_be_encoded_is_said_and_nothing_after_it_is_acknowledged(path, soon, caplog):
    store = await disk.DiskStore.open(path)
    put(store, "n", b"1")
    await store.stored()
    put(store, "n", object())
    with pytest.raises(StoreError, match=r"cannot be written \(TypeError: .*mistake of the engine.*please report it"):
        await store.stored()
    put(store, "m", b"2")
    done = []
    store.when_stored(lambda: done.append("acknowledged"))
    await turns()
    assert done == []
    with pytest.raises(StoreError, match="mistake of the engine"):
        await store.aclose()
    assert done == []
    async with opened(path) as again:
        assert [row.id for row in again.all_instances()] == ["n"]
        assert got(again, "n") == b"1"


async def test_an_error_that_is_none_of_the_file_does_not_end_the_writer(path, soon):
    async with opened(path) as store:
        await store.stored()
        write = store._database.write
        store._database.write = lambda number, batches: 1 // 0
        put(store, "n", b"1")
        with pytest.raises(StoreError, match="ZeroDivisionError"):
            await store.stored()
        store._database.write = write
        while store.problem is not None:
            await asyncio.sleep(0)
    async with opened(path) as again:
        assert got(again, "n") == b"1"


async def test_a_file_that_another_program_has_locked_is_said_and_written_later(path, soon):
    async with opened(path) as store:
        await store.stored()
        other = sqlite3.connect(path, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        put(store, "n", b"1")
        with pytest.raises(StoreError, match="is locked by another program, such as a shell of sqlite3"):
            await store.stored()
        other.execute("COMMIT")
        other.close()
        while store.problem is not None:
            await asyncio.sleep(0)
    async with opened(path) as again:
        assert got(again, "n") == b"1"


async def test_code_of_an_instance_waits_until_the_file_can_be_written(path, soon):
    async with opened(path) as store:
        await fill_disk(store, full=True)
        put(store, "n", b"x" * 100_000)
        token = current_scope.set(Scope(None, lambda scope: None))
        waiting = asyncio.ensure_future(store.stored())
        current_scope.reset(token)
        while store.problem is None:
            await asyncio.sleep(0)
        await turns()
        assert not waiting.done()
        await fill_disk(store, full=False)
        await waiting


# -- the form ----------------------------------------------------------------------------------------------------------


def test_files_have_the_fields_of_rows_in_this_order():
    """Whoever changes this changes what is in files: a new field comes last, or the format gets another version."""
    assert InstanceRow.__struct_fields__ == (
        "key", "workflow", "id", "created_at", "params", "status", "output", "error", "ended_at", "paused_at",
        "success_retention", "error_retention", "cron", "source",
    )  # fmt: skip
    assert StepRow.__struct_fields__ == (
        "key", "seq", "started_at", "status", "ended_at", "due", "attempts", "failures", "result", "error", "inputs",
        "flags",
    )  # fmt: skip
    assert Line.__struct_fields__ == ("kind", "key", "at", "detail", "value")
