"""Lock files: what `uv.lock` and `pylock.toml` say of the packages that a project needs."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from packaging.markers import InvalidMarker, Marker, UndefinedComparison, UndefinedEnvironmentName
from packaging.requirements import InvalidRequirement, Requirement
from packaging.tags import Tag
from packaging.utils import InvalidWheelFilename, canonicalize_name, parse_wheel_filename
from packaging.version import InvalidVersion

_LOCAL = ("editable", "directory", "virtual", "git", "path", "vcs", "archive", "url")
"""The sources of a package that say nothing of its wheels."""


@dataclass(frozen=True)
class LockedPackage:
    """A package in a lock file.

    Attributes:
        requirements: Its own requirements.
        extras: Those of its extras, by the extra's name.
        wheels: The tags of each of its wheels; None where the lock file does not say which there are.
    """

    requirements: Sequence[Requirement] = ()
    extras: Mapping[str, Sequence[Requirement]] = field(default_factory=dict)
    wheels: Sequence[frozenset[Tag]] | None = None


@dataclass(frozen=True)
class LockFile:
    """A lock file.

    Attributes:
        file: Its path.
        roots: What it says that is installed, where it says that; what the project's own entry needs.
        packages: Its packages, by canonical name.
    """

    file: Path
    roots: Sequence[Requirement]
    packages: Mapping[str, LockedPackage]


def read_uv_lock(file: Path, project: object) -> LockFile | None:
    """Read `uv.lock`.

    Args:
        file: Its path.
        project: The project's name, which finds its own entry: its requirements are deployed, those of its groups and
            extras are not.

    Returns:
        The lock file; None where it cannot be read, or has no entry of the project.
    """
    entries = _packages_of(file, "package")
    wanted = canonicalize_name(project) if isinstance(project, str) else None
    roots = [entry for entry in entries if canonicalize_name(entry["name"]) == wanted]
    if not roots:
        return None
    packages: dict[str, LockedPackage] = {}
    for entry in entries:
        name = canonicalize_name(entry["name"])
        package = LockedPackage(
            list(_requirements(entry.get("dependencies"))),
            {extra: list(_requirements(needed)) for extra, needed in _table(entry, "optional-dependencies").items()},
            _wheels_of(entry, _table(entry, "source")),
        )
        packages[name] = _joined(packages.get(name), package)
    return LockFile(file, list(_requirements(roots[0].get("dependencies"))), packages)


def read_pylock(file: Path, environment: Mapping[str, str]) -> LockFile | None:
    """Read `pylock.toml`, in which pywrangler keeps what it has resolved.

    Args:
        file: Its path.
        environment: The values of markers.

    Returns:
        The lock file; None where it cannot be read.
    """
    entries = _packages_of(file, "packages")
    if not entries:
        return None
    chosen = [entry for entry in entries if _holds(entry.get("marker"), environment)]
    packages: dict[str, LockedPackage] = {
        canonicalize_name(entry["name"]): LockedPackage(wheels=_wheels_of(entry, entry)) for entry in chosen
    }
    return LockFile(file, [Requirement(name) for name in packages], packages)


def read_toml(file: Path) -> dict[str, Any] | None:
    """Read a TOML file; None where there is none that can be read."""
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None


def parse_requirement(text: object) -> Requirement | None:
    """Parse a requirement; None where it is none."""
    try:
        return Requirement(text) if isinstance(text, str) else None
    except InvalidRequirement:
        return None


def _packages_of(file: Path, key: str) -> list[dict[str, Any]]:
    entries = _tables((read_toml(file) or {}).get(key))
    return [entry for entry in entries if isinstance(entry.get("name"), str)]


def _tables(found: object) -> list[dict[str, Any]]:
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []


def _table(entry: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    found = entry.get(key)
    return found if isinstance(found, dict) else {}


def _requirements(entries: object) -> Iterator[Requirement]:
    """The requirements of a list in `uv.lock`: tables with name, extras and marker."""
    for entry in _tables(entries):
        extras = ",".join(map(str, entry.get("extra", ())))
        marker = entry.get("marker")
        text = f"{entry.get('name')}{f'[{extras}]' if extras else ''}{f' ; {marker}' if marker else ''}"
        requirement = parse_requirement(text)
        if requirement is not None:
            yield requirement


def _wheels_of(entry: Mapping[str, Any], source: Mapping[str, Any]) -> Sequence[frozenset[Tag]] | None:
    if any(key in source for key in _LOCAL):
        return None
    return list(_tags_of(_tables(entry.get("wheels"))))


def _tags_of(wheels: Iterable[dict[str, Any]]) -> Iterator[frozenset[Tag]]:
    for wheel in wheels:
        name = str(wheel.get("name") or wheel.get("url") or wheel.get("path"))
        try:
            yield parse_wheel_filename(name.rpartition("/")[2].replace("%2B", "+"))[3]
        except InvalidWheelFilename:
            continue


def _joined(one: LockedPackage | None, other: LockedPackage) -> LockedPackage:
    """Two entries of a package that is locked in two versions, for different markers."""
    if one is None:
        return other
    return LockedPackage(
        [*one.requirements, *other.requirements],
        {extra: [*one.extras.get(extra, ()), *other.extras.get(extra, ())] for extra in {**one.extras, **other.extras}},
        None if one.wheels is None or other.wheels is None else [*one.wheels, *other.wheels],
    )


def _holds(marker: object, environment: Mapping[str, str]) -> bool:
    if not isinstance(marker, str):
        return True
    try:
        known: dict[str, Any] = {**environment, "extras": frozenset(), "dependency_groups": frozenset()}
        return Marker(marker).evaluate(known, context="lock_file")
    except (InvalidMarker, InvalidVersion, UndefinedComparison, UndefinedEnvironmentName):
        return True
