"""Introspectors of what runs on a target: their waits look again and again, as long as a wait may take."""

from __future__ import annotations

from collections.abc import Callable, Generator
from types import TracebackType
from typing import Any, NoReturn, Self

from durable_engine import (
    FINAL_STATUSES,
    IntrospectionError,
    InvalidArgumentError,
    NeverHappensError,
    NotAvailableError,
    Selector,
    StepFailedError,
    UnreachableStatusError,
    WaitTimeoutError,
    hide_frames,
)
from pytest_workflows.introspection.waiting import check_status
from pytest_workflows.introspection.workflow import Introspectors

from .api import ApiRefusal, Poll, TargetApi
from .errors import NotOnTargetError
from .outputs import output_of, read_output
from .started import Started

hide_frames(__file__)

_KINDS = {"sleep": "a sleep", "waitForEvent": "a wait for an event", "termination": "its termination"}


class _Opened:
    """What both introspectors share: opening, leaving, disposing."""

    _state = "new"

    def __await__(self) -> Generator[Any, None, Self]:
        return self.__aenter__().__await__()

    async def __aenter__(self) -> Self:
        if self._state != "new":
            raise IntrospectionError(f"{self!r} was opened before. Introspect anew: each introspector is used once.")
        await self._open()
        self._state = "open"
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if error is None:
            await self.dispose()
        else:
            await self._leave()  # what a test failed with is looked at there

    async def dispose(self) -> None:
        """Delete those of the instances that the test has created; disposing twice is fine."""
        if self._state == "open":
            await self._leave()
            await self._remove()

    async def _leave(self) -> None:
        self._state = "disposed"

    def _check_open(self) -> None:
        if self._state != "open":
            raise IntrospectionError(f"{self!r} is not open. Use `async with ... as x`, or `x = await ...`.")

    async def _open(self) -> None:
        """Begin."""

    async def _remove(self) -> None:
        raise NotImplementedError

    def __getattr__(self, name: str) -> NoReturn:
        if name.startswith("_"):
            raise AttributeError(name)
        instead = "" if name not in _INSTEAD else f"Use `{_INSTEAD[name]}`."
        raise NotOnTargetError(f"{name} of an introspector", instead)


_INSTEAD = {
    "steps": "await instance.wait_for_step_result(...)",
    "history": "await instance.status()",
    "exception": "await instance.get_error()",
}


class TargetInstance(_Opened):
    """An introspector of one instance on a target.

    Args:
        api: The target's API.
        name: The binding's name.
        workflow: The workflow's own name.
        id: The instance's id.
        started: What the test has started.
        timeout: How long a wait may take, in real seconds, unless it says otherwise.
        is_open: Whether it is open already, as part of a workflow's introspector.
    """

    def __init__(
        self,
        api: TargetApi,
        name: str,
        workflow: str,
        id: str,
        started: Started,
        timeout: float,
        *,
        is_open: bool = False,
    ) -> None:
        self._api = api
        self._name = name
        self._workflow = workflow
        self._id = id
        self._started = started
        self._timeout = timeout
        if is_open:
            self._state = "open"

    def __repr__(self) -> str:
        return f"<introspector of instance {self._id!r} of {self._name!r} at {self._api.address.api}>"

    @property
    def id(self) -> str:
        """The instance's id."""
        return self._id

    # -- waiting -----------------------------------------------------------------------------------------------------

    async def wait_for_status(self, status: str, *, timeout: float | None = None) -> None:
        """Wait until the instance has that status; `running` is satisfied by `waiting` as well.

        Args:
            status: One of the platform's statuses.
            timeout: Real seconds; ini `workflows_timeout` by default.

        Raises:
            UnreachableStatusError: As soon as the instance ends in another final status.
            WaitTimeoutError: If it has not come in time.
        """
        __tracebackhide__ = True
        check_status(status)

        def has_status(found: dict[str, Any]) -> bool:
            now = found.get("status")
            if now == status or (status == "running" and now == "waiting"):
                return True
            if now in FINAL_STATUSES:
                raise UnreachableStatusError(
                    f"The Workflow instance {self._id} has reached status {now!r}. This is a finite status that "
                    f"prevents it from ever reaching the expected status of {status!r}.{_ended_with(found)}"
                )
            return False

        await self._until(has_status, f"status {status!r}", timeout)

    async def wait_for_step_result(self, step: object, *, timeout: float | None = None) -> Any:
        """Wait for a step's result, as `run` sees it.

        Args:
            step: Selects the step: its name, `("name", 2)` or `{"name": "name", "index": 2}`.
            timeout: Real seconds; ini `workflows_timeout` by default.

        Raises:
            StepFailedError: If the step has failed for good.
            NeverHappensError: If the instance has ended without it.
            WaitTimeoutError: If it has not come in time.
        """
        __tracebackhide__ = True
        selector = Selector.parse(step)
        label = f"{selector.name}-{selector.index}"

        def has_result(found: dict[str, Any]) -> bool:
            known = _step(found, label)
            if known is not None and known.get("success") is True:
                return True
            if known is not None and known.get("success") is False:
                error = _last_error(known)
                raise StepFailedError(label, str(error.get("name")), str(error.get("message")))
            if found.get("status") in FINAL_STATUSES:
                raise NeverHappensError(
                    f"Waiting for step {label!r} of instance {self._id!r} of {self._name!r}.\n{_stands(found)}\n"
                    "The instance has ended, so it will never happen."
                )
            return False

        found = await self._until(has_result, f"step {label!r}", timeout)
        try:
            return await self._api.step_output(self._workflow, self._id, label)
        except ApiRefusal:
            # A server that gives no whole outputs; the instance's steps have them, if they are short.
            return read_output(found, (_step(found, label) or {}).get("output"))

    async def _until(self, holds: Callable[[dict[str, Any]], bool], what: str, timeout: float | None) -> dict[str, Any]:
        """Look at the instance until something holds."""
        __tracebackhide__ = True
        self._check_open()
        limit = self._timeout if timeout is None else timeout
        if isinstance(limit, bool) or not isinstance(limit, int | float) or not limit > 0:
            raise InvalidArgumentError(f"timeout is a number of real seconds above 0, not {limit!r}.")
        poll = Poll(limit, self._api.address)
        found: dict[str, Any] | None = None
        while True:
            found = await poll.look(self._find)
            if found is not None and holds(found):
                return found
            if not await poll.again():
                raise WaitTimeoutError(
                    f"Waiting for {what} of instance {self._id!r} of {self._name!r} at {self._api.address.api}.\n"
                    f"{'It does not exist (yet).' if found is None else _stands(found)}\n"
                    f"It did not happen within {limit:g} real seconds: time is real there. Give the wait more of it "
                    "(`timeout=`, ini `workflows_timeout`), or let the workflow sleep for less."
                )

    async def _find(self) -> dict[str, Any] | None:
        try:
            return await self._api.instance(self._workflow, self._id)
        except ApiRefusal as refusal:
            if not refusal.is_not_found:
                raise
            await self._check_workflow()
            return None

    async def _check_workflow(self) -> None:
        """See to it that it is the instance that does not exist, and not the workflow."""
        if await self._api.has_workflow(self._workflow):
            return
        names = await self._api.workflows()
        if self._workflow not in names:
            raise IntrospectionError(
                f"{self._api.address.api} has no workflow {self._workflow!r}, which is the binding {self._name!r}. "
                f"It has: {', '.join(names) or 'none'}."
            )

    # -- inspection --------------------------------------------------------------------------------------------------

    async def get_output(self) -> Any:
        """The value that `run` returned.

        Raises:
            NotAvailableError: If the instance is not complete.
        """
        __tracebackhide__ = True
        return output_of(await self._in_status("complete", "Cannot retrieve output", "an output available"))

    async def get_error(self) -> dict[str, str]:
        """The error that the instance ended with: `{"name": ..., "message": ...}`.

        Raises:
            NotAvailableError: If the instance is not errored.
        """
        __tracebackhide__ = True
        found = await self._in_status("errored", "Cannot retrieve error", "error information available")
        return {name: str(value) for name, value in (found.get("error") or {}).items()}

    async def _in_status(self, wanted: str, what: str, why: str) -> dict[str, Any]:
        __tracebackhide__ = True
        self._check_open()
        found = await self._api.instance(self._workflow, self._id)
        if found.get("status") != wanted:
            raise NotAvailableError(
                f'{what}: Workflow instance is in status "{found.get("status")}" but must be "{wanted}" to have {why}'
            )
        return found

    async def status(self) -> dict[str, Any]:
        """The instance's `status`, `output` and `error`."""
        self._check_open()
        found = await self._api.instance(self._workflow, self._id)
        status = found.get("status")
        output = output_of(found) if status == "complete" else None
        return {"status": status, "output": output, "error": found.get("error")}

    # -- the end -----------------------------------------------------------------------------------------------------

    async def _remove(self) -> None:
        """Delete the instance, or at least end it, if the test has created it."""
        if not self._started.has(self._workflow, self._id):
            return
        self._started.forget(self._workflow, self._id)
        await self._api.remove(self._workflow, self._id)


class TargetWorkflow(_Opened):
    """An introspector of the instances of a workflow that are created on a target while it is open.

    Args:
        api: The target's API.
        name: The binding's name.
        workflow: The workflow's own name.
        started: What the test has started.
        timeout: How long a wait may take, in real seconds, unless it says otherwise.
    """

    def __init__(self, api: TargetApi, name: str, workflow: str, started: Started, timeout: float) -> None:
        self._api = api
        self._name = name
        self._workflow = workflow
        self._started = started
        self._timeout = timeout
        self._known: set[str] = set()
        self._instances: dict[str, TargetInstance] = {}

    def __repr__(self) -> str:
        return f"<introspector of workflow {self._name!r} at {self._api.address.api}>"

    def get(self) -> Introspectors:
        """The introspectors of the instances so far, in order of creation.

        They are known as of the test's last act; `await introspector.get()` looks again.
        """
        if self._state != "disposed":
            self._check_open()
        return _Refreshing(self._instances.values(), self._refresh)

    async def _open(self) -> None:
        async for id in self._api.instances(self._workflow):
            self._known.add(id)
        self._started.refreshes[self] = self._refresh

    async def _refresh(self) -> list[TargetInstance]:
        new = []
        if self._state == "open":
            async for id in self._api.instances(self._workflow):
                if id in self._known:
                    break  # what is older was there before
                new.append(id)
        for id in reversed(new):
            self._known.add(id)
            self._instances[id] = TargetInstance(
                self._api, self._name, self._workflow, id, self._started, self._timeout, is_open=True
            )
        return list(self._instances.values())

    async def _leave(self) -> None:
        self._started.refreshes.pop(self, None)
        await super()._leave()

    async def _remove(self) -> None:
        for instance in self._instances.values():
            await instance.dispose()


class _Refreshing(Introspectors):
    """A list of introspectors; awaited, one of those that there are by then.

    Args:
        known: Those that are known.
        refresh: Gives those that there are.
    """

    def __init__(self, known: Any, refresh: Callable[[], Any]) -> None:
        super().__init__(known)
        self._refresh = refresh

    def __await__(self) -> Generator[Any, None, Self]:
        """Look again."""

        async def refreshed() -> Self:
            self[:] = await self._refresh()
            return self

        return refreshed().__await__()


def _step(instance: dict[str, Any], label: str) -> dict[str, Any] | None:
    steps: list[dict[str, Any]] = instance.get("steps") or []
    return next((one for one in steps if one.get("name") == label and one.get("type") == "step"), None)


def _last_error(step: dict[str, Any]) -> dict[str, Any]:
    attempts = step.get("attempts") or []
    errors = [one.get("error") for one in attempts if one.get("error")]
    return errors[-1] if errors else {"name": "Error", "message": "the API does not say why"}


def _ended_with(instance: dict[str, Any]) -> str:
    error = instance.get("error")
    return "" if not error else f"\nIt ended with {error.get('name')}: {error.get('message')}"


def _stands(instance: dict[str, Any]) -> str:
    """Where an instance stands, for an error's message."""
    steps = [f"{_KINDS.get(one.get('type'), 'step')} {one.get('name')!r}" for one in instance.get("steps") or []]
    ran = f" Its steps so far: {', '.join(steps[-10:])}." if steps else " No step ran."
    return f"It is {instance.get('status')}.{ran}{_ended_with(instance)}"
