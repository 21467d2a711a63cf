"""R2 buckets, as the Worker sees them: ranges, conditions, checksums, parts, and the texts of the local runtime."""

from __future__ import annotations

import datetime
import hashlib
from typing import Any

import pytest
from calls import error_of, get
from facts import fact
from plain_host import NOW, PlainHost

from durable_engine import JsException, JsProxy
from pytest_workflows.javascript.blob import Blob
from pytest_workflows.javascript.buffers import Uint8Array
from pytest_workflows.javascript.headers import Headers
from pytest_workflows.javascript.objects import JsPlain
from pytest_workflows.javascript.streams import ReadableStream

MIB_5 = 5 * 1024 * 1024
UNUSED = "Body has already been used. It can only be used once. Use tee() first if you need to read it twice."


@pytest.fixture
def bucket(host: PlainHost) -> Any:
    return host.binding("r2_buckets", "R2", bucket_name="files")


def text_of(bucket: Any, key: str, **options: Any) -> Any:
    return get(get(bucket.get(key, **options)).text())


def headers(**values: str) -> Headers:
    return Headers(JsPlain({name.replace("_", "-"): value for name, value in values.items()}))


# -- objects -----------------------------------------------------------------------------------------------------------


@fact(
    "r2",
    "Versions, ids of uploads and etags of parts are random",
    why="they come from the test's seed, so that a run repeats",
)
def test_an_object_has_what_was_put_and_what_is_made_of_it(bucket: Any) -> None:
    put = get(bucket.put("k", "hello", {"customMetadata": {"a": 1}, "httpMetadata": {"contentType": "text/x"}}))
    found = get(bucket.get("k"))

    md5 = hashlib.md5(b"hello", usedforsecurity=False)
    for one in (put, found, get(bucket.head("k"))):
        assert (one.key, one.size, one.etag, one["httpEtag"]) == ("k", 5, md5.hexdigest(), f'"{md5.hexdigest()}"')
        assert len(one.version) == 32
        assert one.uploaded == datetime.datetime.fromtimestamp(NOW / 1000)
        assert one.customMetadata == {"a": "1"}
        assert one.httpMetadata.contentType == "text/x"
        assert one.httpMetadata.contentLanguage is None
        assert bytes(one.checksums.md5) == md5.digest()
        assert one.checksums.toJSON() == {
            "md5": md5.hexdigest(),
            **dict.fromkeys(("sha1", "sha256", "sha384", "sha512")),
        }
        assert one.storageClass == ""
        assert one.ssecKeyMd5 is None
    assert found.range == {"offset": 0, "length": 5, "suffix": None}
    assert put.range is None


def test_before_december_2025_fields_without_a_value_are_not_there() -> None:
    bucket = PlainHost("2025-06-01").binding("r2_buckets", "R2")
    put = get(bucket.put("k", "hello"))

    assert put.httpMetadata == {}
    assert list(put.checksums.toJSON()) == ["md5"]
    assert get(bucket.get("k")).range == {"offset": 0, "length": 5}
    assert "cursor" not in get(bucket.list())


def test_a_body_is_read_once_in_one_of_five_ways(bucket: Any) -> None:
    get(bucket.put("k", '{"a": 1}', httpMetadata={"contentType": "application/json"}))

    assert text_of(bucket, "k") == '{"a": 1}'
    assert get(get(bucket.get("k")).json()) == {"a": 1}
    assert bytes(get(get(bucket.get("k")).arrayBuffer())) == bytes(get(get(bucket.get("k")).bytes())) == b'{"a": 1}'
    found = get(bucket.get("k"))
    assert found["bodyUsed"] is False
    get(found.text())
    assert found["bodyUsed"] is True
    assert error_of(found.text()) == f"TypeError: {UNUSED}"


def test_a_body_whose_stream_was_read_is_used(bucket: Any) -> None:
    get(bucket.put("k", "hello"))
    found = get(bucket.get("k"))

    assert isinstance(found.body, ReadableStream)
    assert found.body._length == 5
    assert found.body._drain() == b"hello"
    assert found["bodyUsed"] is True
    assert error_of(found.text()) == f"TypeError: {UNUSED}"


def test_bad_json_and_a_byte_order_mark(bucket: Any) -> None:
    get(bucket.put("k", "\ufeffnope"))

    assert text_of(bucket, "k") == "nope"
    assert error_of(get(bucket.get("k")).json()) == "SyntaxError: Unexpected token 'o', \"nope\" is not valid JSON"


@pytest.mark.parametrize(
    ("value", "stored"),
    [("é", "é".encode()), (b"\0", b"\0"), (None, b""), (Uint8Array(b"ab"), b"ab"), (Blob._of(b"bl"), b"bl")],
)
def test_texts_bytes_blobs_and_null_are_stored(bucket: Any, value: Any, stored: bytes) -> None:
    get(bucket.put("k", value))

    assert bytes(get(get(bucket.get("k")).arrayBuffer())) == stored


@pytest.mark.parametrize("value", [1, True, {}, [1], object()])
def test_other_values_are_refused(bucket: Any, value: Any) -> None:
    assert error_of(bucket.put("k", value)) == (
        "TypeError: Failed to execute 'put' on 'R2Bucket': parameter 2 is not of type "
        "'ReadableStream or ArrayBuffer or ArrayBufferView or string or Blob'."
    )


@fact("r2", "A stream whose length is not known is refused")
def test_a_stream_must_have_a_known_length(bucket: Any) -> None:
    get(bucket.put("k", ReadableStream._of_bytes(b"abc")))

    assert text_of(bucket, "k") == "abc"

    async def unknown() -> Any:
        return await bucket.put("k", ReadableStream())

    assert error_of(unknown()) == (
        "TypeError: Provided readable stream must have a known length (request/response body or readable half of "
        "FixedLengthStream)"
    )


def test_a_key_may_be_empty_and_has_up_to_1024_bytes(bucket: Any) -> None:
    get(bucket.put("", "v"))
    get(bucket.put("é" * 512, "v"))

    assert get(bucket.head("")).key == ""
    assert error_of(bucket.put("x" * 1025, "v")) == "Error: put: The specified object name is not valid. (10020)"
    assert error_of(bucket.get("x" * 1025)) == "Error: get: The specified object name is not valid. (10020)"


@fact("r2", "customMetadata of put() has up to 8,192 bytes")
def test_custom_metadata_has_up_to_8192_bytes(bucket: Any) -> None:
    get(bucket.put("k", "v", customMetadata={"a": "x" * 8191}))

    assert error_of(bucket.put("k", "v", customMetadata={"a": "x" * 8192})) == (
        "Error: put: Your metadata headers exceed the maximum allowed metadata size. (10012)"
    )
    assert "10012" in error_of(bucket.put("k", "v", customMetadata={"a": "Ā" * 4096}))


@fact("r2", "delete() takes more than 1,000 keys locally; a finding names the documented limit")
def test_delete_takes_a_key_or_a_list_and_what_is_missing_does_not_matter(bucket: Any, host: PlainHost) -> None:
    for key in ("a", "b", "c"):
        get(bucket.put(key, "v"))

    assert get(bucket.delete("a")) is None
    get(bucket.delete(["b", "missing"]))
    get(bucket.delete([]))

    assert [one.key for one in get(bucket.list()).objects] == ["c"]
    assert host.findings == []
    get(bucket.delete([f"k{at}" for at in range(1001)]))
    assert [rule for rule, _ in host.findings] == ["documented-limit"]


def test_what_is_missing_is_none(bucket: Any) -> None:
    assert get(bucket.get("k")) is None
    assert get(bucket.head("k")) is None


def test_http_metadata_is_taken_from_headers_and_written_to_them(bucket: Any) -> None:
    given = headers(content_type="text/b", cache_control="max-age=1", expires="Sun, 09 Sep 2001 01:46:40 GMT", x="1")
    get(bucket.put("k", "v", httpMetadata=given))
    found = get(bucket.head("k"))
    written = headers(content_type="old", z="1")
    found.writeHttpMetadata(written)

    assert found.httpMetadata.cacheExpiry == datetime.datetime.fromtimestamp(1e9)
    assert {name: written.get(name) for name in ("content-type", "cache-control", "expires", "z")} == {
        "content-type": "text/b",
        "cache-control": "max-age=1",
        "expires": "Sun, 09 Sep 2001 01:46:40 GMT",
        "z": "1",
    }
    with pytest.raises(JsException, match="parameter 1 is not of type 'Headers'"):
        found.writeHttpMetadata({})


@fact("r2", "An option that there is not is ignored; a finding says so")
def test_options_that_there_are_not_are_findings(bucket: Any, host: PlainHost) -> None:
    get(bucket.put("k", "v", custom_metadata={"a": "1"}, httpMetadata={"content_type": "x"}))

    assert get(bucket.head("k")).customMetadata == {}
    assert host.findings == [
        (
            "unknown-option",
            "env.R2.put(...) has no option `custom_metadata`; did you mean `customMetadata`?",
        ),
        (
            "unknown-option",
            "env.R2.put(httpMetadata=...) has no option `content_type`; did you mean `contentType`?",
        ),
    ]


@pytest.mark.parametrize(
    ("key", "text"),
    [
        ("x", "Error: SSE-C Key has invalid format"),
        ("ab", "Error: SSE-C Key must be 32 bytes in length"),
        (b"ab", "Error: SSE-C Key must be 32 bytes in length"),
    ],
)
def test_an_encryption_key_is_checked_and_has_no_effect(bucket: Any, key: Any, text: str) -> None:
    assert error_of(bucket.put("k", "v", ssecKey=key)) == text
    get(bucket.put("k", "v", ssecKey="0" * 64))
    assert text_of(bucket, "k", ssecKey=bytes(32)) == "v"


def test_a_put_without_a_value_is_refused(bucket: Any) -> None:
    assert "'put' on 'R2Bucket': parameter 2 is not of type 'ReadableStream or" in error_of(bucket.put("k"))


# -- ranges ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("asked", "text", "offset"),
    [
        ({"offset": 2, "length": 3}, "234", 2),
        ({"suffix": 2}, "89", 8),
        ({"offset": 2}, "23456789", 2),
        ({"length": 2}, "01", 0),
        ({"offset": 8, "length": 10}, "89", 8),
        ({"suffix": 20}, "0123456789", 0),
        ({}, "0123456789", 0),
        (None, "0123456789", 0),
        (headers(Range="bytes=1-3"), "123", 1),
        (headers(Range="bytes=7-"), "789", 7),
        (headers(Range="bytes=-2"), "89", 8),
        (headers(Range="nonsense"), "0123456789", 0),
        (headers(Range="bytes=0-1,3-4"), "0123456789", 0),
        (headers(Range="bytes=20-30"), "0123456789", 0),
        (headers(Range="bytes=10-"), "0123456789", 0),
        (headers(Range="bytes=9-"), "9", 9),
        (headers(Range="bytes=-10"), "0123456789", 0),
        (headers(Range="bytes=5-2"), "0123456789", 0),
        (headers(Range="bytes=-0"), "0123456789", 0),
        (headers(), "0123456789", 0),
    ],
)
def test_a_range_is_a_part_of_the_object(bucket: Any, asked: Any, text: str, offset: int) -> None:
    get(bucket.put("k", "0123456789"))
    found = get(bucket.get("k", {"range": asked}))

    assert found.size == 10
    assert found.range == {"offset": offset, "length": len(text), "suffix": None}
    assert get(found.text()) == text


@pytest.mark.parametrize(
    ("asked", "text"),
    [
        ({"offset": 10}, "Error: get: The requested range is not satisfiable (10039)"),
        ({"offset": 11}, "Error: get: The requested range is not satisfiable (10039)"),
        ({"offset": 0, "length": 0}, "Error: get: The requested range is not satisfiable (10039)"),
        ({"suffix": 0}, "Error: get: The requested range is not satisfiable (10039)"),
        ({"offset": 10, "length": 5}, "Error: get: Unspecified error (0)"),
        ({"offset": -1}, "RangeError: Invalid range. Starting offset (-1) must be greater than or equal to 0."),
        ({"length": -1}, "RangeError: Invalid range. Length (-1) must be greater than or equal to 0."),
        ({"offset": 1.5}, "RangeError: Invalid range. Starting offset (1.5) must be an integer, not floating point."),
        ({"suffix": 2, "offset": 1}, "TypeError: Suffix is incompatible with offset."),
        ({"suffix": 2, "length": 1}, "TypeError: Suffix is incompatible with length."),
        (
            "bytes=1-3",
            "TypeError: Incorrect type for the 'range' field on 'GetOptions': the provided value is not of type "
            "'Range or Headers'.",
        ),
    ],
)
def test_a_range_that_cannot_be_is_refused(bucket: Any, asked: Any, text: str) -> None:
    get(bucket.put("k", "0123456789"))

    assert error_of(bucket.get("k", {"range": asked})) == text


# -- conditions --------------------------------------------------------------------------------------------------------

ETAG = hashlib.md5(b"v", usedforsecurity=False).hexdigest()
LONG_AGO, LATER = datetime.datetime(2020, 1, 1), datetime.datetime.fromtimestamp(NOW / 1000 + 5)


@pytest.mark.parametrize(
    ("condition", "holds"),
    [
        ({}, True),
        ({"etagMatches": ETAG}, True),
        ({"etagMatches": "wrong"}, False),
        ({"etagMatches": f'W/"{ETAG}"'}, False),
        ({"etagMatches": "*"}, True),
        ({"etagDoesNotMatch": ETAG}, False),
        ({"etagDoesNotMatch": "x"}, True),
        ({"etagDoesNotMatch": "*"}, False),
        ({"uploadedBefore": LONG_AGO}, False),
        ({"uploadedBefore": LATER}, True),
        ({"uploadedAfter": LONG_AGO}, True),
        ({"uploadedAfter": 0}, True),
        ({"uploadedAfter": LATER}, False),
        ({"uploadedBefore": NOW}, False),
        ({"uploadedBefore": NOW + 1}, True),
        ({"uploadedAfter": NOW}, False),
        ({"uploadedAfter": NOW - 1}, True),
        ({"uploadedBefore": NOW + 999, "secondsGranularity": True}, False),
        ({"uploadedBefore": NOW + 1000, "secondsGranularity": True}, True),
        ({"uploadedAfter": LATER, "etagDoesNotMatch": "x"}, True),
        ({"uploadedBefore": LONG_AGO, "etagMatches": ETAG}, True),
        (headers(If_None_Match=f'"{ETAG}"'), False),
        (headers(If_None_Match=f'"x", W/"{ETAG}"'), False),
        (headers(If_Match=f'W/"{ETAG}"'), False),
        (headers(If_Match=f'"x", "{ETAG}"'), True),
        (headers(If_Match="*"), True),
        (headers(If_Modified_Since="Mon, 01 Jan 2035 00:00:00 GMT"), False),
        (headers(If_Unmodified_Since="Mon, 01 Jan 2035 00:00:00 GMT"), True),
    ],
)
def test_a_get_whose_condition_fails_gives_the_object_without_body_and_a_put_none(
    bucket: Any, condition: Any, holds: bool
) -> None:
    get(bucket.put("k", "v"))
    found, put = get(bucket.get("k", onlyIf=condition)), get(bucket.put("k", "new", onlyIf=condition))

    assert found.key == "k"
    assert hasattr(found, "body") is hasattr(found, "text") is holds
    assert (put is not None) is holds
    assert text_of(bucket, "k") == ("new" if holds else "v")


@pytest.mark.parametrize(
    ("condition", "is_put"),
    [
        ({"etagMatches": "*"}, False),
        ({"uploadedAfter": LONG_AGO}, False),
        ({"etagDoesNotMatch": "*"}, True),
        ({"uploadedBefore": LONG_AGO}, True),
    ],
)
def test_without_an_object_only_what_asks_for_one_fails(bucket: Any, condition: Any, is_put: bool) -> None:
    assert get(bucket.get("k", onlyIf=condition)) is None
    assert (get(bucket.put("k", "v", onlyIf=condition)) is not None) is is_put


@pytest.mark.parametrize(
    ("condition", "text"),
    [
        ({"etagMatches": '"x"'}, 'TypeError: Conditional ETag should not be wrapped in quotes ("x").'),
        (
            {"etagMatches": ["x"]},
            "TypeError: Incorrect type for the 'etagMatches' field on 'Conditional': the provided value is not of type "
            "'string'.",
        ),
        (
            {"uploadedAfter": "2020"},
            "TypeError: Incorrect type for the 'uploadedAfter' field on 'Conditional': the provided value is not of "
            "type 'date'.",
        ),
        (headers(If_None_Match="x"), "Error: Invalid ETag in if-none-match header"),
        (headers(If_Match='"x" "y"'), "Error: Invalid ETag in if-match header"),
    ],
)
def test_a_condition_that_cannot_be_is_refused(bucket: Any, condition: Any, text: str) -> None:
    assert error_of(bucket.get("k", onlyIf=condition)) == text


# -- checksums ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("algorithm", ["md5", "sha1", "sha256", "sha384", "sha512"])
def test_a_checksum_is_checked_and_kept(bucket: Any, algorithm: str) -> None:
    digest = hashlib.new(algorithm, b"hello", usedforsecurity=False)
    for given in (digest.hexdigest(), digest.hexdigest().upper(), digest.digest()):
        put = get(bucket.put("k", "hello", {algorithm: given}))
        assert put.checksums.toJSON()[algorithm] == digest.hexdigest()
        assert bytes(getattr(get(bucket.get("k")).checksums, algorithm)) == digest.digest()


@pytest.mark.parametrize(
    ("options", "text"),
    [
        (
            {"md5": "0" * 32},
            "Error: put: The MD5 checksum you specified did not match what we received.\n"
            f"You provided a MD5 checksum with value: {'0' * 32}\n"
            "Actual MD5 was: 5d41402abc4b2a76b9719d911017c592 (10037)",
        ),
        ({"md5": "abcd"}, "TypeError: MD5 is 32 hex characters, not 4"),
        ({"md5": "z" * 32}, "TypeError: Provided MD5 wasn't a valid hex string"),
        ({"sha1": b"abc"}, "TypeError: SHA-1 is 20 bytes, not 3"),
        ({"md5": "0" * 32, "sha256": "0" * 64}, "TypeError: You cannot specify multiple hashing algorithms."),
        (
            {"md5": 5},
            "TypeError: Incorrect type for the 'md5' field on 'PutOptions': the provided value is not of type "
            "'BufferSource or string'.",
        ),
    ],
)
def test_a_checksum_that_is_wrong_stores_nothing(bucket: Any, options: Any, text: str) -> None:
    assert error_of(bucket.put("k", "hello", options)) == text
    assert get(bucket.head("k")) is None


# -- lists -------------------------------------------------------------------------------------------------------------


def keys_of(page: Any) -> list[str]:
    return [one.key for one in page.objects]


def test_a_list_has_raw_objects_without_metadata_unless_it_is_asked_for(bucket: Any) -> None:
    get(bucket.put("k", "v", {"customMetadata": {"a": "1"}, "httpMetadata": {"contentType": "x"}}))

    page = get(bucket.list())
    (plain,) = page.objects
    assert list(page) == ["objects", "truncated", "cursor", "delimitedPrefixes"]
    assert isinstance(plain, JsProxy)
    assert plain.customMetadata.to_py() == {}
    (full,) = get(bucket.list(include=["customMetadata", "httpMetadata"])).objects
    assert (full.customMetadata.a, full.httpMetadata.contentType, full.size) == ("1", "x", 1)
    assert error_of(bucket.list(include=["nope"])) == "RangeError: Unsupported include value nope"


def test_a_list_is_paged_in_the_order_of_utf8(bucket: Any) -> None:
    keys = ["b", "a", "c", "B", "ä", "10", "9", "😀", "\uffee"]
    for key in keys:
        get(bucket.put(key, "v"))
    first = get(bucket.list(limit=1))

    assert (keys_of(first), first.truncated, first.cursor) == (["10"], True, "MTA=")
    assert keys_of(get(bucket.list())) == sorted(keys, key=str.encode)
    assert keys_of(get(bucket.list(cursor=first.cursor, limit=2))) == ["9", "B"]
    assert keys_of(get(bucket.list(startAfter="aa"))) == ["b", "c", "ä", "\uffee", "😀"]
    assert keys_of(get(bucket.list(startAfter="a", prefix="c"))) == ["c"]
    assert keys_of(get(bucket.list(startAfter="b", cursor="YQ=="))) == ["c", "ä", "\uffee", "😀"]
    assert keys_of(get(bucket.list(cursor="nonsense!"))) == ["😀"]
    assert len(keys_of(get(bucket.list(limit=-1)))) == len(keys)


@fact("r2", "A list with include has up to 100 objects a page")
def test_with_metadata_a_page_has_100_objects(bucket: Any) -> None:
    for at in range(101):
        get(bucket.put(f"{at:03}", "v"))

    page = get(bucket.list(include=["httpMetadata"]))
    assert (len(page.objects), page.truncated) == (100, True)


@pytest.mark.parametrize("limit", [0, 1001, None, -2])
def test_a_limit_out_of_1_to_1000_is_refused(bucket: Any, limit: Any) -> None:
    expected = "Error: list: MaxKeys params must be positive integer <= 1000. (10022)"

    assert error_of(bucket.list(limit=limit)) == expected


@pytest.mark.parametrize("name", ["prefix", "cursor", "delimiter", "startAfter"])
@fact("r2", "prefix, cursor, delimiter and startAfter of list() may not be None")
def test_an_option_of_a_list_that_is_none_is_a_type_error(bucket: Any, name: str) -> None:
    assert error_of(bucket.list({name: None})) == (
        f"TypeError: Incorrect type for the '{name}' field on 'ListOptions': the provided value is not of type 'string'."
    )


def test_a_common_prefix_is_one_entry(bucket: Any) -> None:
    for key in ("a/1", "a/b/2", "a/b/3", "a/c/4", "c", "d/"):
        get(bucket.put(key, "v"))

    def page(**options: Any) -> tuple[list[str], list[str], bool]:
        found = get(bucket.list(**options))
        return keys_of(found), found.delimitedPrefixes, found.truncated

    assert page(delimiter="/") == (["c"], ["a/", "d/"], False)
    assert page(prefix="a/", delimiter="/") == (["a/1"], ["a/b/", "a/c/"], False)
    assert page(prefix="a", delimiter="/") == ([], ["a/"], False)
    assert page(prefix="a/", delimiter="/", limit=2) == (["a/1"], ["a/b/"], True)
    assert page(delimiter="/b/") == (["a/1", "a/c/4", "c", "d/"], ["a/b/"], False)
    assert page(delimiter="") == (["a/1", "a/b/2", "a/b/3", "a/c/4", "c", "d/"], [], False)
    walked, options = [], {}
    while True:
        found = get(bucket.list(delimiter="/", limit=1, **options))
        walked.append((keys_of(found), found.delimitedPrefixes))
        if not found.truncated:
            break
        options = {"cursor": found.cursor}
    assert walked == [([], ["a/"]), (["c"], []), ([], ["d/"])]


# -- uploads in parts --------------------------------------------------------------------------------------------------


def test_an_object_is_made_of_its_parts(bucket: Any) -> None:
    upload = get(bucket.createMultipartUpload("k", customMetadata={"a": "1"}))
    first, second = get(upload.uploadPart(1, bytes(MIB_5))), get(upload.uploadPart(2, "tail"))
    assert get(bucket.head("k")) is None
    made = get(upload.complete([first, second]))

    assert (upload.key, len(upload.uploadId), len(first.etag), first.partNumber) == ("k", 171, 171, 1)
    assert (made.size, made.etag) == (MIB_5 + 4, "47693b6aafc99e607a33f321da4dc903-2")
    assert made.customMetadata == {"a": "1"}
    assert set(made.checksums.toJSON().values()) == {None}
    assert text_of(bucket, "k", range={"suffix": 4}) == "tail"
    assert error_of(upload.complete([first])).endswith("The specified multipart upload does not exist. (10024)")


def test_parts_are_joined_by_their_numbers_in_whatever_order_they_are_named(bucket: Any) -> None:
    upload = get(bucket.createMultipartUpload("k"))
    first, second = (get(upload.uploadPart(at, letter * MIB_5)) for at, letter in ((1, "a"), (2, "b")))

    assert get(upload.complete([second, first])).size == 2 * MIB_5
    assert text_of(bucket, "k", range={"offset": MIB_5 - 1, "length": 2}) == "ab"


def test_an_upload_of_no_parts_is_an_empty_object(bucket: Any) -> None:
    made = get(get(bucket.createMultipartUpload("k")).complete([]))

    assert (made.size, made.etag) == (0, "d41d8cd98f00b204e9800998ecf8427e-0")


def test_a_part_that_is_uploaded_again_replaces_the_first(bucket: Any) -> None:
    upload = get(bucket.createMultipartUpload("k"))
    old, new = get(upload.uploadPart(1, "one")), get(upload.uploadPart(1, "two!"))

    assert "(10025)" in error_of(upload.complete([old]))
    assert get(upload.complete([new])).size == 4


def test_parts_that_do_not_make_an_object_are_refused(bucket: Any) -> None:
    upload = get(bucket.createMultipartUpload("k"))
    parts = [get(upload.uploadPart(at, bytes(size))) for at, size in ((1, MIB_5), (2, 1), (3, MIB_5 + 1), (4, MIB_5))]

    def completing(*numbers: int) -> str:
        return error_of(upload.complete([parts[number - 1] for number in numbers])).partition(": ")[2]

    small = "completeMultipartUpload: Your proposed upload is smaller than the minimum allowed object size. (10011)"
    assert completing(2, 1) == small
    assert completing(2, 3) == small
    uneven = "completeMultipartUpload: There was a problem with the multipart upload. (10048)"
    assert completing(1, 3, 2) == completing(1, 3) == uneven
    assert completing(1, 1) == "completeMultipartUpload: We encountered an internal error. Please try again. (10001)"
    missing = "completeMultipartUpload: One or more of the specified parts could not be found. (10025)"
    assert error_of(upload.complete([{"partNumber": 1, "etag": "x"}])) == f"Error: {missing}"
    assert get(upload.complete([parts[0], parts[3]])).size == 2 * MIB_5


@pytest.mark.parametrize("number", [0, 10001])
def test_a_part_has_a_number_of_1_to_10000(bucket: Any, number: int) -> None:
    upload = get(bucket.createMultipartUpload("k"))

    assert error_of(upload.uploadPart(number, "x")) == (
        f"TypeError: Part number must be between 1 and 10000 (inclusive). Actual value was: {number}"
    )


def test_a_part_has_bytes(bucket: Any) -> None:
    upload = get(bucket.createMultipartUpload("k"))

    assert error_of(upload.uploadPart(1, None)) == (
        "TypeError: Failed to execute 'uploadPart' on 'R2MultipartUpload': parameter 2 is not of type "
        "'JsReadableStream or ArrayBuffer or ArrayBufferView or string or Blob'."
    )


def test_an_upload_is_aborted_and_resumed(bucket: Any) -> None:
    upload = get(bucket.createMultipartUpload("k"))
    part = get(bucket.resumeMultipartUpload("k", upload.uploadId).uploadPart(1, "x"))
    assert get(upload.abort()) is None
    assert get(upload.abort()) is None

    gone = "The specified multipart upload does not exist. (10024)"
    assert error_of(upload.complete([part])) == f"Error: completeMultipartUpload: {gone}"
    assert error_of(upload.uploadPart(2, "x")) == f"Error: uploadPart: {gone}"
    unknown = bucket.resumeMultipartUpload("k", "nonsense")
    assert (unknown.key, unknown.uploadId) == ("k", "nonsense")
    assert error_of(unknown.uploadPart(1, "x")) == f"Error: uploadPart: {gone}"
    internal = "We encountered an internal error. Please try again. (10001)"
    assert error_of(unknown.complete([])) == f"Error: completeMultipartUpload: {internal}"
    assert error_of(unknown.abort()) == f"Error: abortMultipartUpload: {internal}"


@fact("r2", "customMetadata of an upload in parts has no limit locally; a finding names the documented one")
def test_uploads_with_large_metadata_are_a_finding(bucket: Any, host: PlainHost) -> None:
    get(bucket.createMultipartUpload("k", customMetadata={"a": "x" * 8192}))

    assert [rule for rule, _ in host.findings] == ["documented-limit"]
