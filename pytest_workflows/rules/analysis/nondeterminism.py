"""Nondeterminism: an observer is notified when `run` takes a random value or reads the time, outside of its steps.

Random values are drawn from `standins.entropy.py`, and time is read from the freezer.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from types import FunctionType, ModuleType
from typing import Any

from durable_engine import Engine, Instance, current_scope
from pytest_workflows.introspection import freeze
from pytest_workflows.standins.entropy import draws, exchange_in, nobody

Listener = Callable[[Instance, bool], None]
"""A callable that is notified of an instance whose `run` took a value, and of whether that is the time."""

_listeners: dict[object, Listener] = {}
"""By the engine."""


def _notify_draw(instance: Instance) -> None:
    listener = _listeners.get(instance.engine)
    if listener is not None:
        listener(instance, False)


def _notify_time() -> None:
    scope = current_scope.get()
    if scope is not None and scope.is_root:
        listener = _listeners.get(scope.instance.engine)
        if listener is not None:
            listener(scope.instance, True)


def observe(engine: Engine, listener: Listener) -> None:
    """Notify a listener of what `run` of this engine's instances takes, outside of their steps, from now on."""
    draws.notify = _notify_draw
    freeze.reads.notify = _notify_time
    _listeners[engine] = listener


def observe_modules_of(functions: Iterable[FunctionType], is_workers: Callable[[str], bool]) -> None:
    """Observe also what the modules of these functions hold, and the Worker's modules that they use.

    Args:
        functions: The functions of a workflow class.
        is_workers: Says of a file whether it is the Worker's.
    """
    waiting = [function.__globals__ for function in functions]
    found: list[dict[str, Any]] = []
    while waiting:
        names = waiting.pop()
        if any(names is known for known in found):
            continue
        found.append(names)
        for value in list(names.values()):
            further = vars(value) if isinstance(value, ModuleType) else getattr(value, "__globals__", None)
            if isinstance(further, dict) and is_workers(further.get("__file__") or ""):
                waiting.append(further)
    exchange_in(found)


def end(engine: Engine) -> None:
    """End the observation of an engine; twice is fine."""
    if _listeners.pop(engine, None) is not None and not _listeners:
        draws.notify = nobody
        freeze.reads.notify = freeze.nobody
