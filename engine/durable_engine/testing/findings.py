"""Findings: broken rules of durable workflows, as a run shows them.

A finding never raises inside user code. It is kept once a place, and the owner of the engine decides what becomes of
it: a warning, an error at the test's end, a line in a report. The engine names a rule; what is known of it comes from
whoever runs the engine as well.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

import msgspec

from durable_engine.model import Place
from durable_engine.text.stable_repr import printable


class Rule(msgspec.Struct, frozen=True):
    """A rule that a workflow must keep to survive, and what a finding says of it.

    Attributes:
        name: `state-outside-step`.
        consequence: The consequence in production where the rule is broken, a sentence.
        remedy: How to write it instead, a sentence.
        is_advice: Whether a finding of it fails no test, whatever the settings say: it comes of a measurement.
    """

    name: str
    consequence: str
    remedy: str
    is_advice: bool = False


@dataclass(frozen=True, slots=True)
class Finding:
    """A broken rule, at a place.

    Attributes:
        rule: The rule's name.
        message: The observation, a clause without a full stop at its end; it may end in a question.
        file: The user's source.
        line: The line in it.
        step: The step's name with its occurrence, or None.
        workflow: The workflow's binding name.
        consequence: The consequence in production, a sentence; None where nothing is known of the rule.
        remedy: How to write it instead, a sentence; None where nothing is known of it.
        is_advice: Whether it fails no test, whatever the settings say.
    """

    rule: str
    message: str
    file: str
    line: int
    step: str | None = None
    workflow: str | None = None
    consequence: str | None = None
    remedy: str | None = None
    is_advice: bool = False

    def __str__(self) -> str:
        end = "" if self.message.endswith("?") else "."
        consequence = "" if self.consequence is None else f" In production: {self.consequence}."
        remedy = "" if self.remedy is None else f" Instead: {self.remedy}."
        return printable(f"[{self.rule}] {self.file}:{self.line}: {self.message}{end}{consequence}{remedy}")


class Findings:
    """The findings of an engine, each once a place.

    Args:
        notify: Called with each new finding.
        ignored: Names of rules that are not checked.
        rules: The rules by their names; of any other rule a finding says only what was noticed.
        most: The most that are kept, the newest; None for all.

    Attributes:
        muted: Whether nothing is noticed at present.
    """

    def __init__(
        self,
        notify: Callable[[Finding], None],
        ignored: Iterable[str] = (),
        rules: Mapping[str, Rule] | None = None,
        most: int | None = None,
    ) -> None:
        self._most = most
        self._notify = notify
        self._ignored = frozenset(ignored)
        self._rules = rules or {}
        self.muted = False
        self._found: dict[tuple[str, Place, str | None, str | None], Finding] = {}
        self._new: list[Finding] = []

    def add(
        self,
        rule: str,
        message: str,
        place: Place,
        *,
        step: str | None = None,
        workflow: str | None = None,
        about: str | None = None,
        remedy: str | None = None,
    ) -> Finding | None:
        """Keep a finding.

        Args:
            rule: The rule's name.
            message: The observation.
            place: File and line of the user's source.
            step: The step's label.
            workflow: The workflow's binding name.
            about: Distinguishes several findings of one place.
            remedy: How to write it instead, where that depends on more than the rule.

        Returns:
            The finding, or None if it was known, or the rule is ignored.
        """
        key = (rule, place, step, about)
        if key in self._found or rule in self._ignored or self.muted:
            return None
        known = self._rules.get(rule)
        consequence = None if known is None else known.consequence
        if remedy is None and known is not None:
            remedy = known.remedy
        is_advice = known is not None and known.is_advice
        finding = Finding(rule, message, *place, step, workflow, consequence, remedy, is_advice)
        self._found[key] = finding
        self._new.append(finding)
        if self._most is not None and len(self._found) > self._most:
            del self._found[next(iter(self._found))]
            del self._new[: -self._most]
        self._notify(finding)
        return finding

    def take(self) -> list[Finding]:
        """All findings since the last time, in the order in which they were made."""
        taken, self._new = self._new, []
        return taken
