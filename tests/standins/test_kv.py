"""KV namespaces, as the Worker sees them: the values, the limits and the texts of the local runtime."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from calls import error_of, get
from facts import fact
from plain_host import NOW, PlainHost

from durable_engine import JsBigInt, JsException
from pytest_workflows.javascript.buffers import Uint8Array
from pytest_workflows.javascript.collections import JsMap
from pytest_workflows.javascript.objects import JsFunction, JsPlain
from pytest_workflows.javascript.streams import ReadableStream


@pytest.fixture
def kv(host: PlainHost) -> Any:
    return host.binding("kv_namespaces", "KV", id="abc")


@fact(
    "kv",
    "A put is seen by the next get",
    why="in production another place may get the old value for up to a minute; the local runtime is as here",
)
def test_a_value_is_read_back_in_the_type_that_is_asked_for(kv: Any) -> None:
    get(kv.put("k", '{"a": [1.0, null]}'))

    assert get(kv.get("k")) == '{"a": [1.0, null]}'
    assert get(kv.get("k", "json")) == get(kv.get("k", type="json")) == {"a": [1, None]}
    assert bytes(get(kv.get("k", "arrayBuffer"))) == b'{"a": [1.0, null]}'
    assert isinstance(get(kv.get("k", {"type": "stream"})), ReadableStream)


@pytest.mark.parametrize(
    ("value", "stored"),
    [(12, "12"), (12.5, "12.5"), (2.0, "2"), (True, "true"), (None, "null"), (b"\xffA", "�A"), (2**60, str(2**60))],
)
def test_what_is_no_text_is_stored_as_one(kv: Any, value: Any, stored: str) -> None:
    get(kv.put("k", value))

    assert get(kv.get("k")) == stored


@pytest.mark.parametrize("value", [{}, [1], {1}, object(), len, JsMap(), JsPlain()])
def test_objects_are_refused(kv: Any, value: Any) -> None:
    assert error_of(kv.put("k", value)) == (
        "TypeError: KV put() accepts only strings, ArrayBuffers, ArrayBufferViews, and ReadableStreams as values."
    )
    with pytest.raises(JsException) as caught:
        get(kv.put("k", value))
    assert caught.value.__notes__ == ['Put json.dumps(value), and get it with get(key, "json").']


def test_a_stream_is_read_to_its_end(kv: Any) -> None:
    async def run() -> None:
        controllers: list[Any] = []
        stream = ReadableStream(JsPlain({"start": JsFunction(controllers.append, most=1)}))
        put = asyncio.ensure_future(kv.put("k", stream))
        for chunk in (b"a", b"b"):
            await asyncio.sleep(0)
            controllers[0].enqueue(Uint8Array(chunk))
        controllers[0].close()
        await put

    asyncio.run(run())

    assert get(kv.get("k")) == "ab"


def test_a_byte_order_mark_stays_and_is_no_json(kv: Any) -> None:
    get(kv.put("k", "\ufeffx"))

    assert get(kv.get("k")) == "\ufeffx"
    assert error_of(kv.get("k", "json")) == "SyntaxError: Unexpected token '\ufeff', \"\ufeffx\" is not valid JSON"


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (("",), "TypeError: Key name cannot be empty."),
        ((".",), 'TypeError: "." is not allowed as a key name.'),
        (("..",), 'TypeError: ".." is not allowed as a key name.'),
        (("é" * 257,), "Error: KV GET failed: 414 UTF-8 encoded length of 514 exceeds key length limit of 512."),
        (("k", {"cacheTtl": 29}), "Error: KV GET failed: 400 Invalid cache_ttl of 29. Cache TTL must be at least 30."),
        (("k", {"cacheTtl": "x"}), "Error: KV GET failed: 400 Invalid cache_ttl of 0. Cache TTL must be at least 30."),
        (([],), "Error: KV GET_BULK failed: 400 You must request a minimum of 1 key"),
        ((["k"] * 101,), "Error: KV GET_BULK failed: 400 You can request a maximum of 100 keys"),
        ((["k", ""],), "Error: KV GET_BULK failed: 400 Key names must not be empty"),
        ((["k"], "stream"), 'Error: KV GET_BULK failed: 400 "stream" is not a valid type. Use "json" or "text"'),
        (
            (["k"], {"type": "text", "cacheTtl": 10}),
            "Error: KV GET_BULK failed: 400 Invalid cache_ttl of 10. Cache TTL must be at least 30.",
        ),
    ],
)
def test_a_get_that_cannot_be_is_refused(kv: Any, arguments: tuple[Any, ...], text: str) -> None:
    assert error_of(kv.get(*arguments)) == text


def test_an_unknown_type_matters_only_where_there_is_a_value(kv: Any) -> None:
    get(kv.put("k", "v"))

    assert get(kv.get("missing", "zzz")) is None
    assert error_of(kv.get("k", "zzz")) == (
        'TypeError: Unknown response type. Possible types are "text", "arrayBuffer", "json", and "stream".'
    )


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"expirationTtl": 59}, "400 Invalid expiration_ttl of 59. Expiration TTL must be at least 60."),
        ({"expirationTtl": "0x3b"}, "400 Invalid expiration_ttl of 59. Expiration TTL must be at least 60."),
        ({"expirationTtl": "6_0"}, "400 Invalid expiration_ttl of 0. Please specify integer greater than 0."),
        ({"expirationTtl": None}, "400 Invalid expiration_ttl of 0. Please specify integer greater than 0."),
        (
            {"expiration": NOW // 1000 + 59},
            f"400 Invalid expiration of {NOW // 1000 + 59}. Expiration times must be at least 60 seconds in the future.",
        ),
        (
            {"expiration": NOW // 1000},
            f"400 Invalid expiration of {NOW // 1000}. Please specify integer greater than the current number of "
            "seconds since the UNIX epoch.",
        ),
        ({"metadata": {"a": "x" * 1017}}, "413 Metadata length of 1025 exceeds limit of 1024."),
        ({"metadata": len}, "500 Internal Server Error"),
    ],
)
def test_a_put_that_cannot_be_is_refused_and_stores_nothing(kv: Any, options: dict[str, Any], text: str) -> None:
    assert error_of(kv.put("k", "v", options)) == f"Error: KV PUT failed: {text}"
    assert get(kv.get("k")) is None


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (lambda kv: kv.put("k"), "'put' on 'KvNamespace': parameter 2 is not of type 'string or Object'."),
        (lambda kv: kv.put(), "'put' on 'KvNamespace': parameter 1 is not of type 'string'."),
        (lambda kv: kv.put("k", "v", "x"), "'put' on 'KvNamespace': parameter 3 is not of type 'PutOptions'."),
        (lambda kv: kv.delete(), "'delete' on 'KvNamespace': parameter 1 is not of type 'string'."),
        (lambda kv: kv.list("a"), "'list' on 'KvNamespace': parameter 1 is not of type 'ListOptions'."),
        (lambda kv: kv.get(), "'get' on 'KvNamespace': parameter 1 is not of type 'string or Array'."),
        (
            lambda kv: kv.getWithMetadata(),
            "'getWithMetadata' on 'KvNamespace': parameter 1 is not of type 'Array or string'.",
        ),
    ],
)
def test_an_argument_that_is_missing_or_wrong_is_named(kv: Any, call: Any, text: str) -> None:
    assert error_of(call(kv)) == f"TypeError: Failed to execute {text}"


def test_a_number_that_does_not_fit_and_a_bigint_are_type_errors(kv: Any) -> None:
    out = "TypeError: Value out of range. Must be between -2147483648 and 2147483647 (inclusive)."

    assert error_of(kv.put("k", "v", expiration=NOW)) == out
    assert error_of(kv.put("k", "v", metadata=[JsBigInt(1)])) == "TypeError: Do not know how to serialize a BigInt"


def test_a_value_of_25_mib_is_the_largest(kv: Any) -> None:
    size = 25 * 1024 * 1024

    get(kv.put("k", bytes(size)))
    assert error_of(kv.put("k", bytes(size + 1))) == (
        "Error: KV PUT failed: 413 Value length of 26214401 exceeds limit of 26214400."
    )


@pytest.mark.parametrize("metadata", ["s", [1, {"a": 2}], 5, 0, False, {}, {"a": None}])
def test_metadata_is_what_json_makes_of_it(kv: Any, metadata: Any) -> None:
    get(kv.put("k", "v", metadata=metadata))

    expected = {"value": "v", "metadata": metadata, "cacheStatus": None}
    assert get(kv.getWithMetadata("k")) == expected
    assert get(kv.list())["keys"] == [{"name": "k", "metadata": metadata}]


def test_a_missing_key_has_neither_value_nor_metadata(kv: Any) -> None:
    assert get(kv.getWithMetadata("k")) == {"value": None, "metadata": None, "cacheStatus": None}


@fact("kv", "A bulk get loses keys that look like whole numbers; a finding says so")
def test_a_bulk_get_gives_each_key_and_loses_those_that_look_like_integers(kv: Any, host: PlainHost) -> None:
    for key in ("a", "b", "2", "02"):
        get(kv.put(key, f"v{key}", metadata={"k": key}))

    assert get(kv.get(["b", "missing", "2", "a", "02"])) == {"b": "vb", "missing": None, "a": "va", "02": "v02"}
    ((rule, problem),) = host.findings
    assert rule == "lost-keys"
    assert problem == (
        "the bulk get env.KV.get([...]) is asked for '2', and its answer leaves out keys that look like whole numbers"
    )
    assert get(kv.getWithMetadata(["b", "missing"])) == {"b": {"value": "vb", "metadata": {"k": "b"}}, "missing": None}


def test_a_bulk_get_of_json_is_refused_where_one_value_is_none(kv: Any) -> None:
    get(kv.put("a", '{"x": 2}'))
    get(kv.put("b", "no json"))

    assert get(kv.get(["a"], "json")) == {"a": {"x": 2}}
    assert error_of(kv.get(["a", "b"], "json")) == (
        "Error: KV GET_BULK failed: 400 At least one of the requested keys corresponds to a non-json value"
    )


@fact("kv", "delete() of a list deletes one key, of the joined names; a finding says so")
def test_delete_of_a_list_deletes_one_key_of_that_name_and_is_a_finding(kv: Any, host: PlainHost) -> None:
    for key in ("a", "b", "a,b"):
        get(kv.put(key, "v"))

    assert get(kv.delete(["a", "b"])) is None
    assert [key["name"] for key in get(kv.list())["keys"]] == ["a", "b"]
    assert host.findings[0][0] == "lost-keys"
    assert get(kv.delete("missing")) is None


def test_a_list_is_paged_in_the_order_of_utf8(kv: Any) -> None:
    keys = ["b", "a", "ä", "10", "9", "😀", "\uffee", "B"]
    for key in keys:
        get(kv.put(key, "v"))
    found: list[str] = []
    cursor = None
    while True:
        page = get(kv.list(limit=3, cursor=cursor))
        found += [key.name for key in page["keys"]]
        if page.list_complete:
            break
        cursor = page.cursor

    assert found == sorted(keys, key=str.encode)
    assert "cursor" not in page


@pytest.mark.parametrize("limit", [0, -1, "abc", 1000, None])
def test_a_limit_that_is_none_is_the_default(kv: Any, limit: Any) -> None:
    get(kv.put("a", "v"))

    assert get(kv.list({"limit": limit})) == {"keys": [{"name": "a"}], "list_complete": True, "cacheStatus": None}


def test_a_limit_over_1000_and_a_long_prefix_are_refused(kv: Any) -> None:
    assert error_of(kv.list(limit=1001)) == (
        "Error: KV GET failed: 400 Invalid key_count_limit of 1001. Please specify an integer less than 1000."
    )
    assert error_of(kv.list(prefix="x" * 513)) == (
        "Error: KV GET failed: 414 UTF-8 encoded length of 513 exceeds key length limit of 512."
    )


@fact("kv", "A key expires by the virtual clock")
def test_a_key_is_gone_when_it_expires_unless_it_was_put_again_without(kv: Any, host: PlainHost) -> None:
    get(kv.put("e", "v", {"expirationTtl": 60, "metadata": {"a": 1}}))
    get(kv.put("o", "v", {"expirationTtl": 60}))
    get(kv.put("o", "v2"))
    host.advance(59)
    assert get(kv.list())["keys"][0] == {"name": "e", "expiration": NOW // 1000 + 60, "metadata": {"a": 1}}
    host.advance(1)

    assert get(kv.get("e")) is None
    assert get(kv.list())["keys"] == [{"name": "o"}]
    assert get(kv.get(["e", "o"])) == {"e": None, "o": "v2"}


def test_expiration_ttl_wins_over_expiration(kv: Any) -> None:
    get(kv.put("k", "v", expiration=NOW // 1000 + 1000, expirationTtl=100))

    assert get(kv.list())["keys"][0]["expiration"] == NOW // 1000 + 100


@fact("kv", "An option that there is not is ignored; a finding says so")
def test_an_option_that_there_is_not_is_ignored_and_a_finding(kv: Any, host: PlainHost) -> None:
    get(kv.put("k", "v", expiration_ttl=60))
    get(kv.list(max_keys=1))

    assert get(kv.list())["keys"] == [{"name": "k"}]
    assert host.findings == [
        (
            "unknown-option",
            "env.KV.put(...) has no option `expiration_ttl`; did you mean `expirationTtl`?",
        ),
        (
            "unknown-option",
            "env.KV.list(...) has no option `max_keys` (there are prefix, limit, cursor)",
        ),
    ]


@pytest.mark.parametrize("key", ["k", "...", "k" * 512, "ü"])
@pytest.mark.parametrize("value", ["", "v", "\r\n\x00", "ü", "\ufeff{}", "\ud800"])
def test_what_takes_the_short_way_and_what_does_not_are_stored_alike(kv: Any, key: str, value: str) -> None:
    get(kv.put(key, value))
    short, raw = get(kv.get(key)), get(kv._binding.get(key))
    get(kv._binding.put(key, value))

    assert short == raw == get(kv.get(key)) == value.replace("\ud800", "\ufffd")
    assert get(kv.get(key, "text")) == short


@fact("kv", "A call that nobody awaits is made all the same")
def test_a_call_that_nobody_awaits_is_made_all_the_same(kv: Any) -> None:
    async def run() -> None:
        kv.put("k", "v").close()

    asyncio.run(run())

    assert get(kv.get("k")) == "v"


def test_bindings_of_one_id_are_one_namespace(host: PlainHost) -> None:
    first, second, other = (
        host.binding("kv_namespaces", name, id=id) for name, id in (("A", "1"), ("B", "1"), ("C", "2"))
    )

    get(first.put("k", "v"))

    assert (get(second.get("k")), get(other.get("k"))) == ("v", None)


def test_it_is_as_the_sdk_wraps_it(kv: Any) -> None:
    assert kv
    with pytest.raises(TypeError, match="'KvNamespace' object is not iterable"):
        list(kv)
    with pytest.raises(TypeError, match=r"'KvNamespace' object has no len\(\)"):
        len(kv)
    with pytest.raises(AttributeError, match="get_with_metadata"):
        kv.get_with_metadata("k")
