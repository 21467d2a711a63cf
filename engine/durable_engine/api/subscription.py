"""Subscriptions (`await handle.subscribe()`): the history of an instance as events, past and future, until its end.

Source: docs/reference/fidelity.md, "Subscriptions".
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from typing import Any, NamedTuple, Self

from durable_engine import history
from durable_engine.context.scope import current_scope
from durable_engine.errors import INVALID_SUBSCRIPTION, SUBSCRIPTION_ABORTED, JsException, with_fact
from durable_engine.rows import HistoryRow, InstanceRow
from durable_engine.values.boundary import cross, decode
from durable_engine.values.js_values import JsDict
from durable_engine.workflow import Workflow

from .binding_engine import BindingEngine

TYPES: dict[history.HistoryKind, str] = {
    history.WORKFLOW_QUEUED: "workflow_queued",
    history.WORKFLOW_START: "workflow_started",
    history.WORKFLOW_RUNNING: "workflow_running",
    history.WORKFLOW_PAUSED: "workflow_paused",
    history.WORKFLOW_WAITING_FOR_PAUSE: "workflow_waiting_for_pause",
    history.WORKFLOW_SUCCESS: "workflow_completed",
    history.WORKFLOW_FAILURE: "workflow_errored",
    history.WORKFLOW_TERMINATED: "workflow_terminated",
    history.STEP_START: "step_started",
    history.STEP_SUCCESS: "step_completed",
    history.STEP_FAILURE: "step_errored",
    history.ATTEMPT_START: "attempt_started",
    history.ATTEMPT_SUCCESS: "attempt_completed",
    history.ATTEMPT_FAILURE: "attempt_errored",
    history.SLEEP_START: "sleep_started",
    history.SLEEP_COMPLETE: "sleep_completed",
    history.WAIT_START: "wait_started",
    history.WAIT_COMPLETE: "wait_completed",
    history.WAIT_TIMED_OUT: "wait_timed_out",
}
"""The platform's name for an event of each kind."""
_NEVER_HERE = (
    "workflow_waiting",
    "rollback_started",
    "rollback_step_started",
    "rollback_step_completed",
    "rollback_step_errored",
    "rollback_attempt_started",
    "rollback_attempt_completed",
    "rollback_attempt_errored",
    "rollback_completed",
    "rollback_errored",
)
"""Types that the platform knows, and that a Python workflow never has."""
_ALL = (*TYPES.values(), *_NEVER_HERE)
_LAST = frozenset(history.INSTANCE_ENDS.values())
_OPTIONS = "subscribe takes {'cursor': 0, 'filter': ['step_completed', ...]}, both optional"


class SubscriptionOptions(NamedTuple):
    """The options of a subscription: the events that it leaves out.

    Attributes:
        cursor: The id of the last event that is known already; 0 for none.
        types: The types of event that are wanted; None for all.
    """

    cursor: int = 0
    types: frozenset[str] | None = None

    @classmethod
    def read(cls, given: Mapping[str, Any]) -> Self:
        """Read the options of `subscribe`.

        Raises:
            JsException: If it is not what the platform takes.
        """
        unknown = given.keys() - {"cursor", "filter"}
        if unknown:
            raise _invalid(f"not {', '.join(map(repr, sorted(unknown, key=str)))}.")
        cursor, types = given.get("cursor"), given.get("filter")
        if cursor is not None and (isinstance(cursor, bool) or not isinstance(cursor, int) or cursor < 0):
            raise _invalid(f"and the cursor is an event's id, not {cursor!r}.")
        if types is None:
            return cls(cursor or 0)
        if not isinstance(types, list):
            raise _invalid(f"and the filter is a list of types, not {types!r}.")
        wrong = [one for one in types if one not in _ALL]
        if wrong:
            raise _invalid(f"and {wrong[0]!r} is no type of event. There are: {', '.join(_ALL)}.")
        return cls(cursor or 0, frozenset(types))


def _invalid(fact: str) -> JsException:
    return with_fact(INVALID_SUBSCRIPTION, f"{_OPTIONS}, {fact}")


class Subscription:
    """The events of an instance, in order: those so far, then each when it comes. It ends with the instance.

    Awaiting the next one is a wait like others: virtual time moves meanwhile, and it fails when nothing can happen any
    more, or when the engine's timeout has passed.

    Args:
        engine: The engine.
        workflow: The instance's workflow.
        row: The instance.
        options: The events that are left out.
    """

    def __init__(
        self, engine: BindingEngine, workflow: Workflow, row: InstanceRow, options: SubscriptionOptions
    ) -> None:
        self._engine = engine
        self._lifecycle = engine.lifecycle
        self._activity = engine.activity
        self._store = engine.store
        self._about = (workflow.name, row.id)
        self._workflow = workflow
        self._row = row
        self._restarts = self._lifecycle.restarts_of(row.key)
        self._types = options.types
        self._at = options.cursor
        self._lines: deque[tuple[int, HistoryRow]] = deque()
        self._ended = False

    def __repr__(self) -> str:
        return f"<Subscription to instance {self._row.id!r} of {self._workflow.name!r}>"

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> JsDict:
        """The next event.

        Raises:
            StopAsyncIteration: If the instance has ended, and all of its events were given.
            JsException: If the instance was restarted or deleted meanwhile.
            WaitTimeoutError: If no event has come in time, or none can come any more.
        """
        __tracebackhide__ = True
        while not self._ended:
            self._check()
            if not self._lines and not self._read():
                if self._has_ended():
                    break
                await self._wait()
                continue
            number, line = self._lines.popleft()
            type_ = TYPES[line.kind]
            if self._types is None or type_ in self._types:
                self._ended = line.kind in _LAST
                if self._store.writes_later:
                    await self._store.stored()
                return self._event(number, type_, line)
        self._ended = True
        raise StopAsyncIteration

    async def next(self) -> JsDict:
        """The next event as JavaScript's iterators give it: `done`, and the event as `value`.

        Raises:
            JsException: If the instance was restarted or deleted meanwhile.
            WaitTimeoutError: If no event has come in time, or none can come any more.
        """
        __tracebackhide__ = True
        try:
            return JsDict({"done": False, "value": await self.__anext__()})
        except StopAsyncIteration:
            return JsDict({"done": True, "value": None})

    def _check(self) -> None:
        """Make sure that the instance was not restarted or deleted since the subscription."""
        instance = self._lifecycle.find(self._workflow, self._row.id)
        if instance is None or instance.row.key != self._row.key:
            self._ended = True
            raise JsException("Error", SUBSCRIPTION_ABORTED.format(call="delete"))
        if self._lifecycle.restarts_of(self._row.key) != self._restarts:
            self._ended = True
            raise JsException("Error", SUBSCRIPTION_ABORTED.format(call="restart"))

    def _read(self) -> bool:
        lines = self._store.history_after(self._row.key, self._at)
        self._lines.extend(enumerate(lines, start=self._at + 1))
        self._at += len(lines)
        return bool(lines)

    def _has_ended(self) -> bool:
        return self._lifecycle.require(self._workflow, self._row.id).finished

    async def _wait(self) -> None:
        __tracebackhide__ = True
        if current_scope.get() is not None:  # code of an instance: the test's wait for that instance moves time
            await self._activity.next_change(self._about)
            return
        with self._activity.watching():
            await self._engine.wait(self._has_more, self._describe, about=self._about)

    def _has_more(self) -> bool:
        instance = self._lifecycle.find(self._workflow, self._row.id)
        return (
            instance is None
            or instance.finished
            or instance.row.key != self._row.key
            or self._lifecycle.restarts_of(self._row.key) != self._restarts
            or bool(self._store.history_after(self._row.key, self._at, most=1))
        )

    def _describe(self) -> str:
        instance = self._lifecycle.find(self._workflow, self._row.id)
        status = "gone" if instance is None else instance.status
        return (
            f"Waiting for the next event of instance {self._row.id!r} of {self._workflow.name!r}, which is {status}: "
            "a subscription ends when the instance does."
        )

    def _event(self, number: int, type_: str, line: HistoryRow) -> JsDict:
        common = {"instanceId": self._row.id, "eventId": number, "timestamp": line.at, "type": type_}
        named = {} if line.key is None else {"stepName": line.key.label}
        event = cross({**common, **named, **_details(line.kind, line.detail or {})})
        assert isinstance(event, JsDict)
        if line.kind == history.WORKFLOW_START:
            event["params"] = decode(self._row.params)
        elif line.kind in (history.WORKFLOW_SUCCESS, history.STEP_SUCCESS) and line.value is not None:
            output = decode(line.value)
            if output is not None:  # there it is undefined, and left out
                event["output"] = output
        return event


def _details(kind: history.HistoryKind, detail: Mapping[str, Any]) -> dict[str, Any]:
    """The fields that the platform gives with an event of that kind, of those that its line of history has."""
    if kind == history.STEP_START:
        config = dict(detail["config"])
        config["retries"] = {"delay": "[dynamic]", **config["retries"]}
        return {"config": config}
    if kind in history.ATTEMPT_KINDS:
        return {name: detail[name] for name in ("attempt", "error", "retryDelayMs") if name in detail}
    if kind == history.SLEEP_START:
        return {"durationMs": detail["durationMs"]}
    if kind == history.WAIT_START:
        return {"eventType": detail["event"]}
    return {"error": detail["error"]} if kind == history.WORKFLOW_FAILURE else {}
