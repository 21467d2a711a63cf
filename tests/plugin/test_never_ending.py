"""Workers that never end: the test does, the session goes on, and one Ctrl-C ends it."""

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

NEVER_ENDING = (Path(__file__).parent / "never_ending.py").read_text(encoding="utf-8")
CONFIG = """
    {
      "name": "w", "main": "src/entry.py", "compatibility_date": "2026-11-10",
      "workflows": [{"name": "w", "binding": "W", "class_name": "W"}]
    }
"""
TESTS = """
    import asyncio
    import pytest
    from pytest_workflows import introspect_workflow_instance

    pytestmark = pytest.mark.workflow(timeout=TIMEOUT)

    @pytest.mark.parametrize("how", HOWS)
    @pytest.mark.parametrize("mode", MODES)
    async def test_it(workflow_env, workflow_engine, mode, how):
        async with introspect_workflow_instance(workflow_env.W, "i") as instance:
            await workflow_env.W.create({"id": "i", "params": {"mode": mode}})
            if how == "status":
                await instance.wait_for_status("complete")
            elif how == "idle":
                await workflow_engine.run_until_idle()
            elif how == "step":
                await instance.wait_for_step_result("s")
            elif how == "turns":
                for _ in range(20):
                    await asyncio.sleep(0)

    def test_next(workflow_env):
        pass
"""
BLOCKING = ["step_spins_hard", "step_time_sleep", "step_catches_all", "run_spins_hard"]
SWALLOWING = ["step_swallows", "step_swallows_genexit", "finally_hard", "finally_spins"]
GIVING_WAY = ["step_blocks_future", "step_spins_sleep0", "run_spins_sleep0", "run_never_future", "run_sleeps_for_ever"]
OTHERS = ["run_task_group_hangs"]
THREADS = ["step_to_thread", "step_own_thread", "step_own_pool"]
LONGEST = 120
"""Seconds that a session of this file may take, on whatever machine; a session that hangs takes longer."""


@pytest.fixture
def never(worker: Any) -> Any:
    worker.write("wrangler.jsonc", CONFIG)
    (worker.path / "src" / "entry.py").write_text(NEVER_ENDING, encoding="utf-8")
    return worker


def hanging(modes: list[str], hows: list[str], timeout: float = 0.2) -> str:
    return TESTS.replace("TIMEOUT", str(timeout)).replace("HOWS", repr(hows)).replace("MODES", repr(modes))


def start(never: Any, tests: str, *arguments: str, plugins: tuple[str, ...] = ()) -> subprocess.Popen[str]:
    """Start the project's tests in a process, and a group, of their own."""
    never.write("tests/test_it.py", tests)
    never.monkeypatch.setenv("COLUMNS", "300")
    never.monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    named = [word for name in ("pytest_asyncio.plugin", "pytest_workflows.plugin", *plugins) for word in ("-p", name)]
    return subprocess.Popen(
        [sys.executable, "-m", "pytest", "-rA", "-p", "no:cacheprovider", *named, *arguments],
        cwd=never.path,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


def end(process: subprocess.Popen[str]) -> tuple[int, str]:
    """Its code and its output, once it has ended by itself."""
    try:
        output, _ = process.communicate(timeout=LONGEST)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        output, _ = process.communicate()
        pytest.fail(f"The session hangs:\n{output}")
    return process.returncode, output


def run(never: Any, tests: str, *arguments: str, plugins: tuple[str, ...] = ()) -> tuple[int, str]:
    return end(start(never, tests, *arguments, plugins=plugins))


def summary(output: str, mode: str, how: str) -> str:
    found = re.search(rf"^(FAILED|PASSED) tests/test_it.py::test_it\[{mode}-{how}\](.*)$", output, re.MULTILINE)
    assert found is not None, output
    return found[0]


def line_of(text: str, source: str = NEVER_ENDING, after: str = "") -> int:
    at = source.index(text, source.index(after))
    return source.count("\n", 0, at) + 1


# -- each ends, with a message ----------------------------------------------------------------------------------------


def test_what_never_gives_way_ends_however_the_test_waits_and_the_place_is_named(never: Any) -> None:
    hows = ["status", "idle", "step", "turns"]

    code, output = run(never, hanging(BLOCKING, hows))

    assert code == 1, output
    for mode in BLOCKING:
        for how in hows:
            assert "EventLoopBlockedError" in summary(output, mode, how)
    assert f"{len(BLOCKING) * len(hows)} failed, 1 passed" in output
    line = line_of("time.sleep(1000)", after="step_time_sleep")
    said = f"Step 's-1' (attempt 1) of instance 'i' of 'W' does not give way: it has been at src/entry.py:{line} for "
    assert f"EventLoopBlockedError: {said}" in output
    assert f"  src/entry.py:{line}, in step_time_sleep: `time.sleep(1000)`" in output
    assert "run() of instance 'i' of 'W' does not give way: it has been at src/entry.py:" in output
    assert "@pytest.mark.workflow(timeout=...)" in output


def test_what_cannot_be_stopped_does_not_hold_up_the_session_and_its_place_is_named(never: Any) -> None:
    modes = [*SWALLOWING, *GIVING_WAY, *OTHERS]

    code, output = run(never, hanging(modes, ["status", "nothing"]))

    assert code == 1, output
    for mode in modes:
        assert "FAILED" in summary(output, mode, "status")
        assert "EventLoopBlockedError" not in summary(output, mode, "status")
        assert "PASSED" in summary(output, mode, "nothing")
    assert f"{len(modes)} failed, {len(modes) + 1} passed" in output
    line = line_of("await asyncio.get_running_loop()", after="async def step_blocks_future")
    assert (
        f"Step 's-1' (attempt 1) of instance 'i' of 'W' is at src/entry.py:{line}, in step_blocks_future: `" in output
    )


def test_a_thread_is_named_and_left_behind_and_the_interpreter_ends_too(never: Any) -> None:
    # On the platform there are no such threads, and the rule that says so comes first.
    code, output = run(never, hanging(THREADS, ["status"]), "-o", "workflows_ignore_rules=not-on-platform")

    assert code == 1, output
    assert f"{len(THREADS)} failed, 1 passed" in output
    for text in ("asyncio.to_thread(time", "thread.start()", "run_in_executor(pool"):
        assert re.search(rf"Thread '\S+( \(sleep\))?', started at src/entry.py:{line_of(text)}, has not ended", output)


def test_all_of_it_holds_under_xdist(never: Any) -> None:
    modes = ["step_time_sleep", "step_catches_all", "step_swallows", "finally_hard", "step_to_thread"]

    code, output = run(never, hanging(modes, ["status"]), "-n", "2", plugins=("xdist.plugin",))

    assert code == 1, output
    assert f"{len(modes)} failed, 1 passed" in output
    assert "crashed" not in output
    assert "EventLoopBlockedError" in summary(output, "step_catches_all", "status")


def test_a_step_that_works_within_its_waits_time_is_left_alone_and_a_timer_of_others_stays(never: Any) -> None:
    never.write(
        "src/entry.py",
        """
        import signal
        import time
        from workers import WorkflowEntrypoint

        class W(WorkflowEntrypoint):
            async def run(self, event, step):
                return await step.do("s")(lambda: time.sleep(1) or signal.getitimer(signal.ITIMER_REAL)[0])()
        """,
    )
    code, output = run(
        never,
        """
        import signal
        from pytest_workflows import introspect_workflow_instance
        import pytest

        @pytest.mark.workflow(timeout=0.1)
        async def test_it(workflow_env):
            handler = lambda *_: None
            signal.signal(signal.SIGALRM, handler)
            signal.setitimer(signal.ITIMER_REAL, 100)
            async with introspect_workflow_instance(workflow_env.W, "i") as instance:
                await workflow_env.W.create({"id": "i"})
                await instance.wait_for_status("complete", timeout=30)
                assert 90 < await instance.get_output() < 99.5
            assert signal.getsignal(signal.SIGALRM) is handler
            assert 90 < signal.setitimer(signal.ITIMER_REAL, 0)[0] < 99.5
        """,
    )

    assert code == 0, output


def test_a_timer_whose_handler_fails_the_test_does_so_in_a_step(never: Any) -> None:
    """As pytest-timeout does."""
    code, output = run(
        never,
        """
        import signal
        import pytest
        from pytest_workflows import introspect_workflow_instance

        async def test_it(workflow_env):
            signal.signal(signal.SIGALRM, lambda *_: pytest.fail("Timeout of another plugin"))
            signal.setitimer(signal.ITIMER_REAL, 0.3)
            async with introspect_workflow_instance(workflow_env.W, "i") as instance:
                await workflow_env.W.create({"id": "i", "params": {"mode": "step_time_sleep"}})
                await instance.wait_for_status("complete", timeout=60)
        """,
    )

    assert code == 1, output
    assert "Failed: Timeout of another plugin" in output


# -- handlers ---------------------------------------------------------------------------------------------------------

HANDLERS = """
    import asyncio
    import time
    from workers import Response, WorkerEntrypoint

    class Default(WorkerEntrypoint):
        async def fetch(self, request):
            if request.url.endswith("/blocks"):
                time.sleep(1000)
            if request.url.endswith("/leaves"):
                self.ctx.wait_until(self.go_on())
                return Response("ok")
            await self.go_on()

        async def go_on(self):
            while True:
                try:
                    await asyncio.sleep(0.01)
                except BaseException:
                    pass
"""


def test_a_handler_that_never_returns_ends_and_so_does_what_it_leaves_running(never: Any) -> None:
    never.write("src/entry.py", HANDLERS)
    never.write("wrangler.jsonc", '{"name": "w", "main": "src/entry.py", "compatibility_date": "2026-11-10"}')

    code, output = run(
        never,
        """
        import pytest

        pytestmark = pytest.mark.workflow(timeout=0.2)

        async def test_blocks(workflow_worker):
            await workflow_worker.fetch("/blocks")

        async def test_swallows(workflow_worker):
            await workflow_worker.fetch("/swallows")

        async def test_leaves(workflow_worker):
            await workflow_worker.fetch("/leaves")
        """,
    )

    assert code == 1, output
    assert "EventLoopBlockedError: The fetch handler does not give way: it has been at src/entry.py:8 for " in output
    assert "WaitTimeoutError: The fetch handler has not returned within 0.2 real seconds." in output
    assert "It is at src/entry.py:17, in go_on: `await asyncio.sleep(0.01)`." in output
    assert "`Default.go_on()`, which the fetch handler gave to waitUntil, has not returned within 0.2 real" in output
    assert "3 failed" in output


# -- Ctrl-C -----------------------------------------------------------------------------------------------------------


def interrupt(never: Any, process: subprocess.Popen[str]) -> tuple[int, str]:
    """Press Ctrl-C once, when the Worker has come to where it hangs."""
    began = never.path / "began"
    late = time.monotonic() + LONGEST
    while not began.exists():
        assert process.poll() is None, process.communicate()[0]
        assert time.monotonic() < late
        time.sleep(0.01)
    os.killpg(process.pid, signal.SIGINT)
    return end(process)


@pytest.mark.parametrize("mode", [*BLOCKING, "step_swallows", "step_swallows_genexit", "step_to_thread"])
def test_one_ctrl_c_ends_the_session(never: Any, mode: str) -> None:
    code, output = interrupt(never, start(never, hanging([mode], ["status"], timeout=600)))

    assert code == 2, output
    assert "KeyboardInterrupt" in output
    assert "test_next" not in output


def test_one_ctrl_c_ends_the_session_while_stopped_code_is_closed_after_the_report(never: Any) -> None:
    code, output = interrupt(never, start(never, hanging(["finally_hard"], ["status"])))

    assert code == 2, output
    assert "1 failed" in output


def test_one_ctrl_c_ends_the_session_under_xdist(never: Any) -> None:
    process = start(never, hanging(["step_catches_all"], ["status"], timeout=600), "-n", "1", plugins=("xdist.plugin",))

    code, output = interrupt(never, process)

    assert code == 2, output


# -- where only the end of the process helps --------------------------------------------------------------------------

C_CODE = """
    import ctypes
    from workers import WorkflowEntrypoint

    class W(WorkflowEntrypoint):
        async def run(self, event, step):
            mutex = ctypes.create_string_buffer(256)
            ctypes.CDLL(None).pthread_mutex_lock(mutex)
            print("printed by the Worker")
            ctypes.CDLL(None).pthread_mutex_lock(mutex)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="a mutex of POSIX")
def test_c_code_that_takes_no_signals_ends_the_process_with_a_message(never: Any) -> None:
    never.write("src/entry.py", C_CODE)

    code, output = run(never, hanging(["any"], ["status"]))

    assert code == 2
    assert "tests/test_it.py::test_it[any-status]: the process ends here, with code 2." in output
    assert "printed by the Worker" in output
    assert "run() of instance 'i' of 'W' does not give way: it has been at src/entry.py:9 for " in output
    assert "It is in code that takes no signals: only the end of this process ends it." in output


# -- eager tasks ------------------------------------------------------------------------------------------------------

EAGER = """
    import asyncio
    from workers import WorkflowEntrypoint

    class W(WorkflowEntrypoint):
        async def run(self, event, step):
            @step.do("ok", config={"retries": {"limit": 0, "delay": 0}})
            async def ok():
                await asyncio.sleep(0.05)
                return 1

            @step.do("bad", config={"retries": {"limit": 0, "delay": 0}})
            async def bad():
                raise ValueError("bad")

            try:
                async with asyncio.TaskGroup() as group:
                    group.create_task(ok())
                    group.create_task(bad())
                    group.create_task(step.wait_for_event("w", "never", timeout="1 day"))
            except* Exception as errors:
                names = [type(error).__name__ for error in errors.exceptions]
            return names
"""


@pytest.mark.skipif(sys.version_info < (3, 12), reason="eager tasks came with Python 3.12")
def test_crash_exploration_of_eager_tasks_ends(never: Any) -> None:
    never.write("src/entry.py", EAGER)

    code, output = run(
        never,
        """
        import asyncio
        from pytest_workflows import introspect_workflow_instance

        async def test_it(workflow_env):
            asyncio.get_running_loop().set_task_factory(asyncio.eager_task_factory)
            async with introspect_workflow_instance(workflow_env.W, "i") as instance:
                await workflow_env.W.create({"id": "i"})
                await instance.wait_for_status("complete")
        """,
        "--workflows-crash",
        "-W",
        "ignore",
    )

    assert code == 0, output
    assert re.search(r"1 test, \d crash points in .*: none failed", output)
