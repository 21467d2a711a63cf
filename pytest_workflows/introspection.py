"""Introspectors: how a test sees and steers the instances of a workflow."""

from __future__ import annotations

import difflib
import inspect
from collections.abc import Awaitable, Callable, Generator, Iterable
from functools import partial
from types import TracebackType
from typing import Any, Generic, Self, TypeVar

from durable_engine import (
    FINAL_STATUSES,
    STATUSES,
    HistoryEvent,
    InstanceModifications,
    InstanceNotFoundError,
    IntrospectionError,
    InvalidArgumentError,
    JsDict,
    Modification,
    NeverHappensError,
    NotAvailableError,
    Selector,
    StepFailedError,
    StepKey,
    StepRecord,
    UnreachableStatusError,
    WorkflowBinding,
    decode,
    error_of,
    history_of,
    pass_door,
    shown_result,
    step_error,
    steps_of,
)

from .modifier import Modifier
from .registry import Registry, closest, list_steps, registry_of, unused_error
from .timeline import timeline

ModifyFunction = Callable[[Modifier], Awaitable[None] | None]
T = TypeVar("T", bound="_Introspector")


def introspect_workflow_instance(binding: WorkflowBinding, instance_id: str) -> InstanceIntrospector:
    """Introspect one instance, which need not exist yet.

    Args:
        binding: The workflow's binding, such as `workflow_env.ORDERS`.
        instance_id: The id that it was or will be created with.

    Returns:
        The introspector, for `async with ... as instance`, or `instance = await ...` and `await instance.dispose()`.

    Raises:
        InvalidArgumentError: If the first argument is no workflow binding, or the id is empty.

    Example:
        ```python
        async with introspect_workflow_instance(workflow_env.ORDERS, "order-1") as instance:
            await workflow_env.ORDERS.create({"id": "order-1"})
            await instance.wait_for_status("complete")
        ```
    """
    _check_binding(binding, "introspect_workflow_instance")
    if not isinstance(instance_id, str) or not instance_id:
        raise InvalidArgumentError(
            f"introspect_workflow_instance takes the instance's id, a text that is not empty, not {instance_id!r}. "
            "For ids that are made at run time use introspect_workflow."
        )
    return InstanceIntrospector(binding, instance_id)


def introspect_workflow(binding: WorkflowBinding) -> WorkflowIntrospector:
    """Introspect every instance that is created while the introspector is open, whoever creates it.

    Args:
        binding: The workflow's binding, such as `workflow_env.ORDERS`.

    Returns:
        The introspector, for `async with ... as introspector`, or `introspector = await ...` and
        `await introspector.dispose()`.

    Raises:
        InvalidArgumentError: If the argument is no workflow binding.
    """
    _check_binding(binding, "introspect_workflow")
    return WorkflowIntrospector(binding)


class _Introspector:
    """What both introspectors share: opening, leaving, disposing."""

    def __init__(self, binding: WorkflowBinding) -> None:
        self._binding = binding
        self._workflow = binding.workflow
        self._engine = binding.engine
        self._state = "new"
        self._modifications: list[Modification] = []

    def __await__(self) -> Generator[Any, None, Self]:
        return self._opened().__await__()

    async def __aenter__(self) -> Self:
        return await self._opened()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        __tracebackhide__ = True
        unused = None
        if error is None and self._state == "open":
            unused = self._unused()
            await self._replay()
        self._dispose()
        if unused is not None and self._registry.strict:
            raise unused

    async def dispose(self) -> None:
        """Stop the instances and drop all that is stored of them; disposing twice is fine.

        A modification that nothing used fails the test at its end, if it passed.
        """
        if self._state == "open":
            self.note_unused()
            await self._replay()
        self._dispose()

    async def _replay(self) -> None:
        """Before they are gone: replay the instances that have ended from their storage."""
        if self._engine.closed or not self._registry.replays:
            return
        for id in self._ids():
            instance = self._engine.find(self._workflow, id)
            if instance is not None and instance.finished:
                await self._engine.check_by_replay(instance)

    def note_unused(self) -> None:
        """Keep the error for modifications that nothing used until the end of the test."""
        unused = self._unused()
        if unused is not None:
            self._registry.unused.append(unused)

    @property
    def _registry(self) -> Registry:
        return registry_of(self._engine)

    async def _opened(self) -> Self:
        __tracebackhide__ = True
        if self._state != "new":
            raise IntrospectionError(f"{self!r} was opened before. Introspect anew: each introspector is used once.")
        self._engine.check_open()
        self._open()
        self._state = "open"
        return self

    def _check_open(self) -> None:
        __tracebackhide__ = True
        if self._state == "new":
            raise IntrospectionError(f"{self!r} is not open. Use `async with ... as x`, or `x = await ...`.")
        if self._state == "disposed":
            raise IntrospectionError(
                f"{self!r} was disposed of: its instances and their storage are gone. Look at them before the "
                "`async with` block ends."
            )
        self._engine.check_open()

    def _open(self) -> None:
        raise NotImplementedError

    def _dispose(self) -> None:
        raise NotImplementedError

    def _unused(self) -> Any:
        raise NotImplementedError

    def _ids(self) -> Iterable[str]:
        raise NotImplementedError


class InstanceIntrospector(_Introspector):
    """Sees and steers one instance. Made by `introspect_workflow_instance`, or by a workflow introspector."""

    def __init__(self, binding: WorkflowBinding, instance_id: str, *, covered: bool = False) -> None:
        super().__init__(binding)
        self._id = instance_id
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
        return Modifying(self, function, self._modifications, self._apply)

    def _apply(self, modifications: list[Modification]) -> None:
        self._check_open()
        self._engine.modify(self._workflow, self._id, modifications)
        self._modifications += modifications

    async def crash(self) -> None:
        """Let the engine lose the instance's memory now and recover it from storage.

        Raises:
            InstanceNotFoundError: If there is no such instance.
        """
        __tracebackhide__ = True
        self._check_open()
        self._require()
        self._engine.crash(self._workflow, self._id)
        await pass_door()  # code of the instance itself, such as a fake that it called, goes no further

    # -- waiting -----------------------------------------------------------------------------------------------------

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
        _check_status(status)
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
            raise UnreachableStatusError(self._unreachable(status, wanted))
        return False

    def _unreachable(self, status: str, wanted: str) -> str:
        lines = [
            f"The Workflow instance {self._id} has reached status {status!r}. This is a finite status that prevents it "
            f"from ever reaching the expected status of {wanted!r}."
        ]
        error = error_of(self._require().row)
        if error is not None:
            lines.append(f"It ended with {error['name']}: {error['message'].rstrip()}")
        return "\n".join([*lines, self._timeline()])

    # -- looking -----------------------------------------------------------------------------------------------------

    async def get_output(self) -> Any:
        """The value that `run` returned.

        Raises:
            NotAvailableError: If the instance is not complete.
        """
        __tracebackhide__ = True
        row = self._in_status("complete", "Cannot retrieve output", "an output available")
        assert row.output is not None
        return decode(row.output)

    async def get_error(self) -> dict[str, str]:
        """What the instance ended with: `{"name": ..., "message": ...}`.

        Raises:
            NotAvailableError: If the instance is not errored.
        """
        __tracebackhide__ = True
        error = error_of(self._in_status("errored", "Cannot retrieve error", "error information available"))
        assert error is not None
        return error

    def _in_status(self, wanted: str, what: str, why: str) -> Any:
        __tracebackhide__ = True
        self._check_open()
        instance = self._require()
        if instance.status != wanted:
            raise NotAvailableError(
                f'{what}: Workflow instance is in status "{instance.status}" but must be "{wanted}" to have {why}\n'
                f"{self._timeline()}"
            )
        return instance.row

    async def status(self) -> JsDict:
        """The same as the handle's `status()`."""
        __tracebackhide__ = True
        self._check_open()
        self._require()
        return self._engine.status(self._workflow, self._id)

    @property
    def steps(self) -> list[StepRecord]:
        """The steps so far, in order of their start; empty before the instance exists."""
        self._check_open()
        instance = self._engine.find(self._workflow, self._id)
        return [] if instance is None else steps_of(self._engine.store, instance.row)

    @property
    def history(self) -> list[HistoryEvent]:
        """The instance's history, in order; empty before it exists."""
        self._check_open()
        instance = self._engine.find(self._workflow, self._id)
        return [] if instance is None else history_of(self._engine.store, instance.row)

    @property
    def exception(self) -> BaseException | None:
        """The original exception that ended the instance, or None."""
        self._check_open()
        instance = self._engine.find(self._workflow, self._id)
        return None if instance is None else self._engine.exceptions.get(instance.row.key)

    # -- helpers -----------------------------------------------------------------------------------------------------

    def _require(self) -> Any:
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
        lines = [f"Waiting for {what} of instance {self._id!r} of {self._workflow.name!r}.", *self._queued_behind()]
        steps = self.steps
        if step_name is not None:
            lines.append(list_steps(steps))
            close = closest(step_name, steps)
            if close is not None:
                lines.append(f"Did you mean {close!r}?")
            elif any(step.name == step_name and step.kind != "do" for step in steps):
                lines.append(f"{step_name!r} is a sleep or a wait for an event; only steps of `do` have a result.")
        return "\n".join([*lines, self._timeline()])

    def _queued_behind(self) -> list[str]:
        """Why the instance does not start, where it is queued."""
        holders = self._engine.slot_holders(self._workflow, self._id)
        if not holders:
            return []
        listed = ", ".join(f"{holder.id!r} ({holder.status})" for holder in holders)
        return [
            f"It is queued: concurrency.limit lets {len(holders)} instance(s) of {self._workflow.name!r} run at a "
            f"time, and the slots are held by {listed}. Bring one of them to its end, or delete it."
        ]

    def _timeline(self) -> str:
        return timeline(self._engine, self._workflow, self._id)

    def _open(self) -> None:
        self._registry.open_instance(self, self._workflow.name)

    def _dispose(self) -> None:
        if self._state == "open":
            if not self._engine.closed:
                self._registry.keep_runs(self._engine, self._workflow, [self._id])
            self._engine.discard(self._workflow, [self._id])
            if self._registry.instances.get((self._workflow.name, self._id)) is self:
                del self._registry.instances[self._workflow.name, self._id]
        self._state = "disposed"

    def _ids(self) -> Iterable[str]:
        return (self._id,)

    def _unused(self) -> Any:
        if self._engine.closed:
            return None
        return unused_error(
            self._modifications, f"instance {self._id!r} of {self._workflow.name!r}", lambda: self.steps
        )


class Introspectors(list[InstanceIntrospector]):
    """A list that may be awaited: the platform's test API gives it asynchronously."""

    def __await__(self) -> Generator[Any, None, Self]:
        """Itself, at once."""

        async def itself() -> Self:
            return self

        return itself().__await__()


class WorkflowIntrospector(_Introspector):
    """Sees and steers every instance that is created while it is open. Made by `introspect_workflow`."""

    def __init__(self, binding: WorkflowBinding) -> None:
        super().__init__(binding)
        self._instances: dict[str, InstanceIntrospector] = {}

    def __repr__(self) -> str:
        return f"<introspector of workflow {self._workflow.name!r}>"

    def modify_all(self, function: ModifyFunction | None = None) -> Modifying[Self]:
        """Change how instances run that are created from now on; used as `modify` of an instance.

        Args:
            function: Called with the modifier; plain or async.
        """
        self._check_open()
        return Modifying(self, function, self._modifications, self._apply)

    def _apply(self, modifications: list[Modification]) -> None:
        self._check_open()
        self._modifications += modifications

    def get(self) -> Introspectors:
        """The introspectors of the instances so far, in order of creation; the same objects each time.

        Returns:
            A list. Awaiting it gives it too, as in tests that were written for the platform's own API.
        """
        self._check_open()
        return Introspectors(self._instances.values())

    def _created(self, binding: WorkflowBinding, id: str, modifications: InstanceModifications) -> None:
        if binding is self._binding:
            for modification in self._modifications:
                modifications.add(modification, general=True)
            self._instances.pop(id, None)  # one that was deleted and is created again comes last
            self._instances[id] = InstanceIntrospector(self._binding, id, covered=True)

    def _open(self) -> None:
        self._registry.open_workflow(self, self._workflow.name)
        self._engine.on_create.append(self._created)

    def _dispose(self) -> None:
        if self._state == "open":
            self._engine.on_create.remove(self._created)
            self._registry.workflows.pop(self._workflow.name, None)
            if not self._engine.closed:
                self._registry.keep_runs(self._engine, self._workflow, self._instances)
            self._engine.discard(self._workflow, self._instances)
            for instance in self._instances.values():
                instance._state = "disposed"
        self._state = "disposed"

    def _ids(self) -> Iterable[str]:
        return tuple(self._instances)

    def _unused(self) -> Any:
        if not self._instances or self._engine.closed:
            return None
        mine = list(self._modifications)
        for instance in self._open_instances():
            mine += instance._modifications
        return unused_error(mine, f"the instances of {self._workflow.name!r}", self._steps_that_ran)

    def _steps_that_ran(self) -> list[StepRecord]:
        return list({step.key: step for instance in self._open_instances() for step in instance.steps}.values())

    def _open_instances(self) -> list[InstanceIntrospector]:
        return [instance for instance in self._instances.values() if instance._state == "open"]


class Modifying(Generic[T]):
    """A `modify` under way: serves `async with ... as m`, and `await` where a function was given."""

    def __init__(
        self,
        introspector: T,
        function: ModifyFunction | None,
        existing: list[Modification],
        apply: Callable[[list[Modification]], None],
    ) -> None:
        self._introspector = introspector
        self._function = function
        self._apply = apply
        self._modifier = Modifier(existing)

    def __await__(self) -> Generator[Any, None, T]:
        return self._run().__await__()

    async def _run(self) -> T:
        if self._function is None:
            raise IntrospectionError(
                "modify() was awaited without a function. Write `async with instance.modify() as m:`, or "
                "`await instance.modify(fn)`."
            )
        if not callable(self._function):
            raise InvalidArgumentError(
                f"modify takes a function of the modifier, plain or async, not {self._function!r}."
            )
        outcome = self._function(self._modifier)
        if inspect.isawaitable(outcome):
            await outcome
        self._apply(self._modifier.close())
        return self._introspector

    async def __aenter__(self) -> Modifier:
        if self._function is not None:
            raise IntrospectionError("modify(fn) is awaited; `async with` takes modify() without a function.")
        return self._modifier

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        __tracebackhide__ = True
        modifications = self._modifier.close()
        if error is None:
            self._apply(modifications)


def _check_binding(binding: object, function: str) -> None:
    if not isinstance(binding, WorkflowBinding):
        raise InvalidArgumentError(
            f"{function} takes a workflow binding such as workflow_env.ORDERS, not {type(binding).__name__}: "
            f"{binding!r}. Bindings come from the wrangler configuration or the workflow_bindings fixture."
        )


def _check_status(status: object) -> None:
    __tracebackhide__ = True
    known = [name for name in STATUSES if name != "unknown"]
    if status not in known:
        close = difflib.get_close_matches(str(status), known, n=1)
        hint = f" Did you mean {close[0]!r}?" if close else ""
        raise InvalidArgumentError(f"{status!r} is no status of an instance.{hint} There are: {', '.join(known)}.")
