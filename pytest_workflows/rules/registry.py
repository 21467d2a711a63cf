"""The registry of rules: each file of this folder registers its rule here, with what is said of it.

Nothing imports a rule's file but `load_rules`, and that is called for the first engine: a session that has none pays
for no rule.
"""

from __future__ import annotations

import pkgutil
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from importlib import import_module
from typing import NamedTuple, TypeVar

from durable_engine import Engine, Rule
from pytest_workflows.sources.worker_code import Sources

from .base import RuleObserver, title_of

_PACKAGE = __name__.rpartition(".")[0]
_NO_RULES = frozenset({"analysis", "base", "registry"})

_ObserverType = TypeVar("_ObserverType", bound=type[RuleObserver])

_rules: dict[str, Rule] = {}
_observers: dict[str, type[RuleObserver]] = {}


def register(
    name: str, *, consequence: str, remedy: str, is_advice: bool = False
) -> Callable[[_ObserverType], _ObserverType]:
    """Register a rule, with what is said of it.

    Args:
        name: The rule's name, that of its file and of its page: `state-outside-step`.
        consequence: The consequence in production where the rule is broken, a sentence.
        remedy: How to write it instead, a sentence.
        is_advice: Whether a finding of it fails no test, whatever the settings say: it comes of a measurement.

    Returns:
        A decorator for the observer that notices where the rule is broken. Nothing is decorated where the engine
        notices it.
    """
    _rules[name] = Rule(name, consequence, remedy, is_advice)

    def with_observer(observer: _ObserverType) -> _ObserverType:
        observer.rule = name
        _observers[name] = observer
        return observer

    return with_observer


class UnregisteredRuleError(Exception):
    """A file of the rules' folder registers no rule: nothing can be said of it."""


class RuleSet(NamedTuple):
    """All rules, in alphabetical order.

    Attributes:
        rules: The record of each rule, by its name.
        observers: The observers of the rules; the engine notices what breaks a rule that has none.
        failures: Why a rule is left out, by its name: its file raised, or registered nothing.
    """

    rules: Mapping[str, Rule]
    observers: tuple[type[RuleObserver], ...]
    failures: Mapping[str, Exception]


def rule_names() -> list[str]:
    """The names of all rules, in alphabetical order: those of the files, none of which is imported for it."""
    files = pkgutil.iter_modules(import_module(_PACKAGE).__path__)
    return sorted(file.name.replace("_", "-") for file in files if file.name not in _NO_RULES)


@cache
def load_rules() -> RuleSet:
    """Import the files of all rules, which register themselves."""
    failures = {name: error for name in rule_names() if (error := _load(name)) is not None}
    observers = tuple(observer for _, observer in sorted(_observers.items()))
    return RuleSet(dict(sorted(_rules.items())), observers, failures)


def _load(name: str) -> Exception | None:
    """Import the file of a rule; what comes out is why the rule is left out."""
    try:
        _import(name)
    except Exception as error:
        return error
    return None


def _import(name: str) -> None:
    file = name.replace("-", "_")
    import_module(f"{_PACKAGE}.{file}")
    if name not in _rules:
        raise UnregisteredRuleError(
            f"{file}.py does not register the rule, so that it is not checked. Write "
            f"@register({name!r}, consequence=..., remedy=...) before its observer."
        )


class RuleObservers:
    """The observers of all rules on one engine, made when there is something to observe.

    Args:
        engine: The engine that is observed.
        sources: The Worker's sources.
    """

    def __init__(self, engine: Engine, sources: Sources) -> None:
        self._engine = engine
        self._sources = sources
        self._observers: list[RuleObserver] = []
        engine.observers.add_when_needed(self._make)

    def _make(self) -> Iterable[RuleObserver]:
        loaded, switch_off = load_rules(), self._engine.observers.switch_off
        for name, failure in loaded.failures.items():
            switch_off(title_of(name), "its registration", failure)
        for kind in loaded.observers:
            try:
                self._observers.append(kind(self._engine, self._sources))
            except Exception as error:
                switch_off(title_of(kind.rule), "its making", error)
        return self._observers

    def close(self) -> None:
        """End the observation; the test is over. Closing twice is fine."""
        for observer in self._observers:
            try:
                observer.close()
            except Exception as error:
                self._engine.observers.switch_off(observer.title, "close", error)
