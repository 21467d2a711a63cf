"""Rows of crash exploration: one heavy test on two cores, and what a run costs beyond the test."""

from __future__ import annotations

import json
import pathlib
import re
import shutil
import statistics

from measuring import INI, ROOT, Figures, Installed, Row, use

# 49 steps of three points, two sleeps, and the end. What takes the time is the test's own.
HEAVY = """
from workers import WorkflowEntrypoint
import pytest

class Heavy(WorkflowEntrypoint):
    async def run(self, event, step):
        for number in range(49):
            await step.do(f"step {number}")(lambda: number)()
        await step.sleep("one", "1 day")
        await step.sleep("two", "1 day")

@pytest.fixture
def workflow_bindings():
    return {"HEAVY": Heavy}

async def test_heavy(workflow_env, workflow_engine):
    await workflow_env.HEAVY.create({"id": "x"})
    await workflow_engine.run_until_idle()
    for _ in range(TIMES):
        pass
"""
_COUNT = """
import time
began = time.thread_time()
for _ in range(20_000_000):
    pass
print(20_000_000 / (time.thread_time() - began))
"""
POINTS = 150
# Of each test, how long each of its runs took, from its setup to the end of its teardown. The first one in a process
# is left out, since it loads what all need: `--keep-duplicates` lets a plain session run a test again.
NOTES = """
import json, time
import pytest

began, took = 0.0, {}

@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_setup(item):
    global began
    began = time.process_time()
    return (yield)

@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_makereport(item, call):
    report = yield
    if call.when == "teardown":
        took.setdefault(item.nodeid, []).append(time.process_time() - began)
    return report

def pytest_unconfigure(config):
    with open("notes.json", "w") as file:
        json.dump({test: seconds[1:] for test, seconds in took.items()}, file)
"""


def two_cores(installed: Installed, folder: pathlib.Path) -> Figures:
    (folder / "pytest.ini").write_text(INI)
    times = int(float(use([installed.python, "-c", _COUNT], folder).output) * 0.11)
    (folder / "test_heavy.py").write_text(HEAVY.replace("TIMES", str(times)))
    figures = {}
    for workers in ("0", "2"):
        start = installed.pytest(folder, "-n", workers)
        done = installed.pytest(folder, "-n", workers, "--workflows-crash")
        points = re.search(r"(\d+) (?:crash|fault) points", done.output)
        assert points is not None, done.output
        assert int(points[1]) == POINTS, done.output
        figures[f"-n {workers}"] = done.wall - start.wall
    return figures


def examples(installed: Installed, folder: pathlib.Path) -> Figures:
    shutil.copytree(ROOT / "examples", folder / "examples")
    plain = explored = runs = 0.0
    for config in sorted((folder / "examples").rglob("pyproject.toml")):
        project = config.parent
        (project / "notes.py").write_text(NOTES)
        alone = _noted(installed, project, "--keep-duplicates", ".", ".", ".", ".")
        for test, seconds in _noted(installed, project, "--workflows-crash").items():
            plain += len(seconds) * statistics.median(alone[test])
            explored += sum(seconds)
            runs += len(seconds)
    return {"plain": plain, "explored": explored, "runs": runs}


def _noted(installed: Installed, project: pathlib.Path, *arguments: str) -> dict[str, list[float]]:
    installed.pytest(project, "-p", "notes", *arguments, PYTHONPATH=".")
    noted: dict[str, list[float]] = json.loads((project / "notes.json").read_text())
    return noted


ROWS = [
    Row(
        "cores",
        "crash exploration of one test of 150 points of 100 ms, -n 2 against -n 0, start-up taken out",
        "1.0 or worse",
        "0.6",
        two_cores,
        lambda of: of["-n 2"] / of["-n 0"],
        lambda of: f"{of['-n 2']:.1f} s / {of['-n 0']:.1f} s",
        needs=("pytest-xdist",),
    ),
    Row(
        "examples",
        "crash exploration of the examples: an explored run against the plain run of the same test",
        "not known",
        "1.2",
        examples,
        lambda of: of["explored"] / of["plain"],
        lambda of: f"{of['explored']:.1f} s / {of['plain']:.1f} s, {of['runs']:.0f} runs",
        needs=("fastapi", "respx"),
    ),
]
