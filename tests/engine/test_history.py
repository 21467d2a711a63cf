"""The vocabulary of history: its kinds, the sets that they are in, and which status may follow which."""

import ast
import asyncio
import itertools
import pathlib
import re

import pytest

import durable_engine
from durable_engine import Engine, StepKey, history
from durable_engine.api.subscription import TYPES
from durable_engine.errors import InternalError
from durable_engine.rows import InstanceRow, StepRow

ROOT = pathlib.Path(__file__).parents[2]

# -- kinds -------------------------------------------------------------------------------------------------------------


def test_each_kind_has_a_constant_of_its_name():
    constants = {
        name: value for name, value in vars(history).items() if re.match("(WORKFLOW|STEP|ATTEMPT|SLEEP|WAIT)_", name)
    }
    words = {name: value for name, value in constants.items() if isinstance(value, str)}

    assert words == {kind: kind for kind in history.HISTORY_KINDS}


def test_each_kind_of_a_step_is_a_start_an_end_or_of_an_attempt():
    groups = [history.STEP_STARTS, history.STEP_ENDS, history.ATTEMPT_KINDS]

    assert sorted(itertools.chain(*groups)) == sorted(history.STEP_KINDS)
    assert set(history.STEP_KINDS) == set(history.StepEventKind.__args__)
    assert set(history.STEP_KINDS.values()) == set(history.StepKind.__args__)


def test_each_kind_of_an_instance_is_a_beginning_a_change_or_an_end():
    groups = [history.INSTANCE_BEGINNINGS, history.INSTANCE_CHANGES.values(), history.INSTANCE_ENDS.values()]

    assert sorted(itertools.chain(*groups)) == sorted(history.InstanceEventKind.__args__)


def test_a_subscription_knows_what_the_platform_calls_each_kind():
    assert set(TYPES) == set(history.HISTORY_KINDS)


def test_the_reference_lists_each_kind_once():
    page = (ROOT / "docs/reference/introspection.md").read_text()
    listed = re.findall(r"^\| `([A-Z_]+)` \|", page, re.MULTILINE)

    assert sorted(listed) == sorted(history.HISTORY_KINDS)


# -- statuses ----------------------------------------------------------------------------------------------------------


def test_each_status_is_in_the_tables():
    assert set(history.NEXT_STATUSES) == set(history.STATUSES) - {"waiting", "unknown"}
    assert set(history.NEXT_STATUSES) == {*history.INSTANCE_CHANGES, *history.FINAL_STATUSES, "queued"}
    assert set(history.INSTANCE_ENDS) == history.FINAL_STATUSES
    assert set(history.NEXT_STEP_STATUSES) == {"new", *history.StepStatus.__args__}


def test_a_status_is_written_in_one_place_a_table():
    files = pathlib.Path(durable_engine.__file__).parent.rglob("*.py")
    nodes = [(file.name, node) for file in files for node in ast.walk(ast.parse(file.read_text()))]
    written = [
        name
        for name, node in nodes
        if isinstance(node, ast.Attribute) and node.attr == "status" and isinstance(node.ctx, ast.Store)
    ]

    assert written == ["rows.py", "rows.py"]


def instance_row(status):
    return InstanceRow(1, "W", "x", 0, b"", status)


def step_row(status):
    return StepRow(StepKey("do", "s", 1), 1, 0, status)


@pytest.mark.parametrize(
    ("make", "table"), [(instance_row, history.NEXT_STATUSES), (step_row, history.NEXT_STEP_STATUSES)]
)
def test_a_status_is_followed_by_what_the_table_has_and_by_nothing_else(make, table):
    for before, after in itertools.product(table, repeat=2):
        row = make(before)
        if after in table[before]:
            row.change_status(after)
            assert row.status == after
        else:
            with pytest.raises(InternalError, match=f"was to go from '{before}' to '{after}', which none does"):
                row.change_status(after)
            assert row.status == before


async def test_a_status_that_cannot_follow_ends_the_wait_of_the_test():
    async def workflow(event, step):
        await step.sleep("nap", "1 hour")

    async with Engine(timeout=2) as engine:
        await engine.bind("W", workflow).create({"id": "x"})
        await engine.settle()
        waiting = asyncio.create_task(engine.wait(lambda: False, str, about=("W", "x")))
        await asyncio.sleep(0)
        with pytest.raises(InternalError):
            engine.instances[0].change_status("paused")

        with pytest.raises(InternalError, match=r"The instance 'x' of 'W' was to go from 'running' to 'paused'"):
            await waiting


class Lab:
    """An instance that does what a test says, beside one that holds its workflow's only slot until it is to go."""

    def __init__(self, engine):
        self.engine = engine
        self.held = asyncio.Event()
        self.leaves = asyncio.Event()
        self.binding = engine.bind("W", self.workflow, concurrency=1)

    async def workflow(self, event, step):
        task = asyncio.create_task(step.do("held")(self.held.wait)())
        match event.payload.end:
            case "complete":
                await step.sleep("nap", "1 hour")
            case "errored":
                await step.sleep("nap", "1 hour")
                raise ValueError("no")
            case "first complete":
                await self.leaves.wait()
            case "first errored":
                await self.leaves.wait()
                raise ValueError("no")
            case "held":
                await task
        task.cancel()

    async def start(self, end="held"):
        handle = await self.binding.create({"params": {"end": end}})
        await self.engine.settle()
        return handle

    async def queue(self):
        await self.start()
        return await self.start()

    async def ended(self, end="complete"):
        handle = await self.start(end)
        self.held.set()
        await self.engine.advance("2 hours")
        return handle

    async def paused(self):
        handle = await self.start()
        await handle.pause()
        self.held.set()
        await self.engine.settle()
        return handle

    async def pausing(self, end="held"):
        handle = await self.binding.create({"params": {"end": end}})
        await self.engine.settle(most=2)
        await handle.pause()
        return handle


async def complete_while_pausing(lab, end="first complete"):
    await lab.pausing(end)
    lab.leaves.set()
    await lab.engine.settle()


WAYS = {
    ("queued", "running"): lambda lab: lab.start(),
    ("queued", "waitingForPause"): lambda lab: then(lab.queue(), "pause"),
    ("queued", "terminated"): lambda lab: then(lab.queue(), "terminate"),
    ("queued", "queued"): lambda lab: then(lab.queue(), "restart"),
    ("running", "complete"): lambda lab: lab.ended(),
    ("running", "errored"): lambda lab: lab.ended("errored"),
    ("running", "waitingForPause"): lambda lab: lab.pausing(),
    ("running", "terminated"): lambda lab: then(lab.start(), "terminate"),
    ("running", "queued"): lambda lab: then(lab.start(), "restart"),
    ("waitingForPause", "paused"): lambda lab: lab.paused(),
    ("waitingForPause", "running"): lambda lab: then(lab.pausing(), "resume"),
    ("waitingForPause", "complete"): complete_while_pausing,
    ("waitingForPause", "errored"): lambda lab: complete_while_pausing(lab, "first errored"),
    ("waitingForPause", "waitingForPause"): lambda lab: crash(lab, lab.pausing()),
    ("waitingForPause", "terminated"): lambda lab: then(lab.pausing(), "terminate"),
    ("waitingForPause", "queued"): lambda lab: then(lab.pausing(), "restart"),
    ("paused", "terminated"): lambda lab: then(lab.paused(), "terminate"),
    ("paused", "queued"): lambda lab: then(lab.paused(), "resume"),
    ("complete", "queued"): lambda lab: then(lab.ended(), "restart"),
    ("errored", "queued"): lambda lab: then(lab.ended("errored"), "restart"),
    ("terminated", "queued"): lambda lab: restart_terminated(lab),
}


async def then(made, call):
    handle = await made
    await getattr(handle, call)()


async def crash(lab, made):
    lab.engine.crash(lab.binding.workflow, (await made).id)


async def restart_terminated(lab):
    handle = await lab.start()
    await handle.terminate()
    await handle.restart()


@pytest.mark.parametrize(
    ("before", "after"),
    [(before, after) for before, others in history.NEXT_STATUSES.items() for after in sorted(others)],
)
async def test_each_way_of_the_table_is_gone(before, after, monkeypatch):
    ways = []
    change = InstanceRow.change_status

    def change_status(row, status):
        ways.append((row.status, status))
        change(row, status)

    monkeypatch.setattr(InstanceRow, "change_status", change_status)
    async with Engine(timeout=2) as engine:
        await WAYS[before, after](Lab(engine))

    assert (before, after) in ways
