"""`pytest-workflows check`: rules and crash exploration, by way of the project's tests."""

import json
import re

import pytest

from .conftest import PLUGINS, text

GOOD = """
    from pytest_workflows import introspect_workflow_instance


    async def test_an_order_that_nobody_approves(workflow_env):
        async with introspect_workflow_instance(workflow_env.ORDERS, "order-1") as instance:
            await workflow_env.ORDERS.create({"id": "order-1"})
            await instance.wait_for_status("complete")
            assert await instance.get_output() == {"status": "not approved"}
"""
STATE = """
    import entry
    from pytest_workflows import introspect_workflow_instance


    async def test_the_card_is_charged_once(workflow_env):
        entry.CHARGED.clear()
        async with introspect_workflow_instance(workflow_env.ORDERS, "order-1") as instance:
            await workflow_env.ORDERS.create({"id": "order-1"})
            await instance.wait_for_status("complete")
            assert len(entry.CHARGED) == 1
"""


@pytest.fixture(autouse=True)
def with_xdist(cli, monkeypatch):
    """`check` switches it off where it is installed."""
    monkeypatch.setenv("PYTEST_PLUGINS", f"{PLUGINS},xdist.plugin")


def timeless(out):
    return re.sub(r"in \d+\.\d\d s", "in 0.00 s", out)


def test_nothing_is_found(shop):
    shop.write("tests/test_it.py", GOOD)
    ended = shop.command("check")

    assert ended.code == 0
    points = re.search(r"Crash points:  (\d+) in", ended.out)[1]
    assert int(points) > 5
    assert timeless(ended.out) == text(f"""
        Tests:         1: passes as it is
        Crash points:  {points} in 0.00 s, none failed
        Broken rules:  none

        Nothing was found.
        """)


def test_a_test_that_fails_when_the_engine_dies(shop):
    shop.change("CARD =", "CHARGED = []\nCARD =")
    shop.change('return {"charge"', 'CHARGED.append(1)\n            return {"charge"')
    shop.write("tests/test_it.py", STATE)
    ended = shop.command("check")

    assert ended.code == 1
    shown = timeless(ended.out)
    assert "Tests:         1: passes as it is, fails at 1 crash point\n" in shown
    assert ", 1 failed\n" in shown
    assert (
        text("""
        Failures
          tests/test_it.py::test_the_card_is_charged_once[crash: lost result of "charge card"]
            assert 2 == 1
        """)
        in shown
    )
    assert (
        "    pytest 'tests/test_it.py::test_the_card_is_charged_once' --workflows-crash='lost:charge card#1'\n" in shown
    )


def test_a_broken_rule(shop):
    shop.change('"3 days"', '"3 Days"')
    shop.write("tests/test_it.py", GOOD)
    ended = shop.command("check", "--points", "1")

    assert ended.code == 1
    assert "Tests:         1: passes as it is" in ended.lines
    assert "Broken rules:  1" in ended.lines
    assert "  Rule:   duration-unit" in ended.lines
    source = (shop.path / "src/entry.py").read_text().splitlines()
    [line] = [number for number, code in enumerate(source, start=1) if "3 Days" in code]
    assert f"  Where:  src/entry.py:{line}" in ended.lines
    assert "  What:   '3 Days' counts as milliseconds in production: its unit is not one" in ended.lines


def test_json_other_orders_and_addopts(shop):
    shop.write("tests/test_it.py", GOOD)
    shop.write("pytest.ini", "[pytest]\nasyncio_mode = auto\naddopts = -n 2 --workflows-strict\n")
    ended = shop.command("check", "tests", "--seeds", "2", "--json")

    found = json.loads(ended.out)
    assert (found["passed"], found["failed"], found["findings"]) == (1, 0, [])
    assert found["explored"]["points"] > 5


def test_a_project_without_tests(shop):
    ended = shop.command("check")

    assert ended.code == 3
    assert ended.err == (
        "Error: the project has no tests to check its workflows with.\nHint: Name them: check tests/\n"
    )


def test_what_pytest_refuses(shop):
    ended = shop.command("check", "nowhere")

    assert ended.code == 3
    assert ended.err == (
        "Error: pytest failed: file or directory not found: nowhere\nHint: See it all: pytest-workflows check -v\n"
    )


FAKES = """
    import pytest

    class Provider:
        def __init__(self):
            self.answers = 1
            self.asked = 0

        async def charge(self):
            self.asked += 1
            if self.asked > self.answers:
                raise RuntimeError("nothing is left to answer")
            return {"charge": "ch_1"}

    @pytest.fixture
    def provider():
        made = Provider()
        yield made
        assert made.asked <= made.answers, "asked more often than there are answers"

    @pytest.fixture
    def workflow_bindings(provider):
        return {"PROVIDER": provider}
"""
ENTRY = """
    from workers import WorkflowEntrypoint

    class OrderWorkflow(WorkflowEntrypoint):
        async def run(self, event, step):
            @step.do("charge", config={"retries": {"limit": 0, "delay": 1}})
            async def charge():
                return await self.env.PROVIDER.charge()

            return await charge()
"""
THREE = """
    import pytest
    from pytest_workflows import introspect_workflow_instance

    async def test_a_charge(workflow_env):
        async with introspect_workflow_instance(workflow_env.ORDERS, "order-1") as instance:
            await workflow_env.ORDERS.create({"id": "order-1"})
            await instance.wait_for_status("complete")
"""
MORE = """
    def test_plain():
        assert False

    @pytest.fixture
    def teardown_that_fails():
        yield
        assert False

    def test_whose_teardown_fails(teardown_that_fails):
        pass

    @pytest.mark.skip
    def test_skipped():
        pass
"""


def test_a_test_is_counted_once_whichever_of_its_phases_fail(shop):
    shop.write("src/entry.py", ENTRY)
    shop.write("tests/conftest.py", FAKES)
    shop.write("tests/test_it.py", THREE)
    ended = shop.command("check")

    assert ended.code == 1
    assert "Tests:         1: passes as it is, fails at 1 crash point" in ended.lines
    assert "Crash points:  4 in" in ended.out
    assert ", 1 failed" in ended.out
    assert ended.out.count("tests/test_it.py::test_a_charge[crash: ") == 1
    assert "    teardown: AssertionError: asked more often than there are answers" in ended.lines

    found = json.loads(shop.command("check", "--json").out)
    assert (found["passed"], found["failed"], found["skipped"], found["explored"]["failed"]) == (1, 0, 0, 1)
    [failure] = found["failures"]
    assert failure["of"] == "tests/test_it.py::test_a_charge"
    assert failure["run"] == '[crash: lost result of "charge"]'
    assert [phase["when"] for phase in failure["phases"]] == ["call", "teardown"]


def test_many_tests_are_counted_by_how_they_end(shop):
    shop.write("src/entry.py", ENTRY)
    shop.write("tests/conftest.py", FAKES)
    shop.write("tests/test_it.py", THREE + MORE)
    ended = shop.command("check")

    shown = " ".join(ended.out.split())
    assert "Tests: 4: 1 passes as it is, 2 fail as they are, 1 is skipped, 1 fails at 1 crash point Crash" in shown
