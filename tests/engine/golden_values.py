"""The values and exceptions of `golden/boundary.json` as Python objects, and the notation they are written down in."""

import array
import asyncio
import collections
import datetime
import decimal
import enum
import fractions
import json
import pathlib
import types
import uuid

from durable_engine import JsProxy, NonRetryableError, jsnull

GOLDEN = json.loads((pathlib.Path(__file__).parent / "golden" / "boundary.json").read_text())

NOT_REPRESENTABLE = {
    "JsProxy RegExp": "js.RegExp is not provided on CPython",
    "JsProxy URL": "js.URL is not provided on CPython",
    "workers.Blob": "workers.Blob is not provided yet",
    "workers.Response": "covered in tests/workers: the engine knows no HTTP types",
    "asyncio.Task": "needs a running loop; covered by a test of its own",
}


class Color(enum.Enum):
    RED = "red"


class IntColor(enum.IntEnum):
    RED = 1


class StrColor(enum.StrEnum):
    RED = "red"


class MyDict(dict):
    pass


class MyList(list):
    pass


class MyInt(int):
    pass


class MyStr(str):
    pass


class Custom:
    def __repr__(self):
        return "<Custom>"


class CallObj:
    def __call__(self):
        return 1


NT = collections.namedtuple("NT", "a b")


async def coro():
    return 1


def gen():
    yield 1


async def agen():
    yield 1


def self_ref():
    value = [1]
    value.append(value)
    return value


def shared():
    value = [1]
    return {"a": value, "b": value}


def make(expression):
    """A new object for a key of `values`."""
    labelled = LABELS.get(expression)
    if labelled is not None:
        return labelled()
    return eval(expression, dict(globals()))


LABELS = {
    "nan": lambda: float("nan"),
    "inf": lambda: float("inf"),
    "-inf": lambda: float("-inf"),
    "[nan]": lambda: [float("nan")],
    "'\\ud800' lone surrogate": lambda: "\ud800",
    "memoryview": lambda: memoryview(b"mv"),
    "frozenset": lambda: frozenset([1]),
    "{None} set": lambda: {None},
    "{'b':1,'a':2,2:3,1:4} key order": lambda: {"b": 1, "a": 2, 2: 3, 1: 4},
    "{'__proto__':1}": lambda: {"__proto__": 1, "z": 2},
    "OrderedDict": lambda: collections.OrderedDict(a=1),
    "defaultdict": lambda: collections.defaultdict(int, a=1),
    "MyDict": lambda: MyDict(a=1),
    "JsDict": lambda: MyDict(a=1),
    "Counter": lambda: collections.Counter("aab"),
    "dict.keys()": lambda: {"a": 1}.keys(),
    "dict.values()": lambda: {"a": 1}.values(),
    "dict.items()": lambda: {"a": 1}.items(),
    "MyList": lambda: MyList([1]),
    "MyInt": lambda: MyInt(3),
    "MyStr": lambda: MyStr("s"),
    "deque": lambda: collections.deque([1]),
    "Fraction": lambda: fractions.Fraction(1, 2),
    "datetime naive": lambda: datetime.datetime(2025, 1, 2, 3, 4, 5, 678901),
    "datetime +02:00": lambda: datetime.datetime(
        2025, 1, 2, 3, 4, 5, tzinfo=datetime.timezone(datetime.timedelta(hours=2))
    ),
    "[datetime]": lambda: [datetime.datetime(2025, 1, 2)],
    "{'d': datetime}": lambda: {"d": datetime.datetime(2025, 1, 2)},
    "date": lambda: datetime.date(2025, 1, 2),
    "[date]": lambda: [datetime.date(2025, 1, 2)],
    "timedelta": lambda: datetime.timedelta(seconds=5),
    "{'td': timedelta}": lambda: {"td": datetime.timedelta(seconds=5)},
    "time": lambda: datetime.time(1, 2),
    "[Decimal]": lambda: [decimal.Decimal("1.5")],
    "Decimal": lambda: decimal.Decimal("1.5"),
    "UUID": lambda: uuid.UUID(int=1),
    "{'u': UUID}": lambda: {"u": uuid.UUID(int=1)},
    "Enum": lambda: Color.RED,
    "IntEnum": lambda: IntColor.RED,
    "StrEnum": lambda: StrColor.RED,
    "[Enum]": lambda: [Color.RED],
    "namedtuple": lambda: NT(1, "b"),
    "[namedtuple]": lambda: [NT(1, "b")],
    "custom object": Custom,
    "[custom object]": lambda: [Custom()],
    "{'o': custom}": lambda: {"o": Custom()},
    "SimpleNamespace": lambda: types.SimpleNamespace(a=1),
    "generator": gen,
    "[generator]": lambda: [gen()],
    "coroutine": coro,
    "[coroutine]": lambda: [coro()],
    "async generator": agen,
    "map()": lambda: map(str, [1]),
    "function": lambda: gen,
    "lambda": lambda: lambda: 1,
    "[lambda]": lambda: [lambda: 1],
    "{'f': lambda}": lambda: {"f": lambda: 1},
    "class": lambda: Custom,
    "[class]": lambda: [Custom],
    "callable obj": CallObj,
    "module": lambda: json,
    "type int": lambda: int,
    "self-ref list": self_ref,
    "shared ref dict": shared,
    "JsProxy Date": lambda: JsProxy(datetime.datetime(1970, 1, 1)),
    "jsnull": lambda: jsnull,
    "JsProxy Object": lambda: JsProxy({"a": {"b": 1}}),
    "nested mix": lambda: {
        "i": 1,
        "f": 2.0,
        "n": None,
        "l": [1, {"x": None}],
        "d": {"k": {"z": [1.5]}},
        "s": "t",
        "b": True,
    },
    "bytearray": lambda: bytearray(b"x"),
    "array.array": lambda: array.array("i", [1, 2]),
    "complex": lambda: 1 + 2j,
    "Path": lambda: pathlib.PurePosixPath("/x"),
}


class StrError(Exception):
    def __str__(self):
        return "custom str"


class LocalNS:
    class NonRetryableError(Exception):
        pass


def _raise(error):
    raise error


def _while_handling():
    try:
        raise NonRetryableError("inner")
    except NonRetryableError:
        raise ValueError("outer value")  # noqa: B904 (without `from`: that is the case)


def _from_value(error):
    try:
        raise ValueError("inner")
    except ValueError as inner:
        raise error from inner


def _noted(error):
    error.add_note("a note")
    raise error


def raiser(expression):
    """A function that raises what a key of `exceptions` says."""
    labelled = RAISERS.get(expression)
    if labelled is not None:
        return labelled
    return lambda: _raise(eval(expression, dict(globals())))


RAISERS = {
    "ValueError multi-line": lambda: _raise(ValueError("l1\nl2")),
    "ValueError trailing newline": lambda: _raise(ValueError("m\n")),
    "IndexError": lambda: [][0],
    "ZeroDivisionError": lambda: 1 / 0,
    "OSError(2,'nf')": lambda: _raise(PermissionError(2, "nf")),
    "UnicodeDecodeError": lambda: b"\xff".decode(),
    "json.JSONDecodeError": lambda: json.loads("{,}"),
    "NonRetryableError multi-line": lambda: _raise(NonRetryableError("l1\nl2")),
    "local class NonRetryableError('m')": lambda: _raise(LocalNS.NonRetryableError("m")),
    "NonRetryableError from ValueError": lambda: _from_value(NonRetryableError("outer nr")),
    "ValueError while handling NonRetryableError": _while_handling,
    "NonRetryableError with note": lambda: _noted(NonRetryableError("nr with note")),
    "RuntimeError from ValueError": lambda: _from_value(RuntimeError("outer")),
    "ValueError with note": lambda: _noted(ValueError("with note")),
    "asyncio.TimeoutError()": lambda: _raise(asyncio.TimeoutError()),  # noqa: UP041 (the observed spelling)
    "asyncio.CancelledError('c')": lambda: _raise(asyncio.CancelledError("c")),
    "StopIteration('s')": lambda: _raise(StopIteration("s")),
    "JsException TypeError": lambda: _raise(AttributeError("eval_does_not_exist")),
    "JsException js.Error('jsm')": lambda: _raise(_js("Error", "jsm")),
}


def _js(name, message):
    from durable_engine import JsException

    return JsException(name, message)


def notation(value):
    """A value as the golden file writes it down."""
    kind = type(value)
    if value is None:
        return "None"
    if isinstance(value, memoryview):
        return (
            f"memoryview<bytes={value.tobytes()!r} format={value.format!r} "
            f"readonly={value.readonly} itemsize={value.itemsize}>"
        )
    if kind.__name__ == "JsDict":
        return "JsDict{" + ", ".join(f"{notation(k)}: {notation(v)}" for k, v in value.items()) + "}"
    if kind is list:
        return "list[" + ", ".join(map(notation, value)) + "]"
    if kind is set:
        return "set[" + ", ".join(sorted(map(notation, value))) + "]"
    if kind is datetime.datetime:
        return repr(value).replace("datetime.datetime", "datetime", 1)
    if isinstance(value, Exception):
        return f"{kind.__name__}(str={str(value)!r})"
    if kind.__name__ == "JsBigInt":
        return f"pyodide.ffi.JsBigInt:{int(value)}"
    return f"{kind.__name__}:{value!r}"
