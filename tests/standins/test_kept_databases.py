"""D1 databases that outlive their process: a file each, which anybody may open."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

import pytest
from calls import error_of, get
from kept_folders import KeptFolder

from pytest_workflows.errors import WorkflowConfigError
from pytest_workflows.standins import d1_store
from pytest_workflows.standins.d1_store import D1Store
from pytest_workflows.standins.keeping.keeper import file_name


def db_of(folder: KeptFolder, id: str = "shop", **settings: Any) -> Any:
    """The database, in another process."""
    path = folder.path.parent / "wrangler.jsonc"
    return folder.begin().binding("d1_databases", "DB", path, database_id=id, **settings)


def rows_of(db: Any, sql: str = "SELECT x FROM t") -> list[Any]:
    return [row[0] for row in get(db.prepare(sql).raw())]


def insert(db: Any, value: Any) -> None:
    get(db.prepare("INSERT INTO t VALUES (?)").bind(value).run())


def test_what_a_statement_wrote_is_there_for_the_next_process(folder: KeptFolder) -> None:
    first = db_of(folder)
    get(first.exec("CREATE TABLE t(x)"))
    insert(first, "one")
    get(first.batch([first.prepare("INSERT INTO t VALUES (2)"), first.prepare("INSERT INTO t VALUES (3)")]))

    assert rows_of(db_of(folder)) == ["one", 2, 3]


def test_a_batch_that_fails_leaves_nothing_behind(folder: KeptFolder) -> None:
    first = db_of(folder)
    get(first.exec("CREATE TABLE t(x UNIQUE)"))

    assert "UNIQUE constraint failed" in error_of(first.batch([first.prepare("INSERT INTO t VALUES (2)")] * 2))

    assert rows_of(db_of(folder)) == []


def test_a_database_that_is_never_asked_makes_no_file_and_each_id_has_one(folder: KeptFolder) -> None:
    host = folder.begin()
    for id in ("a", "b"):
        db = host.binding("d1_databases", "DB", database_id=id)
        get(db.exec("CREATE TABLE t(x)"))
    host.binding("d1_databases", "DB", database_id="c")
    assert [len(one.store.tables()) for one in host.stores.listing()] == [1, 1, 0]

    assert sorted(path.name for path in (folder.path / "d1").glob("*.sqlite")) == ["a.sqlite", "b.sqlite"]


def test_other_programs_may_read_and_write_the_file(folder: KeptFolder) -> None:
    db = db_of(folder)
    get(db.exec("CREATE TABLE t(x)"))
    insert(db, 1)

    other = sqlite3.connect(folder.path / "d1" / "shop.sqlite", isolation_level=None)
    assert other.execute("SELECT x FROM t").fetchall() == [(1,)]
    other.execute("INSERT INTO t VALUES (2)")
    other.close()

    assert rows_of(db) == [1, 2]


def test_a_locked_file_is_an_error_of_d1_and_loses_nothing(folder: KeptFolder) -> None:
    db = db_of(folder)
    get(db.exec("CREATE TABLE t(x)"))
    insert(db, 1)
    other = sqlite3.connect(folder.path / "d1" / "shop.sqlite", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")

    statement = db.prepare("INSERT INTO t VALUES (2)")
    assert error_of(statement.run()) == "Error: D1_ERROR: database is locked: SQLITE_BUSY"
    assert error_of(db.batch([statement])) == "Error: D1_ERROR: database is locked: SQLITE_BUSY"
    assert rows_of(db) == [1]

    other.close()
    get(statement.run())
    assert rows_of(db_of(folder)) == [1, 2]


@pytest.mark.parametrize("is_batch", [True, False])
def test_a_full_disk_is_an_error_of_d1_and_loses_nothing(folder: KeptFolder, is_batch: bool) -> None:
    db = db_of(folder)
    get(db.exec("CREATE TABLE t(x)"))
    insert(db, 1)
    database = db._binding._service.database
    (pages,) = database.own("PRAGMA page_count")[0]
    database.own(f"PRAGMA max_page_count = {pages}")

    statement = db.prepare("INSERT INTO t VALUES (?)").bind("x" * 50_000)
    failing = db.batch([statement]) if is_batch else statement.run()
    assert error_of(failing) == "Error: D1_ERROR: database or disk is full: SQLITE_FULL"

    database.own("PRAGMA max_page_count = 100000")
    insert(db, 2)
    assert rows_of(db_of(folder)) == [1, 2]


def test_a_commit_that_cannot_be_written_undoes_the_transaction(
    folder: KeptFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    db = db_of(folder)
    get(db.exec("CREATE TABLE t(x)"))
    database = db._binding._service.database
    own = database.own

    def full(sql: str, values: Any = ()) -> Any:
        if sql.startswith("COMMIT"):
            raise sqlite3.OperationalError("database or disk is full")
        return own(sql, values)

    monkeypatch.setattr(database, "own", full)
    text = error_of(db.batch([db.prepare("INSERT INTO t VALUES (1)")]))
    monkeypatch.undo()

    assert text == "Error: D1_ERROR: database or disk is full: SQLITE_ERROR"
    insert(db, 2)
    assert rows_of(db) == [2]


def test_migrations_are_applied_once_over_all_processes(folder: KeptFolder, tmp_path: Path) -> None:
    (tmp_path / "migrations").mkdir()
    (tmp_path / "migrations" / "1_t.sql").write_text("CREATE TABLE t(x); INSERT INTO t VALUES (1);")
    insert(db_of(folder), 5)
    assert rows_of(db_of(folder)) == [1, 5]

    (tmp_path / "migrations" / "2_more.sql").write_text("INSERT INTO t VALUES (2);")

    assert rows_of(db_of(folder)) == [1, 5, 2]
    assert rows_of(db_of(folder)) == [1, 5, 2]
    assert rows_of(db_of(folder), "SELECT name FROM d1_migrations") == ["1_t.sql", "2_more.sql"]


def test_a_migration_that_fails_is_an_error_with_its_line_and_those_before_it_stay(
    folder: KeptFolder, tmp_path: Path
) -> None:
    (tmp_path / "migrations").mkdir()
    (tmp_path / "migrations" / "1_t.sql").write_text("CREATE TABLE t(x);")
    (tmp_path / "migrations" / "2_bad.sql").write_text("INSERT INTO t VALUES (1);\nINSERT INTO nowhere VALUES (1);")

    with pytest.raises(WorkflowConfigError, match=r"2_bad.sql:2: the migration fails: no such table: nowhere"):
        db_of(folder)

    (tmp_path / "migrations" / "2_bad.sql").write_text("INSERT INTO t VALUES (2);")
    assert rows_of(db_of(folder)) == [2]


@pytest.mark.parametrize("has_migrations", [True, False])
def test_a_file_that_is_no_database_is_an_error_of_the_configuration(
    folder: KeptFolder, tmp_path: Path, has_migrations: bool
) -> None:
    if has_migrations:
        (tmp_path / "migrations").mkdir()
        (tmp_path / "migrations" / "1_t.sql").write_text("CREATE TABLE t(x);")
    (folder.path / "d1").mkdir(parents=True)
    (folder.path / "d1" / "shop.sqlite").write_text("no database, but long enough to be taken for one: " * 50)

    with pytest.raises(
        WorkflowConfigError,
        match=r":1: the D1 database 'DB' cannot be used: .*d1.shop\.sqlite: file is not a database\. Move it away\.$",
    ):
        db_of(folder)


def test_a_copy_of_a_kept_database_is_one_in_memory(folder: KeptFolder) -> None:
    host = folder.begin()
    db = host.binding("d1_databases", "DB", database_id="shop")
    get(db.exec("CREATE TABLE t(x)"))
    insert(db, 1)
    (listed,) = host.stores.listing()
    assert isinstance(listed.store, D1Store)

    copy = listed.store.copy()
    insert(db, 2)

    assert copy.contents()["t"] == {(("x", 1.0),): 1}
    assert rows_of(db) == [1, 2]
    copy.close()


def test_a_database_in_memory_that_nobody_asked_is_empty_without_being_opened(monkeypatch: pytest.MonkeyPatch) -> None:
    store = D1Store()
    monkeypatch.setattr(d1_store, "SqliteDatabase", None)

    assert (store.contents(), store.tables(), store.copy().contents()) == ({}, [], {})


def test_every_id_has_a_file_of_its_own_where_capitals_make_no_difference() -> None:
    ids = ["DB", "db", "dB", "billing/DB", "billing-DB", "x" * 80, "x" * 81, "", "..", "4f2c-" * 9]

    names = [file_name(id) for id in ids]

    assert len({name.lower() for name in names}) == len(ids)
    assert all(len(name) <= 100 and "/" not in name and set(name) != {"."} for name in names)
    assert file_name("4f2c-1") == "4f2c-1"
