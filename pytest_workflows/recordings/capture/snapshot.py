"""Snapshots: what is kept of an instance while a test runs, and what a recording is made from where one is wanted."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from durable_engine import SENSITIVE, Engine, Execution, Finding, Modification, decode

from .observer import Watched

if TYPE_CHECKING:
    from pytest_workflows.timeline.run import Run


class Snapshot(msgspec.Struct, frozen=True):
    """An instance as storage has it, taken before it goes; nothing is rendered yet.

    Attributes:
        workflow: The binding's name.
        workflow_name: The workflow's own name.
        step_limit: How many `do` steps an execution may ask for.
        implicit_dependencies: Whether a callback's parameters name its dependencies.
        stored: Its run, as storage has it.
        now: The virtual time.
        events: Events that nothing has taken.
        modifications: The modifications in force.
        exception: The exception that ended it.
        seen: The observations of it.
        real_now: Real seconds.
    """

    workflow: str
    workflow_name: str
    step_limit: int
    implicit_dependencies: bool
    stored: Run
    now: datetime
    events: list[Any]
    modifications: list[Modification]
    exception: BaseException | None
    seen: Watched
    real_now: float


class Origin(msgspec.Struct, frozen=True):
    """The data that the instances of one test have in common.

    Attributes:
        rootdir: pytest's rootdir, which paths are relative to.
        test: The test's node id.
        clock_start: Where its virtual clock started.
        seed: The seed of ids.
        schedule_seed: The seed of the interleaving, if there is one.
        limits: The platform's limits that the test changed.
        config: The wrangler configuration's file.
        bindings: Names of the bindings that the test gave.
        classes: The workflows' classes by binding.
        findings: Rules that were broken.
        file_of: Gives the file of a class.
    """

    rootdir: Path
    test: str
    clock_start: datetime
    seed: int | str
    schedule_seed: int | None
    limits: Mapping[str, int]
    config: Path | None
    bindings: list[str]
    classes: Mapping[str, type]
    findings: list[Finding]
    file_of: Callable[[type], str | None]


def snapshot(engine: Engine, instance: Execution, seen: Watched, run: Run) -> Snapshot:
    """Take a snapshot of an instance's storage.

    Args:
        engine: Its engine.
        instance: The instance.
        seen: The observations of it.
        run: Its run as it stands.
    """
    key, workflow = instance.row.key, instance.workflow
    return Snapshot(
        workflow=workflow.name,
        workflow_name=workflow.workflow_name,
        step_limit=workflow.step_limit,
        implicit_dependencies=workflow.implicit_dependencies,
        stored=run,
        now=engine.clock.now,
        events=engine.store.events(key),
        modifications=list(instance.modifications.all),
        exception=engine.exceptions.get(key),
        seen=seen,
        real_now=time.perf_counter(),
    )


def sensitive_outputs(run: Snapshot) -> list[Any]:
    """The outputs of an instance that are secret, tagged."""
    found = [row.result for row in run.stored.steps if row.flags & SENSITIVE and row.result is not None]
    if not found:
        return []
    from pytest_workflows.recordings.format.values import tag

    return [tag(decode(result)) for result in found]
