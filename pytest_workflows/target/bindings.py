"""Workflow bindings, and handles of instances, on a target: what a test calls on them is asked there."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, NoReturn

from durable_engine import InvalidArgumentError, JsDict, decode, encode, to_json
from pytest_workflows.introspection.elsewhere import Introspectable

from .api import ApiRefusal, TargetApi
from .errors import OPTION, NotOnTargetError
from .introspectors import TargetInstance, TargetWorkflow
from .outputs import output_of
from .started import Started


class TargetBinding(Introspectable):
    """A workflow binding whose instances run on a target.

    Args:
        api: The target's API.
        name: The binding's name.
        workflow: The workflow's own name.
        started: What the test has started there.
        timeout: How long a wait may take, in real seconds, unless it says otherwise.
    """

    def __init__(self, api: TargetApi, name: str, workflow: str, started: Started, timeout: float) -> None:
        self._api = api
        self._name = name
        self._workflow = workflow
        self._started = started
        self._timeout = timeout

    def __repr__(self) -> str:
        return f"<binding {self._name!r} of the workflow {self._workflow!r} at {self._api.address.api}>"

    async def create(self, options: Mapping[str, Any] | None = None, /, **named: Any) -> TargetHandle:
        """Create an instance, as in memory.

        Raises:
            JsException: If the id is not valid or taken.
        """
        given = _merged(options, named, "create")
        try:
            id = await self._api.create(self._workflow, _body(given))
        except ApiRefusal as refusal:
            if "already_exists" in refusal.message:
                refusal.add_note(
                    f"A target ({OPTION}) keeps what is created from one run to the next. Let a test that runs there "
                    'make an id of its own: f"order-{uuid.uuid4()}", or create without an id.'
                )
            raise
        self._started.note(self._workflow, id)
        await self._started.refresh()
        return TargetHandle(self._api, self._workflow, id, self._started)

    async def create_batch(self, batch: Any, /) -> list[TargetHandle]:
        """Create several instances; ids that exist already are left out."""
        if not isinstance(batch, list | tuple):
            raise NotOnTargetError("createBatch with an object", "Give a list of options.")
        made = []
        for options in batch:
            try:
                made.append(await self.create(options))
            except ApiRefusal as refusal:
                if "already_exists" not in refusal.message:
                    raise
        return made

    createBatch = create_batch

    async def get(self, id: str) -> TargetHandle:
        """The handle of an existing instance.

        Raises:
            JsException: If there is none.
        """
        await self._api.instance(self._workflow, id, simple=True)
        return TargetHandle(self._api, self._workflow, id, self._started)

    def introspect_instance(self, instance_id: str) -> TargetInstance:
        """Introspect one instance, which need not exist yet."""
        return TargetInstance(self._api, self._name, self._workflow, instance_id, self._started, self._timeout)

    def introspect(self) -> TargetWorkflow:
        """Introspect every instance that is created from now on."""
        return TargetWorkflow(self._api, self._name, self._workflow, self._started, self._timeout)

    def refuse(self, function: str) -> NoReturn:
        """Refuse a function of ours that needs an engine."""
        raise NotOnTargetError(f"{function}(...)")

    def __getattr__(self, name: str) -> NoReturn:
        if name.startswith("_"):
            raise AttributeError(name)
        raise NotOnTargetError(f"{name} of a workflow binding")


class TargetHandle:
    """The handle of an instance on a target.

    Args:
        api: The target's API.
        workflow: The workflow's own name.
        id: The instance's id.
        started: What the test has started there.
    """

    def __init__(self, api: TargetApi, workflow: str, id: str, started: Started) -> None:
        self._api = api
        self._workflow = workflow
        self._started = started
        self.id = id

    def __repr__(self) -> str:
        return f"<instance {self.id!r} of {self._workflow!r} at {self._api.address.api}>"

    async def status(self) -> JsDict:
        """`status`, `output` and `error`."""
        found = await self._api.instance(self._workflow, self.id)
        is_complete = found.get("status") == "complete"
        return JsDict(
            {
                "status": found.get("status"),
                "error": found.get("error"),
                "output": output_of(found) if is_complete else None,
            }
        )

    async def pause(self) -> None:
        """Pause once the running step callbacks have ended."""
        await self._change({"status": "pause"})

    async def resume(self) -> None:
        """Go on after a pause."""
        await self._change({"status": "resume"})

    async def terminate(self, options: Mapping[str, Any] | None = None) -> None:
        """End the instance now."""
        await self._change({**(options or {}), "status": "terminate"})

    async def restart(self, options: Mapping[str, Any] | None = None) -> None:
        """Run again from the top, or from a step: `{"from": {"name", "count", "type"}}`."""
        await self._change({**(options or {}), "status": "restart"})

    async def send_event(self, options: Mapping[str, Any] | None = None, /, **named: Any) -> None:
        """Send an event: `{"type": ..., "payload": ...}`."""
        given = _merged(options, named, "send_event")
        event_type = given.get("type")
        if not isinstance(event_type, str) or not event_type:
            raise InvalidArgumentError(f"send_event needs a 'type', which is a text; got {event_type!r}.")
        await self._api.send_event(self._workflow, self.id, event_type, _json(given.get("payload")))
        await self._started.refresh()

    sendEvent = send_event

    async def delete(self) -> None:
        """Delete the instance and all that is stored of it."""
        await self._api.delete(self._workflow, self.id)
        self._started.forget(self._workflow, self.id)

    async def _change(self, body: Mapping[str, Any]) -> None:
        await self._api.change(self._workflow, self.id, body)
        await self._started.refresh()

    def __getattr__(self, name: str) -> NoReturn:
        if name.startswith("_"):
            raise AttributeError(name)
        raise NotOnTargetError(f"{name} of an instance")


def _merged(options: object, named: Mapping[str, Any], what: str) -> dict[str, Any]:
    if options is not None and not isinstance(options, Mapping):
        raise InvalidArgumentError(f"{what} takes a dict of options, not {type(options).__name__}: {options!r}")
    return {**(options or {}), **named}


def _body(given: Mapping[str, Any]) -> dict[str, Any]:
    """What the API takes of an instance that is to be created."""
    body: dict[str, Any] = {}
    if given.get("id") is not None:
        body["instance_id"] = given["id"]
    if "params" in given:
        params = _json(given["params"])
        body["params"] = json.dumps(params) if isinstance(params, str) else params  # a text there is JSON
    retention = given.get("retention")
    if retention is not None:
        names = {"successRetention": "success_retention", "errorRetention": "error_retention"}
        body["instance_retention"] = {names.get(name, name): value for name, value in retention.items()}
    return body


def _json(value: Any) -> Any:
    """A value as it crosses to the platform, and from there to JSON."""
    return to_json(decode(encode(value)))
