"""Findings: what a run shows of a workflow that breaks a rule of durable workflows.

A finding never raises inside user code. It is kept once a place, and whoever runs the engine decides what becomes of
it: a warning, an error at the test's end, a line in a report.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from durable_engine.errors import UnknownRuleError
from durable_engine.model import Place
from durable_engine.text.stable_repr import printable


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule that a workflow must keep to survive.

    Attributes:
        name: `state-outside-step`.
        consequence: What happens in production where it is broken, a sentence.
        remedy: How to write it instead, a sentence.
    """

    name: str
    consequence: str
    remedy: str


RULES: dict[str, Rule] = {
    rule.name: rule
    for rule in (
        Rule(
            "state-outside-step",
            "after a restart the completed step is not run again, and the change is gone",
            "return the value from the step, and take it from the step's result",
        ),
        Rule(
            "changed-path",
            "a replay finds other steps than the stored ones: work is done twice or results go to the wrong step",
            "let only the event, step results and constants decide which steps run, under which names",
        ),
        Rule(
            "unstable-step-name",
            "the replay does not find the stored result under the new name, and runs the step again",
            "build step names from the event, from step results and from constants",
        ),
        Rule(
            "random-outside-step",
            "every replay of `run` gets another value",
            "take it inside a step and return it: the stored value holds for every replay",
        ),
        Rule(
            "effect-outside-step",
            "every replay of `run` does it again",
            "do it inside a step",
        ),
        Rule(
            "race-outside-step",
            "on a replay all stored results are there at once, and another one may come first",
            "decide inside a step which one was first, and use the stored answer",
        ),
        Rule(
            "changed-event",
            "every restart gets the event as it was sent, without the change",
            "copy what you need and leave the event as it is",
        ),
        Rule(
            "missing-await",
            "it never runs, or nobody waits for it",
            "write `await` before it",
        ),
        Rule(
            "abandoned-wait",
            "the cancelled wait stays, and swallows the next event of its type",
            "let it time out, or take what it received",
        ),
        Rule(
            "duration-unit",
            "the platform does not know the unit and counts milliseconds",
            "use second, minute, hour, day, week, month or year, in lower case",
        ),
        Rule(
            "changed-at-boundary",
            "what a step returns crosses to JavaScript and back, and comes back as something else",
            "return what survives the trip, such as a str or an int, and convert it where it is used",
        ),
        Rule(
            "not-idempotent",
            "an attempt whose result is lost is run again, and the effect happens twice",
            "pass a key that lets the service know the second call for the first, or look first whether it is done",
        ),
        Rule(
            "many-effects-in-one-step",
            "when the second call fails, the retry makes the first one again",
            "make a step of each call",
        ),
        Rule(
            "swallowed-failure",
            "the instance ends complete, and nobody learns that it failed",
            "catch the failure of one step at a time, name the exception, or raise it again",
        ),
        Rule(
            "one-by-one-creates",
            "each call counts against the rate limit and costs a round trip",
            "use create_batch, with up to 100 instances a call",
        ),
        Rule(
            "reused-id",
            "the second create fails with instance.already_exists: an id stays taken as long as the instance is kept",
            "derive the id from something that comes once, such as an order or a transaction",
        ),
        Rule(
            "unknown-option",
            "the platform ignores it without a word, and the instance is created without what it says",
            "use id, params and retention",
        ),
        Rule(
            "overlapping-attempts",
            "the platform does not cancel a callback that timed out: two attempts run at once",
            "give what the callback waits for a timeout of its own, shorter than the step's",
        ),
        Rule(
            "engine-hazard",
            "not seen there, and it may be the same",
            "write it as docs/reference/rules/engine-hazard.md shows",
        ),
    )
}


@dataclass(frozen=True, slots=True)
class Finding:
    """A broken rule, at a place.

    Attributes:
        rule: The rule's name.
        message: What was noticed, a clause without a full stop at its end; it may end in a question.
        file: The user's source.
        line: The line in it.
        step: The step's name with its occurrence, or None.
        workflow: The workflow's binding name.
        remedy: How to write it instead, where that depends on more than the rule.
    """

    rule: str
    message: str
    file: str
    line: int
    step: str | None = None
    workflow: str | None = None
    remedy: str | None = None

    def __str__(self) -> str:
        rule = RULES[self.rule]
        end = "" if self.message.endswith("?") else "."
        return printable(
            f"[{self.rule}] {self.file}:{self.line}: {self.message}{end} In production: {rule.consequence}. "
            f"Instead: {self.remedy or rule.remedy}."
        )


class Findings:
    """What was found on an engine, each thing once a place.

    Args:
        notify: Called with each new finding.
        ignored: Names of rules that are not looked at.

    Attributes:
        muted: Whether nothing is noticed at present.
    """

    def __init__(self, notify: Callable[[Finding], None], ignored: Iterable[str] = ()) -> None:
        self._notify = notify
        self._ignored = frozenset(ignored)
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
            message: What was noticed.
            place: File and line of the user's source.
            step: The step's label.
            workflow: The workflow's binding name.
            about: Tells several things of one place apart.
            remedy: How to write it instead, where that depends on more than the rule.

        Returns:
            The finding, or None if it was known, or the rule is ignored.

        Raises:
            UnknownRuleError: If the rule is not in the catalogue.
        """
        if rule not in RULES:
            raise UnknownRuleError(
                f"The rule {rule!r} is not in the catalogue, so that nothing can be said of it. Add a Rule({rule!r}, "
                "consequence, remedy) to RULES in durable_engine/testing/findings.py."
            )
        key = (rule, place, step, about)
        if key in self._found or rule in self._ignored or self.muted:
            return None
        finding = self._found[key] = Finding(rule, message, *place, step=step, workflow=workflow, remedy=remedy)
        self._new.append(finding)
        self._notify(finding)
        return finding

    def take(self) -> list[Finding]:
        """All findings since the last time, in the order in which they were made."""
        taken, self._new = self._new, []
        return taken
