"""The only file that speaks SQL: one in-memory SQLite database per engine, all its instances in it.

The database is written on the loop's own thread. It lives in memory, so no call of it ever waits; and since a step's
result is stored in the same turn in which the callback returned, the order of everything is the same in every run
(docs/explanation/engine.md, "Storage"). What one step produces is written in groups, one `executemany` a table.
"""

from __future__ import annotations

import contextlib
import functools
import sqlite3
from collections.abc import Container, Iterable, Sequence
from typing import Any

import msgspec

from durable_engine.history import INSTANCE_BEGINNINGS, HistoryKind, StepKind
from durable_engine.model import CronTrigger, StepKey
from durable_engine.rows import EventRow, HistoryRow, InstanceRow, StepRow
from durable_engine.workflow import KEPT, Retention

_SCHEMA = """
CREATE TABLE instances (
    key INTEGER PRIMARY KEY, workflow TEXT NOT NULL, id TEXT NOT NULL, created_at INTEGER NOT NULL,
    params BLOB NOT NULL, status TEXT NOT NULL, output BLOB, error BLOB, ended_at INTEGER, paused_at INTEGER,
    success_retention INTEGER, error_retention INTEGER, cron BLOB,
    UNIQUE (workflow, id)
) STRICT;
CREATE TABLE steps (
    instance INTEGER NOT NULL, seq INTEGER NOT NULL, kind TEXT NOT NULL, name TEXT NOT NULL, count INTEGER NOT NULL,
    duration INTEGER NOT NULL, status TEXT NOT NULL, started_at INTEGER NOT NULL, ended_at INTEGER, due INTEGER,
    attempts INTEGER NOT NULL, failures INTEGER NOT NULL, result BLOB, error BLOB, inputs BLOB, flags INTEGER NOT NULL,
    PRIMARY KEY (instance, kind, name, count, duration)
) STRICT, WITHOUT ROWID;
CREATE TABLE history (
    seq INTEGER PRIMARY KEY, instance INTEGER NOT NULL, kind TEXT NOT NULL, step_kind TEXT, name TEXT,
    count INTEGER, duration INTEGER, at INTEGER NOT NULL, detail BLOB, value BLOB
) STRICT;
CREATE INDEX history_of_instance ON history (instance);
CREATE TABLE events (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, instance INTEGER NOT NULL, type TEXT NOT NULL, payload BLOB NOT NULL,
    at INTEGER NOT NULL, mocked INTEGER NOT NULL
) STRICT;
CREATE INDEX events_of_instance ON events (instance);
"""


@functools.cache
def _empty_database() -> bytes:
    """A database with the schema and nothing in it: copying it is four times as fast as creating the tables anew."""
    with contextlib.closing(sqlite3.connect(":memory:", isolation_level=None)) as database:
        database.executescript(_SCHEMA)
        return database.serialize()


_NO_DURATION = -(2**63)
"""Stands for the duration of a step that is no sleep: a primary key has no NULL."""


class Store:
    """The engine's storage. Reads see every write before them."""

    def __init__(self) -> None:
        self._db = sqlite3.connect(":memory:", isolation_level=None, cached_statements=64)
        self._db.deserialize(_empty_database())
        self._history: list[tuple[Any, ...]] = []
        self._read: tuple[int, list[tuple[Any, ...]]] | None = None
        self._steps: dict[tuple[int, StepKey], tuple[Any, ...]] = {}
        self._next_key = 1

    def close(self) -> None:
        """Drop the database; closing twice is fine."""
        self._db.close()

    # -- instances ---------------------------------------------------------------------------------------------------

    def add_instance(
        self,
        workflow: str,
        id: str,
        created_at: int,
        params: bytes,
        retention: Retention = KEPT,
        trigger: CronTrigger | None = None,
    ) -> InstanceRow:
        """Store a new instance; its id must be free."""
        row = InstanceRow(
            self._next_key,
            workflow,
            id,
            created_at,
            params,
            "queued",
            success_retention=retention.success,
            error_retention=retention.error,
            cron=None if trigger is None else msgspec.msgpack.encode(trigger),
        )
        self._next_key += 1
        self._db.execute(
            "INSERT INTO instances VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", msgspec.structs.astuple(row)
        )
        return row

    def find_instance(self, workflow: str, id: str) -> InstanceRow | None:
        """The instance of that workflow and id, or None."""
        found = self._db.execute("SELECT * FROM instances WHERE workflow = ? AND id = ?", (workflow, id)).fetchone()
        return InstanceRow(*found) if found else None

    def all_instances(self) -> list[InstanceRow]:
        """Every instance, in order of creation."""
        return [InstanceRow(*row) for row in self._db.execute("SELECT * FROM instances ORDER BY key")]

    def save_instance(self, row: InstanceRow) -> None:
        """Store an instance's state."""
        self._db.execute(
            "UPDATE instances SET status = ?, output = ?, error = ?, ended_at = ?, paused_at = ? WHERE key = ?",
            (row.status, row.output, row.error, row.ended_at, row.paused_at, row.key),
        )

    def delete_instances(self, keys: Iterable[int]) -> None:
        """Leave no row of these instances."""
        self.flush()
        self._read = None
        rows = [(key,) for key in keys]
        self._db.executemany("DELETE FROM instances WHERE key = ?", rows)
        for table in ("steps", "history", "events"):
            self._db.executemany(f"DELETE FROM {table} WHERE instance = ?", rows)

    # -- steps and history -------------------------------------------------------------------------------------------

    def record(self, instance: int, events: Sequence[HistoryRow], step: StepRow | None = None) -> None:
        """Add to an instance's history, and keep a step's new state beside it.

        What is recorded is grouped and written by the next `flush`, `read` or `delete`.
        """
        for kind, key, at, detail, value in events:
            stored = (None, None, None, None) if key is None else _stored(key)
            self._history.append((instance, kind, *stored, at, detail and msgspec.msgpack.encode(detail), value))
        if step is not None:
            self._steps[instance, step.key] = (
                instance,
                step.seq,
                *_stored(step.key),
                step.status,
                step.started_at,
                step.ended_at,
                step.due,
                step.attempts,
                step.failures,
                step.result,
                step.error,
                step.inputs,
                step.flags,
            )

    def flush(self) -> None:
        """Write what was recorded."""
        if self._history:
            self._read = None
            self._db.executemany(
                "INSERT INTO history (instance, kind, step_kind, name, count, duration, at, detail, value) "
                "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                self._history,
            )
            self._history.clear()
        if self._steps:
            self._db.executemany(
                "INSERT OR REPLACE INTO steps VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                self._steps.values(),
            )
            self._steps.clear()

    def steps(self, instance: int) -> list[StepRow]:
        """An instance's steps in order of their start."""
        self.flush()
        rows = self._db.execute(
            "SELECT kind, name, count, duration, seq, started_at, status, ended_at, due, attempts, failures, result, "
            "error, inputs, flags FROM steps WHERE instance = ? ORDER BY seq",
            (instance,),
        )
        return [StepRow(_read_key(*row[:4]), *row[4:]) for row in rows]

    def step(self, instance: int, key: StepKey) -> StepRow | None:
        """One step of an instance, or None."""
        self.flush()
        row = self._db.execute(
            "SELECT seq, started_at, status, ended_at, due, attempts, failures, result, error, inputs, flags "
            "FROM steps WHERE instance = ? AND kind = ? AND name = ? AND count = ? AND duration = ?",
            (instance, *_stored(key)),
        ).fetchone()
        return StepRow(key, *row) if row else None

    def history(self, instance: int) -> list[HistoryRow]:
        """An instance's history in order."""
        return [_history_row(*row) for row in self._history_of(instance)]

    def history_after(self, instance: int, number: int, most: int = -1) -> list[HistoryRow]:
        """An instance's history without its first lines; `most` is how many lines, negative for all."""
        self.flush()
        rows = self._db.execute(
            "SELECT kind, step_kind, name, count, duration, at, detail, value FROM history WHERE instance = ? "
            "ORDER BY seq LIMIT ? OFFSET ?",
            (instance, most, number),
        )
        return [_history_row(*row) for row in rows]

    def ranks(self, instance: int, kinds: Container[HistoryKind]) -> dict[StepKey, int]:
        """The places in an instance's history of each step's last line of one of these kinds."""
        rows = enumerate(self._history_of(instance))
        keys = ((_key(*row[1:5]), rank) for rank, row in rows if row[0] in kinds)
        return {key: rank for key, rank in keys if key is not None}

    def _history_of(self, instance: int) -> list[tuple[Any, ...]]:
        """The rows, kept until something changes: several read what has ended, one after the other."""
        self.flush()
        if self._read is None or self._read[0] != instance:
            rows = self._db.execute(
                "SELECT kind, step_kind, name, count, duration, at, detail, value FROM history WHERE instance = ? "
                "ORDER BY seq",
                (instance,),
            )
            self._read = (instance, rows.fetchall())
        return self._read[1]

    def forget_steps(self, instance: int, from_seq: int = 0) -> None:
        """Wipe the steps that started at or after `from_seq`, and the history of everything but the others.

        How the instance began stays in its history, unless everything goes (`from_seq` 0).
        """
        self.flush()
        self._read = None
        self._db.execute("DELETE FROM steps WHERE instance = ? AND seq >= ?", (instance, from_seq))
        self._db.execute(
            "DELETE FROM history WHERE instance = ? AND NOT EXISTS (SELECT 1 FROM steps WHERE "
            "steps.instance = history.instance AND steps.kind = history.step_kind AND steps.name = history.name "
            "AND steps.count = history.count AND steps.duration = history.duration) "
            "AND (? = 0 OR kind NOT IN (?, ?))",
            (instance, from_seq, *sorted(INSTANCE_BEGINNINGS)),
        )

    # -- events ------------------------------------------------------------------------------------------------------

    def add_event(self, instance: int, type: str, payload: bytes, at: int, *, mocked: bool) -> int:
        """Keep an event until a wait takes it.

        Returns:
            Its number, which no other event gets.
        """
        added = self._db.execute(
            "INSERT INTO events (instance, type, payload, at, mocked) VALUES (?, ?, ?, ?, ?)",
            (instance, type, payload, at, mocked),
        )
        assert added.lastrowid is not None
        return added.lastrowid

    def has_event(self, instance: int, type: str) -> bool:
        """Whether an event of that type is kept."""
        query = "SELECT 1 FROM events WHERE instance = ? AND type = ? LIMIT 1"
        return self._db.execute(query, (instance, type)).fetchone() is not None

    def take_event(self, instance: int, type: str) -> EventRow | None:
        """Remove and return the oldest event of that type, or None."""
        row = self._db.execute(
            "SELECT seq, type, payload, at, mocked FROM events WHERE instance = ? AND type = ? ORDER BY seq LIMIT 1",
            (instance, type),
        ).fetchone()
        if row is None:
            return None
        self._db.execute("DELETE FROM events WHERE seq = ?", (row[0],))
        return EventRow(*row)

    def events(self, instance: int) -> list[EventRow]:
        """The events that nothing has taken, oldest first."""
        rows = self._db.execute(
            "SELECT seq, type, payload, at, mocked FROM events WHERE instance = ? ORDER BY seq", (instance,)
        )
        return [EventRow(*row) for row in rows]

    def delete_events(self, instance: int) -> None:
        """Drop the events that nothing has taken."""
        self._db.execute("DELETE FROM events WHERE instance = ?", (instance,))


def _history_row(
    kind: HistoryKind,
    step_kind: StepKind,
    name: str,
    count: int,
    duration: int,
    at: int,
    detail: bytes | None,
    value: bytes | None,
) -> HistoryRow:
    key = _key(step_kind, name, count, duration)
    return HistoryRow(kind, key, at, None if detail is None else msgspec.msgpack.decode(detail), value)


def _stored(key: StepKey) -> tuple[StepKind, str, int, int]:
    kind, name, count, duration = key
    return kind, name, count, _NO_DURATION if duration is None else duration


def _read_key(kind: StepKind, name: str, count: int, duration: int) -> StepKey:
    return StepKey(kind, name, count, None if duration == _NO_DURATION else duration)


def _key(kind: StepKind | None, name: str, count: int, duration: int) -> StepKey | None:
    return None if kind is None else _read_key(kind, name, count, duration)
