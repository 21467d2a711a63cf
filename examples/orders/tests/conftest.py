"""The shop's database: D1 as far as the workflow uses it, on SQLite in memory."""

import sqlite3
from types import SimpleNamespace

import pytest


class Statement:
    """A prepared statement, with the values bound to it."""

    def __init__(self, connection, sql, values=()):
        self._connection, self._sql, self._values = connection, sql, values

    def bind(self, *values):
        return Statement(self._connection, self._sql, values)

    async def first(self):
        row = self._connection.execute(self._sql, self._values).fetchone()
        return SimpleNamespace(**row) if row else None

    async def run(self):
        self._connection.execute(self._sql, self._values)


class Database:
    """What `env.DB` is."""

    def __init__(self):
        self._connection = sqlite3.connect(":memory:", isolation_level=None)
        self._connection.row_factory = lambda cursor, row: {
            column[0]: value for column, value in zip(cursor.description, row, strict=True)
        }
        self._connection.execute("CREATE TABLE stock (sku TEXT PRIMARY KEY, quantity INTEGER)")
        self._connection.execute("CREATE TABLE orders (number TEXT PRIMARY KEY, sku TEXT, quantity INTEGER)")
        self._connection.execute("INSERT INTO stock VALUES ('tea', 10)")

    def prepare(self, sql):
        return Statement(self._connection, sql)

    def close(self):
        self._connection.close()


@pytest.fixture
def database():
    database = Database()
    yield database
    database.close()


@pytest.fixture
def workflow_bindings(database):
    return {"DB": database}
