"""Workflow bindings (`env.X`), and the handles of instances.

Only the names that the platform's Python bindings have exist here: `create_batch` and `send_event` in snake case, and
everything by its JavaScript name (docs/reference/fidelity.md, "Bindings").
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Coroutine, Mapping
from typing import Any, Concatenate, NoReturn, ParamSpec, TypeVar

from durable_engine.context.frames import place_of_user
from durable_engine.context.processor_time import run_untimed
from durable_engine.context.scope import current_scope
from durable_engine.errors import (
    INVALID_ID,
    NOT_FOUND,
    NOTHING_TO_DELETE,
    PARAMS_TOO_LARGE,
    PAYLOAD_TOO_LARGE,
    EngineError,
    InvalidArgumentError,
    JsException,
    with_fact,
)
from durable_engine.limits import in_bytes
from durable_engine.model import Place
from durable_engine.storage.store import Store
from durable_engine.testing.effects import as_coroutine_function, count_subrequest, is_over, notify_call
from durable_engine.values.boundary import cross, encode
from durable_engine.values.durations import duration_ms
from durable_engine.values.js_values import JsDict, JsProxy, unwrap
from durable_engine.workflow import Retention, Workflow

from .batches import check_deleted, check_spread, listed, spread
from .binding_engine import BindingEngine
from .subscription import Subscription, SubscriptionOptions

P = ParamSpec("P")
R = TypeVar("R")

EXISTS_ALREADY = {"code": 10405, "message": "workflows.api.error.instance.already_exists"}
REPEATED_IN_BATCH = {"code": 10415, "message": "workflows.api.error.instance.duplicate_in_batch"}
DOES_NOT_EXIST = {"code": 10400, "message": "workflows.api.error.instance.not_found"}
_ID = re.compile(r"[a-zA-Z0-9_][a-zA-Z0-9-_]*", re.ASCII)


def _api_call(
    method: Callable[Concatenate[Any, P], Coroutine[Any, Any, R]],
) -> Callable[Concatenate[Any, P], Coroutine[Any, Any, R]]:
    """Notify observers of an API call when it is made: a task that runs it later does not know any more who called."""
    name = method.__name__

    @functools.wraps(method)
    def call(self: WorkflowBinding | InstanceHandle, /, *args: P.args, **kwargs: P.kwargs) -> Coroutine[Any, Any, R]:
        run_untimed(self._notify_call, name, args, kwargs)  # no work of the code that calls
        refused = count_subrequest("service")
        what = self.workflow.name if isinstance(self, WorkflowBinding) else "instance"
        start = functools.partial(method, self, *args, **kwargs)
        store = self._engine.store
        if store.writes_later:
            start = functools.partial(_once_stored, store, start)
        return self._engine.calls.watch(f"{what}.{name}(...)", start if refused is None else lambda: _refuse(refused))

    return as_coroutine_function(call)


async def _once_stored(store: Store, start: Callable[[], Coroutine[Any, Any, R]]) -> R:
    """Answer a call once what it did, and what it read, is where it is kept.

    An error is an answer as well: that an instance exists already says that it is there.
    """
    try:
        answer = await start()
    except EngineError:
        raise  # it says nothing of what is stored, and the engine's loop may not run
    except Exception:
        await store.stored()
        raise
    await store.stored()
    return answer


async def _refuse(error: JsException) -> NoReturn:
    raise error


class WorkflowBinding:
    """A workflow binding, as a Worker has it in `env`.

    Args:
        engine: The engine of its instances.
        workflow: The workflow that it runs.
    """

    def __init__(self, engine: BindingEngine, workflow: Workflow) -> None:
        self._engine = engine
        self._lifecycle = engine.lifecycle
        self._workflow = workflow

    def __repr__(self) -> str:
        return f"<WorkflowBinding {self._workflow.name!r}>"

    @property
    def engine(self) -> BindingEngine:
        """The engine of the instances."""
        return self._engine

    @property
    def workflow(self) -> Workflow:
        """The workflow that the binding runs."""
        return self._workflow

    @_api_call
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
        await suspend_if_stopped()
        return run_untimed(self._create, _options(options, named, "create", whole="params"))

    @_api_call
    async def create_batch(self, batch: object = None, /, **named: Any) -> list[InstanceHandle]:
        """Create up to 100 instances, as the SDK's snake-case name does it.

        Args:
            batch: A list of what `create` takes.
            named: Options of a batch that is an object: see `createBatch`.

        Returns:
            The handles of those that were created: ids that exist already, or that are repeated, are left out.

        Raises:
            JsException: If the list is empty or too long, or one of the ids is not valid, or params are too large:
                nothing is created then.
            TypeError: For an object: the instances are created, and the SDK cannot read the answer.
        """
        await suspend_if_stopped()
        created = run_untimed(self._create_batch, batch, named)
        if isinstance(created, list):
            return created
        error = TypeError("'pyodide.ffi.JsProxy' object is not iterable")
        error.add_note(
            f"The instances were created ({len(created.created)} of them), and create_batch reads a list alone, here "
            "as in production. Call createBatch for the object form: it returns {'created': [...], 'errors': [...]}."
        )
        raise error

    @_api_call
    async def createBatch(self, batch: object = None, /, **named: Any) -> list[InstanceHandle] | JsDict:
        """Create up to 100 instances.

        Args:
            batch: `{"instances": [...]}` of what `create` takes, `{"count": 3, "params": ...}`, or a list (deprecated).
            named: The same as keywords.

        Returns:
            For an object `{"created": [...], "errors": [{"index", "id", "code", "message"}]}`; for a list the handles
            of those that were created.

        Raises:
            JsException: If anything of it is not as it must be: nothing is created then.
        """
        await suspend_if_stopped()
        return run_untimed(self._create_batch, batch, named)

    def _create_batch(self, batch: object, named: Mapping[str, Any]) -> list[InstanceHandle] | JsDict:
        encode(batch)
        given: Any = dict(named) if batch is None and named else unwrap(batch)
        most = self._engine.limits.batch
        is_list = isinstance(given, list)
        options = listed(given, most) if is_list else spread(given, most)
        planned = [self._planned(one, is_list=is_list) for one in options]
        # All are checked before the first is created.
        taken = {id for id, _, _ in planned if id is not None and self._lifecycle.exists(self._workflow, id)}
        created: list[InstanceHandle] = []
        errors: list[dict[str, Any]] = []
        seen: set[str] = set()
        for index, (id, params, retention) in enumerate(planned):
            if id is not None and (id in seen or id in taken):
                errors.append({"index": index, "id": id, **(REPEATED_IN_BATCH if id in seen else EXISTS_ALREADY)})
            else:
                created.append(InstanceHandle(self, self._lifecycle.create(self._workflow, id, params, retention)))
            seen.update(() if id is None else (id,))
        return created if is_list else JsDict({"created": created, "errors": cross(errors)})

    def _planned(self, given: object, *, is_list: bool) -> tuple[str | None, bytes, Retention]:
        """An instance of a batch that is to be created: its id, its params and for how long it is kept."""
        longest = self._engine.limits.instance_id
        if not is_list:
            check_spread(unwrap(given), lambda id: is_valid_id(id, longest))
        options = _options(given, {}, "create_batch", whole="params")
        id = options.get("id")
        if is_list and id is not None:
            check_id(id, longest)
        return id, self._params_of(options), read_retention(options.get("retention"))

    def _notify_call(self, method: str, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> None:
        _notify_call(self._engine, self._workflow, method, args, kwargs)

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

    def _create(self, options: JsDict) -> InstanceHandle:
        params = self._params_of(options)
        given = options.get("id")
        if given is not None:
            check_id(given, self._engine.limits.instance_id)
        retention = read_retention(options.get("retention"))
        return InstanceHandle(self, self._lifecycle.create(self._workflow, given, params, retention))

    @_api_call
    async def get(self, id: object = None) -> InstanceHandle:
        """The handle of an existing instance.

        Raises:
            JsException: `Error: instance.not_found`, whatever the id is.
        """
        await suspend_if_stopped()
        if not isinstance(id, str):
            known = id.get("id", "order-1") if isinstance(id, dict) else "order-1"
            fact = f"get takes an instance's id, a text, not {type(id).__name__}: {id!r}. Write get({known!r})."
            raise with_fact(NOT_FOUND, fact)
        self._lifecycle.require(self._workflow, id)
        return InstanceHandle(self, id)

    @_api_call
    async def deleteBatch(self, ids: list[str] | JsProxy) -> JsDict:
        """Delete up to 100 instances.

        Returns:
            `{"deleted": [{"id"}], "errors": [{"id", "code", "message"}]}`: those that do not exist are errors.

        Raises:
            JsException: If it is no list of 1 to 100 ids, or one of them is no id: nothing is deleted then.
        """
        await suspend_if_stopped()
        given = check_deleted(unwrap(ids), self._engine.limits.batch)
        existing = {id for id in given if self._lifecycle.exists(self._workflow, id)}
        for id in existing:
            self._lifecycle.delete(self._workflow, id)
        await suspend_if_stopped()
        result = cross(
            {
                "deleted": [{"id": id} for id in given if id in existing],
                "errors": [{"id": id, **DOES_NOT_EXIST} for id in given if id not in existing],
            }
        )
        assert isinstance(result, JsDict)
        return result

    def __getattr__(self, name: str) -> NoReturn:
        _no_such_name("A workflow binding", name, {"delete_batch": "deleteBatch"}, "create, create_batch, get")


class InstanceHandle:
    """The handle of an instance, as `create` and `get` return it."""

    def __init__(self, binding: WorkflowBinding, id: str) -> None:
        self._binding = binding
        self._engine = binding.engine
        self._lifecycle = binding.engine.lifecycle
        self._workflow = binding.workflow
        self.id = id

    def __repr__(self) -> str:
        return f"<WorkflowInstance {self.id!r} of {self._binding.workflow.name!r}>"

    @_api_call
    async def status(self) -> JsDict:
        """`status`, `__LOCAL_DEV_STEP_OUTPUTS`, `output` and `error`.

        Raises:
            JsException: `Error: instance.not_found`.
        """
        await suspend_if_stopped()
        return self._lifecycle.status(self._workflow, self.id)

    @_api_call
    async def pause(self) -> None:
        """Pause once the running step callbacks have ended; timers stand still until `resume`."""
        await suspend_if_stopped()
        self._lifecycle.pause(self._workflow, self.id)
        await suspend_if_stopped()

    @_api_call
    async def resume(self) -> None:
        """Go on after a pause, or cancel one that has not taken hold."""
        await suspend_if_stopped()
        self._lifecycle.resume(self._workflow, self.id)

    @_api_call
    async def restart(self, options: Mapping[str, Any] | JsProxy | None = None) -> None:
        """Run again from the top, or from a step: `{"from": {"name", "count", "type"}}`.

        Raises:
            JsException: If the instance never ran that step.
        """
        await suspend_if_stopped()
        self._lifecycle.restart(self._workflow, self.id, _options(options, {}, "restart"))
        await suspend_if_stopped()

    @_api_call
    async def terminate(self, options: Mapping[str, Any] | JsProxy | None = None) -> None:
        """End the instance now. `{"rollback": True}` is accepted; Python steps have nothing to roll back.

        Raises:
            JsException: If the instance has ended already.
        """
        await suspend_if_stopped()
        _options(options, {}, "terminate")
        self._lifecycle.terminate(self._workflow, self.id)
        await suspend_if_stopped()

    @_api_call
    async def delete(self) -> None:
        """Delete the instance and all that is stored of it.

        Raises:
            JsException: If it does not exist.
        """
        await suspend_if_stopped()
        if not self._lifecycle.exists(self._workflow, self.id):
            raise JsException("Error", NOTHING_TO_DELETE)
        self._lifecycle.delete(self._workflow, self.id)
        await suspend_if_stopped()

    @_api_call
    def send_event(
        self, options: Mapping[str, Any] | JsProxy | None = None, /, **named: Any
    ) -> Coroutine[Any, Any, None]:
        """Send an event: `{"type": ..., "payload": ...}`, or the same as keywords.

        Raises:
            JsException: If the payload cannot cross the boundary.
        """
        # The caller is determined now: where a task runs the coroutine, the caller is not on its stack.
        sending: Any = self._send_event(place_of_user(), options, named)
        sending.__name__, sending.__qualname__ = "send_event", f"{type(self).__name__}.send_event"  # if never awaited
        return sending  # type: ignore[no-any-return]

    async def _send_event(self, place: Place, options: Mapping[str, Any] | JsProxy | None, named: Any) -> None:
        await suspend_if_stopped()
        read = _options(options, named, "send_event", whole="payload")
        event_type = read.get("type")
        if not isinstance(event_type, str) or not event_type:
            self._engine.observers.event_lost(self._lifecycle.require(self._workflow, self.id), None, place)
            raise InvalidArgumentError(
                f"send_event needs a 'type', which is a text; got {event_type!r} in {dict(read)!r}. "
                'Write send_event({"type": "approval", "payload": ...}).'
            )
        payload = encode(read.get("payload"))
        limit = self._engine.limits.event_payload
        if len(payload) > limit:
            message = PAYLOAD_TOO_LARGE.format(type=event_type, limit=in_bytes(limit), size=len(payload))
            raise JsException("Error", message)
        self._lifecycle.send_event(self._workflow, self.id, event_type, payload, place)

    sendEvent = send_event

    @_api_call
    async def subscribe(self, options: object = None, /, **named: Any) -> Subscription:
        """Subscribe to its events, past and future, until its end: `async for event in await x.subscribe()`.

        Args:
            options: `{"cursor": 4, "filter": ["step_completed"]}`, both optional: events after that id alone, and of
                these types alone.
            named: The same as keywords.

        Raises:
            JsException: `Error: instance.not_found`, or if the options are not as they must be.
        """
        await suspend_if_stopped()
        instance = self._lifecycle.require(self._workflow, self.id)
        given = _options(options, named, "subscribe")
        return Subscription(self._engine, self._workflow, instance.row, SubscriptionOptions.read(given))

    def _notify_call(self, method: str, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> None:
        _notify_call(self._engine, self._workflow, method, args, kwargs)

    def __getattr__(self, name: str) -> NoReturn:
        _no_such_name(
            "A workflow instance",
            name,
            {},
            "id, status, pause, resume, restart, terminate, delete, send_event, subscribe",
        )


def _notify_call(
    engine: BindingEngine, workflow: Workflow, method: str, args: tuple[Any, ...], kwargs: Mapping[str, Any]
) -> None:
    notify_call(workflow.name, method, args, kwargs)
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


def is_valid_id(id: object, longest: int) -> bool:
    """Whether the platform takes this instance id at `create`."""
    return isinstance(id, str) and len(id) <= longest and _ID.fullmatch(id) is not None


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


async def suspend_if_stopped() -> None:
    """Suspend the running code for ever, if its execution has been stopped."""
    scope = current_scope.get()
    if scope is not None and is_over():
        scope.instance.end_replay()
        await scope.instance.hold()


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
