"""SQL as the platform runs it: what is allowed, and how its errors read. Seen on workerd 1.20261117.1."""

import sqlite3
import threading
from random import Random

import pytest

from pytest_workflows.standins.sqlite import SqlError, SqliteDatabase, statements
from pytest_workflows.standins.sqlite.errors import offset
from pytest_workflows.standins.sqlite.statements import Token, split, tokens


@pytest.fixture
def sql():
    made = SqliteDatabase(lambda: 0, lambda: Random(1))
    made.own("CREATE TABLE e (id INTEGER PRIMARY KEY, u TEXT UNIQUE, n TEXT NOT NULL, c INTEGER CHECK (c > 0))")
    made.own("INSERT INTO e VALUES (1, 'a', 'n', 1)")
    yield made
    made.close()


def rows(database, statement, values=()):
    return database.all(statement, values)[1]


def error(database, statement, values=()):
    with pytest.raises(SqlError) as raised:
        rows(database, statement, values)
    return str(raised.value)


@pytest.mark.parametrize(
    ("statement", "text"),
    [
        ("NONSENSE", 'near "NONSENSE": syntax error at offset 0: SQLITE_ERROR'),
        ("SELECT a, a a a FROM e", 'near "a": syntax error at offset 14: SQLITE_ERROR'),
        ("SELECT 'é', , 1", 'near ",": syntax error at offset 13: SQLITE_ERROR'),
        ("SELECT * FROM missing_table", "no such table: missing_table: SQLITE_ERROR"),
        ("SELECT nope FROM e", "no such column: nope at offset 7: SQLITE_ERROR"),
        ("SELECT id AS nope FROM e WHERE f.nope = 1", "no such column: f.nope at offset 31: SQLITE_ERROR"),
        ("SELECT 'nope', nope FROM e", "no such column: nope at offset 15: SQLITE_ERROR"),
        (
            "INSERT INTO e VALUES (2, 'a', 'n', 1)",
            "UNIQUE constraint failed: e.u: SQLITE_CONSTRAINT (extended: SQLITE_CONSTRAINT_UNIQUE)",
        ),
        (
            "INSERT INTO e VALUES (1, 'b', 'n', 1)",
            "UNIQUE constraint failed: e.id: SQLITE_CONSTRAINT (extended: SQLITE_CONSTRAINT_PRIMARYKEY)",
        ),
        (
            "INSERT INTO e VALUES (3, 'c', NULL, 1)",
            "NOT NULL constraint failed: e.n: SQLITE_CONSTRAINT (extended: SQLITE_CONSTRAINT_NOTNULL)",
        ),
        (
            "INSERT INTO e VALUES (4, 'd', 'n', 0)",
            "CHECK constraint failed: c > 0: SQLITE_CONSTRAINT (extended: SQLITE_CONSTRAINT_CHECK)",
        ),
        ("CREATE TABLE e (x)", "table e already exists at offset 13: SQLITE_ERROR"),
        ("SELECT", "incomplete input: SQLITE_ERROR"),
        ("SELECT 'abc", 'unrecognized token: "\'abc" at offset 7: SQLITE_ERROR'),
        ("INSERT INTO e VALUES ('x', 'z', 'n', 1)", "datatype mismatch: SQLITE_MISMATCH"),
        ("INSERT INTO e (id) VALUES (1, 2)", "2 values for 1 columns: SQLITE_ERROR"),
        ("SELECT nofn(1)", "no such function: nofn at offset 7: SQLITE_ERROR"),
        ("SELECT 'a' REGEXP 'a'", "no such function: REGEXP at offset 11: SQLITE_ERROR"),
        ("SELECT soundex('robert')", "no such function: soundex at offset 7: SQLITE_ERROR"),
        ("SELECT median(1)", "no such function: median at offset 7: SQLITE_ERROR"),
        ("SELECT id FROM e, e AS f", "ambiguous column name: id at offset 7: SQLITE_ERROR"),
        ("SELECT json('{bad')", "malformed JSON: SQLITE_ERROR"),
        ("SELECT * FROM dbstat", "no such table: dbstat: SQLITE_ERROR"),
        ("SELECT * FROM generate_series(1, 3)", "no such table: generate_series: SQLITE_ERROR"),
        ("SELECT load_extension('x')", "not authorized: SQLITE_ERROR"),
        ("SELECT SQLITE_VERSION()", "not authorized to use function: SQLITE_VERSION at offset 7: SQLITE_ERROR"),
        ("CREATE TABLE sqlite_x(a)", "object name reserved for internal use: sqlite_x: SQLITE_ERROR"),
    ],
)
def test_an_error_names_the_code_and_where_it_has_one_the_place(sql, statement, text):
    assert error(sql, statement) == text


@pytest.mark.parametrize(
    "statement",
    [
        "PRAGMA journal_mode",
        "PRAGMA user_version",
        "PRAGMA user_version = 5",
        "PRAGMA cache_size",
        "PRAGMA page_count",
        "PRAGMA integrity_check",
        "PRAGMA compile_options",
        "PRAGMA database_list",
        "PRAGMA writable_schema",
        "PRAGMA page_size = 512",
        "PRAGMA table_info(_cf_x)",
        "PRAGMA optimize(x)",
        "ATTACH DATABASE 'x' AS y",
        "ATTACH DATABASE ':memory:' AS y",
        "CREATE TEMP TABLE tt(x)",
        "CREATE TABLE _cf_x(a)",
        "CREATE TABLE _CF_y(a)",
        "CREATE INDEX _cf_i ON e(n)",
        "CREATE VIRTUAL TABLE v USING fts4(x)",
    ],
)
def test_what_is_not_authorized(sql, statement):
    assert error(sql, statement) == "not authorized: SQLITE_AUTH"


@pytest.mark.parametrize(
    ("statement", "given"),
    [
        ("PRAGMA foreign_keys", [(1,)]),
        ("PRAGMA page_size", [(4096,)]),
        ("PRAGMA quick_check", [("ok",)]),
        ("PRAGMA recursive_triggers", [(0,)]),
        ("PRAGMA optimize", []),
        ("PRAGMA foreign_key_check", []),
        ("PRAGMA index_list(e)", [(0, "sqlite_autoindex_e_1", 1, "u", 0)]),
        ("SELECT name FROM pragma_table_info('e') LIMIT 1", [("id",)]),
        ("SELECT name FROM sqlite_temp_master", []),
        ("REINDEX", []),
        ("ANALYZE", []),
        ("CREATE VIRTUAL TABLE ft USING fts5(x)", []),
        ("CREATE VIRTUAL TABLE rt USING rtree(id, a, b)", []),
        ("CREATE TABLE st(x TEXT) STRICT", []),
        ("ALTER TABLE e ADD COLUMN more", []),
        ("ALTER TABLE e RENAME COLUMN n TO m", []),
        ("SELECT pow(2, 3), sqrt(4), '{\"a\":1}' ->> 'a'", [(8.0, 2.0, 1)]),
        pytest.param(
            "SELECT jsonb('{}')",
            [(b"\x0c",)],
            marks=pytest.mark.skipif(sqlite3.sqlite_version_info < (3, 45), reason="this SQLite has no jsonb"),
        ),
        ("SELECT string_agg(v, '-') FROM (SELECT 'a' AS v UNION ALL SELECT NULL UNION ALL SELECT 1)", [("a-1",)]),
        ("SELECT octet_length('é'), unhex('41'), unhex('x'), concat_ws('-', 1, NULL, 'a')", [(2, b"A", None, "1-a")]),
        ("SELECT value FROM json_each('[1,2]')", [(1,), (2,)]),
        ("SELECT row_number() OVER () FROM e", [(1,)]),
        ("SELECT format('%d', 3), iif(1, 2, 3), concat('a', 1)", [("3", 2, "a1")]),
        (
            "WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < 3) SELECT n FROM c",
            [(1,), (2,), (3,)],
        ),
    ],
)
def test_what_is_allowed(sql, statement, given):
    assert rows(sql, statement) == given


def test_full_text_search_works(sql):
    for statement in (
        "CREATE VIRTUAL TABLE ft USING fts5(x)",
        "INSERT INTO ft VALUES ('a b')",
        "INSERT INTO ft VALUES ('c')",
    ):
        rows(sql, statement)
    assert rows(sql, "SELECT highlight(ft, 0, '<', '>') FROM ft WHERE ft MATCH 'b'") == [("a <b>",)]


@pytest.mark.parametrize("statement", ["BEGIN", "COMMIT", "ROLLBACK", "SAVEPOINT a", "RELEASE a"])
def test_sql_begins_and_ends_no_transaction(sql, statement):
    assert error(sql, statement).startswith("To execute a transaction, please use the state.storage.transaction()")
    with sql.transaction():
        assert error(sql, statement).startswith("To execute a transaction, please use the state.storage.transaction()")
    assert rows(sql, "SELECT 1") == [(1,)]


def test_in_a_transaction_there_is_no_vacuum(sql):
    with sql.transaction():
        assert error(sql, "VACUUM") == "cannot VACUUM from within a transaction: SQLITE_ERROR"


@pytest.mark.parametrize(
    ("statement", "text"),
    [
        (f"SELECT '{'x' * 100_000}'", "statement too long: SQLITE_TOOBIG"),
        ("SELECT " + ",".join("?" * 101), "too many SQL variables at offset 207: SQLITE_ERROR"),
        (f"CREATE TABLE c101({','.join(f'c{i}' for i in range(101))})", "too many columns on c101: SQLITE_ERROR"),
        ("SELECT " + ",".join("1" for _ in range(101)), "too many columns in result set: SQLITE_ERROR"),
        (f"SELECT 'a' LIKE '{'%a' * 26}'", "LIKE or GLOB pattern too complex: SQLITE_ERROR"),
        (" UNION ALL ".join(["SELECT 1"] * 6), "too many terms in compound SELECT: SQLITE_ERROR"),
        ("SELECT " + "+".join("1" * 101), "Expression tree is too large (maximum depth 100): SQLITE_ERROR"),
    ],
)
def test_limits_hold(sql, statement, text):
    assert error(sql, statement, [1.0] * statement.count("?")) == text


@pytest.mark.parametrize(
    ("statement", "values"),
    [
        ("SELECT " + ",".join("?" * 100), [1.0] * 100),
        (f"CREATE TABLE c100({','.join(f'c{i}' for i in range(100))})", []),
        (f"SELECT max({','.join('1' * 33)})", []),
        ("INSERT INTO e (n) VALUES " + ",".join(["('n')"] * 600), []),
        ("SELECT ?", ["x" * 2_000_001]),
    ],
)
def test_what_is_within_the_limits(sql, statement, values):
    rows(sql, statement, values)


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("SELECT 1", ["SELECT 1"]),
        ("SELECT 1;", ["SELECT 1;"]),
        ("SELECT 1; ", ["SELECT 1;"]),
        ("SELECT ';'; SELECT \";\" -- ;", ["SELECT ';';", 'SELECT ";" -- ;']),
        ("SELECT 1 /* ; */; SELECT [;], `;`", ["SELECT 1 /* ; */;", "SELECT [;], `;`"]),
        (
            "CREATE TRIGGER t AFTER INSERT ON e BEGIN SELECT 1; SELECT CASE WHEN 1 THEN 2 END; END; SELECT 2",
            ["CREATE TRIGGER t AFTER INSERT ON e BEGIN SELECT 1; SELECT CASE WHEN 1 THEN 2 END; END;", "SELECT 2"],
        ),
        ("SELECT 1;;", ["SELECT 1;", ";"]),
        ("", [""]),
    ],
)
def test_a_text_is_cut_where_its_statements_end(text, parts):
    assert [part for _, part in split(text)] == parts
    assert [text[start : start + len(part)] for start, part in split(text)] == parts


def test_a_long_text_is_cut_with_each_token_read_once(monkeypatch):
    text = "INSERT INTO e (n) VALUES ('a;b');\n" * 50
    expected = [(token.kind, token.text, token.start) for token in tokens(text)]
    read = []
    monkeypatch.setattr(statements, "Token", lambda *token: read.append(token) or Token(*token))

    assert len(split(text)) == 50
    assert read == expected


def test_an_error_of_a_later_statement_leaves_the_earlier_ones(sql):
    assert "NONSENSE" in error(sql, "INSERT INTO e (n) VALUES ('b'); NONSENSE; SELECT 1")
    assert rows(sql, "SELECT count(*) FROM e") == [(2,)]


def test_the_place_of_an_unknown_text_is_none():
    assert offset("database disk image is malformed", "SELECT 1", lambda _: None) is None
    assert offset("no such column: elsewhere", "SELECT * FROM a_view", lambda _: None) is None


def test_transactions_nest(sql):
    with sql.transaction():
        rows(sql, "INSERT INTO e (n) VALUES ('b')")
        with pytest.raises(SqlError), sql.transaction():
            rows(sql, "INSERT INTO e (n) VALUES ('c'); NONSENSE")
        with sql.transaction():
            rows(sql, "INSERT INTO e (n) VALUES ('d')")
    assert rows(sql, "SELECT n FROM e ORDER BY id") == [("n",), ("b",), ("d",)]
    with pytest.raises(SqlError), sql.transaction():
        rows(sql, "DELETE FROM e; NONSENSE")
    assert rows(sql, "SELECT count(*) FROM e") == [(3,)]


def test_like_stays_case_sensitive_once_it_is(sql):
    rows(sql, "PRAGMA case_sensitive_like = on")
    assert rows(sql, "SELECT 'ABC' LIKE 'a%'") == [(0,)]
    rows(sql, "PRAGMA case_sensitive_like = off")
    assert rows(sql, "SELECT 'ABC' LIKE 'a%'") == [(1,)]


def test_the_size_leaves_free_pages_out(sql):
    before = sql.size()
    rows(sql, "CREATE TABLE big(x)")
    rows(sql, "INSERT INTO big VALUES (zeroblob(100000))")
    assert sql.size() >= before + 100_000
    rows(sql, "DROP TABLE big")
    assert sql.size() == before


def test_a_database_opens_as_the_file_that_another_one_was(sql):
    again = SqliteDatabase(lambda: 0, lambda: Random(1), sql.serialized())
    assert rows(again, "SELECT u FROM e") == [("a",)]
    rows(again, "INSERT INTO e (n) VALUES ('b')")
    assert rows(sql, "SELECT count(*) FROM e") == [(1,)]
    assert again.tables() == ["e"]
    assert rows(again, "SELECT name FROM pragma_table_info('e')") == [("id",), ("u",), ("n",), ("c",)]
    again.close()


LONG = """
    SELECT datetime('now')
    UNION ALL SELECT max(x) FROM (WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n LIMIT 50000000) SELECT x FROM n)
"""
"""A statement that asks for the time, and then takes some seconds."""


def test_a_database_that_a_thread_is_reading_is_left_to_it_and_the_statement_soon_ends():
    begun, ended = threading.Event(), []

    def now():
        begun.set()
        return 0

    def read():
        with pytest.raises(sqlite3.OperationalError) as raised:
            database.own(LONG)
        ended.append(str(raised.value))

    database = SqliteDatabase(now, lambda: Random(1))
    thread = threading.Thread(target=read)
    thread.start()
    begun.wait(60)

    database.close()
    thread.join(60)

    assert ended == ["interrupted"]
    assert database.own("SELECT 1") == [(1,)]
    database.close()
    database.close()
    with pytest.raises(sqlite3.ProgrammingError, match="closed"):
        database.own("SELECT 1")
