"""`--workflows-upgrade-from`: instances that an older source began go on with today's, at every fault point."""

import json
import re
import subprocess
import tempfile
import textwrap

import pytest

from .upgrade_outcomes import red_points

HEAD = """
import asyncio
from workers import WorkflowEntrypoint


async def do(step, name, function, **options):
    return await step.do(name, **options)(function)()


async def each(step, *names):
    for name in names:
        await do(step, name, lambda: None)


async def nap_and_look(step):
    await step.sleep("long nap", "3 days")
    await do(step, "look", lambda: None)


async def look_twice(step):
    await do(step, "a1", lambda: None)
    await asyncio.gather(each(step, "left"), each(step, "right"))
    await do(step, "a2", lambda: None)
"""
STEPS = {
    "charge": 'c = await do(step, "charge", self.charge)',
    "pay": 'c = await do(step, "pay", self.charge)',
    "sleep": 'await step.sleep("cool down", "3 days")',
    "sleep 5": 'await step.sleep("cool down", "5 days")',
    "sleep again": 'await step.sleep("rest", "1 day")',
    "ship": 's = await do(step, "ship", self.ship)',
    "retried": 's = await do(step, "ship", self.ship, config={"retries": {"limit": 9, "delay": 5}})',
    "check": 'await do(step, "check", self.other)',
    "notify": 'await do(step, "notify", self.other)',
    "wait": 'await step.wait_for_event("approval", "approve")',
    "wait again": 'await step.wait_for_event("consent", "approve")',
    "both": 'c, s = await asyncio.gather(do(step, "charge", self.charge), do(step, "ship", self.ship))',
    "three": 'c, s, _ = await asyncio.gather(do(step, "charge", self.charge), do(step, "ship", self.ship), '
    'do(step, "check", self.other))',
    "old branch": 'c = await do(step, "pay" if event["payload"].get("version") else "charge", self.charge)',
    "end": 'return [c["id"], s]',
    "branches": 'await asyncio.gather(each(step, "a1", "a2"), each(step, "b1"))',
    "three branches": 'await asyncio.gather(each(step, "a1", "a2"), each(step, "b1"), each(step, "c1"))',
    "longer branch": 'await asyncio.gather(each(step, "a1", "check", "a2"), each(step, "b1"))',
    "a branch": 'await asyncio.gather(each(step, "a1", "a2"))',
    "branches of a branch": "await asyncio.gather(look_twice(step))",
    "slow branch": 'await asyncio.gather(nap_and_look(step), each(step, "a1", "a2", "a3"))',
}
CLASS = """
class {name}(WorkflowEntrypoint):
    async def run(self, event, step):
        {run}

    def charge(self):
        {charge}

    def ship(self):
        return "shipped"

    def other(self):
        return None
"""
CHARGE = 'return {"id": "ch_1"}'
SEQUENCE = ["charge", "sleep", "ship", "end"]
WAITING = ["charge", "wait", "ship", "end"]
CHANGES = {
    # name: the older source, today's, and the callback `charge` of either, where it is another one
    "Same": (SEQUENCE, SEQUENCE),
    "AddedAtTheEnd": (SEQUENCE, [*SEQUENCE[:-1], "notify", "sleep again", "end"]),
    "OtherRetries": (SEQUENCE, ["charge", "sleep", "retried", "end"]),
    "OtherCallback": (SEQUENCE, SEQUENCE, CHARGE, 'return {"id": "ch_1", "currency": "EUR"}'),
    "OtherResult": (SEQUENCE, SEQUENCE, CHARGE, 'return {"id": "ch_2"}'),
    "OneMoreAtATime": (["both", "sleep", "end"], ["three", "sleep", "end"]),
    "SleepBeforeAStep": (SEQUENCE, ["charge", "sleep again", "sleep", "ship", "end"]),
    "BranchByVersion": (SEQUENCE, ["old branch", "sleep", "ship", "end"]),
    "OneMoreBranch": (["branches", "sleep"], ["three branches", "sleep"]),
    "Renamed": (SEQUENCE, ["pay", "sleep", "ship", "end"]),
    "RenamedBehindBranches": (["slow branch", "charge"], ["slow branch", "pay"]),
    "PutIntoABranch": (["branches"], ["longer branch"]),
    "PutIntoABranchAsBranches": (["a branch"], ["branches of a branch"]),
    "Reordered": (SEQUENCE, ["ship", "sleep", "charge", "end"]),
    "PutInBetween": (SEQUENCE, ["charge", "check", "sleep", "ship", "end"]),
    "OtherSleep": (SEQUENCE, ["charge", "sleep 5", "ship", "end"]),
    "Removed": (["charge", "check", "sleep", "ship", "end"], SEQUENCE),
    "OtherShape": (SEQUENCE, SEQUENCE, 'return {"receipt": "ch_1"}', CHARGE),
    "RenamedWait": (WAITING, ["charge", "wait again", "ship", "end"]),
}
RED = {
    "SleepBeforeAStep": 3,
    "Renamed": 7,
    "RenamedBehindBranches": 3,
    "PutIntoABranch": 3,
    "PutIntoABranchAsBranches": 3,
    "Reordered": 7,
    "PutInBetween": 3,
    "OtherSleep": 5,
    "Removed": 7,
    "OtherShape": 6,
    "RenamedWait": 5,
}
TESTS = """
import pytest
from pytest_workflows import introspect_workflow_instance


@pytest.mark.parametrize("name", {names})
async def test_it(workflow_env, name):
    binding = getattr(workflow_env, name)
    async with introspect_workflow_instance(binding, "a") as instance:
        handle = await binding.create({{"id": "a"}})
        if name == "RenamedWait":
            await instance.wait_for_step_result("charge")
            await handle.send_event({{"type": "approve"}})
        await instance.wait_for_status("complete")
"""


def source(which):
    made = [textwrap.dedent(HEAD)]
    for name, change in CHANGES.items():
        old, today, *callbacks = change
        steps = (old, today)[which]
        if name == "OtherShape" and which == 0:
            steps = [step if step != "end" else "end old" for step in steps]
        run = "\n        ".join({**STEPS, "end old": 'return [c["receipt"], s]'}[step] for step in steps)
        made.append(CLASS.format(name=name, run=run, charge=callbacks[which] if callbacks else CHARGE))
    return "\n".join(made)


def config(names):
    return json.dumps(
        {
            "name": "shop",
            "main": "src/entry.py",
            "compatibility_date": "2026-11-10",
            "workflows": [{"binding": name, "name": name.lower(), "class_name": name} for name in names],
        }
    )


def write(worker, old, today, names):
    for folder, text in (("old/", old), ("", today)):
        worker.write(f"{folder}wrangler.jsonc", config(names))
        worker.write(f"{folder}src/entry.py", text)


def test_safe_changes_are_green_at_every_point_and_others_red_from_the_first_point_that_they_hurt(worker):
    write(worker, source(0), source(1), CHANGES)

    result = worker.run(TESTS.format(names=list(CHANGES)), "--workflows-upgrade-from=old", "-rf", "-W", "ignore")

    found = red_points(result)
    assert {name: len(points) for name, points in found.items()} == RED
    assert 'before "charge"' not in found["Renamed"]
    assert 'stored result of "charge"' in found["Renamed"]


# -- the older source ----------------------------------------------------------------------------------------------------

ONE = """
    from pytest_workflows import introspect_workflow_instance


    async def test_order(workflow_env):
        async with introspect_workflow_instance(workflow_env.ORDERS, "order-1") as order:
            await workflow_env.ORDERS.create({"id": "order-1", "params": {"sku": "A1"}})
            await order.wait_for_status("complete")


    def test_without_a_workflow():
        pass
"""


def git(worker, *arguments):
    subprocess.run(
        ["git", "-c", "user.name=a", "-c", "user.email=a@example.com", *arguments], cwd=worker.path, check=True
    )


def rename(worker, folder=""):
    entry = worker.path / folder / "src/entry.py"
    entry.write_text(entry.read_text().replace('"charge"', '"charge card"'))


def summary(result):
    lines = result.outlines
    start = next(place for place, line in enumerate(lines) if " upgrade from " in line)
    return [
        re.sub(r" in \d+\.\d+ s", "", line)
        for line in lines[start + 1 : start + 4]
        if line and not line.startswith("=")
    ]


def test_a_git_ref_is_an_older_source_and_both_places_the_point_and_what_to_do_are_said(worker, monkeypatch, tmp_path):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    worker.write("tests/test_it.py", ONE)
    worker.write(".gitattributes", "tests export-ignore")
    (worker.path / "elsewhere").symlink_to("/somewhere/else")
    git(worker, "init", "-q")
    git(worker, "add", ".")
    git(worker, "commit", "-q", "-m", "one")
    git(worker, "tag", "v1")
    rename(worker)
    worker.write("tests/test_new.py", ONE.replace("test_order", "test_new"))
    point = "--workflows-crash=stored:charge"

    result = worker.run(None, "--workflows-upgrade-from=v1", point, "--junitxml=report.xml", "-rf")

    result.assert_outcomes(passed=4, failed=2)
    said = "\n".join(result.outlines)
    assert "Instance 'order-1' of 'ORDERS' is in flight when today's source takes the place of v1, at the point" in said
    assert "step.do('charge') (v1:src/entry.py:6). Today's source does not ask for it, and does step.do(" in said
    assert "'charge card') (src/entry.py:6) in its place." in said
    assert said.count("What to do: keep the name 'charge'; or branch by a version") == 2  # once in each failure
    assert (
        "pytest 'tests/test_it.py::test_order' --workflows-upgrade-from='v1' --workflows-crash='stored:charge#1'"
        in said
    )
    assert summary(result)[:2] == [
        "2 tests, 2 upgrades: 2 failed",
        "not in v1, but run on it: tests/test_new.py::test_new",
    ]
    report = (worker.path / "report.xml").read_text()
    assert "test_order[upgrade: stored result of &quot;charge&quot;]" in report
    assert not list(tmp_path.glob("pytest-workflows-*"))


def test_a_worker_that_is_reached_through_a_link_has_its_older_source_all_the_same(worker):
    worker.write("app/pytest.ini", (worker.path / "pytest.ini").read_text())
    for name in ("wrangler.jsonc", "src/entry.py"):
        worker.write(f"app/{name}", (worker.path / name).read_text())
        (worker.path / name).unlink()
    worker.write("app/tests/test_it.py", ONE)
    git(worker, "init", "-q")
    git(worker, "add", ".")
    git(worker, "commit", "-q", "-m", "one")
    (worker.path / "link").symlink_to("app")

    result = worker.run(
        None, "link", "--rootdir=link", "--workflows-upgrade-from=HEAD", "--workflows-crash=stored:charge"
    )

    result.assert_outcomes(passed=2)
    assert summary(result) == ["1 test, 1 upgrade: none failed"]


def test_the_processes_of_xdist_share_one_older_source(worker):
    pytest.importorskip("xdist")
    for name in ("wrangler.jsonc", "src/entry.py"):
        worker.write(f"old/{name}", (worker.path / name).read_text())
    rename(worker)

    result = worker.run(ONE, "--workflows-upgrade-from=old", "--workflows-seeds=2", "-n", "1", process=True)

    result.assert_outcomes(passed=2, failed=7)
    assert summary(result)[0] == "1 test, 8 upgrades: 7 failed"


@pytest.mark.parametrize(
    ("given", "prepare", "said"),
    [
        ("v9", None, "--workflows-upgrade-from=v9: there is no such git ref * and no such folder. Give the tag or*"),
        ("./v9", None, "--workflows-upgrade-from=./v9: there is no folder /*/v9. Give the one of an older source."),
        (
            "tests",
            None,
            "--workflows-upgrade-from=tests: no test is left. Those in the folder of an older source are *",
        ),
        ("wrangler.jsonc", None, "*=wrangler.jsonc: this is a file, and an older source is a git ref or a folder."),
        ("", None, "--workflows-upgrade-from takes a git ref, such as a tag, or the folder of an older source*"),
        ("./old", "import nothing_there", "*: the older source ./old/src/entry.py cannot be imported: ModuleNotFou*"),
        ("./old", "raise SystemExit(3)", "*: the older source ./old/src/entry.py cannot be imported: SystemExit: 3. *"),
        ("./old", "def f(:", "*: the older source ./old/src/entry.py cannot be imported: SyntaxError: *"),
    ],
)
def test_an_older_source_that_cannot_be_had_is_an_error_before_the_first_test(worker, given, prepare, said):
    if prepare is not None:
        worker.write("old/wrangler.jsonc", (worker.path / "wrangler.jsonc").read_text())
        worker.write("old/src/entry.py", prepare)

    result = worker.run(ONE, f"--workflows-upgrade-from={given}")

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([f"ERROR: {said}"])
    assert "PASSED" not in "\n".join(result.outlines)


def test_an_older_source_without_a_configuration_for_any_test_is_an_error_too(worker):
    worker.write("old/src/entry.py", (worker.path / "src/entry.py").read_text())

    result = worker.run(ONE, "--workflows-upgrade-from=old")

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(
        ["ERROR: --workflows-upgrade-from=old: there is no wrangler configuration in old, which would be the older *"]
    )


def test_the_tests_of_an_older_source_among_todays_are_left_out(worker):
    for name in ("wrangler.jsonc", "src/entry.py"):
        worker.write(f"old/{name}", (worker.path / name).read_text())
    worker.write("old/tests/test_it.py", "def test_older(): pass")

    result = worker.run(ONE, ".", "--workflows-upgrade-from=old")

    result.assert_outcomes(passed=2)


def test_what_is_not_judged_is_named_with_the_reason(worker):
    for name in ("wrangler.jsonc", "src/entry.py"):
        for folder in ("other", "old/other"):
            worker.write(f"{folder}/{name}", (worker.path / name).read_text())
    worker.write("other/tests/test_other.py", "def test_in_another_folder(): pass")

    result = worker.run(ONE, "tests", "other/tests", "--workflows-upgrade-from=old", "-k", "not without")

    result.assert_outcomes(passed=2, deselected=1)
    assert summary(result)[1].startswith(
        "not judged: tests/test_it.py::test_order (--workflows-upgrade-from=old: there is no wrangler configuration in "
    )


def test_a_test_of_new_instances_alone_is_left_out_and_a_workflow_that_is_new_is_not_judged(worker):
    config = (worker.path / "wrangler.jsonc").read_text()
    worker.write("old/wrangler.jsonc", config.replace("ORDERS", "OTHER"))
    worker.write("old/src/entry.py", (worker.path / "src/entry.py").read_text())
    left_out = ONE.replace("async def test_order", "@pytest.mark.workflow(upgrade=False)\n    async def test_new")

    result = worker.run(f"    import pytest\n{ONE}\n{left_out}", "--workflows-upgrade-from=old")

    result.assert_outcomes(passed=3)
    assert summary(result)[1:] == [
        "not judged: tests/test_it.py::test_order (it fails on the older source, without instances: AttributeError: "
        "workers.env has no binding 'ORDERS'. Bindings of this test: OTHER, STAGE. Add it to the wrangler configuration, "
        "or to the fixture workflow_bindings.)"
    ]


def test_recordings_are_what_an_older_source_has_begun(worker):
    worker.run(ONE, "--workflows-record=all")
    folder = next(one for one in (worker.path / ".workflows/failures").iterdir() if one.is_dir())
    rename(worker)

    result = worker.run(None, f"--workflows-upgrade-from={folder.relative_to(worker.path)}")

    result.assert_outcomes(failed=1)
    assert "charge card" in "\n".join(result.outlines)


CONTRADICTING = """
    import pytest
    from pytest_workflows import introspect_workflow_instance

    made = []


    @pytest.fixture
    def workflow_bindings():
        made.clear()
        return {}


    async def test_order(workflow_env, monkeypatch):
        import entry

        monkeypatch.setattr(entry, "note", made.append)
        async with introspect_workflow_instance(workflow_env.ORDERS, "a") as order:
            await workflow_env.ORDERS.create({"id": "a"})
            await order.wait_for_status("complete")
            assert made == MADE
"""
NOTING = """
    from workers import WorkflowEntrypoint


    def note(what):
        pass


    class OrderWorkflow(WorkflowEntrypoint):
        async def run(self, event, step):
            await step.do("one")(lambda: note(FIRST))()
            await step.sleep("nap", "1 day")
            await step.do("two")(lambda: note(SECOND))()
"""


def test_what_a_crash_alone_does_as_well_is_not_blamed_on_the_upgrade(worker):
    counting = """
        from workers import WorkflowEntrypoint


        class OrderWorkflow(WorkflowEntrypoint):
            async def run(self, event, step):
                @step.do("count")
                async def count(ctx):
                    return ctx["attempt"]

                return await count()
        """
    for folder in ("", "old/"):
        worker.write(f"{folder}wrangler.jsonc", (worker.path / "wrangler.jsonc").read_text())
        worker.write(f"{folder}src/entry.py", counting)

    result = worker.run(ONE, "--workflows-upgrade-from=old")

    result.assert_outcomes(passed=2)
    assert summary(result) == [
        "1 test, 4 upgrades: none failed",
        "not counted: 1 upgrade at a point where a crash alone does the same (see --workflows-crash)",
    ]


@pytest.mark.parametrize(
    "old",
    [("'one'", "'two'"), ("'old'", "'two'")],
    ids=["what it does is repeated", "it does something else"],
)
def test_an_assertion_that_the_older_source_does_not_meet_is_no_verdict(worker, old):
    worker.write("old/wrangler.jsonc", (worker.path / "wrangler.jsonc").read_text())
    worker.write("old/src/entry.py", NOTING.replace("FIRST", old[0]).replace("SECOND", old[1]))
    worker.write("src/entry.py", NOTING.replace("FIRST", "'one'").replace("SECOND", "'two'"))

    result = worker.run(CONTRADICTING.replace("MADE", "['one', 'two']"), "--workflows-upgrade-from=old", "-W", "ignore")

    result.assert_outcomes(passed=1)


def test_a_test_that_both_sources_pass_and_the_upgrade_does_not_is_red(worker):
    worker.write("old/wrangler.jsonc", (worker.path / "wrangler.jsonc").read_text())
    worker.write("old/src/entry.py", NOTING.replace("FIRST", "'paid'").replace("SECOND", "'sent'"))
    worker.write("src/entry.py", NOTING.replace("FIRST", "'sent'").replace("SECOND", "'paid'"))
    tests = CONTRADICTING.replace("assert made == MADE", "assert sorted(made) == ['paid', 'sent']")

    result = worker.run(tests, "--workflows-upgrade-from=old", "-W", "ignore")

    result.stdout.fnmatch_lines(["*The test passes on each source alone, and fails here: AssertionError: *"])
    assert summary(result)[0].endswith(": 3 failed")
