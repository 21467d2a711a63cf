"""Runs a workflow's source on an engine alone: as it is, in other orders, and with a crash at each of its points."""

import itertools
import random
import textwrap
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from durable_engine import Engine, FaultPoint, Finding
from pytest_workflows.introspection.freeze import Freezer
from pytest_workflows.workers import WorkflowEntrypoint

HEAD = "import asyncio\nimport datetime\nimport random\nimport time\nimport uuid\n"


class Service:
    """Stands for whatever a workflow calls; the second call answers another thing than the first one."""

    def __init__(self) -> None:
        self._answers = itertools.count(1)

    async def ask(self) -> int:
        return next(self._answers)


@dataclass
class Case:
    """A workflow.

    Attributes:
        source: Its class.
        events: What is sent to it a minute after its start, one a second.
        status: What it ends with.
    """

    source: str
    events: list[str] = field(default_factory=list)
    status: str = "complete"

    @property
    def marked(self) -> set[int]:
        """The lines that say `# <-- here`."""
        return {number for number, line in enumerate(self._text.splitlines(), start=1) if "# <-- here" in line}

    @property
    def _text(self) -> str:
        return HEAD + textwrap.dedent(self.source).strip("\n")

    def make(self) -> type[WorkflowEntrypoint]:
        """The class, its module's state new."""
        scope: dict[str, Any] = {"WorkflowEntrypoint": WorkflowEntrypoint}
        exec(compile(self._text, "entry.py", "exec"), scope)
        [found] = [one for one in scope.values() if isinstance(one, type) and one.__module__ == "builtins"]
        return found


async def run(
    case: Case, freezer: Freezer, *, point: FaultPoint | None = None, seed: int | None = None
) -> tuple[list[Finding], list[FaultPoint]]:
    """Run it to its end, with its replay.

    Returns:
        The findings, and the points that it came past.
    """
    workflow, service = case.make(), Service()
    random.seed(5)
    freezer.start(datetime(2026, 1, 1, tzinfo=UTC))
    others = ("missing-await",)  # a sleep that nobody awaits keeps the path, and is another rule's matter
    async with Engine(now="2026-01-01T00:00:00Z", schedule_seed=seed, ignore_rules=others) as engine:
        engine.clock.observers.append(freezer.move_to)
        engine.faults.recording = point is None
        if point is not None:
            engine.faults.arm(point)
        binding = engine.bind("WORKFLOW", lambda event, step: workflow(None, {"SERVICE": service}).run(event, step))
        handle = await binding.create({"id": "one", "params": {"ids": ["x", "y", "z"]}})
        for event in case.events:
            await engine.advance("1 minute")
            await handle.send_event({"type": event})
        await engine.run_until_idle()
        assert (await handle.status())["status"] == case.status, await handle.status()
        assert point is None or engine.faults.struck
        for instance in engine.instances:
            await engine.check_by_replay(instance)
        return engine.findings.take(), engine.faults.reached


async def explored(case: Case, freezer: Freezer, seeds: int = 4) -> list[str]:
    """What is found at any of its points, in any of some orders."""
    found: list[str] = []
    for seed in [None, *range(1, seeds + 1)]:
        findings, points = await run(case, freezer, seed=seed)
        found += [f"seed {seed}: {finding}" for finding in findings]
        for point in points:
            findings, _ = await run(case, freezer, seed=seed, point=point)
            found += [f"seed {seed}, {point.short}: {finding}" for finding in findings]
    return found
