"""The pages of docs/reference/rules/: the bad example gets this rule's finding and no other, the good one none.

A page has these fenced blocks, by their titles:

- `bad` and `good`: a Worker's source, each with its workflows. `class ReportWorkflow(WorkflowEntrypoint)` is bound to
  REPORT_WORKFLOW. Or, where the page says so with a block `wrangler.jsonc`, as that one says.
- `test`: the test that runs either of them, with whatever fakes it needs. One that stands behind `bad` holds for `good`
  as well, unless another `test` stands behind that.
- `pyproject.toml` and `uv.lock`: what the project declares.
- `finding` (text): what is said of the bad one, word by word; line breaks do not count, and `…` is any number.

A page with several bad examples has a section for each, which is read as if it were a page.

`<!-- run with: --workflows-crash -->` gives pytest options. `<!-- also: random-outside-step -->` names the other rules
that the bad one cannot help breaking.
"""

import re
import textwrap
from dataclasses import dataclass
from pathlib import Path

import pytest

from durable_engine.testing.hazards import HAZARDS
from pytest_workflows.rules.registry import load_rules

FOLDER = Path(__file__).parents[2] / "docs" / "reference" / "rules"
PAGES = sorted(page for page in FOLDER.glob("*.md") if page.name != "README.md")
INI = """\
[pytest]
asyncio_mode = auto
asyncio_default_fixture_loop_scope = function
filterwarnings = error
"""

_FENCE = re.compile(r"^```\w+ +title=\"(?P<title>[^\"]+)\" *\n(?P<code>.*?)^``` *$", re.MULTILINE | re.DOTALL)
_FOUND = re.compile(r"^E +\[([a-z-]+)\] (.*)$", re.MULTILINE)
_WARNED = re.compile(r"WorkflowRuleWarning: \[([a-z-]+)\] (.*)$", re.MULTILINE)
_WORKFLOW = re.compile(r"^class (\w+)\(WorkflowEntrypoint\)", re.MULTILINE)


@dataclass(frozen=True)
class Page:
    """A rule's page, or a section of one."""

    rule: str
    text: str
    section: str | None = None

    def __str__(self) -> str:
        return self.rule if self.section is None else f"{self.rule}#{self.section}"

    def blocks(self, title: str) -> list[str]:
        """The blocks of that title, in order."""
        return [found["code"] for found in _FENCE.finditer(self.text) if found["title"] == title]

    def test_of(self, which: str) -> str:
        """The test behind a block, or else the first one."""
        tests = self.blocks("test")
        titles = [found["title"] for found in _FENCE.finditer(self.text)]
        behind = titles[titles.index(which) + 1 :][:1] == ["test"]
        return tests[-1] if behind and which == "good" else tests[0]

    def said(self, marker: str) -> list[str]:
        """The words of `<!-- marker: ... -->`."""
        return [word for found in re.findall(f"<!-- {marker}: (.*?) -->", self.text) for word in found.split()]


def pages_of(path: Path) -> list[Page]:
    text = path.read_text(encoding="utf-8")
    if text.count('title="bad"') == 1:
        return [Page(path.stem, text)]
    sections = re.findall(r"^## (.*)\n((?:(?!## ).*\n)*)", text, re.MULTILINE)
    return [Page(path.stem, section, heading) for heading, section in sections]


EXAMPLES = [page for path in PAGES for page in pages_of(path)]
each_page = pytest.mark.parametrize("page", EXAMPLES, ids=str)


def config_of(source: str) -> str:
    workflows = ", ".join(
        f'{{"binding": "{re.sub(r"(?<!^)(?=[A-Z])", "_", name).upper()}", "name": "{name}", "class_name": "{name}"}}'
        for name in _WORKFLOW.findall(source)
    )
    return (
        '{"name": "it", "main": "src/entry.py", "compatibility_date": "2026-11-10", "workflows": [' + workflows + "]}"
    )


def run(page: Page, which: str, pytester: pytest.Pytester) -> pytest.RunResult:
    [source] = page.blocks(which)
    files = {
        "pytest.ini": INI,
        "wrangler.jsonc": next(iter(page.blocks("wrangler.jsonc")), config_of(source)),
        "src/entry.py": source,
        "tests/test_rule.py": page.test_of(which),
    }
    for name in ("pyproject.toml", "uv.lock"):
        files.update((name, text) for text in page.blocks(name))
    for name, text in files.items():
        path = pytester.path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text), encoding="utf-8")
    return pytester.runpytest_inprocess("-p", "no:cacheprovider", "--workflows-strict", *page.said("run with"))


@each_page
def test_the_bad_example_is_found(page: Page, pytester: pytest.Pytester) -> None:
    result = run(page, "bad", pytester)

    text = result.stdout.str().replace(f"{pytester.path}/", "")
    is_advice = load_rules().rules[page.rule].is_advice
    found = {f"[{rule}] {message}" for rule, message in (_WARNED if is_advice else _FOUND).findall(text)}
    assert ("broken rule(s):" in text) != is_advice, text
    assert (result.ret == 0) == is_advice
    assert {message[1:].split("]")[0] for message in found} == {page.rule, *page.said("also")}, text
    [shown] = page.blocks("finding")
    pattern = re.escape(" ".join(shown.split())).replace("…", r"[0-9,.]+")
    assert any(re.fullmatch(pattern, one) for one in found), found


@each_page
def test_the_good_example_is_silent(page: Page, pytester: pytest.Pytester) -> None:
    result = run(page, "good", pytester)

    assert result.ret == 0, result.stdout.str()
    assert "broken rule" not in result.stdout.str()
    assert f"[{page.rule}]" not in result.stdout.str()


def test_every_rule_has_a_page_and_the_index_links_to_them_in_order() -> None:
    index = (FOLDER / "README.md").read_text(encoding="utf-8")

    rules = load_rules().rules
    assert {page.stem for page in PAGES} == rules.keys()
    assert re.findall(r"^\| \[`([a-z-]+)`\]\(([a-z-]+)\.md\)", index, re.MULTILINE) == [(rule, rule) for rule in rules]


def test_every_hazard_has_a_section_which_its_findings_name() -> None:
    sections = [page.section for page in EXAMPLES if page.rule == "engine-hazard"]

    assert sections == [hazard.name for hazard in HAZARDS]
