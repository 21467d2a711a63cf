"""The difference between what two runs of a test left in its stores, as a reader of a report wants it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from pytest_workflows.messages.short_repr import shown
from pytest_workflows.standins.stores import Row

from .clock_values import Window

MOST_SHOWN = 3
Contents = Mapping[tuple[str, ...], Mapping[str, Mapping[Any, Any]]]
"""What stores hold: by the names of each, by table (`""` where a store has none), by key."""
_ABSENT = object()


class Difference(NamedTuple):
    """A row or a key that differs.

    Attributes:
        names: The names of the store.
        text: What differs, a clause.
    """

    names: tuple[str, ...]
    text: str


def differences(
    plain: Contents, other: Contents, ignored: Iterable[str] = (), window: Window | None = None
) -> list[Difference]:
    """What differs between what the plain run left and what another run left.

    Args:
        plain: What the plain run left.
        other: What the other one left.
        ignored: Names of stores, or of tables of them (`DB.audit_log`), that may differ.
        window: The virtual time of both runs; values that differ as times within it are no difference.
    """
    found: list[Difference] = []
    for names, name, (before, now) in side_by_side((plain, other), ignored):
        found += [Difference(names, text) for text in _of_table(name, before, now, window)]
    return found


def side_by_side(
    all_contents: Sequence[Contents], ignored: Iterable[str] = ()
) -> Iterator[tuple[tuple[str, ...], str, list[Mapping[Any, Any]]]]:
    """The tables of several runs' stores.

    Args:
        all_contents: What the stores of each run hold.
        ignored: Names of stores, or of tables of them (`DB.audit_log`), that are left out.

    Yields:
        The names of a store, what to call the table, and what each run has in it.
    """
    left_out = frozenset(ignored)
    for names in sorted({names for contents in all_contents for names in contents}):
        stores = [contents.get(names, {}) for contents in all_contents]
        for table in sorted({table for store in stores for table in store}):
            if left_out.isdisjoint([*names, *(f"{name}.{table}" for name in names)]):
                yield names, f"{names[0]}.{table}" if table else names[0], [store.get(table, {}) for store in stores]


def summary(found: Sequence[Difference]) -> str:
    """The first of the differences, and how many more there are."""
    more = len(found) - MOST_SHOWN
    texts = [one.text for one in found[:MOST_SHOWN]]
    return "; ".join([*texts, *([f"and {more} more" if more > 1 else "and one more"] if more > 0 else [])])


def _of_table(name: str, plain: Mapping[Any, Any], other: Mapping[Any, Any], window: Window | None) -> Iterator[str]:
    keys = [*plain, *(key for key in other if key not in plain)]
    changed = [key for key in keys if _differ(plain.get(key, _ABSENT), other.get(key, _ABSENT))]
    if window is not None and changed:
        before, now = (_masked(changed, table, window) for table in (plain, other))
        changed = [key for key in changed if _differ(before.get(window.masked(key)), now.get(window.masked(key)))]
    for key in changed:
        yield _text(name, key, plain.get(key, _ABSENT), other.get(key, _ABSENT))


def _masked(keys: Sequence[Any], table: Mapping[Any, Any], window: Window) -> dict[Any, Any]:
    """What a table has of some keys without the times of the run: of rows how many, of keys their values."""
    found: dict[Any, list[Any]] = {}
    for key in keys:
        if key in table:
            value = table[key]
            values = found.setdefault(window.masked(key), [])
            values += [1] * value if isinstance(key, Row) else [window.masked(value)]
    return found


def _differ(one: object, other: object) -> bool:
    try:
        return bool(one != other)
    except Exception:  # values that cannot be compared are not known to differ
        return False


def _text(name: str, key: Any, before: Any, now: Any) -> str:
    if isinstance(key, Row):
        counts = [0 if count is _ABSENT else count for count in (before, now)]
        return f"{name} has the row {key} {times(counts[1])}, and {times(counts[0])} without the crash"
    where = f"{name} has the key {shown(key)}"
    if before is _ABSENT:
        return f"{where}, and has it not without the crash"
    if now is _ABSENT:
        return f"{name} lacks the key {shown(key)}, which it has without the crash"
    return f"{where} with {cell_text(now)}, and with {cell_text(before)} without the crash"


def cell_text(value: Any) -> str:
    """A value of a key: bytes that are text as a text, and what stands beside them only where there is something."""
    if not (isinstance(value, tuple) and value and isinstance(value[0], bytes)):
        return shown(value)
    content, *others = value
    try:
        text = shown(content.decode())
    except UnicodeDecodeError:
        text = shown(content)
    return " and ".join([text, *(shown(one) for one in others if one)])


def times(number: int) -> str:
    """So often, in words."""
    return "once" if number == 1 else f"{number} times"
