"""Instances that fail, told on the terminal when they do."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from durable_engine import Observer, error_of
from pytest_workflows.recordings.error_lines import last_line

if TYPE_CHECKING:
    from durable_engine import Instance


class Failures(Observer):
    """Tells of each instance that fails.

    Args:
        notify: Called with a sentence.
    """

    def __init__(self, notify: Callable[[str], None]) -> None:
        self._notify = notify

    def instance_finished(self, instance: Instance) -> None:
        """An instance goes no further."""
        if instance.status == "errored":
            error = error_of(instance.row)
            said = "" if error is None else f": {last_line(str(error['message'])) or error['name']}"
            self._notify(f"{instance.workflow.name} {instance.id} errored{said}")
