"""What a test leaves behind goes at its end: the garbage collector finds next to nothing of it."""

import gc
import sys
import weakref
from types import SimpleNamespace
from typing import Any

import pytest

from durable_engine import Engine
from pytest_workflows.recordings.capture.observer import Watcher
from pytest_workflows.recordings.format.redaction import Secrets
from pytest_workflows.session.run_secrets import RunSecrets

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


def threshold_after(worker: Any, *arguments: str) -> str:
    """The threshold of the collector after a session in a process."""
    plugins = ["-p", "pytest_asyncio.plugin", "-p", "pytest_workflows.plugin"]
    worker.monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    code = f"import gc, pytest; pytest.main({[*plugins, *arguments]!r}); print(gc.get_threshold()[0])"
    line: str = worker.pytester.run(sys.executable, "-c", code).outlines[-1]
    return line


OWN = "700" if sys.version_info < (3, 13) else "2000"


def test_a_session_that_uses_workflows_collects_as_seldom_as_newer_pythons_do(worker: Any) -> None:
    worker.write(
        "tests/test_it.py",
        """
        import gc

        def test_it(workflow_env):
            assert gc.get_threshold()[0] == 2000
        """,
    )
    worker.run(process=True).assert_outcomes(passed=1)
    assert threshold_after(worker) == OWN


def test_a_pytest_that_refuses_to_start_leaves_the_collector_as_it_was(worker: Any) -> None:
    worker.write("bad.ini", "[pytest]\nworkflows_timeout = abc\n")
    for arguments in (["--no-such-option"], ["-c", "bad.ini"]):
        assert threshold_after(worker, *arguments) == OWN


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


KEEPERS = """
    import pytest
    import pytest_asyncio
    from hypothesis import HealthCheck, given, settings, strategies
    from pytest_workflows import introspect_workflow, introspect_workflow_instance
    from workers import env

    LOOSE = settings(max_examples=3, database=None, suppress_health_check=list(HealthCheck), deadline=None)

    @pytest_asyncio.fixture
    async def one(workflow_env):
        instance = await introspect_workflow_instance(workflow_env.ORDERS, "x")
        yield instance
        await instance.dispose()

    @pytest_asyncio.fixture
    async def all_of_them(workflow_env):
        async with introspect_workflow(workflow_env.ORDERS) as introspector:
            yield introspector

    @pytest.fixture
    def bindings(workflow_env, workflow_engine):
        workflow_env.ORDERS
        yield
        assert list(workflow_engine.bindings) == ["ORDERS"]

    @pytest.fixture
    def replaced(workflow_engine, monkeypatch):
        monkeypatch.setattr(workflow_engine, "crash", lambda: None)
        monkeypatch.setattr(workflow_engine.lifecycle, "crash", lambda: None)

    @LOOSE
    @given(strategies.integers())
    async def test_one(one, number):
        await env.ORDERS.create({"id": "x"})

    @LOOSE
    @given(strategies.integers())
    async def test_all_of_them(all_of_them, number):
        await env.ORDERS.create({"id": "x"})

    @LOOSE
    @given(strategies.integers())
    async def test_what_fixtures_do_in_the_end(bindings, replaced, number):
        await env.ORDERS.create({"id": "x"})

    @pytest_asyncio.fixture(scope="module", loop_scope="module")
    async def of_the_module():
        async with introspect_workflow(env.ORDERS) as introspector:
            yield introspector

    @pytest.mark.asyncio(loop_scope="module")
    async def test_a(of_the_module):
        await env.ORDERS.create({"id": "y"})

    def test_b():
        pass
"""


def test_fixtures_that_outlive_an_engine_may_still_leave_it(worker: Any) -> None:
    worker.run(KEEPERS, plugins=("_hypothesis_pytestplugin",)).assert_outcomes(passed=5)


def test_what_hooks_keep_of_an_instance_says_what_it_was_at_the_end_of_the_session(worker: Any) -> None:
    worker.write(
        "conftest.py",
        """
        kept = []

        def pytest_workflows_instance_created(instance):
            kept.append(instance)

        def pytest_sessionfinish():
            print("kept", [(one.id, one.status) for one in kept])
        """,
    )
    result = worker.run(
        """
        async def test_it(workflow_env, workflow_engine):
            await workflow_env.ORDERS.create({"id": "x"})
            await workflow_engine.settle()
        """,
        "-s",
    )
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(["*kept [[]('x', 'waiting')]"])


def test_a_call_that_a_step_began_and_nobody_awaited_is_answered_after_its_instance_is_gone(worker: Any) -> None:
    worker.write(
        "wrangler.jsonc",
        """
        {
          "name": "shop", "main": "src/entry.py", "compatibility_date": "2026-11-10",
          "workflows": [{"binding": "ORDERS", "name": "orders", "class_name": "OrderWorkflow"}],
          "kv_namespaces": [{"binding": "KV", "id": "1"}]
        }
        """,
    )
    worker.write(
        "src/entry.py",
        """
        from workers import WorkflowEntrypoint

        pending = []

        class OrderWorkflow(WorkflowEntrypoint):
            async def run(self, event, step):
                @step.do("begin")
                async def begin():
                    pending.append(self.env.KV.get("k"))

                await begin()
        """,
    )
    result = worker.run(
        """
        import pytest
        from pytest_workflows import introspect_workflow_instance

        @pytest.mark.filterwarnings("ignore")
        async def test_it(workflow_env):
            await workflow_env.KV.put("k", "v")
            async with introspect_workflow_instance(workflow_env.ORDERS, "x") as instance:
                await workflow_env.ORDERS.create({"id": "x"})
                await instance.wait_for_status("complete")
            from entry import pending
            assert await pending[0] == "v"
        """
    )
    result.assert_outcomes(passed=1)


def test_who_captures_output_is_gone_without_the_garbage_collector() -> None:
    engine = Engine()
    watcher = Watcher(engine)
    known = weakref.ref(watcher)
    gc.disable()
    try:
        watcher.dismantle()
        del watcher
        assert known() is None
    finally:
        gc.enable()


@pytest.mark.parametrize("is_known_before", [True, False])
def test_secrets_stay_secret_when_the_instances_are_gone(is_known_before: bool) -> None:
    instances = ["s3cret"]
    settings: Any = SimpleNamespace(redact=("token",))
    secrets = RunSecrets(settings, None)
    secrets.attach(lambda: Secrets([], [], instances))
    if is_known_before:
        secrets.collect()

    secrets.detach()
    instances.clear()

    assert "s3cret" not in secrets.redact("it is s3cret")
    assert "s3cret" not in secrets.redact_known("it is s3cret")
