"""The plugin's own hooks, for other plugins and for conftest.py files."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from durable_engine import Instance, StepKey


@pytest.hookspec
def pytest_workflows_instance_created(instance: Instance) -> None:
    """An instance was created and is about to run.

    Args:
        instance: Its present life; `.id`, `.workflow.name` and `.status` tell of it.
    """


@pytest.hookspec
def pytest_workflows_instance_finished(instance: Instance) -> None:
    """An instance has reached a final status.

    Args:
        instance: Its last life.
    """


@pytest.hookspec
def pytest_workflows_step_started(instance: Instance, step: StepKey) -> None:
    """A step has started for the first time.

    Args:
        instance: Whose step it is.
        step: Its `kind`, `name` and `count`.
    """


@pytest.hookspec
def pytest_workflows_step_finished(instance: Instance, step: StepKey) -> None:
    """A step has its outcome; `instance.find_step(step)` holds it.

    Args:
        instance: Whose step it is.
        step: Its `kind`, `name` and `count`.
    """
