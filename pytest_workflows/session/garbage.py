"""How often the garbage collector looks at what a session's tests have made."""

from __future__ import annotations

import gc

YOUNG = 2000
"""The objects more than before that the youngest generation has when it is looked at: Python 3.13's own figure."""


class SeldomCollected:
    """While it is open, a test of a few steps is over before the collector looks at what it is made from.

    Python 3.11 and 3.12 look at 700 objects, which is in the middle of such a test: what is found alive then counts as
    old, and what is old is looked at together with all modules. Who has set another figure keeps it.
    """

    def __init__(self) -> None:
        young, *older = gc.get_threshold()
        self._before = young if young == 700 else None
        if self._before is not None:
            gc.set_threshold(YOUNG, *older)

    def close(self) -> None:
        """Put back what was there, unless somebody has set another figure meanwhile."""
        young, *older = gc.get_threshold()
        if self._before is not None and young == YOUNG:
            gc.set_threshold(self._before, *older)
        self._before = None
