"""What user code sees of time: the virtual clock while an engine lives, real time before and after."""

from datetime import datetime, timedelta
from typing import Any
from xml.etree import ElementTree

import pytest

ENTRY = """
    import datetime as dt
    import time
    from datetime import date, datetime, timezone
    from time import time as now

    from workers import WorkflowEntrypoint


    def look():
        return [
            datetime.now(timezone.utc).isoformat(),
            dt.datetime.now(dt.UTC).isoformat(),
            datetime.utcnow().isoformat() + "+00:00",
            datetime.fromtimestamp(time.time(), timezone.utc).isoformat(),
            datetime.fromtimestamp(now(), timezone.utc).isoformat(),
            date.today().isoformat(),
        ]


    class OrderWorkflow(WorkflowEntrypoint):
        async def run(self, event, step):
            before = look()
            await step.sleep("wait", "30 days")

            @step.do("look")
            async def in_step():
                return look()

            return [before, await in_step(), look()]
"""


@pytest.fixture
def shop(worker: Any) -> Any:
    worker.set(
        workflows_ignore_rules="random-outside-step",  # `run` reads the time: these tests look at what it sees
        filterwarnings="\n    error\n    ignore:datetime.datetime.utcnow:DeprecationWarning",
    )
    worker.write("src/entry.py", ENTRY)
    return worker


def test_workflow_step_test_and_fixture_follow_the_virtual_clock(shop: Any) -> None:
    result = shop.run("""
        import time
        from datetime import datetime, timezone
        import pytest
        from entry import look
        from pytest_workflows import introspect_workflow_instance

        JANUARY = ["2026-01-01T00:00:00+00:00"] * 5 + ["2026-01-01"]
        LATER = ["2026-01-31T00:00:00+00:00"] * 5 + ["2026-01-31"]

        pytestmark = pytest.mark.workflow(now="2026-01-01T00:00:00Z")

        @pytest.fixture
        def seen_by_a_fixture():
            return look()

        async def test_it(seen_by_a_fixture, workflow_env):
            assert seen_by_a_fixture == look() == JANUARY
            async with introspect_workflow_instance(workflow_env.ORDERS, "a") as instance:
                await workflow_env.ORDERS.create({"id": "a"})
                await instance.wait_for_status("complete")
                assert await instance.get_output() == [JANUARY, LATER, LATER]
            assert look() == LATER

        def test_an_autouse_order(workflow_clock, seen_by_a_fixture):
            assert seen_by_a_fixture == look() == JANUARY
    """)

    result.assert_outcomes(passed=2)


def test_the_test_sees_the_clock_move_by_hand(shop: Any) -> None:
    result = shop.run("""
        import time
        from datetime import datetime, timezone

        async def test_it(workflow_clock):
            await workflow_clock.advance("3 days")
            assert datetime.now(timezone.utc) == workflow_clock.now
            assert time.time() == workflow_clock.now.timestamp()
    """)

    result.assert_outcomes(passed=1)


def test_monotonic_clocks_stay_real_and_so_does_the_clock_of_the_loop(shop: Any) -> None:
    result = shop.run("""
        import asyncio
        import time
        from time import monotonic, monotonic_ns, perf_counter, perf_counter_ns

        async def test_it(workflow_clock):
            clocks = (
                time.monotonic, time.monotonic_ns, time.perf_counter, time.perf_counter_ns,
                monotonic, monotonic_ns, perf_counter, perf_counter_ns,
                asyncio.get_running_loop().time,
            )
            assert all(getattr(clock, "__module__", None) == "time" for clock in clocks[:-1])
            before = [clock() for clock in clocks]
            await workflow_clock.advance("1 day")
            for clock, earlier in zip(clocks, before, strict=True):
                while clock() == earlier:
                    pass
                passed = clock() - earlier
                assert 0 < passed < (60e9 if isinstance(earlier, int) else 60)
    """)

    result.assert_outcomes(passed=1)


def test_the_next_test_without_our_fixtures_sees_real_time(shop: Any) -> None:
    result = shop.run("""
        import time
        from datetime import date, datetime
        import pytest

        REAL = (time.time, time.localtime, time.gmtime, datetime, date)

        @pytest.mark.workflow(now="2030-01-01")
        def test_first(workflow_env):
            assert datetime.now().year == 2030

        @pytest.fixture
        def seen_by_a_fixture():
            return datetime.now()

        def test_next(seen_by_a_fixture):
            import datetime as module
            assert seen_by_a_fixture.year < 2030
            assert (time.time, time.localtime, time.gmtime, module.datetime, module.date) == REAL
            assert type(seen_by_a_fixture) is datetime

        @pytest.mark.workflow(now="2031-01-01")
        def test_again(workflow_env):
            assert datetime.now().year == 2031

        class TestIt:
            @classmethod
            def setup_class(cls):
                cls.seen = datetime.now()

            def test_a_fixture_of_a_wider_scope_sees_real_time_too(self):
                assert self.seen.year < 2030
    """)

    result.assert_outcomes(passed=4)


def test_real_time_is_back_after_the_last_test(shop: Any) -> None:
    shop.write(
        "conftest.py",
        """
        import datetime, time

        REAL = (time.time, datetime.datetime)

        def pytest_unconfigure(config):
            pass

        import atexit

        @atexit.register
        def tell():
            print("AT EXIT", REAL == (time.time, datetime.datetime))
        """,
    )

    result = shop.run(
        """
        def test_it(workflow_env):
            pass
    """,
        "-s",
        process=True,
    )

    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(["AT EXIT True"])


def test_a_test_without_our_fixtures_sees_virtual_time_from_its_first_touch_of_a_binding(shop: Any) -> None:
    result = shop.run("""
        from datetime import datetime
        import pytest
        from workers import env

        @pytest.mark.workflow(now="2030-01-01")
        async def test_it():
            assert datetime.now().year < 2030
            await env.ORDERS.create()
            assert datetime.now().year == 2030

        def test_next():
            assert datetime.now().year < 2030
    """)

    result.assert_outcomes(passed=2)


def test_pytest_measures_durations_in_real_time(shop: Any) -> None:
    result = shop.run(
        """
        async def test_it(workflow_clock):
            await workflow_clock.advance("365 days")
    """,
        "--durations=0",
        "-vv",
    )

    result.assert_outcomes(passed=1)
    durations = [line for line in result.outlines if "call" in line and "test_it" in line]
    assert [float(line.split("s ")[0]) < 60 for line in durations] == [True]


def test_a_report_of_junit_says_when_tests_really_ran(shop: Any) -> None:
    result = shop.run(
        """
        import pytest

        @pytest.mark.workflow(now="2040-01-01")
        async def test_it(workflow_clock):
            await workflow_clock.advance("365 days")
        """,
        "--junitxml=report.xml",
    )

    result.assert_outcomes(passed=1)
    [suite] = ElementTree.parse(shop.path / "report.xml").iter("testsuite")
    age = datetime.now().astimezone() - datetime.fromisoformat(suite.attrib["timestamp"]).astimezone()
    assert timedelta() <= age < timedelta(minutes=10)
    assert float(suite.attrib["time"]) < 60


def test_an_installed_plugin_of_pytest_measures_in_real_time_and_a_helper_of_the_project_sees_virtual_time(
    shop: Any,
) -> None:
    stopwatch = """
        import time
        from datetime import datetime

        def year():
            return {time.gmtime().tm_year, datetime.now().year, datetime.fromtimestamp(time.time()).year}
    """
    shop.write("site-packages/pytest_stopwatch.py", stopwatch)
    shop.write("src/pytest_helpers.py", stopwatch)
    shop.monkeypatch.syspath_prepend(str(shop.path / "site-packages"))

    result = shop.run("""
        import pytest
        import pytest_helpers
        import pytest_stopwatch

        @pytest.mark.workflow(now="2040-01-01")
        def test_it(workflow_clock):
            assert pytest_helpers.year() == {2040}
            assert max(pytest_stopwatch.year()) < 2040
    """)

    result.assert_outcomes(passed=1)


def test_a_thread_without_any_code_of_python_reads_virtual_time(shop: Any) -> None:
    result = shop.run("""
        import _thread, queue, time
        import pytest

        @pytest.mark.workflow(now="2040-01-01")
        def test_it(workflow_clock):
            done = queue.Queue()
            _thread.start_new_thread(time.time_ns, ())
            _thread.start_new_thread(lambda: done.put(time.gmtime().tm_year), ())
            assert done.get() == 2040
    """)

    result.assert_outcomes(passed=1)


# -- a freeze of somebody else ----------------------------------------------------------------------------------------

SAID = (
    "Time is frozen already, by freezegun outside of this plugin. A test of workflows has its own virtual clock: "
    'remove the freeze, and use @pytest.mark.workflow(now="2026-01-01T00:00:00Z") for where it starts and '
    "`await workflow_clock.advance(...)` to move it."
)


def test_a_freeze_of_a_fixture_round_the_test_is_a_clear_error(shop: Any) -> None:
    result = shop.run("""
        import freezegun
        import pytest
        from workers import env

        @pytest.fixture(scope="module", autouse=True)
        def frozen():
            with freezegun.freeze_time("2020-01-01"):
                yield

        async def test_with_a_fixture(workflow_env):
            pass

        async def test_without_one():
            await env.ORDERS.create()
    """)

    assert SAID in result.stdout.str()
    assert result.parseoutcomes().get("passed", 0) == 0


@pytest.mark.parametrize("fixture", ["workflow_env", ""])
def test_a_freeze_of_the_test_itself_is_a_clear_error(shop: Any, fixture: str) -> None:
    result = shop.run(f"""
        import freezegun
        from workers import env

        @freezegun.freeze_time("2020-01-01")
        async def test_it({fixture}):
            await env.ORDERS.create()
    """)

    result.assert_outcomes(failed=1)
    assert SAID in result.stdout.str()


TRAVELS = {
    "a fixture round the test": """
        @pytest.fixture(scope="module", autouse=True)
        def travelled():
            with time_machine.travel(NOON):
                yield

        async def test_it(workflow_env):
            pass
    """,
    "a fixture in the test": """
        @pytest.fixture
        def travelled(workflow_env):
            with time_machine.travel(NOON):
                yield

        async def test_it(workflow_env, travelled):
            await workflow_env.ORDERS.create()
    """,
    "the test itself": """
        @time_machine.travel(NOON)
        async def test_it(workflow_env):
            await workflow_env.ORDERS.create()
    """,
    "the test itself, without a fixture": """
        @time_machine.travel(NOON)
        async def test_it():
            await env.ORDERS.create()
    """,
    "the marker of time-machine": """
        @pytest.mark.time_machine(NOON)
        async def test_it(workflow_env):
            await workflow_env.ORDERS.create()
    """,
}


@pytest.mark.parametrize("test", TRAVELS.values(), ids=TRAVELS)
def test_a_travel_of_time_machine_is_a_clear_error(shop: Any, test: str) -> None:
    head = """
        import pytest, time, time_machine
        from datetime import datetime, timezone
        from workers import env

        NOON = datetime(2020, 1, 1, 12, tzinfo=timezone.utc)
    """
    after = """
        def test_after(workflow_clock):
            assert datetime.now().year > 2020

        def test_without_workflows():
            assert abs(time.time() - time.monotonic() - OFFSET) < 60
    """
    shop.write("conftest.py", "import builtins, time\nbuiltins.OFFSET = time.time() - time.monotonic()\n")
    shop.write("tests/test_later.py", head + after)

    result = shop.run(head + test, plugins=("time_machine",), process=True)

    assert SAID.replace("freezegun", "time-machine") in result.stdout.str()
    assert result.parseoutcomes().get("passed", 0) == 2


def test_a_travel_of_one_test_does_not_disturb_the_others(shop: Any) -> None:
    result = shop.run("""
        from datetime import datetime
        import time_machine

        def test_before(workflow_clock):
            pass

        @time_machine.travel("2020-01-01")
        def test_that_travels():
            assert datetime.now().year == 2020

        def test_after(workflow_clock):
            assert datetime.now().year > 2020
    """)

    result.assert_outcomes(passed=3)


def test_a_freeze_of_one_test_does_not_disturb_the_others(shop: Any) -> None:
    result = shop.run("""
        from datetime import datetime
        import freezegun

        def test_before(workflow_clock):
            pass

        @freezegun.freeze_time("2020-01-01")
        def test_frozen_by_the_user():
            assert datetime.now().year == 2020

        def test_after(workflow_clock):
            assert datetime.now().year > 2020
    """)

    result.assert_outcomes(passed=3)


def test_a_datetime_of_freezegun_counts_as_one_on_the_way_in(shop: Any) -> None:
    result = shop.run("""
        from datetime import datetime, timedelta, timezone

        async def test_it(workflow_env, workflow_clock):
            soon = datetime.now(timezone.utc) + timedelta(days=1)
            await workflow_env.ORDERS.create({"id": "a", "params": {"due": soon}})
            await workflow_clock.travel_to(soon)
            assert workflow_clock.now == soon
    """)

    result.assert_outcomes(passed=1)


# -- what is handed out -----------------------------------------------------------------------------------------------


def test_every_datetime_that_is_handed_out_is_a_plain_one(shop: Any) -> None:
    shop.write(
        "src/entry.py",
        """
        from datetime import datetime
        from workers import WorkflowEntrypoint

        SEEN = []

        class OrderWorkflow(WorkflowEntrypoint):
            async def run(self, event, step):
                SEEN.append(event["timestamp"])
                SEEN.append(event["payload"]["at"])

                @step.do("when", config={"retries": {"limit": 1, "delay": "1 second"}})
                async def when(ctx):
                    if ctx["attempt"] == 1:
                        raise ValueError
                    return datetime.now()

                SEEN.append(await when())
                got = await step.wait_for_event("wait", "paid")
                SEEN.append(got["payload"])
                SEEN.append(got["timestamp"])
                return datetime.now()
        """,
    )

    result = shop.run("""
        import datetime as module
        from entry import SEEN
        from pytest_workflows import introspect_workflow_instance

        async def test_it(workflow_env, workflow_clock):
            async with introspect_workflow_instance(workflow_env.ORDERS, "a") as instance:
                handle = await workflow_env.ORDERS.create({"id": "a", "params": {"at": module.datetime.now()}})
                await handle.send_event({"type": "paid", "payload": module.datetime.now()})
                await instance.wait_for_status("complete")
                SEEN.append(await instance.get_output())
                SEEN.append(await instance.wait_for_step_result("when"))
                SEEN.append(workflow_clock.now)
                SEEN.extend(event.at for event in instance.history)
                for step in instance.steps:
                    SEEN.extend([step.started_at, step.ended_at])
                    for attempt in step.attempts:
                        SEEN.extend([attempt.started_at, attempt.ended_at])
                assert len(SEEN) > 20
                assert {f"{type(value).__module__}.{type(value).__qualname__}" for value in SEEN} == {
                    "datetime.datetime"
                }
                assert "FakeDatetime" not in repr(instance.history) + repr(instance.steps)
    """)

    result.assert_outcomes(passed=1)
