"""The page in a real browser. Where there is none these tests are skipped, unless WORKFLOWS_NEED_BROWSER is set."""

import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from pytest_workflows.recordings import (
    Attempt,
    Effect,
    ErrorRecord,
    FindingRecord,
    ModificationRecord,
    Recording,
    ResourceUse,
    SourcePlace,
    Step,
)
from pytest_workflows.reporting.coverage import measure, sources_of
from pytest_workflows.reporting.html import Failure, Report, ReportedTest, render
from pytest_workflows.reporting.html.report import Exploration

sys.path.insert(0, str(Path(__file__).parents[1] / "browser"))  # not `tests`, whose folder `workers` would be found
sys.path.insert(0, str(Path(__file__).parent))

from chromium import launched

START = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with launched() as browser:
        yield browser


@pytest.fixture(scope="session")
def shop_report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page of a session with a failing test, a crash, a timeout, and markup in a step's output."""
    from html_shop import FILES

    folder = tmp_path_factory.mktemp("shop")
    for name, text in FILES.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--workflows-html=report.html"]
    result = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert "1 failed, 6 passed" in result.stdout, result.stdout + result.stderr
    return folder / "report.html"


@pytest.fixture(scope="session")
def large_report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page of 500 tests with 1,000 instances."""
    from html_many import write_page

    return write_page(tmp_path_factory.mktemp("large"), tests=500)


@pytest.fixture
def findings_report(tmp_path: Path) -> Path:
    """The page of an instance that broke a rule."""
    (tmp_path / "entry.py").write_text("import random\n\nnumber = random.random()\n", encoding="utf-8")
    place = SourcePlace(file="entry.py", line=3)
    finding = FindingRecord(rule="random-outside-step", message="random.random() was called", place=place)
    run = Recording(instance_id="a", binding="LUCKY", status="complete", findings=[finding], created_at=START)
    return write_report(tmp_path, [ReportedTest("tests/test_lucky.py::test_it", recordings=[run])])


@pytest.fixture
def limits_report(tmp_path: Path) -> Path:
    """The page of an instance that used up one limit, went beyond another, and came near no other."""
    uses = [
        ResourceUse("steps", 3, 10_000),
        ResourceUse("requests", 5, 5),
        ResourceUse("calls of bindings", 2),
        ResourceUse("state", 1536, 2**30, "bytes"),
        ResourceUse("processor time", 42.5, 10, "ms"),
    ]
    run = Recording(instance_id="a", binding="ORDERS", status="complete", created_at=START, uses=uses)
    return write_report(tmp_path, [ReportedTest("tests/test_it.py::test_it", recordings=[run])])


def recording(id: str, **more: Any) -> Recording:
    return Recording(instance_id=id, binding="ORDERS", status="complete", created_at=START, **more)


def write_report(folder: Path, tests: list[ReportedTest], **more: Any) -> Path:
    recordings = [recording for test in tests for recording in test.recordings]
    coverage = measure(recordings, [], sources_of(folder), folder)
    path = folder / "report.html"
    path.write_text(render(Report(folder, tests, coverage, **more)), encoding="utf-8")
    return path


@pytest.fixture
def many_findings_report(tmp_path: Path) -> Path:
    """The page of 304 instances, 303 of which broke one rule at one place."""
    (tmp_path / "entry.py").write_text("import random\n\nnumber = random.random()\n\nrandom.seed()\n", encoding="utf-8")

    def found(rule: str, line: int) -> FindingRecord:
        return FindingRecord(rule=rule, message=f"line {line}", place=SourcePlace(file="entry.py", line=line))

    first = [recording(f"a-{number}", findings=[found("random-outside-step", 3)]) for number in range(300)]
    first[0].findings.append(found("random-outside-step", 5))
    second = [recording(f"b-{number}", findings=[found("random-outside-step", 3)]) for number in range(3)]
    last = recording("c", findings=[found("not-idempotent", 5)])
    tests = [
        ReportedTest("test_it.py::test_first", recordings=first),
        ReportedTest("test_it.py::test_second", recordings=second),
    ]
    return write_report(tmp_path, [*tests, ReportedTest("test_it.py::test_last", recordings=[last])])


@pytest.fixture
def broken_report(tmp_path: Path) -> Path:
    """The page of a test that failed before it created an instance, of one that passed, and of what else failed."""
    failure = Failure(
        "E   AttributeError: no", "AttributeError: no", "pytest 'tests/test_env.py::test_without_a_binding'"
    )
    tests = [
        ReportedTest("tests/test_env.py::test_without_a_binding", outcome="failed", failure=failure),
        ReportedTest("tests/test_env.py::test_it", recordings=[recording("a")]),
    ]
    return write_report(tmp_path, tests, others=["tests/test_sums.py::test_sum", "tests/test_broken.py"])


@pytest.fixture
def long_names_report(tmp_path: Path) -> Path:
    """The page of a test in which every name and value is long, some without a place to break the line."""
    word = "a_name_without_any_place_to_break_the_line_" * 5
    failure = Failure(f"E   ValueError: {word}", f"ValueError: {word}", f"pytest '{word}'", [f"{word}.json"])
    (tmp_path / "entry.py").write_text(f"{word} = 1\n", encoding="utf-8")
    place = SourcePlace(file="entry.py", line=1)
    error = ErrorRecord(name="Error", message=f"PythonError: ValueError: {word}\n")
    steps = [
        Step(
            kind="do",
            name=f"{word}{number}",
            status="errored",
            started_at=START,
            ended_at=START,
            inputs={word: word},
            config={word: {word: word}},
            error=error,
            place=place,
            attempts=[Attempt(number=1, started_at=START, ended_at=START, error=error)],
        )
        for number in range(2)
    ]
    one = Recording(
        instance_id=word,
        binding=word,
        status="errored",
        class_name=word,
        file=f"src/{word}.py",
        error=error,
        created_at=START,
        ended_at=START,
        params={word: [word, word]},
        steps=steps,
        effects=[Effect(service=word, method=word, args=[word], kwargs={word: word}, place=place)],
        findings=[FindingRecord(rule="random-outside-step", message=word, place=place)],
        modifications=[ModificationRecord(call=f"mock_step_result({word!r})", kind="result")],
        notes=[word],
    )
    tests = [ReportedTest(f"tests/{word}.py::{word}", outcome="failed", failure=failure, recordings=[one])]
    more = [ReportedTest(f"tests/test_{number}.py::{word}", recordings=[recording(f"{number}")]) for number in range(6)]
    explored = Exploration(word, [f"not reached again: {word}"])
    return write_report(
        tmp_path, [*tests, *more], others=[f"tests/{word}"], commit="c" * 40, parts=12, exploration=explored
    )


class Page:
    """A page with what went wrong on it.

    Args:
        page: Playwright's.
    """

    def __init__(self, page: Any) -> None:
        self.page = page
        self.requests: list[str] = []
        self.errors: list[str] = []
        page.set_default_timeout(5000)
        page.on("request", lambda request: self.requests.append(request.url))
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("console", lambda message: self.errors.append(message.text))

    def open(self, path: Path, view: str = "") -> Any:
        self.page.goto(f"{path.as_uri()}{view}")
        return self.page


@pytest.fixture
def tab(browser: Any) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 1440, "height": 900}, color_scheme="light")
    tab = Page(context.new_page())
    yield tab
    context.close()
    assert tab.errors == []
    assert [url for url in tab.requests if not url.startswith("file:")] == []


@pytest.fixture
def runs(tab: Page, shop_report: Path) -> Any:
    """The view of the runs of the shop."""
    return tab.open(shop_report, "#/runs")
