"""`pytest-workflows merge`: the parts of a run, such as the jobs of CI, as the one page that one machine had made."""

import json
import re
import subprocess
import textwrap
from pathlib import Path
from typing import Any

import pytest

from pytest_workflows.cli.commands import merge as command
from pytest_workflows.recordings import load
from pytest_workflows.reporting import json_report

ORDERS = """
    from pytest_workflows import introspect_workflow_instance


    async def place(env, id, status, **params):
        async with introspect_workflow_instance(env.ORDERS, id) as instance:
            await env.ORDERS.create({"id": id, "params": params})
            await instance.wait_for_status(status)


    async def test_z_waits(workflow_env):
        await place(workflow_env, "order-1", "complete")


    async def test_a_card_is_declined(workflow_env):
        await place(workflow_env, "order-2", "errored", card="declined")
        assert False, "on purpose"
"""
OTHERS = """
    import pytest


    class Draws:
        count = 0

        async def draw(self):
            self.count += 1


    @pytest.fixture
    def workflow_bindings():
        return {"DRAWS": Draws()}


    @pytest.mark.filterwarnings("default")
    async def test_it_is_drawn_once(workflow_env, workflow_engine, workflow_bindings):
        await workflow_env.LUCKY.create({"id": "lucky-1"})
        await workflow_engine.run_until_idle()
        count = workflow_bindings["DRAWS"].count
        assert count == 1


    def test_without_a_workflow():
        assert False


    async def test_no_instance(workflow_env):
        assert False
"""
LUCKY = """

    class Lucky(WorkflowEntrypoint):
        async def run(self, event, step):
            random.random()

            @step.do(f"draw {event['instanceId']}")
            async def draw():
                await self.env.DRAWS.draw()

            await draw()

            @step.do("never")
            async def never():
                return 1

            if event["instanceId"] == "unlucky":
                await never()
"""


def data_of(page: Path) -> dict[str, Any]:
    found = re.search(r'<script type="application/json" id="report-data">(.*?)</script>', page.read_text(), re.DOTALL)
    assert found is not None
    data: dict[str, Any] = json.loads(re.sub("0x[0-9a-f]+", "0x", found[1]))
    return data


def read(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found


def change(path: Path, **fields: Any) -> Path:
    """Write other values into a report's file."""
    path.write_text(json.dumps({**read(path), **fields}), encoding="utf-8")
    return path


@pytest.fixture
def jobs(shop: Any) -> Any:
    """A shop with two workflows and two files of tests, for the jobs of a run."""
    path = shop.path / "wrangler.jsonc"
    lucky = '"workflows": [{ "binding": "LUCKY", "name": "lucky", "class_name": "Lucky" }, '
    path.write_text(path.read_text().replace('"workflows": [', lucky))
    entry = shop.path / "src/entry.py"
    entry.write_text("import random\n" + entry.read_text())
    entry.write_text(entry.read_text() + textwrap.dedent(LUCKY))
    shop.write("pytest.ini", f"{(shop.path / 'pytest.ini').read_text()}workflows_now = 2026-01-01T00:00:00Z\n")
    shop.write("tests/test_orders.py", ORDERS)
    shop.write("tests/test_others.py", OTHERS)
    shop.write("tests/test_broken.py", "import no_such_module")
    return shop


WHOLE = ("--continue-on-collection-errors", "--workflows-crash", "--workflows-record=all")


@pytest.fixture
def parts(jobs: Any) -> list[Path]:
    """The reports of two jobs, each of which was left some tests of all."""
    jobs.pytest(*WHOLE, "--workflows-json=parts/1.json", "-k", "test_z or drawn or no_instance")
    jobs.pytest(*WHOLE, "--workflows-json=parts/2.json", "-k", "not test_z and not drawn and not no_instance")
    return [jobs.path / "parts/1.json", jobs.path / "parts/2.json"]


def test_the_parts_of_a_run_make_what_one_run_makes(jobs: Any, parts: list[Path]) -> None:
    asked = ["--workflows-json=whole.json", "--workflows-html=whole.html", "--workflows-cov-report=json:whole-cov.json"]
    whole = jobs.pytest(*WHOLE, *asked)
    assert "Workflow report as JSON: " in whole.out

    ended = jobs.command("merge", "parts", "-o", "merged")

    merged = jobs.path / "merged"
    assert ended.code == 0, ended.err
    assert ended.lines[:3] == [
        "Parts:          2",
        "Tests:          5 with workflows, 3 failed; 2 other failures",
        "Instances:      16",
    ]
    assert (merged / "step-coverage.json").read_bytes() == (jobs.path / "whole-cov.json").read_bytes()
    of_whole, of_merged = data_of(jobs.path / "whole.html"), data_of(merged / "report.html")
    for test in filter(lambda test: test["failure"], of_whole["tests"]):
        files = test["failure"]["recordings"]
        files[:] = [file.replace(".workflows/failures", "merged/recordings") for file in files]
    for row in (*of_whole["instances"], *of_merged["instances"]):
        row["real"] = None
    assert of_merged == of_whole
    one, other = read(jobs.path / "whole.json"), read(merged / "report.json")
    assert other["exploration"].pop("seconds") > 0
    assert one["exploration"].pop("seconds") > 0
    assert other["exploration"] == one["exploration"]
    assert other["exploration"]["points"] == 13


DIVIDING = """
    import os

    import pytest


    @pytest.hookimpl(wrapper=True)
    def pytest_collection_modifyitems(config, items):
        yield
        if number := os.environ.get("JOB"):
            left = items[2 - int(number) :: 2]
            items[:] = items[int(number) - 1 :: 2]
            config.hook.pytest_deselected(items=left)
"""


@pytest.fixture
def sliced(jobs: Any, monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """The reports of two jobs, each of which was left a slice of each test."""
    jobs.write("conftest.py", DIVIDING)
    for number in ("1", "2"):
        monkeypatch.setenv("JOB", number)
        jobs.pytest(*WHOLE, "--workflows-slices=2", f"--workflows-json=parts/{number}.json")
    monkeypatch.delenv("JOB")
    return [jobs.path / "parts/1.json", jobs.path / "parts/2.json"]


def test_slices_of_a_test_in_two_jobs_make_what_one_run_makes(jobs: Any, sliced: list[Path]) -> None:
    jobs.pytest(*WHOLE, "--workflows-json=whole.json", "--workflows-cov-report=json:whole-cov.json")
    assert "tests/test_orders.py::test_a_card_is_declined" in read(sliced[0])["failures"]
    assert "tests/test_orders.py::test_a_card_is_declined" in read(sliced[1])["failures"]

    ended = jobs.command("merge", "parts", "-o", "merged")

    assert ended.code == 0, ended.err
    assert (jobs.path / "merged/step-coverage.json").read_bytes() == (jobs.path / "whole-cov.json").read_bytes()
    one, other = read(jobs.path / "whole.json"), read(jobs.path / "merged/report.json")
    assert {run["test"] for run in other["runs"]} == {run["test"] for run in one["runs"]}
    assert len(other["runs"]) == len(one["runs"])
    assert list(other["failures"]) == sorted(one["failures"])
    for name in ("tests", "points", "failed", "findings", "unreached", "left_out"):
        assert other["exploration"][name] == one["exploration"][name]


def test_the_slices_of_one_job_alone_are_not_all(jobs: Any, sliced: list[Path]) -> None:
    ended = jobs.command("merge", sliced[0], "-o", "merged")

    assert ended.code == 3
    assert re.match(r"Error: tests/test_\S+::test_\S+: slice [12] of 2 is in none of the parts\.\n", ended.err)
    assert not (jobs.path / "merged").exists()


def test_the_page_says_how_many_parts_it_is_of_and_what_was_explored(jobs: Any, parts: list[Path]) -> None:
    jobs.command("merge", *parts, "-o", "merged")

    page = (jobs.path / "merged/report.html").read_text()
    assert "2 parts" in page
    assert re.search(r"<h2>Exploration</h2>\s*<p class=\"soft\">2 tests, 13 crash points in", page)


def test_recordings_lie_beside_the_page_and_run_again(jobs: Any, parts: list[Path]) -> None:
    jobs.command("merge", *parts, "-o", "merged")

    failed = next(test for test in data_of(jobs.path / "merged/report.html")["tests"] if "declined" in test["id"])
    recordings = failed["failure"]["recordings"]
    assert recordings == ["merged/recordings/tests.test_orders--test_a_card_is_declined/ORDERS-order-2.json"]
    mine = jobs.path / recordings[0].replace("merged/recordings", ".workflows/failures")
    assert load(jobs.path / recordings[0]) == load(mine)
    assert len(list((jobs.path / "merged/recordings").rglob("*.json"))) == 4
    assert jobs.command("reproduce", recordings[0]).code in (0, 3)


def test_nothing_is_needed_of_the_machine_that_ran_the_tests(
    jobs: Any, parts: list[Path], cli: Any, tmp_path_factory: Any, monkeypatch: Any
) -> None:
    there = tmp_path_factory.mktemp("there")
    for part in parts:
        part.rename(there / part.name)
    monkeypatch.chdir(there)

    ended = cli("merge", "1.json", "2.json", "-o", "merged")

    assert ended.code == 0, ended.err
    page = there / "merged/report.html"
    assert list(data_of(page)["sources"]) == ["src/entry.py"]
    assert str(jobs.path) not in page.read_text()
    steps = {
        step["name"]: step["line"]
        for one in read(there / "merged/step-coverage.json")["workflows"]
        for step in one["steps"]
    }
    assert steps["never"] is not None


def test_what_was_merged_can_be_merged_again(jobs: Any, parts: list[Path]) -> None:
    jobs.command("merge", *parts, "-o", "merged")

    again = jobs.command("merge", "merged/report.json", "-o", "again")

    assert again.code == 0
    assert read(jobs.path / "again/report.json") | {"failures": None} == read(jobs.path / "merged/report.json") | {
        "failures": None
    }


def test_an_earlier_merge_is_replaced(jobs: Any, parts: list[Path]) -> None:
    jobs.command("merge", *parts, "-o", "merged")

    ended = jobs.command("merge", parts[0], "-o", "merged")

    assert ended.code == 0
    assert [part["id"] for part in read(jobs.path / "merged/report.json")["parts"]] == [
        read(parts[0])["parts"][0]["id"]
    ]
    assert len(list((jobs.path / "merged/recordings").rglob("*.json"))) == 3


@pytest.mark.parametrize(
    ("arguments", "why"),
    [(["-x"], "stopping after 1 failures"), (["tests/test_broken.py"], "pytest was interrupted"), ([], None)],
    ids=["x", "collection", "all"],
)
def test_a_part_that_may_lack_tests_is_named(jobs: Any, arguments: list[str], why: str | None) -> None:
    jobs.pytest("tests/test_others.py", *arguments, "--workflows-json=1.json")

    ended = jobs.command("merge", "1.json", "-o", "merged")

    assert ended.code == 0
    assert ended.err == ("" if why is None else f"1.json may lack tests: {why}\n")


@pytest.mark.parametrize(("least", "code"), [("90", 1), ("50", 0)])
def test_too_little_coverage_of_all_parts_is_the_answer_no(jobs: Any, parts: list[Path], least: str, code: int) -> None:
    ended = jobs.command("merge", *parts, "-o", "merged", "--fail-under", least)

    assert ended.code == code
    assert ("71.4% is less than --fail-under 90%" in ended.out) == bool(code)


# -- what bad input gets ------------------------------------------------------------------------------------------------


@pytest.fixture
def two(jobs: Any) -> list[Path]:
    """The reports of two jobs that had one test each."""
    for number, test in (("1", "test_z"), ("2", "declined")):
        jobs.pytest("-k", test, "tests/test_orders.py", f"--workflows-json={number}.json")
    return [jobs.path / "1.json", jobs.path / "2.json"]


def refused(jobs: Any, *parts: object, output: str = "merged") -> str:
    """What the command says, which writes nothing."""
    before = sorted(jobs.path.rglob("*"))
    ended = jobs.command("merge", *map(str, parts), "-o", output)
    assert ended.code in (2, 3)
    assert ended.out == ""
    assert sorted(jobs.path.rglob("*")) == before
    return ended.err.replace(f"{jobs.path}/", "")


def test_the_same_part_twice(jobs: Any, two: list[Path]) -> None:
    (jobs.path / "copy.json").write_bytes(two[0].read_bytes())

    assert refused(jobs, *two, "copy.json") == (
        "Error: 1.json and copy.json are the same part.\nHint: Give each part once.\n"
    )


def test_parts_of_different_commits(jobs: Any, two: list[Path]) -> None:
    change(two[0], commit="a" * 40)
    change(two[1], commit="b" * 40)

    said = refused(jobs, *two)

    assert said.startswith(f"Error: 1.json and 2.json are of different commits: {'a' * 40} and {'b' * 40}.\n")


def test_a_part_of_no_commit(jobs: Any, two: list[Path]) -> None:
    change(two[0], commit="a" * 40)

    assert f"different commits: {'a' * 40} and none (outside of a repository)" in refused(jobs, *two)


def test_parts_of_two_projects_of_a_repository(jobs: Any, two: list[Path]) -> None:
    change(two[0], commit="a" * 40, folder="shop/")
    change(two[1], commit="a" * 40)

    assert "are of different projects: of the repository's folders shop/ and ./." in refused(jobs, *two)


def test_parts_of_projects_that_are_in_no_repository(jobs: Any, two: list[Path]) -> None:
    sources = read(two[0])["sources"]
    change(two[0], sources={**sources, "digests": {"bank/wrangler.toml": "1"}})

    assert "are of different projects: they have no file in common" in refused(jobs, *two)


def test_parts_of_sources_that_were_changed_between_them(jobs: Any, two: list[Path]) -> None:
    jobs.change("the bank answered 503", "the bank is closed")
    jobs.pytest("-k", "declined", "tests/test_orders.py", "--workflows-json=2.json")

    assert refused(jobs, *two).startswith(
        "Error: 1.json and 2.json are of different sources: src/entry.py is not the same.\n"
    )


def test_parts_that_ran_the_same_tests(jobs: Any) -> None:
    for number in ("1", "2"):
        jobs.pytest("tests/test_others.py", f"--workflows-json={number}.json")

    assert refused(jobs, "1.json", "2.json").startswith(
        "Error: 1.json and 2.json both ran tests/test_others.py::test_it_is_drawn_once and 1 other.\n"
    )


def test_parts_of_different_versions_of_this_tool(jobs: Any, two: list[Path]) -> None:
    change(two[0], made_by="0.0.1")

    assert "were made by different versions of pytest-workflows: 0.0.1 and 0.1.0." in refused(jobs, *two)


@pytest.mark.parametrize("newer", [{"made_by": "99.0"}, {"version": 2}], ids=["tool", "format"])
def test_a_part_of_a_newer_version(jobs: Any, two: list[Path], newer: dict[str, Any]) -> None:
    change(two[1], **newer)

    said = refused(jobs, *two)
    assert said.startswith(f"Error: 2.json: this report is of version {newer.get('version', 1)} of the format, and ")
    assert said.endswith("Hint: Install the same pytest-workflows here.\n")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "this is no JSON, or not all of it"),
        (b'{"format": "pytest-workflows-report", "version": 1, "par', "this is no JSON, or not all of it"),
        (b'\xff{"format": 1}', "this is no JSON, or not all of it"),
        (b"[" * 100_000, "this report cannot be read: its values are nested"),
        (b"[]", "this is JSON of another kind, no JSON report"),
        (b'{"format": []}', "this is JSON of another kind, no JSON report"),
        (b'{"format": "pytest-workflows-recording"}', "this is a recording, no JSON report"),
        (b'{"format": "pytest-workflows-step-coverage"}', "this is step coverage, no JSON report"),
        (b'{"format": "pytest-workflows-report", "version": 1}', "this report is damaged: Object missing required"),
        (b'{"format": "pytest-workflows-report", "version": 1, "parts": []}', "this report is damaged: it is of no"),
        (
            b'{"format": "pytest-workflows-report", "version": 1, "parts": [{"id": "a"}], "runs": 7}',
            "this report is damaged: Expected `array`, got `int` - at `$.runs`",
        ),
        (
            b'{"format": "pytest-workflows-report", "version": 1, "parts": [{"id": "a"}], "runs": [{"test": "t", '
            b'"worker": null, "quiet": false, "recordings": [{"instance_id": "a", "status": "complete", "steps": '
            b'[{"kind": "do", "name": "b", "event": 3}]}]}]}',
            "a recording in this report is damaged",
        ),
        (
            b'{"format": "pytest-workflows-report", "version": 1, "parts": [{"id": "a"}], "sources": {"workflows": '
            b'[{"known": {"workflow": "A", "class_name": "A", "file": null}, "source": {"class_name": "A", "file": "a", '
            b'"steps": [], "ends": [7]}}]}}',
            "this report is damaged: a step of A is not there",
        ),
        (
            b'{"format": "pytest-workflows-report", "version": 1, "parts": [{"id": "a"}], "sources": {"workflows": '
            b'[{"known": {"workflow": "A", "class_name": "A", "file": null}, "source": {"class_name": "A", "file": "a", '
            b'"steps": [{"kind": "do", "name": {"text": "a", "pattern": "("}, "file": "a", "line": 1}]}}]}}',
            "this report is damaged: a name of A is no pattern",
        ),
        (
            b'{"format": "pytest-workflows-report", "version": 1, "parts": [{"id": "a"}], "exploration": {"seconds": '
            b'"\\ud800"}}',
            "this report is damaged: 'utf-8' codec can't encode",
        ),
        (
            b'{"format": "pytest-workflows-report", "version": 1, "parts": [{"id": "a"}], "runs": [{"test": "t", '
            b'"worker": null, "quiet": false, "recordings": [{"instance_id": "a", "status": "\\ud800"}]}]}',
            "merged cannot be written: a name in a part is no Unicode",
        ),
    ],
)
def test_a_broken_part(jobs: Any, content: bytes, said: str) -> None:
    (jobs.path / "part.json").write_bytes(content)

    assert refused(jobs, "part.json").startswith(("Error: part.json: " + said, f"Error: {said}"))


def test_a_missing_part(jobs: Any, two: list[Path]) -> None:
    assert refused(jobs, *two, "3.json").startswith(
        "Error: 3.json: the report cannot be read: No such file or directory.\n"
    )


def test_a_folder_without_a_part(jobs: Any) -> None:
    jobs.write("parts/package.json", "{}")

    assert refused(jobs, "parts").startswith("Error: parts: there is no JSON report in this folder.\n")


def test_other_json_in_a_folder_is_passed_over(jobs: Any, two: list[Path]) -> None:
    jobs.write("parts/package.json", "{}")
    two[0].rename(jobs.path / "parts/1.json")

    assert jobs.command("merge", "parts", "-o", "merged").code == 0


def share(path: Path, number: int, total: int, **slices: Any) -> None:
    part = read(path)["parts"][0]
    change(path, parts=[{**part, "share": {"number": number, "total": total}}])


@pytest.mark.parametrize(
    ("shares", "said"),
    [
        ([(1, 3), (3, 3)], "group 2 of 3 is in none of the parts."),
        ([(1, 4), (2, 4)], "group 3, 4 of 4 is in none of the parts."),
        ([(1, 1), (1, 1)], "group 1 of 1 is in several of the parts."),
        ([(1, 2), (2, 3)], "the tests were split into 2 and into 3 groups."),
    ],
)
def test_groups_of_pytest_split(jobs: Any, two: list[Path], shares: list[tuple[int, int]], said: str) -> None:
    for path, mine in zip(two, shares, strict=True):
        share(path, *mine)

    assert refused(jobs, *two).startswith(f"Error: {said}\n")


@pytest.mark.parametrize(
    ("slices", "said"),
    [
        ([[(1, 3)], [(3, 3)]], "test_it: slice 2 of 3 is in none of the parts."),
        ([[(1, 2)], [(1, 2), (2, 2)]], "test_it: slice 1 of 2 is in several of the parts."),
        ([[(1, 2)], [(2, 3)]], "test_it was divided into 2 and into 3 slices."),
    ],
)
def test_slices_of_a_test(jobs: Any, two: list[Path], slices: Any, said: str) -> None:
    for path, mine in zip(two, slices, strict=True):
        part = read(path)["parts"][0]
        shares = [{"number": number, "total": total} for number, total in mine]
        change(path, parts=[{**part, "slices": {"test_it": shares}}])

    assert refused(jobs, *two).startswith(f"Error: {said}\n")


def test_a_folder_that_holds_something_else(jobs: Any, two: list[Path]) -> None:
    assert refused(jobs, *two, output=".").startswith("Error: . is a folder that holds something else.\n")


def test_an_output_that_is_a_file(jobs: Any, two: list[Path]) -> None:
    assert "1.json cannot be written: it is a file, no folder." in refused(jobs, *two, output="1.json")


def test_a_full_disk_leaves_nothing(jobs: Any, two: list[Path], monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> bytes:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(json_report, "dump", full)

    assert "merged cannot be written: No space left on device." in refused(jobs, *two)


def test_no_page_without_jinja2(jobs: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(command, "find_spec", lambda name: None)

    assert "the page needs jinja2" in refused(jobs, "1.json")


# -- the JSON report ----------------------------------------------------------------------------------------------------


def test_a_report_says_what_is_checked_out(jobs: Any) -> None:
    git = ["git", "-c", "user.name=ada", "-c", "user.email=ada@example.com"]
    for arguments in (["init", "-q"], ["add", "-A"], ["commit", "-q", "-m", "first"]):
        subprocess.run([*git, *arguments], cwd=jobs.path, check=True)
    commit = subprocess.run(["git", "rev-parse", "HEAD"], cwd=jobs.path, capture_output=True, text=True, check=True)

    jobs.pytest("-k", "nothing", "tests/test_orders.py", "--workflows-json=1.json", "--workflows-html=1.html")

    report = read(jobs.path / "1.json")
    assert (report["commit"], report["folder"]) == (commit.stdout.strip(), "")
    assert f"<code>{report['commit'][:7]}</code>" in (jobs.path / "1.html").read_text()


def test_a_machine_without_git_has_no_commit(jobs: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(jobs.path))

    jobs.pytest("-k", "nothing", "tests/test_orders.py", "--workflows-json=1.json")

    assert read(jobs.path / "1.json")["commit"] is None


@pytest.mark.parametrize(("given", "said"), [("", "not ''"), ("tests", "not 'tests'"), ("pytest.ini/a", "a file")])
def test_the_option_takes_a_file_that_can_be_written(jobs: Any, given: str, said: str) -> None:
    ended = jobs.pytest(f"--workflows-json={given}")

    assert ended.code == 4
    assert "--workflows-json" in ended.err
    assert said in ended.err


def test_names_that_are_no_unicode_come_through(jobs: Any) -> None:
    jobs.write(
        "tests/test_name.py",
        """
        import pytest


        @pytest.mark.parametrize("name", ["a"], ids=["x"])
        async def test_it(workflow_env, name):
            await workflow_env.LUCKY.create({"id": "a", "params": {"half": "\\\\ud800"[0:0] + chr(0xd800)}})
            assert False, chr(0xd800)
    """,
    )
    jobs.pytest("tests/test_name.py", "--workflows-json=1.json")

    ended = jobs.command("merge", "1.json", "-o", "merged")

    assert ended.code == 0, ended.err
