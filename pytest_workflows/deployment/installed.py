"""What is installed here: which distribution a module belongs to, what it needs, and what it was built for."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable, Iterator
from importlib.metadata import Distribution, DistributionFinder
from pathlib import Path
from urllib.parse import unquote, urlparse

from packaging.requirements import Requirement
from packaging.tags import Tag, parse_tag
from packaging.utils import canonicalize_name

from .locks import parse_requirement


class Installed:
    """The distributions of an environment.

    Args:
        path: The folders that are searched, those of `sys.path` by default.
    """

    def __init__(self, path: list[str] | None = None) -> None:
        self._path = path
        self._found: dict[str, Distribution | None] = {}
        self._owners: dict[str, str | None] = {}

    def _find(self, name: str) -> Distribution | None:
        # By their names and one at a time: to read the metadata of all takes a tenth of a second.
        if name not in self._found:
            self._found[name] = next(self._search(name), None)
        return self._found[name]

    def _search(self, name: str | None = None) -> Iterator[Distribution]:
        """The distributions of a name, or all, in the order in which they are found."""
        path = sys.path if self._path is None else self._path
        yield from Distribution.discover(context=DistributionFinder.Context(name=name, path=path))

    def __contains__(self, name: str) -> bool:
        return self._find(name) is not None

    def title(self, name: str) -> str:
        """A distribution as its metadata call it: `PyYAML`."""
        found = self._find(name)
        return name if found is None else found.metadata["Name"]

    def requirements(self, name: str) -> list[Requirement]:
        """What a distribution needs, the requirements of its extras with their markers."""
        found = self._find(name)
        parsed = map(parse_requirement, (None if found is None else found.requires) or ())
        return [one for one in parsed if one is not None]

    def tags(self, name: str) -> frozenset[Tag]:
        """What a distribution was built for; nothing where its metadata do not say, or it is no wheel's."""
        found = self._find(name)
        lines = ((None if found is None else found.read_text("WHEEL")) or "").splitlines()
        named = [line.partition(":")[2].strip() for line in lines if line.startswith("Tag:")]
        return frozenset(tag for text in named for tag in parse_tag(text))

    def owner(self, file: str, module: str, first: Iterable[str] = ()) -> str | None:
        """The distribution that a module belongs to, by canonical name.

        Args:
            file: The module's file.
            module: Its name's first part, for distributions that do not list their files.
            first: Distributions that are asked first.

        Returns:
            Its name; None for a module of no distribution.
        """
        if file not in self._owners:
            self._owners[file] = self._owner(file, module, first)
        return self._owners[file]

    def _owner(self, file: str, module: str, first: Iterable[str]) -> str | None:
        likely = [one for one in map(self._find, first) if one is not None]
        found = [*likely, *self._search()]
        owners = (one for has in (_lists, _is_source_of) for one in found if has(one, file, module))
        owner = next(owners, None)
        return None if owner is None else canonicalize_name(owner.metadata["Name"])


def _lists(distribution: Distribution, file: str, module: str) -> bool:
    """Whether a file is among those that a distribution has installed."""
    site = str(distribution.locate_file(""))
    # As they are named first: an installer may have put links to its cache there.
    ways = ((file, site), (os.path.realpath(file), os.path.realpath(site)))
    relative = [Path(one).relative_to(folder).as_posix() for one, folder in ways if Path(one).is_relative_to(folder)]
    if not relative:
        return False
    record = distribution.read_text("RECORD")
    if record is not None:
        return any(f"\n{one}," in f"\n{record}" for one in relative)
    # A package of a Linux distribution does not list its files.
    listed = (distribution.read_text("top_level.txt") or distribution.metadata["Name"]).split()
    return module in listed


def _is_source_of(distribution: Distribution, file: str, _module: str) -> bool:
    """Whether a file lies in the source of a distribution that is installed editable."""
    try:
        url = json.loads(distribution.read_text("direct_url.json") or "{}")
    except ValueError:
        return False
    if not (isinstance(url, dict) and isinstance(url.get("dir_info"), dict) and url["dir_info"].get("editable")):
        return False
    return os.path.realpath(file).startswith(
        os.path.join(os.path.realpath(unquote(urlparse(str(url.get("url"))).path)), "")
    )
