"""What `env.X` is for a workflow: the binding, and the handle of an instance.

Only the names that the platform's Python bindings have exist here: `create_batch` and `send_event` in snake case, and
everything by its JavaScript name (docs/reference/fidelity.md, "Bindings").
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Concatenate, NoReturn, ParamSpec, TypeVar

from .boundary import JsDict, JsProxy, cross, encode, unwrap
from .durations import duration_ms
from .effects import as_coroutine_function, is_over, tell_call
from .errors import (
    BATCH_EMPTY,
    BATCH_TOO_LARGE,
    INVALID_ID,
    PARAMS_TOO_LARGE,
    PAYLOAD_TOO_LARGE,
    InvalidArgumentError,
    JsException,
    with_fact,
)
from .frames import place_of_user
from .limits import in_bytes
from .model import Place
from .scope import current_scope
from .store import KEPT, Retention

if TYPE_CHECKING:
    from .engine import Engine
    from .step import Step

P = ParamSpec("P")
R = TypeVar("R")

DEFAULT_STEP_LIMIT = 10_000
_ID = re.compile(r"[a-zA-Z0-9_][a-zA-Z0-9-_]*", re.ASCII)


@dataclass(frozen=True, slots=True)
class Workflow:
    """A workflow that is bound to a name.

    Attributes:
        name: The binding's name, `ORDERS`.
        workflow_name: The workflow's own name, as events carry it.
        run: Called as `run(event, step)` for each life of an instance; plain or async.
        step_limit: How many `do` steps a life may ask for.
        implicit_dependencies: Whether a callback's parameters name its dependencies.
        concurrency: How many instances run at a time; None for any number.
        retention: For how long an instance is kept that was created without saying so.
    """

    name: str
    workflow_name: str
    run: Callable[[JsDict, Step], Any]
    step_limit: int = DEFAULT_STEP_LIMIT
    implicit_dependencies: bool = True
    concurrency: int | None = None
    retention: Retention = KEPT


def _door(
    method: Callable[Concatenate[Any, P], Coroutine[Any, Any, R]],
) -> Callable[Concatenate[Any, P], Coroutine[Any, Any, R]]:
    """Tell observers of a call when it is made: a task that runs it later does not know any more who called."""
    name = method.__name__

    @functools.wraps(method)
    def call(self: WorkflowBinding | InstanceHandle, /, *args: P.args, **kwargs: P.kwargs) -> Coroutine[Any, Any, R]:
        self._tell(name, args, kwargs)
        what = self.workflow.name if isinstance(self, WorkflowBinding) else "instance"
        return self._engine.calls.watch(f"{what}.{name}(...)", functools.partial(method, self, *args, **kwargs))

    return as_coroutine_function(call)


class WorkflowBinding:
    """A workflow binding, as a Worker has it in `env`.

    Args:
        engine: The engine that its instances live on.
        workflow: What it runs.
    """

    def __init__(self, engine: Engine, workflow: Workflow) -> None:
        self._engine = engine
        self._workflow = workflow

    def __repr__(self) -> str:
        return f"<WorkflowBinding {self._workflow.name!r}>"

    @property
    def engine(self) -> Engine:
        """The engine that the instances live on."""
        return self._engine

    @property
    def workflow(self) -> Workflow:
        """What the binding runs."""
        return self._workflow

    @_door
    async def create(self, options: Mapping[str, Any] | JsProxy | None = None, /, **named: Any) -> InstanceHandle:
        """Create an instance.

        Args:
            options: `{"id": ..., "params": ..., "retention": {"successRetention": "1 day", ...}}`, all optional;
                without an id, the engine makes a UUID.
            named: The same as keywords.

        Returns:
            The instance's handle.

        Raises:
            JsException: If the id is not valid or taken, or the params are too large or cannot cross the boundary.
        """
        await pass_door()
        read = _options(options, named, "create", whole="params")
        return self._create(read, self._params_of(read))

    @_door
    async def create_batch(self, batch: list[Mapping[str, Any]]) -> list[InstanceHandle]:
        """Create up to 100 instances; ids that exist already are left as they are.

        Args:
            batch: A list of what `create` takes.

        Raises:
            JsException: If the list is empty or too long, or one of the instances cannot be created. Params that are
                too large are refused before anything is created.
        """
        await pass_door()
        encode(batch)
        given = unwrap(batch)
        if not isinstance(given, list):
            raise InvalidArgumentError(f"create_batch takes a list of options, not {type(batch).__name__}: {batch!r}")
        if not given:
            raise JsException("Error", BATCH_EMPTY)
        most = self._engine.limits.batch
        if len(given) > most:
            raise JsException("Error", BATCH_TOO_LARGE.format(limit=most, count=len(given)))
        reads = [_options(options, {}, "create_batch", whole="params") for options in given]
        handles = []
        for read, params in [(read, self._params_of(read)) for read in reads]:
            id: Any = read.get("id")
            taken = isinstance(id, str) and self._engine.exists(self._workflow, id)
            handles.append(InstanceHandle(self, id) if taken else self._create(read, params))
        return handles

    def _tell(self, method: str, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> None:
        _tell(self._engine, self._workflow, method, args, kwargs)

    def _params_of(self, options: JsDict) -> bytes:
        params = encode(options.get("params", {}))
        limit = self._engine.limits.event_payload
        if len(params) > limit:
            id = options.get("id")
            instance = "a new instance" if id is None else f'instance "{id}"'
            message = PARAMS_TOO_LARGE.format(
                instance=instance, workflow=self._workflow.name, limit=in_bytes(limit), size=len(params)
            )
            raise JsException("Error", message)
        return params

    def _create(self, options: JsDict, params: bytes) -> InstanceHandle:
        given = options.get("id")
        if given is not None:
            check_id(given, self._engine.limits.instance_id)
        retention = read_retention(options.get("retention"))
        return InstanceHandle(self, self._engine.create(self._workflow, given, params, retention))

    @_door
    async def get(self, id: str) -> InstanceHandle:
        """The handle of an existing instance.

        Raises:
            JsException: `Error: instance.not_found`.
            InvalidArgumentError: If the id is no text.
        """
        await pass_door()
        if not isinstance(id, str):
            known = id.get("id", "order-1") if isinstance(id, dict) else "order-1"
            raise InvalidArgumentError(
                f"get takes an instance's id, a text, not {type(id).__name__}: {id!r}. Write get({known!r})."
            )
        self._engine.require(self._workflow, id)
        return InstanceHandle(self, id)

    @_door
    async def deleteBatch(self, ids: list[str] | JsProxy) -> JsDict:
        """Delete up to 100 instances; what could not be deleted is told, not raised. Deleting twice is fine."""
        await pass_door()
        most = self._engine.limits.batch
        given = unwrap(ids)
        if not isinstance(given, list) or len(given) > most:
            what = f"{len(given)}: {given!r}" if isinstance(given, list) else repr(ids)
            raise InvalidArgumentError(f"deleteBatch takes a list of up to {most} ids, not {what}.")
        deleted: list[dict[str, str]] = []
        errors: list[dict[str, str]] = []
        for id in given:
            if isinstance(id, str) and self._engine.exists(self._workflow, id):
                self._engine.delete(self._workflow, id)
            if isinstance(id, str) and self._engine.was_deleted(self._workflow, id):
                deleted.append({"id": id})
            else:
                errors.append({"id": id, "code": "instance.not_found", "message": "instance.not_found"})
        await pass_door()
        result = cross({"deleted": deleted, "errors": errors})
        assert isinstance(result, JsDict)
        return result

    createBatch = create_batch

    def __getattr__(self, name: str) -> NoReturn:
        _no_such_name("A workflow binding", name, {"delete_batch": "deleteBatch"}, "create, create_batch, get")


class InstanceHandle:
    """The handle of an instance, as `create` and `get` return it."""

    def __init__(self, binding: WorkflowBinding, id: str) -> None:
        self._binding = binding
        self.id = id

    def __repr__(self) -> str:
        return f"<WorkflowInstance {self.id!r} of {self._binding.workflow.name!r}>"

    @_door
    async def status(self) -> JsDict:
        """`status`, `__LOCAL_DEV_STEP_OUTPUTS`, `output` and `error`.

        Raises:
            JsException: `Error: instance.not_found`.
        """
        await pass_door()
        return self._engine.status(self._workflow, self.id)

    @_door
    async def pause(self) -> None:
        """Pause once the running step callbacks have ended; timers stand still until `resume`."""
        await pass_door()
        self._engine.pause(self._workflow, self.id)
        await pass_door()

    @_door
    async def resume(self) -> None:
        """Go on after a pause, or cancel one that has not taken hold."""
        await pass_door()
        self._engine.resume(self._workflow, self.id)

    @_door
    async def restart(self, options: Mapping[str, Any] | JsProxy | None = None) -> None:
        """Run again from the top, or from a step: `{"from": {"name", "count", "type"}}`.

        Raises:
            JsException: If the instance never ran that step.
        """
        await pass_door()
        self._engine.restart(self._workflow, self.id, _options(options, {}, "restart"))
        await pass_door()

    @_door
    async def terminate(self, options: Mapping[str, Any] | JsProxy | None = None) -> None:
        """End the instance now. `{"rollback": True}` is accepted; Python steps have nothing to roll back.

        Raises:
            JsException: If the instance has ended already.
        """
        await pass_door()
        _options(options, {}, "terminate")
        self._engine.terminate(self._workflow, self.id)
        await pass_door()

    @_door
    async def delete(self) -> None:
        """Delete the instance and all that is stored of it."""
        await pass_door()
        self._engine.require(self._workflow, self.id)
        self._engine.delete(self._workflow, self.id)
        await pass_door()

    @_door
    def send_event(
        self, options: Mapping[str, Any] | JsProxy | None = None, /, **named: Any
    ) -> Coroutine[Any, Any, None]:
        """Send an event: `{"type": ..., "payload": ...}`, or the same as keywords.

        Raises:
            JsException: If the payload cannot cross the boundary.
        """
        # Who calls is looked for now: where a task runs the coroutine, that is not on its stack.
        sending: Any = self._send_event(place_of_user(), options, named)
        sending.__name__, sending.__qualname__ = "send_event", f"{type(self).__name__}.send_event"  # if never awaited
        return sending  # type: ignore[no-any-return]

    async def _send_event(self, place: Place, options: Mapping[str, Any] | JsProxy | None, named: Any) -> None:
        await pass_door()
        read = _options(options, named, "send_event", whole="payload")
        event_type = read.get("type")
        if not isinstance(event_type, str) or not event_type:
            self._engine.observers.event_lost(self._engine.require(self._workflow, self.id), None, place)
            raise InvalidArgumentError(
                f"send_event needs a 'type', which is a text; got {event_type!r} in {dict(read)!r}. "
                'Write send_event({"type": "approval", "payload": ...}).'
            )
        payload = encode(read.get("payload"))
        limit = self._engine.limits.event_payload
        if len(payload) > limit:
            message = PAYLOAD_TOO_LARGE.format(type=event_type, limit=in_bytes(limit), size=len(payload))
            raise JsException("Error", message)
        self._engine.send_event(self._workflow, self.id, event_type, payload, place)

    sendEvent = send_event

    def _tell(self, method: str, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> None:
        _tell(self._engine, self._workflow, method, args, kwargs)

    @property
    def _engine(self) -> Engine:
        return self._binding.engine

    @property
    def _workflow(self) -> Workflow:
        return self._binding.workflow

    def __getattr__(self, name: str) -> NoReturn:
        _no_such_name(
            "A workflow instance", name, {}, "id, status, pause, resume, restart, terminate, delete, send_event"
        )


def _tell(engine: Engine, workflow: Workflow, method: str, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> None:
    tell_call(workflow.name, method, args, kwargs)
    if not is_over():
        engine.observers.binding_called(workflow, method, args, kwargs)


def read_retention(value: object) -> Retention:
    """For how long an instance is kept after its end.

    Args:
        value: `{"successRetention": "1 day", "errorRetention": "7 days"}`, either of them, or None.

    Raises:
        InvalidArgumentError: If it has another key, or a duration that cannot be read.
    """
    if value is None:
        return Retention()
    if not isinstance(value, dict) or value.keys() - {"successRetention", "errorRetention"}:
        raise InvalidArgumentError(
            f"retention takes {{'successRetention': '1 day', 'errorRetention': '7 days'}}, not {value!r}."
        )
    given = {name: duration for name, duration in value.items() if duration is not None}
    read = {name: duration_ms(duration, f"retention.{name}") for name, duration in given.items()}
    return Retention(read.get("successRetention"), read.get("errorRetention"))


def check_id(id: object, longest: int) -> None:
    """See to it that the platform would take this instance id.

    Raises:
        JsException: If it would not.
    """
    if not isinstance(id, str):
        raise with_fact(INVALID_ID, f"An id is a text, not {type(id).__name__}: {id!r}.")
    if len(id) > longest:
        raise with_fact(INVALID_ID, f"{id!r} has {len(id)} characters, and may have {longest}.")
    if not _ID.fullmatch(id):
        raise with_fact(INVALID_ID, f"{id!r} is not made of letters, digits, - and _, or begins with -.")


async def pass_door() -> None:
    """Let code of a life that has ended go no further."""
    scope = current_scope.get()
    if scope is not None and is_over():
        scope.instance.end_replay()
        await scope.instance.engine.loop.create_future()


def _options(options: object, named: Mapping[str, Any], what: str, whole: str | None = None) -> JsDict:
    """Options and keywords as they arrive on the other side, but for the one key that is stored as it crosses."""
    given = unwrap(options)
    if given is None:
        given = {}
    if not isinstance(given, dict):
        encode(given)
        raise InvalidArgumentError(f"{what} takes a dict of options, not {type(options).__name__}: {options!r}")
    merged = {**given, **named}
    if whole is None or whole not in merged:
        return cross(merged)  # type: ignore[no-any-return]
    value = merged.pop(whole)
    read: JsDict = cross(merged)
    read[whole] = value
    return read


def _no_such_name(what: str, name: str, others: Mapping[str, str], known: str) -> NoReturn:
    if name.startswith("__"):
        raise AttributeError(name)
    hint = f"The platform's name is {others[name]!r}." if name in others else f"It has: {known}."
    raise AttributeError(f"{what} has no {name!r}, here as in production. {hint}")
