"""A workflow that is bound to a name, and for how long its instances are kept."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import msgspec

DEFAULT_STEP_LIMIT = 10_000

WorkflowFunction = Callable[[Any, Any], Any]
"""The function that a workflow runs, plain or async: it gets the event and the steps, under any names."""


class Retention(NamedTuple):
    """Retention: the milliseconds that an instance is kept after its end; None keeps it."""

    success: int | None = None
    error: int | None = None

    def or_else(self, default: Retention) -> Retention:
        """This retention, completed by another one where it says nothing."""
        return Retention(
            default.success if self.success is None else self.success,
            default.error if self.error is None else self.error,
        )

    def at_most(self, longest: int | None) -> Retention:
        """This retention, cut to so many milliseconds; None cuts nothing."""
        if longest is None:
            return self
        return Retention(*(None if kept is None else min(kept, longest) for kept in self))


KEPT = Retention()


class Workflow(msgspec.Struct, eq=False):
    """A workflow that is bound to a name. It stays the same one when another source of it is deployed.

    Attributes:
        name: The binding's name, `ORDERS`.
        workflow_name: The workflow's own name, as events carry it.
        run: Called as `run(event, step)` for each execution of an instance; plain or async.
        step_limit: How many `do` steps an execution may ask for.
        implicit_dependencies: Whether a callback's parameters name its dependencies.
        preserves_non_retryable: Whether an attempt that a `NonRetryableError` ended shows that error.
        concurrency: How many instances run at a time; None for any number.
        retention: For how long an instance is kept that was created without saying so.
        setup: Called in the context of each task that runs code of an instance, to set context variables; or None.
    """

    name: str
    workflow_name: str
    run: WorkflowFunction
    step_limit: int = DEFAULT_STEP_LIMIT
    implicit_dependencies: bool = True
    preserves_non_retryable: bool = True
    concurrency: int | None = None
    retention: Retention = KEPT
    setup: Callable[[], object] | None = None

    def become(self, other: Workflow) -> None:
        """Go on as another source has it: its instances are those of this one."""
        for name in self.__struct_fields__:
            setattr(self, name, getattr(other, name))
