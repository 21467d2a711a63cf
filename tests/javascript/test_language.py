"""JavaScript's own globals as Python code on the platform meets them."""

from __future__ import annotations

import asyncio
import math

import pytest

from durable_engine import JsBigInt, JsException, jsnull
from pytest_workflows.workers import js_module as js
from pytest_workflows.workers.pyodide_ffi import to_js


def test_object_lists_what_an_object_has():
    made = js.Object.fromEntries([["b", 1], ["a", 2]])

    assert list(js.Object.keys(made)) == ["b", "a"]
    assert [list(pair) for pair in js.Object.entries(made)] == [["b", 1], ["a", 2]]
    assert js.Object.assign(made, js.Object.fromEntries([["c", 3]])).c == 3
    assert js.Object.new().constructor.name == "Object"


def test_arrays_have_methods_of_both_languages():
    array = to_js([3, 1, 2])

    assert list(array.map(lambda item, index, whole: item * 10 + index)) == [30, 11, 22]
    assert list(array.filter(lambda item, *_: item > 1)) == [3, 2]
    assert list(array.slice(1)) == [1, 2]
    assert array.indexOf(2) == 2
    assert array.join("-") == "3-1-2"
    assert array.reduce(lambda total, item, *_: total + item, 0) == 6
    assert list(array.sort()) == [1, 2, 3]
    array.append(4)
    assert (array.pop(), array.length, len(array)) == (4, 3, 3)
    assert js.Array.isArray(array)
    assert list(js.Array.from_("ab")) == ["a", "b"]
    assert list(js.Array.new(2)) == [None, None]
    assert list(js.Array.of(2)) == [2]


def test_maps_and_sets_are_made_of_iterables():
    made = js.Map.new([[1, "one"], [2, "two"]])

    assert (made.get(1), made.size, made.has(3)) == ("one", 2, False)
    assert list(js.Set.new([1, 2, 2])) == [1, 2]


def test_typed_arrays_wrap_numbers_around_and_share_their_buffer():
    array = js.Uint8Array.new([1, 300, -1])
    view = js.DataView.new(array.buffer)

    assert list(array) == [1, 44, 255]
    view.setUint16(0, 258)
    assert list(array) == [1, 2, 255]
    assert list(js.Int16Array.of("10", "24")) == [10, 24]
    assert js.Uint8Array.new(b"ab").to_bytes() == b"ab"
    assert js.Uint8Array.new(to_js(b"ab")).to_py().tobytes() == b"ab"
    assert list(array.subarray(1)) == [2, 255]
    assert js.BigInt64Array.of(js.BigInt(5))[0] == JsBigInt(5)
    assert js.ArrayBuffer.isView(view)


def test_buffers_have_pyodides_methods():
    array = js.Uint8Array.new(3)

    array.assign(b"abc")
    assert (array.to_string(), bytes(array.to_memoryview())) == ("abc", b"abc")
    with pytest.raises(ValueError, match=r"^cannot assign from buffer of a different size$"):
        array.assign(b"ab")


def test_numbers_texts_and_truth_are_made_of_anything():
    assert (js.Number("0x10"), js.Number(" 1.50 "), js.Number(None), js.Number(jsnull)) == (
        16,
        1.5,
        pytest.approx(math.nan, nan_ok=True),
        0,
    )
    assert js.Number.new("1234").valueOf() == 1234
    assert js.String(1.0) == "1"
    assert js.Boolean("") is False
    assert js.parseInt("12px") == 12
    assert js.parseInt("ff", 16) == 255
    assert js.parseFloat("1.5em") == 1.5
    assert js.isNaN("x") is True
    assert js.encodeURIComponent("a b&ü") == "a%20b%26%C3%BC"
    assert js.decodeURIComponent("a%20b") == "a b"


def test_math_gives_whole_numbers_as_ints():
    assert (js.Math.round(2.5), js.Math.floor(-1.5), js.Math.max(1, 3.0)) == (3, -2, 3)
    assert type(js.Math.floor(1.5)) is int
    assert 0 <= js.Math.random() < 1


def test_a_part_of_a_typed_array_shares_its_bytes_and_a_slice_does_not():
    array = js.Uint8Array.new(to_js([1, 2, 3, 4]))
    part, copy = array.subarray(1, 3), array.slice(1, 3)
    part[0] = 9

    assert (list(array), list(part), list(copy)) == ([1, 9, 3, 4], [9, 3], [2, 3])
    assert (part.byteOffset, copy.byteOffset) == (1, 0)


def test_a_data_view_is_big_endian_unless_it_is_told_otherwise():
    array = js.Uint8Array.new(to_js([0, 1, 2, 3]))
    view = js.DataView.new(array.buffer)
    assert (view.getUint16(0), view.getUint16(0, True), view.getUint16(2)) == (1, 256, 0x0203)

    view.setUint16(0, 0x0405)
    view.setUint16(2, 0x0607, True)

    assert list(array) == [4, 5, 7, 6]


def test_a_clone_holds_an_object_twice_that_is_there_twice_and_may_hold_itself():
    given = to_js({"a": {"n": 1}}, dict_converter=js.Object.fromEntries)
    given.b = given.a
    given.me = given

    copy = js.structuredClone(given)
    copy.a.n = 2

    assert (copy.b.n, copy.me.b.n, given.a.n) == (2, 2, 1)


def test_texts_are_sorted_by_their_utf_16_units():
    assert list(js.Array.of("\uff5e", "\U0001f600", "b", "a", 10, 9).sort()) == [
        *(10, 9, "a", "b", "\U0001f600", "\uff5e"),
    ]


@pytest.mark.parametrize("text", ["1_0", "", " 7 ", "0x10", "1e3", "x", "-Infinity", "+1.5"])
def test_a_text_is_the_number_that_javascript_reads(text):
    expected = {"": 0, " 7 ": 7, "0x10": 16, "1e3": 1000, "-Infinity": -math.inf, "+1.5": 1.5}.get(text)
    number = js.Number(text)

    assert math.isnan(number) if expected is None else number == expected


def test_dates_are_read_and_written():
    date = js.Date.new("2026-01-02T03:04:05.678+02:00")

    assert date.toISOString() == "2026-01-02T01:04:05.678Z"
    assert (date.getUTCFullYear(), date.getMonth(), date.getDate(), date.getDay()) == (2026, 0, 2, 5)
    assert date.toUTCString() == "Fri, 02 Jan 2026 01:04:05 GMT"
    assert js.Date.new(2026, 0, 32).toISOString() == "2026-02-01T00:00:00.000Z"
    assert js.Date.UTC(2026, 0, 1) == js.Date.parse("2026-01-01")
    date.setHours(25, 0)
    assert date.toISOString() == "2026-01-03T01:00:05.678Z"
    assert (js.Date.UTC(0, 0), js.Date.UTC(99, 0)) == (js.Date.parse("1900-01-01"), js.Date.parse("1999-01-01"))
    assert js.Date.new(8.64e15).getTime() == -js.Date.new(-8.64e15).getTime() == 8_640_000_000_000_000
    assert math.isnan(js.Date.new(8_640_000_000_000_001).getTime())
    with pytest.raises(JsException, match=r"^RangeError: Invalid time value$"):
        js.Date.new("nonsense").toISOString()


def test_text_is_encoded_and_decoded():
    assert js.TextEncoder.new().encode("ü").to_bytes() == b"\xc3\xbc"
    assert js.TextDecoder.new().decode(to_js(b"\xef\xbb\xbfa\xff")) == "a\ufffd"
    with pytest.raises(JsException, match=r"^TypeError: Failed to decode input\.$"):
        js.TextDecoder.new("utf-8", fatal=True).decode(to_js(b"\xff"))
    decoder = js.TextDecoder.new()
    assert decoder.decode(to_js(b"\xc3"), stream=True) + decoder.decode(to_js(b"\xbc")) == "ü"
    assert js.TextDecoder.new("latin1").encoding == "windows-1252"
    assert js.btoa("a\xff") == "Yf8="
    assert js.atob(" Yf8 ") == "a\xff"
    with pytest.raises(JsException, match=r"^InvalidCharacterError: btoa\(\) can only"):
        js.btoa("€")


async def test_crypto_hashes_and_signs():
    digest = await js.crypto.subtle.digest("SHA-256", to_js(b"abc"))
    assert digest.to_bytes().hex().startswith("ba7816bf8f01cfea")

    key = await js.crypto.subtle.importKey(
        "raw",
        to_js(b"key"),
        to_js({"name": "HMAC", "hash": "SHA-256"}, dict_converter=js.Object.fromEntries),
        False,
        ["sign", "verify"],
    )
    signature = await js.crypto.subtle.sign("HMAC", key, to_js(b"text"))
    assert await js.crypto.subtle.verify("HMAC", key, signature, to_js(b"text"))
    assert not await js.crypto.subtle.verify("HMAC", key, signature, to_js(b"other"))
    with pytest.raises(JsException, match=r"^NotSupportedError: Unrecognized or unimplemented digest"):
        await js.crypto.subtle.digest("SHA-3", to_js(b"abc"))


def test_crypto_draws_from_pythons_sources(monkeypatch):
    monkeypatch.setattr("os.urandom", lambda size: b"\x07" * size)

    assert js.crypto.getRandomValues(js.Uint8Array.new(2)).to_bytes() == b"\x07\x07"


def test_a_regular_expression_finds_groups():
    found = js.RegExp.new("(?<year>\\d{4})-(\\d\\d)", "i").exec("on 2026-01-02")

    assert list(found) == ["2026-01", "2026", "01"]
    assert (found.index, found.groups.year) == (3, "2026")
    assert js.RegExp.new("a/b").test("xa/by")
    assert js.RegExp.new("z").exec("a") is jsnull


def test_a_clone_shares_nothing_and_a_function_has_none():
    made = to_js({"a": [1], "d": b"x"}, dict_converter=js.Object.fromEntries)
    copy = js.structuredClone(made)

    copy.a.push(2)
    assert list(made.a) == [1]
    with pytest.raises(JsException, match=r"^DataCloneError: .*could not be cloned\.$"):
        js.structuredClone(lambda: None)


async def test_promises_are_joined():
    async def later(value):
        await asyncio.sleep(0)
        return value

    assert list(await js.Promise.all([js.Promise.resolve(1), later(2), 3])) == [1, 2, 3]
    outcomes = await js.Promise.allSettled([js.Promise.reject("no"), 1])
    assert [outcome.status for outcome in outcomes] == ["rejected", "fulfilled"]
    assert await js.Promise.race([later(1), 2]) == 2
    assert await js.Promise.new(lambda resolve, reject: resolve(5)) == 5
    with pytest.raises(JsException, match=r"^Error: no$"):
        await js.Promise.reject("no")


async def test_timers_call_back_once_or_again():
    called = []
    js.setTimeout(called.append, 0, "timeout")
    gone = js.setTimeout(called.append, 0, "cleared")
    js.clearTimeout(gone)
    js.queueMicrotask(lambda: called.append("microtask"))
    number = js.setInterval(lambda: called.append("interval"), 1)

    await js.scheduler.wait(20)
    js.clearInterval(number)
    count = called.count("interval")
    await asyncio.sleep(0.005)

    assert called[:2] == ["microtask", "timeout"]
    assert "cleared" not in called
    assert count >= 2
    assert called.count("interval") == count


async def test_a_signal_ends_a_wait():
    controller = js.AbortController.new()
    waiting = js.scheduler.wait(60_000, signal=controller.signal)
    heard = []
    controller.signal.addEventListener("abort", lambda event: heard.append(event.type))

    controller.abort()

    with pytest.raises(JsException, match=r"^AbortError: The operation was aborted$"):
        await waiting
    assert heard == ["abort"]
    assert controller.signal.aborted
    with pytest.raises(JsException, match=r"^AbortError"):
        controller.signal.throwIfAborted()


def test_decode_uri_leaves_what_has_a_meaning_in_a_uri():
    assert js.decodeURI("/a%20b%2Fc%3f%3D%25%C3%BC%2D") == "/a b%2Fc%3f%3D%ü-"
    assert js.decodeURIComponent("/a%20b%2Fc%3f%3D%25%C3%BC%2D") == "/a b/c?=%ü-"


@pytest.mark.parametrize("text", ["%", "a%2", "%zz", "%ff"])
@pytest.mark.parametrize("decode", ["decodeURI", "decodeURIComponent"])
def test_a_broken_escape_is_an_error(decode, text):
    with pytest.raises(JsException, match="URI malformed"):
        getattr(js, decode)(text)


def test_parse_int_reads_one_sign():
    assert js.parseInt("-5") == -5
    assert js.isNaN(js.parseInt("--5"))
