"""The migrations of a D1 database, applied as wrangler applies them.

Source: wrangler 4.164.0, `d1 migrations apply --local`, observed.
"""

from __future__ import annotations

import datetime
import os
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any, Final, NoReturn

from pytest_workflows.errors import WorkflowConfigError
from pytest_workflows.messages.short_repr import kind_of, shown, shown_path

from .sqlite import SqlError, SqliteDatabase
from .sqlite.statements import begin, first_word, quoted, split

if TYPE_CHECKING:
    from pytest_workflows.project.binding_config import BindingConfig

    from .host import Host

_FOLDER: Final = "migrations"
_TABLE: Final = "d1_migrations"
_FIRST_DATE: Final = "2026-01-01"
_templates: dict[object, bytes] = {}
"""The database files that migrations left, by the files and their times."""


@dataclass(frozen=True, slots=True)
class Migrations:
    """Where the migrations of a database are, and what remembers them.

    Attributes:
        folder: The folder; it need not be there.
        table: The table in which applied ones are kept.
    """

    folder: Path
    table: str = _TABLE

    def files(self) -> list[Path]:
        """The files, in the order in which they are applied: by the number that their names begin with."""
        try:
            with os.scandir(self.folder) as entries:
                names = sorted(entry.name for entry in entries if entry.name.endswith(".sql") and entry.is_file())
        except OSError:
            return []
        numbers = [_number(name) for name in names]
        if None not in numbers:
            names = [name for _, name in sorted(zip(numbers, names, strict=True), key=lambda one: one[0] or 0)]
        return [self.folder / name for name in names]

    def apply(self, database: SqliteDatabase) -> list[str]:
        """Apply those that the database has not had; each is a transaction.

        Args:
            database: The database.

        Returns:
            The names of the applied files.

        Raises:
            WorkflowConfigError: If one fails: its file and line. Those before it stay applied.
        """
        files = self.files()
        if not files:
            return []
        table = quoted(self.table)
        database.own(
            f"CREATE TABLE IF NOT EXISTS {table}(\n\t\tid         INTEGER PRIMARY KEY AUTOINCREMENT,\n"
            "\t\tname       TEXT UNIQUE,\n\t\tapplied_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP NOT NULL\n)"
        )
        applied = {name for (name,) in database.own(f"SELECT name FROM {table}")}
        new = [file for file in files if file.name not in applied]
        for file in new:
            _apply(file, database, table)
        database.look_at_schema()
        return [file.name for file in new]


def template(all: Sequence[Migrations], now: str) -> bytes | None:
    """The file of a database that has had all of some migrations and nothing else; None where there are none.

    Args:
        all: The migrations, in the order in which they are applied.
        now: The date on which they are applied.

    Raises:
        WorkflowConfigError: If one fails: its file and line.
    """
    files = [(one, file, file.stat()) for one in all for file in one.files()]
    if not files:
        return None
    key = (now, tuple((one, file, stat.st_mtime_ns, stat.st_size) for one, file, stat in files))
    if key not in _templates:
        at = datetime.datetime.fromisoformat(now).replace(tzinfo=datetime.timezone.utc)  # noqa: UP017
        chance = Random(f"migrations of {all[0].table}")
        database = SqliteDatabase(lambda: int(at.timestamp() * 1000), lambda: chance)
        try:
            for one in all:
                one.apply(database)
            _templates[key] = database.serialized()
        finally:
            database.close()
    return _templates[key]


def _apply(file: Path, database: SqliteDatabase, table: str) -> None:
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        raise WorkflowConfigError(f"{shown_path(file)}:1: this cannot be read: {error}.") from None
    try:
        with database.transaction():
            for start, statement in split(text):
                if first_word(statement):
                    at = begin(statement)
                    _run(file, 1 + text.count("\n", 0, start + at), statement[at:], database)
            database.own(f"INSERT INTO {table} (name) VALUES (?)", (file.name,))
    except sqlite3.IntegrityError as error:
        raise WorkflowConfigError(f"{shown_path(file)}:1: the migration fails at its end: {error}.") from None


def _run(file: Path, line: int, statement: str, database: SqliteDatabase) -> None:
    try:
        database.all(statement)
    except SqlError as error:
        raise WorkflowConfigError(
            f"{shown_path(file)}:{line}: the migration fails: {error}. The statement: {shown(statement.strip())}"
        ) from None


def _number(name: str) -> int | None:
    digits = name.split("_")[0].removesuffix(".sql")
    return int(digits) if digits.isdecimal() else None


def migrations_of(binding: BindingConfig) -> Migrations:
    """The migrations of a database of the configuration.

    Args:
        binding: The database's binding.

    Raises:
        WorkflowConfigError: If what the binding says of them cannot be right.
    """
    folder = _text(binding, "migrations_dir", _FOLDER)
    found = Migrations(binding.path.parent / folder, _text(binding, "migrations_table", _TABLE))
    if "migrations_dir" in binding.settings and not found.folder.is_dir():
        _fail(binding, f"migrations_dir is {folder!r}, and there is no such folder: {shown_path(found.folder)}.")
    return found


def migrated(migrations: Sequence[Migrations], host: Host) -> bytes | None:
    """The file of a database that has had its migrations, on the compatibility date; None where there are none.

    Args:
        migrations: The migrations, in the order in which they are applied.
        host: The test.

    Raises:
        WorkflowConfigError: If one fails: its file and line.
    """
    config = host.config
    date = None if config is None else config.compatibility_date
    return template(migrations, date or _FIRST_DATE)


def _text(binding: BindingConfig, key: str, default: str) -> str:
    value: Any = binding.settings.get(key, default)
    if not isinstance(value, str) or not value:
        _fail(binding, f"{key} is {kind_of(value) if value != '' else 'empty'}, not a name.")
    return value


def _fail(binding: BindingConfig, problem: str) -> NoReturn:
    where = f"{shown_path(binding.path)}:{binding.line}"
    raise WorkflowConfigError(f"{where}: the D1 database {binding.name!r}: {problem}")
