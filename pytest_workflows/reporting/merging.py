"""Merges the records of several sessions, such as the jobs of one CI run, into those of one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import combinations
from typing import NamedTuple

import msgspec

from pytest_workflows.exploration.explorer import Tally
from pytest_workflows.messages.short_repr import counted

from .html import Failure
from .json_report import ReportError
from .kept_sources import joined
from .run_records import TestRuns
from .session_records import Part, SessionRecords, Share

_OF_ONE = "Merge the parts of one run of one project."


class Given(NamedTuple):
    """A part as it was given.

    Attributes:
        name: What messages call it.
        records: What it holds.
    """

    name: str
    records: SessionRecords


def merge(given: Sequence[Given]) -> SessionRecords:
    """The records as one session would have made them.

    Args:
        given: The parts, at least one.

    Raises:
        ReportError: If they are not the parts of one run, or one is missing or there twice.
    """
    for one, other in combinations(given, 2):
        _check_two(one, other)
    parts = [part for one in given for part in one.records.parts]
    _check_shares(parts)
    _check_slices(parts)
    _check_tests(given)
    first = given[0].records
    exploration = Tally()
    for one in given:
        exploration.add(one.records.exploration)
    return SessionRecords(
        parts=sorted(parts, key=lambda part: (part.share or Share(0, 0), part.id)),
        made_by=first.made_by,
        made_at=max(one.records.made_at for one in given),
        commit=first.commit,
        folder=first.folder,
        runs=_ordered(given, parts),
        failures=_failures(given),
        configured=list(dict.fromkeys(known for one in given for known in one.records.configured)),
        exploration=exploration,
        sources=joined(one.records.sources for one in given if one.records.sources is not None),
        folders={path: short for one in given for path, short in one.records.folders.items()},
    )


def _failures(given: Sequence[Given]) -> dict[str, Failure]:
    """How tests failed: a plain run once, though each slice made it, and a file that cannot be collected once."""
    found = {nodeid: failure for one in reversed(given) for nodeid, failure in one.records.failures.items()}
    return dict(sorted(found.items()))


def _ordered(given: Sequence[Given], parts: Sequence[Part]) -> list[TestRuns]:
    """The runs in the order of one session; where the parts did not collect the same tests, part after part."""
    runs = [run for one in sorted(given, key=_first_test) for run in one.records.runs]
    if len({part.collected for part in parts}) == 1:
        runs.sort(key=lambda run: run.place)
    return [msgspec.structs.replace(run, place=place) for place, run in enumerate(runs)]


def _first_test(given: Given) -> str:
    return next((run.test for run in given.records.runs), "")


def _check_two(one: Given, other: Given) -> None:
    mine, others = one.records, other.records
    names = f"{one.name} and {other.name}"
    if {part.id for part in mine.parts} & {part.id for part in others.parts}:
        raise ReportError(f"{names} are the same part. Give each part once.")
    if mine.made_by != others.made_by:
        raise ReportError(
            f"{names} were made by different versions of pytest-workflows: {mine.made_by} and {others.made_by}. "
            "Install one version in all jobs."
        )
    if mine.commit != others.commit:
        raise ReportError(f"{names} are of different commits: {_commit(mine)} and {_commit(others)}. {_OF_ONE}")
    if mine.folder != others.folder:
        raise ReportError(
            f"{names} are of different projects: of the repository's folders {mine.folder or './'} and "
            f"{others.folder or './'}. {_OF_ONE}"
        )
    _check_sources(one, other, names)


def _commit(records: SessionRecords) -> str:
    return records.commit or "none (outside of a repository)"


def _check_sources(one: Given, other: Given, names: str) -> None:
    if one.records.sources is None or other.records.sources is None:
        return
    mine, others = one.records.sources.digests, other.records.sources.digests
    changed = sorted(file for file in mine.keys() & others.keys() if mine[file] != others[file])
    if changed:
        more = f" and {len(changed) - 1} more" if len(changed) > 1 else ""
        raise ReportError(f"{names} are of different sources: {changed[0]}{more} is not the same. {_OF_ONE}")
    if one.records.commit is None and mine and others and not mine.keys() & others.keys():
        raise ReportError(
            f"{names} are of different projects: they have no file in common, and were made outside of a repository. "
            f"{_OF_ONE}"
        )


def _check_shares(parts: Sequence[Part]) -> None:
    shares = Counter(part.share for part in parts if part.share is not None)
    totals = sorted({share.total for share in shares})
    if len(totals) > 1:
        raise ReportError(
            f"the tests were split into {' and into '.join(map(str, totals))} groups. Call pytest with the same "
            "--splits in all jobs."
        )
    for total in totals:
        _check_all(shares, total, "group")


def _check_slices(parts: Sequence[Part]) -> None:
    slices: dict[str, Counter[Share]] = {}
    for part in parts:
        for test, mine in part.slices.items():
            slices.setdefault(test, Counter()).update(mine)
    for test, found in slices.items():
        totals = sorted({share.total for share in found})
        if len(totals) > 1:
            raise ReportError(
                f"{test} was divided into {' and into '.join(map(str, totals))} slices. Ask for the same number of "
                "slices in all jobs."
            )
        _check_all(found, totals[0], f"{test}: slice")


def _check_all(found: Counter[Share], total: int, what: str) -> None:
    missing = [number for number in range(1, total + 1) if Share(total, number) not in found]
    if missing:
        raise ReportError(
            f"{what} {_listed(missing)} of {total} is in none of the parts. Give the parts of all jobs; a job that "
            "broke off wrote none."
        )
    twice = [share.number for share, count in found.items() if count > 1]
    if twice:
        raise ReportError(f"{what} {_listed(sorted(twice))} of {total} is in several of the parts. {_OF_ONE}")


def _listed(numbers: Sequence[int]) -> str:
    return ", ".join(map(str, numbers))


def _check_tests(given: Sequence[Given]) -> None:
    """Refuse parts that ran the same tests: as one run they would have run each once."""
    ran: dict[str, str] = {}
    for one in given:
        tests = {run.test for run in one.records.runs}
        both = sorted(test for test in tests if test in ran)
        if both:
            more = f" and {counted(len(both) - 1, 'other')}" if len(both) > 1 else ""
            raise ReportError(f"{ran[both[0]]} and {one.name} both ran {both[0]}{more}. {_OF_ONE}")
        ran.update(dict.fromkeys(tests, one.name))
