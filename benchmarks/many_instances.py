"""What an instance costs beside many others: CPU time per instance, as a curve over how many live at a time.

python benchmarks/many_instances.py [--most 4000]

Every row ought to be flat: the last column is the cost of one at the largest number against one at the smallest.
"""

import argparse
import pathlib
import resource
import subprocess
import sys
import tempfile

from measuring import ENVIRONMENT, INI

COUNTS = (500, 1000, 2000, 4000)
SOURCE = """
import pytest
from pytest_workflows import introspect_workflow
from workers import WorkflowEntrypoint


class Shop(WorkflowEntrypoint):
    async def run(self, event, step):
        @step.do("charge", config={"retries": {"limit": 3, "delay": "1 minute"}})
        async def charge(ctx):
            if ctx["attempt"] < 2:
                raise RuntimeError("again")
            return {"a": ctx["attempt"]}

        await charge()
        await step.sleep("a day", "1 day")
        await step.do("ship")(lambda: 1)()


@pytest.fixture
def workflow_bindings():
    return {"SHOP": Shop}


async def create(binding):
    for start in range(0, COUNT, 100):
        await binding.create_batch([{"id": f"i{start + k}"} for k in range(min(100, COUNT - start))])


@pytest.mark.workflow(timeout=600)
async def test_idle(workflow_env, workflow_engine):
    await create(workflow_env.SHOP)
    await workflow_engine.run_until_idle()


@pytest.mark.workflow(timeout=600)
async def test_introspected(workflow_env):
    async with introspect_workflow(workflow_env.SHOP) as introspector:
        await create(workflow_env.SHOP)
        for instance in introspector.get():
            await instance.wait_for_status("complete")


@pytest.mark.workflow(timeout=600)
async def test_terminated(workflow_env, workflow_engine):
    await create(workflow_env.SHOP)
    for instance in workflow_engine.instances:
        await (await workflow_env.SHOP.get(instance.id)).terminate()
"""
RUNS = {
    "run until idle": ("test_it.py::test_idle",),
    "introspected, awaited, disposed of": ("test_it.py::test_introspected",),
    "terminated": ("test_it.py::test_terminated",),
    "two crash points explored": ("test_it.py::test_idle", "--workflows-crash=2"),
}


def cpu_seconds(folder, source, *arguments):
    """CPU seconds of a whole pytest process over `test_it.py` with this source."""
    (folder / "test_it.py").write_text(source)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *arguments]
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, cwd=folder, env=ENVIRONMENT, check=True, stdout=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def of_instances(folder, count, run):
    """CPU seconds of a run with so many instances."""
    return cpu_seconds(folder, f"COUNT = {count}\n{SOURCE}", *run)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--most", type=int, default=COUNTS[-1])
    counts = [count for count in COUNTS if count <= parser.parse_args().most]
    print(f"Python {sys.version.split()[0]}; ms of CPU per instance, start-up taken out")
    print(f"{'instances':38}{''.join(f'{count:>9}' for count in counts)}{'last/first':>13}")
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        (folder / "pytest.ini").write_text(INI)
        for title, run in RUNS.items():
            start_up = min(of_instances(folder, 1, run) for _ in range(2))
            each = [(of_instances(folder, count, run) - start_up) / count * 1000 for count in counts]
            print(f"{title:38}{''.join(f'{ms:>9.2f}' for ms in each)}{each[-1] / each[0]:>13.2f}", flush=True)


if __name__ == "__main__":
    main()
