"""Served as `pyodide.ffi.wrappers`: timers and listeners whose proxies need no destroying."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pytest_workflows.javascript.timers import clear, set_interval, set_timeout

__all__ = [
    "add_event_listener",
    "clear_interval",
    "clear_timeout",
    "remove_event_listener",
    "set_interval",
    "set_timeout",
]

clear_interval = clear_timeout = clear


def add_event_listener(elt: Any, event: str, listener: Callable[[Any], None]) -> None:
    """Call a function with each event of a type.

    Args:
        elt: What dispatches them.
        event: The type.
        listener: The function.
    """
    elt.addEventListener(event, listener)


def remove_event_listener(elt: Any, event: str, listener: Callable[[Any], None]) -> None:
    """Undo `add_event_listener`.

    Args:
        elt: What dispatches them.
        event: The type.
        listener: The function.
    """
    elt.removeEventListener(event, listener)
