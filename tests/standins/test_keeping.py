"""Contents that outlive their process: what was written is there for the next one, however the last one ended."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from calls import error_of, get
from kept_folders import KeptFolder

from pytest_workflows.standins.keeping import Keeper, KeeperError, layout
from pytest_workflows.standins.stores import Stores


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[KeptFolder]:
    made = KeptFolder(tmp_path / "state")
    yield made
    made.close()


def kv_of(folder: KeptFolder) -> Any:
    """The namespace, in another process."""
    return folder.begin().binding("kv_namespaces", id="abc")


def test_what_was_put_is_there_for_the_next_process(folder: KeptFolder) -> None:
    first = kv_of(folder)
    get(first.put("a", "1", metadata={"by": "me"}, expirationTtl=100))
    get(first.put("b", b"\x00\xff"))
    get(first.put("b", b"\xff\x00"))
    get(first.put("c", "gone"))
    get(first.delete("c"))

    second = kv_of(folder)

    assert [key.name for key in get(second.list())["keys"]] == ["a", "b"]
    assert get(second.getWithMetadata("a"))["metadata"] == {"by": "me"}
    assert [key.get("expiration") for key in get(second.list())["keys"]] == [1_780_000_100, None]
    assert bytes(get(second.get("b", "arrayBuffer"))) == b"\xff\x00"


def test_namespaces_are_kept_apart(folder: KeptFolder) -> None:
    host = folder.begin()
    get(host.binding("kv_namespaces", id="one").put("a", "1"))
    get(host.binding("kv_namespaces", id="two").put("a", "2"))

    host = folder.begin()

    assert get(host.binding("kv_namespaces", id="one").get("a")) == "1"
    assert get(host.binding("kv_namespaces", id="two").get("a")) == "2"


def test_a_store_that_is_closed_forgets_nothing_of_what_is_kept(folder: KeptFolder) -> None:
    host = folder.begin()
    get(host.binding("kv_namespaces", id="abc").put("a", "1"))

    host.stores.close()

    assert get(host.binding("kv_namespaces", id="abc").get("a")) == "1"


def test_a_copy_of_a_store_is_in_memory_only(folder: KeptFolder) -> None:
    host = folder.begin()
    get(host.binding("kv_namespaces", id="abc").put("a", "1"))
    copies = Stores(host.stores)

    host.stores = copies
    get(host.binding("kv_namespaces", id="abc").put("b", "2"))

    assert [key.name for key in get(kv_of(folder).list())["keys"]] == ["a"]


# -- what cannot be written --------------------------------------------------------------------------------------------


def test_a_write_to_a_locked_file_is_refused_in_words_and_loses_nothing(
    folder: KeptFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pytest_workflows.standins.keeping.state_file.LOCK_WAIT", 0)
    kv = kv_of(folder)
    get(kv.put("a", "1"))
    other = sqlite3.connect(folder.path / "bindings.sqlite", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")

    text = error_of(kv.put("a", "2"))
    assert text == (
        "Error: The contents on disk could not be written, and nothing of this call was: "
        f"{folder.path / 'bindings.sqlite'}: database is locked. "
        "Close the program that has the file open for writing, and try again."
    )
    assert f"Error: {folder.keeper.problem}" == text
    assert error_of(kv.delete("a")) == text
    assert get(kv.get("a")) == "1"

    other.close()
    get(kv.put("a", "2"))
    assert folder.keeper.problem is None
    assert get(kv_of(folder).get("a")) == "2"


def test_a_full_disk_is_told_and_the_write_can_be_tried_again(folder: KeptFolder) -> None:
    kv = kv_of(folder)
    get(kv.put("a", "1"))
    connection = folder.keeper._file._connection
    (pages,) = connection.execute("PRAGMA page_count").fetchone()
    connection.execute(f"PRAGMA max_page_count = {pages}")

    assert "database or disk is full. Free some space, and try again." in error_of(kv.put("b", "x" * 100_000))
    assert get(kv.get("b")) is None

    connection.execute("PRAGMA max_page_count = 1000000")
    get(kv.put("b", "x" * 100_000))
    assert [key.name for key in get(kv_of(folder).list())["keys"]] == ["a", "b"]


# -- folders that cannot be used ---------------------------------------------------------------------------------------


def refusal(path: Path) -> str:
    with pytest.raises(KeeperError) as caught:
        Keeper.open(path)
    return str(caught.value).replace(str(path), "FOLDER")


def database(path: Path, *statements: str) -> None:
    path.mkdir(exist_ok=True)
    connection = sqlite3.connect(path / "bindings.sqlite", isolation_level=None)
    for statement in statements:
        connection.execute(statement)
    connection.close()


def test_a_file_of_another_program_is_refused(tmp_path: Path) -> None:
    database(tmp_path, "CREATE TABLE theirs(x)")

    assert refusal(tmp_path) == (
        "FOLDER/bindings.sqlite is not a file of pytest-workflows. Move it away, or name another folder."
    )


def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    (tmp_path / "bindings.sqlite").write_text("no database, but long enough to be looked at: " * 50)

    assert refusal(tmp_path) == (
        "FOLDER/bindings.sqlite cannot be used: file is not a database. Move it away, or name another folder."
    )


def test_a_folder_of_a_newer_version_is_refused(folder: KeptFolder) -> None:
    get(kv_of(folder).put("a", "1"))
    folder.close()
    database(folder.path, "PRAGMA user_version = 99")

    assert refusal(folder.path) == (
        "FOLDER/bindings.sqlite has the format 99, and this version of pytest-workflows knows formats up to "
        f"{len(layout.VERSIONS)}. Upgrade pytest-workflows, or move the folder away to begin anew."
    )


def test_a_folder_of_an_older_version_is_brought_to_the_present_one(
    folder: KeptFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    get(kv_of(folder).put("a", "1"))
    folder.close()
    added = ("CREATE TABLE later(x)",)
    monkeypatch.setattr("pytest_workflows.standins.keeping.state_file.VERSIONS", (*layout.VERSIONS, added))

    assert get(kv_of(folder).get("a")) == "1"
    assert folder.keeper._file.rows("SELECT * FROM later") == []
    assert get(kv_of(folder).get("a")) == "1"


def test_a_migration_that_fails_leaves_the_file_as_it_was(folder: KeptFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    get(kv_of(folder).put("a", "1"))
    folder.close()
    with monkeypatch.context() as patch:
        broken = ("CREATE TABLE later(x)", "CREATE TABLE kv_entries(x)")
        patch.setattr("pytest_workflows.standins.keeping.state_file.VERSIONS", (*layout.VERSIONS, broken))
        assert "table kv_entries already exists" in refusal(folder.path)

    assert get(kv_of(folder).get("a")) == "1"
    assert folder.keeper._file.rows("SELECT name FROM sqlite_schema WHERE name = 'later'") == []


def test_a_file_that_another_program_holds_is_refused(folder: KeptFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pytest_workflows.standins.keeping.state_file.LOCK_WAIT", 0)
    folder.begin()
    folder.close()
    other = sqlite3.connect(folder.path / "bindings.sqlite", isolation_level=None)
    other.execute("PRAGMA locking_mode = exclusive")
    other.execute("BEGIN EXCLUSIVE")

    assert refusal(folder.path) == (
        "FOLDER/bindings.sqlite cannot be used: database is locked. "
        "Close the program that has the file open for writing, or name another folder."
    )
    other.close()


def test_a_folder_that_cannot_be_made_is_refused(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("a file")

    assert refusal(tmp_path / "state").startswith("The folder FOLDER cannot be made: ")
