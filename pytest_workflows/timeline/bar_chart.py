"""The bar chart: for each step of an instance a bar over virtual time, where it was at work and where it waited.

The axis is made of cells. What takes no virtual time gets a cell of its own all the same, behind what ended before it
at that instant and beside what ran along with it; what takes time gets a share of the rest. So nothing vanishes beside
a sleep of 30 days, steps that ran one after the other are a staircase, and parallel ones stand below each other.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from durable_engine import HistoryRow, StepKey
from durable_engine.history import (
    ATTEMPT_ENDS,
    ATTEMPT_FAILURE,
    ATTEMPT_START,
    SLEEP_START,
    WAIT_START,
    WAITING_ENDS,
    HistoryKind,
)

ATTEMPT, FAILED, DELAY, SLEEP, WAIT = "#", "x", ".", "-", "~"
"""The characters of bars in a terminal that takes ASCII only."""
BLOCKS = str.maketrans({ATTEMPT: "█", FAILED: "✗", DELAY: "·", SLEEP: "░", WAIT: "▒"})
"""The characters in their place elsewhere."""

_BEGINS: dict[HistoryKind, str] = {ATTEMPT_START: ATTEMPT, SLEEP_START: SLEEP, WAIT_START: WAIT}
_ENDS = ATTEMPT_ENDS | WAITING_ENDS


@dataclass(slots=True)
class _Piece:
    """A part of a bar.

    Attributes:
        drawn: The character that it is drawn with.
        start: In virtual milliseconds.
        rank: Its place among what began at that instant, one after the other.
        end: In virtual milliseconds.
    """

    drawn: str
    start: int
    rank: int
    end: int = 0


@dataclass(slots=True)
class _Reading:
    """History, read line by line into pieces."""

    pieces: dict[StepKey, list[_Piece]] = field(default_factory=dict)
    ranks: dict[int, int] = field(default_factory=dict)
    _open: dict[StepKey, _Piece] = field(default_factory=dict)
    _at: int = -1
    _next_rank: int = 0

    def read(self, line: HistoryRow) -> None:
        """Read a line of history."""
        if line.key is None:
            return
        if line.at != self._at:
            self._at, self._next_rank = line.at, 0
        if line.kind in _BEGINS:
            self._end(line.key, line.at)
            self._begin(line.key, _BEGINS[line.kind], self._next_rank)
        elif line.kind in _ENDS and line.key in self._open:
            piece = self._open[line.key]
            if line.kind == ATTEMPT_FAILURE:
                piece.drawn = FAILED
            behind = piece.rank + 1 if piece.start == line.at else 0
            self._end(line.key, line.at)
            if (line.detail or {}).get("retryDelayMs"):
                self._begin(line.key, DELAY, behind)

    def _begin(self, key: StepKey, drawn: str, rank: int) -> None:
        self._open[key] = _Piece(drawn, self._at, rank)

    def _end(self, key: StepKey, at: int) -> None:
        piece = self._open.pop(key, None)
        if piece is None or (piece.drawn == DELAY and piece.start == at):
            return
        piece.end = at
        self.pieces.setdefault(key, []).append(piece)
        if piece.start == at:
            self._next_rank = max(self._next_rank, piece.rank + 1)
            self.ranks[at] = max(self.ranks.get(at, 0), piece.rank + 1)

    def close(self, at: int) -> None:
        """Let the pieces that are open last until now."""
        for key in list(self._open):
            self._end(key, at)


def draw_bars(history: Iterable[HistoryRow], now: int, width: int) -> dict[StepKey, str]:
    """The bars of an instance's steps, all of the same length.

    Args:
        history: Its history as stored.
        now: Where a bar ends whose step has not ended, in virtual milliseconds.
        width: How many characters a bar may take.

    Returns:
        A bar for each step that has started, in the characters named above; shorter than `width` where no time passed.
    """
    reading = _Reading()
    for line in history:
        reading.read(line)
    reading.close(now)
    if not reading.pieces:
        return {}  # a recording may say that a step has started, and nothing of its attempts
    axis = _Axis(reading, width)
    return {key: axis.draw(pieces) for key, pieces in reading.pieces.items()}


class _Axis:
    """The time axis: the cell of each instant.

    Args:
        reading: All pieces.
        width: How many cells there are at most.
    """

    def __init__(self, reading: _Reading, width: int) -> None:
        pieces = [piece for mine in reading.pieces.values() for piece in mine]
        instants = sorted({at for piece in pieces for at in (piece.start, piece.end)})
        gaps = [after - before for before, after in pairwise(instants)]
        units = sum(reading.ranks.values()) + len(gaps)
        self._unit = _unit(units, width, stretched=bool(gaps))
        self.cells = width if gaps else min(units, width)
        rest = (width - units * self._unit) / max(sum(gaps), 1)
        self._left: dict[int, float] = {}
        self._right: dict[int, float] = {}
        position = 0.0
        for instant, gap in zip(instants, [*gaps, 0], strict=True):
            self._left[instant] = position
            position += reading.ranks.get(instant, 0) * self._unit
            self._right[instant] = position
            position += self._unit + gap * rest

    def draw(self, pieces: Sequence[_Piece]) -> str:
        """Draw the bar of a step's pieces."""
        cells = [" "] * self.cells
        for piece in pieces:
            first = self._left[piece.start] + piece.rank * self._unit
            last = self._left[piece.end] if piece.end > piece.start else first + self._unit
            begin = min(_nearest(first), self.cells - 1)
            for cell in range(begin, min(max(_nearest(last), begin + 1), self.cells)):
                cells[cell] = piece.drawn
        return "".join(cells)


def _nearest(position: float) -> int:
    # Not `round`, which takes halves to even numbers: what is one cell wide must stay so wherever it stands.
    return int(position + 0.5)


def _unit(units: int, width: int, *, stretched: bool) -> float:
    """The cells of a piece that takes no time: one; too many of them share half of the width, if time passed."""
    if units <= width:
        return 1.0
    return width / (2 * units) if stretched else width / units
