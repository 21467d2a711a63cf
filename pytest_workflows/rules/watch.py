"""Sets the rules to watch an engine."""

from __future__ import annotations

from collections.abc import Callable

from durable_engine import Engine, Observer

from .source import Sources

RULES: tuple[Callable[[Engine, Sources], Observer], ...] = ()
"""Each makes the observer of a rule. One line a rule, in alphabetical order."""


def watch(engine: Engine, sources: Sources) -> None:
    """Let every rule look at what happens on an engine."""
    for rule in RULES:
        engine.observers.add(rule(engine, sources))
