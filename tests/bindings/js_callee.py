"""The Worker of JavaScript behind JSSVC and SELFJS: its methods get and give JavaScript's values."""

import js
from js_notation import show

from durable_engine import JsBigInt, JsException, jsnull
from pytest_workflows.javascript.buffers import TYPED
from pytest_workflows.javascript.collections import JsDate, JsErrorObject, JsMap, JsSet
from pytest_workflows.javascript.objects import (
    JsArray,
    JsFunction,
    JsObject,
    JsPlain,
    JsPromise,
    from_python,
    settle,
)
from pytest_workflows.standins.crossing import no_method, send

NAN = float("nan")


def function(work):
    """A function of one argument."""
    return JsFunction(work, "", most=1, least=1)


class Target(JsObject):
    """An RpcTarget."""

    _is_rpc_target = True

    def hello(self):
        return "hello"


def circular():
    value = JsPlain({"x": 1})
    value._entries["me"] = value
    return value


def response(body, **options):
    return js.Response.new(body, **options)


GIVEN = {
    "nul": lambda: jsnull,
    "undef": lambda: None,
    "num": lambda: 5,
    "float1": lambda: 1.5,
    "big": lambda: JsBigInt(2**70),
    "bigsmall": lambda: JsBigInt(5),
    "str": lambda: "s",
    "bool": lambda: True,
    "arr": lambda: JsArray([1, jsnull, None, "x"]),
    "sparse": lambda: JsArray([1, None, 3]),
    "obj": lambda: JsPlain({"a": 1, "n": jsnull, "o": JsPlain({"b": 2})}),
    "undefInside": lambda: JsPlain({"a": None}),
    "order": lambda: JsPlain({"z": 1, "10": 2, "9": 3, "a": 4}),
    "map": lambda: JsMap(JsArray([JsArray(["a", 1]), JsArray(["n", jsnull])])),
    "mapObjKeys": lambda: JsMap(JsArray([JsArray([1, "one"]), JsArray([JsPlain({"k": 1}), "obj"])])),
    "set": lambda: JsSet([1, "a"]),
    "date": lambda: JsDate(1e12 + 5),
    "dateInvalid": lambda: JsDate(NAN),
    "regexp": lambda: js.RegExp.new("a", "g"),
    "error": lambda: JsErrorObject("plain"),
    "typeError": lambda: js.TypeError.new("te"),
    "u8": lambda: TYPED["B"]([1, 2]),
    "f64": lambda: TYPED["d"]([1.5]),
    "ab": lambda: TYPED["B"]([1, 2]).buffer,
    "i64": lambda: TYPED["q"]([1]),
    "blob": lambda: js.Blob.new(JsArray(["bl"]), type="t/x"),
    "headers": lambda: js.Headers.new(JsPlain({"a": "1"})),
    "response": lambda: response("hi", status=201),
    "request": lambda: js.Request.new("http://x/y", method="POST", body="rb"),
    "stream": lambda: response("st").body,
    "fn": lambda: function(lambda x: x * 2),
    "objWithFn": lambda: JsPlain({"m": function(lambda x: x + 1), "v": 1}),
    "target": Target,
    "url": lambda: "n/a",
    "formData": lambda: "n/a",
    "nan": lambda: NAN,
    "negzero": lambda: -0.0,
    "boxed": lambda: js.Number.new(7),
    "circular": circular,
    "promise": lambda: JsPromise.resolved(5),
    "nested": lambda: JsPlain({"a": JsArray([JsPlain({"b": JsArray([jsnull, JsPlain({"c": JsDate(0)})])})])}),
}
"""What `give` gives, by its argument."""


class Methods:
    """The Worker's methods.

    Args:
        entrypoint: Gives the fetcher of an entrypoint of the Worker under test, as JavaScript has it.
    """

    def __init__(self, entrypoint):
        self._entrypoint = entrypoint

    async def describe(self, *values):
        return ", ".join(map(show, values))

    async def callFn(self, called, value):
        return f"js got from callback: {show(from_python(await called(value)))}"

    async def give(self, kind):
        return await settle(GIVEN[kind]())

    async def cron(self, cron, ms):
        given = JsPlain({"cron": cron, "scheduledTime": JsDate(ms)})
        return show(from_python(await self._entrypoint("PY").scheduled(given)))

    async def cronTo(self, name):
        return show(from_python(await self._entrypoint(name).scheduled(JsPlain({"cron": "x"}))))

    async def queueTo(self, name):
        message = JsPlain({"id": "1", "timestamp": JsDate(0), "attempts": 1, "body": 1})
        return show(from_python(await self._entrypoint(name).queue("q", JsArray([message]))))

    async def fetchTo(self, kind):
        data = js.FormData.new()
        data.append("a", "1")
        data.append("a", "2")
        options = {
            "request": {"method": "POST", "body": "bb", "headers": JsPlain({"x-a": "1"})},
            "requestjson": {"method": "POST", "body": '{"a":[1,null]}'},
            "form": {"method": "POST", "body": data},
        }.get(kind, {})
        try:
            answer = await self._entrypoint("Shapes").fetch(f"http://x/?{kind}", JsPlain(options))
            kind = answer.headers.get("content-type")
            return f"{answer.status} {kind} {(await answer.text())[:2500]}"
        except JsException as error:
            return f"throws {error.name}: {error.message[-300:]}"


class Service(JsObject, js_class="Fetcher"):
    """A service binding to the Worker of JavaScript.

    Args:
        host: The test.
        methods: The Worker's methods.
    """

    def __init__(self, host, methods):
        self._host, self._methods = host, methods

    def __getattr__(self, name):
        if name.startswith("_"):
            raise AttributeError(name)

        async def receive(values):
            method = getattr(self._methods, name, None)
            if method is None:
                raise no_method(name)
            return from_python(await method(*values))

        return JsFunction(lambda *values: send(self._host, receive, list(values), f"The method {name}"), name)
