"""The contents of a D1 database: a database of SQLite that can be copied, compared and thrown away."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from random import Random
from typing import Any

from .peeks import Peek
from .sqlite import SqliteDatabase
from .sqlite.rows import compared_rows, peeked_rows


class D1Store:
    """The contents of one database. It is opened when something is asked of it.

    Args:
        contents: The database file that it starts as; empty where None.
        path: The file that it is kept in; None for in memory only.

    Attributes:
        migrations_table: The table that is no contents.
        opened: The database, once it is open.
    """

    def __init__(self, contents: bytes | None = None, path: Path | None = None) -> None:
        self._contents = contents
        self._path = path
        self.opened: SqliteDatabase | None = None
        self.migrations_table = "d1_migrations"

    def database(self, now_ms: Callable[[], int], chance: Callable[[], Random]) -> SqliteDatabase:
        """The database, open.

        Args:
            now_ms: The time that SQL sees, in milliseconds since 1970.
            chance: What SQL's `random()` draws from.
        """
        if self.opened is None:
            self.opened = SqliteDatabase(now_ms, chance, self._contents, self._path)
        return self.opened

    @property
    def is_kept(self) -> bool:
        """Whether it outlives the process."""
        return self._path is not None

    @property
    def path(self) -> Path | None:
        """The file that it is kept in; None for in memory only."""
        return self._path

    @property
    def has_file(self) -> bool:
        """Whether it outlives the process, and there is something already."""
        return self._path is not None and self._path.exists()

    def file(self) -> bytes | None:
        """The database file; None for an empty database that nobody has opened."""
        if self.opened is None and self._path is None:
            return self._contents
        with self._read() as database:
            return database.serialized()

    def copy(self) -> D1Store:
        """A store of the same contents, in memory; the file is shared until one of the two is opened."""
        contents = self.file()
        if not self.is_kept:
            self._contents = contents
            self.close()
        made = D1Store(contents)
        made.migrations_table = self.migrations_table
        return made

    def contents(self) -> Mapping[str, Mapping[Any, Any]]:
        """The rows by table, with how often each is there: row ids are the platform's."""
        if self._is_untouched:
            return {}
        with self._read() as database:
            return compared_rows(database, frozenset((self.migrations_table,)))

    @property
    def _is_untouched(self) -> bool:
        """Whether it is empty, and nobody has opened it: tests compare many such ones."""
        return self.opened is None and self._contents is None and self._path is None

    @contextmanager
    def _read(self) -> Iterator[SqliteDatabase]:
        """The database, to be read only.

        What is closed stays closed: whoever opens it gives it the clock that its SQL sees from then on.
        """
        path = self._path if self.has_file else None
        database = self.opened or SqliteDatabase(lambda: 0, lambda: Random(0), self._contents, path)
        try:
            yield database
        finally:
            if database is not self.opened:
                database.close()

    def tables(self) -> list[str]:
        """The tables."""
        if self._is_untouched:
            return []
        with self._read() as database:
            return database.tables()

    def peek(self, table: str, after: str | None = None, limit: int = 50) -> Peek:
        """A page of a table."""
        with self._read() as database:
            return peeked_rows(database, table, after, limit)

    def close(self) -> None:
        """Let go of the open database."""
        if self.opened is not None:
            self.opened.close()
            self.opened = None
