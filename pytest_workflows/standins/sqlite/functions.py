"""SQL's clock and chance: the test's own, in place of the machine's."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta, timezone
from random import Random
from typing import Any

_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)  # noqa: UP017  # datetime.UTC is this very object
_OWN_NOW = frozenset(["subsec", "subsecond"])
"""What stands for `now` where it is the first argument."""
_LOCAL = frozenset(["utc", "localtime"])
"""Modifiers that change nothing on the platform, where local time is UTC."""
_DATES = ("date", "time", "datetime", "julianday", "unixepoch")
_calculator: sqlite3.Connection | None = None


def add_functions(connection: sqlite3.Connection, now_ms: Callable[[], int], chance: Callable[[], Random]) -> None:
    """Give a connection its clock and its chance.

    Args:
        connection: The connection.
        now_ms: The time, in milliseconds since 1970.
        chance: What `random()` and `randomblob()` draw from.
    """

    def moment() -> str:
        return (_EPOCH + timedelta(milliseconds=now_ms())).strftime("%Y-%m-%d %H:%M:%S.%f")[:-3]

    def of_date(name: str) -> Callable[..., Any]:
        def calculate(*args: Any) -> Any:
            return _calculate(name, _with_now(args or ("now",), moment))

        return calculate

    def strftime(*args: Any) -> Any:
        if not args:
            return None
        return _calculate("strftime", [args[0], *_with_now(args[1:] or ("now",), moment)])

    def timediff(first: Any, second: Any) -> Any:
        return _calculate("timediff", [*_with_now((first,), moment), *_with_now((second,), moment)])

    add = connection.create_function
    for name in _DATES:
        add(name, -1, of_date(name), deterministic=True)
    add("strftime", -1, strftime, deterministic=True)
    if sqlite3.sqlite_version_info >= (3, 43):
        add("timediff", 2, timediff, deterministic=True)
    add("current_timestamp", 0, lambda: moment()[:19], deterministic=True)
    add("current_date", 0, lambda: moment()[:10], deterministic=True)
    add("current_time", 0, lambda: moment()[11:19], deterministic=True)
    if sqlite3.sqlite_version_info < (3, 44):
        _add_newer(connection)
    add("random", 0, lambda: chance().getrandbits(64) - 2**63)
    add("randomblob", 1, lambda size: chance().randbytes(max(1, _as_int(size))))


def _add_newer(connection: sqlite3.Connection) -> None:
    """Give a connection of an older SQLite what is missing to the platform's, as far as it can be made here."""
    add = connection.create_function
    add("concat", -1, lambda *values: "".join(_texts(values)), deterministic=True)
    add("concat_ws", -1, lambda between, *values: None if between is None else _text(between).join(_texts(values)))
    connection.create_aggregate("string_agg", 2, _StringAgg)  # type: ignore[arg-type]
    if sqlite3.sqlite_version_info < (3, 43):
        add("octet_length", 1, lambda value: None if value is None else len(_bytes(value)), deterministic=True)
    if sqlite3.sqlite_version_info < (3, 41):
        add("unhex", 1, _unhex, deterministic=True)


class _StringAgg:
    """SQL's `string_agg`: texts with something between them."""

    def __init__(self) -> None:
        self._made: str | None = None

    def step(self, value: Any, between: Any) -> None:
        """Take a row."""
        if value is not None:
            text = _text(value)
            self._made = (
                text if self._made is None else f"{self._made}{'' if between is None else _text(between)}{text}"
            )

    def finalize(self) -> str | None:
        """The whole text; None of no rows."""
        return self._made


def _texts(values: Iterable[Any]) -> Iterable[str]:
    return (_text(value) for value in values if value is not None)


def _text(value: Any) -> str:
    return value.decode(errors="replace") if isinstance(value, bytes) else str(value)


def _bytes(value: Any) -> bytes:
    return value if isinstance(value, bytes) else _text(value).encode()


def _unhex(value: Any) -> bytes | None:
    try:
        return None if value is None or not _text(value).isalnum() else bytes.fromhex(_text(value))
    except ValueError:
        return None


def _with_now(args: tuple[Any, ...], moment: Callable[[], str]) -> list[Any]:
    """A time and its modifiers, with the test's time for `now`."""
    time, *modifiers = args
    if isinstance(time, str):
        if time.lower() == "now":
            time = moment()
        elif time.lower() in _OWN_NOW:
            time, modifiers = moment(), [time, *modifiers]
    return [time, *(one for one in modifiers if not (isinstance(one, str) and one.strip().lower() in _LOCAL))]


def _calculate(name: str, args: list[Any]) -> Any:
    """What SQLite's own function gives."""
    global _calculator
    if _calculator is None:
        _calculator = sqlite3.connect(":memory:", check_same_thread=False, isolation_level=None)
    return _calculator.execute(f"SELECT {name}({','.join('?' * len(args))})", args).fetchone()[0]


def _as_int(value: Any) -> int:
    try:
        return int(value)
    except (TypeError, ValueError):
        return 0
