"""What a Worker's project declares as deployed: `[project] dependencies` of `pyproject.toml`, and its lock files."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from .locks import LockFile, parse_requirement, read_pylock, read_toml, read_uv_lock


@dataclass(frozen=True)
class Declaration:
    """What a project declares.

    Attributes:
        name: The project's name, if it has one.
        pyproject: Its `pyproject.toml`; None where there is none with a table `[project]`.
        requirements: What is deployed: the declared dependencies, and what its lock files add.
        locks: The lock files.
        groups: In which group or extra a package is named that is not deployed, by canonical name, for messages.
        may_build: Whether pywrangler builds packages that have no wheel (`[tool.pywrangler] allow-build`).
    """

    name: str | None
    pyproject: Path | None
    requirements: Sequence[Requirement]
    locks: Sequence[LockFile]
    groups: Mapping[str, str]
    may_build: bool = False


def read_declaration(folder: Path, environment: Mapping[str, str]) -> Declaration | None:
    """Read what the project of a folder declares.

    Its `pyproject.toml` is the nearest one from the folder up, as for pywrangler, and no further up than its
    repository's root.

    Args:
        folder: The folder of the wrangler configuration.
        environment: The values of markers.

    Returns:
        The declaration; None where nothing is declared: a `pyproject.toml` without `[project]`, or with dependencies
        that only a build backend knows, says nothing, and a lock file may say it all the same.
    """
    pyproject = _nearest(folder, "pyproject.toml")
    data = {} if pyproject is None else read_toml(pyproject) or {}
    project = _table(data, "project")
    is_known = bool(project) and "dependencies" not in _list(project, "dynamic")
    declared = _parsed(_list(project, "dependencies"))
    home = folder if pyproject is None else pyproject.parent
    lock = _nearest(home, "uv.lock")
    found = [
        None if lock is None else read_uv_lock(lock, project.get("name")),
        read_pylock(home / "pylock.toml", environment),
    ]
    locks = [one for one in found if one is not None]
    if not is_known and not locks:
        return None
    name = project.get("name")
    return Declaration(
        canonicalize_name(name) if isinstance(name, str) else None,
        pyproject if project else None,
        [*declared, *(root for one in locks for root in one.roots)],
        locks,
        _groups(data, project),
        may_build=_table(_table(data, "tool"), "pywrangler").get("allow-build") is True,
    )


def _nearest(folder: Path, name: str) -> Path | None:
    for place in (folder, *folder.parents):
        if (place / name).is_file():
            return place / name
        if (place / ".git").exists():
            break
    return None


def _groups(data: Mapping[str, Any], project: Mapping[str, Any]) -> dict[str, str]:
    groups = {
        f"the group {name!r}": _list(_table(data, "dependency-groups"), name)
        for name in _table(data, "dependency-groups")
    }
    extras = _table(project, "optional-dependencies")
    groups |= {f"the extra {name!r}": _list(extras, name) for name in extras}
    return {canonicalize_name(one.name): where for where, found in groups.items() for one in _parsed(found)}


def _parsed(texts: Sequence[object]) -> list[Requirement]:
    return list(_parse_all(texts))


def _parse_all(texts: Sequence[object]) -> Iterator[Requirement]:
    for text in texts:
        requirement = parse_requirement(text)
        if requirement is not None:
            yield requirement


def _table(data: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    found = data.get(key)
    return found if isinstance(found, dict) else {}


def _list(data: Mapping[str, Any], key: str) -> list[Any]:
    found = data.get(key)
    return found if isinstance(found, list) else []
