"""The file of a store: whose it is, which format it has, and that one process at a time has it."""

import asyncio
import contextlib
import sqlite3
import subprocess
import sys
import threading

import pytest
from disk import got, opened, put

from durable_engine import StoreError
from durable_engine.storage import database
from durable_engine.storage import disk as disk_store
from durable_engine.storage.disk import DiskStore
from durable_engine.storage.lock import is_in_use, lock_of


@pytest.fixture
def path(tmp_path):
    return tmp_path / "workflows.sqlite"


async def written(path):
    async with opened(path) as store:
        put(store, "n", b"1")
    return path.read_bytes()


async def refused(path, match):
    before = path.read_bytes()
    with pytest.raises(StoreError, match=match):
        await DiskStore.open(path)
    assert path.read_bytes() == before


def execute(path, *statements):
    with sqlite3.connect(path, isolation_level=None) as connection:
        for statement in statements:
            connection.execute(statement)
    connection.close()


async def test_a_file_of_a_newer_version_is_refused_and_left_as_it_is(path):
    await written(path)
    execute(path, "PRAGMA user_version=99")
    await refused(path, r"newer version of pytest-workflows \(format 99; this one reads up to \d+\)")


async def test_a_file_of_an_older_version_is_migrated_at_once_or_not_at_all(path, monkeypatch):
    await written(path)
    monkeypatch.setattr(database, "FORMAT", 3)
    steps = {1: ["CREATE TABLE new (a)"], 2: ["INSERT INTO new VALUES (1)", "no sql"]}
    monkeypatch.setattr(database, "migrations", steps)
    with pytest.raises(StoreError, match="syntax error"):
        await DiskStore.open(path)
    steps[2].pop()
    async with opened(path) as store:
        assert got(store, "n") == b"1"
    async with opened(path):
        pass  # it is not migrated once more
    with sqlite3.connect(path) as connection:
        assert connection.execute("SELECT * FROM new").fetchall() == [(1,)]
    connection.close()


async def test_a_file_of_an_older_version_without_a_way_to_this_one_is_refused(path, monkeypatch):
    await written(path)
    monkeypatch.setattr(database, "FORMAT", 3)
    monkeypatch.setattr(database, "migrations", {2: ["CREATE TABLE new (a)"]})
    await refused(path, r"older version of pytest-workflows \(format 1\), which this one cannot read \(format 3\)")


async def test_a_database_of_another_program_is_refused_and_left_as_it_is(path):
    execute(path, "CREATE TABLE users (name)")
    await refused(path, "is a database of another program")


async def test_a_file_that_is_no_database_is_refused_and_left_as_it_is(path):
    path.write_bytes(b"not a database, and long enough to be read as the header of one" * 100)
    await refused(path, "is no SQLite database")


async def test_a_damaged_journal_is_refused(path):
    await written(path)
    execute(path, "UPDATE journal SET batch = x'00'")
    await refused(path, "is damaged")


async def test_a_file_with_damaged_pages_is_refused(path):
    async with opened(path) as store:
        put(store, "n", b"x" * 100_000)
    with path.open("r+b") as file:
        file.seek(8192)
        file.write(b"\xff" * 65536)
    with pytest.raises(
        StoreError, match=r"is damaged \(.*malformed\): take back a copy of it, or move it away to begin"
    ):
        await DiskStore.open(path)


async def test_a_file_that_is_removed_or_replaced_meanwhile_is_written_once_it_is_back(path, monkeypatch):
    monkeypatch.setattr(disk_store, "RETRY_SECONDS", (0.0,))
    aside = path.with_name("aside")
    async with opened(path) as store:
        for replaced in (False, True):
            path.rename(aside)
            if replaced:
                path.touch()
            put(store, "n", b"1")
            with pytest.raises(StoreError, match="was removed or replaced while this process has it open"):
                await store.stored()
            aside.replace(path)
            while store.problem is not None:
                await asyncio.sleep(0)
    async with opened(path) as again:
        assert got(again, "n") == b"1"


async def test_a_folder_in_the_place_of_the_file_is_refused(path):
    path.mkdir()
    with pytest.raises(StoreError, match="cannot be used: unable to open"):
        await DiskStore.open(path)


async def test_a_folder_in_the_place_of_the_lock_is_refused(path):
    path.with_name("workflows.sqlite.lock").mkdir()
    with pytest.raises(StoreError, match="unable to open"):
        await DiskStore.open(path)


async def test_a_file_that_is_locked_is_refused(path, monkeypatch):
    monkeypatch.setattr(database, "BUSY_SECONDS", 0.0)
    execute(path, "PRAGMA journal_mode=DELETE", "CREATE TABLE journal (a)", "BEGIN EXCLUSIVE")
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    try:
        with pytest.raises(StoreError, match="is locked by another program"):
            await DiskStore.open(path)
    finally:
        other.close()


async def test_whether_a_file_is_in_use_is_known_without_opening_it(path):
    assert not is_in_use(path)
    assert list(path.parent.iterdir()) == []
    async with opened(path):
        assert is_in_use(path)
    assert not is_in_use(path)
    lock_of(path).write_bytes(b"no database at all, and long enough to be seen as none" * 20)
    assert not is_in_use(path)


async def test_who_opens_a_file_waits_for_whoever_asks_whether_it_is_in_use(path, monkeypatch):
    assert database.PATIENCE > 0
    monkeypatch.setattr(database, "PATIENCE", 30.0)
    async with opened(path):
        pass
    with contextlib.closing(sqlite3.connect(lock_of(path), isolation_level=None, check_same_thread=False)) as asking:
        asking.execute("BEGIN")
        asking.execute("SELECT count(*) FROM sqlite_master")
        asked = threading.Timer(0.01, asking.rollback)
        asked.start()
        async with opened(path):
            pass
        asked.join()


async def test_one_store_at_a_time_has_a_file(path):
    async with opened(path):
        with pytest.raises(StoreError, match=r"is in use: another process runs on it \(it has locked workflows"):
            await DiskStore.open(path)
    async with opened(path):
        pass


HOLDER = """
import asyncio, sys
from pathlib import Path
from durable_engine.storage.disk import DiskStore
from durable_engine.storage.lock import is_in_use, lock_of

async def main():
    await DiskStore.open(Path(sys.argv[1]))
    print("open", flush=True)
    await asyncio.Event().wait()

asyncio.run(main())
"""


async def test_the_file_of_a_process_that_was_killed_is_free(path):
    # A process of its own: what is free after its death is the system's business.
    command = [sys.executable, "-c", HOLDER, str(path)]
    holder = await asyncio.create_subprocess_exec(*command, stdout=subprocess.PIPE)
    try:
        assert await holder.stdout.readline() == b"open\n"
        with pytest.raises(StoreError, match="is in use"):
            await DiskStore.open(path)
    finally:
        holder.kill()
        await holder.communicate()
    async with opened(path):
        pass


async def test_the_parts_of_a_batch_are_all_there_or_none(path):
    async with opened(path) as store:
        with pytest.raises(StoreError, match="NOT NULL"):
            await store._database.write(1, [b"a", None])
        assert await store._database.batches() == []


async def test_a_batch_that_is_written_twice_is_there_once(path):
    async with opened(path) as store:
        await store._database.write(1, [b"a"])
        await store._database.write(1, [b"a"])
        assert await store._database.batches() == [(1, b"a")]
        await store._database.drop_before(2, 1)
