"""The records of step coverage: counts for each step, and shares for each workflow."""

from __future__ import annotations

from typing import Literal

import msgspec

State = Literal["real", "mocked", "never"]


class KnownWorkflow(msgspec.Struct, frozen=True):
    """A workflow, whether a test ran it or not.

    Attributes:
        workflow: Its binding.
        class_name: Its class's qualified name, or None where that is not known.
        file: The file that the class is in, relative to rootdir where it lies in it.
    """

    workflow: str
    class_name: str | None
    file: str | None


class StepCoverage(msgspec.Struct):
    """The coverage of a step.

    Attributes:
        kind: `"do"`, `"sleep"` or `"wait_for_event"`.
        name: Its name, as the source writes it where it was found there.
        line: Where the source has it; None where it was not found there.
        file: That file, relative to rootdir.
        real: How many runs of it ran for real, at least in one attempt.
        mocked: How many were answered by mocks alone.
        failed: How many failed for good.
        timed_out: How many had an attempt that timed out; of waits, how many waited for an event that did not come.
        exhausted: How many failed in the last attempt that their retries allow.
        crashed: How often the engine died in it, or right after it.
        tests: How many tests reached it.
    """

    kind: str
    name: str
    line: int | None = None
    file: str | None = None
    real: int = 0
    mocked: int = 0
    failed: int = 0
    timed_out: int = 0
    exhausted: int = 0
    crashed: int = 0
    tests: int = 0

    @property
    def state(self) -> State:
        """Whether a test ran it for real, only with mocks, or never."""
        return "real" if self.real else "mocked" if self.mocked else "never"

    @property
    def runs(self) -> int:
        """The number of its runs, real or mocked."""
        return self.real + self.mocked


class WorkflowCoverage(msgspec.Struct):
    """The coverage of a workflow.

    Attributes:
        known: The workflow.
        instances: How many instances the tests made.
        found: Whether its source could be read; without it, only steps that ran are known.
        steps: Its steps, in the order in which the source has them; those that were not found there come last.
    """

    known: KnownWorkflow
    instances: int = 0
    found: bool = True
    steps: list[StepCoverage] = []

    @property
    def reached(self) -> int:
        """The number of its steps that a test reached, for real or mocked."""
        return sum(step.runs > 0 for step in self.steps)

    @property
    def percent(self) -> float:
        """The share of its steps that a test reached; a workflow without steps is covered by an instance."""
        return share(self.reached, len(self.steps)) if self.steps else 100.0 if self.instances else 0.0


class Coverage(msgspec.Struct):
    """What the tests did with all workflows.

    Attributes:
        workflows: Each workflow, with its steps.
    """

    workflows: list[WorkflowCoverage]

    @property
    def steps(self) -> int:
        """The number of steps."""
        return sum(len(workflow.steps) for workflow in self.workflows)

    @property
    def reached(self) -> int:
        """The number of steps that a test reached."""
        return sum(workflow.reached for workflow in self.workflows)

    @property
    def percent(self) -> float:
        """The share of all steps that a test reached."""
        return share(self.reached, self.steps)


def share(part: int, whole: int) -> float:
    """A share in percent, cut to one decimal place: 99.97 is not 100."""
    return 100.0 if not whole else int(part * 1000 / whole) / 10
