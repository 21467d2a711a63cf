"""Whether a deployed package can be installed on the platform: a pure wheel, or a build for its Pyodide."""

from __future__ import annotations

from collections.abc import Iterable

from packaging.tags import Tag
from packaging.utils import canonicalize_name

from .builds import Builds, has_pure_wheel
from .declared import Declaration
from .installed import Installed


class Installability:
    """What is known of the wheels of packages: from lock files, Pyodide's list, and what is installed here.

    Args:
        builds: The builds of the platform's Pyodide.
        declaration: What the project declares; None where it declares nothing.
        installed: What is installed here.
    """

    def __init__(self, builds: Builds, declaration: Declaration | None, installed: Installed) -> None:
        self._builds = builds
        self._declaration = declaration
        self._installed = installed

    def why_not(self, name: str) -> str | None:
        """Why a package cannot be installed on the platform, a clause.

        Args:
            name: Its canonical name.

        Returns:
            None where it can, or nothing is known of it.
        """
        built = self._builds.packages.get(name)
        refused = None if built is None else self._refused(name, built)
        if built is not None and refused is None:
            return None
        found = self._why_no_wheel(name)
        if found is None:
            return None
        pyodide = f"Pyodide {self._builds.pyodide}"
        if built is not None:
            return f"{found}, and {pyodide} has {name} {built}, where {refused} is asked for"
        return f"{found}, and {pyodide} has no build of it"

    def _refused(self, name: str, built: str) -> str | None:
        """The declared requirement that does not take a version, as it is written."""
        declared = () if self._declaration is None else self._declaration.requirements
        mine = (one for one in declared if canonicalize_name(one.name) == name)
        return next((f"{name}{one.specifier}" for one in mine if not one.specifier.contains(built, True)), None)

    def _why_no_wheel(self, name: str) -> str | None:
        """Why there is no wheel for the platform on the package index; None where there is one, or may be."""
        for lock in () if self._declaration is None else self._declaration.locks:
            package = lock.packages.get(name)
            if package is None or package.wheels is None:
                continue
            if any(self.takes(tags) for tags in package.wheels):
                return None
            if package.wheels:
                return f"none of the wheels of {name} in {lock.file.name} is pure Python"
            if self._declaration is not None and self._declaration.may_build:
                return None
            return f"{lock.file.name} has no wheel of {name}"
        tags = self._installed.tags(name)
        if not tags or self.takes(tags) or has_pure_wheel(name):
            return None
        return f"{self._installed.title(name)} as installed here is built for {shown_tags(tags)}"

    def takes(self, tags: Iterable[Tag]) -> bool:
        """Whether the platform takes a wheel of these tags."""
        return any(map(self._builds.takes, tags))


def shown_tags(tags: Iterable[Tag]) -> str:
    """Tags of one wheel, as a text: the first one, and that there are more."""
    first, *more = sorted(map(str, tags))
    return f"{first} and the like" if more else first
