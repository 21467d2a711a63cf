"""What a failing test tells of its workflows: the timeline of each instance, and what was waited for."""

from typing import Any

import pytest

ENTRY = """
    from workers import WorkflowEntrypoint


    class OrderWorkflow(WorkflowEntrypoint):
        async def run(self, event, step):
            @step.do("reserve stock", config={"retries": {"limit": 2, "delay": "10 seconds", "backoff": "constant"}})
            async def reserve(ctx):
                if ctx["attempt"] < 2:
                    raise ValueError("no stock")
                return {"reserved": True}

            @step.do("charge")
            async def charge():
                return "charged"

            await reserve()
            await charge()
            await step.sleep("cool down", "1 day")
            decision = await step.wait_for_event("wait for payment", "paid", timeout="2 days")
            return decision["payload"]
"""
TIMELINE = """\
Instance 'a' of 'ORDERS': waiting at 2026-01-02 00:00:10 UTC
  virtual time, 1 day 10 seconds after its start
  +0       do     reserve stock-1     complete            ✗·█
                  result: {'reserved': True}
  +0              attempt 1: Error: ValueError: no stock, retried after 10
                  seconds
  +10s            attempt 2: complete
  +10s     do     charge-1            complete               █
                  result: 'mocked' (mocked)
  +10s     sleep  cool down-1         complete, 1 day         ░░░░░░░░░░░░░░░
  +1d 10s  wait   wait for payment-1  waiting                                ▒
                  event 'paid'
  now: waits for an event in 'wait for payment-1'
  events that nothing has taken: 'other'"""
HEAD = """
    import pytest
    from pytest_workflows import introspect_workflow, introspect_workflow_instance

    pytestmark = pytest.mark.workflow(now="2026-01-01T00:00:00Z")
"""


@pytest.fixture
def shop(worker: Any) -> Any:
    worker.write("src/entry.py", ENTRY)
    return worker


def section_of(result: pytest.RunResult) -> str:
    """The sections of ours in the output."""
    lines = result.outlines
    sections = []
    for number, line in enumerate(lines):
        if line.strip("-") == " Workflows ":
            end = next(at for at in range(number + 1, len(lines)) if lines[at].startswith(("---", "===", "___")))
            sections.append("\n".join(line.rstrip() for line in lines[number + 1 : end]))
    return "\n".join(sections)


# -- the section ------------------------------------------------------------------------------------------------------


def test_a_failing_test_shows_the_timeline_of_its_instance(shop: Any) -> None:
    result = shop.run(
        HEAD
        + """
    async def test_it(workflow_env, workflow_clock):
        async with introspect_workflow_instance(workflow_env.ORDERS, "a") as instance:
            async with instance.modify() as m:
                m.mock_step_result("charge", "mocked")
            handle = await workflow_env.ORDERS.create({"id": "a"})
            await handle.send_event({"type": "other"})
            await instance.wait_for_step_result("charge")
            await workflow_clock.advance("1 day")
            assert False
"""
    )

    result.assert_outcomes(failed=1)
    assert section_of(result) == TIMELINE


def test_instances_that_are_left_at_the_failure_are_shown_in_order_of_creation(shop: Any) -> None:
    result = shop.run(
        HEAD
        + """
    async def test_it(workflow_env, workflow_engine):
        await workflow_env.ORDERS.create({"id": "b"})
        await workflow_env.ORDERS.create({"id": "a"})
        await workflow_engine.run_until_idle()
        assert False
"""
    )

    section = section_of(result)
    assert section.index("Instance 'b' of 'ORDERS': errored") < section.index("Instance 'a' of 'ORDERS': errored")
    assert "wait for payment-1  timed out" in section
    assert "ended with Error: " in section
    assert "WorkflowTimeoutError:\n    Execution timed out after 172800000ms" in section


def test_a_test_without_our_fixtures_has_the_section_too(shop: Any) -> None:
    result = shop.run("""
        from workers import env

        async def test_it():
            await env.ORDERS.create({"id": "a"})
            assert False
    """)

    assert "Instance 'a' of 'ORDERS': " in section_of(result)


def test_a_passing_test_and_a_failing_one_without_instances_have_no_section(shop: Any) -> None:
    result = shop.run("""
        async def test_passes(workflow_env):
            await workflow_env.ORDERS.create({"id": "a"})

        async def test_makes_no_instance(workflow_env):
            assert False

        def test_uses_nothing_of_ours():
            assert False
    """)

    result.assert_outcomes(passed=1, failed=2)
    result.stdout.no_fnmatch_line("*- Workflows -*")


def test_the_section_stands_in_the_report_of_the_test_that_failed_only(shop: Any) -> None:
    result = shop.run("""
        async def test_one(workflow_env):
            await workflow_env.ORDERS.create({"id": "of-one"})
            assert False

        async def test_two(workflow_env):
            await workflow_env.ORDERS.create({"id": "of-two"})
            assert False
    """)

    text = result.stdout.str()
    assert text.count("- Workflows -") == 2
    assert text.count("Instance 'of-one'") == text.count("Instance 'of-two'") == 1


def test_of_very_many_instances_the_first_are_shown(shop: Any) -> None:
    result = shop.run("""
        async def test_it(workflow_env):
            await workflow_env.ORDERS.create_batch([{"id": f"i{n}"} for n in range(30)])
            assert False
    """)

    section = section_of(result)
    assert section.count("Instance 'i") == 20
    assert section.rstrip().endswith("... and 10 more instance(s).")


def test_the_option_shows_the_timelines_of_tests_that_pass(shop: Any) -> None:
    result = shop.run(
        """
        async def test_it(workflow_env):
            await workflow_env.ORDERS.create({"id": "a"})
    """,
        "--workflows-report",
    )

    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(["*= workflows =*", "", "tests/test_it.py::test_it", "  Instance 'a' of 'ORDERS': *"])


def test_the_section_is_there_under_xdist(shop: Any) -> None:
    result = shop.run(
        """
        async def test_it(workflow_env):
            await workflow_env.ORDERS.create({"id": "a"})
            assert False
    """,
        "-n",
        "1",
    )

    result.assert_outcomes(failed=1)
    assert "Instance 'a' of 'ORDERS': " in section_of(result)


# -- setup and teardown -----------------------------------------------------------------------------------------------


def test_a_failure_in_setup_shows_the_instances(shop: Any) -> None:
    result = shop.run("""
        import pytest

        @pytest.fixture
        async def broken(workflow_env):
            await workflow_env.ORDERS.create({"id": "a"})
            1 / 0

        async def test_it(broken):
            pass
    """)

    result.assert_outcomes(errors=1)
    assert "Instance 'a' of 'ORDERS': " in section_of(result)


def test_a_failure_in_teardown_shows_the_instances(shop: Any) -> None:
    result = shop.run("""
        import pytest

        @pytest.fixture
        async def broken(workflow_env):
            await workflow_env.ORDERS.create({"id": "a"})
            yield
            1 / 0

        async def test_it(broken):
            pass
    """)

    result.assert_outcomes(passed=1, errors=1)
    assert "Instance 'a' of 'ORDERS': " in section_of(result)


def test_a_failure_in_teardown_after_a_context_was_left_still_shows_its_instance(shop: Any) -> None:
    result = shop.run("""
        import pytest
        from pytest_workflows import introspect_workflow_instance

        @pytest.fixture
        async def instance(workflow_env):
            async with introspect_workflow_instance(workflow_env.ORDERS, "a") as instance:
                await workflow_env.ORDERS.create({"id": "a"})
                yield instance
            1 / 0

        async def test_it(instance):
            await instance.wait_for_step_result("charge")
    """)

    result.assert_outcomes(passed=1, errors=1)
    assert "complete: 'charged'" in section_of(result)


# -- waits ------------------------------------------------------------------------------------------------------------


def error_of(result: pytest.RunResult) -> str:
    """The error's text as the terminal shows it."""
    result.assert_outcomes(failed=1)
    lines = [line[1:].strip() for line in result.outlines if line.startswith("E ")]
    return "\n".join(lines)


def test_a_wait_for_a_step_that_never_comes_says_what_ran_and_the_closest_name(shop: Any) -> None:
    error = error_of(
        shop.run(
            HEAD
            + """
    async def test_it(workflow_env):
        async with introspect_workflow_instance(workflow_env.ORDERS, "a") as instance:
            async with instance.modify() as m:
                m.mock_event("paid", 5)
            await workflow_env.ORDERS.create({"id": "a"})
            await instance.wait_for_step_result("chrage")
"""
        )
    )

    assert "NeverHappensError: Waiting for step 'chrage" in error
    assert (
        "Steps that ran: do 'reserve stock-1', do 'charge-1', sleep 'cool down-1', "
        "wait_for_event 'wait for payment-1'.\nDid you mean 'charge'?" in error
    )
    assert "It is complete." in error
    assert error.splitlines()[-1] == "The instance has ended, so it will never happen."


def test_a_wait_for_another_occurrence_names_the_one_that_exists(shop: Any) -> None:
    error = error_of(
        shop.run(
            HEAD
            + """
    async def test_it(workflow_env):
        async with introspect_workflow_instance(workflow_env.ORDERS, "a") as instance:
            await workflow_env.ORDERS.create({"id": "a"})
            await instance.wait_for_step_result(("charge", 2))
"""
        )
    )

    assert "charge-2" in error
    assert "do 'charge-1'" in error


@pytest.mark.parametrize("name", ["cool down", "wait for payment"])
def test_a_wait_for_the_result_of_a_sleep_says_that_it_has_none(shop: Any, name: str) -> None:
    error = error_of(
        shop.run(
            HEAD
            + f"""
    async def test_it(workflow_env):
        async with introspect_workflow_instance(workflow_env.ORDERS, "a") as instance:
            await workflow_env.ORDERS.create({{"id": "a"}})
            await instance.wait_for_step_result("{name}")
"""
        )
    )

    assert f"'{name}' is a sleep or a wait for an event; only steps of `do` have a result." in error


def test_a_wait_for_an_instance_that_nobody_creates_fails_at_once_and_names_those_that_exist(shop: Any) -> None:
    error = error_of(
        shop.run(
            HEAD
            + """
    async def test_it(workflow_env):
        async with introspect_workflow_instance(workflow_env.ORDERS, "a") as instance:
            await workflow_env.ORDERS.create({"id": "b"})
            await instance.wait_for_status("complete", timeout=60)
"""
        )
    )

    assert "Waiting for status 'complete' of instance 'a' of 'ORDERS'." in error
    assert "Instance 'a' of 'ORDERS' was never created. It has: 'b'." in error
    assert "Nothing can run, and no timer is left: it will never happen." in error


def test_a_status_that_cannot_be_reached_any_more_shows_the_one_that_was(shop: Any) -> None:
    error = error_of(
        shop.run(
            HEAD
            + """
    async def test_it(workflow_env):
        async with introspect_workflow_instance(workflow_env.ORDERS, "a") as instance:
            async with instance.modify() as m:
                m.mock_event("paid", 5)
            await workflow_env.ORDERS.create({"id": "a"})
            await instance.wait_for_status("errored")
"""
        )
    )

    assert (
        "UnreachableStatusError: The Workflow instance a has reached status 'complete'. This is a finite status that "
        "prevents it from ever reaching the expected status of 'errored'." in error
    )


def test_a_wait_for_a_paused_instance_says_where_it_stands(shop: Any) -> None:
    error = error_of(
        shop.run(
            HEAD
            + """
    async def test_it(workflow_env):
        async with introspect_workflow_instance(workflow_env.ORDERS, "a") as instance:
            handle = await workflow_env.ORDERS.create({"id": "a"})
            await instance.wait_for_step_result("charge")
            await handle.pause()
            await instance.wait_for_status("paused")
            await instance.wait_for_status("complete")
"""
        )
    )

    assert "It is paused now: " in error
    assert "it will never happen." in error


def test_a_wait_on_a_manual_clock_says_how_to_move_it(shop: Any) -> None:
    error = error_of(
        shop.run("""
        import pytest
        from pytest_workflows import introspect_workflow_instance

        @pytest.mark.workflow(clock="manual")
        async def test_it(workflow_env):
            async with introspect_workflow_instance(workflow_env.ORDERS, "a") as instance:
                await workflow_env.ORDERS.create({"id": "a"})
                await instance.wait_for_step_result("charge")
    """)
    )

    assert "It is running now: waits to retry 'reserve stock-1'." in error
    assert "Nothing can run, and the clock is manual: move it with `await workflow_clock.advance(...)`." in error


STUCK = """
    import asyncio
    from workers import WorkflowEntrypoint

    class OrderWorkflow(WorkflowEntrypoint):
        async def run(self, event, step):
            @step.do("call the bank")
            async def call():
                await asyncio.get_running_loop().create_future()

            await call()
"""


def test_a_wait_that_times_out_says_what_was_awaited_and_what_runs(shop: Any) -> None:
    shop.write("src/entry.py", STUCK)

    error = error_of(
        shop.run(
            HEAD
            + """
    async def test_it(workflow_env):
        async with introspect_workflow_instance(workflow_env.ORDERS, "a") as instance:
            await workflow_env.ORDERS.create({"id": "a"})
            await instance.wait_for_status("complete", timeout=0.5)
"""
        )
    )

    assert "WaitTimeoutError: Waiting for status 'complete' of instance 'a' of 'ORDERS'." in error
    assert "It is running now: runs the callback of 'call the bank-1' (attempt 1)." in error
    assert "It did not happen within 0.5 real seconds." in error


def test_waiting_until_idle_times_out_too_and_names_who_is_at_work(shop: Any) -> None:
    shop.write("src/entry.py", STUCK)

    error = error_of(
        shop.run("""
        async def test_it(workflow_env, workflow_engine):
            await workflow_env.ORDERS.create({"id": "a"})
            await workflow_engine.run_until_idle(timeout=0.5)
    """)
    )

    assert "Waiting until nothing can run. Still at work: 'a'." in error
    assert "It did not happen within 0.5 real seconds." in error


def test_output_and_error_of_an_instance_that_has_none_say_its_status(shop: Any) -> None:
    result = shop.run("""
        import pytest
        from pytest_workflows import NotAvailableError, introspect_workflow_instance

        async def test_it(workflow_env):
            async with introspect_workflow_instance(workflow_env.ORDERS, "a") as instance:
                async with instance.modify() as m:
                    m.mock_event("paid", 5)
                await workflow_env.ORDERS.create({"id": "a"})
                await instance.wait_for_step_result("charge")
                with pytest.raises(NotAvailableError) as caught:
                    await instance.get_output()
                assert str(caught.value) == (
                    'Cannot retrieve output: Workflow instance is in status "running" but must be "complete" to have '
                    "an output available"
                )
                await instance.wait_for_status("complete")
                with pytest.raises(NotAvailableError) as caught:
                    await instance.get_error()
                assert str(caught.value) == (
                    'Cannot retrieve error: Workflow instance is in status "complete" but must be "errored" to have '
                    "error information available"
                )
    """)

    result.assert_outcomes(passed=1)
