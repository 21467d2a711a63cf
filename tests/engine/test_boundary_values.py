"""Values that the golden file does not hold: what follows from the SDK's and Pyodide's conversions."""

import array
import asyncio
import collections
import ctypes
import datetime
import decimal
import enum
import gc
import itertools
import sys
import types
import warnings
import zoneinfo

import freezegun
import pytest
from hypothesis import given
from hypothesis import strategies as st

from durable_engine import (
    ConversionError,
    JsBigInt,
    JsDict,
    JsException,
    JsNull,
    JsProxy,
    cross,
    decode,
    encode,
    jsnull,
    to_json,
)
from durable_engine.values.boundary import NotSerialisable

PROXY = "Proxy could not be serialized"
STUB = "RpcStub cannot be serialized in this context."
TUPLE = r"^<class 'tuple'> cannot be sent over RPC\.$"


class Level(enum.IntEnum):
    LOW = 1


class Word(enum.StrEnum):
    ONE = "one"


class Bits(enum.IntFlag):
    A = 1
    B = 2


class Ratio(float, enum.Enum):
    HALF = 0.5


class LyingInt(int):
    def __int__(self):
        return 99


class LyingStr(str):
    value = "other"

    def __str__(self):
        return "lie"


class Iterates:
    def __init__(self, items):
        self.items = items

    def __iter__(self):
        return iter(self.items)


class Awaitable:
    def __await__(self):
        yield


def exact(value):
    """A value with its types, down to the bottom."""
    if isinstance(value, dict):
        return (type(value), [(key, exact(item)) for key, item in value.items()])
    if isinstance(value, list):
        return (list, [exact(item) for item in value])
    if isinstance(value, memoryview):
        return (memoryview, value.format, value.tobytes())
    if isinstance(value, set):
        return (set, {(type(item), repr(item)) for item in value})
    return (type(value), repr(value))


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (True, True),
        ([True, 1], [True, 1]),
        (-(2**53 - 1), JsBigInt(-(2**53 - 1))),
        (JsBigInt(5), JsBigInt(5)),
        (10**5000, JsBigInt(10**5000)),
        (float(-(2**53) + 1), -(2**53) + 1),
        (-0.0, 0),
        (float(2**63), float(2**63)),
        (Bits.A | Bits.B, 3),
        (Ratio.HALF, 0.5),
        (LyingInt(5), 5),
        (LyingStr("x"), "x"),
        ("\ud83d\ude00", "\U0001f600"),
        ("a\ud800b", "a\ud800b"),
        ("a\0b", "a\0b"),
        (collections.OrderedDict(b=1, a=2), JsDict(b=1, a=2)),
        ({}, JsDict()),
        (set(), set()),
        ({None, 1.0, "\ud800"}, {None, 1, "\ud800"}),
        ([[{"s": {1}}]], [[JsDict(s={1})]]),
    ],
    ids=lambda value: type(value).__name__,
)
def test_a_value_comes_back_as(value, expected):
    # `repr` of an int of more than 4,300 digits is an error of Python's own.
    if isinstance(value, int) and value > 10**30:
        assert cross(value) == expected
        assert type(cross(value)) is JsBigInt
    else:
        assert exact(cross(value)) == exact(expected)


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        (["b", "10", "9", "0", "4294967294"], ["0", "9", "10", "4294967294", "b"]),
        (["b", "01", "-1", "1.5", "4294967295", "1"], ["1", "b", "01", "-1", "1.5", "4294967295"]),
        (["a", "\u0663"], ["a", "\u0663"]),
        (["a", 2, 1.0], ["1", "2", "a"]),
        ([1e21, -1e20, 1.5e300, 5e-324], ["1e+21", "-100000000000000000000", "1.5e+300", "5e-324"]),
        ([-0.0, 1e16, 123456789012345680000.0], ["0", "10000000000000000", "123456789012345680000"]),
        ([1e-6, 1e-7, 1.5e-7, -1e-5], ["0.000001", "1e-7", "1.5e-7", "-0.00001"]),
        ([float("nan"), float("inf"), float("-inf")], ["NaN", "Infinity", "-Infinity"]),
        ([2**60], [str(2**60)]),
        ([Level.LOW, Word.ONE, Ratio.HALF], ["1", "one", "0.5"]),
        ([LyingInt(5), LyingStr("x")], ["5", "x"]),
        (["\ud800", "1", "\ud83d\ude00"], ["1", "\ud800", "\U0001f600"]),
        (["", "__proto__"], ["", "__proto__"]),
    ],
)
def test_keys_become_strings_in_the_order_of_javascript(keys, expected):
    assert list(cross(dict.fromkeys(keys, 0))) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({1: "a", "z": 0, "1": "b"}, {"1": "b", "z": 0}),
        ({"true": 1, "y": 2, True: 3}, {"true": 3, "y": 2}),
        ({"undefined": 1, "y": 2, None: 3}, {"undefined": 3, "y": 2}),
    ],
)
def test_of_two_keys_that_become_one_the_last_value_and_the_first_place_stay(value, expected):
    assert list(cross(value).items()) == list(expected.items())


@pytest.mark.parametrize("member", [b"x", frozenset([1]), datetime.datetime(2025, 1, 1), Level, len, 1 + 2j])
def test_a_set_takes_nothing_but_simple_values(member):
    with pytest.raises(ConversionError) as raised:
        encode({member})
    assert str(raised.value) == f"Cannot use {member!r} as a key for a Javascript Set"


@pytest.mark.parametrize("form", "bBhHiIqQfd")
def test_an_array_comes_back_as_a_writable_memoryview_of_its_format(form):
    values = array.array(form, [1, 2, 3])

    result = cross(values)

    assert (result.format, result.readonly, result.tolist()) == (form, False, values.tolist())
    assert cross(array.array(form)).tolist() == []


@pytest.mark.parametrize(
    ("view", "expected"),
    [
        (memoryview(b"abcdef")[::2], (memoryview, "B", b"ace")),
        (memoryview(array.array("h", [1, 2]))[::-1], (memoryview, "h", array.array("h", [2, 1]).tobytes())),
        (memoryview(b"abcd").cast("I"), (memoryview, "I", b"abcd")),
        (memoryview(b"ab").cast("c"), (memoryview, "B", b"ab")),
        (memoryview(b"\0\1").cast("?"), (list, [(bool, "False"), (bool, "True")])),
        (memoryview(b"abcd").cast("B", [2, 2]), (list, [(memoryview, "B", b"ab"), (memoryview, "B", b"cd")])),
    ],
    ids=["slice", "reversed", "cast", "chars", "booleans", "rows"],
)
def test_a_memoryview_comes_back_as(view, expected):
    assert exact(cross(view)) == expected


def test_an_array_of_characters_has_no_typed_array():
    kind = "u" if sys.version_info < (3, 13) else "w"

    with pytest.raises(JsException, match="Unrecognized format character"):
        encode(array.array(kind, "ab"))


NEW_YORK = zoneinfo.ZoneInfo("America/New_York")
EAST, WEST = (datetime.timezone(datetime.timedelta(hours=hours)) for hours in (5, -5))


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (datetime.datetime(2025, 1, 1, tzinfo=NEW_YORK), datetime.datetime(2025, 1, 1, 5)),
        (datetime.datetime(2025, 7, 1, tzinfo=NEW_YORK), datetime.datetime(2025, 7, 1, 4)),
        (datetime.datetime(2025, 11, 2, 1, 30, fold=1, tzinfo=NEW_YORK), datetime.datetime(2025, 11, 2, 6, 30)),
        (datetime.datetime(1900, 1, 1, 0, 0, 0, 1000), datetime.datetime(1900, 1, 1, 0, 0, 0, 1000)),
        (datetime.datetime.min, datetime.datetime.min),
        (datetime.datetime.max, datetime.datetime.max.replace(microsecond=999000)),
    ],
)
def test_a_datetime_comes_back_naive_and_in_utc(value, expected):
    assert exact(cross(value)) == exact(expected)


@pytest.mark.parametrize(
    ("value", "year"),
    [(datetime.datetime.max.replace(tzinfo=WEST), 10000), (datetime.datetime.min.replace(tzinfo=EAST), 0)],
)
def test_a_date_that_python_could_not_read_back_is_refused_at_once(value, year):
    with pytest.raises(ValueError, match=f"year {year} is out of range"):
        encode(value)


def test_a_frozen_datetime_counts_as_one_and_comes_back_plain():
    plain = datetime.datetime
    with freezegun.freeze_time("2025-01-02"):
        frozen = datetime.datetime.now()
        results = [cross(frozen), cross([frozen])[0], cross(plain(2025, 1, 2))]

    assert [(type(result), result) for result in results] == [(plain, plain(2025, 1, 2))] * 3


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (ValueError(), "Error"),
        (KeyError("k"), "Error: 'k'"),
        (ValueError("\ud800"), "Error: \ud800"),
        (ExceptionGroup("g", [ValueError("x")]), "Error: g (1 sub-exception)"),
        (JsException("Error", "m"), "Error: m"),
    ],
)
def test_an_exception_is_a_value(error, text):
    [result] = cross([error])

    assert (type(result), str(result)) == (Exception, text)


@pytest.mark.parametrize(
    "value",
    [
        collections.ChainMap({"a": (1,)}),
        types.MappingProxyType({"a": 1}),
        collections.UserDict(a=1),
        collections.UserList([1]),
        decimal.Decimal(1),
        Ellipsis,
        itertools.count(),
        asyncio.CancelledError(),
        [decimal.Decimal(1), len],
        [len, decimal.Decimal(1)],
    ],
    ids=lambda value: type(value).__name__,
)
def test_any_other_object_is_a_proxy(value):
    with pytest.raises(JsException, match=PROXY) as raised:
        encode(value)
    assert raised.value.name == "DataCloneError"
    assert not isinstance(raised.value, NotSerialisable)


@pytest.mark.parametrize(
    "value", [len, [].append, Level, [{"f": print}], Exception], ids=lambda value: type(value).__name__
)
def test_what_can_be_called_is_a_stub(value):
    with pytest.raises(NotSerialisable) as raised:
        encode(value)
    assert (raised.value.name, raised.value.message) == ("DataCloneError", STUB)


@pytest.mark.parametrize(
    "value",
    [
        [decimal.Decimal(1), (1,)],
        [len, (1,)],
        {(1,): (1,)},
        {(1, 2)},
        frozenset([(1,)]),
        collections.deque([[(1,)]]),
        {"a": (1,)}.values(),
        enumerate("a"),
        (pair for pair in [(1,)]),
        Iterates([{"a": (1,)}]),
    ],
    ids=lambda value: type(value).__name__,
)
def test_a_tuple_anywhere_is_told_before_anything_else(value):
    with pytest.raises(TypeError, match=TUPLE):
        encode(value)


def test_a_key_that_cannot_be_is_told_before_a_function():
    with pytest.raises(ConversionError, match=r"^Cannot use \(1,\) as a key for a Javascript Map$"):
        encode({"f": len, (1,): 1})


def test_an_iterable_that_fails_fails_with_its_own_error():
    def broken():
        yield 1
        raise LookupError("mine")

    with pytest.raises(LookupError, match="mine"):
        encode(broken())


@pytest.mark.parametrize("wrap", [lambda c: c, lambda c: [c], lambda c: {"a": c}, lambda c: {c}, lambda c: iter([c])])
def test_an_awaitable_is_refused_and_no_coroutine_is_left_behind(wrap):
    async def work():
        pass

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        with pytest.raises(TypeError, match=r"^Awaitable <class 'coroutine'> cannot be sent over RPC\.$"):
            encode(wrap(work()))
        gc.collect()

    assert caught == []


async def test_a_task_is_refused_as_an_awaitable():
    task = asyncio.create_task(asyncio.sleep(0))

    with pytest.raises(TypeError, match=r"^Awaitable <class '_asyncio\.Task'> cannot be sent over RPC\.$"):
        encode([task])
    await task
    with pytest.raises(TypeError, match=r"^Awaitable <class '.*Awaitable'> cannot"):
        encode(Awaitable())


def loop_through_dicts():
    value = {}
    value["x"] = [{"y": value}]
    return value


def loop_beside_an_object():
    value = [decimal.Decimal(1)]
    value.append(value)
    return value


def nested(depth):
    value = []
    for _ in range(depth):
        value = [{"a": value}]
    return value


@pytest.mark.parametrize("make", [loop_through_dicts, loop_beside_an_object, lambda: nested(5000)])
def test_too_deep_is_a_recursion_error(make):
    with pytest.raises(RecursionError, match=r"^maximum recursion depth exceeded$"):
        encode(make())


def test_what_went_in_comes_out_however_deep_it_is():
    data = encode(nested(200))

    assert encode(decode(data)) == data


def test_a_shared_list_comes_back_as_two():
    value = [1]

    result = cross({"a": value, "b": value})

    assert result.a is not result.b


def test_a_proxy_crosses_as_what_it_stands_for():
    proxy = JsProxy({"a": {"b": [1]}})

    assert proxy.to_py() == {"a": {"b": [1]}}
    assert repr(proxy) == "<JsProxy {'a': {'b': [1]}}>"
    assert exact(cross([proxy])) == exact([JsDict(a=JsDict(b=[1]))])


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"a": [b"abc", {"b": float("inf")}]}, {"a": ["[Uint8Array(3 bytes)]", {"b": None}]}),
        (array.array("d", [1.0, 2.0]), "[Float64Array(16 bytes)]"),
        (array.array("H", [1]), "[Uint16Array(2 bytes)]"),
        ([JsBigInt(3), {1}, ValueError("x")], ["[BigInt(3)]", {}, {}]),
        (datetime.datetime(33, 1, 1), "0033-01-01T00:00:00.000Z"),
    ],
)
def test_the_output_of_an_instance_is_json(value, expected):
    assert to_json(cross(value)) == expected


SIMPLE = st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(codec=None))
VALUES = st.recursive(
    SIMPLE | st.binary() | st.datetimes() | st.sets(st.integers() | st.text()),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(SIMPLE, inner, max_size=4),
    max_leaves=12,
)


def mutable_parts(value):
    if isinstance(value, dict | list | set | memoryview):
        yield id(value)
    if isinstance(value, dict | list):
        for item in value.values() if isinstance(value, dict) else value:
            yield from mutable_parts(item)


@given(VALUES)
def test_what_has_crossed_crosses_unchanged_and_shares_nothing(value):
    once = cross(value)

    again = cross(once)

    assert exact(again) == exact(once)
    parts = [*mutable_parts(value), *mutable_parts(once), *mutable_parts(again)]
    assert len(set(parts[len(list(mutable_parts(value))) :])) == len(parts) - len(list(mutable_parts(value)))
    assert not set(mutable_parts(value)) & set(mutable_parts(once))


# -- the objects that Python code is given -----------------------------------------------------------------------------


def test_an_object_reads_and_sets_attributes():
    given = cross({"a": {"b": 1}})

    given.a.b = 2
    given.c = 3

    assert given == {"a": {"b": 2}, "c": 3}


def test_an_attribute_that_it_lacks_is_named():
    with pytest.raises(AttributeError, match=r"^missing$"):
        cross({}).missing  # noqa: B018


def test_null_is_one_and_false():
    assert JsNull() is jsnull
    assert repr(jsnull) == "jsnull"
    assert not jsnull
    assert cross({"a": jsnull}) == {"a": None}


def test_whatever_is_a_buffer_crosses_as_one():
    crossed = cross((ctypes.c_ubyte * 3)(1, 2, 3))

    assert isinstance(crossed, memoryview)
    assert crossed.tolist() == [1, 2, 3]


def test_a_buffer_without_dimensions_cannot_cross():
    with pytest.raises(JsException, match=PROXY):
        encode(ctypes.c_int(5))
