"""What a test replaces in the Worker's modules, replaced in their older version too: a test knows today's alone."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any

from .worker_project import attributes_of

if TYPE_CHECKING:
    from .worker_project import Project

_ABSENT = object()


class FollowedPatches:
    """The replacements in one run of a test, from before its fixtures on.

    Args:
        old: The older version of the project.
        today: Today's, whose modules are in `sys.modules`.
    """

    def __init__(self, old: Project, today: Project) -> None:
        self._old = old
        self._spaces = _namespaces(today)
        self._before = {name: dict(vars(space)) for name, space in self._spaces.items()}
        self._followed: dict[tuple[str, str], tuple[Any, Any]] = {}

    def follow(self) -> None:
        """Replace in the older modules what the test has replaced in today's, and put back what it has put back."""
        for name, space in self._spaces.items():
            before, now = self._before[name], vars(space)
            for attribute in before:
                value = now.get(attribute, _ABSENT)
                if value is not before[attribute] and value is not _ABSENT:
                    self._replace(name, attribute, value)
                elif (name, attribute) in self._followed:
                    self._put_back(name, attribute)

    def undo(self) -> None:
        """Put everything back."""
        for name, attribute in list(self._followed):
            self._put_back(name, attribute)

    def _replace(self, name: str, attribute: str, value: Any) -> None:
        space = self._older(name)
        had = _ABSENT if space is None else vars(space).get(attribute, _ABSENT)
        if had is _ABSENT or had is value:
            return
        self._followed.setdefault((name, attribute), (space, had))
        setattr(space, attribute, value)

    def _put_back(self, name: str, attribute: str) -> None:
        space, had = self._followed.pop((name, attribute))
        setattr(space, attribute, had)

    def _older(self, name: str) -> Any:
        """The older version's module, or class of one; None where it has none, or has not imported it."""
        module, _, cls = name.partition(":")
        found = self._old.modules_aside.get(module)
        return getattr(found, cls, None) if cls else found


def _namespaces(today: Project) -> dict[str, Any]:
    """A project's modules and the classes that they define, by `module` and `module:Class`."""
    prefix = f"{today.folder}{os.sep}"
    found: dict[str, Any] = {}
    for name, module in list(sys.modules.items()):
        attributes = attributes_of(module)
        file = attributes.get("__file__")
        if isinstance(file, str) and file.startswith(prefix) and today.has_file(file):
            found[name] = module
            classes = {key: value for key, value in attributes.items() if isinstance(value, type)}
            found.update({f"{name}:{key}": value for key, value in classes.items() if value.__module__ == name})
    return found
