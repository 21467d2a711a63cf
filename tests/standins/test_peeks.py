"""What a reader sees of a store, a page at a time."""

from __future__ import annotations

from typing import Any

import pytest
from calls import get
from object_host import ObjectHost
from plain_host import NOW, PlainHost

from pytest_workflows.standins.peeks import LONGEST, cell, instant
from pytest_workflows.standins.queue_store import Delivery, QueueStore, StoredMessage
from pytest_workflows.standins.stores import Store
from pytest_workflows.workers.entrypoints import DurableObject


def store_of(host: PlainHost) -> Store:
    """The host's only store."""
    (listed,) = host.stores.listing()
    return listed.store


def everything(store: Store, table: str, limit: int = 2) -> list[list[Any]]:
    """All rows of a table, page by page."""
    page = store.peek(table, None, limit)
    rows = page.rows
    while page.next is not None:
        assert len(page.rows) <= limit
        page = store.peek(table, page.next, limit)
        rows = rows + page.rows
    return rows


def test_the_list_of_stores_has_the_names_of_their_bindings(host: PlainHost) -> None:
    with host.stores.asked_by("ORDERS"):
        host.binding("kv_namespaces", id="abc")
    host.binding("r2_buckets", bucket_name="files")

    listed = [(one.kind, one.id, one.names) for one in host.stores.listing()]

    assert listed == [("kv_namespaces", "abc", ("ORDERS",)), ("r2_buckets", "files", ("files",))]


def test_a_namespace_shows_its_keys_in_order(host: PlainHost) -> None:
    kv = host.binding("kv_namespaces", id="abc")
    get(kv.put("b", b"\xff\x00"))
    get(kv.put("a", "text", metadata={"by": "me"}, expirationTtl=100))
    get(kv.put("c", "x" * 2000))
    store = store_of(host)

    assert store.tables() == ["keys"]
    assert store.peek("keys").columns == ["key", "value", "size", "metadata", "expires"]
    assert everything(store, "keys") == [
        ["a", "text", 4, '{"by":"me"}', "2026-05-28T20:28:20.000Z"],
        ["b", "0xff00", 2, None, None],
        ["c", "x" * LONGEST + "…", 2000, None, None],
    ]


def test_a_bucket_shows_its_objects_and_the_uploads_under_way(host: PlainHost) -> None:
    bucket = host.binding("r2_buckets", bucket_name="files")
    get(bucket.put("b", "body", httpMetadata={"contentType": "text/plain"}, customMetadata={"by": "me"}))
    get(bucket.put("a", b"\x00\xff"))
    upload = get(bucket.createMultipartUpload("big"))
    get(upload.uploadPart(1, "12345"))
    get(get(bucket.createMultipartUpload("given up")).abort())
    store = store_of(host)

    assert store.tables() == ["objects", "uploads"]
    objects = [dict(zip(store.peek("objects").columns, row, strict=True)) for row in everything(store, "objects", 1)]
    assert [(one["key"], one["size"], one["type"], one["metadata"], one["content"]) for one in objects] == [
        ("a", 2, None, "", "0x00ff"),
        ("b", 4, "text/plain", "{'by': 'me'}", "body"),
    ]
    assert everything(store, "uploads") == [["big", upload.uploadId, 1, 5]]


def test_a_rate_limit_shows_its_counts(host: PlainHost) -> None:
    limit = host.binding("ratelimits", namespace_id="1", simple={"limit": 1, "period": 60})
    get(limit.limit(key="a"))
    get(limit.limit(key="a"))

    assert everything(store_of(host), "counts") == [["a", 1]]


def test_a_queue_shows_its_messages_and_where_each_is() -> None:
    store = QueueStore(Delivery(batch_size=2))
    for id, delay in (("1", 0), ("2", 0), ("3", 0), ("4", 5000)):
        store.add(StoredMessage(id, NOW, "json", '{"a":1}', 7), NOW, delay)
    store.take(NOW)

    assert store.tables() == ["messages"]
    assert store.peek("messages").columns == ["id", "sent", "state", "due", "failures", "content type", "body"]
    sent = "2026-05-28T20:26:40.000Z"
    assert everything(store, "messages") == [
        ["1", sent, "in delivery", None, 0, "json", '{"a":1}'],
        ["2", sent, "in delivery", None, 0, "json", '{"a":1}'],
        ["3", sent, "waiting", sent, 0, "json", '{"a":1}'],
        ["4", sent, "delayed", "2026-05-28T20:26:45.000Z", 0, "json", '{"a":1}'],
    ]


@pytest.mark.parametrize("is_open", [True, False])
def test_a_database_shows_its_tables(host: PlainHost, is_open: bool) -> None:
    db = host.binding("d1_databases", database_id="1")
    get(db.exec("CREATE TABLE notes(id INTEGER PRIMARY KEY, text, data)"))
    for number in range(3):
        get(db.prepare("INSERT INTO notes(text, data) VALUES (?, ?)").bind(f"t{number}", b"\xff").run())
    store = store_of(host) if is_open else store_of(host).copy()

    assert store.tables() == ["notes"]
    assert store.peek("notes").columns == ["id", "text", "data"]
    assert everything(store, "notes") == [[1, "t0", "0xff"], [2, "t1", "0xff"], [3, "t2", "0xff"]]
    store.close()
    host.stores.close()


async def test_durable_objects_show_keys_alarms_and_tables_of_each(objects: ObjectHost) -> None:
    class Counter(DurableObject):
        async def fill(self, count: int) -> None:
            storage = self.ctx.storage
            for number in range(count):
                await storage.put(f"k{number}", {"n": number})
                storage.sql.exec("CREATE TABLE IF NOT EXISTS t(x)")
                storage.sql.exec("INSERT INTO t VALUES (?)", number)
            await storage.setAlarm(NOW)

    namespace = objects.namespace(Counter)
    await namespace.getByName("a").fill(3)
    await namespace.getByName("b").fill(1)
    (listed,) = objects.stores.listing()
    store = listed.store

    assert store.tables() == ["objects", "keys", "alarms", "t"]
    due = "2026-05-28T20:26:40.000Z"
    assert sorted(everything(store, "objects", 1)) == [["a", 3, "t", due], ["b", 1, "t", due]]
    assert sorted(everything(store, "keys")) == [
        ["a", "k0", "{'n': 0}"],
        ["a", "k1", "{'n': 1}"],
        ["a", "k2", "{'n': 2}"],
        ["b", "k0", "{'n': 0}"],
    ]
    assert sorted(everything(store, "alarms")) == [["a", due], ["b", due]]
    assert store.peek("t").columns == ["object", "x"]
    assert sorted(everything(store, "t")) == [["a", 0], ["a", 1], ["a", 2], ["b", 0]]
    assert store.peek("t", "g:").rows == []
    with pytest.raises(KeyError, match="there is objects, keys, alarms, t"):
        store.peek("other")


@pytest.mark.parametrize(
    ("kind", "settings", "known"),
    [
        ("kv_namespaces", {"id": "abc"}, "keys"),
        ("r2_buckets", {"bucket_name": "files"}, "objects, uploads"),
        ("ratelimits", {"namespace_id": "1", "simple": {"limit": 1, "period": 60}}, "counts"),
    ],
)
def test_an_unknown_table_is_an_error_that_names_the_known_ones(
    host: PlainHost, kind: str, settings: dict[str, Any], known: str
) -> None:
    host.binding(kind, **settings)

    with pytest.raises(KeyError, match=f"There is no table 'other': there is {known}."):
        store_of(host).peek("other")


@pytest.mark.parametrize("after", ["x", "-1", "9" * 40, ""])
def test_a_page_that_is_after_none_is_refused(host: PlainHost, after: str) -> None:
    host.binding("kv_namespaces", id="abc")

    with pytest.raises(ValueError, match="There is no page after"):
        store_of(host).peek("keys", after)


def test_every_value_is_one_that_json_has() -> None:
    given = [None, True, 1, 2**70, 1.5, float("inf"), "ä", "\ud800", b"text", b"\xff", (1, 2)]

    assert [cell(value) for value in given] == [
        *(None, True, 1, str(2**70), 1.5, "inf", "ä", "?", "text", "0xff", "(1, 2)"),
    ]


def test_a_time_that_no_calendar_has_is_shown_in_milliseconds() -> None:
    assert instant(8.64e18) == "8640000000000000000 ms"
