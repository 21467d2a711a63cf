"""The code in README and in the docs: every fenced block of Python runs, or at least compiles.

A block that defines tests is a test file. It runs in a temporary project, together with the blocks before it on the
same page that have a title, such as ```python title="src/entry.py" or ```jsonc title="wrangler.jsonc". On a page
without a wrangler configuration of its own, that is the Worker of examples/moderation. A block that cannot be a test
stands behind the marker <!-- not run: reason -->, and is compiled only. The pages of rules have tests of their own,
test_rule_pages.py.
"""

import re
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

# A pytest that runs in this process forgets the modules that it imported. All of ours are here before, so that none
# of them exists twice.
import durable_engine  # noqa: F401
import pytest_workflows.hookspecs
import pytest_workflows.introspection.clock
import pytest_workflows.introspection.freeze
import pytest_workflows.introspection.introspectors
import pytest_workflows.rules.registry
import pytest_workflows.session.hooks.replay
import pytest_workflows.session.recording_section
import pytest_workflows.session.testrun
import pytest_workflows.session.worker  # noqa: F401

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
EXAMPLE = ROOT / "examples" / "moderation"

_FENCE = re.compile(
    r"^(?P<indent> *)```(?P<language>\w+)(?: +title=\"(?P<title>[^\"]+)\")? *\n(?P<code>.*?)^(?P=indent)``` *$",
    re.MULTILINE | re.DOTALL,
)
_NOT_RUN = re.compile(r"<!-- not run: \S.* -->\s*\Z")
_TEST = re.compile(r"^(async )?def test_", re.MULTILINE)


@dataclass(frozen=True)
class Block:
    """A fenced block of a page."""

    page: Path
    line: int
    language: str
    title: str | None
    code: str
    not_run: bool

    @property
    def is_test(self) -> bool:
        in_rule_page = self.page.parent.name == "rules"  # test_rule_pages.py runs those
        runs = self.language == "python" and not self.not_run and not in_rule_page
        return runs and _TEST.search(self.code) is not None

    def __str__(self) -> str:
        return f"{self.page.relative_to(ROOT)}:{self.line}"


def blocks_of(page: Path) -> Iterator[Block]:
    text = page.read_text(encoding="utf-8")
    for found in _FENCE.finditer(text):
        yield Block(
            page,
            text.count("\n", 0, found.start()) + 1,
            found["language"],
            found["title"],
            textwrap.dedent(found["code"]),
            _NOT_RUN.search(text[: found.start()]) is not None,
        )


BLOCKS = [block for page in PAGES for block in blocks_of(page)]
PYTHON = [block for block in BLOCKS if block.language == "python"]


def project_of(test: Block) -> dict[str, str]:
    """The files that a test block runs with: path to content."""
    before = [block for block in BLOCKS if block.page == test.page and block.title and block.line < test.line]
    files = {block.title: block.code for block in before if block.title and not block.is_test}
    if not any(Path(name).name.startswith("wrangler.") for name in files):
        files = {name: (EXAMPLE / name).read_text() for name in ("wrangler.jsonc", "src/entry.py")} | files
    files.setdefault("pyproject.toml", (EXAMPLE / "pyproject.toml").read_text())
    files[test.title or "tests/test_page.py"] = test.code
    return files


@pytest.mark.parametrize("block", PYTHON, ids=str)
def test_the_code_compiles(block: Block) -> None:
    compile(block.code, str(block), "exec")


@pytest.mark.parametrize("block", [block for block in PYTHON if block.is_test], ids=str)
def test_the_tests_of_the_docs_pass(block: Block, pytester: pytest.Pytester) -> None:
    for name, code in project_of(block).items():
        path = pytester.path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(code, encoding="utf-8")

    result = pytester.runpytest_inprocess("-p", "no:cacheprovider", "-W", "error")

    result.assert_outcomes(passed=len(_TEST.findall(block.code)))


def test_every_page_has_its_code_looked_at() -> None:
    """A fence that the pattern above misses would never run."""
    missed = [
        f"{page.relative_to(ROOT)}: {page.read_text().count('```')} fences, {2 * len(list(blocks_of(page)))} read"
        for page in PAGES
        if page.read_text().count("```") != 2 * len(list(blocks_of(page)))
    ]

    assert missed == []


def test_links_between_the_pages_lead_somewhere() -> None:
    broken = [
        f"{page.relative_to(ROOT)}: {target}"
        for page in PAGES
        for target in re.findall(r"\]\((?!https?:)([^)#]+)(?:#[^)]*)?\)", page.read_text())
        if not (page.parent / target).exists()
    ]

    assert broken == []
