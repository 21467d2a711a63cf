"""The registry of an engine's open introspectors, and of modifications that nothing has used."""

from __future__ import annotations

import difflib
import itertools
from collections.abc import Callable, Iterable
from typing import Protocol

from durable_engine import (
    Engine,
    Instance,
    IntrospectionError,
    Modification,
    StepRecord,
    UnusedModificationError,
    Workflow,
)
from pytest_workflows.timeline.run import Run, keep_run

MOST_RUNS = 20
"""The most runs in a test's report."""


class OpenIntrospector(Protocol):
    """An introspector that a test has open."""

    def keep_left(self, leaving: Leaving | None = None) -> None:
        """Keep what it is asked after the engine is gone.

        Args:
            leaving: Gives the runs, where somebody else keeps those, too.
        """

    def note_unused(self) -> None:
        """Note the modifications that nothing has used."""


class OpenInstanceIntrospector(OpenIntrospector, Protocol):
    """An introspector of one instance."""

    @property
    def id(self) -> str:
        """The instance's id."""


class Leaving:
    """The runs of instances that are about to go: each is read once, for all that keep something of it.

    Args:
        engine: Their engine.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._runs: dict[int, Run] = {}

    def run_of(self, instance: Instance) -> Run:
        """The run of an instance as it stands."""
        key = instance.row.key
        run = self._runs.get(key)
        if run is None:
            run = self._runs[key] = keep_run(self._engine, instance)
        return run


class Registry:
    """The open introspectors of one engine.

    Attributes:
        strict: Whether a modification that nothing used is an error.
        replays: Whether instances are replayed from their storage when they have ended.
        unused: Errors found by a plain `dispose()`, for the end of the test.
        gone: The runs of instances that were disposed of, for the test's report.
        instances: The open introspectors of one instance each, by workflow and id.
        workflows: The open introspectors of all new instances, by workflow.
    """

    def __init__(self) -> None:
        self.strict = True
        self.replays = False
        self.unused: list[UnusedModificationError] = []
        self.gone: list[Run] = []
        self._on_leave: Callable[[Workflow, Iterable[str], Leaving], None] | None = None
        self._most_runs: int | None = MOST_RUNS
        self.instances: dict[tuple[str, str], OpenInstanceIntrospector] = {}
        self.workflows: dict[str, OpenIntrospector] = {}

    def configure(self, *, strict: bool, replays: bool) -> None:
        """Set what the settings of the test say.

        Args:
            strict: Whether a modification that nothing used is an error.
            replays: Whether instances are replayed from their storage when they have ended.
        """
        self.strict, self.replays = strict, replays

    def stop_replays(self) -> None:
        """The test's call is over: an introspector that a fixture closes comes too late for a replay."""
        self.replays = False

    def keep_all_runs(self) -> None:
        """Keep the runs of all instances that are disposed of, and not the first ones alone."""
        self._most_runs = None

    def on_leave(self, notify: Callable[[Workflow, Iterable[str], Leaving], None]) -> None:
        """Notify somebody of instances that are about to be disposed of."""
        self._on_leave = notify

    def open_instance(self, introspector: OpenInstanceIntrospector, workflow: str) -> None:
        """Note that an instance is introspected.

        Raises:
            IntrospectionError: If it is already.
        """
        key = (workflow, introspector.id)
        if key in self.instances:
            raise IntrospectionError(
                f"Instance {introspector.id!r} of {workflow!r} already has an open introspector. Use that one, or "
                "dispose of it first."
            )
        self.instances[key] = introspector

    def open_workflow(self, introspector: OpenIntrospector, workflow: str) -> None:
        """Note that a workflow is introspected.

        Raises:
            IntrospectionError: If it is already.
        """
        if workflow in self.workflows:
            raise IntrospectionError(
                f"Workflow {workflow!r} already has an open introspector. Use that one, or dispose of it first."
            )
        self.workflows[workflow] = introspector

    def close_instance(self, introspector: OpenInstanceIntrospector, workflow: str) -> None:
        """Note that an instance is introspected no more by this introspector."""
        key = (workflow, introspector.id)
        if self.instances.get(key) is introspector:
            del self.instances[key]

    def close_workflow(self, workflow: str) -> None:
        """Note that a workflow is introspected no more."""
        self.workflows.pop(workflow, None)

    def add_unused(self, error: UnusedModificationError) -> None:
        """Keep the error for modifications that nothing used until the end of the test."""
        self.unused.append(error)

    def keep_runs(self, engine: Engine, workflow: Workflow, ids: Iterable[str]) -> Leaving:
        """Keep the runs of instances that are about to go, for the test's report; of very many, the first ones."""
        leaving = Leaving(engine)
        if self._on_leave is not None:
            self._on_leave(workflow, list(ids), leaving)
        most = None if self._most_runs is None else max(0, self._most_runs - len(self.gone))
        for id in itertools.islice(ids, most):
            instance = engine.find(workflow, id)
            if instance is not None:
                self.gone.append(leaving.run_of(instance))
        return leaving

    def keep_left(self) -> None:
        """Let open introspectors keep their records: the engine is about to be closed."""
        for introspector in [*self.instances.values(), *self.workflows.values()]:
            introspector.keep_left()

    def check_used(self) -> None:
        """Check, at the end of a test that passed, that every modification was used.

        Raises:
            UnusedModificationError: If one was not.
        """
        __tracebackhide__ = True
        if not self.strict:
            return
        for introspector in [*self.instances.values(), *self.workflows.values()]:
            introspector.note_unused()
        if self.unused:
            raise self.unused[0]


def registry_of(engine: Engine) -> Registry:
    """The registry of an engine."""
    registry: Registry | None = engine.attached.get(Registry)
    if registry is None:
        registry = engine.attached[Registry] = Registry()
    return registry


def runs_of(engine: Engine) -> list[Run]:
    """The runs of an engine's instances: those of the instances that were disposed of, and then those that are left."""
    return [*registry_of(engine).gone, *(keep_run(engine, instance) for instance in engine.instances)]


def unused_error(
    modifications: Iterable[Modification], of: str, steps_that_ran: Callable[[], list[StepRecord]]
) -> UnusedModificationError | None:
    """The error for modifications that nothing used, or None if all were.

    Args:
        modifications: The modifications of the test.
        of: The workflow or instance, for the message.
        steps_that_ran: Gives the steps that did run; asked only if they are needed.
    """
    unused = [one for one in modifications if one.required and not one.used]
    if not unused:
        return None
    ran = steps_that_ran()
    lines = [f"Nothing used {len(unused)} modification(s) of {of}:"]
    for one in unused:
        close = closest(one.selector.name, ran) if one.selector else None
        lines.append(f"  {one.call}{f'  (did you mean {close!r}?)' if close else ''}")
    lines.append(list_steps(ran))
    lines.append('Remove them, correct them, or relax this with @pytest.mark.workflow(unused_mocks="ignore").')
    return UnusedModificationError("\n".join(lines))


def list_steps(steps: Iterable[StepRecord]) -> str:
    """The steps that ran, for an error's message."""
    ran = [f"{step.kind} {step.key.label!r}" for step in steps]
    from pytest_workflows.timeline.step_table import joined

    return f"Steps that ran: {joined(ran)}." if ran else "No step ran."


def closest(name: str, steps: Iterable[StepRecord]) -> str | None:
    """The name among the steps that ran which is closest to `name`, or None."""
    names = sorted({step.name for step in steps} - {name})
    matches = difflib.get_close_matches(name, names, n=1, cutoff=0.5)
    return matches[0] if matches else None
