"""Nothing of a test stays: its instances, their storage, tasks, threads, and the frozen clock."""

from typing import Any

import pytest

LONG = """
    from workers import WorkflowEntrypoint


    class OrderWorkflow(WorkflowEntrypoint):
        async def run(self, event, step):
            @step.do("charge")
            async def charge():
                return 1

            await charge()
            await step.wait_for_event("wait", "paid", timeout="365 days")
            return "paid"
"""

CHECKS = """
    import asyncio
    import threading
    import time
    from datetime import datetime

    ENGINES = []
    LOOPS = {}
    REAL = (time.time, datetime)
    THREADS = set(threading.enumerate())  # of sessions before, which left behind what blocked in one of their tests


    def keep(engine):
        ENGINES.append(engine)
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            return
        LOOPS.setdefault(loop, set(asyncio.all_tasks()))


    def nothing_is_left():
        for loop, before in LOOPS.items():
            assert {task for task in asyncio.all_tasks(loop) if not task.done()} <= before
        threads = [thread.name for thread in threading.enumerate() if thread not in THREADS]
        assert [name for name in threads if not name.startswith("execnet")] == []
        assert (time.time, __import__("datetime").datetime) == REAL
        assert type(datetime.now()) is datetime
        assert all(engine.closed for engine in ENGINES) and ENGINES
        for engine in ENGINES:
            assert not engine.busy
            try:
                rows = engine.store.all_instances()
            except Exception:
                rows = []
            assert list(rows) == []
"""


@pytest.fixture
def shop(worker: Any) -> Any:
    worker.write("src/entry.py", LONG)
    worker.write("checks.py", CHECKS)
    worker.set(pythonpath=".")
    return worker


# -- leaving a context ------------------------------------------------------------------------------------------------


def test_leaving_a_context_stops_the_instance_and_drops_its_storage_and_touches_no_other(shop: Any) -> None:
    result = shop.run("""
        import asyncio
        import pytest
        from pyodide.ffi import JsException
        from pytest_workflows import introspect_workflow_instance

        async def test_it(workflow_env, workflow_engine):
            orders = workflow_env.ORDERS
            other = await orders.create({"id": "other"})
            async with introspect_workflow_instance(orders, "a") as instance:
                handle = await orders.create({"id": "a"})
                await handle.send_event({"type": "unrelated"})
                await instance.wait_for_step_result("charge")

            assert [row.id for row in workflow_engine.store.all_instances()] == ["other"]
            assert [instance.id for instance in workflow_engine.instances] == ["other"]
            with pytest.raises(JsException, match="instance.not_found"):
                await handle.status()
            with pytest.raises(JsException, match="instance.not_found"):
                await orders.get("a")
            await other.send_event({"type": "paid"})
            await workflow_engine.run_until_idle()
            assert (await other.status())["output"] == "paid"
    """)

    result.assert_outcomes(passed=1)


def test_the_id_is_free_again_and_carries_no_mock_and_no_event(shop: Any) -> None:
    result = shop.run("""
        from pytest_workflows import introspect_workflow_instance

        async def test_it(workflow_env):
            orders = workflow_env.ORDERS
            async with introspect_workflow_instance(orders, "a") as instance:
                async with instance.modify() as m:
                    m.mock_step_result("charge", "mocked")
                    m.mock_event("paid")
                await orders.create({"id": "a"})
                await instance.wait_for_status("complete")

            async with introspect_workflow_instance(orders, "a") as instance:
                await orders.create({"id": "a"})
                assert await instance.wait_for_step_result("charge") == 1
                await instance.wait_for_status("waiting")
                assert [step.mocked for step in instance.steps] == [False, False]
    """)

    result.assert_outcomes(passed=1)


def test_a_block_that_ends_with_an_exception_disposes_too_and_lets_it_through(shop: Any) -> None:
    result = shop.run("""
        import pytest
        from pytest_workflows import introspect_workflow, introspect_workflow_instance

        async def test_it(workflow_env, workflow_engine):
            with pytest.raises(ZeroDivisionError):
                async with introspect_workflow_instance(workflow_env.ORDERS, "a") as instance:
                    async with instance.modify() as m:
                        m.mock_step_result("unused", 1)
                    await workflow_env.ORDERS.create({"id": "a"})
                    1 / 0
            with pytest.raises(ZeroDivisionError):
                async with introspect_workflow(workflow_env.ORDERS):
                    await workflow_env.ORDERS.create()
                    1 / 0
            assert workflow_engine.instances == []
            assert list(workflow_engine.store.all_instances()) == []
    """)

    result.assert_outcomes(passed=1)


def test_the_awaited_form_disposes_by_hand_as_often_as_one_likes(shop: Any) -> None:
    result = shop.run("""
        from pytest_workflows import introspect_workflow, introspect_workflow_instance

        async def test_an_instance(workflow_env, workflow_engine):
            instance = await introspect_workflow_instance(workflow_env.ORDERS, "a")
            await workflow_env.ORDERS.create({"id": "a"})
            await instance.dispose()
            await instance.dispose()
            assert workflow_engine.instances == []

        async def test_a_workflow(workflow_env, workflow_engine):
            introspector = await introspect_workflow(workflow_env.ORDERS)
            await workflow_env.ORDERS.create()
            await introspector.dispose()
            await introspector.dispose()
            assert workflow_engine.instances == []

        async def test_inside_the_context(workflow_env, workflow_engine):
            async with introspect_workflow_instance(workflow_env.ORDERS, "a") as instance:
                await workflow_env.ORDERS.create({"id": "a"})
                await instance.dispose()
                assert workflow_engine.instances == []

        async def test_one_of_the_covered(workflow_env, workflow_engine):
            async with introspect_workflow(workflow_env.ORDERS) as introspector:
                await workflow_env.ORDERS.create({"id": "a"})
                await workflow_env.ORDERS.create({"id": "b"})
                first, second = introspector.get()
                await first.dispose()
                assert [instance.id for instance in workflow_engine.instances] == ["b"]
                await second.wait_for_status("waiting")
    """)

    result.assert_outcomes(passed=4)


def test_nothing_of_a_disposed_instance_runs_on(shop: Any) -> None:
    shop.write(
        "src/entry.py",
        """
        import asyncio
        from workers import WorkflowEntrypoint

        RAN = []

        class OrderWorkflow(WorkflowEntrypoint):
            async def run(self, event, step):
                try:
                    @step.do("wait for the gate")
                    async def wait():
                        RAN.append("started")
                        await self.env.GATE.wait()
                        RAN.append("went on")

                    await wait()
                except BaseException:
                    RAN.append("except")
                finally:
                    RAN.append("finally")
        """,
    )
    result = shop.run("""
        import asyncio
        import pytest
        from entry import RAN
        from pytest_workflows import introspect_workflow_instance

        GATE = asyncio.Event()

        @pytest.fixture
        def workflow_bindings():
            return {"GATE": GATE}

        async def test_it(workflow_env):
            async with introspect_workflow_instance(workflow_env.ORDERS, "a"):
                await workflow_env.ORDERS.create({"id": "a"})
                for _ in range(20):
                    await asyncio.sleep(0)
                assert RAN == ["started"]
            GATE.set()
            for _ in range(20):
                await asyncio.sleep(0)
            assert RAN == ["started"]
            assert asyncio.all_tasks() == {asyncio.current_task()}

        def test_after_the_report_its_finally_has_run():
            assert RAN == ["started", "except", "finally"]
    """)

    result.assert_outcomes(passed=2)


# -- a test that forgets ----------------------------------------------------------------------------------------------

FORGETFUL = """
    import pytest
    from checks import keep, nothing_is_left
    from pytest_workflows import introspect_workflow, introspect_workflow_instance
    from workers import env


    async def test_with_a_fixture(workflow_env, workflow_engine):
        keep(workflow_engine)
        await workflow_env.ORDERS.create({"id": "a"})
        instance = await introspect_workflow_instance(workflow_env.ORDERS, "a")
        await introspect_workflow(workflow_env.ORDERS)
        await workflow_env.ORDERS.create_batch([{}, {}])
        await instance.wait_for_status("waiting")


    def test_nothing_is_left_of_it():
        nothing_is_left()


    async def test_without_a_fixture():
        keep(env.ORDERS.engine)
        await env.ORDERS.create({"id": "a"})
        instance = await introspect_workflow_instance(env.ORDERS, "a")
        await instance.wait_for_step_result("charge")


    def test_nothing_is_left_of_that_one_either():
        nothing_is_left()


    async def test_a_task_of_the_next_test_is_its_own(workflow_engine):
        import asyncio
        assert [task for task in asyncio.all_tasks() if "durable_engine" in repr(task)] == []
        assert workflow_engine.instances == []
        keep(workflow_engine)


    def test_nothing_is_left_in_the_end():
        nothing_is_left()
        from checks import ENGINES
        assert len(ENGINES) == 3
"""


@pytest.mark.parametrize("scope", ["function", "class", "module", "session"])
@pytest.mark.parametrize("mode", ["strict", "auto"])
def test_a_forgetful_test_leaves_nothing_in_any_loop_scope(shop: Any, mode: str, scope: str) -> None:
    shop.set(
        pythonpath=".",
        asyncio_mode=mode,
        asyncio_default_test_loop_scope=scope,
        asyncio_default_fixture_loop_scope=scope,
    )
    # In strict mode a mark makes the test async; a sync test may not carry one.
    tests = FORGETFUL
    if mode == "strict":
        tests = tests.replace("    async def test", "    @pytest.mark.asyncio\n    async def test")

    result = shop.run(tests)

    result.assert_outcomes(passed=6)


def test_a_forgetful_test_leaves_nothing_under_the_plugin_of_anyio(shop: Any) -> None:
    shop.set(pythonpath=".", asyncio_mode="strict")
    shop.write(
        "conftest.py",
        """
        import pytest

        @pytest.fixture
        def anyio_backend():
            return "asyncio"
        """,
    )
    tests = FORGETFUL.replace("    async def test", "    @pytest.mark.anyio\n    async def test")

    result = shop.run(tests, plugins=["anyio"])

    result.assert_outcomes(passed=6)


def test_a_forgetful_test_leaves_nothing_on_the_loop_that_anyio_shares_among_tests(shop: Any) -> None:
    shop.set(pythonpath=".", asyncio_mode="strict")
    shop.write(
        "conftest.py",
        """
        import pytest

        @pytest.fixture(scope="module")
        def anyio_backend():
            return "asyncio"

        @pytest.fixture(scope="module", autouse=True)
        async def open_all_along(anyio_backend):
            yield
        """,
    )
    tests = FORGETFUL.replace("    async def test", "    @pytest.mark.anyio\n    async def test")

    result = shop.run(tests, plugins=["anyio"])

    result.assert_outcomes(passed=6)


def test_a_forgetful_test_leaves_nothing_under_xdist(shop: Any) -> None:
    for name in ("one", "two"):
        shop.write(f"tests/test_{name}.py", FORGETFUL)

    result = shop.run(None, "-n", "2", "--dist", "loadfile")

    result.assert_outcomes(passed=12)


def test_a_failing_test_leaves_nothing(shop: Any) -> None:
    result = shop.run("""
        import pytest
        from checks import keep, nothing_is_left
        from pytest_workflows import introspect_workflow_instance
        from workers import env

        async def test_with_a_fixture(workflow_env, workflow_engine):
            keep(workflow_engine)
            await workflow_env.ORDERS.create({"id": "a"})
            async with introspect_workflow_instance(workflow_env.ORDERS, "a") as instance:
                await instance.wait_for_status("complete")

        def test_nothing_is_left_of_it():
            nothing_is_left()

        async def test_without_a_fixture():
            keep(env.ORDERS.engine)
            await env.ORDERS.create({"id": "a"})
            await introspect_workflow_instance(env.ORDERS, "a")
            assert False

        def test_nothing_is_left_of_that_one_either():
            nothing_is_left()

        @pytest.fixture
        def broken(workflow_engine):
            keep(workflow_engine)
            yield
            1 / 0

        async def test_with_a_broken_teardown(broken, workflow_env):
            await workflow_env.ORDERS.create({"id": "a"})

        def test_nothing_is_left_after_a_broken_teardown():
            nothing_is_left()
    """)

    result.assert_outcomes(passed=4, failed=2, errors=1)


def test_no_engine_outlives_its_test_and_nobody_listens_to_the_log_any_more(shop: Any) -> None:
    result = shop.run("""
        import gc
        import logging
        import weakref
        import pytest
        from hypothesis import given, settings, strategies as st
        from pytest_workflows import introspect_workflow, introspect_workflow_instance

        ENGINES = weakref.WeakSet()
        SEEN = []
        HANDLERS = list(logging.root.handlers)  # those of pytest and of the plugins, and of the sessions before this one

        async def use(env):
            SEEN.append(1)
            async with introspect_workflow_instance(env.ORDERS, "a") as instance:
                await env.ORDERS.create({"id": "a"})
                await instance.wait_for_step_result("charge")
            async with introspect_workflow(env.ORDERS):
                await env.ORDERS.create({"id": "b"})
            await env.ORDERS.create({"id": "c"})

        async def test_that_passes(workflow_env, workflow_engine):
            ENGINES.add(workflow_engine)
            await use(workflow_env)

        @pytest.fixture
        async def broken(workflow_env):  # its engine lives as long as pytest keeps the failure and its frames
            await use(workflow_env)
            assert len(logging.root.handlers) > len(HANDLERS)  # what user code logs is heard
            1 / 0

        async def test_with_a_broken_setup(broken):
            pass

        @settings(max_examples=5, database=None, derandomize=True)
        @given(st.integers())
        async def test_property(workflow_env, workflow_engine, number):
            ENGINES.add(workflow_engine)
            await use(workflow_env)

        def test_nothing_is_left():
            gc.collect()
            assert len(SEEN) > 3
            assert list(ENGINES) == []
            ours = [one for one in logging.root.handlers if "workflows" in type(one).__module__]
            assert [one for one in ours if one not in HANDLERS] == []
    """)

    result.assert_outcomes(passed=3, errors=1)


def test_a_skipped_test_leaves_nothing(shop: Any) -> None:
    result = shop.run("""
        import pytest
        from checks import keep, nothing_is_left

        async def test_it(workflow_env, workflow_engine):
            keep(workflow_engine)
            await workflow_env.ORDERS.create({"id": "a"})
            pytest.skip("not today")

        def test_nothing_is_left_of_it():
            nothing_is_left()
    """)

    result.assert_outcomes(passed=1, skipped=1)


@pytest.mark.parametrize("fixture", ["workflow_env", ""])
def test_ctrl_c_ends_the_run_and_leaves_no_frozen_clock_and_no_thread(shop: Any, fixture: str) -> None:
    shop.write(
        "conftest.py",
        """
        import atexit, threading, time, datetime

        REAL = (time.time, datetime.datetime)

        @atexit.register
        def tell():
            threads = [thread.name for thread in threading.enumerate() if thread is not threading.main_thread()]
            print("AT EXIT", REAL == (time.time, datetime.datetime), threads)
        """,
    )

    result = shop.run(
        f"""
        from workers import env

        async def test_it({fixture}):
            await env.ORDERS.create({{"id": "a"}})
            raise KeyboardInterrupt

        def test_never_reached():
            pass
    """,
        "-s",
        process=True,
    )

    assert result.ret == pytest.ExitCode.INTERRUPTED
    result.stdout.fnmatch_lines(["*KeyboardInterrupt*", "*no tests ran*", "AT EXIT True []*"])
    result.stdout.no_fnmatch_line("*INTERNALERROR*")
    result.stderr.no_fnmatch_line("*Traceback*")


def test_ctrl_c_inside_a_step_ends_the_run(shop: Any) -> None:
    shop.write(
        "src/entry.py",
        """
        from workers import WorkflowEntrypoint

        class OrderWorkflow(WorkflowEntrypoint):
            async def run(self, event, step):
                @step.do("charge")
                async def charge():
                    raise KeyboardInterrupt

                await charge()
        """,
    )

    result = shop.run(
        """
        async def test_it(workflow_env, workflow_engine):
            await workflow_env.ORDERS.create({"id": "a"})
            await workflow_engine.run_until_idle()

        def test_never_reached():
            pass
    """,
        process=True,
    )

    assert result.ret == pytest.ExitCode.INTERRUPTED
    result.stdout.fnmatch_lines(["*KeyboardInterrupt*"])
    result.stdout.no_fnmatch_line("*INTERNALERROR*")


def test_finally_of_stopped_code_runs_after_the_report_and_its_output_is_not_shown(shop: Any) -> None:
    shop.write(
        "src/entry.py",
        """
        import sys
        import warnings
        from workers import WorkflowEntrypoint

        RAN = []

        class OrderWorkflow(WorkflowEntrypoint):
            async def run(self, event, step):
                try:
                    await step.wait_for_event("wait", "paid", timeout="1 day")
                finally:
                    RAN.append("finally")
                    print("OUT OF FINALLY")
                    print("ERR OF FINALLY", file=sys.stderr)
                    warnings.warn("WARNING OF FINALLY")
                    raise RuntimeError("ERROR OF FINALLY")
        """,
    )
    shop.write(
        "conftest.py",
        """
        import pytest

        @pytest.hookimpl(wrapper=True)
        def pytest_runtest_logreport(report):
            from entry import RAN
            if report.nodeid.endswith("test_it"):
                print(f"REPORT {report.when} {RAN}")
            return (yield)
        """,
    )

    result = shop.run(
        """
        from entry import RAN

        async def test_it(workflow_env, workflow_clock):
            await workflow_env.ORDERS.create({"id": "a"})
            await workflow_clock.advance("1 hour")

        def test_next():
            print("NEXT", RAN)
    """,
        "-s",
    )

    result.assert_outcomes(passed=2)
    text = result.stdout.str() + result.stderr.str()
    for when in ("setup", "call", "teardown"):
        assert f"REPORT {when} []" in text
    assert "NEXT ['finally']" in text
    assert "OF FINALLY" not in text


def test_tests_without_workflows_see_no_engine_and_no_frozen_clock(shop: Any) -> None:
    result = shop.run(
        """
        import time, sys
        from datetime import datetime

        def test_it():
            assert type(datetime.now()) is datetime
            assert time.time.__module__ == "time"
            assert "time_machine" not in sys.modules
            assert "durable_engine.engine" not in sys.modules
    """,
        process=True,
    )

    result.assert_outcomes(passed=1)


# -- introspect_workflow ----------------------------------------------------------------------------------------------

WAYS = {
    "binding": "await workflow_env.ORDERS.create({'id': 'x'})",
    "batch": "await workflow_env.ORDERS.create_batch([{'id': 'x'}])",
    "createBatch": "await workflow_env.ORDERS.createBatch([{'id': 'x'}])",
    "workers.env": "await workers.env.ORDERS.create({'id': 'x'})",
    "env by name": "await env.ORDERS.create({'id': 'x'})",
    "reference": "await taken_before.create({'id': 'x'})",
    "method": "await method_taken_before({'id': 'x'})",
    "self.env": "await workflow_worker.fetch('/')",
}


@pytest.mark.parametrize("way", WAYS)
def test_introspect_workflow_covers_every_way_to_create(shop: Any, way: str) -> None:
    shop.write(
        "src/entry.py",
        LONG
        + """

    from workers import Response, WorkerEntrypoint

    class Default(WorkerEntrypoint):
        async def fetch(self, request):
            await self.env.ORDERS.create({"id": "x"})
            return Response("")
""",
    )

    shop.set(workflows_ignore_rules="reused-id")
    result = shop.run(f"""
        import workers
        from workers import env
        from pytest_workflows import introspect_workflow

        async def test_it(workflow_env, workflow_worker):
            taken_before = env.ORDERS
            method_taken_before = env.ORDERS.create
            async with introspect_workflow(workflow_env.ORDERS) as introspector:
                async with introspector.modify_all() as m:
                    m.mock_step_result("charge", "mocked")
                    m.mock_event("paid")
                {WAYS[way]}
                (instance,) = introspector.get()
                assert instance.id == "x"
                assert await instance.wait_for_step_result("charge") == "mocked"
                await instance.wait_for_status("complete")
    """)

    result.assert_outcomes(passed=1)


def test_introspectors_come_in_order_of_creation_and_are_the_same_objects(shop: Any) -> None:
    result = shop.run("""
        from pytest_workflows import introspect_workflow

        async def test_it(workflow_env):
            await workflow_env.ORDERS.create({"id": "before"})
            async with introspect_workflow(workflow_env.ORDERS) as introspector:
                assert introspector.get() == []
                await workflow_env.ORDERS.create({"id": "z"})
                await workflow_env.ORDERS.create_batch([{"id": "b"}, {"id": "a"}, {"id": "z"}, {"id": "before"}])
                found = introspector.get()
                assert [instance.id for instance in found] == ["z", "b", "a"]
                assert all(one is other for one, other in zip(found, introspector.get(), strict=True))

                handle = await workflow_env.ORDERS.get("z")
                await handle.delete()
                await workflow_env.ORDERS.create({"id": "z"})
                assert [instance.id for instance in introspector.get()] == ["b", "a", "z"]
                assert await introspector.get() == introspector.get()
    """)

    result.assert_outcomes(passed=1)


def test_introspect_workflow_covers_instances_that_other_workflows_create(shop: Any) -> None:
    shop.write(
        "src/entry.py",
        """
        from workers import WorkflowEntrypoint

        class OrderWorkflow(WorkflowEntrypoint):
            async def run(self, event, step):
                @step.do("hand over")
                async def hand_over():
                    return (await self.env.SHIPPING.create({"params": {"order": event["instanceId"]}})).id

                return await hand_over()

        class Shipping(WorkflowEntrypoint):
            async def run(self, event, step):
                return event["payload"]
        """,
    )
    result = shop.run("""
        import pytest
        import entry
        from pytest_workflows import introspect_workflow

        @pytest.fixture
        def workflow_bindings():
            return {"SHIPPING": entry.Shipping}

        async def test_it(workflow_env):
            async with (
                introspect_workflow(workflow_env.ORDERS) as orders,
                introspect_workflow(workflow_env.SHIPPING) as shipping,
            ):
                await workflow_env.ORDERS.create({"id": "a"})
                await orders.get()[0].wait_for_status("complete")
                (shipped,) = shipping.get()
                await shipped.wait_for_status("complete")
                assert await shipped.get_output() == {"order": "a"}
                assert await orders.get()[0].get_output() == shipped.id
    """)

    result.assert_outcomes(passed=1)


def test_after_it_closes_nothing_is_captured_and_the_binding_is_the_identical_object(shop: Any) -> None:
    result = shop.run("""
        from pytest_workflows import introspect_workflow

        async def test_it(workflow_env, workflow_engine):
            binding = workflow_env.ORDERS
            attributes = dict(vars(binding))
            async with introspect_workflow(binding) as introspector:
                assert workflow_env.ORDERS is binding
                async with introspector.modify_all() as m:
                    m.mock_step_result("charge", "mocked")
                await binding.create({"id": "inside"})
                inside = introspector.get()
                await inside[0].wait_for_step_result("charge")

            assert workflow_env.ORDERS is binding
            assert vars(binding) == attributes
            assert workflow_engine.lifecycle.on_create == []
            handle = await binding.create({"id": "after"})
            await handle.send_event({"type": "paid"})
            await workflow_engine.run_until_idle()
            assert (await handle.status())["__LOCAL_DEV_STEP_OUTPUTS"][0] == 1
            assert [instance.id for instance in inside] == ["inside"]
            async with introspect_workflow(binding) as again:
                assert again.get() == []
    """)

    result.assert_outcomes(passed=1)
