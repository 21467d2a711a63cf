"""Sets the rules to watch an engine."""

from __future__ import annotations

from durable_engine import Engine

from .base import RuleObserver
from .overlapping_attempts import OverlappingAttempts
from .source import Sources

RULES: tuple[type[RuleObserver], ...] = (OverlappingAttempts,)
"""In alphabetical order."""


def watch(engine: Engine, sources: Sources) -> None:
    """Let every rule look at what happens on an engine."""
    for rule in RULES:
        engine.observers.add(rule(engine, sources))
