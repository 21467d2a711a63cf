"""`ctx.storage.sql` and its cursors, as Python has them. Seen on workerd 1.20261117.1."""

import math
from random import Random

import pytest

from durable_engine import JsException
from pytest_workflows.standins.sql_storage import SqlStorage
from pytest_workflows.standins.sqlite import SqliteDatabase
from pytest_workflows.workers.binding_wrappers import BindingWrapper


@pytest.fixture
def sql():
    database = SqliteDatabase(lambda: 0, lambda: Random(1))
    made = BindingWrapper(SqlStorage(lambda: database))
    made.exec("CREATE TABLE p(id INTEGER PRIMARY KEY, n TEXT); INSERT INTO p VALUES (1, 'a'), (2, 'b'), (3, 'c')")
    yield made
    database.close()


def test_a_cursor_gives_row_after_row_and_counts_them(sql):
    cursor = sql.exec("SELECT * FROM p")
    assert isinstance(cursor, BindingWrapper)
    assert (cursor["columnNames"], cursor["rowsRead"], cursor["rowsWritten"]) == (["id", "n"], 1, 0)
    assert cursor.next() == {"done": False, "value": {"id": 1, "n": "a"}}
    assert cursor.toArray() == [{"id": 2, "n": "b"}, {"id": 3, "n": "c"}]
    assert (cursor["rowsRead"], cursor.toArray(), cursor.next()) == (3, [], {"done": True, "value": None})


def test_before_december_2025_the_end_has_no_value(sql):
    early = BindingWrapper(SqlStorage(sql._binding._database, has_optional_fields=False))
    assert early.exec("SELECT 1 WHERE 0").next() == {"done": True}


def test_one_wants_exactly_one_row(sql):
    assert sql.exec("SELECT 1 AS a, NULL AS n").one() == {"a": 1, "n": None}
    with pytest.raises(JsException, match=r"^Error: Expected exactly one result from SQL query, but got no results\.$"):
        sql.exec("SELECT 1 WHERE 0").one()
    with pytest.raises(JsException, match=r"^Error: Expected exactly one .* query, but got multiple results\.$"):
        sql.exec("SELECT * FROM p").one()


def test_raw_gives_lists(sql):
    raw = sql.exec("SELECT * FROM p").raw()
    assert (raw.next(), raw.toArray()) == ({"done": False, "value": [1, "a"]}, [[2, "b"], [3, "c"]])
    assert list(sql.exec("SELECT id FROM p").raw()) == [[1], [2], [3]]
    twice = "SELECT 1 AS a, 2 AS a"
    assert (sql.exec(twice).toArray(), sql.exec(twice).raw().toArray(), sql.exec(twice).columnNames) == (
        [{"a": 2}],
        [[1, 2]],
        ["a", "a"],
    )


def test_a_cursor_can_be_iterated_over_and_is_no_iterator_of_python(sql):
    assert list(sql.exec("SELECT id FROM p")) == [{"id": 1}, {"id": 2}, {"id": 3}]
    with pytest.raises(TypeError, match="is not an iterator"):
        next(sql.exec("SELECT id FROM p"))
    with pytest.raises(TypeError, match=r"^'Cursor' object has no len\(\)$"):
        len(sql.exec("SELECT 1"))


def test_what_writes_has_done_so_without_anybody_reading(sql):
    cursor = sql.exec("INSERT INTO p VALUES (4, 'd')")
    assert (cursor.toArray(), cursor.rowsWritten, cursor.rowsRead, cursor.columnNames) == ([], 1, 1, [])
    assert sql.exec("INSERT INTO p VALUES (5, 'e') RETURNING id, n").toArray() == [{"id": 5, "n": "e"}]
    sql.exec("INSERT INTO p VALUES (6, 'f'), (7, 'g') RETURNING id")
    assert sql.exec("SELECT count(*) AS n FROM p").one() == {"n": 7}


def test_cursors_do_not_disturb_each_other(sql):
    x, y = sql.exec("SELECT id FROM p"), sql.exec("SELECT id FROM p")
    assert (x.next().value, y.next().value, y.toArray(), x.next().value) == (
        {"id": 1},
        {"id": 1},
        [{"id": 2}, {"id": 3}],
        {"id": 2},
    )


def test_a_row_that_was_read_ahead_is_given_though_it_is_deleted(sql):
    cursor = sql.exec("SELECT id FROM p")
    first = cursor.next().value
    sql.exec("DELETE FROM p WHERE id = 2")
    assert [first, *cursor.toArray()] == [{"id": 1}, {"id": 2}, {"id": 3}]


def test_a_table_that_is_being_read_cannot_be_dropped(sql):
    cursor = sql.exec("SELECT id FROM p")
    cursor.next()
    with pytest.raises(JsException, match=r"^Error: database table is locked: SQLITE_LOCKED$"):
        sql.exec("DROP TABLE p")


@pytest.mark.parametrize(
    ("value", "kind", "given"),
    [
        (None, "null", None),
        (True, "text", "true"),
        (5, "real", 5),
        (1.5, "real", 1.5),
        (math.inf, "real", math.inf),
        (math.nan, "null", None),
        ("s", "text", "s"),
        ([1, None, "x"], "text", "1,,x"),
        ({"a": 1}, "text", "[object Object]"),
        (frozenset([1]), "text", "frozenset({1})"),
        (ValueError("m"), "text", "Error: m"),
        (range(3), "text", "range(0, 3)"),
    ],
)
def test_a_value_is_bound_as_javascript_makes_a_text_of_it(sql, value, kind, given):
    row = sql.exec("SELECT typeof(?1) AS kind, ?1 AS given", value).one()
    assert (row, type(row.given)) == ({"kind": kind, "given": given}, type(given))


def test_bytes_come_back_as_a_memoryview(sql):
    given = sql.exec("SELECT ? AS b, x'' AS e", b"ab").one()
    assert (type(given.b), bytes(given.b), bytes(given.e), given.b.readonly) == (memoryview, b"ab", b"", False)


def test_a_bigint_is_refused(sql):
    with pytest.raises(JsException, match=r"^TypeError: Cannot convert a BigInt value to a number$"):
        sql.exec("SELECT ?", 2**53)


def test_an_error_has_the_text_of_sqlite_alone(sql):
    with pytest.raises(JsException) as error:
        sql.exec("NONSENSE")
    assert str(error.value) == 'Error: near "NONSENSE": syntax error at offset 0: SQLITE_ERROR'


def test_the_size_is_there(sql):
    assert sql["databaseSize"] == 8192
