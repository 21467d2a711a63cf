"""What the rules have in common."""

from __future__ import annotations

from types import CodeType
from typing import Any

from durable_engine import CallbackRun, Engine, Instance, Observer, Place
from pytest_workflows.sources.worker_code import Sources


class RuleObserver(Observer):
    """Watches an engine for one rule.

    A subclass says which rule in `rule`, and overrides the methods of what it wants to hear of.

    Args:
        engine: What it watches.
        sources: What it looks at.
    """

    rule: str

    def __init__(self, engine: Engine, sources: Sources) -> None:
        self._engine = engine
        self._sources = sources

    @property
    def title(self) -> str:
        """The rule's name."""
        return f"rule {self.rule!r}"

    def close(self) -> None:
        """The test is over: leave nothing of the rule behind. Closing twice is fine."""

    def report(
        self, message: str, place: Place, instance: Instance, *, step: str | None = None, about: str | None = None
    ) -> None:
        """Keep a finding of this rule.

        Args:
            message: What was noticed, a clause without a full stop.
            place: File and line of the user's source.
            instance: Whose run shows it.
            step: The step's label.
            about: Tells several things of one place apart.
        """
        self._engine.findings.add(self.rule, message, place, step=step, workflow=instance.workflow.name, about=about)

    def is_workers(self, run: CallbackRun) -> bool:
        """Whether a callback is the Worker's own: a step may also be given a function of a library."""
        code = code_of(run.function)
        return code is not None and self._sources.is_code(code)


def code_of(function: Any) -> CodeType | None:
    """The code that a callable runs; None for one that has none in Python."""
    code = getattr(unwrapped(function), "__code__", None)
    return code if isinstance(code, CodeType) else None


def unwrapped(function: Any) -> Any:
    """What a partial or a method calls."""
    while (inner := getattr(function, "func", None) or getattr(function, "__func__", None)) is not None:
        function = inner
    return function
