"""The packages that are deployed: those that a project declares, and what they need on the platform."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

from packaging.markers import Marker, UndefinedComparison
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion


@dataclass(frozen=True)
class Resolution:
    """The deployed packages, by canonical name.

    Attributes:
        needs: What each of them needs.
    """

    needs: Mapping[str, Iterable[str]]

    def __contains__(self, name: str) -> bool:
        return name in self.needs

    def ways_from(self, name: str) -> Iterator[list[str]]:
        """A package and all that it needs, the nearest first, each with the packages on the way to it."""
        waiting, seen = deque([[name]]), {name}
        while waiting:
            way = waiting.popleft()
            yield way
            for needed in self.needs.get(way[-1], ()):
                if needed not in seen:
                    seen.add(needed)
                    waiting.append([*way, needed])


def resolve(
    declared: Iterable[Requirement],
    requirements_of: Callable[[str, str], Iterable[Requirement]],
    environment: Mapping[str, str],
) -> Resolution:
    """Find all that is deployed.

    Args:
        declared: What the project declares.
        requirements_of: Gives what a package needs, or one of its extras: the name of none is empty.
        environment: The values of markers on the platform.
    """
    needs: dict[str, dict[str, None]] = {}
    seen: set[tuple[str, str]] = set()
    waiting = deque((one, "", None) for one in declared)  # type: deque[tuple[Requirement, str, str | None]]
    while waiting:
        requirement, of_extra, needed_by = waiting.popleft()
        if not _holds(requirement.marker, {**environment, "extra": of_extra}):
            continue
        name = canonicalize_name(requirement.name)
        needs.setdefault(name, {})
        if needed_by is not None:
            needs[needed_by][name] = None
        for extra in ("", *sorted(requirement.extras)):
            if (name, extra) not in seen:
                seen.add((name, extra))
                waiting.extend((one, extra, name) for one in requirements_of(name, extra))
    return Resolution(needs)


def _holds(marker: Marker | None, environment: Mapping[str, str]) -> bool:
    """Whether a requirement's marker holds; one that compares what cannot be compared does."""
    try:
        return marker is None or marker.evaluate(dict(environment))
    except (UndefinedComparison, InvalidVersion):
        return True
