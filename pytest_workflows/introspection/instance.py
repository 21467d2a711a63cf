"""The introspector of one instance: how a test sees it, waits for it and steers it."""

from __future__ import annotations

from collections.abc import Coroutine, Iterable
from functools import partial
from typing import Any, Self

from durable_engine import (
    FINAL_STATUSES,
    Execution,
    HistoryEvent,
    InstanceNotFoundError,
    InstanceRow,
    JsDict,
    Modification,
    NeverHappensError,
    NotAvailableError,
    Selector,
    StepFailedError,
    StepKey,
    StepRecord,
    UnusedModificationError,
    WorkflowBinding,
    decode,
    error_of,
    hide_frames,
    history_of,
    shown_result,
    step_error,
    steps_of,
    suspend_if_stopped,
)

from .base import Introspector, awaited
from .last_state import LastState, LastStatus
from .modifying import ModifyFunction, Modifying
from .registry import Leaving, unused_error
from .waiting import check_status, describe_wait, unreachable_status

hide_frames(__file__)


class InstanceIntrospector(Introspector):
    """An introspector of one instance. Made by `introspect_workflow_instance`, or by a workflow introspector."""

    def __init__(self, binding: WorkflowBinding, instance_id: str, *, covered: bool = False) -> None:
        super().__init__(binding)
        self._id = instance_id
        self._left: LastState | None = None
        if covered:
            self._state = "open"

    def __repr__(self) -> str:
        return f"<introspector of instance {self._id!r} of {self._workflow.name!r}>"

    @property
    def id(self) -> str:
        """The instance's id."""
        return self._id

    # -- steering ----------------------------------------------------------------------------------------------------

    def modify(self, function: ModifyFunction | None = None) -> Modifying[Self]:
        """Change how the instance runs: `async with instance.modify() as m:`, or `await instance.modify(fn)`.

        Args:
            function: Called with the modifier; plain or async.

        Returns:
            Serves both forms; the awaited one gives this introspector.
        """
        self._check_open()
        return Modifying(self, self._engine, function, self._modifications, self._apply, "instance.modify")

    def _apply(self, modifications: list[Modification]) -> None:
        self._check_open()
        self._engine.modify(self._workflow, self._id, modifications)
        self._modifications += modifications

    @awaited
    async def crash(self) -> None:
        """Let the engine lose the instance's memory now and recover it from storage.

        Raises:
            InstanceNotFoundError: If there is no such instance.
        """
        __tracebackhide__ = True
        self._check_open()
        self._require()
        self._engine.crash(self._workflow, self._id)
        await suspend_if_stopped()  # code of the instance itself, such as a fake that it called, goes no further

    # -- waiting -----------------------------------------------------------------------------------------------------

    @awaited
    async def wait_for_step_result(self, step: object, *, timeout: float | None = None) -> Any:
        """Wait for a step's result, as `run` sees it.

        Args:
            step: Selects the step: its name, `("name", 2)` or `{"name": "name", "index": 2}`.
            timeout: Real seconds; ini `workflows_timeout` by default.

        Raises:
            StepFailedError: If the step has failed for good.
            WaitTimeoutError: If it cannot come any more, or has not come in time.
        """
        __tracebackhide__ = True
        self._check_open()
        selector = Selector.parse(step)
        key = StepKey("do", selector.name, selector.index)
        await self._engine.wait(
            partial(self._has_result, key),
            lambda: self._describe(f"step {selector}", selector.name),
            timeout=timeout,
            about=(self._workflow.name, self._id),
            step=True,
        )
        row = self._engine.store.step(self._require().row.key, key)
        assert row is not None
        return shown_result(row)

    def _has_result(self, key: StepKey) -> bool:
        __tracebackhide__ = True
        instance = self._engine.find(self._workflow, self._id)
        if instance is None:
            return False
        row = instance.find_step(key)
        if row is not None and row.status == "complete":
            return True
        if row is not None and row.status == "errored":
            error = step_error(row) or {}
            raise StepFailedError(key.label, error["name"], error["message"])
        if instance.finished:
            raise NeverHappensError(
                f"{self._describe(f'step {key.label!r}', key.name)}\nThe instance has ended, so it will never happen."
            )
        return False

    @awaited
    async def wait_for_status(self, status: str, *, timeout: float | None = None) -> None:
        """Wait until the instance has that status; `running` is satisfied by `waiting` as well.

        Args:
            status: One of the platform's statuses.
            timeout: Real seconds; ini `workflows_timeout` by default.

        Raises:
            UnreachableStatusError: As soon as the instance ends in another final status.
            WaitTimeoutError: If it cannot come any more, or has not come in time.
            InvalidArgumentError: If there is no such status.
        """
        __tracebackhide__ = True
        self._check_open()
        check_status(status)
        await self._engine.wait(
            partial(self._has_status, status),
            lambda: self._describe(f"status {status!r}"),
            timeout=timeout,
            about=(self._workflow.name, self._id),
        )

    def _has_status(self, wanted: str) -> bool:
        __tracebackhide__ = True
        instance = self._engine.find(self._workflow, self._id)
        if instance is None:
            return False
        status = instance.status
        if status == wanted or (wanted == "running" and status == "waiting"):
            return True
        if status in FINAL_STATUSES:
            raise unreachable_status(status, instance.row, self.steps, wanted)
        return False

    # -- inspection --------------------------------------------------------------------------------------------------

    @awaited
    async def get_output(self) -> Any:
        """The value that `run` returned.

        Raises:
            NotAvailableError: If the instance is not complete.
        """
        __tracebackhide__ = True
        row = self._in_status("complete", "Cannot retrieve output", "an output available")
        assert row.output is not None
        return decode(row.output)

    @awaited
    async def get_error(self) -> dict[str, str]:
        """The error that the instance ended with: `{"name": ..., "message": ...}`.

        Raises:
            NotAvailableError: If the instance is not errored.
        """
        __tracebackhide__ = True
        error = error_of(self._in_status("errored", "Cannot retrieve error", "error information available"))
        assert error is not None
        return error

    def _in_status(self, wanted: str, what: str, why: str) -> InstanceRow:
        __tracebackhide__ = True
        status, row = self._now()
        if status != wanted:
            raise NotAvailableError(
                f'{what}: Workflow instance is in status "{status}" but must be "{wanted}" to have {why}'
            )
        return row

    def _now(self) -> tuple[str, InstanceRow]:
        __tracebackhide__ = True
        if self._left is not None:
            run = self._left.require(self)
            return run.status, run.row
        self._check_open()
        instance = self._require()
        return instance.status, instance.row

    def status(self) -> Coroutine[Any, Any, JsDict]:
        """The answer of the handle's `status()`.

        Of an instance that is gone it is there at once, without `await` as well: a debugger's prompt cannot wait.

        Raises:
            InstanceNotFoundError: If there is no such instance.
        """
        __tracebackhide__ = True
        if self._left is not None:
            self._left.require(self)
            return LastStatus(self._left.status)
        return self._calls.watch("instance.status()", self._status)

    async def _status(self) -> JsDict:
        __tracebackhide__ = True
        self._check_open()
        return self._engine.lifecycle.status_of(self._require())

    @property
    def steps(self) -> list[StepRecord]:
        """The steps so far, in order of their start; empty before the instance exists."""
        if self._left is not None:
            return self._left.steps
        self._check_open()
        instance = self._engine.find(self._workflow, self._id)
        return [] if instance is None else steps_of(self._engine.store, instance.row)

    @property
    def history(self) -> list[HistoryEvent]:
        """The instance's history, in order; empty before it exists."""
        if self._left is not None:
            return self._left.history
        self._check_open()
        instance = self._engine.find(self._workflow, self._id)
        return [] if instance is None else history_of(self._engine.store, instance.row)

    @property
    def exception(self) -> BaseException | None:
        """The original exception that ended the instance, or None."""
        if self._left is not None:
            return self._left.exception
        self._check_open()
        instance = self._engine.find(self._workflow, self._id)
        return None if instance is None else self._exception_of(instance)

    def _exception_of(self, instance: Execution) -> BaseException | None:
        return self._engine.exceptions.get(instance.row.key)

    def keep_left(self, leaving: Leaving | None = None) -> None:
        """Keep the records of the instance that are seen after it is gone.

        Args:
            leaving: Gives its run, where somebody else keeps that, too.
        """
        instance = self._engine.find(self._workflow, self._id)
        if instance is None:
            self._left = LastState()
        else:
            run = (leaving or Leaving(self._engine)).run_of(instance)
            self._left = LastState(run, self._exception_of(instance))

    # -- helpers -----------------------------------------------------------------------------------------------------

    def _require(self) -> Execution:
        __tracebackhide__ = True
        self._engine.check_loop()
        instance = self._engine.find(self._workflow, self._id)
        if instance is None:
            raise InstanceNotFoundError(
                f"Instance {self._id!r} of {self._workflow.name!r} does not exist (yet). "
                f'Create it: await env.{self._workflow.name}.create({{"id": {self._id!r}}}).'
            )
        return instance

    def _describe(self, what: str, step_name: str | None = None) -> str:
        return describe_wait(self._engine, self._workflow, self._id, self.steps, what, step_name)

    def _open(self) -> None:
        self._registry.open_instance(self, self._workflow.name)

    def _dispose(self) -> None:
        if self._state == "open" and not self._engine.closed:
            self.keep_left(self._registry.keep_runs(self._engine, self._workflow, [self._id]))
            self._engine.discard(self._workflow, [self._id])
            self._registry.close_instance(self, self._workflow.name)
        self.mark_disposed()

    def mark_disposed(self) -> None:
        """Answer from what is kept from now on."""
        self._state = "disposed"

    @property
    def is_open(self) -> bool:
        """Whether it has been opened, and not been disposed of."""
        return self._state == "open"

    @property
    def _called(self) -> str:
        return f"introspect_workflow_instance(env.{self._workflow.name}, {self._id!r})"

    def _ids(self) -> Iterable[str]:
        return (self._id,)

    def _unused(self) -> UnusedModificationError | None:
        if self._engine.closed:
            return None
        return unused_error(
            self._modifications, f"instance {self._id!r} of {self._workflow.name!r}", lambda: self.steps
        )
