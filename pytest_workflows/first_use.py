"""The first use of the plugin in a session: what waits for it, and what says that it is here.

A session loads next to nothing of the plugin until something of it is used. What the active test is asked through
(`active_test.py`, the fixtures) says so, and the session opens. One session may run inside another one (pytester).
"""

from __future__ import annotations

from collections.abc import Callable

_waiting: list[Callable[[], object]] = []


def wait_for_use(callback: Callable[[], object]) -> None:
    """Let a session know of each use from now on, in place of the session around it.

    Args:
        callback: Called before what is used answers.
    """
    _waiting.append(callback)


def stop_waiting(callback: Callable[[], object]) -> None:
    """Let a session know of no use any more. Twice is fine."""
    if callback in _waiting:
        _waiting.remove(callback)


def note_first_use() -> None:
    """Say that something of the plugin is about to be used."""
    if _waiting:
        _waiting[-1]()
