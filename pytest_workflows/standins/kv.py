"""KV namespaces. Observed: workerd 1.20261117.1 with miniflare 5.20261117.0."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from durable_engine import JsException, JsProxy, jsnull
from pytest_workflows.javascript.buffers import JsArrayBuffer, bytes_of
from pytest_workflows.javascript.collections import JsMap
from pytest_workflows.javascript.json_text import parse, stringify
from pytest_workflows.javascript.objects import (
    JsArray,
    JsObject,
    JsPlain,
    is_index,
    js_error,
    js_text,
    noted,
    option,
    promised,
)

from .bodies import with_bytes
from .cursors import decode_cursor, encode_cursor
from .js_arguments import MISSING, int_option, is_given, is_of_class, not_of_type, options_of, texts_of, utf8
from .kv_store import KvEntry, KvStore
from .options import warn_of_unknown_options

if TYPE_CHECKING:
    from .host import Host

MAX_KEY = 512
MAX_METADATA = 1024
MAX_VALUE = 25 * 1024 * 1024
MAX_LIST = 1000
MAX_BULK = 100
MIN_TTL = 60
MIN_CACHE_TTL = 30

_BAD_VALUE = "KV put() accepts only strings, ArrayBuffers, ArrayBufferViews, and ReadableStreams as values."
_BAD_TYPE = 'Unknown response type. Possible types are "text", "arrayBuffer", "json", and "stream".'


class KvNamespace(JsObject):
    """A KV namespace.

    Args:
        store: Its contents.
        host: The test.
        name: The binding's name, for findings.
    """

    def __init__(self, store: KvStore, host: Host, name: str) -> None:
        self._store, self._host, self._name = store, host, name

    @promised
    def get(self, key: Any = MISSING, options: Any = None) -> Any:
        """The value of a key, or a Map of the values of a list of keys; null where there is none.

        Args:
            key: The key, or an array of up to 100.
            options: The type, or `type` and `cacheTtl`.
        """
        if isinstance(key, JsArray):
            return self._get_bulk("get", key, options, with_metadata=False)
        if key is MISSING:
            raise not_of_type("get", "KvNamespace", 1, "string or Array")
        entry, kind = self._read("get", js_text(key), options)
        return jsnull if entry is None else _value_as(kind, entry.value)

    @promised
    def getWithMetadata(self, key: Any = MISSING, options: Any = None) -> Any:
        """As `get`, with the metadata beside each value."""
        if isinstance(key, JsArray):
            return self._get_bulk("getWithMetadata", key, options, with_metadata=True)
        if key is MISSING:
            raise not_of_type("getWithMetadata", "KvNamespace", 1, "Array or string")
        entry, kind = self._read("getWithMetadata", js_text(key), options)
        if entry is None:
            return JsPlain({"value": jsnull, "metadata": jsnull, "cacheStatus": jsnull})
        value = _value_as(kind, entry.value)
        return JsPlain({"value": value, "metadata": _metadata(entry), "cacheStatus": jsnull})

    def _read(self, method: str, key: str, options: Any) -> tuple[KvEntry | None, str]:
        kind, cache_ttl = self._get_options(method, options)
        _check_key("GET", key)
        _check_cache_ttl("GET", cache_ttl)
        return self._store.get(key, self._host.now_ms()), kind or "text"

    def _get_options(self, method: str, options: Any) -> tuple[str | None, int | None]:
        if not is_given(options):
            return None, None
        if not isinstance(options, JsProxy):
            return js_text(options), None
        warn_of_unknown_options(self._host, f"env.{self._name}.{method}(...)", options, ("type", "cacheTtl"))
        kind = option(options, "type")
        return None if kind is None else js_text(kind), int_option(options, "cacheTtl")

    def _get_bulk(self, method: str, keys: JsArray, options: Any, *, with_metadata: bool) -> JsMap:
        names = texts_of(keys._items)
        kind, cache_ttl = self._get_options(method, options)
        if kind and kind not in ("text", "json"):
            raise _failed("GET_BULK", 400, f'"{kind}" is not a valid type. Use "json" or "text"')
        if len(names) > MAX_BULK:
            raise _failed("GET_BULK", 400, f"You can request a maximum of {MAX_BULK} keys")
        if not names:
            raise _failed("GET_BULK", 400, "You must request a minimum of 1 key")
        size, found, now = 0, {}, self._host.now_ms()
        for name in names:
            _check_bulk_key(name)
            _check_cache_ttl("GET_BULK", cache_ttl)
            entry = self._store.get(name, now)
            found[name] = jsnull if entry is None else _bulk_value(kind, entry, with_metadata)
            size += 0 if entry is None else len(entry.value)
        if size > MAX_VALUE:
            raise _failed("GET_BULK", 413, "Total size of request exceeds the limit of 25MB")
        lost = [name for name in found if is_index(name)]
        if lost:
            self._warn_of_lost(method, lost)
        return JsMap({name: value for name, value in found.items() if name not in lost})

    def _warn_of_lost(self, method: str, keys: Sequence[str]) -> None:
        names = ", ".join(f"{key!r}" for key in keys[:3])
        self._host.warn(
            "lost-keys",
            f"the bulk get env.{self._name}.{method}([...]) is asked for {names}, and its answer leaves out keys that "
            "look like whole numbers",
        )

    @promised
    def put(self, key: Any = MISSING, value: Any = MISSING, options: Any = None) -> Any:
        """Set the value of a key.

        Args:
            key: The key.
            value: A text, bytes or a stream; a number, a boolean or null is stored as text.
            options: `metadata`, `expirationTtl` and `expiration`, both in seconds.
        """
        if key is MISSING:
            raise not_of_type("put", "KvNamespace", 1, "string")
        if value is MISSING:
            raise not_of_type("put", "KvNamespace", 2, "string or Object")
        options = options_of(options, "put", "KvNamespace", 3, "PutOptions")
        warn_of_unknown_options(
            self._host, f"env.{self._name}.put(...)", options, ("metadata", "expirationTtl", "expiration")
        )
        name = js_text(key)
        expiration, ttl = int_option(options, "expiration"), int_option(options, "expirationTtl")
        _check_key("PUT", name)
        metadata = option(options, "metadata")
        has_metadata = is_given(metadata)
        text = stringify(metadata) if has_metadata else None
        body = _body(value)
        expiration = self._expiration(expiration, ttl)
        if has_metadata:
            _check_metadata(text)
        return with_bytes(body, lambda data: self._store_value(name, data, text, expiration))

    def _expiration(self, expiration: int | None, ttl: int | None) -> int | None:
        now = self._host.now_ms() // 1000
        if ttl is not None:
            if ttl <= 0:
                raise _failed("PUT", 400, f"Invalid expiration_ttl of {ttl}. Please specify integer greater than 0.")
            if ttl < MIN_TTL:
                raise _failed(
                    "PUT", 400, f"Invalid expiration_ttl of {ttl}. Expiration TTL must be at least {MIN_TTL}."
                )
            return now + ttl
        if expiration is not None and expiration <= now:
            raise _failed(
                "PUT",
                400,
                f"Invalid expiration of {expiration}. Please specify integer greater than the current number of "
                "seconds since the UNIX epoch.",
            )
        if expiration is not None and expiration < now + MIN_TTL:
            raise _failed(
                "PUT",
                400,
                f"Invalid expiration of {expiration}. Expiration times must be at least {MIN_TTL} seconds in the "
                "future.",
            )
        return expiration

    def _store_value(self, name: str, value: bytes, metadata: str | None, expiration: int | None) -> None:
        if len(value) > MAX_VALUE:
            raise _failed("PUT", 413, f"Value length of {len(value)} exceeds limit of {MAX_VALUE}.")
        self._store.put(name, KvEntry(value, metadata, expiration))

    @promised
    def delete(self, key: Any = MISSING) -> None:
        """Take a key out; a list is one key, its items joined by commas.

        Args:
            key: The key.
        """
        if key is MISSING:
            raise not_of_type("delete", "KvNamespace", 1, "string")
        name = js_text(key)
        if isinstance(key, JsArray) and len(key) > 1:
            self._host.warn(
                "lost-keys",
                f"env.{self._name}.delete([...]) is given {len(key)} keys and deletes none of them, but the one key "
                f"{name[:60]!r}",
            )
        _check_key("DELETE", name)
        self._store.delete(name)

    @promised
    def list(self, options: Any = None) -> Any:
        """The names of keys, in order, with expiration and metadata.

        Args:
            options: `prefix`, `limit` (up to 1000) and `cursor`.
        """
        options = options_of(options, "list", "KvNamespace", 1, "ListOptions")
        warn_of_unknown_options(self._host, f"env.{self._name}.list(...)", options, ("prefix", "limit", "cursor"))
        limit = int_option(options, "limit") or 0
        if limit > MAX_LIST:
            text = f"Invalid key_count_limit of {limit}. Please specify an integer less than {MAX_LIST}."
            raise _failed("GET", 400, text)
        prefix, cursor = _nullable_text(options, "prefix"), _nullable_text(options, "cursor")
        _check_length("GET", prefix)
        found, is_more = self._store.page(
            self._host.now_ms(), prefix, decode_cursor(cursor), limit if limit > 0 else MAX_LIST
        )
        page: dict[str, Any] = {
            "keys": JsArray([_listed(name, entry) for name, entry in found]),
            "list_complete": not is_more,
        }
        if is_more:
            page["cursor"] = encode_cursor(found[-1][0])
        return JsPlain({**page, "cacheStatus": jsnull})


# -- values ------------------------------------------------------------------------------------------------------------


def _body(value: Any) -> Any:
    """The bytes of a value that is put; a stream as it is."""
    if not isinstance(value, JsProxy):
        return utf8(js_text(value))
    data = bytes_of(value)
    if data is not None:
        return data
    if is_of_class(value, "ReadableStream"):
        return value
    raise noted(js_error("TypeError", _BAD_VALUE), 'Put json.dumps(value), and get it with get(key, "json").')


def _value_as(kind: str, value: bytes) -> Any:
    if kind == "text":
        return value.decode(errors="replace")
    if kind == "json":
        return parse(value.decode(errors="replace"))
    if kind == "arrayBuffer":
        return JsArrayBuffer(value)
    if kind == "stream":
        from pytest_workflows.javascript.streams import ReadableStream

        return ReadableStream._of_bytes(value)
    raise js_error("TypeError", _BAD_TYPE)


def _bulk_value(kind: str | None, entry: KvEntry, with_metadata: bool) -> Any:
    value: Any = entry.value.decode(errors="replace")
    if kind == "json":
        try:
            value = parse(value)
        except JsException:
            raise _failed(
                "GET_BULK", 400, "At least one of the requested keys corresponds to a non-json value"
            ) from None
    if not with_metadata or (not value and not isinstance(value, JsProxy)):
        return value  # a value that JavaScript takes for false loses its metadata
    return JsPlain({"value": value, "metadata": _metadata(entry)})


def _metadata(entry: KvEntry) -> Any:
    return jsnull if entry.metadata is None else parse(entry.metadata)


def _listed(name: str, entry: KvEntry) -> JsPlain:
    found: dict[str, Any] = {"name": name}
    if entry.expiration is not None:
        found["expiration"] = entry.expiration
    if entry.metadata is not None:
        found["metadata"] = parse(entry.metadata)
    return JsPlain(found)


# -- checks ------------------------------------------------------------------------------------------------------------


def _failed(method: str, status: int, text: str) -> JsException:
    return js_error("Error", f"KV {method} failed: {status} {text}")


def _check_key(method: str, key: str) -> None:
    if not key:
        raise js_error("TypeError", "Key name cannot be empty.")
    if key in (".", ".."):
        raise js_error("TypeError", f'"{key}" is not allowed as a key name.')
    _check_length(method, key)


def _check_bulk_key(key: str) -> None:
    if not key:
        raise _failed("GET_BULK", 400, "Key names must not be empty")
    if key in (".", ".."):
        raise _failed("GET_BULK", 400, f'Illegal key name "{key}". Please use a different name.')
    _check_length("GET_BULK", key)


def _check_length(method: str, key: str) -> None:
    length = len(utf8(key))
    if length > MAX_KEY:
        raise _failed(method, 414, f"UTF-8 encoded length of {length} exceeds key length limit of {MAX_KEY}.")


def _check_cache_ttl(method: str, ttl: int | None) -> None:
    if ttl is not None and ttl < MIN_CACHE_TTL:
        raise _failed(method, 400, f"Invalid cache_ttl of {ttl}. Cache TTL must be at least {MIN_CACHE_TTL}.")


def _check_metadata(text: str | None) -> None:
    if text is None:  # a function, which JSON has no text for
        raise _failed("PUT", 500, "Internal Server Error")
    length = len(utf8(text))
    if length > MAX_METADATA:
        raise _failed("PUT", 413, f"Metadata length of {length} exceeds limit of {MAX_METADATA}.")


def _nullable_text(options: Any, name: str) -> str:
    value = option(options, name)
    return js_text(value) if is_given(value) else ""
