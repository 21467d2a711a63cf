"""Sets the rules to watch an engine."""

from __future__ import annotations

from durable_engine import Engine

from .base import RuleObserver
from .changed_at_boundary import ChangedAtBoundary
from .changed_event import ChangedEvent
from .effect_outside_step import EffectOutsideStep
from .engine_hazard import EngineHazard
from .many_effects_in_one_step import ManyEffectsInOneStep
from .not_idempotent import NotIdempotent
from .one_by_one_creates import OneByOneCreates
from .overlapping_attempts import OverlappingAttempts
from .random_outside_step import RandomOutsideStep
from .reused_id import ReusedId
from .source import Sources
from .state_outside_step import StateOutsideStep
from .swallowed_failure import SwallowedFailure
from .unknown_option import UnknownOption

RULES: tuple[type[RuleObserver], ...] = (
    ChangedAtBoundary,
    ChangedEvent,
    EffectOutsideStep,
    EngineHazard,
    ManyEffectsInOneStep,
    NotIdempotent,
    OneByOneCreates,
    OverlappingAttempts,
    RandomOutsideStep,
    ReusedId,
    StateOutsideStep,
    SwallowedFailure,
    UnknownOption,
)
"""In alphabetical order."""


class Watch:
    """Lets every rule look at what happens on an engine.

    Args:
        engine: What is watched.
        sources: What is looked at.
    """

    def __init__(self, engine: Engine, sources: Sources) -> None:
        self._observers = [rule(engine, sources) for rule in RULES]
        for observer in self._observers:
            engine.observers.add(observer)

    def close(self) -> None:
        """The test is over. Closing twice is fine."""
        for observer in self._observers:
            observer.close()
