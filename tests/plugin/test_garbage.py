"""What a test leaves behind goes at its end: the garbage collector finds next to nothing of it."""

import sys
from typing import Any

import pytest

MOST = 150
"""Objects in cycles that a test of a workflow may leave; before parts were let go of, it left 430."""


def test_the_collector_finds_little_of_a_workflow_test(worker: Any) -> None:
    result = worker.run(
        f"""
        import gc
        import pytest
        from pytest_workflows import introspect_workflow_instance

        @pytest.mark.parametrize("number", range(12))
        async def test_it(workflow_env, number):
            if number == 1:  # by then all is loaded
                gc.collect()
                gc.disable()
            async with introspect_workflow_instance(workflow_env.ORDERS, "x") as instance:
                await workflow_env.ORDERS.create({{"id": "x"}})
                await instance.wait_for_status("complete")

        def test_count():
            gc.enable()
            assert gc.collect() < 11 * {MOST}
        """,
        process=True,
    )
    result.assert_outcomes(passed=13)


def test_what_a_worker_keeps_beyond_the_test_gives_variables_and_refuses_workflows(worker: Any) -> None:
    worker.write(
        "src/entry.py",
        """
        from workers import WorkflowEntrypoint

        kept = []

        class OrderWorkflow(WorkflowEntrypoint):
            async def run(self, event, step):
                kept.append((self.env, self.env.ORDERS))
                return kept[0][0].STAGE
        """,
    )
    result = worker.run(
        """
        import pytest
        from durable_engine import EngineClosedError
        from pytest_workflows import introspect_workflow_instance

        @pytest.mark.parametrize("number", range(3))
        async def test_it(workflow_env, number):
            from entry import kept
            async with introspect_workflow_instance(workflow_env.ORDERS, "x") as instance:
                await workflow_env.ORDERS.create({"id": "x"})
                await instance.wait_for_status("complete")
                assert await instance.get_output() == "test"
            if number:
                with pytest.raises(EngineClosedError, match="a test that has ended"):
                    await kept[0][1].create({"id": "y"})
        """
    )
    result.assert_outcomes(passed=3)


def test_a_thread_that_outlives_its_test_still_has_the_time(worker: Any) -> None:
    worker.write(
        "src/entry.py",
        """
        import threading
        import time
        from workers import WorkflowEntrypoint

        go_on, read = threading.Event(), []

        def outlive():
            go_on.wait(60)
            read.append(time.monotonic())

        class OrderWorkflow(WorkflowEntrypoint):
            async def run(self, event, step):
                threads.append(threading.Thread(target=outlive))
                threads[0].start()

        threads = []
        """,
    )
    worker.set(workflows_ignore_rules="not-on-platform")
    result = worker.run(
        """
        from pytest_workflows import introspect_workflow_instance

        async def test_it(workflow_env):
            async with introspect_workflow_instance(workflow_env.ORDERS, "x") as instance:
                await workflow_env.ORDERS.create({"id": "x"})
                await instance.wait_for_status("complete")

        def test_next(workflow_env):
            from entry import go_on, read, threads
            go_on.set()
            threads[0].join(60)
            assert len(read) == 1
        """
    )
    result.assert_outcomes(passed=2)


def test_a_session_that_uses_workflows_collects_as_seldom_as_newer_pythons_do(worker: Any) -> None:
    worker.write(
        "conftest.py",
        """
        import gc

        def pytest_unconfigure(config):
            config.add_cleanup(lambda: print("at the end", gc.get_threshold()[0]))
        """,
    )
    result = worker.run(
        """
        import gc

        def test_it(workflow_env):
            assert gc.get_threshold()[0] == 2000
        """,
        process=True,
    )
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines([f"at the end {700 if sys.version_info < (3, 13) else 2000}"])


@pytest.mark.parametrize("when", ["early", "late"])
def test_who_says_how_often_the_collector_looks_is_obeyed(worker: Any, when: str) -> None:
    worker.write("said.py", "import gc\n\ngc.set_threshold(1234, 5, 6)\n")
    worker.monkeypatch.setenv("PYTHONPATH", str(worker.path))
    worker.write(
        "conftest.py",
        """
        import gc

        def pytest_unconfigure(config):
            config.add_cleanup(lambda: print("at the end", gc.get_threshold()))
        """,
    )
    result = worker.run(
        """
        import gc

        def test_it(workflow_env):
            import said
            assert gc.get_threshold() == (1234, 5, 6)
        """,
        process=True,
        plugins=("said",) if when == "early" else (),
    )
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(["at the end (1234, 5, 6)"])
