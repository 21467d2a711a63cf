"""The consumers that the configuration declares, by the name of their queue."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pytest_workflows.errors import WorkflowConfigError

from .queue_store import DEFAULT_BATCH_SIZE, DEFAULT_BATCH_TIMEOUT, DEFAULT_RETRIES, Delivery

if TYPE_CHECKING:
    from pytest_workflows.project.wrangler import WranglerConfig


def consumer_of(config: WranglerConfig | None, queue: str) -> Delivery | None:
    """How a queue is delivered to this Worker; None where the configuration has no consumer of it that is a Worker.

    Args:
        config: The configuration.
        queue: The queue's name.

    Raises:
        WorkflowConfigError: If a setting of the consumer cannot be right.
    """
    if config is None:
        return None
    entries = [one for one in _entries(config) if one.get("queue") == queue]
    if not entries or entries[0].get("type", "worker") != "worker":
        return None
    where = f"{config.path}:{config.consumers.get(queue, 1)}"
    entry = entries[0]

    def number(name: str, default: float, least: float, most: float) -> float:
        value = entry.get(name, default)
        if isinstance(value, bool) or not isinstance(value, int | float) or not least <= value <= most:
            raise WorkflowConfigError(
                f"{where}: {name} of the consumer of {queue!r} is {value!r}; it is a number from {least:g} to {most:g}."
            )
        return value

    letters = entry.get("dead_letter_queue")
    if letters is not None and not isinstance(letters, str):
        raise WorkflowConfigError(
            f"{where}: dead_letter_queue of the consumer of {queue!r} is {letters!r}, not the name of a queue."
        )
    return Delivery(
        batch_size=int(number("max_batch_size", DEFAULT_BATCH_SIZE, 1, 100)),
        batch_timeout_ms=int(number("max_batch_timeout", DEFAULT_BATCH_TIMEOUT, 0, 60) * 1000),
        retries=int(number("max_retries", DEFAULT_RETRIES, 0, 100)),
        retry_delay=number("retry_delay", 0, 0, 43_200),
        dead_letters=letters,
    )


def _entries(config: WranglerConfig) -> list[dict[str, Any]]:
    queues = config.settings.get("queues")
    return (queues.get("consumers") or []) if isinstance(queues, dict) else []
