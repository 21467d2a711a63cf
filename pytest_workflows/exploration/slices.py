"""Slices: the exploration of one test, divided among processes or machines by the order of its points alone."""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import NamedTuple

FEWEST = 4
"""How many further runs a slice has at least where a session has many tests: each slice costs a plain run."""
_TITLE = re.compile(r"\[slice [0-9]+/[0-9]+\]$")


class Slice(NamedTuple):
    """A share of a test's exploration. Each of its slices makes the plain run; the first one reports it.

    Attributes:
        number: Which one it is, from 1 on.
        total: How many the test has.
        fewest: How many further runs a slice has at least, as far as there are so many.
    """

    number: int = 1
    total: int = 1
    fewest: int = 1

    @property
    def is_first(self) -> bool:
        """Whether it reports what all slices of the test do."""
        return self.number == 1

    def shares(self, runs: int) -> int:
        """How many slices have anything to do, the first ones.

        Args:
            runs: How many further runs there are.
        """
        return max(1, min(self.total, -(-runs // self.fewest)))

    @property
    def title(self) -> str:
        """The text behind the test's name in the slice's node id; the first one has the test's own."""
        return "" if self.is_first else f"[slice {self}]"

    def __str__(self) -> str:
        return f"{self.number}/{self.total}"


WHOLE = Slice()
"""The one slice of a test that is not divided."""


def count_later(nodeids: Collection[str]) -> int:
    """How many of these node ids are those of slices other than the first."""
    return sum(_TITLE.sub("", nodeid) in nodeids for nodeid in nodeids if _TITLE.search(nodeid))
