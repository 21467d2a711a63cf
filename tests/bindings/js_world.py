"""The global names of the observations' inputs: JavaScript's own, and the functions that they were written with."""

import hashlib
import inspect
from email.utils import formatdate

import js
from js_interpreter import Interpreter, Thrown, call, js_function
from js_notation import Raw, all_keys, own_keys, show, show_error

from durable_engine import JsBigInt, JsException, JsProxy, jsnull
from pytest_workflows.javascript.buffers import TYPED
from pytest_workflows.javascript.collections import JsDate, JsErrorObject, JsMap, JsSet
from pytest_workflows.javascript.objects import JsArray, JsPlain, JsPromise, constructor_of, from_python, js_text
from pytest_workflows.javascript.regexp import RegExp

ERRORS = ("Error", "TypeError", "RangeError", "SyntaxError", "MyErr")


class Symbol(JsProxy):
    _js_class = "Symbol"
    typeof = "symbol"

    def __init__(self, text=""):
        self.text = text


class Instance(JsPlain, js_class="Foo"):
    """An object of a class of an input."""


class _Namespace(JsProxy):
    """What stands under a global name, such as `Object`."""

    def __init__(self, function=None, **members):
        self.__dict__.update(members)
        self._function = function

    def __call__(self, *values):
        return self._function(*values)


def error_class(name):
    """A constructor of errors."""

    def construct(message=None, options=None):
        return thrown_error(name, message)

    construct.construct = construct
    construct.error_name = name
    return construct


def thrown_error(name, message):
    return JsErrorObject("" if message is None else js_text(message), "MyErr" if name == "MyErr" else name)


# -- members of texts, numbers, arrays and functions -------------------------------------------------------------------


def _replace(text, pattern, by, *, most=1):
    def replaced(found):
        return js_text(call(by, [found[0]])) if callable(by) else by

    if isinstance(pattern, RegExp):
        return pattern._compiled.sub(replaced, text, count=0 if "g" in pattern.flags else 1)
    return text.replace(pattern, by, most)


def _sliced(text, start=0, end=None):
    return text[int(start) : None if end is None else int(end)]


_TEXT = {
    "slice": _sliced,
    "repeat": lambda text, count: text * int(count),
    "replace": _replace,
    "replaceAll": lambda text, pattern, by: _replace(text, pattern, by, most=-1),
    "split": lambda text, by: JsArray(text.split(by)),
    "includes": lambda text, part: part in text,
    "startsWith": lambda text, part: text.startswith(part),
    "toUpperCase": str.upper,
    "toString": js_text,
    "trim": str.strip,
}


def _made(count):
    return [None] * int(count)


def _array_member(array, name):
    items = array._items

    def calling(function, item, index):
        return call(function, [item, index, array])

    members = {
        "map": lambda f: JsArray([calling(f, item, i) for i, item in enumerate(items)]),
        "flatMap": lambda f: JsArray([x for i, item in enumerate(items) for x in calling(f, item, i)._items]),
        "find": lambda f: next((item for i, item in enumerate(items) if calling(f, item, i)), None),
        "push": lambda *values: items.extend(values) or len(items),
        "join": lambda by=",": by.join(map(js_text, items)),
        "fill": lambda value: JsArray([value] * len(items)),
    }
    if name == "length":
        return len(items)
    found = members.get(name)
    return ... if found is None else js_function(found, name)


class World:
    """Runs the observations' inputs.

    Args:
        wait: An async function that lets milliseconds pass.
        now_ms: The time.
        names: Further global names.
    """

    def __init__(self, wait, now_ms, **names):
        self._wait = wait
        self._now_ms = now_ms
        self.interpreter = Interpreter(self._globals() | names, self._members)

    def function(self, source):
        """The function that an input is."""
        return self.interpreter.function(source)

    def _members(self, value, name):
        if isinstance(value, str):
            if name == "length":
                return len(value.encode("utf-16-le")) // 2
            found = _TEXT.get(name) if isinstance(name, str) else None
            if found is not None:
                return js_function(lambda *values: found(value, *values), name)
            return (value[int(name)] if not isinstance(name, str) else None) if found is None else found
        if isinstance(value, JsArray) and isinstance(name, str):
            return _array_member(value, name)
        if isinstance(value, JsException) and name in ("name", "message"):
            return getattr(value, name)
        if isinstance(value, bool | int | float | JsBigInt) and name == "toString":
            return js_function(lambda: js_text(value), name)
        if isinstance(value, Raw | _Namespace):
            return getattr(value, name, None)
        if getattr(value, "_js_class", None) == "Date" and name == "toUTCString":
            return js_function(lambda: formatdate(value.getTime() / 1000, usegmt=True))
        return ...

    def _globals(self):
        from_js = ("ReadableStream", "TextEncoder", "TextDecoder", "Uint8Array", "Float64Array", "DataView", "Blob")
        from_js += ("Response", "Request", "Headers", "URL", "URLSearchParams", "Map", "Set", "crypto", "atob", "JSON")
        found = {name: getattr(js, name, None) or _typed(name) for name in from_js}
        return found | {
            **{name: error_class(name) for name in ERRORS},
            "Object": self._object(),
            "Array": _array_constructor(),
            "Promise": _Namespace(all=js_function(self._all)),
            "Math": _Namespace(
                round=js_function(lambda x: round(x)),
                abs=js_function(abs),
                floor=js_function(lambda x: int(x // 1)),
                random=js_function(self._random),
            ),
            "Number": _Namespace(isInteger=js_function(lambda x: float(x).is_integer())),
            "String": _Namespace(_string),
            "Symbol": _Namespace(Symbol, iterator="Symbol.iterator"),
            "Date": self._date(),
            "RegExp": RegExp,
            "instance": lambda name, entries: Instance(entries),
            "instance_of": _instance_of,
            "NaN": float("nan"),
            "Infinity": float("inf"),
            "scheduler": _Namespace(wait=js_function(lambda ms: JsPromise.running(self._wait(ms)))),
            "wait": js_function(lambda ms: JsPromise.running(self._wait(ms))),
            "now": js_function(lambda: int(self._now_ms() // 1000)),
            "raw": js_function(Raw),
            "show": js_function(show),
            "err": js_function(show_error),
            "t": js_function(lambda f: JsPromise.running(self._told(f))),
            "tm": js_function(lambda f: JsPromise.running(self._told(f))),
            "short": js_function(lambda f: JsPromise.running(self._told(f))),
            "S": js_function(lambda database, sql: call(self.interpreter.get(database, "prepare"), [sql])),
            "H": js_function(lambda name, text: hashlib.new(name.replace("-", ""), text.encode()).hexdigest()),
            "names": js_function(lambda _: Raw("own: …")),
            "props": js_function(_properties),
            "body": js_function(lambda o: JsPromise.running(self._body(o))),
        }

    async def _told(self, function):
        """What a call gives, or how it failed."""
        try:
            given = call(function, [])
        except Exception as error:
            return Raw(f"throws at once {_failure(error)}")
        try:
            value = from_python(await given) if inspect.isawaitable(given) else given
        except Exception as error:
            return Raw(f"rejects {_failure(error)}")
        return Raw(show(value))

    async def _body(self, found):
        if found is jsnull:
            return jsnull
        text = from_python(await found.text())
        return JsArray([text, from_python(found.range)])

    async def _all_of(self, promises):
        return JsArray([from_python(await one) if inspect.isawaitable(one) else one for one in promises])

    def _all(self, promises):
        return JsPromise.running(self._all_of(self.interpreter.items(promises)))

    def _random(self):
        self._drawn = getattr(self, "_drawn", 0) + 1
        return self._drawn / 1000

    def _date(self):
        def construct(ms=...):
            return JsDate(self._now_ms() if ms is ... else ms)

        made = _Namespace(now=js_function(lambda: self._now_ms()))
        made.construct = construct
        return made

    def _from_entries(self, pairs):
        return JsPlain({js_text(pair._items[0]): pair._items[1] for pair in self.interpreter.items(pairs)})

    def _object(self):
        return _Namespace(
            keys=js_function(lambda o: JsArray(list(_entries_of(o)))),
            entries=js_function(lambda o: JsArray([JsArray([k, v]) for k, v in _entries_of(o).items()])),
            fromEntries=js_function(self._from_entries),
            isFrozen=js_function(lambda _: False),
            getPrototypeOf=js_function(lambda _: None),
            getOwnPropertyNames=js_function(lambda _: JsArray([])),
        )


def _failure(error):
    if isinstance(error, Thrown) and not hasattr(error.value, "message"):
        return f"thrown value {show(error.value)}"
    if isinstance(error, Thrown):
        return show_error(error.value)
    if isinstance(error, JsException):
        return show_error(error)
    return f"Python's {type(error).__name__}: {error}"


def _properties(value):
    found = {key: getattr(value, key) for key in all_keys(value)}
    return JsPlain({key: Raw("[method]") if callable(item) else item for key, item in found.items()})


def _entries_of(value):
    if isinstance(value, JsPlain):
        return dict(value._entries)
    return {key: getattr(value, key) for key in own_keys(value)}


def _typed(name):
    known = {cls._js_class: cls for cls in (*TYPED.values(), JsMap, JsSet)}
    return constructor_of(known[name]) if name in known else None


def _array_constructor():
    def of_length(length):
        return JsArray(_made(length))

    def from_(source, function=None):
        length = source._entries.get("length") if isinstance(source, JsPlain) else None
        items = _made(length) if length is not None else list(source._items)
        if function is not None:
            items = [call(function, [item, index]) for index, item in enumerate(items)]
        return JsArray(items)

    array = _Namespace(of_length, isArray=js_function(lambda value: isinstance(value, JsArray)))
    array.__dict__["from"] = js_function(from_)
    return array


def _string(value=""):
    if isinstance(value, Symbol):
        return f"Symbol({value.text})"
    return js_text(value)


def _instance_of(value, constructor):
    name = getattr(constructor, "error_name", None)
    if name is not None:
        is_error = isinstance(value, JsException | JsErrorObject)
        return is_error and (name == "Error" or value.name == name)
    return False
