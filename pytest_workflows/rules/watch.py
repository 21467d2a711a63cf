"""Lets the rules look at a test's engine."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator

from durable_engine import Engine
from pytest_workflows.sources.worker_code import Sources

from .base import RuleObserver


def _rules() -> Iterator[type[RuleObserver]]:
    """The rules of this folder: a file is enough to add one."""
    package = __name__.rpartition(".")[0]
    for found in pkgutil.iter_modules(importlib.import_module(package).__path__):
        if found.name != "watch":
            for value in vars(importlib.import_module(f"{package}.{found.name}")).values():
                if isinstance(value, type) and issubclass(value, RuleObserver) and "rule" in vars(value):
                    yield value


RULES: tuple[type[RuleObserver], ...] = tuple(sorted(set(_rules()), key=lambda cls: cls.rule))
"""In alphabetical order; docs/reference/rules/ has a page of each, and the engine's catalogue its text."""


class Watch:
    """Lets every rule look at what happens on an engine.

    Args:
        engine: What is watched.
        sources: What is looked at.
    """

    def __init__(self, engine: Engine, sources: Sources) -> None:
        self._engine = engine
        self._observers: list[RuleObserver] = []
        for rule in RULES:
            try:
                observer = rule(engine, sources)
            except Exception as error:
                engine.observers.switch_off(f"rule {rule.rule!r}", "its making", error)
            else:
                self._observers.append(observer)
                engine.observers.add(observer)

    def close(self) -> None:
        """The test is over. Closing twice is fine."""
        for observer in self._observers:
            try:
                observer.close()
            except Exception as error:
                self._engine.observers.switch_off(observer.title, "close", error)
