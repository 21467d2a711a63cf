"""A bench on which a Worker's source runs under all rules, without a pytest of its own."""

import gc
import re
import sys
import textwrap
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from durable_engine import Finding
from pytest_workflows import active_test as current
from pytest_workflows import introspect_workflow_instance
from pytest_workflows.exploration.run_plan import RunPlan
from pytest_workflows.introspection.freeze import Freezer
from pytest_workflows.project.worker_project import Project
from pytest_workflows.session.rule_warnings import RuleWarnings
from pytest_workflows.session.run_setup import RunSetup
from pytest_workflows.session.settings import Settings
from pytest_workflows.session.testrun import TestRun

sys.path.insert(0, str(Path(__file__).parent))  # the services of these tests are imported by their module's name

MARK = "# <-- here"


class Bench:
    """Runs the one workflow of a source.

    Args:
        item: The test.
        folder: Where the project is written.
    """

    def __init__(self, item: pytest.Item, folder: Path) -> None:
        self._item = item
        self._folder = folder
        self._freezer = Freezer()
        self._project: Project | None = None
        self.running: TestRun | None = None

    async def findings(
        self,
        source: str,
        params: object = None,
        *,
        env: dict[str, Any] | None = None,
        act: Callable[[Any], Awaitable[Any]] | None = None,
        modify: Callable[[Any], Any] | None = None,
        settings: dict[str, Any] | None = None,
    ) -> list[Finding]:
        """What is found while an instance runs to its end, or as far as it comes.

        Args:
            source: src/entry.py, with one workflow; `from workers import WorkflowEntrypoint` stands before it.
            params: What the instance is created with.
            env: Other bindings.
            act: Called with the handle in place of running until nothing is left to do.
            modify: Makes modifications.
            settings: How the test runs, as the marker says it.
        """
        running = self._open(source, env or {}, Settings(**(settings or {})))
        if modify is not None:
            await (await introspect_workflow_instance(running.env.resolve("WORKFLOW"), "one")).modify(modify)
        handle = await running.env.resolve("WORKFLOW").create({"id": "one", "params": params})
        await (running.engine.run_until_idle() if act is None else act(handle))
        gc.collect()  # what was never awaited tells when it goes
        return self.take()

    @staticmethod
    def marked(source: str, rule: str) -> list[tuple[str, int]]:
        """The rule and the lines of a source that say `# <-- here`, counted as in the file that the bench writes."""
        lines = textwrap.dedent(source).splitlines()
        return [(rule, number) for number, line in enumerate(lines, start=2) if MARK in line]

    def take(self) -> list[Finding]:
        """What was found since the last time."""
        assert self.running is not None
        return self.running.engine.take_findings()

    def _open(self, source: str, env: dict[str, Any], settings: Settings) -> TestRun:
        text = "from workers import WorkflowEntrypoint\n" + textwrap.dedent(source)
        [name] = re.findall(r"^class (\w+)\(WorkflowEntrypoint\)", text, re.MULTILINE)
        (self._folder / "src").mkdir()
        (self._folder / "src" / "entry.py").write_text(text)
        config = self._folder / "wrangler.jsonc"
        config.write_text(
            '{"name": "it", "main": "src/entry.py", "compatibility_date": "2026-11-10",'
            f' "workflows": [{{"binding": "WORKFLOW", "name": "it", "class_name": "{name}"}}]}}'
        )
        self._project = Project(config)
        self._project.activate()
        setup = RunSetup(self._item, settings, self._project, RunPlan())
        self.running = TestRun(setup, self._freezer, RuleWarnings(), has_fixture=False, given={})
        self.running.override(env)
        current.set_resolver(self.running.env.resolve, self.running.env.names)
        return self.running

    def close(self) -> None:
        """Leave nothing behind."""
        if self.running is not None:
            self.running.stop()
            self.running.close()
            self.running.close_stopped()
        if self._project is not None:
            self._project.deactivate()
        self._freezer.stop()


@pytest.fixture
def bench(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Bench]:
    """A bench of this test. The session answers for `workers.env` again at the test's end."""
    bench = Bench(request.node, tmp_path)
    yield bench
    bench.close()
