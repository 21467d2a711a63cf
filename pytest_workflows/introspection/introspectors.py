"""Introspectors: how a test sees and steers the instances of a workflow."""

from __future__ import annotations

import difflib
import functools
import inspect
import itertools
from collections.abc import Awaitable, Callable, Coroutine, Generator, Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial
from types import TracebackType
from typing import Any, Concatenate, Generic, NoReturn, ParamSpec, Self, TypeVar

from durable_engine import (
    FINAL_STATUSES,
    STATUSES,
    Execution,
    HistoryEvent,
    InstanceModifications,
    InstanceNotFoundError,
    InstanceRow,
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
    UnusedModificationError,
    Workflow,
    WorkflowBinding,
    as_coroutine_function,
    decode,
    engine_of,
    error_of,
    hide_frames,
    history_of,
    shown_result,
    step_error,
    steps_of,
    suspend_if_stopped,
)
from pytest_workflows.timeline.step_table import error_text, repeated, whole_message
from pytest_workflows.timeline.text import Run, keep_run, never_created, waits_for

from .modifier import Modifier
from .registry import Registry, closest, list_steps, registry_of, unused_error

hide_frames(__file__)

ModifyFunction = Callable[[Modifier], Awaitable[None] | None]
T = TypeVar("T", bound="_Introspector")
P = ParamSpec("P")
R = TypeVar("R")
_MOST_LEFT = 500
"""Of how many instances of one workflow something is kept when they are disposed of."""


def _awaited(
    method: Callable[Concatenate[Any, P], Coroutine[Any, Any, R]],
) -> Callable[Concatenate[Any, P], Coroutine[Any, Any, R]]:
    """A method that a test must await: where it does not, the test's end says so."""

    @functools.wraps(method)
    def call(self: _Introspector, /, *args: P.args, **kwargs: P.kwargs) -> Coroutine[Any, Any, R]:
        what = f"instance.{method.__name__}(...)"
        return self._engine.calls.watch(what, partial(method, self, *args, **kwargs))

    return as_coroutine_function(call)


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
        self._engine = engine_of(binding)
        self._state = "new"
        self._modifications: list[Modification] = []

    def __await__(self) -> Generator[Any, None, Self]:
        return self._opened().__await__()

    async def __aenter__(self) -> Self:
        return await self._opened()

    def __enter__(self) -> NoReturn:
        raise IntrospectionError(
            f"Write `async with` for {self!r}, as in `async with {self._called} as x:`, not `with`."
        )

    def __exit__(self, *error: object) -> None:
        """Never called."""

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

    @_awaited
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
                f"{self!r} was disposed of: its instances and their storage are gone, and nothing runs any more. Wait "
                "for them, and change them, before the `async with` block ends."
            )
        self._engine.check_open()

    def keep_left(self) -> None:
        """Keep what is to be seen of the instances after they are gone."""
        raise NotImplementedError

    @property
    def _called(self) -> str:
        raise NotImplementedError

    def _open(self) -> None:
        raise NotImplementedError

    def _dispose(self) -> None:
        raise NotImplementedError

    def _unused(self) -> UnusedModificationError | None:
        raise NotImplementedError

    def _ids(self) -> Iterable[str]:
        raise NotImplementedError


@dataclass(frozen=True, slots=True)
class _Left:
    """What is kept of an instance that is gone.

    Attributes:
        run: Its run; None where it never existed.
        status: What `status()` answered last.
        exception: The exception that ended it.
    """

    run: Run | None = None
    status: Mapping[str, Any] = field(default_factory=dict)
    exception: BaseException | None = None

    def require(self, introspector: InstanceIntrospector) -> Run:
        """The run.

        Raises:
            InstanceNotFoundError: If there was no such instance.
        """
        if self.run is None:
            raise InstanceNotFoundError(f"{introspector!r} was disposed of, and its instance never existed.")
        return self.run


class LeftStatus(JsDict, Coroutine[Any, Any, JsDict]):
    """The last status of an instance that is gone: a dict, and what gives that dict when it is awaited."""

    def __await__(self) -> Generator[Any, Any, JsDict]:
        yield from ()
        return JsDict(self)

    def send(self, value: Any) -> Any:
        """It is there at once."""
        raise StopIteration(JsDict(self))

    def throw(self, *error: Any) -> Any:
        """Nothing can be thrown into what is there already."""
        raise StopIteration(JsDict(self))

    def close(self) -> None:
        """Nothing is open."""


class InstanceIntrospector(_Introspector):
    """Sees and steers one instance. Made by `introspect_workflow_instance`, or by a workflow introspector."""

    def __init__(self, binding: WorkflowBinding, instance_id: str, *, covered: bool = False) -> None:
        super().__init__(binding)
        self._id = instance_id
        self._left: _Left | None = None
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
        return Modifying(self, function, self._modifications, self._apply, "instance.modify")

    def _apply(self, modifications: list[Modification]) -> None:
        self._check_open()
        self._engine.modify(self._workflow, self._id, modifications)
        self._modifications += modifications

    @_awaited
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

    @_awaited
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

    @_awaited
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
            lines.append(f"It ended with {error_text(error)}")
        question = repeated(self.steps)
        return "\n".join([*lines, *([question] if question else [])])

    # -- looking -----------------------------------------------------------------------------------------------------

    @_awaited
    async def get_output(self) -> Any:
        """The value that `run` returned.

        Raises:
            NotAvailableError: If the instance is not complete.
        """
        __tracebackhide__ = True
        row = self._in_status("complete", "Cannot retrieve output", "an output available")
        assert row.output is not None
        return decode(row.output)

    @_awaited
    async def get_error(self) -> dict[str, str]:
        """What the instance ended with: `{"name": ..., "message": ...}`.

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
        """The same as the handle's `status()`.

        Of an instance that is gone it is there at once, without `await` as well: a debugger's prompt cannot wait.

        Raises:
            InstanceNotFoundError: If there is no such instance.
        """
        __tracebackhide__ = True
        if self._left is not None:
            self._left.require(self)
            return LeftStatus(self._left.status)
        return self._engine.calls.watch("instance.status()", self._status)

    async def _status(self) -> JsDict:
        __tracebackhide__ = True
        self._check_open()
        self._require()
        return self._engine.lifecycle.status(self._workflow, self._id)

    @property
    def steps(self) -> list[StepRecord]:
        """The steps so far, in order of their start; empty before the instance exists."""
        if self._left is not None:
            return [] if self._left.run is None else self._left.run.step_records
        self._check_open()
        instance = self._engine.find(self._workflow, self._id)
        return [] if instance is None else steps_of(self._engine.store, instance.row)

    @property
    def history(self) -> list[HistoryEvent]:
        """The instance's history, in order; empty before it exists."""
        if self._left is not None:
            return [] if self._left.run is None else self._left.run.history_events
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
        return None if instance is None else self._engine.exceptions.get(instance.row.key)

    def keep_left(self) -> None:
        """Keep what is to be seen of the instance after it is gone."""
        instance = self._engine.find(self._workflow, self._id)
        if instance is None:
            self._left = _Left()
        else:
            exception = self._engine.exceptions.get(instance.row.key)
            status = self._engine.lifecycle.status_of(instance)
            self._left = _Left(keep_run(self._engine, instance), status, exception)

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
        lines = [f"Waiting for {what} of instance {self._id!r} of {self._workflow.name!r}.", *self._queued_behind()]
        steps = self.steps
        if step_name is not None:
            lines.append(list_steps(steps))
            close = closest(step_name, steps)
            if close is not None:
                lines.append(f"Did you mean {close!r}?")
            elif any(step.name == step_name and step.kind != "do" for step in steps):
                lines.append(f"{step_name!r} is a sleep or a wait for an event; only steps of `do` have a result.")
        instance = self._engine.find(self._workflow, self._id)
        if instance is None:
            lines.append(never_created(self._engine, self._workflow, self._id))
            lines += map(str, self._engine.calls.forgotten)
        elif instance.status in FINAL_STATUSES:
            error = error_of(instance.row)
            how = "" if error is None else f" with {error['name']}: {whole_message(error['message'])}"
            lines.append(f"It is {instance.status}{how}{'' if how else '.'}")
        else:
            lines.append(f"It is {instance.status} now: {waits_for(steps)}.")
        question = repeated(steps)
        return "\n".join([*lines, *([question] if question else [])])

    def _queued_behind(self) -> list[str]:
        """Why the instance does not start, where it is queued."""
        holders = self._engine.lifecycle.slot_holders(self._workflow, self._id)
        if not holders:
            return []
        listed = ", ".join(f"{holder.id!r} ({holder.status})" for holder in holders)
        return [
            f"It is queued: concurrency.limit lets {len(holders)} instance(s) of {self._workflow.name!r} run at a "
            f"time, and the slots are held by {listed}. Bring one of them to its end, or delete it."
        ]

    def _open(self) -> None:
        self._registry.open_instance(self, self._workflow.name)

    def _dispose(self) -> None:
        if self._state == "open":
            if not self._engine.closed:
                self._registry.keep_runs(self._engine, self._workflow, [self._id])
                self.keep_left()
            self._engine.discard(self._workflow, [self._id])
            if self._registry.instances.get((self._workflow.name, self._id)) is self:
                del self._registry.instances[self._workflow.name, self._id]
        self._state = "disposed"

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
        return Modifying(self, function, self._modifications, self._apply, "introspector.modify_all")

    def _apply(self, modifications: list[Modification]) -> None:
        self._check_open()
        self._modifications += modifications

    def get(self) -> Introspectors:
        """The introspectors of the instances so far, in order of creation; the same objects each time.

        Returns:
            A list. Awaiting it gives it too, as in tests that were written for the platform's own API.
        """
        if self._state != "disposed":
            self._check_open()
        return Introspectors(self._instances.values())

    def _created(self, workflow: Workflow, id: str, modifications: InstanceModifications) -> None:
        if workflow is self._workflow:
            for modification in self._modifications:
                modifications.add(modification, general=True)
            self._instances.pop(id, None)  # one that was deleted and is created again comes last
            self._instances[id] = InstanceIntrospector(self._binding, id, covered=True)

    def _open(self) -> None:
        self._registry.open_workflow(self, self._workflow.name)
        self._engine.lifecycle.on_create.append(self._created)

    def _dispose(self) -> None:
        if self._state == "open":
            self._engine.lifecycle.on_create.remove(self._created)
            self._registry.workflows.pop(self._workflow.name, None)
            if not self._engine.closed:
                self._registry.keep_runs(self._engine, self._workflow, self._instances)
                self.keep_left()
            self._engine.discard(self._workflow, self._instances)
            for instance in self._instances.values():
                instance._state = "disposed"
        self._state = "disposed"

    def keep_left(self) -> None:
        """Keep what is to be seen of the first instances after they are gone."""
        for instance in itertools.islice(self._open_instances(), _MOST_LEFT):
            instance.keep_left()

    @property
    def _called(self) -> str:
        return f"introspect_workflow(env.{self._workflow.name})"

    def _ids(self) -> Iterable[str]:
        return tuple(self._instances)

    def _unused(self) -> UnusedModificationError | None:
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
        called: str,
    ) -> None:
        self._called = called
        self._calls = introspector._engine.calls
        self._call = self._calls.note(f"{called}({'' if function is None else '...'})")
        self._introspector = introspector
        self._function = function
        self._apply = apply
        self._modifier = Modifier(existing)

    def __await__(self) -> Generator[Any, None, T]:
        return self._run().__await__()

    async def _run(self) -> T:
        self._calls.begun(self._call)
        if self._function is None:
            raise IntrospectionError(
                f"{self._called}() was awaited without a function. Write `async with {self._called}() as m:`, or "
                f"`await {self._called}(fn)`."
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

    def __enter__(self) -> NoReturn:
        self._calls.begun(self._call)
        raise IntrospectionError(f"Write `async with {self._called}() as m:`, not `with`.")

    def __exit__(self, *error: object) -> None:
        """Never called."""

    async def __aenter__(self) -> Modifier:
        self._calls.begun(self._call)
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
