"""A Durable Object's storage: keys, transactions, alarms, and a class without a database."""

from types import SimpleNamespace

import pytest
from object_host import ObjectHost

from durable_engine import JsException
from pytest_workflows.standins.durable_objects import has_sqlite
from pytest_workflows.workers.entrypoints import DurableObject


class Storage(DurableObject):
    """Runs what it is given inside."""

    code = None
    alarms = None

    async def run(self):
        return await type(self).code(self.ctx.storage)

    async def alarm(self, info):
        await type(self).alarms(self.ctx.storage, info)


@pytest.fixture
def inside(objects):
    """Runs an async function of the storage inside an object."""
    kind = type("Storage1", (Storage,), {})
    stub = objects.namespace(kind).getByName("a")

    async def run(code):
        kind.code = staticmethod(code)
        return await stub.run()

    run.kind = kind
    return run


async def test_a_list_of_keys_gives_those_that_are_there_in_order(inside):
    async def code(storage):
        await storage.put({"b": 2, "a": 1})
        found = await storage.get(["b", "missing", "a"])
        return [list(found), found]

    assert await inside(code) == [["a", "b"], {"a": 1, "b": 2}]


async def test_what_is_kept_is_a_copy(inside):
    async def code(storage):
        value = {"items": [1]}
        await storage.put("k", value)
        value["items"].append(2)
        (await storage.get("k"))["items"].append(3)
        return await storage.get("k")

    assert await inside(code) == {"items": [1]}


async def test_keys_are_in_the_order_of_their_utf8(inside):
    async def code(storage):
        await storage.put({"\uffff": 1, "\U0001f600": 2, "b": 3, "a": 4})
        return list(await storage.list())

    assert await inside(code) == ["a", "b", "\uffff", "\U0001f600"]


@pytest.mark.parametrize(
    ("options", "keys"),
    [
        ({"prefix": "a"}, ["a", "ab"]),
        ({"start": "a"}, ["a", "ab", "b"]),
        ({"startAfter": "a"}, ["ab", "b"]),
        ({"end": "b", "reverse": True}, ["ab", "a", "B"]),
        ({"limit": 2}, ["B", "a"]),
        ({"limit": 2, "reverse": True}, ["b", "ab"]),
        ({"limit": "2"}, ["B", "a"]),
        ({"start": "z", "end": "a"}, []),
    ],
)
async def test_a_list_takes_bounds(inside, options, keys):
    async def code(storage):
        await storage.put({"b": 1, "a": 2, "B": 3, "ab": 4})
        return list(await storage.list(options))

    assert await inside(code) == keys


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"limit": 0}, "List limit must be positive."),
        ({"limit": "x"}, "List limit must be positive."),
        ({"limit": 2**31}, "Value out of range. Must be between -2147483648 and 2147483647 (inclusive)."),
        ({"start": "a", "startAfter": "a"}, "list() cannot be called with both start and startAfter values."),
    ],
)
async def test_a_list_refuses_bounds_that_make_no_sense(inside, options, message):
    async def code(storage):
        try:
            await storage.list(options)
        except JsException as error:
            return str(error)

    assert await inside(code) == f"TypeError: {message}"


async def test_what_raises_in_a_transaction_undoes_keys_and_tables(inside):
    async def code(storage):
        await storage.put("k", 1)
        storage.sql.exec("CREATE TABLE t(x)")

        async def work(txn):
            await txn.put("k", 2)
            await storage.put("side", 1)
            storage.sql.exec("INSERT INTO t VALUES (1)")
            raise ValueError("undo")

        try:
            await storage.transaction(work)
        except JsException as error:
            name = error.name
        return [
            name,
            await storage.get("k"),
            await storage.get("side"),
            len(storage.sql.exec("SELECT * FROM t").toArray()),
        ]

    assert await inside(code) == ["PythonError", 1, None, 0]


async def test_a_transaction_in_one_is_undone_alone(inside):
    async def code(storage):
        async def inner(txn):
            await txn.put("inner", 1)
            raise ValueError

        async def outer(txn):
            await txn.put("outer", 1)
            try:
                await storage.transaction(inner)
            except JsException:
                return "kept"

        return [await storage.transaction(outer), await storage.get("outer"), await storage.get("inner")]

    assert await inside(code) == ["kept", 1, None]


async def test_a_transaction_that_was_rolled_back_takes_nothing_more(inside):
    async def code(storage):
        async def work(txn):
            await txn.put("k", 1)
            txn.rollback()
            try:
                await txn.get("k")
            except JsException as error:
                return str(error)

        return [await storage.transaction(work), await storage.get("k")]

    assert await inside(code) == ["Error: Cannot get() on rolled back transaction", None]


async def test_a_transaction_that_is_over_takes_nothing_more(inside):
    async def code(storage):
        kept = []

        async def work(txn):
            kept.append(txn)

        await storage.transaction(work)
        try:
            await kept[0].get("k")
        except JsException as error:
            return str(error)

    assert "Cannot call get() on transaction that has already committed" in await inside(code)


async def test_a_synchronous_transaction_raises_what_its_function_raised(inside):
    async def code(storage):
        storage.sql.exec("CREATE TABLE t(x)")

        def work():
            storage.sql.exec("INSERT INTO t VALUES (1)")
            storage.kv.put("k", 1)
            raise ValueError("undo")

        try:
            storage.transactionSync(work)
        except ValueError as error:
            return [str(error), storage.sql.exec("SELECT count(*) AS n FROM t").one()["n"], storage.kv.get("k")]

    assert await inside(code) == ["undo", 0, None]


async def test_everything_is_deleted_and_the_alarm_with_it(inside):
    async def code(storage):
        await storage.put("k", 1)
        storage.sql.exec("CREATE TABLE t(x)")
        await storage.setAlarm(4e12)
        await storage.deleteAll()
        tables = storage.sql.exec("SELECT count(*) AS n FROM sqlite_master").one()["n"]
        return [await storage.get("k"), await storage.getAlarm(), tables]

    assert await inside(code) == [None, None, 0]


async def test_everything_cannot_be_deleted_in_a_transaction(inside):
    async def code(storage):
        await storage.put("k", 1)

        async def work(txn):
            await storage.deleteAll()

        try:
            await storage.transaction(work)
        except JsException as error:
            return ["Cannot call deleteAll() within a transaction" in str(error), await storage.get("k")]

    assert await inside(code) == [True, 1]


async def test_before_february_2026_deleting_everything_leaves_the_alarm():
    objects = ObjectHost(flags={"delete_all_deletes_alarm": False})

    async def code(storage):
        await storage.setAlarm(4e12)
        await storage.deleteAll()
        return await storage.getAlarm()

    kind = type("Storage2", (Storage,), {"code": staticmethod(code)})

    assert await objects.namespace(kind).getByName("a").run() == 4e12


async def test_the_keys_without_promises_are_the_same_keys(inside):
    async def code(storage):
        storage.kv.put("a", {"x": 1})
        pairs = [list(pair) for pair in storage.kv.list({"prefix": "a"})]
        return [await storage.get("a"), pairs, storage.kv.delete("a"), storage.kv.delete("a")]

    assert await inside(code) == [{"x": 1}, [["a", {"x": 1}]], True, False]


@pytest.mark.parametrize("time", [0, -1, float("nan"), float("inf"), "soon", None])
async def test_an_alarm_takes_a_time(inside, time):
    async def code(storage):
        try:
            await storage.setAlarm(time)
        except JsException as error:
            return error.name

    assert await inside(code) == "TypeError"


async def test_an_alarm_that_fails_runs_seven_times_and_is_gone(objects, inside):
    runs = []

    async def failing(storage, info):
        runs.append((objects.now, info.retryCount, await storage.getAlarm()))
        raise ValueError

    async def code(storage):
        await storage.setAlarm(objects.now + 1000)

    inside.kind.alarms = staticmethod(failing)
    start = objects.now
    await inside(code)
    await objects.advance(3600)

    assert [(at - start) // 1000 for at, _, _ in runs] == [1, 3, 7, 15, 31, 63, 127]
    assert [count for _, count, _ in runs] == list(range(7))
    assert {alarm for _, _, alarm in runs} == {None}


async def test_between_its_runs_a_failing_alarm_has_its_old_time(objects, inside):
    async def failing(storage, info):
        await storage.put("half", 1)
        raise ValueError

    async def code(storage):
        await storage.setAlarm(objects.now + 1000)

    async def look(storage):
        return [await storage.getAlarm(), await storage.get("half")]

    inside.kind.alarms = staticmethod(failing)
    due = objects.now + 1000
    await inside(code)
    await objects.advance(1.5)

    assert await inside(look) == [due, 1]


async def test_an_alarm_set_in_a_failing_handler_takes_the_place_of_its_retries(objects, inside):
    runs = []

    async def failing(storage, info):
        runs.append(info.retryCount)
        if len(runs) == 1:
            await storage.setAlarm(objects.now + 100)
            raise ValueError

    async def code(storage):
        await storage.setAlarm(objects.now + 1000)

    inside.kind.alarms = staticmethod(failing)
    await inside(code)
    await objects.advance(3600)

    assert runs == [0, 0]


async def test_an_alarm_taken_back_in_a_failing_handler_is_not_retried(objects, inside):
    runs = []

    async def failing(storage, info):
        runs.append(info.retryCount)
        await storage.deleteAlarm()
        raise ValueError

    async def code(storage):
        await storage.setAlarm(objects.now + 1000)

    inside.kind.alarms = staticmethod(failing)
    await inside(code)
    await objects.advance(3600)

    assert runs == [0]


@pytest.mark.parametrize(
    ("entries", "problem"),
    [
        ({"k" * 2049: 1}, "ctx.storage.put(...) is given a key of 2,049 bytes, and a key has up to 2,048"),
        (
            {"k": "x" * 2_000_001},
            "ctx.storage.put('k', ...) is given a value of 2,000,001 bytes, and a value has up to 2,000,000",
        ),
        (
            {"k": b"x" * 2_000_001},
            "ctx.storage.put('k', ...) is given a value of 2,000,001 bytes, and a value has up to 2,000,000",
        ),
        ({f"k{n}": n for n in range(129)}, "ctx.storage.put(...) is given 129 keys, and a call takes 128"),
    ],
)
async def test_what_is_beyond_a_documented_limit_is_kept_and_reported(objects, inside, entries, problem):
    async def code(storage):
        await storage.put(entries)
        return len(await storage.list())

    assert await inside(code) == len(entries)
    assert objects.warnings == [("documented-limit", problem)]


async def test_storage_keeps_a_copy_of_what_it_is_given(inside):
    from js import Object
    from pyodide.ffi import to_js

    async def code(storage):
        given = to_js({"a": {"b": 1}}, dict_converter=Object.fromEntries)
        await storage.put("k", given)
        await storage.put({"l": given})
        given.a.b = 2
        found = await storage.get("k")
        found["a"]["b"] = 3
        return [await storage.get("k"), await storage.get("l")]

    assert await inside(code) == [{"a": {"b": 1}}] * 2


async def test_what_is_within_the_limits_is_not_reported(objects, inside):
    async def code(storage):
        await storage.put({"k" * 2048: "x" * 2_000_000, **{f"k{n}": n for n in range(127)}})

    await inside(code)

    assert objects.warnings == []


async def test_a_class_without_a_database_has_no_sql():
    objects = ObjectHost()

    bound = {"bindings": [{"class_name": "Old"}]}
    objects.config = SimpleNamespace(settings={"migrations": [{"new_classes": ["Old"]}], "durable_objects": bound})

    async def code(storage):
        await storage.put("k", 1)
        try:
            storage.sql  # noqa: B018
        except JsException as error:
            return str(error)

    kind = type("Old", (Storage,), {"code": staticmethod(code)})

    assert (await objects.namespace(kind).getByName("a").run()).startswith(
        "Error: SQL is not enabled for this Durable Object"
    )


@pytest.mark.parametrize(("size", "found"), [(131_072, 0), (131_073, 1)])
async def test_a_value_of_a_class_without_a_database_has_up_to_128_kib(objects, size, found):
    bound = {"bindings": [{"class_name": "Old"}]}
    objects.config = SimpleNamespace(settings={"migrations": [{"new_classes": ["Old"]}], "durable_objects": bound})

    async def code(storage):
        await storage.put("k", "x" * size)

    kind = type("Old", (Storage,), {"code": staticmethod(code)})
    await objects.namespace(kind).getByName("a").run()

    assert [rule for rule, _ in objects.warnings] == ["documented-limit"] * found


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"migrations": [{"new_sqlite_classes": ["A"]}]}, True),
        ({"migrations": [{"new_classes": ["A"]}]}, False),
        ({"migrations": [{"new_sqlite_classes": ["B"]}, {"renamed_classes": [{"from": "B", "to": "A"}]}]}, True),
        ({"exports": {"A": {"type": "durable-object", "storage": "sqlite"}}}, True),
        ({}, False),
    ],
)
def test_the_configuration_says_which_classes_have_a_database(settings, expected):
    assert has_sqlite("A", settings) is expected
