"""A producer of the configuration."""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import queue_wrapper  # noqa: F401  # enters its wrapper with the SDK's
from .queues import WorkerQueue, broker_of

if TYPE_CHECKING:
    from pytest_workflows.project.binding_config import BindingConfig

    from .host import Host


def make(config: BindingConfig, host: Host) -> WorkerQueue:
    """Make the stand-in of a binding.

    Args:
        config: The binding, of `queues.producers`.
        host: The test.

    Raises:
        WorkflowConfigError: If the queue's consumer cannot be right.
    """
    delay = config.settings.get("delivery_delay")
    return WorkerQueue(
        broker_of(host, config.settings["queue"]),
        host,
        delay if isinstance(delay, int | float) else 0,
    )
