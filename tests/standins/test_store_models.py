"""KV and R2 against plain models: whatever is done in whatever order, what is read is what the model has."""

from __future__ import annotations

import hashlib
from typing import Any

from calls import get
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, initialize, invariant, rule
from plain_host import NOW, PlainHost

from pytest_workflows.standins.kv_store import KvStore
from pytest_workflows.standins.r2_store import R2Store

KEYS = st.sampled_from(["a", "ab", "a/b", "a/b/c", "b", "ä", "😀", "\uffee", "2", "k" * 512])
PREFIXES = st.sampled_from(["", "a", "a/", "ab", "k", "z"])
LIMITS = st.integers(1, 4)
VALUES = st.binary(max_size=4)


class KvModel(RuleBasedStateMachine):
    """A namespace, and a dict of value, metadata and expiration."""

    def __init__(self) -> None:
        super().__init__()
        self.host = PlainHost()
        self.kv = self.host.binding("kv_namespaces", id="abc")
        self.model: dict[str, tuple[bytes, Any, int | None]] = {}

    @property
    def now(self) -> int:
        return self.host.now_ms() // 1000

    def present(self) -> dict[str, tuple[bytes, Any, int | None]]:
        return {key: held for key, held in self.model.items() if held[2] is None or held[2] > self.now}

    @rule(
        key=KEYS,
        value=VALUES,
        metadata=st.none() | st.dictionaries(st.text(max_size=3), st.integers(0, 9)),
        ttl=st.none() | st.integers(60, 200),
    )
    def put(self, key: str, value: bytes, metadata: Any, ttl: int | None) -> None:
        options = {"metadata": metadata} | ({} if ttl is None else {"expirationTtl": ttl})
        get(self.kv.put(key, value, options))
        self.model[key] = (value, metadata, None if ttl is None else self.now + ttl)

    @rule(key=KEYS)
    def delete(self, key: str) -> None:
        get(self.kv.delete(key))
        self.model.pop(key, None)

    @rule(seconds=st.integers(1, 120))
    def advance(self, seconds: int) -> None:
        self.host.advance(seconds)

    @rule(key=KEYS)
    def read(self, key: str) -> None:
        value, metadata, _ = self.present().get(key, (None, None, None))
        found = get(self.kv.getWithMetadata(key, "arrayBuffer"))

        assert found["value"] == (None if value is None else memoryview(value))
        assert found["metadata"] == metadata

    @rule(keys=st.lists(KEYS, min_size=1))
    def read_many(self, keys: list[str]) -> None:
        expected = {
            key: self.present()[key][0].decode(errors="replace") if key in self.present() else None for key in keys
        }
        expected.pop("2", None)

        assert get(self.kv.get(keys)) == expected

    @rule(prefix=PREFIXES, limit=LIMITS)
    def walk(self, prefix: str, limit: int) -> None:
        found: list[Any] = []
        page: Any = {"list_complete": False, "cursor": None}
        while not page["list_complete"]:
            page = get(self.kv.list(prefix=prefix, limit=limit, cursor=page["cursor"]))
            assert len(page["keys"]) <= limit
            assert len(found) <= len(self.model), "the pages do not end"
            found += page["keys"]

        expected = sorted((key for key in self.present() if key.startswith(prefix)), key=str.encode)
        assert [key.name for key in found] == expected
        assert [key.get("expiration") for key in found] == [self.model[key][2] for key in expected]

    @rule()
    def go_on_with_a_copy(self) -> None:
        store = next(store for _, store in self.host.stores.items())
        assert isinstance(store, KvStore)
        copy = store.copy()
        get(self.kv.put("in the original alone", "x"))
        self.kv._binding._store = copy
        self.host.stores._stores["kv_namespaces", "abc"] = copy

    @invariant()
    def contents_are_those_of_the_model(self) -> None:
        contents = next(store for _, store in self.host.stores.items()).contents()[""]

        assert {key: value for key, (value, _) in contents.items()} == {
            key: held[0] for key, held in self.model.items()
        }


class R2Model(RuleBasedStateMachine):
    """A bucket, and a dict of bytes and metadata."""

    uploads = Bundle("uploads")

    def __init__(self) -> None:
        super().__init__()
        self.host = PlainHost()
        self.bucket = self.host.binding("r2_buckets", bucket_name="files")
        self.model: dict[str, tuple[bytes, dict[str, str]]] = {}
        self.from_parts: set[str] = set()  # their etags are no MD5 of the bytes

    @initialize()
    def begin(self) -> None:
        assert get(self.bucket.list()).objects == []

    @rule(key=KEYS, value=VALUES, custom=st.dictionaries(st.text(max_size=3), st.text(max_size=3), max_size=2))
    def put(self, key: str, value: bytes, custom: dict[str, str]) -> None:
        made = get(self.bucket.put(key, value, customMetadata=custom))
        assert made.etag == hashlib.md5(value, usedforsecurity=False).hexdigest()
        self.model[key] = (value, custom)
        self.from_parts.discard(key)

    @rule(key=KEYS, value=VALUES, seen=VALUES)
    def put_where_it_is_as_seen(self, key: str, value: bytes, seen: bytes) -> None:
        etag = hashlib.md5(seen, usedforsecurity=False).hexdigest()
        holds = key in self.model and key not in self.from_parts and self.model[key][0] == seen
        made = get(self.bucket.put(key, value, onlyIf={"etagMatches": etag}))

        assert (made is not None) is holds
        if holds:
            self.model[key] = (value, {})

    @rule(key=KEYS, value=VALUES)
    def put_where_there_is_none(self, key: str, value: bytes) -> None:
        made = get(self.bucket.put(key, value, onlyIf={"etagDoesNotMatch": "*"}))

        assert (made is not None) is (key not in self.model)
        if made is not None:
            self.model[key] = (value, {})
            self.from_parts.discard(key)

    @rule(keys=st.lists(KEYS, max_size=3))
    def delete(self, keys: list[str]) -> None:
        get(self.bucket.delete(keys))
        for key in keys:
            self.model.pop(key, None)

    @rule(key=KEYS, offset=st.integers(0, 3), length=st.integers(1, 4))
    def read_a_part(self, key: str, offset: int, length: int) -> None:
        value = self.model.get(key, (None, {}))[0]
        if value is None:
            assert get(self.bucket.get(key, range={"offset": offset, "length": length})) is None
        elif offset < len(value):
            found = get(self.bucket.get(key, range={"offset": offset, "length": length}))
            assert bytes(get(found.bytes())) == value[offset : offset + length]
            assert found.size == len(value)

    @rule(key=KEYS)
    def read(self, key: str) -> None:
        found, head = get(self.bucket.get(key)), get(self.bucket.head(key))

        assert (found is not None) is (head is not None) is (key in self.model)
        if found is not None:
            value, custom = self.model[key]
            assert bytes(get(found.arrayBuffer())) == value
            assert found.customMetadata == head.customMetadata == custom

    @rule(target=uploads, key=KEYS)
    def begin_an_upload(self, key: str) -> Any:
        return get(self.bucket.createMultipartUpload(key, customMetadata={"by": "parts"}))

    @rule(upload=consumes(uploads), first=VALUES, again=VALUES, aborts=st.booleans())
    def end_an_upload(self, upload: Any, first: bytes, again: bytes, aborts: bool) -> None:
        resumed = self.bucket.resumeMultipartUpload(upload.key, upload.uploadId)
        get(upload.uploadPart(1, first))
        part = get(resumed.uploadPart(1, again))
        if aborts:
            get(resumed.abort())
        else:
            get(upload.complete([part]))
            self.model[upload.key] = (again, {"by": "parts"})
            self.from_parts.add(upload.key)

    @rule(prefix=PREFIXES, limit=LIMITS)
    def walk(self, prefix: str, limit: int) -> None:
        found: list[str] = []
        for page in self.pages(prefix=prefix, limit=limit):
            assert len(page.objects) <= limit
            found += [one.key for one in page.objects]

        assert found == sorted((key for key in self.model if key.startswith(prefix)), key=str.encode)

    @rule(prefix=PREFIXES, limit=LIMITS)
    def walk_folders(self, prefix: str, limit: int) -> None:
        found: list[str] = []
        for page in self.pages(prefix=prefix, limit=limit, delimiter="/"):
            assert len(page.objects) + len(page.delimitedPrefixes) <= limit
            found += [one.key for one in page.objects] + page.delimitedPrefixes

        names = {
            prefix + key[len(prefix) :].partition("/")[0] + "/" * ("/" in key[len(prefix) :])
            for key in self.model
            if key.startswith(prefix)
        }
        assert sorted(found) == sorted(names)

    def pages(self, **options: Any) -> Any:
        page = get(self.bucket.list(**options))
        yield page
        for _ in self.model:
            if page.truncated:
                page = get(self.bucket.list(**options, cursor=page.cursor))
                yield page
        assert not page.truncated, "the pages do not end"

    @rule()
    def go_on_with_a_copy(self) -> None:
        store = next(store for _, store in self.host.stores.items())
        assert isinstance(store, R2Store)
        copy = store.copy()
        get(self.bucket.put("in the original alone", "x"))
        vars(store).update(vars(copy))  # uploads under way hold the store as well

    @invariant()
    def contents_are_those_of_the_model(self) -> None:
        contents = next(store for _, store in self.host.stores.items()).contents()[""]

        assert {key: (data, custom) for key, (data, _, custom) in contents.items()} == self.model


TestKv = KvModel.TestCase
TestR2 = R2Model.TestCase
TestKv.settings = TestR2.settings = settings(max_examples=50, stateful_step_count=25, deadline=None)
assert NOW % 1000 == 0  # the models count in whole seconds
