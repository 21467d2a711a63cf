"""Tells when code takes a random value or reads the time: what gives another answer each time.

Random values come from few places: the one generator behind the functions of `random`, and `os.urandom` behind `uuid`,
`secrets` and `SystemRandom`. Those are exchanged while a test has an engine. Time is read from the freezer.
"""

from __future__ import annotations

import os
import random
from collections.abc import Callable, Iterable
from types import FunctionType, ModuleType
from typing import Any

from durable_engine import Engine, Instance, current_scope
from pytest_workflows.introspection import freeze

Listener = Callable[[Instance, bool], None]
"""Notified of an instance whose `run` took something, and whether that was the time."""

_listeners: dict[object, Listener] = {}
"""By the engine."""


def _note(*, is_time: bool = False) -> None:
    scope = current_scope.get()
    if scope is not None and scope.is_root:
        listener = _listeners.get(scope.instance.engine)
        if listener is not None:
            listener(scope.instance, is_time)


def _note_time() -> None:
    _note(is_time=True)


class _NotifyingRandom(random.Random):
    """The shared generator, while somebody listens: the same numbers from the same state."""

    def random(self) -> float:
        _note()
        return super().random()

    def getrandbits(self, k: int, /) -> int:
        _note()
        return super().getrandbits(k)


_URANDOM = os.urandom
# Where the standard library itself has them; to look through all of its names for each test would take too long.
_KNOWN = {random: ("random", "getrandbits", "_urandom"), os: ("urandom",)}
_SEED = random.Random.seed


def _urandom(size: int, /) -> bytes:
    _note()
    return _URANDOM(size)


def _seed(self: random.Random, a: Any = None, version: int = 2) -> None:
    if a is None:
        _note()
    _SEED(self, a, version)


def _generator() -> random.Random:
    """The one behind the functions of the module."""
    generator: random.Random = random._inst
    return generator


class _Exchange:
    """What stands in the place of the originals, and where."""

    def __init__(self) -> None:
        self._ours: dict[int, Any] = {}
        self._originals: dict[int, Any] = {}
        self._places: list[dict[str, Any]] = []

    def begin(self) -> None:
        generator = _generator()
        if type(generator) is random.Random:
            originals = [generator.random, generator.getrandbits]
            generator.__class__ = _NotifyingRandom
            for original, name in zip(originals, ("random", "getrandbits"), strict=True):
                if getattr(random, name) == original:  # a test may have put its own there
                    self._pair(getattr(random, name), getattr(generator, name))
        self._pair(_URANDOM, _urandom)
        random.Random.seed = _seed  # type: ignore[method-assign]
        freeze.reads.notify = _note_time
        for module, names in _KNOWN.items():
            self._swap_known(module, names, self._ours)

    def _pair(self, original: Any, ours: Any) -> None:
        self._ours[id(original)] = ours
        self._originals[id(ours)] = original

    def exchange_in(self, places: Iterable[dict[str, Any]]) -> None:
        """Exchange what these namespaces hold, such as a module that did `from random import random`."""
        for place in places:
            if not any(place is known for known in self._places):
                self._places.append(place)
                _swap(place, self._ours)

    def end(self) -> None:
        """Put the originals back wherever ours stand, and leave what others have put there."""
        for module, names in _KNOWN.items():
            self._swap_known(module, names, self._originals)
        for place in self._places:
            _swap(place, self._originals)
        generator = _generator()
        if type(generator) is _NotifyingRandom:
            generator.__class__ = random.Random  # type: ignore[assignment]  # narrowed by the line above
        random.Random.seed = _SEED  # type: ignore[method-assign]
        freeze.reads.notify = freeze.nobody
        self._ours, self._originals, self._places = {}, {}, []

    @staticmethod
    def _swap_known(module: ModuleType, names: Iterable[str], by: dict[int, Any]) -> None:
        for name in names:
            value = getattr(module, name, None)
            if id(value) in by:
                setattr(module, name, by[id(value)])


def _swap(place: dict[str, Any], by: dict[int, Any]) -> None:
    for name, value in list(place.items()):
        if id(value) in by:
            place[name] = by[id(value)]


_exchange = _Exchange()


def listen(engine: Engine, listener: Listener) -> None:
    """Tell of what `run` of this engine's instances takes, outside of their steps, from now on."""
    if not _listeners:
        _exchange.begin()
    _listeners[engine] = listener


def look_into(functions: Iterable[FunctionType], is_workers: Callable[[str], bool]) -> None:
    """Look also into the modules of these functions and into those of the Worker that they use.

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
    _exchange.exchange_in(found)


def unlisten(engine: Engine) -> None:
    """Tell no more of this engine; twice is fine."""
    if _listeners.pop(engine, None) is not None and not _listeners:
        _exchange.end()
