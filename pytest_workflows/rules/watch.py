"""Sets the rules to watch an engine."""

from __future__ import annotations

from durable_engine import Engine

from .base import RuleObserver
from .effect_outside_step import EffectOutsideStep
from .many_effects_in_one_step import ManyEffectsInOneStep
from .not_idempotent import NotIdempotent
from .one_by_one_creates import OneByOneCreates
from .overlapping_attempts import OverlappingAttempts
from .reused_id import ReusedId
from .source import Sources
from .state_outside_step import StateOutsideStep

RULES: tuple[type[RuleObserver], ...] = (
    EffectOutsideStep,
    ManyEffectsInOneStep,
    NotIdempotent,
    OneByOneCreates,
    OverlappingAttempts,
    ReusedId,
    StateOutsideStep,
)
"""In alphabetical order."""


def watch(engine: Engine, sources: Sources) -> None:
    """Let every rule look at what happens on an engine."""
    for rule in RULES:
        engine.observers.add(rule(engine, sources))
