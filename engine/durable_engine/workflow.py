"""A workflow that is bound to a name, and for how long its instances are kept."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

DEFAULT_STEP_LIMIT = 10_000

WorkflowFunction = Callable[[Any, Any], Any]
"""What a workflow runs, plain or async: it gets the event and the steps, both of which it may name as it likes."""


class Retention(NamedTuple):
    """For how many milliseconds an instance is kept after its end; None keeps it."""

    success: int | None = None
    error: int | None = None

    def or_else(self, default: Retention) -> Retention:
        """This, and what another one says where this says nothing."""
        return Retention(
            default.success if self.success is None else self.success,
            default.error if self.error is None else self.error,
        )


KEPT = Retention()


@dataclass(frozen=True, slots=True)
class Workflow:
    """A workflow that is bound to a name.

    Attributes:
        name: The binding's name, `ORDERS`.
        workflow_name: The workflow's own name, as events carry it.
        run: Called as `run(event, step)` for each life of an instance; plain or async.
        step_limit: How many `do` steps a life may ask for.
        implicit_dependencies: Whether a callback's parameters name its dependencies.
        preserves_non_retryable: Whether an attempt that a `NonRetryableError` ended shows that error.
        concurrency: How many instances run at a time; None for any number.
        retention: For how long an instance is kept that was created without saying so.
    """

    name: str
    workflow_name: str
    run: WorkflowFunction
    step_limit: int = DEFAULT_STEP_LIMIT
    implicit_dependencies: bool = True
    preserves_non_retryable: bool = True
    concurrency: int | None = None
    retention: Retention = KEPT
