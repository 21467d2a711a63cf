"""The base class of the rules' observers, and whose code a callback is."""

from __future__ import annotations

from types import CodeType

from durable_engine import CallbackRun, Engine, Observer, Place, Workflow
from pytest_workflows.sources.worker_code import Sources


class RuleObserver(Observer):
    """An observer of an engine that adds a finding where one rule is broken.

    A subclass is registered with its rule, and overrides the methods of what it is notified of.

    Args:
        engine: The engine that is observed.
        sources: The Worker's sources.

    Attributes:
        rule: The rule's name, which its registration sets.
    """

    rule: str

    def __init__(self, engine: Engine, sources: Sources) -> None:
        self._engine = engine
        self._findings = engine.findings
        self._sources = sources
        self._reported: set[Place] = set()

    @property
    def title(self) -> str:
        """The rule, as a report of the observer's failure names it."""
        return title_of(self.rule)

    def close(self) -> None:
        """End the observation; the test is over. Closing twice is fine."""

    def report(
        self, message: str, place: Place, workflow: Workflow, *, step: str | None = None, about: str | None = None
    ) -> None:
        """Add a finding of this rule.

        Args:
            message: The observation, a clause without a full stop.
            place: File and line of the user's source.
            workflow: The workflow whose run shows it.
            step: The step's label.
            about: Distinguishes several findings of one place.
        """
        self._findings.add(self.rule, message, place, step=step, workflow=workflow.name, about=about)

    def is_first_of(self, place: Place) -> bool:
        """Whether a place was not asked about before: of all steps and attempts there, one finding says all."""
        if place in self._reported:
            return False
        self._reported.add(place)
        return True

    def is_workers(self, run: CallbackRun) -> bool:
        """Whether a callback is the Worker's own: a step may also be given a function of a library."""
        code = code_of(run.function)
        return code is not None and self._sources.is_code(code)


def title_of(rule: str) -> str:
    """The title of a rule's observer in a report of its failure."""
    return f"rule {rule!r}"


def code_of(function: object) -> CodeType | None:
    """The code that a callable runs; None for one that has none in Python."""
    code = getattr(unwrapped(function), "__code__", None)
    return code if isinstance(code, CodeType) else None


def unwrapped(function: object) -> object:
    """The callable that a partial or a method calls."""
    while (inner := getattr(function, "func", None) or getattr(function, "__func__", None)) is not None:
        function = inner
    return function
