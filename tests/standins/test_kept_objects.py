"""Durable Objects that outlive their process: keys, alarms and databases, each transaction as a whole."""

from __future__ import annotations

import asyncio
import random
import sqlite3
from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import settings
from hypothesis.stateful import invariant, precondition, rule
from kept_folders import KeptFolder
from object_host import ObjectHost
from test_object_model import ObjectStorageMachine, python_from_rpc_of

from durable_engine import JsException
from pytest_workflows.standins.keeping import objects as kept_objects
from pytest_workflows.standins.keeping.objects import ClassObjects, OpenFiles
from pytest_workflows.standins.keeping.state_file import StateFile
from pytest_workflows.standins.object_data import ObjectData
from pytest_workflows.standins.object_store import ObjectStore
from pytest_workflows.standins.sqlite import SqliteDatabase
from pytest_workflows.workers.entrypoints import DurableObject

DUE = 1_700_000_060_000


class Counted(DurableObject):
    """An object that does what it is asked."""

    alarms: list[int]

    async def put(self, key: str, value: Any) -> None:
        await self.ctx.storage.put(key, value)

    async def get(self, key: str) -> Any:
        return await self.ctx.storage.get(key)

    async def insert(self, value: Any) -> None:
        self.ctx.storage.sql.exec("CREATE TABLE IF NOT EXISTS t(x)")
        self.ctx.storage.sql.exec("INSERT INTO t VALUES (?)", value)

    async def rows(self) -> list[Any]:
        return [row.x for row in self.ctx.storage.sql.exec("SELECT x FROM t").toArray()]

    async def set_alarm(self, due: int) -> None:
        await self.ctx.storage.setAlarm(due)

    async def alarm_time(self) -> Any:
        return await self.ctx.storage.getAlarm()

    async def clear(self) -> None:
        await self.ctx.storage.deleteAll()

    async def write_and_wait(self, wait: Any) -> None:
        await self.ctx.storage.put("a", "written")
        await wait()

    async def alarm(self, info: Any = None) -> None:
        rings = (await self.ctx.storage.get("rings")) or 0
        await self.ctx.storage.put("rings", rings + 1)


def namespace_of(folder: KeptFolder, made: type = Counted) -> tuple[ObjectHost, Any]:
    """The host and the namespace of the class, in another process."""
    host = folder.begin(ObjectHost)
    return host, host.namespace(made)


def files_of(folder: KeptFolder) -> list[str]:
    return sorted(path.name[64:] for path in folder.path.glob("objects/*/*.sqlite"))


async def test_keys_and_tables_are_there_for_the_next_process(folder: KeptFolder) -> None:
    _, first = namespace_of(folder)
    await first.getByName("a").put("key", {"n": [1, None]})
    await first.getByName("a").insert(5)
    await first.getByName("b").put("key", "other")
    await first.getByName("c").insert("SQL only")

    _, second = namespace_of(folder)

    assert await second.getByName("a").get("key") == {"n": [1, None]}
    assert await second.getByName("a").rows() == [5]
    assert await second.getByName("b").get("key") == "other"
    assert await second.getByName("c").rows() == ["SQL only"]
    assert await second.getByName("d").get("key") is None


async def test_an_object_in_the_list_has_its_name_and_what_nobody_stored_is_in_none(folder: KeptFolder) -> None:
    _, first = namespace_of(folder)
    await first.getByName("a").put("key", 1)
    await first.getByName("b").get("key")

    host, _ = namespace_of(folder)
    (listed,) = host.stores.listing()

    assert listed.store.peek("objects").rows == [["a", 1, "", None]]
    assert listed.store.contents() == {"": {("a", "key"): 1}, "(alarms)": {}}


async def test_an_alarm_is_set_again_and_goes_off_in_the_next_process(folder: KeptFolder) -> None:
    _, first = namespace_of(folder)
    await first.getByName("a").set_alarm(DUE)
    await first.getByName("b").put("key", 1)

    host, second = namespace_of(folder)
    assert [timer.due for timer in host.timers] == [DUE]
    await host.advance(60)

    assert await second.getByName("a").get("rings") == 1
    host, third = namespace_of(folder)
    assert host.timers == []
    assert await third.getByName("a").alarm_time() is None


async def test_an_alarm_that_was_due_meanwhile_goes_off_at_once(folder: KeptFolder) -> None:
    _, first = namespace_of(folder)
    await first.getByName("a").set_alarm(DUE)

    host = folder.begin(lambda stores: ObjectHost(stores, now_ms=DUE + 1_000_000))
    host.namespace(Counted)

    assert [timer.due for timer in host.timers] == [DUE + 1_000_000]


async def test_an_alarm_whose_handler_was_under_way_goes_off_once_more(folder: KeptFolder) -> None:
    class Watched(Counted):
        async def alarm(self, info: Any = None) -> None:
            await self.ctx.storage.put("rings", 1)
            await self.ctx.storage.sync()
            host, namespace = namespace_of(folder, Watched)  # another process, which finds what there is now
            seen.append(([timer.due for timer in host.timers], await namespace.getByName("a").get("rings")))
            if len(seen) == 1:
                await self.ctx.storage.setAlarm(DUE + 5000)

    seen: list[Any] = []
    host, first = namespace_of(folder, Watched)
    await first.getByName("a").set_alarm(DUE)
    await host.advance(60)

    assert seen == [([DUE], 1)]
    host, _ = namespace_of(folder, Watched)
    assert [timer.due for timer in host.timers] == [DUE + 5000]


async def test_a_failing_alarm_that_is_tried_again_is_kept(folder: KeptFolder) -> None:
    class Failing(Counted):
        async def alarm(self, info: Any = None) -> None:
            raise ValueError("no")

    host, first = namespace_of(folder, Failing)
    await first.getByName("a").set_alarm(DUE)
    await host.advance(60)
    assert [timer.due for timer in namespace_of(folder, Failing)[0].timers] == [DUE]

    await host.advance(1000)
    assert namespace_of(folder, Failing)[0].timers == []


async def test_what_is_written_is_kept_before_anything_is_waited_for(folder: KeptFolder) -> None:
    seen = []

    async def look() -> None:
        await asyncio.sleep(0)
        seen.append(await namespace_of(folder)[1].getByName("a").get("a"))

    _, first = namespace_of(folder)
    await first.getByName("a").write_and_wait(look)

    assert seen == ["written"]


async def test_a_transaction_that_is_open_is_no_ones_but_its_own(folder: KeptFolder) -> None:
    class Moving(Counted):
        async def move(self) -> None:
            async def work(transaction: Any) -> None:
                await transaction.put("a", 1)
                self.ctx.storage.sql.exec("INSERT INTO t VALUES (1)")
                await asyncio.sleep(0)
                other = namespace_of(folder, Moving)[1].getByName("a")
                seen.append((await other.get("a"), await other.rows()))

            await self.ctx.storage.transaction(work)

    seen: list[Any] = []
    _, first = namespace_of(folder, Moving)
    await first.getByName("a").insert(0)
    await first.getByName("a").move()

    assert seen == [(None, [0])]
    other = namespace_of(folder, Moving)[1].getByName("a")
    assert (await other.get("a"), await other.rows()) == (1, [0, 1])


async def test_what_takes_everything_out_takes_the_file_away(folder: KeptFolder) -> None:
    _, first = namespace_of(folder)
    await first.getByName("a").put("key", 1)
    await first.getByName("a").insert(1)
    assert files_of(folder) == [".0.sqlite"]
    await first.getByName("a").clear()

    assert files_of(folder) == []
    host, second = namespace_of(folder)
    (listed,) = host.stores.listing()
    assert listed.store.peek("objects").rows == []
    await second.getByName("a").put("key", 2)
    assert await namespace_of(folder)[1].getByName("a").get("key") == 2


async def test_what_is_written_after_everything_was_taken_out_is_alone(folder: KeptFolder) -> None:
    class Cleared(Counted):
        async def begin_anew(self) -> None:
            await self.ctx.storage.put("old", 2)
            await self.ctx.storage.deleteAll()
            await self.ctx.storage.put("new", 1)

    _, first = namespace_of(folder, Cleared)
    await first.getByName("a").put("old", 1)
    await first.getByName("a").insert(1)
    await first.getByName("a").begin_anew()

    assert files_of(folder) == [".1.sqlite"]
    host, _ = namespace_of(folder, Cleared)
    (listed,) = host.stores.listing()
    assert listed.store.contents() == {"": {("a", "new"): 1}, "(alarms)": {}}


async def test_few_files_are_open_at_a_time(folder: KeptFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept_objects, "MOST_OPEN", 3)
    _, first = namespace_of(folder)
    for number in range(10):
        await first.getByName(f"o{number}").insert(number)

    assert [await first.getByName(f"o{number}").rows() for number in range(10)] == [[number] for number in range(10)]
    (listed,) = folder.stores.listing()
    assert sorted(row[0] for row in listed.store.peek("objects").rows) == [f"o{number}" for number in range(10)]
    assert {row[2] for row in listed.store.peek("objects").rows} == {"t"}
    assert len(folder.keeper._open_files._order) == 3


async def test_the_files_of_objects_that_are_new_are_closed_for_other_ones_too(
    folder: KeptFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kept_objects, "MOST_OPEN", 3)
    _, first = namespace_of(folder)
    for number in range(10):
        await first.getByName(f"o{number}").put("key", number)

    (listed,) = folder.stores.listing()
    assert len([data for data in listed.store._objects.values() if data._database is not None]) == 3
    assert [await first.getByName(f"o{number}").get("key") for number in range(10)] == list(range(10))


async def test_the_file_of_an_object_at_work_stays_open(folder: KeptFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept_objects, "MOST_OPEN", 1)
    _, first = namespace_of(folder)
    counts = []

    async def wait() -> None:
        await asyncio.sleep(0)  # what it wrote is made
        await first.getByName("other").insert(1)
        counts.append(len(folder.keeper._open_files._order))

    await first.getByName("a").write_and_wait(wait)
    await first.getByName("other").insert(2)

    assert counts == [2]
    assert len(folder.keeper._open_files._order) == 1


async def test_a_file_that_a_process_could_not_take_away_any_more_is_none_of_the_object(folder: KeptFolder) -> None:
    await namespace_of(folder)[1].getByName("a").insert(1)
    folder.keeper._file.write("DELETE FROM objects")  # all was taken out, and the process killed then

    a = namespace_of(folder)[1].getByName("a")
    await a.insert(2)

    assert await a.rows() == [2]


async def test_an_object_that_cannot_be_written_fails_its_call_and_loses_nothing_of_before(folder: KeptFolder) -> None:
    _, first = namespace_of(folder)
    a = first.getByName("a")
    await a.put("key", 1)
    (path,) = folder.path.glob("objects/*/*.sqlite")
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")

    with pytest.raises(
        JsException, match=r"cannot be used, and nothing of this call is written: .*: database is locked"
    ):
        await a.put("key", 2)
    assert "database is locked" in (folder.keeper.problem or "")
    assert await a.get("key") == 1

    other.close()
    await a.put("key", 3)
    assert await namespace_of(folder)[1].getByName("a").get("key") == 3


async def test_an_object_that_waits_when_it_cannot_be_written_is_ended_and_made_anew(folder: KeptFolder) -> None:
    _, first = namespace_of(folder)
    a = first.getByName("a")
    await a.put("a", "before")
    (path,) = folder.path.glob("objects/*/*.sqlite")
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    never = asyncio.Event()

    with pytest.raises(JsException, match="database is locked"):
        await a.write_and_wait(never.wait)

    other.close()
    assert await a.get("a") == "before"


async def test_an_object_whose_file_cannot_be_read_fails_its_calls_and_no_others(folder: KeptFolder) -> None:
    _, first = namespace_of(folder)
    await first.getByName("a").set_alarm(DUE)
    (path,) = folder.path.glob("objects/*/*.sqlite")
    await first.getByName("b").set_alarm(DUE)
    folder.close()
    path.write_text("no database, but long enough to be taken for one: " * 50)

    host, second = namespace_of(folder)

    assert [timer.due for timer in host.timers] == [DUE]
    assert await second.getByName("b").alarm_time() == DUE
    with pytest.raises(JsException, match="file is not a database"):
        await second.getByName("a").get("key")


async def test_a_new_object_needs_the_file_of_all_contents(folder: KeptFolder) -> None:
    _, first = namespace_of(folder)
    other = sqlite3.connect(folder.path / "bindings.sqlite", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")

    with pytest.raises(JsException, match="database is locked"):
        await first.getByName("a").put("key", 1)

    other.close()
    await first.getByName("a").put("key", 2)
    assert await namespace_of(folder)[1].getByName("a").get("key") == 2


async def test_an_alarm_over_that_cannot_be_noted_goes_off_once_more_in_the_next_process(folder: KeptFolder) -> None:
    class Quiet(Counted):
        async def alarm(self, info: Any = None) -> None:
            (path,) = folder.path.glob("objects/*/*.sqlite")
            others.append(sqlite3.connect(path, isolation_level=None))
            others[0].execute("BEGIN IMMEDIATE")

    others: list[sqlite3.Connection] = []
    host, first = namespace_of(folder, Quiet)
    await first.getByName("a").set_alarm(DUE)
    await host.advance(60)
    others[0].close()

    assert await first.getByName("a").alarm_time() is None
    assert [timer.due for timer in namespace_of(folder, Quiet)[0].timers] == [DUE]


def open_database(file: bytes | None, path: Path | None = None, /) -> SqliteDatabase:
    return SqliteDatabase(lambda: 0, lambda: random.Random(0), file, path)


class KeptObjectMachine(ObjectStorageMachine):
    """The model of an object's storage, of which the file has what is kept at any moment."""

    def made(self) -> ObjectData:
        self.place = TemporaryDirectory()
        self.file = StateFile(Path(self.place.name) / "bindings.sqlite")
        return self.opened()

    def opened(self) -> ObjectData:
        objects = ClassObjects(self.file, Path(self.place.name) / "o", "Counter", OpenFiles())
        return objects.data("d", open_database, lambda: None, lambda: False)

    def copied(self) -> ObjectData:
        return self.opened()

    @precondition(lambda self: not self.outer)
    @rule()
    def is_killed(self) -> None:
        if self.kept_at != self.now:
            self.before()  # as whatever comes next
        if self.writes._since is None:
            self.kept = self.model.copy()
        again = self.opened()
        try:
            assert python_from_rpc_of(again.listed()) == self.kept.keys
            rows = Counter((("x", number),) for number in self.kept.rows or [])
            assert again.tables().get("t", {}) == rows
            assert again.alarm == self.kept.alarm
        finally:
            again.close()

    @invariant()
    def there_is_one_file_where_nothing_is_under_way(self) -> None:
        if not self.data.depth:
            assert len(list((Path(self.place.name) / "o").glob("*.sqlite"))) <= 1

    def teardown(self) -> None:
        super().teardown()
        self.file.close()
        self.place.cleanup()


TestKeptObject = KeptObjectMachine.TestCase
TestKeptObject.settings = settings(max_examples=40, stateful_step_count=25, deadline=None)


async def test_a_copy_of_kept_objects_is_in_memory(folder: KeptFolder) -> None:
    host, first = namespace_of(folder)
    await first.getByName("a").put("key", 1)
    await first.getByName("a").insert(5)
    (listed,) = host.stores.listing()
    assert isinstance(listed.store, ObjectStore)

    copy = listed.store.copy()
    await first.getByName("a").put("key", 2)

    assert copy.contents()[""] == {("a", "key"): 1}
    assert len(copy.contents()["t"]) == 1
    assert not copy.is_kept
    copy.close()
