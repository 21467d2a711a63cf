"""Property tests: Hypothesis draws what goes wrong, each example runs on an engine of its own."""

import asyncio
import contextlib
import re
import textwrap
from datetime import datetime, timedelta

import pytest
from hypothesis import find, settings
from hypothesis.errors import NoSuchExample

from pytest_workflows import FaultPlan, InvalidArgumentError, StepRecord

# A pytest that runs in this process forgets the modules that it imported. These are here before: Hypothesis takes a
# second.
from pytest_workflows.strategies import fault_plans

ENTRY = """
    from pyodide.ffi import JsException
    from workers import WorkflowEntrypoint


    class OrderWorkflow(WorkflowEntrypoint):
        async def run(self, event, step):
            @step.do("charge card")
            async def charge():
                return await self.env.BANK.charge(event["instanceId"])

            charged = await charge()
            await step.sleep("cool down", "1 day")
            try:
                answer = await step.wait_for_event("approval", "approved", timeout="2 days")
            except JsException:
                return {"charge": charged, "by": None}
            return {"charge": charged, "by": answer["payload"]["by"]}
"""
IMPORTS = """
    from hypothesis import Phase, given, settings, strategies as st

    from entry import OrderWorkflow
    from pytest_workflows import FaultPlan, introspect_workflow_instance
    from pytest_workflows.strategies import fault_plans


    class Bank:
        def __init__(self):
            self.charges = []

        async def charge(self, key):
            self.charges.append(key)
            return f"ch_{len(self.charges)}"


    async def run(plan, env, bindings, engine):
        bank = bindings["BANK"] = Bank()
        async with introspect_workflow_instance(env.ORDERS, "order-1") as order:
            async with order.modify() as m:
                m.apply(plan)
            await env.ORDERS.create({"id": "order-1"})
            await engine.run_until_idle()
            return bank, (await order.status())["status"], order.steps
"""


def property_test(body, head="plan=fault_plans(OrderWorkflow, events={'approved': {'by': 'Ada'}})", name="test_it"):
    return (
        textwrap.dedent(IMPORTS)
        + "\n\n@settings(phases=[Phase.generate, Phase.shrink], derandomize=True, database=None, deadline=None)"
        + f"\n@given({head})\nasync def {name}(workflow_env, workflow_bindings, workflow_engine, plan):\n"
        + "    bank, status, steps = await run(plan, workflow_env, workflow_bindings, workflow_engine)\n"
        + textwrap.indent(textwrap.dedent(body), "    ")
    )


@pytest.fixture
def shop(worker):
    worker.write("src/entry.py", ENTRY)
    return worker


def drawn(result):
    """The plan of the failing example, as printed."""
    return re.search(r"plan=(FaultPlan\(.*\)),(  #.*)?$", result.stdout.str(), re.MULTILINE)[1]


@pytest.mark.parametrize(
    ("body", "plan"),
    [
        (
            "assert len(bank.charges) <= 1",
            "FaultPlan(crashes=['lost:charge card#1'], events=[('approved', {'by': 'Ada'})])",
        ),
        (
            "assert all(len(step.attempts) <= 1 for step in steps)",
            "FaultPlan(attempts={'charge card': [ConnectionError('injected fault')]}, "
            "events=[('approved', {'by': 'Ada'})])",
        ),
        (
            "assert status == 'complete'",
            "FaultPlan(attempts={'charge card': [NonRetryableError('injected fault')]}, "
            "events=[('approved', {'by': 'Ada'})])",
        ),
        (
            "assert not any('Timeout' in (a.error or {}).get('name', '') for s in steps for a in s.attempts)",
            "FaultPlan(attempts={'charge card': ['timeout']}, events=[('approved', {'by': 'Ada'})])",
        ),
        ("assert all(step.status == 'complete' for step in steps if step.kind != 'do')", "FaultPlan()"),
        (
            "waits = [s for s in steps if s.kind == 'wait_for_event']\n"
            "assert all(s.ended_at == s.started_at or s.status == 'errored' for s in waits)",
            "FaultPlan(events=[('approved', {'by': 'Ada'}, '1 minute')])",
        ),
    ],
    ids=[
        "a lost result",
        "a retried error",
        "an error for good",
        "a timeout",
        "an event that never comes",
        "a late event",
    ],
)
def test_a_failing_example_shrinks_to_the_one_fault_that_matters(shop, body, plan):
    result = shop.run(property_test(body))

    result.assert_outcomes(failed=1)
    assert drawn(result) == plan


def test_an_event_that_comes_twice_is_found(shop):
    taken = "status = (await order.status())['status']\n        assert status != 'complete' or engine.store.events(1) == []\n        return bank"

    result = shop.run(property_test("pass").replace("return bank", taken))

    assert drawn(result) == "FaultPlan(events=[('approved', {'by': 'Ada'}), ('approved', {'by': 'Ada'})])"


def test_the_simplest_plan_is_that_nothing_goes_wrong(shop):
    result = shop.run(property_test("raise AssertionError"))

    assert drawn(result) == "FaultPlan(events=[('approved', {'by': 'Ada'})])"


def test_a_printed_plan_pasted_into_a_test_fails_the_same(shop):
    body = "assert len(bank.charges) <= 1"
    plan = drawn(shop.run(property_test(body)))
    pasted = re.sub("@settings.*\\n@given.*\\n", "", property_test(body))
    pasted = pasted.replace("workflow_engine, plan)", "workflow_engine)").replace(
        "await run(plan,", f"await run({plan},"
    )

    result = shop.run(pasted)

    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*assert 2 <= 1*", "*execution 1 asked for charge card-1; its memory was lost*"])


def test_the_report_shows_the_run_of_the_failing_example(shop):
    result = shop.run(property_test("assert len(bank.charges) <= 1"))

    text = result.stdout.str()
    assert text.count("Instance 'order-1' of 'ORDERS'") == 1
    assert "execution 1 asked for charge card-1; its memory was lost at +0" in text


def test_each_example_has_its_own_instances_time_and_ids(shop):
    tests = """
        import pytest


        seen = set()


        @given(n=st.integers())
        @settings(max_examples=20, deadline=None)
        async def test_it(workflow_env, workflow_clock, workflow_engine, workflow_worker, n):
            assert workflow_engine.instances == []
            first = await workflow_env.ORDERS.create()
            await workflow_env.ORDERS.create({"id": "taken"})
            seen.add((first.id, workflow_clock.now))
            await workflow_clock.advance("3 days")
            assert len(seen) == 1


        def test_all_of_them_ran():
            assert len(seen) == 1
    """

    result = shop.run(textwrap.dedent(IMPORTS) + textwrap.dedent(tests))

    result.assert_outcomes(passed=2)


def test_fixtures_of_the_users_own_are_still_warned_of(shop):
    shop.write(
        "tests/conftest.py",
        """
        import pytest


        @pytest.fixture
        def bank():
            return object()


        @pytest.fixture
        def workflow_bindings(bank):
            return {"BANK": bank}
        """,
    )
    test = """
        @settings(deadline=None)
        @given(n=st.integers())
        async def test_it(workflow_env, n):
            pass
    """

    result = shop.run(textwrap.dedent(IMPORTS) + textwrap.dedent(test), plugins=["hypothesispytest"])

    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*FailedHealthCheck*uses a function-scoped fixture 'workflow_env'.*"])


def test_bindings_of_a_wider_scope_are_not_warned_of(shop):
    shop.write(
        "tests/conftest.py",
        """
        import pytest


        @pytest.fixture(scope="session")
        def workflow_bindings():
            return {"CURRENCY": "EUR"}
        """,
    )
    test = """
        @settings(deadline=None)
        @given(n=st.integers())
        async def test_it(workflow_env, n):
            assert workflow_env.CURRENCY == "EUR"
    """

    result = shop.run(textwrap.dedent(IMPORTS) + textwrap.dedent(test), plugins=["hypothesispytest"])

    result.assert_outcomes(passed=1)


def test_what_nothing_used_fails_the_example(shop):
    tests = """
        @settings(deadline=None)
        @given(n=st.integers(0, 9))
        async def test_it(workflow_env, workflow_bindings, n):
            workflow_bindings["BANK"] = Bank()
            order = await introspect_workflow_instance(workflow_env.ORDERS, "order-1")
            async with order.modify() as m:
                m.mock_step_result("charge card", "ch_1")
                if n > 4:
                    m.mock_step_result("chrge card", "ch_1")
            await workflow_env.ORDERS.create({"id": "order-1"})
            await order.wait_for_step_result("charge card")
            await order.dispose()
    """

    result = shop.run(textwrap.dedent(IMPORTS) + textwrap.dedent(tests))

    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*UnusedModificationError: Nothing used 1 modification(s)*", "*n=5,*"])


def test_a_broken_rule_fails_the_example_under_strict(shop):
    shop.write("src/entry.py", ENTRY.replace('await step.sleep("cool down"', 'step.wait_for_event("cool down"'))
    shop.set(workflows_strict="true")

    result = shop.run(property_test("pass"))

    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*WorkflowRuleError: 1 broken rule(s):*", "*[[]missing-await[]]*"])


def test_property_tests_are_left_out_of_exploration_which_says_so(shop):
    result = shop.run(property_test("pass"), "--workflows-crash", "--workflows-seeds=5")

    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(
        ["0 tests, 0 crash points in *", "left out: 1 property test (they draw their own: `fault_plans()`)"]
    )


def test_a_property_test_cannot_be_put_into_exploration(shop):
    result = shop.run(
        property_test("pass").replace("@settings", "@__import__('pytest').mark.workflow(crash=True)\n@settings")
    )

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert "explores one run, and a property test has many. Draw where it crashes with" in result.stderr.str()


def test_property_tests_run_under_anyio(shop):
    shop.set(asyncio_mode="strict")
    tests = property_test("assert len(bank.charges) <= 1").replace(
        "@settings", "@__import__('pytest').mark.anyio\n@settings"
    )
    backend = "\n\n@__import__('pytest').fixture(scope='module')\ndef anyio_backend():\n    return 'asyncio'\n"

    result = shop.run(tests + backend, plugins=["anyio"])

    assert drawn(result) == "FaultPlan(crashes=['lost:charge card#1'], events=[('approved', {'by': 'Ada'})])"


def test_property_tests_without_workflows_get_no_engine(shop):
    shop.write(
        "tests/conftest.py",
        """
        import pytest


        @pytest.hookimpl(wrapper=True)
        def pytest_runtest_call(item):
            outcome = yield
            assert not item.config.stash[importlib.import_module("pytest_workflows.session.session").SESSION].test_run.used
            return outcome
        """.replace("import pytest\n", "import importlib\n\n        import pytest\n", 1),
    )

    result = shop.run(
        """
        from hypothesis import given, strategies as st


        @given(n=st.integers())
        def test_it(n):
            assert n == n
        """
    )

    result.assert_outcomes(passed=1)


def test_an_example_that_draws_none_gets_no_engine_in_its_place(shop):
    result = shop.run(
        """
        from hypothesis import given, settings, strategies as st
        from workers import env


        @settings(max_examples=5, deadline=None)
        @given(nothing=st.none(), n=st.integers())
        async def test_it(nothing, n):
            assert nothing is None
            await env.ORDERS.create({"params": {"n": n}})
        """
    )

    result.assert_outcomes(passed=1)


def test_without_hypothesis_one_line_says_what_to_install(shop):
    result = shop.run(
        """
        import sys

        import pytest


        def test_it(monkeypatch):
            monkeypatch.setitem(sys.modules, "hypothesis", None)
            monkeypatch.delitem(sys.modules, "pytest_workflows.strategies", raising=False)
            with pytest.raises(ImportError) as caught:
                import pytest_workflows.strategies
            assert str(caught.value) == (
                'pytest_workflows.strategies needs Hypothesis: pip install "pytest-workflows[hypothesis]"'
            )
            assert caught.value.__cause__ is None and caught.value.__suppress_context__
        """
    )

    result.assert_outcomes(passed=1)


# -- a plan ------------------------------------------------------------------------------------------------------------


def test_a_plan_prints_as_the_code_that_makes_it():
    plan = FaultPlan(
        attempts={"charge": [ConnectionError("busy"), "timeout"], ("ship", 2): [ValueError("no box")]},
        crashes=["lost:charge#1", "end"],
        events=[("approved", {"by": "Ada"}), ("approved", None, "2 hours")],
    )

    assert repr(plan) == (
        "FaultPlan(attempts={'charge': [ConnectionError('busy'), 'timeout'], ('ship', 2): [ValueError('no box')]}, "
        "crashes=['lost:charge#1', 'end'], events=[('approved', {'by': 'Ada'}), ('approved', None, '2 hours')])"
    )
    assert repr(eval(repr(plan))) == repr(plan)
    assert repr(FaultPlan()) == "FaultPlan()"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            {"attempts": ["charge"]},
            r"A FaultPlan's attempts are a dict of steps, as in \{'charge': .*, not \['charge'\]",
        ),
        ({"attempts": {"charge": "timeout"}}, "A FaultPlan takes a list for attempts, not 'timeout'"),
        (
            {"attempts": {"charge": [ValueError]}},
            "ends with an exception instance or 'timeout', not <class 'ValueError'>",
        ),
        ({"attempts": {("charge", 0): ["timeout"]}}, "the first one is 1"),
        ({"crashes": "end"}, "A FaultPlan takes a list for crashes, not 'end'"),
        ({"crashes": ["lost"]}, "'lost' is no fault point"),
        ({"events": ["approved"]}, "'approved' is no event of a FaultPlan. Write"),
        ({"events": [("approved", None, "soon")]}, "'soon', which is not a duration"),
        ({"events": [("approved", (1, 2))]}, "cannot be sent over RPC"),
    ],
)
def test_a_plan_that_cannot_be_is_told_at_once(arguments, message):
    with pytest.raises((InvalidArgumentError, TypeError), match=message):
        FaultPlan(**arguments)


# -- what it can be drawn from -----------------------------------------------------------------------------------------


def points_of(strategy):
    """Every crash point that is drawn."""
    seen = set()
    with contextlib.suppress(NoSuchExample):
        find(strategy, lambda plan: seen.update(plan.crashes), settings=settings(max_examples=300, database=None))
    return seen


def test_the_steps_of_a_class_are_found_in_its_source():
    class Shop:
        async def run(self, event, step):
            @step.do()
            async def charge(): ...

            @step.do("ship it", config={})
            async def ship(): ...

            @step.do(name="bill")
            async def bill(): ...

            @step.do(f"item {event}")
            async def item(): ...

            await step.sleep("nap", 1)
            await step.sleep_until("morning", 1)
            await step.wait_for_event("approval", "approved")
            await asyncio.sleep(1)

    assert points_of(fault_plans(Shop, max_faults=1)) == {
        *(
            f"{kind}:{step}#1"
            for kind in ("before", "lost", "stored", "retry")
            for step in ("charge", "ship it", "bill")
        ),
        "sleep:nap#1",
        "sleep:morning#1",
        "wait:approval#1",
        "event:approval#1",
        "end",
    }


def test_steps_are_taken_from_names_and_from_the_records_of_a_run():
    nap = StepRecord("nap", 2, "sleep", "complete", datetime(2026, 1, 1))

    assert points_of(fault_plans(steps=[("train", 2), nap], max_faults=1)) == {
        *(f"{kind}:train#2" for kind in ("before", "lost", "stored", "retry")),
        "sleep:nap#2",
        "end",
    }


def test_sleeps_of_one_name_and_occurrence_are_told_apart_by_their_duration():
    def nap(hours):
        return StepRecord("nap", 1, "sleep", "complete", datetime(2026, 1, 1), duration=timedelta(hours=hours))

    assert points_of(fault_plans(steps=[nap(1), nap(2)], max_faults=1)) == {
        "sleep:nap#1 of 3600000ms",
        "sleep:nap#1 of 7200000ms",
        "end",
    }


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({}, "fault_plans knows no step and no event to draw faults for. Give the workflow's class"),
        ({"steps": "charge"}, r"steps takes a list of steps, as in steps=\['charge'\]"),
        ({"steps": [3]}, "3 does not select a step"),
        ({"workflow": "entry"}, "Steps are found in a workflow's class, such as entry.OrderWorkflow, not in 'entry'"),
        ({"steps": ["charge"], "max_faults": -1}, "max_faults is a number of faults from 0 on, not -1"),
        ({"steps": ["charge"], "errors": [ValueError]}, "errors takes exception instances"),
        ({"steps": ["charge"], "events": ["approved"]}, r"events is a dict of payloads by type, .* not \['approved'\]"),
    ],
)
def test_arguments_that_cannot_be_are_told_at_once(arguments, message):
    with pytest.raises(InvalidArgumentError, match=message):
        fault_plans(**arguments)
