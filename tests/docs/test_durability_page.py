"""docs/how-to/find-durability-bugs.md: the Worker fails as the page says, word by word, and the other one does not."""

from pathlib import Path

import pytest

from tests.docs.test_docs import ROOT, blocks_of

PAGE = ROOT / "docs" / "how-to" / "find-durability-bugs.md"
BLOCKS = {block.title: block.code for block in blocks_of(PAGE) if block.title}
INI = "[pytest]\nasyncio_mode = auto\nasyncio_default_fixture_loop_scope = function\n"


@pytest.fixture
def project(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    for name in ("CI", "BUILD_NUMBER"):  # with them, pytest cuts no line of its summary
        monkeypatch.delenv(name, raising=False)
    files = {"pytest.ini": INI} | {
        name: BLOCKS[name] for name in ("wrangler.jsonc", "src/entry.py", "tests/test_reports.py")
    }
    for name, code in files.items():
        path = pytester.path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(code, encoding="utf-8")
    return pytester


def words(text: str) -> str:
    return " ".join(text.split())


def run(project: pytest.Pytester, *options: str) -> tuple[pytest.RunResult, str]:
    result = project.runpytest_inprocess("-p", "no:cacheprovider", "-W", "default", *options)
    return result, words(result.stdout.str().replace(f"{project.path}/", ""))


def test_the_published_form_passes_an_ordinary_run(project: pytest.Pytester) -> None:
    run(project)[0].assert_outcomes(passed=1)


def test_crashes_find_the_bug_and_the_report_says_what_the_page_shows(project: pytest.Pytester) -> None:
    result, shown = run(project, "--workflows-crash")

    result.assert_outcomes(passed=1, failed=6)
    for title in ("failures", "report", "again"):
        assert words(BLOCKS[title]) in shown


def test_the_line_that_runs_it_again_fails_again(project: pytest.Pytester) -> None:
    point = BLOCKS["again"].partition("--workflows-crash=")[2].strip().strip("'")

    result, _ = run(project, f"--workflows-crash={point}")

    result.assert_outcomes(passed=1, failed=1)


def test_the_other_form_survives_every_crash_and_breaks_no_rule(project: pytest.Pytester) -> None:
    Path(project.path / "src" / "entry.py").write_text(BLOCKS["fixed src/entry.py"], encoding="utf-8")

    result, shown = run(project, "--workflows-crash", "--workflows-strict")

    result.assert_outcomes(passed=1)
    assert words(BLOCKS["summary"]) in shown
    assert "none failed, 0 findings" in shown
