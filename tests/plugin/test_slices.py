"""Slices: the exploration of one test is divided into items, and comes to the same as in one piece."""

import json
import re
from pathlib import Path
from types import SimpleNamespace
from xml.etree import ElementTree

import pytest

from durable_engine import FaultPoint
from pytest_workflows.exploration.explorer import Exploration, Explorer, Tally
from pytest_workflows.exploration.run_plan import RunOutcome, RunPlan
from pytest_workflows.exploration.slices import Slice, count_later
from pytest_workflows.session.hooks.slices import SliceHooks
from pytest_workflows.session.slices import SLICING, Shares
from pytest_workflows.session.xdist_channel import CHANNEL, XdistChannel

STARTED = """
    from workers import WorkflowEntrypoint

    started = []


    class OrderWorkflow(WorkflowEntrypoint):
        async def run(self, event, step):
            started.append(event["instanceId"])

            @step.do("charge")
            async def charge():
                return 1

            await charge()
            await step.sleep("cool down", "1 day")

            @step.do("ship")
            async def ship():
                return 2

            await ship()
"""
ONCE = """
    import entry
    import pytest


    @pytest.fixture(autouse=True)
    def nothing_started():
        entry.started.clear()


    async def run(workflow_env, workflow_engine):
        await workflow_env.ORDERS.create({"id": "a"})
        await workflow_engine.run_until_idle()


    async def test_one(workflow_env, workflow_engine):
        await run(workflow_env, workflow_engine)
        assert entry.started == ["a"]


    async def test_two(workflow_env, workflow_engine):
        await run(workflow_env, workflow_engine)
        assert entry.started == ["a"]


    def test_plain():
        pass
"""
"""Every crash point fails these tests, so that the names of the failures are the points that were run."""
QUIET = ("-W", "ignore::pytest_workflows.WorkflowRuleWarning")


def failed(result):
    return sorted(line.split(" - ")[0] for line in result.outlines if line.startswith("FAILED"))


def summary(result):
    lines = result.outlines
    start = next(index for index, line in enumerate(lines) if "workflow exploration" in line)
    return re.sub(r" in [0-9.]+ s", "", lines[start + 1])


# -- which runs a slice has --------------------------------------------------------------------------------------------


def runs(exploration, piece, points, *, traces=lambda seed: [(0, seed or 0)]):
    """The plans of one slice of a test whose runs in any order reach the same points."""
    explorer = Explorer(exploration, "seed", piece)
    plans = []
    while (plan := explorer.next()) is not None:
        plans.append(plan)
        reached = () if plan.point is not None else points
        outcome = RunOutcome(passed=True, points=reached, has_choices=True, trace=traces(plan.seed), has_instances=True)
        explorer.learn(plan, outcome)
    return plans


POINTS = [FaultPoint.parse(f"lost:step {number}#1") for number in range(7)]


@pytest.mark.parametrize(
    "exploration",
    [
        Exploration("all"),
        Exploration(5),
        Exploration("all", seeds=2),
        Exploration(3, seeds=3),
        Exploration(seeds=6),
        Exploration("all", upgrade_from="v1"),
    ],
    ids=str,
)
@pytest.mark.parametrize("fewest", [1, 4])
@pytest.mark.parametrize("total", [1, 2, 3, 10])
def test_the_slices_of_a_test_have_each_run_once_and_no_other(exploration, total, fewest):
    whole = runs(exploration, Slice(), POINTS, traces=lambda seed: [(0, (seed or 0) % 3)])

    pieces = [
        runs(exploration, Slice(number, total, fewest), POINTS, traces=lambda seed: [(0, (seed or 0) % 3)])
        for number in range(1, total + 1)
    ]

    reported = [plan for plans in pieces for plan in plans if not plan.is_repeated and not plan.is_preparation]
    assert sorted(reported, key=str) == sorted((plan for plan in whole if not plan.is_preparation), key=str)
    assert len(reported) == len(set(reported))
    assert all(plans[0].is_repeated == (number > 0) for number, plans in enumerate(pieces))
    is_shared = (lambda plan: plan.point is not None) if exploration.explores_points else (lambda plan: plan.seed)
    counts = [count for plans in pieces if (count := sum(map(bool, map(is_shared, plans))))]
    assert max(counts) - min(counts) <= 1
    assert fewest == 1 or len(counts) <= 2


def test_a_slice_of_a_test_that_fails_has_no_further_run():
    explorer = Explorer(Exploration("all"), "seed", Slice(2, 2))
    plan = explorer.next()

    explorer.learn(plan, RunOutcome(passed=False, points=POINTS))

    assert explorer.next() is None
    assert plan == RunPlan(records=True, is_repeated=True)
    assert plan.is_silent


@pytest.mark.parametrize(
    ("exploration", "slices"),
    [
        (Exploration("all"), 8),
        (Exploration(3), 3),
        (Exploration(50), 8),
        (Exploration(POINTS[0]), 1),
        (Exploration(seeds=5), 5),
        (Exploration("all", seeds=5), 8),
        (Exploration(upgrade_from="v1"), 8),
        (Exploration(), 1),
    ],
    ids=str,
)
def test_there_are_no_more_slices_than_have_anything_to_do(exploration, slices):
    assert exploration.slices(8) == slices


def test_where_a_test_has_few_points_only_the_first_slices_have_any():
    assert Slice(1, 8, fewest=4).shares(9) == 3
    assert Slice(1, 8, fewest=4).shares(0) == 1
    assert Slice(1, 8, fewest=4).shares(150) == 8
    assert Slice(1, 8).shares(3) == 3


def test_a_parameter_may_look_like_a_slice():
    assert count_later({"a.py::test_one", "a.py::test_one[slice 2/2]", "a.py::test_two[slice 2/2]"}) == 1


def test_the_summary_counts_a_test_whose_first_slice_is_elsewhere_where_anything_was_explored():
    tally = Tally()
    tally.note_share("test_one", Slice(2, 3), "a")
    tally.note_share("test_two", Slice(3, 3), "")
    assert tally.lines() == ["1 test, 0 crash points in 0.00 s: none failed, 0 findings"]

    other = Tally(tests=1)
    other.note_share("test_one", Slice(1, 3), "a")
    tally.add(other)

    assert tally.lines()[0].startswith("1 test,")


def test_processes_of_one_machine_let_each_other_know_how_many_slices_have_anything_to_do(tmp_path):
    one, other = Shares(str(tmp_path)), Shares(str(tmp_path))
    assert other.of("tests/test_it.py::test_one") is None

    one.note("tests/test_it.py::test_one", 3)

    assert other.of("tests/test_it.py::test_one") == 3
    assert Shares("").of("tests/test_it.py::test_one") is None


def test_a_process_on_a_machine_without_that_folder_knows_what_it_found_out_itself(tmp_path):
    shares = Shares(str(tmp_path / "nowhere"))

    shares.note("test_one", 2)

    assert shares.of("test_one") == 2
    assert shares.of("test_two") is None


def test_the_summary_names_a_test_whose_slices_saw_other_points():
    tally, other = Tally(), Tally()
    tally.note_share("tests/test_it.py::test_one", Slice(1, 2), "a")
    tally.note_share("tests/test_it.py::test_two", Slice(1, 2), "a")
    other.note_share("tests/test_it.py::test_one", Slice(2, 2), "a")
    other.note_share("tests/test_it.py::test_two", Slice(2, 2), "b")

    tally.add(other)

    assert tally.lines()[1:] == [
        "not the same points in each slice: tests/test_it.py::test_two (its runs differ: is something random or timed "
        "in the test? With -n0 it is explored in one process)"
    ]


# -- in a session ------------------------------------------------------------------------------------------------------


def outcomes(result, folder):
    """What a session says: the terminal's counts, the failures, the summary, JUnit, step coverage."""
    junit = ElementTree.parse(folder / "report.xml")
    cases = sorted((case.get("name"), case.find("failure") is not None) for case in junit.iter("testcase"))
    coverage = json.loads((folder / "coverage.json").read_text())
    return {
        "counts": {word: count for word, count in result.parseoutcomes().items() if word != "warnings"},
        "failed": failed(result),
        "summary": summary(result),
        "junit": cases,
        "coverage": coverage,
    }


REPORTS = ("--workflows-crash", *QUIET, "--junit-xml=report.xml", "--workflows-cov-report=json:coverage.json")


def test_slices_report_what_the_exploration_in_one_piece_does(worker):
    worker.write("src/entry.py", STARTED)
    in_one_piece = worker.run(ONCE, *REPORTS)
    whole = outcomes(in_one_piece, worker.path)

    result = worker.run(None, "--workflows-slices=3", *REPORTS)

    assert outcomes(result, worker.path) == whole
    assert whole["counts"] == {"passed": 3, "failed": 16}
    assert whole["summary"] == "2 tests, 16 crash points: 16 failed, 0 findings"
    result.stdout.fnmatch_lines(["collected 7 items"])
    assert ("[100%]" in result.stdout.str()) == ("[100%]" in in_one_piece.stdout.str())  # older versions show none


@pytest.mark.parametrize(
    ("mode", "wanted", "total"),
    [
        ("load", None, 4),
        ("worksteal", None, 4),
        ("loadgroup", None, 4),
        ("loadscope", None, 1),
        ("loadfile", None, 1),
        ("each", None, 1),
        ("no", None, 1),
        ("each", 3, 3),
        ("no", 3, 3),
        ("load", 3, 3),
        ("load", 1, 1),
    ],
)
@pytest.mark.parametrize("explores", [True, False])
def test_workers_have_as_many_slices_as_there_are_where_items_of_a_file_may_go_to_any(mode, wanted, total, explores):
    config = SimpleNamespace(stash=pytest.Stash(), getoption=lambda name, default: mode)
    channel = config.stash[CHANNEL] = XdistChannel(config)
    hooks = SliceHooks(config, wanted, lambda item: Exploration(), explores_all=explores)
    node = SimpleNamespace(workerinput={"workerid": "gw0", "workercount": 4})

    channel.pytest_configure_node(node)
    config.workerinput = node.workerinput

    slicing = channel.started_with(SLICING)
    assert slicing.total == total
    assert (slicing.entropy == "") == (wanted is not None)
    assert bool(slicing.folder) == (total > 1 and explores)
    hooks.pytest_unconfigure()
    assert not slicing.folder or not Path(slicing.folder).exists()


def test_workers_of_xdist_report_what_one_process_does(worker):
    """Takes a session of three processes."""
    worker.write("src/entry.py", STARTED)
    whole = outcomes(worker.run(ONCE, *REPORTS), worker.path)

    result = worker.run(None, "-n", "2", "-v", *REPORTS)

    assert outcomes(result, worker.path) == whole
    assert "test_one[slice 2/2]" in result.stdout.str()
    assert "[100%]" in result.stdout.str()


def test_a_test_that_fails_as_it_is_is_reported_once(worker):
    worker.write("src/entry.py", STARTED)

    result = worker.run(ONCE.replace('== ["a"]', '== ["b"]', 1), "--workflows-crash", "--workflows-slices=3", *QUIET)

    result.assert_outcomes(passed=2, failed=9)
    assert failed(result)[0] == "FAILED tests/test_it.py::test_one"
    assert len(list((worker.path / ".workflows/failures").glob("*test_one*"))) == 1


def test_a_slice_that_has_nothing_to_do_makes_no_plain_run_and_ends_wider_fixtures(worker):
    tests = """
    import pytest


    @pytest.fixture(scope="module", autouse=True)
    def narrow():
        yield
        print("MODULE IS OVER")
        raise OSError("at its end")


    async def test_few(workflow_env, workflow_engine):
        print("RUN")
        await workflow_env.ORDERS.create({"id": "a"})
        await workflow_engine.run_until_idle()
    """
    worker.write("src/entry.py", STARTED)

    result = worker.run(tests, "-s", "--workflows-crash=3", "--workflows-slices=2", *QUIET)

    assert result.stdout.str().count("RUN") == 3 + 2

    worker.write(
        "src/entry.py",
        "from workers import WorkflowEntrypoint\n\n\nclass OrderWorkflow(WorkflowEntrypoint):\n"
        "    async def run(self, event, step):\n        pass\n",
    )
    result = worker.run(tests, "-s", "--workflows-crash", "--workflows-slices=5", *QUIET)

    assert result.stdout.str().count("RUN") == 1 + 1
    assert "".join(result.outlines).count("MODULE IS OVER") == 2  # and where it is shown as source
    result.assert_outcomes(passed=1, errors=1)
    assert "ERROR tests/test_it.py::test_few - OSError: at its end" in result.outlines


def test_a_failure_that_only_a_later_slice_sees_is_reported_under_its_name(worker):
    worker.write("src/entry.py", STARTED)
    flaky = """
    runs = []


    async def test_flaky(workflow_env, workflow_engine):
        runs.append(1)
        await workflow_env.ORDERS.create({"id": "a"})
        await workflow_engine.run_until_idle()
        assert len(runs) != 6, "the sixth time"
    """

    result = worker.run(flaky, "--workflows-crash", "--workflows-slices=2", "--junit-xml=report.xml", *QUIET)

    result.assert_outcomes(passed=1, failed=1)
    assert failed(result) == ["FAILED tests/test_it.py::test_flaky[slice 2/2]"]
    result.stdout.fnmatch_lines(["*AssertionError: the sixth time*"])
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    assert "test_flaky[slice 2/2]" in (worker.path / "report.xml").read_text()
    assert list(json.loads((worker.path / ".pytest_cache/v/cache/lastfailed").read_text())) == [
        "tests/test_it.py::test_flaky"
    ]


def test_a_slice_on_another_machine_reports_that_the_test_fails_there(worker):
    worker.write("src/entry.py", STARTED)
    worker.write("tests/conftest.py", DEALT)

    result = worker.run("async def test_one(workflow_env): assert 0", *DEAL, "--part=2")

    assert failed(result) == ["FAILED tests/test_it.py::test_one[slice 2/2]"]
    assert result.ret == pytest.ExitCode.TESTS_FAILED


DEALT = """
    import pytest


    def pytest_addoption(parser):
        parser.addoption("--part", type=int)


    def pytest_configure(config):
        config.pluginmanager.register(Dealer())


    class Dealer:
        @pytest.hookimpl(trylast=True)
        def pytest_collection_modifyitems(self, config, items):
            middle = (len(items) + 1) // 2
            first, second = items[:middle], items[middle:]
            chosen = first if config.getoption("--part") == 1 else second
            config.hook.pytest_deselected(items=second if chosen is first else first)
            items[:] = chosen
"""
DEAL = ("--workflows-crash", "--workflows-slices=2", *QUIET)


def test_a_plugin_that_deselects_divides_slices_like_tests(worker):
    worker.write("src/entry.py", STARTED)
    whole = failed(worker.run(ONCE, "--workflows-crash", *QUIET))
    worker.write("tests/conftest.py", DEALT)

    parts = [worker.run(None, *DEAL, f"--part={part}") for part in (1, 2)]

    assert failed(parts[0]) + failed(parts[1]) != whole  # each has some points of each test
    assert sorted(failed(parts[0]) + failed(parts[1])) == whole
    assert [part.parseoutcomes().get("passed", 0) for part in parts] == [3, 0]
    assert [summary(part) for part in parts] == [
        "2 tests, 8 crash points: 8 failed, 0 findings",
        "2 tests, 8 crash points: 8 failed, 0 findings",
    ]
    parts[0].stdout.fnmatch_lines(["collected 5 items / 2 deselected / 3 selected"])
    parts[1].stdout.fnmatch_lines(["collected 5 items / 3 deselected / 2 selected"])


def test_a_part_of_later_slices_alone_is_no_session_without_tests(worker):
    worker.write("tests/conftest.py", DEALT)

    result = worker.run("async def test_one(workflow_env): pass", *DEAL, "--part=2")

    assert result.ret == pytest.ExitCode.OK


def test_last_failed_runs_the_tests_of_failed_points_with_all_their_slices(worker):
    worker.write("src/entry.py", STARTED)
    worker.run(ONCE.replace('== ["a"]', "!= []", 1), "--workflows-crash", *QUIET).assert_outcomes(passed=3, failed=8)

    again = worker.run(None, "--lf", "--workflows-crash", "--workflows-slices=2", *QUIET)

    assert summary(again) == "1 test, 8 crash points: 8 failed, 0 findings"
    again.assert_outcomes(passed=1, failed=8)
    again.stdout.fnmatch_lines(["run-last-failure: rerun previous 1 failure"])
    mended = worker.run(ONCE.replace('== ["a"]', "!= []"), "--lf", "--workflows-crash", *QUIET)
    mended.assert_outcomes(passed=1)
    worker.run(None, "--lf").stdout.fnmatch_lines(["run-last-failure: no previously failed tests, *"])


def test_failed_first_keeps_all_slices(worker):
    worker.write("src/entry.py", STARTED)
    worker.run(ONCE.replace('== ["a"]', "!= []", 1), *QUIET, "--workflows-crash")

    again = worker.run(None, "--ff", "--workflows-crash", "--workflows-slices=2", "--collect-only", "-q", *QUIET)

    assert again.outlines[:5] == [
        "tests/test_it.py::test_two",
        "tests/test_it.py::test_one",
        "tests/test_it.py::test_plain",
        "tests/test_it.py::test_two[slice 2/2]",
        "tests/test_it.py::test_one[slice 2/2]",
    ]


@pytest.mark.parametrize(
    ("arguments", "names"),
    [
        (["--workflows-crash"], ["test_one", "test_marked", "test_one[slice 2/2]", "test_marked[slice 2/2]"]),
        (["--workflows-crash=lost:charge"], ["test_one", "test_marked"]),
        (["--workflows-crash=1"], ["test_one", "test_marked"]),
        ([], ["test_one", "test_marked", "test_marked[slice 2/2]"]),
        (["--workflows-crash", "-k", "one"], ["test_one", "test_one[slice 2/2]"]),
        (["--workflows-crash", "tests/test_it.py::test_one"], ["test_one", "test_one[slice 2/2]"]),
    ],
    ids=str,
)
def test_only_what_is_explored_is_divided(worker, arguments, names):
    tests = """
    import pytest


    async def test_one(workflow_env):
        pass


    @pytest.mark.workflow(crash=True)
    async def test_marked(workflow_env):
        pass


    @pytest.mark.workflow(crash=False)
    async def test_left_out(workflow_env):
        pass


    def test_plain():
        pass
    """

    result = worker.run(tests, *arguments, "--workflows-slices=2", "--collect-only", "-q")

    listed = [line.partition("::")[2] for line in result.outlines if "::" in line]
    assert [name for name in listed if name not in ("test_left_out", "test_plain")] == names


def test_all_slices_of_a_test_draw_the_same(worker):
    worker.write("src/entry.py", STARTED)
    tests = """
    import os
    import random
    import uuid


    async def test_random(workflow_env, workflow_engine):
        await workflow_env.ORDERS.create({"id": str(uuid.uuid4())})
        await workflow_engine.run_until_idle()
        print("DRAWN", random.random(), os.urandom(4).hex())
    """

    result = worker.run(tests, "-s", "--workflows-crash", "--workflows-slices=3", *QUIET)

    drawn = [line for line in result.outlines if "DRAWN" in line]
    assert len(drawn) == 11
    assert len({line.partition("DRAWN")[2] for line in drawn}) == 1


def test_a_warning_of_the_plain_run_comes_once(worker):
    tests = """
    import warnings


    async def test_one(workflow_env):
        warnings.warn("mind this")
    """

    worker.set(filterwarnings="default")
    result = worker.run(tests, "--workflows-crash", "--workflows-slices=3")

    result.assert_outcomes(passed=1, warnings=1)


def test_an_upgrade_is_judged_once_at_each_point(worker):
    for name in ("wrangler.jsonc", "src/entry.py"):
        worker.write(f"old/{name}", (worker.path / name).read_text())
    source = (worker.path / "src/entry.py").read_text()
    worker.write("src/entry.py", source.replace('"charge"', '"pay"'))
    tests = """
    from pytest_workflows import introspect_workflow_instance


    async def test_order(workflow_env):
        async with introspect_workflow_instance(workflow_env.ORDERS, "a") as order:
            await workflow_env.ORDERS.create({"id": "a", "params": {"sku": "A1"}})
            await order.wait_for_status("complete")
    """
    whole = worker.run(tests, "tests", "--workflows-upgrade-from=old")

    result = worker.run(None, "tests", "--workflows-upgrade-from=old", "--workflows-slices=3")

    assert failed(result) == failed(whole) != []
    assert result.parseoutcomes()["failed"] == whole.parseoutcomes()["failed"]
    said = [[line for line in one.outlines if "upgrades" in line] for one in (whole, result)]
    assert said[0][0].split(" in ")[0] == said[1][0].split(" in ")[0]


@pytest.mark.parametrize("given", ["0", "-1", "many", "1001", "1.5", ""])
def test_a_number_of_slices_that_is_none_is_a_usage_error(worker, given):
    result = worker.run("def test_it(): pass", f"--workflows-slices={given}")

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([f"ERROR: --workflows-slices takes a number of slices from 1 to 1000, not {given!r}."])
