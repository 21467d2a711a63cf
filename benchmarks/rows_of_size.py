"""Rows of what is large: one instance of many steps, and many events with much in them."""

from __future__ import annotations

import json
import pathlib

from measuring import INI, Figures, Installed, Row

STEPS = 10_000
EVENTS, PAYLOAD = 500, 900_000
REPLAY = """
import asyncio, gc, json, time
import pytest
from workers import WorkflowEntrypoint

def resident():
    gc.collect()
    with open("/proc/self/status") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("VmRSS:")) / 1024

async def nothing():
    pass

class Long(WorkflowEntrypoint):
    async def run(self, event, step):
        for _ in range(event["payload"]):
            await step.do("s")(lambda: 1)()
        await step.wait_for_event("w", "t")

@pytest.fixture
def workflow_bindings():
    return {"LONG": Long}

@pytest.mark.workflow(timeout=600, replay=False)
async def test_replay(workflow_env, workflow_engine):
    await workflow_env.LONG.create({"id": "short", "params": 10})  # what all need is loaded
    await workflow_engine.advance(0)
    before, began = resident(), time.thread_time()
    handle = await workflow_env.LONG.create({"id": "x", "params": STEPS})
    await workflow_engine.advance(0)
    ran, after = time.thread_time() - began, resident()
    began = time.thread_time()
    workflow_engine.crash(workflow_env.LONG.workflow, "x")
    await workflow_engine.advance(0)
    replayed = time.thread_time() - began
    more = resident() - after
    began = time.thread_time()
    for _ in range(STEPS):
        await asyncio.create_task(nothing())
    turns = time.thread_time() - began
    with open("notes.json", "w") as file:
        json.dump({"run": ran, "replay": replayed, "turns": turns, "memory": after - before, "beyond": more}, file)
"""
LARGE = """
import pytest
from workers import WorkflowEntrypoint

class Large(WorkflowEntrypoint):
    async def run(self, event, step):
        size = 0
        for number in range(event["payload"]):
            received = await step.wait_for_event(f"event {number}", "t")
            size += len(received["payload"])
        return size

@pytest.fixture
def workflow_bindings():
    return {"LARGE": Large}

@pytest.mark.workflow(timeout=600)
async def test_events(workflow_env, workflow_engine):
    handle = await workflow_env.LARGE.create({"id": "x", "params": EVENTS})
    for number in range(EVENTS):
        await handle.send_event({"type": "t", "payload": chr(65 + number % 26) * PAYLOAD})
    await workflow_engine.run_until_idle()
    assert (await handle.status())["output"] == EVENTS * PAYLOAD
"""


def replay(installed: Installed, folder: pathlib.Path) -> Figures:
    (folder / "pytest.ini").write_text(INI)
    (folder / "test_replay.py").write_text(REPLAY.replace("STEPS", str(STEPS)))
    installed.pytest(folder)
    noted: dict[str, float] = json.loads((folder / "notes.json").read_text())
    return noted


def events(installed: Installed, folder: pathlib.Path) -> Figures:
    (folder / "pytest.ini").write_text(INI)
    peaks = {}
    for count in (1, EVENTS):
        source = LARGE.replace("EVENTS", str(count)).replace("PAYLOAD", str(PAYLOAD))
        (folder / "test_large.py").write_text(source)
        peaks[count] = installed.pytest(folder).peak
    return {"peak": peaks[EVENTS] - peaks[1], "payload": (EVENTS - 1) * PAYLOAD}


ROWS = [
    Row(
        "replay",
        "one instance of 10,000 steps: its replay after a crash, against 10,000 tasks of asyncio",
        "10.5",
        "5.2",
        replay,
        lambda of: of["replay"] / of["turns"],
        lambda of: f"{of['replay']:.2f} s / {of['turns']:.2f} s, the run before it {of['run']:.2f} s",
    ),
    Row(
        "steps",
        "one instance of 10,000 steps: its memory, in KB a step",
        "3.8",
        "1.9",
        replay,
        lambda of: of["memory"] * 1024 / STEPS,
        lambda of: f"{of['memory']:.1f} MB, {of['beyond']:.1f} MB more after the replay",
    ),
    Row(
        "events",
        "500 events of 900 KB: the peak of memory, in their payload",
        "6 to 10",
        "3",
        events,
        lambda of: of["peak"] / of["payload"],
        lambda of: f"{of['peak'] / 1e6:.0f} MB / {of['payload'] / 1e6:.0f} MB",
        rounds=1,
    ),
]
