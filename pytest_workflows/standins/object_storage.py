"""A Durable Object's `storage`, and the transactions in it, as JavaScript has them.

Source: workerd 1.20261117.1, observed.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Generator, Iterator, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from durable_engine import jsnull
from pytest_workflows.javascript.buffers import JsArrayBuffer, JsTypedArray, bytes_of
from pytest_workflows.javascript.cloning import Cloner, clone
from pytest_workflows.javascript.collections import JsDate, JsMap
from pytest_workflows.javascript.objects import (
    JsArray,
    JsObject,
    JsPlain,
    JsPromise,
    from_python,
    js_error,
    js_text,
    option,
    promised,
    to_python,
)

from .crossing import call_back
from .js_arguments import is_given, not_of_type, to_int
from .object_data import ObjectData
from .object_sections import Sections
from .options import warn_of_unknown_options

if TYPE_CHECKING:
    from .host import Host
    from .sql_storage import SqlStorage

_STORAGE: Final = "DurableObjectStorage"
_NOT_SQLITE: Final = (
    "SQL is not enabled for this Durable Object class. To enable it, set `enableSql = true` in your workerd config for "
    "the class. If using wrangler, under `[[migrations]]` in wrangler.toml, change `new_classes` to "
    "`new_sqlite_classes`. Note that this change cannot be made after the class is already deployed to production."
)
_NOT_IN_TRANSACTION: Final = "Cannot call deleteAll() within a transaction"
_ENDED: Final = "This Durable Object has ended, and nothing is written any more. Its next call makes it anew."
_MOST_KEYS: Final = 128
_LONGEST_KEY: Final = 2048
_LARGEST: Final = 2_000_000
_LARGEST_WITHOUT_SQLITE: Final = 131_072
_COMMITTED: Final = (
    "Cannot call {}() on transaction that has already committed: did you move `txn` outside of the closure?"
)


class _Immediate(JsPromise, js_class="Promise"):
    """A promise of storage. While an object awaits one, nothing else of it is run: no other event comes between."""

    def __await__(self) -> Generator[Any, None, Any]:
        if self._error is not None:
            raise self._error
        return to_python(self._value)
        yield


class ObjectWrites:
    """What an object wrote since its last event ended, or time moved: it is undone together if the object is aborted.

    Where time is real it passes while code runs: there the end of the turn of the loop counts, and no clock.

    Args:
        data: The object's contents.
        now_ms: Gives the virtual time.
        on_alarm: Called when the alarm may be another one; with `is_asked` where the object set it.
        on_first: Called when it writes something, and everything that it wrote before is kept: to have this kept at the
            end of the turn of the loop. None where the time that moves says what is kept.
    """

    def __init__(
        self,
        data: ObjectData,
        now_ms: Callable[[], int],
        on_alarm: Callable[..., None],
        on_first: Callable[[], None] | None = None,
    ) -> None:
        self.data = data
        self._on_first = on_first
        self._now_ms = now_ms
        self._on_alarm = on_alarm
        self._since: int | None = None
        self.is_over = False
        """Whether the object has ended: the contents are another one's now, and none of its transactions."""

    @property
    def is_in_transaction(self) -> bool:
        """Whether a transaction is open that the object has begun itself."""
        return self.data.depth > (0 if self._since is None else 1)

    def before(self) -> None:
        """To be called before anything is written.

        Raises:
            JsException: If the object has ended.
        """
        self.check()
        if self._is_of_earlier():
            self.keep()
        if not self.data.depth:
            self.data.begin()
            self._since = self._now_ms()
            if self._on_first is not None:
                self._on_first()

    def check(self) -> None:
        """Refuse what an object would write that has ended."""
        if self.is_over:
            raise js_error("Error", _ENDED)

    def _is_of_earlier(self) -> bool:
        """Whether time has moved since it wrote what is not kept, and no transaction of its own is open."""
        if self._on_first is not None or self._since is None or self.data.depth > 1:
            return False
        return self._since != self._now_ms()

    def keep(self) -> None:
        """Make what was written last."""
        if self._since is not None:
            self._since = None
            self.data.commit()

    def undo(self) -> bool:
        """Undo what is not kept, open transactions included; whether anything was written now, and is lost."""
        if self._is_of_earlier():
            self.keep()
        is_lost = self.data.is_changed
        while self.data.depth:
            self.data.roll_back()
        self._since = None
        self._on_alarm()
        return is_lost

    def set_alarm(self, due_ms: int | None) -> None:
        """Set the alarm, or none."""
        self.before()
        self.data.alarm = due_ms
        self._on_alarm(is_asked=True)

    def roll_back(self) -> None:
        """Undo a transaction."""
        self.data.roll_back()
        self._on_alarm()


_GET_OPTIONS: Final = ("allowConcurrency", "noCache")
_PUT_OPTIONS: Final = ("allowUnconfirmed", "allowConcurrency", "noCache")
_LIST_OPTIONS: Final = ("start", "startAfter", "end", "prefix", "reverse", "limit")
"""The options of storage (@cloudflare/workers-types 5.20261117)."""


class _Operations(JsObject):
    """What storage and a transaction have in common."""

    _writes: ObjectWrites
    _host: Host
    _is_sqlite: bool
    _now_ms: Callable[[], int]

    def _check(self, method: str) -> None:
        """Refuse the call of a method, where the transaction is over."""

    def _check_limits(
        self, method: str, keys: Collection[Any], values: Mapping[str, Any] = MappingProxyType({})
    ) -> None:
        """Report what is beyond a limit that is documented and that the local runtime does not enforce."""
        if len(keys) > _MOST_KEYS:
            self._warn(f"{method}(...) is given {len(keys)} keys, and a call takes {_MOST_KEYS}")
        most = _LARGEST if self._is_sqlite else _LARGEST_WITHOUT_SQLITE
        for key, value in values.items():
            if len(key) * 4 > _LONGEST_KEY and (size := len(key.encode("utf-8", "surrogatepass"))) > _LONGEST_KEY:
                self._warn(f"{method}(...) is given a key of {size:,} bytes, and a key has up to {_LONGEST_KEY:,}")
            if (size := _size(value)) > most:
                self._warn(f"{method}({key!r}, ...) is given a value of {size:,} bytes, and a value has up to {most:,}")

    def _check_options(self, method: str, options: Any, known: tuple[str, ...]) -> None:
        warn_of_unknown_options(self._host, f"ctx.storage.{method}(...)", options, known)

    def _warn(self, what: str) -> None:
        self._host.warn("documented-limit", f"ctx.storage.{what}")

    @promised
    def get(self, keys: Any = None, options: Any = None) -> Any:
        """The value of a key, undefined where there is none; for an array of keys a map."""
        self._check("get")
        self._check_options("get", options, _GET_OPTIONS)
        data = self._writes.data
        if isinstance(keys, JsArray):
            self._check_limits("get", keys._items)
            found = {}
            for key in sorted({js_text(key) for key in keys._items}):
                value = data.get(key)
                if value is not None:
                    found[key] = value
            return _now(JsMap(found))
        return _now(data.get(js_text(keys)))

    @promised
    def put(self, keys: Any = None, value: Any = None, options: Any = None) -> Any:
        """Set the value of a key, or those of an object's keys."""
        self._check("put")
        self._check_options("put", value if isinstance(keys, JsObject) else options, _PUT_OPTIONS)
        entries: dict[str, Any]
        if isinstance(keys, JsObject):
            cloner = Cloner()
            given = keys._entries if isinstance(keys, JsPlain) else {}
            entries = {key: cloner.clone(item) for key, item in given.items() if item is not None}
        elif value is None:
            raise js_error("TypeError", "put() called with undefined value.")
        else:
            entries = {js_text(keys): clone(value)}
        self._check_limits("put", entries, entries)
        self._writes.before()
        for key, item in entries.items():
            self._writes.data.put(key, item)
        return _now(None)

    @promised
    def delete(self, keys: Any = None, options: Any = None) -> Any:
        """Take a key out; whether it was there. For an array of keys, how many were."""
        self._check("delete")
        self._check_options("delete", options, _PUT_OPTIONS)
        self._writes.before()
        data = self._writes.data
        if isinstance(keys, JsArray):
            self._check_limits("delete", keys._items)
            return _now(sum([data.delete(js_text(key)) for key in keys._items]))
        return _now(data.delete(js_text(keys)))

    @promised
    def list(self, options: Any = None) -> Any:
        """A map of keys and values, in the order of the keys."""
        self._check("list")
        self._check_options("list", options, (*_LIST_OPTIONS, *_GET_OPTIONS))
        return _now(JsMap(_listed(self._writes.data, options)))

    @promised
    def getAlarm(self, options: Any = None) -> Any:
        """When the alarm is due, in milliseconds; null for no alarm."""
        self._check("getAlarm")
        alarm = self._writes.data.alarm
        return _now(jsnull if alarm is None else alarm)

    @promised
    def setAlarm(self, time: Any = None, options: Any = None) -> Any:
        """Set the alarm, in place of one that was set."""
        self._check("setAlarm")
        self._check_options("setAlarm", options, ("allowConcurrency", "allowUnconfirmed"))
        due = _alarm_time(time)
        self._writes.set_alarm(max(due, self._now_ms()))
        return _now(None)

    @promised
    def deleteAlarm(self, options: Any = None) -> Any:
        """Take the alarm back."""
        self._check("deleteAlarm")
        self._writes.set_alarm(None)
        return _now(None)


class DurableObjectStorage(_Operations):
    """`ctx.storage` of a Durable Object.

    Args:
        writes: The object's contents, with what was written last.
        sections: The object's sections.
        host: The test.
        is_sqlite: Whether the class has a database.
        clears_alarm: Whether `deleteAll` takes the alarm back as well (from 2026-02-24 on).
        has_optional_fields: Whether an optional field that has no value is there, undefined (from 2025-12-03 on).
    """

    def __init__(
        self,
        writes: ObjectWrites,
        sections: Sections,
        host: Host,
        *,
        is_sqlite: bool,
        clears_alarm: bool,
        has_optional_fields: bool,
    ) -> None:
        self._writes = writes
        self._sections = sections
        self._host = host
        self._now_ms = host.now_ms
        self._is_sqlite = is_sqlite
        self._clears_alarm = clears_alarm
        self._has_optional_fields = has_optional_fields
        self._sql: SqlStorage | None = None
        self._kv: SyncKvStorage | None = None

    @property
    def sql(self) -> SqlStorage:
        """The database. Raises an Error where the class has none."""
        self._check_sqlite()
        if self._sql is None:
            from .sql_storage import SqlStorage

            self._sql = SqlStorage(
                self._writes.data.database, self._writes.before, has_optional_fields=self._has_optional_fields
            )
        return self._sql

    @property
    def kv(self) -> SyncKvStorage:
        """The keys, without promises. Raises an Error where the class has no database."""
        self._check_sqlite()
        if self._kv is None:
            self._kv = SyncKvStorage(self._writes, has_optional_fields=self._has_optional_fields)
        return self._kv

    def _check_sqlite(self) -> None:
        if not self._is_sqlite:
            raise js_error("Error", _NOT_SQLITE)

    @promised
    def deleteAll(self, options: Any = None) -> Any:
        """Take all keys out, and all tables. Refused within a transaction."""
        if self._writes.is_in_transaction:
            raise js_error("Error", _NOT_IN_TRANSACTION)
        self._writes.before()
        self._writes.data.delete_all()
        if self._clears_alarm:
            self._writes.set_alarm(None)
        return _now(None)

    @promised
    def sync(self) -> Any:
        """Make what was written last."""
        self._writes.keep()
        return _now(None)

    @promised
    def transaction(self, callback: Any = None, options: Any = None) -> Any:
        """Call a function with a transaction; what it raises undoes everything that was written meanwhile.

        Returns:
            What the function gives.
        """

        async def run() -> Any:
            self._writes.check()
            self._writes.keep()
            transaction = DurableObjectTransaction(self)
            self._writes.data.begin()
            try:
                result = await call_back(self._host, callback, transaction)
            except BaseException:
                transaction._end(is_kept=False)
                raise
            transaction._end(is_kept=True)
            return result

        if not callable(callback):
            raise not_of_type("transaction", _STORAGE, 1, "function")
        return self._sections.run(run)

    def transactionSync(self, callback: Any = None) -> Any:
        """Call a function at once; what it raises undoes everything that it wrote.

        Returns:
            What the function gives.
        """
        if not callable(callback):
            raise not_of_type("transactionSync", _STORAGE, 1, "function")
        self._check_sqlite()
        self._writes.before()
        data = self._writes.data
        data.begin()
        depth = data.depth
        try:
            result = from_python(callback())
        except BaseException:
            if data.depth == depth:
                self._writes.roll_back()
            raise
        data.commit()
        return result

    @promised
    def getCurrentBookmark(self) -> Any:
        """A bookmark, always the same: nothing is backed up here."""
        return _now("00000000-00000000-00000000-00000000000000000000000000000000")

    @promised
    def getBookmarkForTime(self, time: Any = None) -> Any:
        """Refused: nothing is backed up here."""
        raise js_error("Error", _NO_BACKUP)

    @promised
    def onNextSessionRestoreBookmark(self, bookmark: Any = None) -> Any:
        """Refused: nothing is backed up here."""
        raise js_error("Error", _NO_BACKUP)


_NO_BACKUP: Final = "This Durable Object's storage back-end does not implement point-in-time recovery."


class DurableObjectTransaction(_Operations):
    """A transaction.

    Args:
        storage: The storage that it is of.
    """

    def __init__(self, storage: DurableObjectStorage) -> None:
        self._writes = storage._writes
        self._host, self._is_sqlite, self._now_ms = storage._host, storage._is_sqlite, storage._now_ms
        self._depth = storage._writes.data.depth + 1
        self._is_rolled_back = self._is_over = False

    def _check(self, method: str) -> None:
        if self._is_rolled_back:
            raise js_error("Error", f"Cannot {method}() on rolled back transaction")
        if self._is_over:
            raise js_error("Error", _COMMITTED.format(method))

    def _end(self, *, is_kept: bool) -> None:
        self._is_over = True
        if self._is_rolled_back or self._writes.is_over or self._writes.data.depth < self._depth:  # it was aborted
            return
        if is_kept:
            self._writes.data.commit()
        else:
            self._writes.roll_back()

    @promised
    def deleteAll(self, options: Any = None) -> Any:
        """Refused, as on the platform."""
        raise js_error("Error", _NOT_IN_TRANSACTION)

    def rollback(self) -> None:
        """Undo everything that was written in it; nothing can be done with it afterwards."""
        if self._is_rolled_back:
            return
        self._check("rollback")
        self._writes.check()
        self._is_rolled_back = True
        self._writes.roll_back()


class SyncKvStorage(JsObject):
    """`storage.kv`: the keys, without promises.

    Args:
        writes: The object's contents, with what was written last.
        has_optional_fields: Whether an optional field that has no value is there, undefined.
    """

    def __init__(self, writes: ObjectWrites, *, has_optional_fields: bool) -> None:
        self._writes = writes
        self._has_optional_fields = has_optional_fields

    def get(self, key: Any = None) -> Any:
        """The value of a key; undefined where there is none."""
        return self._writes.data.get(js_text(key))

    def put(self, key: Any = None, value: Any = None) -> None:
        """Set the value of a key."""
        self._writes.before()
        self._writes.data.put(js_text(key), clone(value))

    def delete(self, key: Any = None) -> bool:
        """Take a key out; whether it was there."""
        self._writes.before()
        return self._writes.data.delete(js_text(key))

    def list(self, options: Any = None) -> ListIterator:
        """Pairs of keys and values, in the order of the keys."""
        return ListIterator(_listed(self._writes.data, options), self._has_optional_fields)


class ListIterator(JsObject):
    """What `storage.kv.list` gives.

    Args:
        entries: Keys and values.
        has_optional_fields: Whether an optional field that has no value is there, undefined.
    """

    def __init__(self, entries: dict[str, Any], has_optional_fields: bool) -> None:
        self._pairs = iter(entries.items())
        self._has_optional_fields = has_optional_fields

    def next(self) -> JsPlain:
        """The next pair, as an iterator of JavaScript gives it."""
        for key, value in self._pairs:
            return JsPlain({"done": False, "value": JsArray([key, value])})
        return JsPlain({"done": True, "value": None} if self._has_optional_fields else {"done": True})

    def __iter__(self) -> Iterator[Any]:
        return (JsArray([key, value]) for key, value in self._pairs)


# -- arguments and results ---------------------------------------------------------------------------------------------


def _now(value: Any) -> JsPromise:
    return _Immediate.resolved(value)


def _listed(data: ObjectData, options: Any) -> dict[str, Any]:
    start, after, limit = option(options, "start"), option(options, "startAfter"), option(options, "limit")
    if is_given(start) and is_given(after):
        raise js_error("TypeError", "list() cannot be called with both start and startAfter values.")
    most = to_int(limit) if is_given(limit) else None
    if most is not None and most <= 0:
        raise js_error("TypeError", "List limit must be positive.")
    end, prefix = option(options, "end"), option(options, "prefix")
    return data.listed(
        start=js_text(start) if is_given(start) else None,
        after=js_text(after) if is_given(after) else None,
        end=js_text(end) if is_given(end) else None,
        prefix=js_text(prefix) if is_given(prefix) else "",
        limit=most,
        reverse=bool(option(options, "reverse")),
    )


def _size(value: Any) -> int:
    """The size of a text or of bytes; anything else is not measured."""
    if isinstance(value, str):
        return len(value) if value.isascii() else len(value.encode("utf-8", "surrogatepass"))
    return len(bytes_of(value) or b"") if isinstance(value, JsArrayBuffer | JsTypedArray) else 0


def _alarm_time(time: Any) -> int:
    ms: float
    if isinstance(time, JsDate):
        ms = time._ms
    elif isinstance(time, int | float) and not isinstance(time, bool):
        ms = time
    else:
        raise not_of_type("setAlarm", _STORAGE, 1, "date")
    if not math.isfinite(ms) or abs(ms) > 8.64e15:
        raise js_error("TypeError", "The value cannot be converted because it is not a valid Date.")
    if ms <= 0:
        raise js_error("TypeError", "setAlarm() cannot be called with an alarm time <= 0")
    return int(ms)


__all__ = ["DurableObjectStorage", "DurableObjectTransaction", "ObjectWrites", "SyncKvStorage"]
