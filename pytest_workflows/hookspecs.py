"""The plugin's own hooks, for other plugins and for conftest.py files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from durable_engine import Finding, Instance, StepKey

    from .timeline.run import Run


@pytest.hookspec
def pytest_workflows_instance_created(instance: Instance) -> None:
    """An instance was created and is about to run.

    Args:
        instance: Its present execution, with `.id`, `.workflow.name` and `.status`.
    """


@pytest.hookspec
def pytest_workflows_instance_finished(instance: Instance) -> None:
    """An instance has reached a final status.

    Args:
        instance: Its last execution.
    """


@pytest.hookspec
def pytest_workflows_step_started(instance: Instance, step: StepKey) -> None:
    """A step has started for the first time.

    Args:
        instance: The step's instance.
        step: Its `kind`, `name` and `count`.
    """


@pytest.hookspec
def pytest_workflows_step_finished(instance: Instance, step: StepKey) -> None:
    """A step has its outcome; `instance.find_step(step)` holds it.

    Args:
        instance: The step's instance.
        step: Its `kind`, `name` and `count`.
    """


@pytest.hookspec
def pytest_workflows_finding(finding: Finding) -> None:
    """A workflow breaks a rule of durable workflows; called when it is noticed, once a place and test.

    Args:
        finding: Its `rule`, `message`, `file`, `line`, `step` and `workflow`; `str(finding)` is the warning's text.
    """


@pytest.hookspec
def pytest_workflows_report(
    config: pytest.Config, runs: Mapping[str, Sequence[Run]], findings: Mapping[str, Sequence[Finding]]
) -> None:
    """All tests have run; called once, under xdist on the controller alone, with the runs of all of its workers.

    Nothing is kept for it where nobody implements it.

    Args:
        config: pytest's configuration.
        runs: The runs of each test's instances, by node id, in order of creation, disposed ones first.
        findings: The findings of each test, by node id.
    """
