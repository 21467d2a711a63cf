"""Attributes of modules and classes that others take the place of for a while."""

from __future__ import annotations

from typing import Any

_ABSENT = object()


class Replacements:
    """What was put into modules and classes, until it is put back."""

    def __init__(self) -> None:
        self._made: list[tuple[Any, str, object, object]] = []

    def put(self, owner: Any, name: str, ours: object) -> None:
        """Put something in the place of an attribute, or where there is none of that name.

        Args:
            owner: The module or class.
            name: The attribute's name.
            ours: What is there from now on.

        Raises:
            TypeError: If the owner is a class in C, which takes nothing.
        """
        before = vars(owner).get(name, _ABSENT)
        setattr(owner, name, ours)
        self._made.append((owner, name, before, ours))

    def put_back(self) -> None:
        """Put everything back, but for what other code has replaced since: it may have wrapped ours, and keeps it."""
        while self._made:
            owner, name, before, ours = self._made.pop()
            if vars(owner).get(name) is not ours:
                continue
            if before is _ABSENT:
                delattr(owner, name)
            else:
                setattr(owner, name, before)
