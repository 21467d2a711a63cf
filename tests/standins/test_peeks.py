"""What a reader sees of a store, a page at a time."""

from __future__ import annotations

from typing import Any

import pytest
from calls import get
from plain_host import PlainHost

from pytest_workflows.standins.peeks import LONGEST, cell, instant
from pytest_workflows.standins.stores import Store


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
