"""D1 in Python: what the calls give, what they refuse and in which words. Seen on workerd 1.20261117.1."""

import asyncio
import datetime
import decimal
import enum
import json
import sqlite3
import uuid

import pytest
from d1_databases import database

from durable_engine import JsBigInt, JsDict, JsException, jsnull
from pytest_workflows.javascript.objects import JsPlain, JsPromise
from pytest_workflows.javascript.rpc import python_from_rpc
from pytest_workflows.standins.d1_store import D1Store
from pytest_workflows.workers.binding_wrappers import BindingWrapper


async def text_of(awaitable):
    with pytest.raises(JsException) as error:
        await awaitable
    return str(error.value)


@pytest.mark.parametrize(
    ("value", "kind", "given"),
    [
        (None, "null", None),
        (True, "real", 1),
        (False, "real", 0),
        (5, "real", 5),
        (1.5, "real", 1.5),
        (2.0, "real", 2),
        (2**53 - 1, "real", 2**53 - 1),
        (float("nan"), "null", None),
        (float("inf"), "null", None),
        ("s", "text", "s"),
        ("", "text", ""),
        ("é😀", "text", "é😀"),
        (b"ab", "blob", [97, 98]),
        (memoryview(b"ab"), "blob", [97, 98]),
        ([97, 98], "blob", [97, 98]),
        ([1.9], "blob", [1]),
        ([0, 255], "blob", [0, 255]),
        ([], "blob", []),
        (enum.IntEnum("Kind", [("ONE", 1)]).ONE, "real", 1),
    ],
)
async def test_a_bound_value_comes_back_as_on_the_platform(db, value, kind, given):
    row = await db.prepare("SELECT typeof(?1) AS kind, ?1 AS given").bind(value).first()
    assert (row, type(row), type(row.given)) == ({"kind": kind, "given": given}, JsDict, type(given))


@pytest.mark.parametrize(
    ("value", "kind", "shown"),
    [
        (2**53, "bigint", "9007199254740992"),
        (JsBigInt(5), "bigint", "5"),
        ([1, None, "x"], "object", "1,,x"),
        ([300], "object", "300"),
        ([256], "object", "256"),
        ([-1], "object", "-1"),
        ([True], "object", "true"),
        ({1}, "object", "[object Set]"),
        (frozenset([1]), "object", "frozenset({1})"),
        ({"a": 1}, "object", "[object Object]"),
        (
            datetime.datetime(2026, 1, 2, 3, 4, 5),
            "object",
            "Fri Jan 02 2026 03:04:05 GMT+0000 (Coordinated Universal Time)",
        ),
        (datetime.date(2026, 1, 2), "object", "2026-01-02"),
        (decimal.Decimal("1.5"), "object", "1.5"),
        (uuid.UUID(int=1), "object", "00000000-0000-0000-0000-000000000001"),
        (ValueError("m"), "object", "Error: m"),
        (range(3), "object", "range(0, 3)"),
        (int, "function", "<class 'int'>"),
        (..., "object", "Ellipsis"),
    ],
)
def test_a_value_that_d1_does_not_take_is_refused_at_bind(db, value, kind, shown):
    with pytest.raises(JsException) as error:
        db.prepare("SELECT ?").bind(value)
    assert str(error.value) == f"Error: D1_TYPE_ERROR: Type '{kind}' not supported for value '{shown}'"
    assert error.value.__notes__ == [error.value.fact]
    assert "json.dumps(value)" in error.value.fact
    assert str(error.value.cause) == f"Error: Type '{kind}' not supported for value '{shown}'"


@pytest.mark.parametrize("value", [(1, 2), bytearray(b"a"), [(1,)]])
def test_what_the_sdk_does_not_send_is_a_type_error(db, value):
    with pytest.raises(TypeError, match=r"cannot be sent over RPC\."):
        db.prepare("SELECT ?, ?").bind({"a": 1}, value)


async def test_a_number_in_a_text_column_is_the_text_of_a_float(db):
    await db.exec("CREATE TABLE af (i INTEGER, t TEXT, any_)")
    await db.prepare("INSERT INTO af VALUES (?1, ?1, ?1)").bind(1).run()
    row = await db.prepare("SELECT i, t, any_, typeof(i) ti, typeof(any_) ta FROM af").first()
    assert row == {"i": 1, "t": "1.0", "any_": 1, "ti": "integer", "ta": "real"}


async def test_values_out_are_those_of_json(db):
    row = await db.prepare(
        "SELECT 9007199254740993 AS over, 9223372036854775807 AS most, 1e400 AS inf, 1.0 AS f, -0.0 AS z, x'00ff' AS b"
    ).first()
    assert row == {"over": 9007199254740992.0, "most": 9.223372036854776e18, "inf": None, "f": 1, "z": 0, "b": [0, 255]}
    assert [type(value) for value in row.values()] == [float, float, type(None), int, int, list]


async def test_run_and_all_give_one_shape(db):
    await db.exec("CREATE TABLE t (id INTEGER PRIMARY KEY, x TEXT)")
    written = await db.prepare("INSERT INTO t (x) VALUES ('a'), ('b')").run()
    assert list(written) == ["success", "meta", "results"]
    assert written == {
        "success": True,
        "meta": {
            "served_by": "miniflare.db",
            "served_by_primary": True,
            "total_attempts": 1,
            "timings": {"sql_duration_ms": 0},
            "duration": 0,
            "changes": 2,
            "last_row_id": 2,
            "changed_db": True,
            "size_after": written.meta.size_after,
            "rows_read": 0,
            "rows_written": 2,
        },
        "results": [],
    }
    assert json.loads(json.dumps(written)) == written
    read = await db.prepare("SELECT * FROM t").all()
    assert (read.results, read.meta.changed_db, read.meta.last_row_id) == (
        [{"id": 1, "x": "a"}, {"id": 2, "x": "b"}],
        False,
        2,
    )
    assert type(read.meta.timings) is type(read.results[0]) is JsDict
    returned = await db.prepare("INSERT INTO t (x) VALUES ('r') RETURNING id, x").run()
    assert (returned.results, returned.meta.changes) == ([{"id": 3, "x": "r"}], 1)


async def test_meta_tells_changes_of_the_schema(db):
    async def changed(sql):
        meta = (await db.prepare(sql).run()).meta
        return meta.changed_db, meta.changes

    assert await changed("CREATE TABLE t (id INTEGER PRIMARY KEY, x TEXT)") == (True, 0)
    assert await changed("CREATE TABLE IF NOT EXISTS t (id INTEGER)") == (False, 0)
    assert await changed("INSERT INTO t (x) VALUES ('a')") == (True, 1)
    assert await changed("UPDATE t SET x = 'c' WHERE id = 99") == (False, 0)
    assert await changed("DELETE FROM t") == (True, 1)
    assert await changed("DROP TABLE t") == (True, 0)


async def test_first_gives_a_row_a_column_or_nothing(db):
    one = db.prepare("SELECT 1 AS a, NULL AS n")
    assert await one.first() == {"a": 1, "n": None}
    assert (await one.first("a"), await one.first("n")) == (1, None)
    assert await text_of(one.first("nope")) == "Error: D1_COLUMN_NOTFOUND: Column not found (nope)"
    assert await text_of(one.first(None)) == "Error: D1_COLUMN_NOTFOUND: Column not found (null)"
    none = db.prepare("SELECT 1 AS a WHERE 0")
    assert (await none.first(), await none.first("nope")) == (None, None)


async def test_raw_gives_lists_and_with_an_option_the_names(db):
    rows = db.prepare("SELECT 1 AS a, 'x' AS b UNION ALL SELECT 2, NULL")
    assert await rows.raw() == await rows.raw(None) == await rows.raw({"columnNames": False}) == [[1, "x"], [2, None]]
    with_names = [["a", "b"], [1, "x"], [2, None]]
    assert await rows.raw(columnNames=True) == await rows.raw({"columnNames": True}) == with_names
    assert await db.prepare("SELECT 1 AS a WHERE 0").raw(columnNames=True) == [["a"]]
    assert await db.prepare("CREATE TABLE q(x)").raw(columnNames=True) == [[]]


async def test_of_two_columns_of_one_name_the_last_wins_and_raw_keeps_both(db):
    twice = db.prepare("SELECT 1 AS a, 2 AS a")
    assert (await twice.all()).results == [{"a": 2}]
    assert (await twice.first(), await twice.first("a")) == ({"a": 2}, 2)
    assert await twice.raw() == [[1, 2]]


async def test_columns_that_look_like_integers_come_first(db):
    row = await db.prepare("SELECT 'x' AS b, 'y' AS '2', 'z' AS '1'").first()
    assert list(row) == ["1", "2", "b"]
    assert list((await db.prepare("SELECT 'x' AS b, 'z' AS '1'").all()).results[0]) == ["1", "b"]


async def test_bind_makes_another_statement(db):
    statement = db.prepare("SELECT ? AS a")
    first, second = statement.bind(1), statement.bind(2)
    assert (await first.first("a"), await second.first("a"), await first.bind(3).first("a")) == (1, 2, 3)
    assert await text_of(statement.first()) == "Error: D1_ERROR: Wrong number of parameter bindings for SQL query."


async def test_statements_are_wrapped_like_any_object_and_cannot_be_called(db):
    statement = db.prepare("SELECT 1")
    for wrapper in (db, statement, statement.bind(), db.withSession(), db.withSession().prepare("SELECT 1")):
        assert isinstance(wrapper, BindingWrapper)
        assert type(wrapper).__name__ == BindingWrapper.__name__
        assert not callable(wrapper)
    with pytest.raises(AttributeError, match="get_bookmark"):
        _ = db.withSession().get_bookmark
    assert statement["statement"] == "SELECT 1"


@pytest.mark.parametrize("values", [[], [1], [1, 2, 3]])
async def test_a_wrong_count_of_values_is_told_when_the_statement_is_sent(db, values):
    statement = db.prepare("SELECT ?, ?").bind(*values)
    assert await text_of(statement.all()) == "Error: D1_ERROR: Wrong number of parameter bindings for SQL query."


@pytest.mark.parametrize(
    ("sql", "values", "row"),
    [
        ("SELECT ?2 AS b, ?1 AS a", [1, 2], {"b": 2, "a": 1}),
        ("SELECT ?1 AS a, ?1 AS b", [7], {"a": 7, "b": 7}),
        ("SELECT ?3 AS c", [1, 2, 3], {"c": 3}),
        ("SELECT :a AS a", [1], {"a": 1}),
        ("SELECT @a AS a, $b AS b, @a AS c", [1, 2], {"a": 1, "b": 2, "c": 1}),
        ("SELECT :a AS a, ? AS b", [1, 2], {"a": 1, "b": 2}),
        ("SELECT ?1 AS a, ? AS b", [1, 2], {"a": 1, "b": 2}),
        ("SELECT '?:x' AS a, ? AS b -- :c", [2], {"a": "?:x", "b": 2}),
    ],
)
async def test_parameters_by_number_and_by_name(db, sql, values, row):
    assert await db.prepare(sql).bind(*values).first() == row


async def test_a_batch_is_one_transaction(db):
    await db.exec("CREATE TABLE b(x UNIQUE)")
    insert = db.prepare("INSERT INTO b VALUES (?)")
    assert await text_of(db.batch([insert.bind(1), insert.bind(1), insert.bind(3)])) == (
        "Error: D1_ERROR: UNIQUE constraint failed: b.x: SQLITE_CONSTRAINT (extended: SQLITE_CONSTRAINT_UNIQUE)"
    )
    assert "near" in await text_of(db.batch([db.prepare("CREATE TABLE dd(x)"), db.prepare("NONSENSE")]))
    assert await db.prepare("SELECT name FROM sqlite_schema WHERE name = 'dd'").raw() == []
    results = await db.batch([insert.bind(1), db.prepare("SELECT * FROM b"), insert.bind(2)])
    assert type(results) is list
    assert [result.results for result in results] == [[], [{"x": 1}], []]
    assert [result.meta.changes for result in results] == [1, 0, 1]


@pytest.mark.parametrize(
    ("statements", "text"),
    [
        ([], "Error: D1_ERROR: No SQL statements detected."),
        (None, "TypeError: Cannot read properties of null (reading 'map')"),
        ("SELECT 1", "TypeError: statements.map is not a function"),
        ([None], "TypeError: Cannot read properties of null (reading 'statement')"),
        (["SELECT 1"], "Error: D1_ERROR: Failed to parse body as JSON, got: ZodError"),
    ],
)
async def test_what_is_no_list_of_statements_is_refused(db, statements, text):
    assert await text_of(db.batch(statements)) == text


async def test_a_batch_takes_no_tuple_and_no_generator(db):
    with pytest.raises(TypeError, match=r"<class 'tuple'> cannot be sent over RPC\."):
        db.batch((db.prepare("SELECT 1"),))
    assert await text_of(db.batch(x for x in [db.prepare("SELECT 1")])) == "TypeError: statements.map is not a function"


async def test_exec_takes_lines_for_statements(db):
    assert await db.exec("CREATE TABLE a(x)\nINSERT INTO a VALUES (1)\n\n-- a comment\nINSERT INTO a VALUES (2)") == {
        "count": 3,
        "duration": 0,
    }
    assert await db.exec("INSERT INTO a VALUES (3); INSERT INTO a VALUES (4)") == {"count": 1, "duration": 0}
    assert await db.exec("CREATE TRIGGER tr AFTER INSERT ON a BEGIN DELETE FROM a WHERE x = 1; END;")
    assert await text_of(db.exec("CREATE TABLE z(\n  x)")) == (
        "Error: D1_EXEC_ERROR: Error in line 1: CREATE TABLE z(: incomplete input: SQLITE_ERROR"
    )
    assert await db.prepare("SELECT x FROM a").raw() == [[1], [2], [3], [4]]


@pytest.mark.parametrize(
    ("sql", "text"),
    [
        ("", "Error: D1_EXEC_ERROR: Error in line 1: : No SQL statements detected."),
        ("\n\n", "Error: D1_EXEC_ERROR: Error in line 1: : No SQL statements detected."),
        ("-- only", "Error: D1_EXEC_ERROR: Error in line 1: -- only: No SQL statements detected."),
        (
            "NONSENSE",
            'Error: D1_EXEC_ERROR: Error in line 1: NONSENSE: near "NONSENSE": syntax error at offset 0: SQLITE_ERROR',
        ),
        (None, "TypeError: Cannot read properties of null (reading 'trim')"),
        (5, "TypeError: query.trim is not a function"),
    ],
)
async def test_exec_refuses_what_is_no_sql(db, sql, text):
    assert await text_of(db.exec(sql)) == text


async def test_exec_is_one_transaction(db):
    assert "near" in await text_of(db.exec("CREATE TABLE a(x)\nNONSENSE"))
    assert await text_of(db.prepare("SELECT * FROM a").all()) == "Error: D1_ERROR: no such table: a: SQLITE_ERROR"


async def test_several_statements_of_which_one_gives_rows_run_once(db):
    two = db.prepare("SELECT 1 AS a; SELECT 2 AS b")
    again = "Error: D1_ERROR: A SQL prepared statement can only be executed once at a time."
    assert (await two.all()).results == [{"b": 2}]
    assert await text_of(two.all()) == again
    assert await text_of(db.batch([db.prepare("SELECT 3 AS a; SELECT 2 AS b")])) == again
    assert await text_of(db.prepare("SELECT ?; SELECT 1").all()) == (
        "Error: D1_ERROR: When executing multiple SQL statements in a single call, only the last statement can have parameters."
    )


@pytest.mark.parametrize("sql", ["SELECT 1;;", "SELECT 1; -- done", "SELECT 1; /* done */"])
async def test_nothing_may_follow_the_last_semicolon(db, sql):
    assert await text_of(db.prepare(sql).all()) == "Error: D1_ERROR: SQL code did not contain a statement."


@pytest.mark.parametrize("sql", ["SELECT 1 AS a;", "SELECT 1 AS a -- done", "/* first */ SELECT 1 AS a;\n"])
async def test_a_comment_in_the_statement_is_fine(db, sql):
    assert await db.prepare(sql).first() == {"a": 1}


@pytest.mark.parametrize(
    ("sql", "text"),
    [
        ("", "No SQL statements detected."),
        ("-- c", "No SQL statements detected."),
        (None, "Failed to parse body as JSON, got: ZodError"),
        (5, "Failed to parse body as JSON, got: ZodError"),
    ],
)
async def test_a_statement_of_nothing_is_refused(db, sql, text):
    assert await text_of(db.prepare(sql).all()) == f"Error: D1_ERROR: {text}"


async def test_an_error_has_its_cause_and_no_python_one(db):
    with pytest.raises(JsException) as error:
        await db.prepare("SELECT * FROM missing").all()
    assert (error.value.name, error.value.message) == ("Error", "D1_ERROR: no such table: missing: SQLITE_ERROR")
    assert str(error.value.cause) == "Error: no such table: missing: SQLITE_ERROR"
    assert error.value.__cause__ is None


async def test_foreign_keys_are_on_and_cannot_be_switched_off(db):
    await db.exec("CREATE TABLE p(id INTEGER PRIMARY KEY)\nCREATE TABLE c(pid REFERENCES p(id) ON DELETE CASCADE)")
    failed = (
        "Error: D1_ERROR: FOREIGN KEY constraint failed: SQLITE_CONSTRAINT (extended: SQLITE_CONSTRAINT_FOREIGNKEY)"
    )
    orphan = db.prepare("INSERT INTO c VALUES (99)")
    assert await text_of(orphan.run()) == failed
    await db.prepare("PRAGMA foreign_keys = off").run()
    assert await text_of(orphan.run()) == failed
    assert await text_of(db.batch([db.prepare("PRAGMA foreign_keys = off"), orphan])) == failed
    await db.prepare("PRAGMA defer_foreign_keys = on").run()
    assert await text_of(orphan.run()) == failed
    defer = db.prepare("PRAGMA defer_foreign_keys = on")
    assert (
        len(await db.batch([defer, db.prepare("INSERT INTO c VALUES (5)"), db.prepare("INSERT INTO p VALUES (5)")]))
        == 3
    )
    deleted = await db.prepare("DELETE FROM p WHERE id = 5").run()
    assert (deleted.meta.changes, await db.prepare("SELECT * FROM c").raw()) == (2, [])


async def test_a_deferred_foreign_key_that_does_not_hold_is_an_internal_error(db):
    await db.exec(
        "CREATE TABLE p(id INTEGER PRIMARY KEY)\nCREATE TABLE c(pid REFERENCES p(id) DEFERRABLE INITIALLY DEFERRED)"
    )
    for failing in (
        db.prepare("INSERT INTO c VALUES (6)").run(),
        db.batch([db.prepare("INSERT INTO c VALUES (6)"), db.prepare("SELECT 1")]),
    ):
        with pytest.raises(JsException, match=r"^Error: internal error; reference = [a-z0-9]{24}$") as error:
            await failing
        assert (error.value.remote, error.value.durableObjectReset) == (True, True)
    assert await db.prepare("SELECT * FROM c").raw() == []


async def test_a_session_has_a_bookmark_after_its_first_query(db):
    session = db.withSession()
    assert session.getBookmark() is None
    assert await session.prepare("SELECT 1 AS a").first() == {"a": 1}
    first = session.getBookmark()
    assert len(first) == len("00000000-00000000-00000000-00000000000000000000000000000000")
    await session.batch([session.prepare("SELECT 1")])
    assert session.getBookmark() > first
    assert db.withSession("first-primary").getBookmark() is None
    assert db.withSession(first).getBookmark() == first
    with pytest.raises(AttributeError, match="with_session"):
        _ = db.with_session


async def test_dump_is_refused_as_locally_on_the_platform(db):
    assert await text_of(db.dump()) == "Error: D1_DUMP_ERROR: Status + 404"


@pytest.mark.filterwarnings("ignore:coroutine")
async def test_a_query_that_is_not_awaited_has_run(db):
    await db.exec("CREATE TABLE t(x)")
    db.prepare("INSERT INTO t VALUES (1)").run()
    db.prepare("NONSENSE").run()
    assert await db.prepare("SELECT count(*) AS n FROM t").first("n") == 1


async def test_a_query_lets_another_task_go_first_that_is_ready(db):
    order = []

    async def other():
        order.append("other")

    task = asyncio.ensure_future(other())
    await db.prepare("SELECT 1").all()
    order.append("query")
    await task
    assert order == ["other", "query"]


async def test_sql_sees_the_clock_and_the_chance_of_the_test(db):
    host = db._binding._service.host
    await db.exec("CREATE TABLE t(at TEXT DEFAULT CURRENT_TIMESTAMP, on_ DEFAULT (date('now')), n DEFAULT (random()))")
    await db.exec("INSERT INTO t DEFAULT VALUES")
    host.now += 86_400_000
    await db.exec("INSERT INTO t DEFAULT VALUES")
    rows = await db.prepare("SELECT at, on_ FROM t").raw()
    assert rows == [["2026-01-02 03:04:05", "2026-01-02"], ["2026-01-03 03:04:05", "2026-01-03"]]
    drawn = await db.prepare("SELECT n FROM t").raw()
    again = database()
    await again.exec("CREATE TABLE t(n DEFAULT (random()))\nINSERT INTO t DEFAULT VALUES\nINSERT INTO t DEFAULT VALUES")
    assert drawn == await again.prepare("SELECT n FROM t").raw()
    assert drawn[0] != drawn[1]


@pytest.mark.parametrize(
    ("sql", "value"),
    [
        ("datetime('now', '+1 day')", "2026-01-03 03:04:05"),
        ("datetime('NOW', 'localtime')", "2026-01-02 03:04:05"),
        ("unixepoch()", 1767323045),
        pytest.param(
            "unixepoch('now', 'subsec')",
            1767323045.678,
            marks=pytest.mark.skipif(sqlite3.sqlite_version_info < (3, 42), reason="this SQLite has no subsec"),
        ),
        ("strftime('%Y', 'now')", "2026"),
        ("time()", "03:04:05"),
        ("CURRENT_DATE", "2026-01-02"),
        ("CURRENT_TIME", "03:04:05"),
        ("date('2000-02-28', '+1 day')", "2000-02-29"),
        ("datetime(0, 'unixepoch')", "1970-01-01 00:00:00"),
        ("date('nonsense')", None),
        ("length(randomblob(4))", 4),
    ],
)
async def test_functions_of_time_and_chance(db, sql, value):
    assert await db.prepare(f"SELECT {sql} AS v").first("v") == value


async def test_a_copy_has_the_same_rows_and_goes_its_own_way():
    store = D1Store()
    db = database(store)
    await db.exec("CREATE TABLE t(x)\nINSERT INTO t VALUES (1)")
    copied = store.copy()
    copy = database(copied)
    await copy.exec("INSERT INTO t VALUES (2)")
    await db.exec("INSERT INTO t VALUES (3)")
    assert await copy.prepare("SELECT x FROM t").raw() == [[1], [2]]
    assert await db.prepare("SELECT x FROM t").raw() == [[1], [3]]
    assert store.contents() == {"t": {(("x", 1),): 1, (("x", 3),): 1}}
    assert D1Store().contents() == {}


async def test_to_compare_a_database_that_nobody_opened_sets_no_clock():
    store = D1Store()
    await database(store).exec("CREATE TABLE t(x)\nINSERT INTO t VALUES (1)")
    copied = store.copy()

    assert copied.contents() == {"t": {(("x", 1),): 1}}
    assert copied.opened is None
    assert await database(copied).prepare("SELECT date('now') AS day").first("day") == "2026-01-02"


def test_javascript_gets_the_same_values_as_python():
    """The wrappers of D1 convert at once; the way of any binding must give the same."""
    db = database()
    js = db._binding
    sql = "SELECT 1 AS a, NULL AS n, 1.5 AS f, x'01' AS b, 'z' AS '0', 9007199254740993 AS big"

    def settled(promise: JsPromise):
        assert promise._error is None
        return python_from_rpc(promise._value)

    def awaited(coroutine):
        with pytest.raises(StopIteration) as stop:
            coroutine.send(None)
        return stop.value.value

    async def compare():
        for method in ("all", "run", "first", "raw"):
            given = await getattr(db.prepare(sql), method)()
            other = settled(getattr(js.prepare(sql), method)())
            assert repr(given) == repr(other)
        assert repr(await db.prepare(sql).first("b")) == repr(settled(js.prepare(sql).first("b")))

    asyncio.run(compare())
    assert settled(js.prepare("SELECT 1 WHERE 0").first()) is None
    assert js.prepare(sql).first()._value._entries["n"] is jsnull
    assert isinstance(js.prepare(sql).all()._value, JsPlain)


async def test_an_option_that_there_is_not_is_ignored_and_a_finding(db):
    assert await db.prepare("SELECT 1 AS a").raw(column_names=True) == [[1]]
    assert db._binding._service.host.findings == [
        (
            "unknown-option",
            "raw(...) of a statement of D1 has no option `column_names`; did you mean `columnNames`?",
        )
    ]


@pytest.mark.parametrize("value", ["x" * 2_000_001, b"x" * 2_000_001, memoryview(b"x" * 2_000_001)])
async def test_a_value_that_is_larger_than_documented_is_taken_and_a_finding(db, value):
    assert await db.prepare("SELECT length(?) AS n").bind(value).first("n") == 2_000_001
    assert db._binding._service.host.findings == [
        (
            "documented-limit",
            "bind(...) of a statement of D1 is given a value of 2,000,001 bytes, and a value has up to 2,000,000",
        )
    ]
    db.prepare("SELECT ?").bind("x" * 2_000_000)
    assert len(db._binding._service.host.findings) == 1


async def test_what_ends_a_transaction_undoes_one_statement_and_no_other(db):
    await db.exec("CREATE TABLE t(x UNIQUE)\nINSERT INTO t VALUES (1)")
    assert "UNIQUE" in await text_of(db.prepare("INSERT OR ROLLBACK INTO t VALUES (2), (1)").run())
    assert await db.prepare("SELECT x FROM t").raw() == [[1]]
    await db.exec("CREATE TRIGGER tr AFTER INSERT ON t WHEN new.x = 3 BEGIN SELECT RAISE(ROLLBACK, 'no 3'); END")
    assert "no 3" in await text_of(db.prepare("INSERT INTO t VALUES (3)").run())
    await db.prepare("INSERT INTO t VALUES (4)").run()
    assert await db.prepare("SELECT x FROM t").raw() == [[1], [4]]


async def test_the_columns_of_a_query_follow_the_schema(db):
    await db.exec("CREATE TABLE t(a)\nINSERT INTO t VALUES (1)")
    everything = db.prepare("SELECT * FROM t")
    assert await everything.first() == {"a": 1}
    await db.exec("ALTER TABLE t ADD COLUMN b DEFAULT 2")
    assert await everything.first() == {"a": 1, "b": 2}
    assert "near" in await text_of(
        db.batch([db.prepare("ALTER TABLE t ADD COLUMN c"), everything, db.prepare("NONSENSE")])
    )
    assert await everything.first() == {"a": 1, "b": 2}
    assert await db.prepare("DROP TABLE t; SELECT 1 AS a").first() == {"a": 1}
    assert await text_of(everything.first()) == "Error: D1_ERROR: no such table: t: SQLITE_ERROR"


class KeptCalls:
    """A log that is idle."""

    def __init__(self):
        self.noted = []

    def is_idle(self):
        return True

    def note(self, method, args, answer=None, convert=None, error=None, prepared=None, bound=None):
        self.noted.append((method, args, prepared, bound, type(error).__name__))

    def call(self, wrapper, method, invoke, args, kwargs):
        self.noted.append((method, "by call"))
        return invoke(None)


async def test_a_log_gets_what_began_a_statement_once(db):
    calls = db._calls = KeptCalls()
    insert = db.prepare("SELECT ? AS a")
    await insert.bind(1).first()
    again = insert.bind(2)
    await again.all()
    await again.first("a")
    with pytest.raises(JsException):
        await db.prepare("NONSENSE").run()
    await db.batch([insert.bind(3), db.prepare("SELECT 4")])
    await db.prepare("SELECT 5").raw(columnNames=True)
    assert calls.noted == [
        ("first", (), ("SELECT ? AS a",), (1,), "NoneType"),
        ("all", (), None, (2,), "NoneType"),
        ("first", ("a",), None, None, "NoneType"),
        ("run", (), ("NONSENSE",), None, "JsException"),
        (None, (), None, (3,), "NoneType"),
        (None, (), ("SELECT 4",), None, "NoneType"),
        ("batch", "by call"),
        (None, (), ("SELECT 5",), None, "NoneType"),
        ("raw", "by call"),
    ]
