"""Broken rules of a session, by rule and place: one line that three hundred instances run is one thing to mend."""

from __future__ import annotations

from dataclasses import dataclass, field

from pytest_workflows.recordings import FindingRecord
from pytest_workflows.rules.registry import load_rules

from .pills import Pills
from .report import Report

_MOST_MESSAGES = 5


@dataclass
class FoundPlace:
    """A line where a rule is broken.

    Attributes:
        file: The file, as recordings name it.
        line: The line in it.
        messages: The messages of the findings there, each once.
        instances: The numbers of the instances that it was noticed in.
        tests: How many tests they are of.
        pill: The pill that shows them.
    """

    file: str
    line: int
    messages: list[str] = field(default_factory=list)
    instances: list[int] = field(default_factory=list)
    tests: int = 0
    pill: int | None = None

    @property
    def shown(self) -> list[str]:
        """The first of the messages, and how many more there are."""
        more = len(self.messages) - _MOST_MESSAGES
        return [*self.messages[:_MOST_MESSAGES], *([f"... and {more} more of the kind"] if more > 0 else [])]


@dataclass
class BrokenRule:
    """A rule, and where it is broken.

    Attributes:
        name: The rule.
        consequence: The consequence in production; None for a rule that is not known here.
        remedy: The code to write instead.
        places: Where it is broken.
    """

    name: str
    consequence: str | None
    remedy: str | None
    places: list[FoundPlace]

    @property
    def instances(self) -> int:
        """The number of instances that it was noticed in."""
        return len({number for place in self.places for number in place.instances})


def broken_rules(report: Report, pills: Pills) -> list[BrokenRule]:
    """The broken rules of the instances that the page shows, by name."""
    places: dict[str, dict[tuple[str, int], FoundPlace]] = {}
    tests: dict[int, set[str]] = {}
    number = 0
    for test in report.tests:
        for recording in test.recordings:
            for finding in recording.findings:
                key = (finding.place.file, finding.place.line)
                place = places.setdefault(finding.rule, {}).setdefault(key, FoundPlace(*key))
                _add(place, finding, number)
                tests.setdefault(id(place), set()).add(test.id)
            number += 1
    for name, found in places.items():
        for place in found.values():
            place.tests = len(tests[id(place)])
            place.pill = pills.add(f"{name} at {place.file}:{place.line}", place.instances)
    return [_rule(name, sorted(places[name].values(), key=lambda one: (one.file, one.line))) for name in sorted(places)]


def _add(place: FoundPlace, finding: FindingRecord, number: int) -> None:
    if finding.message not in place.messages:
        place.messages.append(finding.message)
    if number not in place.instances[-1:]:
        place.instances.append(number)


def _rule(name: str, places: list[FoundPlace]) -> BrokenRule:
    known = load_rules().rules.get(name)
    return BrokenRule(
        name, None if known is None else known.consequence, None if known is None else known.remedy, places
    )
