"""The comparison of an upgrade amid a run with the runs of both sources from the top.

What an instance in flight comes to is right where it is what one of the two sources comes to on its own, part for part:
what the older source has done stays, and what today's does is what it does from the top.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from pytest_workflows.messages.short_repr import shown
from pytest_workflows.standins.stores import Row

from .clock_values import Window
from .source_run import InstanceEnd, SourceCall
from .state_difference import Contents, cell_text, side_by_side, times

if TYPE_CHECKING:
    from durable_engine import StepKey

_ABSENT = object()


def is_mixed(now: Any, today: Any, old: Any) -> bool:
    """Whether a value is what one of two sources gives, in each of its parts.

    Args:
        now: The value.
        today: What today's source gives on its own.
        old: What the older source gives on its own.
    """
    if _same(now, today) or _same(now, old):
        return True
    if isinstance(now, Mapping) and isinstance(today, Mapping) and isinstance(old, Mapping):
        is_known = now.keys() <= today.keys() | old.keys() and now.keys() >= today.keys() & old.keys()
        return is_known and all(is_mixed(now[key], today.get(key, _ABSENT), old.get(key, _ABSENT)) for key in now)
    if isinstance(now, list | tuple) and isinstance(today, list | tuple) and isinstance(old, list | tuple):
        if len(now) not in (len(today), len(old)):
            return False
        return all(
            is_mixed(one, *(other[place] if place < len(other) else _ABSENT for other in (today, old)))
            for place, one in enumerate(now)
        )
    return False


def end_difference(now: InstanceEnd, today: InstanceEnd, old: InstanceEnd | None, window: Window) -> str | None:
    """How an instance ends otherwise than it should, as the end of a sentence about it; None where it does not.

    Args:
        now: Its end after the upgrade.
        today: Its end on today's source from the top.
        old: Its end on the older source; None where that has no such instance.
        window: The virtual time of the runs: times within it are no difference.
    """
    mine, usual = (window.masked((end.status, end.error, end.output)) for end in (now, today))
    before = None if old is None else window.masked((old.status, old.error, old.output))
    if before is not None and mine[:2] == before[:2] and _same(mine[2], before[2]):
        return None  # it was on its way there, whatever came after
    if mine[:2] == usual[:2]:
        output = usual[2] if before is None or before[0] != "complete" else before[2]
        if is_mixed(mine[2], usual[2], output):
            return None
    return f"is {now} in the end, and {today} where today's source runs it from the top"


def call_difference(
    now: InstanceEnd, today: InstanceEnd, old: InstanceEnd | None, window: Window
) -> tuple[str, SourceCall] | None:
    """What an instance calls otherwise than it should, as the end of a sentence about it, and the call.

    Args:
        now: What it came to after the upgrade.
        today: What it comes to on today's source from the top.
        old: The same of the older source; None where that has no such instance.
        window: The virtual time of the runs: times within it are no difference.
    """
    runs = [_MaskedCalls(run.calls, window) for run in (now, today, old) if run is not None]
    found, *others = runs
    both_end = now.is_final and today.is_final
    for call, args in found.calls:
        if not call.is_harmless:
            exact = [run.count(call.about, args) for run in runs]
            about = [run.count(call.about) for run in runs]
            for made, *usual in (exact, about):
                if made > max(usual) > 0:
                    return f"calls {_name(call)} {times(made)}, and {_often(max(usual))} on one source alone", call
    known = {call.about: call for run in others for call, _ in run.calls}
    for call in known.values() if both_end else ():
        made, *usual = (run.count(call.about) for run in runs)
        if made < min(usual) or (old is None and made < usual[0]):
            return f"calls {_name(call)} {_often(made)}, and {times(min(usual))} on each source alone", call
    for call, args in found.calls:
        if _is_unusual(call, args, others):
            return f"calls {_name(call)}, with values that neither source has there on its own", call
    return None


class _MaskedCalls:
    """The calls of a run with their arguments, in which times of the run are masked: once, as many ask for them."""

    def __init__(self, calls: Iterable[SourceCall], window: Window) -> None:
        self.calls = [(call, window.masked(call.args)) for call in calls]
        self._about: dict[tuple[str, str, str], list[Any]] = {}
        self._in_step: dict[tuple[str, str, StepKey], list[Any]] = {}
        for call, args in self.calls:
            self._about.setdefault(call.about, []).append(args)
            self._in_step.setdefault((call.service, call.method, call.step), []).append(args)

    def count(self, about: tuple[str, str, str], args: Any = _ABSENT) -> int:
        """How many calls do the same to the same, with these arguments if some are given."""
        alike = self._about.get(about, [])
        return len(alike) if args is _ABSENT else sum(_same(one, args) for one in alike)

    def in_step(self, call: SourceCall) -> Sequence[Any]:
        """The arguments of the calls of one method in one step."""
        return self._in_step.get((call.service, call.method, call.step), [])


def _is_unusual(call: SourceCall, args: Any, others: Sequence[_MaskedCalls]) -> bool:
    """Whether neither source makes a call with these arguments, and today's does make it in that step."""
    if not others[0].in_step(call):
        return False
    candidates = [one for run in others for one in run.in_step(call)]
    if any(_same(args, one) for one in candidates):
        return False
    return not any(is_mixed(args, one, other) for one in candidates for other in candidates)


def _name(call: SourceCall) -> str:
    method = "" if call.method == "()" else f".{call.method}"
    return f"{call.service}{method}({', '.join(map(shown, call.args))})"


def _often(number: int) -> str:
    return times(number) if number else "never"


def state_difference(
    now: Contents, today: Contents, old: Contents, ignored: Iterable[str], window: Window
) -> str | None:
    """What stores hold otherwise than they should, a sentence; None where nothing.

    Args:
        now: What they hold after the upgrade.
        today: What today's source from the top leaves.
        old: What the older source leaves.
        ignored: Names of stores, or of tables of them (`DB.audit_log`), that may differ.
        window: The virtual time of the runs.
    """
    for _, name, (held, usual, before) in side_by_side(_of_same_names((now, today, old)), ignored):
        for text in _of_table(held, usual, before, window):
            return f"{name} {text}"
    return None


def _of_same_names(all_contents: Sequence[Contents]) -> list[Contents]:
    """The contents of several runs, each store under all names that a run has for it: a binding may be renamed."""
    groups: list[set[str]] = []
    for names in (names for contents in all_contents for names in contents):
        mine = set(names).union(*(group for group in groups if not group.isdisjoint(names)))
        groups = [group for group in groups if group.isdisjoint(mine)] + [mine]
    return [
        {
            next(tuple(sorted(group)) for group in groups if names[0] in group): store
            for names, store in contents.items()
        }
        for contents in all_contents
    ]


def _of_table(
    now: Mapping[Any, Any], today: Mapping[Any, Any], old: Mapping[Any, Any], window: Window
) -> Iterator[str]:
    now, today, old = (_masked(one, window) for one in (now, today, old))
    rows = [key for key in {**now, **today, **old} if isinstance(key, Row)]
    spare = [row for row in rows if now.get(row, 0) < max(today.get(row, 0), old.get(row, 0))]
    for key in {**now, **today, **old}:
        held, usual, before = (one.get(key, _ABSENT) for one in (now, today, old))
        if isinstance(key, Row):
            held, usual, before = (0 if one is _ABSENT else one for one in (held, usual, before))
            if held > max(usual, before) and not _is_mixed_row(key, spare):
                yield f"has the row {key} {times(held)}, and {_often(max(usual, before))} on one source alone"
            elif held < min(usual, before) and not any(_is_mixed_row(row, [key]) for row in now if row not in today):
                yield f"has the row {key} {_often(held)}, and {times(min(usual, before))} on each source alone"
        elif not is_mixed(held, usual, before):
            if held is _ABSENT:
                yield f"lacks the key {shown(key)}, which each source alone leaves"
            else:
                yield f"has the key {shown(key)} with {cell_text(held)}, as neither source alone leaves it"


def _is_mixed_row(row: Row, others: Iterable[Row]) -> bool:
    """Whether two rows that are missing give this one between them, column for column."""
    known = [dict(one) for one in others]
    mine = dict(row)
    return any(
        mine.keys() >= one.keys() | other.keys()
        # A column that one of the two does not have yet has its default, or what was written since.
        and all(name not in one or name not in other or mine[name] in (one[name], other[name]) for name in mine)
        for one in known
        for other in known
    )


def _masked(table: Mapping[Any, Any], window: Window) -> dict[Any, Any]:
    found: dict[Any, Any] = {}
    for key, value in table.items():
        name = window.masked(key)
        if isinstance(key, Row):
            found[name] = found.get(name, 0) + value
        else:
            found[name] = window.masked(value)
    return found


def _same(one: object, other: object) -> bool:
    try:
        return (bool(one == other) and type(one) is type(other)) or one is other
    except Exception:  # values that cannot be compared are not known to differ
        return True
