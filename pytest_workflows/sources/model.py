"""The records of a workflow's source."""

from __future__ import annotations

import msgspec

from durable_engine import StepKind

from .names import StepName

START = -1
"""The mark in `SourceStep.after` of a step that nothing comes before."""


class SourceStep(msgspec.Struct, frozen=True):
    """A place in the source that makes a step.

    Attributes:
        kind: `"do"`, `"sleep"` or `"wait_for_event"`.
        name: Its name.
        file: Where it is written.
        line: In that file.
        function: The name of its callback in the source, or None.
        depends: Indices of the steps whose results its callback takes.
        after: Indices of the steps that may come right before it, `START` where that is none; empty where the source
            does not show when it runs.
    """

    kind: StepKind
    name: StepName
    file: str
    line: int
    function: str | None = None
    depends: tuple[int, ...] = ()
    after: tuple[int, ...] = ()


class SourceWorkflow(msgspec.Struct, frozen=True):
    """The steps of a workflow's class.

    Attributes:
        class_name: The class.
        file: Where the class is.
        steps: Its steps, in the order in which they are met on the way through `run`.
        ends: Indices of the steps after which `run` may return, `START` where it may return before any.
    """

    class_name: str
    file: str
    steps: tuple[SourceStep, ...]
    ends: tuple[int, ...] = ()

    def find(self, kind: str, name: str) -> int | None:
        """The index of the step in the source that a step of that kind and name comes from, or None."""
        fitting = [index for index, step in enumerate(self.steps) if step.kind == kind and step.name.matches(name)]
        exact = [index for index in fitting if self.steps[index].name.pattern is None]
        if exact:
            return exact[0]
        return max(fitting, key=lambda index: self.steps[index].name.known, default=None)
