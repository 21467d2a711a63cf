"""Attributes of modules and classes that others take the place of for a while."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from itertools import chain
from operator import call, is_, itemgetter
from typing import Any, Generic, NamedTuple, TypeVar

UserType = TypeVar("UserType")
_ABSENT = object()


class _Check(NamedTuple):
    """How to compare all that was put with what is there, without code of Python: each test asks four times.

    Attributes:
        reads: What gives the attributes of each owner, of all names at once.
        attributes: The attributes of each owner.
        ours: What is to be there, one after the other.
    """

    reads: list[Callable[[Any], tuple[object, ...]]]
    attributes: list[Mapping[str, Any]]
    ours: list[object]


class Replacements:
    """What was put into modules and classes, until it is put back."""

    def __init__(self) -> None:
        self._made: list[tuple[Any, str, object]] = []
        self._ours: list[tuple[Mapping[str, Any], str, object]] = []
        self._check: _Check | None = None

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
        self._made.append((owner, name, before))
        self._ours.append((vars(owner), name, ours))
        self._check = None

    def are_intact(self) -> bool:
        """Whether everything that was put is where it was put."""
        reads, attributes, ours = self._check or self._make_check()
        try:
            return all(map(is_, chain.from_iterable(map(call, reads, attributes)), ours))
        except KeyError:  # one was taken out
            return False

    def _make_check(self) -> _Check:
        owners: dict[int, tuple[Mapping[str, Any], list[str], list[object]]] = {}
        for (owner, _, _), (attributes, name, ours) in zip(self._made, self._ours, strict=True):
            _, names, objects = owners.setdefault(id(owner), (attributes, [], []))
            # `itemgetter` of one name gives no tuple: the first of them stands there twice.
            names += [name] if names else [name, name]
            objects += [ours] if objects else [ours, ours]
        self._check = _Check(
            [itemgetter(*names) for _, names, _ in owners.values()],
            [attributes for attributes, _, _ in owners.values()],
            [one for _, _, objects in owners.values() for one in objects],
        )
        return self._check

    def put_back(self) -> None:
        """Put everything back, but for what other code has replaced since: it may have wrapped ours, and keeps it."""
        self._check = None
        while self._made:
            owner, name, before = self._made.pop()
            attributes, _, ours = self._ours.pop()
            if attributes.get(name) is not ours:
                continue
            if before is _ABSENT:
                delattr(owner, name)
            else:
                setattr(owner, name, before)


class Standing(ABC, Generic[UserType]):
    """Functions of ours that stand in the places of others, and ask each time who uses them.

    To put them there takes as long as a test does. So they stay between the users, and hand on to the originals then,
    until `put_back`.
    """

    def __init__(self) -> None:
        self._users: list[UserType] = []
        self._replacements = Replacements()

    @property
    def user(self) -> UserType | None:
        """The latest user that has not left: the one that is asked."""
        return self._users[-1] if self._users else None

    def enter(self, user: UserType) -> None:
        """Serve a user until it leaves."""
        if not self._users and not self._are_intact():
            self._put_back()
        self._users.append(user)
        self._place()

    def leave(self, user: UserType) -> None:
        """Serve a user no more. Leaving twice is fine."""
        if user in self._users:
            self._users.remove(user)

    def put_back(self) -> None:
        """Let everything be as it was, unless somebody uses it. Twice is fine."""
        if not self._users:
            self._put_back()

    @abstractmethod
    def _place(self) -> None:
        """Put the functions that are not in their places there."""

    def _are_intact(self) -> bool:
        """Whether the functions are where they were put: a test may have put something of its own there."""
        return self._replacements.are_intact()

    def _put_back(self) -> None:
        self._replacements.put_back()
