"""The laboratory: a workflow is written inside its test, bound through the plugin's fixtures, started and looked at."""

import asyncio
import json
import pathlib
import sys

import pytest
from workers import WorkflowEntrypoint

from pytest_workflows import introspect_workflow_instance

sys.path.insert(0, str(pathlib.Path(__file__).parent))

_SHOWN = ("attempt", "retryDelayMs", "durationMs", "event", "payload", "result")


class Run:
    """One instance: its handle, its introspector, and shortcuts."""

    def __init__(self, lab, handle, instance):
        self.lab = lab
        self.handle = handle
        self.instance = instance

    async def end(self):
        """Let everything happen that can, and tell the status."""
        await self.lab.engine.run_until_idle()
        return await self.handle.status()

    async def status(self):
        return (await self.handle.status())["status"]

    async def output(self):
        """Let everything happen that can, and tell what `run` returned."""
        await self.lab.engine.run_until_idle()
        return await self.instance.get_output()

    def log(self):
        """History as the platform's own log was recorded: errors, configurations and timestamps left out."""
        lines = []
        for event in self.instance.history:
            shown = {key: event.detail[key] for key in _SHOWN if event.detail.get(key) is not None}
            detail = json.dumps(shown, separators=(",", ":")) if shown else ""
            lines.append(" ".join(part for part in (event.kind, event.step, detail) if part))
        return lines

    def kinds(self, kind):
        return [event for event in self.instance.history if event.kind == kind]

    def step(self, name, count=1):
        return next(step for step in self.instance.steps if (step.name, step.count) == (name, count))


class Lab:
    """Starts workflows and moves their time."""

    def __init__(self, env, engine, clock, bodies):
        self.env = env
        self.engine = engine
        self.clock = clock
        self.binding = env.WORKFLOW
        self._bodies = bodies

    async def start(self, body, id="x", *, modify=None, legacy=False, **options):
        """Create an instance that runs `body(event, step)`."""
        binding = self.bind("LEGACY", body, implicit_dependencies=False) if legacy else self.binding
        if not legacy:
            self._bodies["WORKFLOW"] = body
        instance = await introspect_workflow_instance(binding, id)
        if modify is not None:
            await instance.modify(modify)
        return Run(self, await binding.create({"id": id, **options}), instance)

    def bind(self, name, body, **options):
        return self.engine.bind(name, body, **options)

    def other(self, body):
        """What the workflow bound as OTHER runs."""
        self._bodies["OTHER"] = body
        return self.env.OTHER

    async def settle(self):
        """Let everything run that can without time passing."""
        await self.clock.advance(0)

    @property
    def elapsed(self):
        """Virtual milliseconds since the start of the test."""
        return self.engine.clock.now_ms - self.engine.clock.started_ms


class Gate:
    """Where a callback stops until the test lets it through."""

    def __init__(self):
        self.reached = asyncio.Event()
        self.opened = asyncio.Event()
        self.entered = 0

    async def __call__(self):
        self.entered += 1
        self.reached.set()
        await self.opened.wait()

    def open(self):
        self.opened.set()


@pytest.fixture
def gate():
    return Gate


@pytest.fixture
def bodies():
    return {}


def _entrypoint(name, bodies):
    class Bound(WorkflowEntrypoint):
        async def run(self, event, step):
            return await bodies[name](event, step)

    return Bound


@pytest.fixture
def workflow_bindings(bodies):
    return {"WORKFLOW": _entrypoint("WORKFLOW", bodies), "OTHER": _entrypoint("OTHER", bodies)}


@pytest.fixture
def lab(workflow_env, workflow_engine, workflow_clock, bodies):
    return Lab(workflow_env, workflow_engine, workflow_clock, bodies)
