"""`pytest-workflows check`: rules and crash exploration, by way of the project's tests."""

import json
import re

from .conftest import text

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


def timeless(out):
    return re.sub(r"in \d+\.\d\d s", "in 0.00 s", out)


def test_nothing_is_found(shop):
    shop.write("tests/test_it.py", GOOD)
    ended = shop.command("check")

    assert ended.code == 0
    points = re.search(r"Crash points:  (\d+) in", ended.out)[1]
    assert int(points) > 5
    assert timeless(ended.out) == text(f"""
        Tests:         1 passed
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
    assert "Tests:         1 passed\n" in shown
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
    assert "Tests:         1 passed" in ended.lines
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
