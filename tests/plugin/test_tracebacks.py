"""What a failing test's traceback shows."""

from typing import Any

import pytest

from pytest_workflows.reporting import tracebacks

MISUSE = {
    "modifier": "async with instance.modify() as m:\n                    m.mock_step_result('', 1)",
    "a value that cannot be sent": "async with instance.modify() as m:\n                    m.mock_step_result('a', (1, 2))",
    "wait": "await instance.wait_for_status('completed')",
    "clock": "await workflow_clock.advance('3 fortnights')",
    "binding": "await workflow_env.ORDERS.create({'id': 'not an id'})",
    "env": "workflow_env.NOPE",
    "never": "await instance.wait_for_status('complete')",
}


@pytest.mark.parametrize("line", MISUSE.values(), ids=MISUSE)
def test_an_error_that_is_meant_for_people_points_at_the_test(worker: Any, line: str) -> None:
    result = worker.run(f"""
        from pytest_workflows import introspect_workflow_instance

        async def test_it(workflow_env, workflow_clock):
            async with introspect_workflow_instance(workflow_env.ORDERS, "a") as instance:
                {line}
    """)

    result.assert_outcomes(failed=1)
    result.stdout.no_fnmatch_line("*pytest_workflows/*.py*")
    result.stdout.no_fnmatch_line("*durable_engine/*.py*")
    result.stdout.fnmatch_lines(["> *", "E *", "tests/test_it.py:*: *"])


def test_the_full_trace_has_everything(worker: Any) -> None:
    result = worker.run(
        """
        async def test_it(workflow_clock):
            await workflow_clock.advance("3 fortnights")
    """,
        "--full-trace",
    )

    result.stdout.fnmatch_lines(["*pytest_workflows/introspection/clock.py:*"])


def test_a_mistake_of_ours_shows_where_it_is(worker: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("durable_engine.engine.duration_ms", None)
    result = worker.run("""
        async def test_it(workflow_clock):
            await workflow_clock.advance("3 days")
    """)

    result.stdout.fnmatch_lines(["*durable_engine/engine.py:*: TypeError"])


def test_only_our_modules_are_marked() -> None:
    def raises() -> None:
        raise KeyError("it")

    with pytest.raises(KeyError) as caught:
        raises()
    tracebacks.hide_ours(caught.value)

    assert "__tracebackhide__" not in globals()
