"""The folder of the rules: each has its text, its page and its place; one that has none, or raises, hurts nobody."""

import ast
import importlib
import subprocess
import sys
import textwrap
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest

import pytest_workflows.rules
from durable_engine import Rule
from pytest_workflows.rules import registry
from pytest_workflows.rules.base import RuleObserver
from pytest_workflows.rules.registry import UnregisteredRuleError, load_rules, rule_names

FOLDER = Path(pytest_workflows.rules.__file__).parent
PAGES = Path(__file__).parents[2] / "docs" / "reference" / "rules"
NO_RULES = {"__init__", "base", "registry"}

CONFTEST = """
    import pytest_workflows.rules.registry as registry
    from pytest_workflows.rules.base import RuleObserver

    class Faulty(RuleObserver):
        rule = "made-up-rule"

        def __init__(self, engine, sources):
            super().__init__(engine, sources)
            {made}

        def step_asked(self, instance, ask):
            {asked}

        def close(self):
            {closed}

    def pytest_configure(config):
        config.before = registry.load_rules
        loaded = registry.load_rules()
        registry.load_rules = lambda: loaded._replace(observers=(*loaded.observers, Faulty))

    def pytest_unconfigure(config):
        registry.load_rules = config.before
"""
TESTS = """
    import pytest

    @pytest.mark.parametrize("number", [1, 2])
    async def test_it(workflow_env, workflow_engine, number):
        made = await workflow_env.ORDERS.create({"id": "a"})
        await workflow_engine.run_until_idle()
        assert (await made.status())["status"] == "complete"
"""
ONE_STEP = """
    from workers import WorkflowEntrypoint

    class OrderWorkflow(WorkflowEntrypoint):
        async def run(self, event, step):
            await step.do("charge")(lambda: 1)()
"""
RULE = """
    from pytest_workflows.rules.base import RuleObserver
    from pytest_workflows.rules.registry import register

    @register("made-up-rule", consequence="the step is refused", remedy="give it another name")
    class MadeUpRule(RuleObserver):
        def step_asked(self, instance, ask):
            self.report("it is made up", ask.place, instance.workflow)
"""
UNREGISTERED = RULE.replace("    @register(", "    # @register(")


def faults_of_the_folder(folder: Path, pages: Path, registered: Iterable[str]) -> list[str]:
    """What keeps the files of a folder, their pages and what they register from being the same rules."""
    files = {path.stem.replace("_", "-"): path.name for path in folder.glob("*.py") if path.stem not in NO_RULES}
    with_page = {page.stem for page in pages.glob("*.md")} - {"README"}
    return sorted(
        [
            *(f"{file} registers no rule {name!r}" for name, file in files.items() if name not in set(registered)),
            *(f"{file} has no page {name}.md" for name, file in files.items() if name not in with_page),
            *(f"the page {name}.md has no rule" for name in with_page - files.keys()),
            *(f"the rule {name!r} has no file of its name" for name in set(registered) - files.keys()),
        ]
    )


@pytest.fixture
def own_rules(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder whose files count as files of the rules' folder."""
    folder = tmp_path / "rules"
    folder.mkdir()
    monkeypatch.setattr(pytest_workflows.rules, "__path__", [*pytest_workflows.rules.__path__, str(folder)])
    monkeypatch.setattr(registry, "_rules", dict(registry._rules))
    monkeypatch.setattr(registry, "_observers", dict(registry._observers))
    load_rules.cache_clear()
    importlib.invalidate_caches()
    yield folder
    load_rules.cache_clear()
    for path in folder.glob("*.py"):
        sys.modules.pop(f"pytest_workflows.rules.{path.stem}", None)
        vars(pytest_workflows.rules).pop(path.stem, None)


def write(path: Path, text: str) -> None:
    path.write_text(textwrap.dedent(text), encoding="utf-8")


def test_every_rule_has_a_file_that_registers_it_and_a_page() -> None:
    assert faults_of_the_folder(FOLDER, PAGES, load_rules().rules) == []
    assert not load_rules().failures


def test_every_rule_says_what_happens_and_what_to_write() -> None:
    for name, rule in load_rules().rules.items():
        assert rule.name == name
        assert rule.consequence
        assert rule.remedy


def test_the_names_of_the_rules_are_those_of_the_files() -> None:
    assert rule_names() == list(load_rules().rules)


def rule_files() -> list[tuple[Path, str]]:
    """The files of the folder that hold an observer, with the rule that it is registered for, read from the source."""
    found = []
    for path in sorted(FOLDER.glob("*.py")):
        for cls in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(cls, ast.ClassDef) and any(ast.unparse(base) == "RuleObserver" for base in cls.bases):
                names = [
                    ast.literal_eval(call.args[0])
                    for call in cls.decorator_list
                    if isinstance(call, ast.Call) and ast.unparse(call.func) == "register"
                ]
                found.append((path, names[0]))
    return found


@pytest.mark.parametrize(("path", "rule"), rule_files(), ids=lambda value: str(getattr(value, "stem", value)))
def test_a_rule_file_is_registered_with_its_text_and_its_page(path: Path, rule: str) -> None:
    assert path.stem == rule.replace("-", "_")
    assert rule in [known.rule for known in load_rules().observers]
    assert load_rules().rules[rule].consequence
    assert load_rules().rules[rule].remedy
    assert (PAGES / f"{rule}.md").is_file()


def test_every_rule_that_watches_has_a_file() -> None:
    assert [rule.rule for rule in load_rules().observers] == [rule for _, rule in rule_files()]


def test_a_rule_has_no_public_method_but_those_that_are_called() -> None:
    """One that is not spelled as the engine spells it would never be called."""
    for observer in load_rules().observers:
        public = {name for name in vars(observer) if not name.startswith("_") and name not in ("rule", "wanted")}
        assert public <= set(dir(RuleObserver)), observer


def test_a_rule_that_is_written_into_the_folder_is_there(own_rules: Path) -> None:
    write(own_rules / "made_up_rule.py", RULE)

    loaded = load_rules()

    assert not loaded.failures
    assert loaded.rules["made-up-rule"] == Rule("made-up-rule", "the step is refused", "give it another name")
    [observer] = [found for found in loaded.observers if found.rule == "made-up-rule"]
    assert issubclass(observer, RuleObserver)
    assert observer.__name__ == "MadeUpRule"
    assert rule_names() == list(loaded.rules)


def test_a_rule_that_is_written_into_the_folder_is_checked_and_can_be_ignored(worker: Any, own_rules: Path) -> None:
    write(own_rules / "made_up_rule.py", RULE)
    worker.set(filterwarnings="default")
    worker.write("src/entry.py", ONE_STEP)

    result = worker.run(TESTS)

    result.assert_outcomes(passed=2, warnings=1)
    result.stdout.fnmatch_lines("*?made-up-rule? *entry.py:*: it is made up. In production: the step is refused.*")
    worker.set(workflows_ignore_rules="made-up-rule")
    worker.run(TESTS).assert_outcomes(passed=2, warnings=0)


def test_a_file_that_registers_no_rule_is_a_fault_and_says_what_to_write(own_rules: Path, tmp_path: Path) -> None:
    write(own_rules / "made_up_rule.py", UNREGISTERED)
    write(tmp_path / "made-up-rule.md", "# made-up-rule")

    loaded = load_rules()

    assert faults_of_the_folder(own_rules, tmp_path, loaded.rules.keys() & {"made-up-rule"}) == [
        "made_up_rule.py registers no rule 'made-up-rule'"
    ]
    [failure] = loaded.failures.values()
    assert isinstance(failure, UnregisteredRuleError)
    assert str(failure) == (
        "made_up_rule.py does not register the rule, so that it is not checked. Write "
        "@register('made-up-rule', consequence=..., remedy=...) before its observer."
    )


def test_a_file_that_registers_another_name_is_a_fault(own_rules: Path, tmp_path: Path) -> None:
    write(own_rules / "misnamed_rule.py", RULE)
    write(tmp_path / "misnamed-rule.md", "# misnamed-rule")

    assert faults_of_the_folder(own_rules, tmp_path, load_rules().rules.keys() & {"misnamed-rule", "made-up-rule"}) == [
        "misnamed_rule.py registers no rule 'misnamed-rule'",
        "the rule 'made-up-rule' has no file of its name",
    ]
    assert [*load_rules().failures] == ["misnamed-rule"]


def test_a_rule_without_a_page_is_a_fault(own_rules: Path, tmp_path: Path) -> None:
    write(own_rules / "made_up_rule.py", RULE)

    assert faults_of_the_folder(own_rules, tmp_path, ["made-up-rule"]) == [
        "made_up_rule.py has no page made-up-rule.md"
    ]


def test_a_page_without_a_rule_is_a_fault(own_rules: Path, tmp_path: Path) -> None:
    write(tmp_path / "made-up-rule.md", "# made-up-rule")

    assert faults_of_the_folder(own_rules, tmp_path, []) == ["the page made-up-rule.md has no rule"]


def test_the_names_of_the_rules_are_there_without_any_of_them() -> None:
    code = """
        import sys
        from pytest_workflows.rules.registry import rule_names

        assert "missing-await" in rule_names()
        loaded = {name for name in sys.modules if name.startswith("pytest_workflows.rules.")}
        assert loaded == {"pytest_workflows.rules.base", "pytest_workflows.rules.registry"}, loaded
    """

    subprocess.run([sys.executable, "-c", textwrap.dedent(code)], check=True)


@pytest.mark.parametrize(
    ("source", "what"),
    [
        (
            UNREGISTERED,
            "UnregisteredRuleError: made_up_rule.py does not register the rule, so that it is not checked.",
        ),
        ("1 / 0", "ZeroDivisionError: division by zero"),
    ],
    ids=["not registered", "raises"],
)
def test_a_file_that_registers_nothing_is_reported_once_and_hurts_no_workflow(
    worker: Any, own_rules: Path, source: str, what: str
) -> None:
    write(own_rules / "made_up_rule.py", source)

    result = worker.run(TESTS)

    result.assert_outcomes(passed=2, warnings=1)
    result.stdout.fnmatch_lines(f"*WorkflowObserverWarning: rule 'made-up-rule' raised in its registration: *{what}*")
    assert "switched off for the rest of the session" in result.stdout.str()


@pytest.mark.parametrize(
    ("parts", "during", "what"),
    [
        ({"asked": "1 / 0"}, "step_asked", "ZeroDivisionError: division by zero"),
        ({"made": "1 / 0"}, "its making", "ZeroDivisionError: division by zero"),
        ({"closed": "1 / 0"}, "close", "ZeroDivisionError: division by zero"),
    ],
    ids=["asked", "made", "closed"],
)
def test_a_rule_that_raises_is_reported_once_and_switched_off(
    worker: Any, parts: dict[str, str], during: str, what: str
) -> None:
    worker.write("conftest.py", CONFTEST.format(**{"made": "pass", "asked": "pass", "closed": "pass", **parts}))

    result = worker.run(TESTS)

    result.assert_outcomes(passed=2, warnings=1)
    result.stdout.fnmatch_lines(f"*WorkflowObserverWarning: rule 'made-up-rule' raised in {during}: {what}*")
    assert "switched off for the rest of the session" in result.stdout.str()
