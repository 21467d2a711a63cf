"""The section of a test's report with the runs of its instances."""

from __future__ import annotations

import traceback
from collections.abc import Sequence
from typing import TYPE_CHECKING

from .report_sections import add_section

if TYPE_CHECKING:
    import pytest

    from durable_engine import Engine, Finding
    from pytest_workflows.timeline.step_table import TextFormatter
    from pytest_workflows.timeline.styled_text import Line

    from .run_secrets import RunSecrets
    from .run_setup import RunSetup


class RunReport:
    """The section with the runs of a test's instances: written while its engine is open, and shown once.

    Args:
        setup: The test's run.
        secrets: What is kept out of it.
    """

    def __init__(self, setup: RunSetup, secrets: RunSecrets) -> None:
        self._setup = setup
        self._secrets = secrets
        self._lines: list[Line] = []
        self._is_shown = False
        self._shown_error = ""

    @property
    def is_written(self) -> bool:
        """Whether there is anything to show."""
        return bool(self._lines)

    @property
    def is_shown(self) -> bool:
        """Whether a report has the section."""
        return self._is_shown

    def clear(self) -> None:
        """Begin again: the test has another engine."""
        self._lines = []

    def write(self, engine: Engine, findings: Sequence[Finding], error: BaseException | None = None) -> None:
        """Write down the runs of an engine's instances, those that are gone included.

        Args:
            engine: The engine, which is open.
            findings: The broken rules that were found.
            error: What the test failed with; what its message says in full is not said again.
        """
        from pytest_workflows.timeline.step_table import TextFormatter
        from pytest_workflows.timeline.styled_text import Part

        if error is not None:
            self._shown_error = "".join(traceback.format_exception_only(error))
        formatter = TextFormatter(self._secrets.collect(), self._shown_error)
        parts = _run_lines(engine, formatter)
        forgotten = [str(call) for call in engine.calls.forgotten if not formatter.has_shown(str(call))]
        if forgotten:
            parts.append([[Part(formatter.word(call))] for call in forgotten])
        parts += [[[Part(note)]] for note in self._notes_of_python(engine)]
        if findings:
            found = [[Part(f"  {formatter.text(str(finding))}")] for finding in findings]
            parts.append([[Part("Broken rules:")], *found])
        self._lines = [line for part in parts for line in (*part, [])][:-1]

    def _notes_of_python(self, engine: Engine) -> list[str]:
        """Notes on instances that failed for something that only a newer Python may have."""
        from pytest_workflows.project.newer_python import note_of

        notes = (note_of(error, self._setup.project) for error in engine.exceptions.values())
        return list(dict.fromkeys(note for note in notes if note is not None))

    def show(self, report: pytest.TestReport) -> None:
        """Put the section into the report of one of the test's phases."""
        if self._lines:
            add_section(report, self._lines, self._setup.config)
            self._is_shown = True


def _run_lines(engine: Engine, formatter: TextFormatter) -> list[list[Line]]:
    from pytest_workflows.introspection.registry import MOST_RUNS, registry_of
    from pytest_workflows.timeline.run import keep_run
    from pytest_workflows.timeline.styled_text import Part
    from pytest_workflows.timeline.text import lines_of

    instances = engine.instances
    gone, left = registry_of(engine).gone[:MOST_RUNS], instances[:MOST_RUNS]
    parts = [lines_of(run, formatter) for run in [*gone, *(keep_run(engine, instance) for instance in left)]]
    if more := len(instances) - len(left):
        parts.append([[Part(f"... and {more} more instance(s).")]])
    return parts
