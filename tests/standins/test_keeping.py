"""Contents that outlive their process: what was written is there for the next one, however the last one ended."""

from __future__ import annotations

import datetime as dt
import hashlib
import sqlite3
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from calls import error_of, get
from hypothesis import settings
from hypothesis.stateful import invariant
from kept_folders import KeptFolder
from plain_host import NOW
from test_queue_store import QueueModel

from durable_engine import JsException, jsnull
from pytest_workflows.javascript.objects import JsArray, JsPlain
from pytest_workflows.standins.keeping import Keeper, KeeperError, layout, unusable
from pytest_workflows.standins.keeping.queues import QueueMessages
from pytest_workflows.standins.queue_store import Delivery, QueueStore, StoredMessage, Verdict
from pytest_workflows.standins.r2_store import Part, R2Store, Upload
from pytest_workflows.standins.stores import Stores


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


def test_what_is_expired_is_taken_out_of_the_file_some_time(folder: KeptFolder) -> None:
    host = folder.begin()
    kv = host.binding("kv_namespaces", id="abc")
    get(kv.put("a", "1", expirationTtl=60))
    get(kv.put("b", "2", expirationTtl=7200))

    host.advance(61)
    get(kv.get("b"))
    host.advance(3600)
    assert get(kv.get("b")) == "2"

    assert folder.keeper._file.rows("SELECT key FROM kv_entries") == [("b",)]


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


def test_a_write_to_a_locked_file_is_refused_in_words_and_loses_nothing(folder: KeptFolder) -> None:
    kv = kv_of(folder)
    get(kv.put("a", "1"))
    other = sqlite3.connect(folder.path / "bindings.sqlite", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")

    text = error_of(kv.put("a", "2"))
    assert text == (
        "Error: The contents on disk cannot be used, and nothing of this call is written: "
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


def test_contents_that_are_damaged_are_said_to_be_so_with_the_file(folder: KeptFolder) -> None:
    kv = kv_of(folder)
    for number in range(50):
        get(kv.put(f"k{number}", "x" * 1000))
    folder.close()
    file = folder.path / "bindings.sqlite"
    file.write_bytes(file.read_bytes()[:8192].ljust(file.stat().st_size, b"\xff"))

    with pytest.raises(JsException) as caught:
        kv_of(folder)
    assert caught.value.message == unusable(caught.value)
    assert caught.value.message.endswith(
        f"{file}: database disk image is malformed. "
        "The file is damaged: take back a copy of it, or move it away, and try again."
    )


def test_the_workers_own_errors_are_none_of_contents_that_cannot_be_used() -> None:
    assert unusable(JsException("Error", "D1_ERROR: no such table")) is None
    assert unusable(ValueError("The contents on disk cannot be used")) is None


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


def test_a_file_that_another_program_holds_is_refused(folder: KeptFolder) -> None:
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


# -- R2 ----------------------------------------------------------------------------------------------------------------


def bucket_of(folder: KeptFolder) -> Any:
    """The bucket, in another process."""
    return folder.begin().binding("r2_buckets", bucket_name="files")


def test_an_object_is_there_with_all_that_is_known_of_it(folder: KeptFolder) -> None:
    first = bucket_of(folder)
    expires = dt.datetime(2026, 12, 24, tzinfo=dt.UTC)
    sha = hashlib.sha256(b"\x00\xff").digest()
    get(first.put("ä/b", b"\x00\xff", sha256=sha, customMetadata={"by": "ä\ud800"}))
    get(first.put("b", "old"))
    get(first.put("b", "new", httpMetadata={"contentType": "text/plain", "cacheExpiry": expires}))
    get(first.put("gone", "x"))
    get(first.delete("gone"))

    second = bucket_of(folder)

    assert [one.key for one in get(second.list()).objects] == ["b", "ä/b"]
    for key in ("b", "ä/b"):
        mine, theirs = get(first.get(key)), get(second.get(key))
        assert bytes(get(mine.bytes())) == bytes(get(theirs.bytes()))
        for name in ("version", "etag", "uploaded", "httpMetadata", "customMetadata"):
            assert getattr(mine, name) == getattr(theirs, name)
        assert mine.checksums.toJSON() == theirs.checksums.toJSON()
    assert get(second.head("b")).httpMetadata["contentType"] == "text/plain"


def test_a_large_object_is_read_when_it_is_asked_for(folder: KeptFolder) -> None:
    data = bytes(range(256)) * 1000
    get(bucket_of(folder).put("large", data))

    for host in (folder.begin(), folder.begin()):
        bucket = host.binding("r2_buckets", bucket_name="files")
        (listed,) = host.stores.listing()
        assert not isinstance(bucket._binding._store.get("large").data, bytes)
        assert [(one.key, one.size) for one in get(bucket.list()).objects] == [("large", len(data))]
        found = get(bucket.get("large"))
        part = get(bucket.get("large", range={"offset": 1, "length": 3}))
        assert listed.store.peek("objects").rows[0][1] == len(data)
        assert listed.store.contents()[""]["large"][0] == data
        assert isinstance(listed.store.copy()._entries["large"].data, bytes)  # type: ignore[attr-defined]
        get(bucket.put("large", data + b"changed"))
        assert bytes(get(found.bytes())) == data  # as it was when it was asked for
        assert bytes(get(part.bytes())) == b"\x01\x02\x03"
        assert not isinstance(bucket._binding._store.get("large").data, bytes)
        assert bytes(get(get(bucket.get("large")).bytes())) == data + b"changed"
        get(bucket.put("large", data))


def test_bytes_that_another_program_has_taken_away_are_refused_in_words(folder: KeptFolder) -> None:
    get(bucket_of(folder).put("large", "x"))

    with pytest.raises(JsException, match=r"^Error: The contents on disk cannot be used, .*bindings\.sqlite: no such"):
        folder.keeper._file.read_blob("r2_objects", "data", 99, -1)


def test_an_upload_in_parts_goes_on_in_the_next_process(folder: KeptFolder) -> None:
    first = bucket_of(folder)
    upload = get(first.createMultipartUpload("big", customMetadata={"by": "parts"}))
    parts = [get(upload.uploadPart(1, b"a" * 5 * 1024 * 1024)), get(upload.uploadPart(2, "old"))]
    parts[1] = get(upload.uploadPart(2, "new"))
    given_up = get(first.createMultipartUpload("given up"))
    get(given_up.uploadPart(1, "x"))
    get(given_up.abort())

    second = bucket_of(folder)
    made = get(second.resumeMultipartUpload("big", upload.uploadId).complete(parts))

    third = bucket_of(folder)
    assert (made.etag, made.size) == (get(third.head("big")).etag, 5 * 1024 * 1024 + 3)
    assert get(third.head("big")).customMetadata == {"by": "parts"}
    for over in (upload, given_up):
        again = third.resumeMultipartUpload(over.key, over.uploadId)
        assert "The specified multipart upload does not exist." in error_of(again.uploadPart(3, "x"))
    assert folder.keeper._file.rows("SELECT * FROM r2_parts") == []


def test_an_upload_that_gets_the_id_of_an_earlier_one_has_none_of_its_parts(folder: KeptFolder) -> None:
    store = folder.begin().stores.get("r2_buckets", "b", R2Store)
    for _ in range(2):
        store.begin_upload("big", "id", Upload({}, {}))
        assert folder.begin().stores.get("r2_buckets", "b", R2Store).uploads["big", "id"].parts == {}
        store.put_part("big", "id", 1, Part(b"x", "etag"))


def test_an_upload_that_cannot_be_completed_on_disk_can_be_completed_later(folder: KeptFolder) -> None:
    bucket = bucket_of(folder)
    upload = get(bucket.createMultipartUpload("big"))
    part = get(upload.uploadPart(1, "body"))
    other = sqlite3.connect(folder.path / "bindings.sqlite", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")

    assert "database is locked" in error_of(upload.complete([part]))
    assert get(bucket.head("big")) is None

    other.close()
    get(upload.complete([part]))
    assert get(get(bucket_of(folder).get("big")).text()) == "body"


# -- queues ------------------------------------------------------------------------------------------------------------


def queue_of(folder: KeptFolder, delivery: Delivery | None, name: str = "mail") -> QueueStore:
    """The messages of the queue, in another process."""
    store = folder.begin().stores.get("queues", name, lambda: QueueStore(delivery))
    assert isinstance(store, QueueStore)
    return store


def message(id: str, content: Any = "x", kind: str = "text") -> StoredMessage:
    return StoredMessage(id, NOW, kind, content, 1)


def inside(store: QueueStore) -> list[tuple[str, int]]:
    return [(one.id, one.failures) for one in store.messages()]


def test_messages_wait_for_the_next_process_as_they_were_sent(folder: KeptFolder) -> None:
    store = queue_of(folder, Delivery())
    value = JsPlain({"a": JsArray([1, jsnull])})
    store.add_all(
        [
            (message("1", "ä"), 0),
            (message("2", b"\x00\xff", "bytes"), 0),
            (message("3", '{"a":1}', "json"), 0),
            (message("4", value, "v8"), 0),
            (message("5", "later"), 5000),
        ],
        NOW,
    )

    again = queue_of(folder, Delivery())

    found = list(again.messages())
    assert [(one.id, one.content_type, one.timestamp, one.size) for one in found] == [
        ("1", "text", NOW, 1),
        ("2", "bytes", NOW, 1),
        ("3", "json", NOW, 1),
        ("4", "v8", NOW, 1),
        ("5", "text", NOW, 1),
    ]
    assert [one.content for one in found[:3]] == ["ä", b"\x00\xff", '{"a":1}']
    assert found[3].content.to_py() == value.to_py()
    assert again.next_due() == NOW + 1000
    assert again.take(NOW + 4999) is not None
    assert again.next_due() == NOW + 5000
    assert again.measure().count == 4


def test_a_batch_that_was_full_is_due_at_once(folder: KeptFolder) -> None:
    store = queue_of(folder, Delivery(batch_size=2))
    store.add_all([(message("1"), 0), (message("2"), 0)], NOW)

    again = queue_of(folder, Delivery(batch_size=2))

    assert [one.id for one in again.take(NOW) or ()] == ["1", "2"]


def test_messages_in_delivery_are_delivered_once_more(folder: KeptFolder) -> None:
    store = queue_of(folder, Delivery())
    store.add_all([(message("1"), 0), (message("2"), 0)], NOW)
    store.take(NOW + 1000)

    assert inside(queue_of(folder, Delivery())) == [("1", 0), ("2", 0)]


def test_what_was_acknowledged_is_gone_and_what_failed_is_counted(folder: KeptFolder) -> None:
    store = queue_of(folder, Delivery())
    store.add_all([(message(id), 0) for id in ("1", "2", "3")], NOW)
    store.take(NOW + 1000)
    store.finish(NOW + 1000, Verdict(retried={"2": None, "3": 7}))

    again = queue_of(folder, Delivery())

    assert inside(again) == [("2", 1), ("3", 1)]
    again.take(NOW + 1000)
    assert again.next_due() == NOW + 8000


@pytest.mark.parametrize("letters", [None, "dead"])
def test_what_failed_too_often_is_dropped_or_in_the_other_queue(folder: KeptFolder, letters: str | None) -> None:
    delivery = Delivery(retries=0, dead_letters=letters)
    store = queue_of(folder, delivery)
    store.add(message("1"), NOW)
    store.take(NOW + 1000)
    dead = store.finish(NOW + 1000, Verdict(retries_all=True))
    if letters is not None:
        assert inside(queue_of(folder, delivery)) == [("1", 0)]  # as long as the other queue has it not
        store.bury(dead, queue_of(folder, None, letters), NOW)

    assert inside(queue_of(folder, delivery)) == []
    assert [id for id, _ in inside(queue_of(folder, None, "dead"))] == ([] if letters is None else ["1"])


def test_a_queue_whose_dead_letters_come_to_itself_keeps_them(folder: KeptFolder) -> None:
    delivery = Delivery(retries=0, dead_letters="mail")
    store = queue_of(folder, delivery)
    store.add(message("1"), NOW)
    store.take(NOW + 1000)
    store.bury(store.finish(NOW + 1000, Verdict(retries_all=True)), store, NOW)

    assert [id for id, _ in inside(queue_of(folder, delivery))] == ["1"]


@pytest.mark.parametrize("failures", [1, 5])
def test_a_batch_whose_consumer_is_taken_away_meanwhile_ends_as_it_went(folder: KeptFolder, failures: int) -> None:
    store = queue_of(folder, Delivery(retries=0, dead_letters="dead"))
    store.add_all([(message(id), 0) for id in ("1", "2", "3")], NOW)
    for one in store.take(NOW + 1000) or ():
        one.failures = failures - 1
    store.deliver_as(None, NOW + 1000)

    assert store.finish(NOW + 1000, Verdict(retried={"2": None, "3": 7})) == []

    assert inside(store) == [("2", failures), ("3", failures)]
    assert inside(queue_of(folder, None)) == [("2", failures), ("3", failures)]
    assert store.next_due() == NOW + 8000  # nobody takes the one that waits
    store.deliver_as(Delivery(), NOW + 9000)
    assert [one.id for one in store.take(NOW + 10_000) or ()] == ["2", "3"]


def fail(store: QueueStore, id: str, other: QueueStore) -> None:
    """Let a queue deliver a message as often as it does, and hand it to another one."""
    store.add(message(id), NOW)
    store.take(NOW + 1000)
    store.bury(store.finish(NOW + 1000, Verdict(retries_all=True)), other, NOW)


def test_dead_letters_of_several_queues_are_all_in_the_other_one(folder: KeptFolder) -> None:
    stores = folder.begin().stores
    delivery = Delivery(retries=0, dead_letters="dead")
    one, two, dead = (
        stores.get("queues", name, lambda how=how: QueueStore(how))
        for name, how in (("one", delivery), ("two", delivery), ("dead", None))
    )

    fail(one, "1", dead)
    for number in range(2, 5):
        fail(two, str(number), dead)
    fail(one, "5", dead)

    for store in (dead, queue_of(folder, None, "dead")):
        assert [id for id, _ in inside(store)] == ["1", "2", "3", "4", "5"]
    assert inside(queue_of(folder, delivery, "one")) == inside(queue_of(folder, delivery, "two")) == []


def test_dead_letters_that_the_other_queue_cannot_write_stay_where_they_were(folder: KeptFolder) -> None:
    delivery = Delivery(retries=0, dead_letters="dead")
    store = queue_of(folder, delivery)
    dead = folder.stores.get("queues", "dead", lambda: QueueStore(None))
    other = sqlite3.connect(folder.path / "bindings.sqlite", isolation_level=None)
    store.add(message("1"), NOW)
    store.take(NOW + 1000)
    failed = store.finish(NOW + 1000, Verdict(retries_all=True))
    other.execute("BEGIN IMMEDIATE")

    store.bury(failed, dead, NOW)

    other.close()
    store.add(message("2"), NOW)
    assert [id for id, _ in inside(queue_of(folder, delivery))] == ["1", "2"]
    assert [id for id, _ in inside(dead)] == ["1"]  # in this process it has come there


def test_what_nobody_consumes_waits_for_a_consumer_of_a_later_process(folder: KeptFolder) -> None:
    queue_of(folder, None).add(message("1"), NOW)

    assert inside(queue_of(folder, None)) == [("1", 0)]
    assert queue_of(folder, None).next_due() is None
    assert [one.id for one in queue_of(folder, Delivery()).take(NOW + 1000) or ()] == ["1"]


def test_a_batch_whose_end_cannot_be_written_is_written_with_what_comes_next(folder: KeptFolder) -> None:
    store = queue_of(folder, Delivery())
    store.add_all([(message("1"), 0), (message("2"), 0)], NOW)
    store.take(NOW + 1000)
    other = sqlite3.connect(folder.path / "bindings.sqlite", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")

    store.finish(NOW + 1000, Verdict(retried={"2": None}))
    assert "database is locked" in (folder.keeper.problem or "")
    with pytest.raises(JsException, match="database is locked"):
        store.add(message("3"), NOW)
    assert inside(store) == [("2", 1)]

    other.close()
    store.add(message("4"), NOW)
    assert folder.keeper.problem is None
    assert inside(queue_of(folder, Delivery())) == [("2", 1), ("4", 0)]


class KeptQueueModel(QueueModel):
    """The model of a queue, whose messages are at any moment those of the file."""

    def __init__(self) -> None:
        super().__init__()
        self.place = TemporaryDirectory()
        self.folder = KeptFolder(Path(self.place.name))

    def made(self, delivery: Delivery) -> QueueStore:
        return queue_of(self.folder, delivery)

    @invariant()
    def the_file_has_what_the_queue_has(self) -> None:
        if hasattr(self, "store"):
            kept = QueueMessages(self.folder.keeper._file, "mail").load()
            assert sorted((one.id, one.failures) for one, _ in kept) == sorted(inside(self.store))

    def teardown(self) -> None:
        self.folder.close()
        self.place.cleanup()


TestKeptQueue = KeptQueueModel.TestCase
TestKeptQueue.settings = settings(max_examples=10, stateful_step_count=15, deadline=None)


def test_two_messages_of_one_id_are_two(folder: KeptFolder) -> None:
    store = queue_of(folder, Delivery(batch_size=1))
    store.add(message("1", "first attempt"), NOW)
    store.add(message("1", "second attempt"), NOW)
    store.take(NOW)
    store.finish(NOW, Verdict())

    assert [one.content for one in queue_of(folder, Delivery()).messages()] == ["second attempt"]


# -- rate limits -------------------------------------------------------------------------------------------------------


def test_a_rate_limit_goes_on_counting_within_its_period(folder: KeptFolder) -> None:
    def limit_of() -> Any:
        return folder.begin().binding("ratelimits", namespace_id="1", simple={"limit": 2, "period": 60})

    first = limit_of()
    assert [get(first.limit(key=key)).success for key in ("a", "a", "b")] == [True, True, True]

    second = limit_of()
    assert [get(second.limit(key=key)).success for key in ("a", "b", "b")] == [False, True, False]

    second._binding._host.advance(60)
    assert get(second.limit(key="a")).success
    assert folder.keeper._file.rows("SELECT key FROM counters") == [("a",)]


def test_counts_of_a_period_that_is_over_are_none_whoever_left_them(folder: KeptFolder) -> None:
    def limit_of() -> Any:
        return folder.begin().binding("ratelimits", namespace_id="1", simple={"limit": 1, "period": 60})

    get(limit_of().limit(key="a"))
    folder.keeper._file.write("INSERT INTO counters SELECT namespace, 'b', period - 1, 1 FROM counters")

    assert get(limit_of().limit(key="b")).success
