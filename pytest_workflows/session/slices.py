"""Slices of tests as items: pytest-xdist hands out items, and so does any plugin that divides a session's tests.

The first slice is the test's own item. A later one is an item of its own, which runs the test's.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from pytest_workflows.exploration.slices import Slice

from .xdist_channel import Message, converted

SLICE = pytest.StashKey[Slice]()
"""Of each item that is a slice: which one. An item without it is a whole test."""


@dataclass(frozen=True, slots=True)
class Slicing:
    """How tests are divided in each process of a session.

    Attributes:
        total: Into how many slices.
        entropy: What all slices of a test draw from, with the test's node id; the same on all machines where the
            command line says how many slices there are.
    """

    total: int = 1
    entropy: str = ""


SLICING = Message("slicing", converted(lambda: Slicing))
"""From the controller to each worker: they must collect alike."""


class Held(NamedTuple):
    """The failure of a run that each slice makes, in a slice that does not report it.

    Attributes:
        run: The run's node id in the report of the first slice.
        title: What stands behind it in this report.
        report: The report, as plain data.
    """

    run: str
    title: str
    report: dict[str, Any]


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


def divide(item: pytest.Item, total: int) -> list[pytest.Item]:
    """The slices of a test; it becomes the first one itself."""
    assert item.parent is not None
    item.stash[SLICE] = Slice(1, total)
    pieces = [item]
    for number in range(2, total + 1):
        piece = Slice(number, total)
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
