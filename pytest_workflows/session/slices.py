"""Slices of tests as items: pytest-xdist hands out items, and so does any plugin that divides a session's tests.

The first slice is the test's own item. A later one is an item of its own, which runs the test's.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from pytest_workflows.exploration.slices import Slice

from .xdist_channel import Message

SLICE = pytest.StashKey[Slice]()
"""Of each item that is a slice: which one. An item without it is a whole test."""


class Slicing(NamedTuple):
    """How tests are divided in each process of a session.

    Attributes:
        total: Into how many slices.
        entropy: What all slices of a test draw from, with the test's node id; the same on all machines where the
            command line says how many slices there are.
        folder: Where the processes of a machine let each other know what they found out; empty for nowhere.
    """

    total: int = 1
    entropy: str = ""
    folder: str = ""


SLICING: Message[Slicing] = Message("slicing", lambda data: Slicing(*data))
"""From the controller to each worker: they must collect alike."""


class Held(NamedTuple):
    """The failure of a run that each slice makes, in a slice that does not report it.

    Attributes:
        test: The test's node id.
        run: What stands behind it in the report of the first slice; empty for the plain run.
        piece: The title of the slice.
        report: The report, as plain data.
    """

    test: str
    run: str
    piece: str
    report: dict[str, Any]


RUN = Message("run", str)
"""What stands behind the test's name in the report of a further run."""
HELD: Message[Held] = Message("held", lambda data: Held(*data))


class SliceItem(pytest.Item):
    """A slice of a test, other than the first.

    Args:
        test: The test's own item.
        arguments: What any item of pytest takes.
    """

    test: pytest.Item

    def __init__(self, *, test: pytest.Item, **arguments: Any) -> None:
        super().__init__(**arguments)
        self.test = test
        self.own_markers = test.own_markers
        self.keywords.update(test.keywords)
        self.extra_keyword_matches = test.extra_keyword_matches

    def __getattr__(self, name: str) -> Any:
        """What hooks of others may want to know of a test, such as its function or its fixtures."""
        if name == "test" or name.startswith("__"):
            raise AttributeError(name)
        return getattr(self.test, name)

    def runtest(self) -> None:
        """Never called: the test's own item runs."""
        raise AssertionError("a slice was run without exploration")

    def reportinfo(self) -> tuple[Path | str, int | None, str]:
        """Where the test is, and which slice of it this is."""
        path, line, name = self.test.reportinfo()
        return Path(path), line, f"{name}{self.stash[SLICE].title}"


def test_of(item: pytest.Item) -> pytest.Item:
    """The test's own item, of which an item is a slice."""
    return item.test if isinstance(item, SliceItem) else item


class Shares:
    """How many slices of each test have anything to do, as soon as a process of this machine knows.

    Args:
        folder: What the processes share; empty for none.
    """

    def __init__(self, folder: str) -> None:
        self._folder = folder
        self._known: dict[str, int] = {}

    def note(self, test: str, shares: int) -> None:
        """Let all processes know of a test."""
        self._known[test] = shares
        with contextlib.suppress(OSError):  # on another machine there is no such folder, and nothing is lost
            if self._folder:
                path = self._path(test)
                path.with_suffix(".new").write_text(str(shares), encoding="ascii")
                os.replace(path.with_suffix(".new"), path)

    def of(self, test: str) -> int | None:
        """What is known of a test; None for nothing."""
        if test not in self._known and self._folder:
            with contextlib.suppress(OSError):
                self._known[test] = int(self._path(test).read_text(encoding="ascii"))
        return self._known.get(test)

    def _path(self, test: str) -> Path:
        import hashlib

        return Path(self._folder, hashlib.sha256(test.encode("utf-8", "surrogatepass")).hexdigest())


def divide(item: pytest.Item, total: int, fewest: int) -> list[pytest.Item]:
    """The slices of a test; it becomes the first one itself.

    Args:
        item: The test.
        total: How many there are.
        fewest: How many further runs a slice has at least.
    """
    assert item.parent is not None
    item.stash[SLICE] = Slice(1, total, fewest)
    pieces = [item]
    for number in range(2, total + 1):
        piece = Slice(number, total, fewest)
        later: SliceItem = SliceItem.from_parent(
            item.parent, name=item.name, nodeid=f"{item.nodeid}{piece.title}", test=item
        )
        later.stash[SLICE] = piece
        pieces.append(later)
    return pieces


def in_rounds(tests: Iterable[pytest.Item], slices: Mapping[pytest.Item, Sequence[pytest.Item]]) -> list[pytest.Item]:
    """The order that slices are handed out in: one of each test, then a second one of each, and so on.

    Next to each other, all of a heavy test's slices could go to one process.
    """
    known = [slices.get(test, [test]) for test in tests]
    most = max(map(len, known), default=0)
    return [pieces[place] for place in range(most) for pieces in known if place < len(pieces)]
