"""Rows of what each further test costs, and of what five thousand leave behind."""

from __future__ import annotations

import json
import pathlib

from measuring import INI, Figures, Installed, Row, many_and_one
from sources import EMPTY, ENV, WORKFLOW

TESTS = 400
LONG = 5000
# Of each hundred tests, how long they took: the first test apart, which loads what all need. And the memory at the end.
NOTES = """
import json, time

marks = []

def pytest_runtest_logfinish(nodeid, location):
    marks.append(time.process_time())

def pytest_unconfigure(config):
    with open("/proc/self/status") as file:
        resident = next(int(line.split()[1]) for line in file if line.startswith("VmRSS:"))
    with open("notes.json", "w") as file:
        json.dump({"first": marks[100] - marks[0], "last": marks[-1] - marks[-101], "memory": resident / 1024}, file)
"""


def three_steps(installed: Installed, folder: pathlib.Path) -> Figures:
    return many_and_one(installed, folder, {"empty": EMPTY, "env": ENV, "workflow": WORKFLOW}, TESTS)


def long_session(installed: Installed, folder: pathlib.Path) -> Figures:
    (folder / "pytest.ini").write_text(INI)
    (folder / "conftest.py").write_text(NOTES)
    (folder / "test_workflow.py").write_text(WORKFLOW.format(n=LONG))
    (folder / "test_empty.py").write_text(EMPTY.format(n=LONG))
    notes = {}
    for name, others in (("workflow", ()), ("empty", ("-p", "no:pytest_workflows.plugin"))):
        installed.pytest(folder, f"test_{name}.py", *others)
        written = json.loads((folder / "notes.json").read_text())
        notes |= {f"{name} {what}": figure for what, figure in written.items()}
    return notes


def _ms(seconds: float) -> str:
    return f"{seconds * 1000:.2f} ms"


ROWS = [
    Row(
        "workflow",
        "a three-step workflow test with one mock, against an empty pytest-asyncio test",
        "4.1 to 9.7",
        "2.4; 2.0 aimed at",
        three_steps,
        lambda of: of["further workflow"] / of["further empty"],
        lambda of: f"{_ms(of['further workflow'])} / {_ms(of['further empty'])}",
    ),
    Row(
        "env",
        "a test with `workflow_env` alone, against an empty pytest-asyncio test",
        "1.7 to 4.3",
        "1.4",
        three_steps,
        lambda of: of["further env"] / of["further empty"],
        lambda of: f"{_ms(of['further env'])} / {_ms(of['further empty'])}",
    ),
    Row(
        "process",
        "the whole process of one workflow test, against that of one empty test",
        "1.8",
        "",
        three_steps,
        lambda of: of["one workflow"] / of["one empty"],
        lambda of: f"{of['one workflow']:.2f} s / {of['one empty']:.2f} s",
    ),
    Row(
        "long",
        "5,000 such tests, the last hundred against the first hundred",
        "0.99",
        "1.0",
        long_session,
        lambda of: of["workflow last"] / of["workflow first"],
        lambda of: f"{_ms(of['workflow last'] / 100)} / {_ms(of['workflow first'] / 100)} a test",
    ),
    Row(
        "memory",
        "5,000 such tests, memory at the end against bare pytest",
        "1.2",
        "1.2",
        long_session,
        lambda of: of["workflow memory"] / of["empty memory"],
        lambda of: f"{of['workflow memory']:.0f} MB / {of['empty memory']:.0f} MB",
    ),
]
