"""Schedules: where several steps or timers could go first, a seed decides, and the same seed decides the same."""

import re
import textwrap

import pytest

RACY = """
    import asyncio

    from workers import WorkflowEntrypoint


    class OrderWorkflow(WorkflowEntrypoint):
        async def run(self, event, step):
            order = []

            async def one(name):
                @step.do(name)
                async def work():
                    return name

                order.append(await work())

            await asyncio.gather(one("a"), one("b"), one("c"))
            return order
"""
TEST = """
    from pytest_workflows import introspect_workflow_instance


    async def test_order(workflow_env):
        async with introspect_workflow_instance(workflow_env.ORDERS, "order-1") as order:
            await workflow_env.ORDERS.create({"id": "order-1"})
            await order.wait_for_status("complete")
            print("ORDER", "".join(await order.get_output()))
            assert (await order.get_output())[0] == "a"
"""
SEQUENTIAL = TEST.replace('print("ORDER", "".join(await order.get_output()))', "pass").replace(
    '(await order.get_output())[0] == "a"', "True"
)


def orders(result):
    return re.findall(r"ORDER (\w+)", result.stdout.str())


def failed(result):
    return [line.split(" - ")[0] for line in result.outlines if line.startswith("FAILED")]


def test_without_the_option_the_order_is_always_the_same(worker):
    worker.write("src/entry.py", RACY)

    assert orders(worker.run(TEST, "-s")) == ["abc"]


def test_a_failure_names_its_seed_and_the_same_seed_fails_again(worker):
    worker.write("src/entry.py", RACY)

    first = worker.run(TEST, "--workflows-seeds=20")
    again = worker.run(TEST, "--workflows-seeds=20")

    assert failed(first)
    assert failed(first) == failed(again)
    assert all("test_order[seed: " in line for line in failed(first))
    assert first.parseoutcomes()["passed"] == 1
    seed = failed(first)[0].partition("[seed: ")[2].rstrip("]")
    first.stdout.fnmatch_lines([f"pytest 'tests/test_it.py::test_order' --workflows-seed={seed}"])

    marked = textwrap.dedent(TEST).replace(
        "async def", f"import pytest\n\n@pytest.mark.workflow(seed={seed})\nasync def", 1
    )
    worker.run(marked).assert_outcomes(failed=1)
    worker.run(TEST, f"--workflows-seed={seed}").assert_outcomes(failed=1)


def test_twenty_seeds_find_every_order_of_three(worker):
    worker.write("src/entry.py", RACY)

    seen = orders(worker.run(TEST.replace('[0] == "a"', ""), "-s", "--workflows-seeds=20"))

    assert len(seen) == 21
    assert set(seen) == {"abc", "acb", "bac", "bca", "cab", "cba"}


def test_timers_of_one_instant_fire_in_any_order(worker):
    worker.write(
        "src/entry.py",
        RACY.replace("order.append(await work())", 'await step.sleep(name, "1 hour"); order.append(name)'),
    )

    seen = orders(worker.run(TEST.replace('[0] == "a"', ""), "-s", "--workflows-seeds=20"))

    assert set(seen) == {"abc", "acb", "bac", "bca", "cab", "cba"}


def test_events_of_one_instant_are_delivered_in_any_order(worker):
    worker.write(
        "src/entry.py",
        RACY.replace(
            "order.append(await work())",
            'await step.wait_for_event("wait " + name, name); order.append(name)',
        ),
    )
    test = TEST.replace('[0] == "a"', "").replace(
        'await order.wait_for_status("complete")',
        """handle = await workflow_env.ORDERS.get("order-1")
            await order.wait_for_status("waiting")
            for kind in "abc":
                await handle.send_event({"type": kind})
            await order.wait_for_status("complete")""",
    )

    assert set(orders(worker.run(test, "-s", "--workflows-seeds=20"))) == {"abc", "acb", "bac", "bca", "cab", "cba"}


def test_a_test_without_choices_runs_once(worker):
    result = worker.run(SEQUENTIAL, "--workflows-seeds=20")

    result.assert_outcomes(passed=1)
    assert "workflow exploration" not in result.stdout.str()


def test_a_fixed_seed_is_the_only_schedule(worker):
    worker.write("src/entry.py", RACY)
    marked = textwrap.dedent(TEST).replace("async def", "import pytest\n\n@pytest.mark.workflow(seed=1)\nasync def", 1)

    assert len(orders(worker.run(marked, "-s", "--workflows-seeds=20"))) == 1


def test_crashes_are_explored_in_every_schedule(worker):
    worker.write(
        "src/entry.py", RACY.replace("order.append(await work())", "await work()").replace("return order", "return 'x'")
    )
    result = worker.run(textwrap.dedent(SEQUENTIAL), "--workflows-crash", "--workflows-seeds=20")

    result.assert_outcomes(passed=1)
    line = next(line for line in result.outlines if " crash points" in line)
    points = int(line.split(", ")[1].split()[0])
    assert "20 schedules" in line
    assert points > 10 * 6


@pytest.mark.parametrize("value", ["0", "many", "-3"])
def test_a_number_of_seeds_that_is_none_is_a_usage_error(worker, value):
    result = worker.run(TEST, f"--workflows-seeds={value}")

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert f"--workflows-seeds takes a number of orders from 1 on, not '{value}'." in result.stderr.str()
