"""Names of a dump's steps: the platform writes the occurrence behind the name, `charge card-1`."""

from __future__ import annotations

import re
from collections.abc import Sequence

from .notes import Notes

_WITH_COUNT = re.compile(r"(.+)-([1-9]\d*)", re.DOTALL)
Named = tuple[str, str]
"""A step's kind, and its name as the dump has it."""


def split_names(
    steps: Sequence[Named], notes: Notes, durations: Sequence[int | None] | None = None
) -> list[tuple[str, int]]:
    """Each step's name and occurrence.

    Names may themselves end in a number (`page-2-1` is the first `page-2`). In a dump whose names carry no occurrence,
    steps are counted in the order in which they stand. Sleeps of one name and several durations may share an
    occurrence.

    Args:
        steps: The steps.
        notes: Takes what is not known.
        durations: How long each sleep took, in milliseconds; None for other steps, and where that is not known.
    """
    parts = [_split(name) for _, name in steps]
    bare = [name for (_, name), part in zip(steps, parts, strict=True) if part is None]
    if bare:
        notes.add(
            f"The name of step {bare[0]!r} carries no occurrence ({bare[0]}-1): steps of one name are counted in the "
            "order in which they stand in the dump."
        )
        counted = _counted_names(steps, parts)
        parts = [
            part if part and key in counted else None for key, part in zip(_keys(steps, parts), parts, strict=True)
        ]
    return _numbered(steps, parts, notes, durations or [None] * len(steps))


def _split(name: str) -> tuple[str, int] | None:
    found = _WITH_COUNT.fullmatch(name)
    return None if found is None else (found[1], int(found[2]))


def _keys(steps: Sequence[Named], parts: Sequence[tuple[str, int] | None]) -> list[Named]:
    return [(kind, part[0] if part else name) for (kind, name), part in zip(steps, parts, strict=True)]


def _counted_names(steps: Sequence[Named], parts: Sequence[tuple[str, int] | None]) -> set[Named]:
    """Names whose numbers are 1, 2, 3: occurrences. Any other numbers belong to the names themselves."""
    numbers: dict[Named, list[int]] = {}
    for key, part in zip(_keys(steps, parts), parts, strict=True):
        if part:
            numbers.setdefault(key, []).append(part[1])
    counted = {}
    for (kind, name), found in numbers.items():
        counted[kind, name] = sorted(set(found)) if kind == "sleep" else sorted(found)
    return {key for key, found in counted.items() if found == list(range(1, len(found) + 1))}


def _numbered(
    steps: Sequence[Named],
    parts: Sequence[tuple[str, int] | None],
    notes: Notes,
    durations: Sequence[int | None],
) -> list[tuple[str, int]]:
    taken: set[tuple[str, str, int, int | None]] = set()
    found = []
    for (kind, name), part, duration in zip(steps, parts, durations, strict=True):
        base, count = part or (name, 1)
        if part and (kind, base, count, duration) in taken:
            notes.add(f"The step {name!r} stands in the dump more than once: the later one is counted on.")
        while (kind, base, count, duration) in taken:
            count += 1
        taken.add((kind, base, count, duration))
        found.append((base, count))
    return found
