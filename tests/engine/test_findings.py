"""Findings: what is kept, and what is said of a rule that is known to the engine and of one that is not."""

from typing import Any

import pytest

from durable_engine import Engine, Finding, Findings, Rule

PLACE = ("src/entry.py", 7)
RULES = {"missing-await": Rule("missing-await", "it never runs", "write `await` before it")}


def findings(**given: Any) -> tuple[Findings, list[Finding]]:
    notified: list[Finding] = []
    return Findings(notified.append, **given), notified


def test_of_a_known_rule_a_finding_says_what_happens_and_what_to_write() -> None:
    kept, notified = findings(rules=RULES)

    finding = kept.add("missing-await", "step.do('ship') was never awaited", PLACE, step="ship-1", workflow="ORDERS")

    assert str(finding) == (
        "[missing-await] src/entry.py:7: step.do('ship') was never awaited. In production: it never runs. "
        "Instead: write `await` before it."
    )
    assert notified == kept.take() == [finding]
    assert kept.take() == []


def test_a_finding_may_have_a_remedy_of_its_own() -> None:
    kept, _ = findings(rules=RULES)

    finding = kept.add("missing-await", "it was never awaited", PLACE, remedy="await all of them with gather")

    assert str(finding).endswith("In production: it never runs. Instead: await all of them with gather.")


@pytest.mark.parametrize(
    ("remedy", "text"),
    [
        (None, "[long-step-name] src/entry.py:7: is it long?"),
        ("shorten it", "[long-step-name] src/entry.py:7: is it long? Instead: shorten it."),
    ],
)
def test_of_a_rule_that_is_not_known_a_finding_says_what_was_noticed(remedy: str | None, text: str) -> None:
    kept, notified = findings(rules=RULES)

    assert str(kept.add("long-step-name", "is it long?", PLACE, remedy=remedy)) == text
    assert len(notified) == 1


async def test_an_engine_without_rules_keeps_what_it_notices() -> None:
    async with Engine() as engine:
        engine.findings.add("missing-await", "step.do('ship') was never awaited", PLACE)

        [finding] = engine.take_findings()

    assert (finding.rule, finding.consequence, finding.remedy) == ("missing-await", None, None)


def test_a_thing_is_kept_once_a_place_and_nothing_of_an_ignored_rule() -> None:
    kept, _ = findings(ignored=["reused-id"])

    assert kept.add("missing-await", "it was never awaited", PLACE) is not None
    assert kept.add("missing-await", "it was never awaited", PLACE) is None
    assert kept.add("missing-await", "it was never awaited", PLACE, about="another") is not None
    assert kept.add("reused-id", "it came again", PLACE) is None
    assert len(kept.take()) == 2
