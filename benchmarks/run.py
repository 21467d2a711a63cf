"""What things cost: measured in one run, printed as ratios against an empty pytest-asyncio test.

python benchmarks/run.py
"""

import asyncio
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

from durable_engine import Engine

REPEAT = 5
# Bytecode is cached wherever people run tests; without it each run would measure the compiler.
ENVIRONMENT = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
TESTS = 200
INI = "[pytest]\nasyncio_mode = auto\nasyncio_default_fixture_loop_scope = function\n"
EMPTY = "import pytest\n@pytest.mark.parametrize('i', range({n}))\nasync def test_nothing(i): pass\n"
PLAIN = "import pytest\n@pytest.mark.parametrize('i', range({n}))\ndef test_nothing(i): pass\n"
WORKFLOW = """
import pytest
from pytest_workflows import introspect_workflow_instance
from workers import WorkflowEntrypoint

class Three(WorkflowEntrypoint):
    async def run(self, event, step):
        for name in ("one", "two", "three"):
            @step.do(name)
            async def work():
                return name
            await work()

@pytest.fixture
def workflow_bindings():
    return {{"THREE": Three}}

@pytest.mark.parametrize("i", range({n}))
async def test_three_steps(i, workflow_env):
    async with introspect_workflow_instance(workflow_env.THREE, "x") as instance:
        async with instance.modify() as m:
            m.mock_step_result("two", "mocked")
        await workflow_env.THREE.create({{"id": "x"}})
        await instance.wait_for_status("complete")
"""


def pytest_seconds(source, *options):
    """Real seconds of a pytest run of this source; the best of a few."""
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder)
        (path / "pytest.ini").write_text(INI)
        (path / "test_it.py").write_text(source)
        command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *options]
        times = []
        for _ in range(REPEAT):
            began = time.perf_counter()
            subprocess.run(command, cwd=folder, env=ENVIRONMENT, check=True, stdout=subprocess.DEVNULL)
            times.append(time.perf_counter() - began)
        return min(times)


def per_test(source):
    """Seconds that each further test of this source costs, start-up left out."""
    return (pytest_seconds(source.format(n=TESTS + 1)) - pytest_seconds(source.format(n=1))) / TESTS


async def engine_seconds(workflow, *, batches=1, batch=1):
    """Seconds until all instances of a workflow are done."""
    async with Engine(now="2026-01-01T00:00:00Z", timeout=60) as engine:
        binding = engine.bind("W", workflow)
        began = time.perf_counter()
        for _ in range(batches):
            await binding.create_batch([{} for _ in range(batch)])
        await engine.run_until_idle()
        return time.perf_counter() - began


async def replay_seconds(workflow):
    """Seconds that an instance takes to get back to where it was after a crash."""
    async with Engine(now="2026-01-01T00:00:00Z", timeout=60) as engine:
        binding = engine.bind("W", workflow)
        handle = await binding.create({"id": "x"})
        await engine.advance(0)
        began = time.perf_counter()
        engine.crash(binding.workflow, handle.id)
        await engine.advance(0)
        return time.perf_counter() - began


async def thousand_steps(event, step):
    for _ in range(1000):
        await step.do("s")(lambda: 1)()


async def thousand_steps_and_a_wait(event, step):
    await thousand_steps(event, step)
    await step.wait_for_event("w", "t")


async def one_step(event, step):
    await step.do("s")(lambda: 1)()


async def a_year(event, step):
    for _ in range(1000):
        await step.sleep("day", "365 days")


def measured(make, *, per=1):
    return statistics.median(asyncio.run(make()) for _ in range(REPEAT)) / per


def main():
    empty = per_test(EMPTY)
    unused = pytest_seconds(PLAIN.format(n=1))
    without = pytest_seconds(PLAIN.format(n=1), "-p", "no:pytest_workflows.plugin")
    rows = [
        ("an empty async test", empty, None),
        ("a workflow test, three steps, one mock", per_test(WORKFLOW), "at most 2 empty tests"),
        ("a step, of 1,000 in a row", measured(lambda: engine_seconds(thousand_steps), per=1000), "150 us"),
        (
            "an instance, of 1,000 in one test",
            measured(lambda: engine_seconds(one_step, batches=10, batch=100), per=1000),
            "500 us",
        ),
        ("a sleep of 365 days", measured(lambda: engine_seconds(a_year), per=1000), "100 us"),
        (
            "replay of a 1,000-step instance, a step",
            measured(lambda: replay_seconds(thousand_steps_and_a_wait), per=1000),
            None,
        ),
        ("the unused plugin, a whole pytest run", max(0.0, unused - without), "10 ms"),
    ]
    print(f"Python {sys.version.split()[0]}; best or median of {REPEAT}")
    print(f"{'':42}{'time':>12}{'empty tests':>14}   aim")
    for name, seconds, aim in rows:
        print(f"{name:42}{seconds * 1e6:>9.0f} us{seconds / empty:>14.2f}   {aim or ''}")


if __name__ == "__main__":
    main()
