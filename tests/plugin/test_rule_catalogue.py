"""The folder of the rules: each has its text, its page and its place; one that has none, or raises, hurts nobody."""

import ast
from pathlib import Path
from typing import Any

import pytest

import pytest_workflows.rules
from durable_engine import RULES as CATALOGUE
from durable_engine import Findings, UnknownRuleError
from pytest_workflows.rules.registry import RULES

FOLDER = Path(pytest_workflows.rules.__file__).parent
PAGES = Path(__file__).parents[2] / "docs" / "reference" / "rules"

CONFTEST = """
    import pytest_workflows.rules.registry as watch
    from pytest_workflows.rules.base import RuleObserver

    class Faulty(RuleObserver):
        rule = "long-step-name"

        def __init__(self, engine, sources):
            super().__init__(engine, sources)
            {made}

        def step_asked(self, instance, ask):
            {asked}

        def close(self):
            {closed}

    def pytest_configure(config):
        config.before = watch.RULES
        watch.RULES = (*watch.RULES, Faulty)

    def pytest_unconfigure(config):
        watch.RULES = config.before
"""
TESTS = """
    import pytest

    @pytest.mark.parametrize("number", [1, 2])
    async def test_it(workflow_env, workflow_engine, number):
        made = await workflow_env.ORDERS.create({"id": "a"})
        await workflow_engine.run_until_idle()
        assert (await made.status())["status"] == "complete"
"""


def rule_files() -> list[tuple[Path, str]]:
    """The files of the folder that hold a rule, with the rule's name, read from their source."""
    found = []
    for path in sorted(FOLDER.glob("*.py")):
        for cls in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(cls, ast.ClassDef) and any(ast.unparse(base) == "RuleObserver" for base in cls.bases):
                names = [
                    ast.literal_eval(part.value)
                    for part in cls.body
                    if isinstance(part, ast.Assign) and ast.unparse(part.targets[0]) == "rule"
                ]
                found.append((path, names[0]))
    return found


@pytest.mark.parametrize(("path", "rule"), rule_files(), ids=lambda value: str(getattr(value, "stem", value)))
def test_a_rule_file_is_registered_with_its_text_and_its_page(path: Path, rule: str) -> None:
    assert path.stem == rule.replace("-", "_")
    assert rule in [known.rule for known in RULES]
    assert CATALOGUE[rule].consequence
    assert CATALOGUE[rule].remedy
    assert (PAGES / f"{rule}.md").is_file()


def test_every_rule_that_watches_has_a_file() -> None:
    assert [rule.rule for rule in RULES] == [rule for _, rule in rule_files()]


def test_every_rule_of_the_catalogue_has_a_page() -> None:
    assert {page.stem for page in PAGES.glob("*.md")} - {"README"} == CATALOGUE.keys()


def test_a_finding_of_an_unknown_rule_says_what_to_add() -> None:
    with pytest.raises(UnknownRuleError, match=r"Add a Rule\('long-step-name', consequence, remedy\) to RULES"):
        Findings(lambda finding: None).add("long-step-name", "it is long", ("entry.py", 1))


@pytest.mark.parametrize(
    ("parts", "during", "what"),
    [
        (
            {"asked": 'self.report("it is long", ask.place, instance)'},
            "step_asked",
            "*UnknownRuleError: The rule 'long-step-name' is not in the catalogue",
        ),
        ({"asked": "1 / 0"}, "step_asked", "ZeroDivisionError: division by zero"),
        ({"made": "1 / 0"}, "its making", "ZeroDivisionError: division by zero"),
        ({"closed": "1 / 0"}, "close", "ZeroDivisionError: division by zero"),
    ],
    ids=["not catalogued", "asked", "made", "closed"],
)
def test_a_rule_that_raises_is_reported_once_and_switched_off(
    worker: Any, parts: dict[str, str], during: str, what: str
) -> None:
    worker.write("conftest.py", CONFTEST.format(**{"made": "pass", "asked": "pass", "closed": "pass", **parts}))

    result = worker.run(TESTS)

    result.assert_outcomes(passed=2, warnings=1)
    result.stdout.fnmatch_lines(f"*WorkflowObserverWarning: rule 'long-step-name' raised in {during}: {what}*")
    assert "switched off for the rest of the session" in result.stdout.str()
