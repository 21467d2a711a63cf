"""How the interpreter runs while a Worker is served: threads take turns soon, garbage is seldom collected."""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager

SWITCH = 0.0002
"""Seconds after which a thread that waits gets its turn: a request changes threads several times."""

THRESHOLDS = (20_000, 20, 20)
"""How many objects more there are before young ones are collected, and after how many times older ones are."""


@contextmanager
def serving() -> Iterator[None]:
    """A block in which a Worker is served; what is loaded by then stays, and is not searched for garbage.

    With what a server, a Worker and their libraries load, each collection would stop all threads for 30 milliseconds
    and some for 200, several times a second where a thousand instances are under way.
    """
    interval, thresholds = sys.getswitchinterval(), gc.get_threshold()
    gc.collect()
    gc.freeze()
    sys.setswitchinterval(SWITCH)
    gc.set_threshold(*THRESHOLDS)
    try:
        yield
    finally:
        gc.set_threshold(*thresholds)
        sys.setswitchinterval(interval)
