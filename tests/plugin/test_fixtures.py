"""The fixtures: what each of them gives to a test."""

from typing import Any

import pytest


def test_workflow_env_is_the_env_of_workers(worker: Any) -> None:
    result = worker.run("""
        import workers
        from workers import env

        def test_it(workflow_env):
            assert workflow_env is env is workers.env
            assert repr(workflow_env) == "<workers.env: ORDERS, STAGE>"
    """)

    result.assert_outcomes(passed=1)


def test_the_env_of_a_workflow_and_of_the_default_entrypoint_is_that_object_too(worker: Any) -> None:
    worker.write(
        "src/entry.py",
        """
        from workers import Response, WorkerEntrypoint, WorkflowEntrypoint

        SEEN = []

        class OrderWorkflow(WorkflowEntrypoint):
            async def run(self, event, step):
                SEEN.append(self.env)

        class Default(WorkerEntrypoint):
            async def fetch(self, request):
                SEEN.append(self.env)
                await self.env.ORDERS.create()
                return Response("made")
        """,
    )

    result = worker.run("""
        from entry import SEEN

        async def test_it(workflow_env, workflow_worker, workflow_engine):
            await workflow_worker.fetch("/")
            await workflow_engine.run_until_idle()
            assert len(SEEN) == 2 and all(env is workflow_env for env in SEEN)
    """)

    result.assert_outcomes(passed=1)


def test_vars_of_the_configuration_are_in_env(worker: Any) -> None:
    result = worker.run("""
        def test_it(workflow_env):
            assert workflow_env.STAGE == "test"
    """)

    result.assert_outcomes(passed=1)


def test_a_name_that_is_no_binding_is_an_error_that_lists_the_bindings(worker: Any) -> None:
    result = worker.run("""
        def test_it(workflow_env):
            workflow_env.ORDER
    """)

    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        [
            "E*AttributeError: workers.env has no binding 'ORDER'. Bindings of this test: ORDERS, STAGE. "
            "Add it to the wrangler configuration, or to the fixture workflow_bindings.*"
        ]
    )


# -- workflow_bindings ------------------------------------------------------------------------------------------------


def test_workflow_bindings_is_an_empty_dict(worker: Any) -> None:
    result = worker.run("""
        def test_it(workflow_bindings):
            assert workflow_bindings == {}
    """)

    result.assert_outcomes(passed=1)


def test_a_workflow_class_among_the_bindings_becomes_a_workflow_binding(worker: Any) -> None:
    (worker.path / "wrangler.jsonc").unlink()
    result = worker.run("""
        import pytest
        from workers import WorkflowEntrypoint
        from pytest_workflows import introspect_workflow_instance

        class Refunds(WorkflowEntrypoint):
            async def run(self, event, step):
                return ["refunded", event["payload"], event["workflowName"]]

        @pytest.fixture
        def workflow_bindings():
            return {"REFUNDS": Refunds}

        async def test_it(workflow_env):
            async with introspect_workflow_instance(workflow_env.REFUNDS, "r") as instance:
                await workflow_env.REFUNDS.create({"id": "r", "params": {"sum": 5}})
                await instance.wait_for_status("complete")
                assert await instance.get_output() == ["refunded", {"sum": 5}, "REFUNDS"]
    """)

    result.assert_outcomes(passed=1)


def test_any_other_binding_is_handed_over_as_the_same_object(worker: Any) -> None:
    result = worker.run("""
        import pytest

        class FakeAI:
            pass

        AI, PLAIN_CLASS, NOTHING = FakeAI(), FakeAI, None

        @pytest.fixture
        def workflow_bindings():
            return {"AI": AI, "CLASS": PLAIN_CLASS, "NOTHING": NOTHING}

        def test_it(workflow_env):
            assert workflow_env.AI is AI
            assert workflow_env.CLASS is PLAIN_CLASS
            assert workflow_env.NOTHING is None
    """)

    result.assert_outcomes(passed=1)


def test_bindings_of_the_fixture_replace_those_of_the_configuration_and_leave_the_others(worker: Any) -> None:
    result = worker.run("""
        import pytest
        from workers import WorkflowEntrypoint

        class Stub(WorkflowEntrypoint):
            async def run(self, event, step):
                return "stub"

        @pytest.fixture
        def workflow_bindings():
            return {"ORDERS": Stub, "STAGE": "replaced"}

        async def test_a_class_and_a_var(workflow_env, workflow_engine):
            instance = await workflow_env.ORDERS.create()
            await workflow_engine.run_until_idle()
            assert (await instance.status())["output"] == "stub"
            assert workflow_env.STAGE == "replaced"
    """)

    result.assert_outcomes(passed=1)


def test_the_fixture_may_be_overridden_in_conftest_and_ask_for_other_fixtures(worker: Any) -> None:
    worker.write(
        "conftest.py",
        """
        import pytest

        @pytest.fixture
        def ai():
            return object()

        @pytest.fixture
        def workflow_bindings(ai):
            return {"AI": ai}
        """,
    )

    result = worker.run("""
        def test_it(workflow_env, ai):
            assert workflow_env.AI is ai
    """)

    result.assert_outcomes(passed=1)


def test_a_fixture_that_returns_no_dict_is_an_error(worker: Any) -> None:
    result = worker.run("""
        import pytest

        @pytest.fixture
        def workflow_bindings():
            return ["AI"]

        def test_it(workflow_env):
            pass
    """)

    result.assert_outcomes(errors=1)
    said = "UsageError: The fixture workflow_bindings returns a dict of bindings by name, not ['AI']."
    assert said in result.stdout.str()


def test_a_workflow_class_without_run_is_an_error_that_says_what_to_add(worker: Any) -> None:
    result = worker.run("""
        import pytest
        from workers import WorkflowEntrypoint

        class Empty(WorkflowEntrypoint):
            pass

        @pytest.fixture
        def workflow_bindings():
            return {"EMPTY": Empty}

        def test_it(workflow_env):
            workflow_env.EMPTY
    """)

    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        [
            "E*InvalidArgumentError: The workflow class Empty for binding 'EMPTY' has no method `run`. "
            "Add `async def run(self, event, step)` to it."
        ]
    )


# -- workflow_engine --------------------------------------------------------------------------------------------------


def test_the_engine_tells_its_bindings_and_instances_and_runs_until_idle(worker: Any) -> None:
    result = worker.run("""
        async def test_it(workflow_engine, workflow_env):
            assert dict(workflow_engine.bindings) == {"ORDERS": workflow_env.ORDERS}
            assert workflow_engine.instances == []

            for id in ("b", "a"):
                await workflow_env.ORDERS.create({"id": id})

            assert [instance.id for instance in workflow_engine.instances] == ["b", "a"]
            before = workflow_engine.clock.now
            await workflow_engine.run_until_idle()
            assert [instance.status for instance in workflow_engine.instances] == ["complete", "complete"]
            assert (workflow_engine.clock.now - before).days == 1
    """)

    result.assert_outcomes(passed=1)


def test_bindings_of_the_fixture_are_among_those_of_the_engine(worker: Any) -> None:
    result = worker.run("""
        import pytest
        from workers import WorkflowEntrypoint

        class Refunds(WorkflowEntrypoint):
            async def run(self, event, step):
                pass

        @pytest.fixture
        def workflow_bindings():
            return {"REFUNDS": Refunds, "AI": object()}

        def test_it(workflow_engine):
            assert list(workflow_engine.bindings) == ["ORDERS", "REFUNDS"]
    """)

    result.assert_outcomes(passed=1)


# -- workflow_clock ---------------------------------------------------------------------------------------------------


def test_the_clock_moves_by_hand_and_fires_what_comes_due_on_the_way(worker: Any) -> None:
    result = worker.run("""
        from datetime import datetime, timedelta, timezone
        import pytest

        START = datetime(2026, 1, 1, tzinfo=timezone.utc)

        @pytest.mark.workflow(now="2026-01-01T00:00:00Z", clock="manual")
        async def test_it(workflow_clock, workflow_env):
            assert workflow_clock.now == START and workflow_clock.now.tzinfo is not None
            instance = await workflow_env.ORDERS.create()

            await workflow_clock.advance("23 hours")
            assert workflow_clock.now == START + timedelta(hours=23)
            assert (await instance.status())["status"] == "waiting"

            await workflow_clock.travel_to(START + timedelta(days=1))
            assert workflow_clock.now == START + timedelta(days=1)
            assert (await instance.status())["status"] == "complete"

            await workflow_clock.advance(timedelta(minutes=1))
            await workflow_clock.advance(1)
            assert workflow_clock.now == START + timedelta(days=1, minutes=1, milliseconds=1)
            assert repr(workflow_clock) == "<workflow clock at 2026-01-02T00:01:00.001000+00:00>"
    """)

    result.assert_outcomes(passed=1)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            "travel_to(datetime(2025, 12, 31, tzinfo=timezone.utc))",
            "Cannot travel back to 2025-12-31T00:00:00+00:00: it is 2026-01-01T00:00:00+00:00, and virtual time only "
            "moves forward.",
        ),
        ("travel_to('tomorrow')", "travel_to takes a datetime, not 'tomorrow'."),
        ("travel_to(None)", "travel_to takes a datetime, not None."),
        ("advance('-1 day')", "*-1 day*"),
        ("advance('3 fortnights')", "*3 fortnights*"),
        ("advance(-1)", "*-1*"),
        ("advance(None)", "*None*"),
        ("advance(True)", "*True*"),
    ],
)
def test_the_clock_refuses_what_it_cannot_do(worker: Any, call: str, message: str) -> None:
    worker.write(
        "tests/test_it.py",
        f"""
        from datetime import datetime, timezone
        import pytest
        from pytest_workflows import InvalidArgumentError

        @pytest.mark.workflow(now="2026-01-01T00:00:00Z")
        async def test_it(workflow_clock):
            try:
                await workflow_clock.{call}
            except InvalidArgumentError as error:
                print("SAID", error)
            else:
                pytest.fail("no error")
        """,
    )

    result = worker.run(None, "-s")

    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines([f"*SAID {message.replace('[', '[[]')}"])


# -- env without a fixture, and outside a test ------------------------------------------------------------------------


def test_env_works_in_a_test_without_our_fixtures_and_its_engine_ends_with_the_test(worker: Any) -> None:
    result = worker.run("""
        import asyncio
        import pytest
        from workers import env
        from pytest_workflows import EngineClosedError, introspect_workflow_instance

        KEPT = []

        async def test_it():
            KEPT.append(env.ORDERS)
            async with introspect_workflow_instance(env.ORDERS, "a") as instance:
                await env.ORDERS.create({"id": "a"})
                await instance.wait_for_status("complete")
            await env.ORDERS.create({"id": "forgotten"})

        async def test_the_next_one():
            assert env.ORDERS is not KEPT[0]
            assert KEPT[0].engine.closed
            with pytest.raises(EngineClosedError) as caught:
                await KEPT[0].create()
            assert str(caught.value) == (
                "This belongs to a test that has ended (its engine is closed). Make bindings, handles and "
                "introspectors anew in each test."
            )
            assert asyncio.all_tasks() == {asyncio.current_task()}
    """)

    result.assert_outcomes(passed=2)


def test_a_test_without_our_fixtures_still_gets_the_bindings_of_workflow_bindings(worker: Any) -> None:
    worker.write(
        "conftest.py",
        """
        import pytest

        @pytest.fixture
        def workflow_bindings():
            return {"AI": "fake"}
        """,
    )

    result = worker.run("""
        from workers import env

        async def test_it():
            assert env.AI == "fake"

        def test_a_plain_one():
            assert env.AI == "fake"
    """)

    result.assert_outcomes(passed=2)


def test_env_of_a_test_that_is_a_method_of_unittest(worker: Any) -> None:
    result = worker.run("""
        import unittest
        from workers import env

        class TestIt(unittest.IsolatedAsyncioTestCase):
            async def test_it(self):
                instance = await env.ORDERS.create()
                await env.ORDERS.engine.run_until_idle()
                assert (await instance.status())["status"] == "complete"
    """)

    result.assert_outcomes(passed=1)


@pytest.mark.parametrize("name", ["ORDERS", "NONE"])
def test_env_outside_a_test_is_an_error(worker: Any, name: str) -> None:
    result = worker.run(f"""
        from workers import env

        BINDING = env.{name}

        def test_it():
            pass
    """)

    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(
        [
            f"E*OutsideTestError: workers.env.{name} was read while no test is running, and bindings live for one "
            "test. Read it inside the test, a fixture, a handler or a workflow instead of at import time."
        ]
    )


def test_vars_answer_outside_a_test(worker: Any) -> None:
    result = worker.run("""
        from workers import env

        STAGE = env.STAGE

        def test_it():
            assert STAGE == "test"
    """)

    result.assert_outcomes(passed=1)


def test_a_fixture_of_a_wider_scope_may_not_touch_a_workflow_binding_that_the_next_test_cannot_have(
    worker: Any,
) -> None:
    result = worker.run("""
        import pytest
        from workers import env
        from pytest_workflows import EngineClosedError

        @pytest.fixture(scope="module")
        def orders():
            return env.ORDERS

        async def test_first(orders):
            await orders.create({"id": "a"})

        async def test_second(orders):
            with pytest.raises(EngineClosedError):
                await orders.create({"id": "a"})
    """)

    result.assert_outcomes(passed=2)


def test_ids_that_the_engine_makes_are_the_same_for_the_same_test(worker: Any) -> None:
    result = worker.run(
        """
        import pytest

        IDS = []

        @pytest.mark.parametrize("again", [1, 2])
        async def test_it(workflow_env, again):
            IDS.append((await workflow_env.ORDERS.create()).id)

        @pytest.mark.workflow(seed=7)
        @pytest.mark.parametrize("again", [1, 2])
        async def test_seeded(workflow_env, again):
            IDS.append((await workflow_env.ORDERS.create()).id)

        def test_ids():
            print("IDS", *IDS)
            assert IDS[0] != IDS[1]
            assert IDS[2] == IDS[3]
    """,
        "-s",
    )
    again = worker.run(None, "-s")

    result.assert_outcomes(passed=5)
    assert [line for line in result.outlines if "IDS" in line] == [line for line in again.outlines if "IDS" in line]


def test_a_second_asyncio_run_of_a_test_gets_no_answers_about_instances_of_the_first(worker: Any) -> None:
    result = worker.run("""
        import asyncio

        import pytest
        from pytest_workflows import introspect_workflow_instance

        def test_it(workflow_env):
            async def first():
                instance = await introspect_workflow_instance(workflow_env.ORDERS, "o-1")
                await workflow_env.ORDERS.create({"id": "o-1"})
                return instance

            async def second():
                with pytest.raises(Exception, match="one asyncio.run for all of it"):
                    await workflow_env.ORDERS.get("o-1")
                for look in (instance.status, instance.get_output, instance.get_error, instance.crash):
                    with pytest.raises(Exception, match="one asyncio.run for all of it"):
                        await look()

            instance = asyncio.run(first())
            asyncio.run(second())
    """)

    result.assert_outcomes(passed=1)
