"""Scopes: a tree of the places where user code runs and waits, which knows what is busy.

Each instance has a root scope (its `run`), and each running callback one of its own. What code awaits through the
engine is an *operation* of the scope it was asked for in. A scope is parked when it waits for operations and every one
of them is parked; otherwise it is busy, and virtual time stands still. Counters make each change cost the same,
however many operations are open.
"""

from __future__ import annotations

from collections.abc import Callable
from contextvars import Context, ContextVar, copy_context
from random import Random
from typing import Any

from durable_engine.instance import Instance
from durable_engine.model import StepKey
from durable_engine.usage import Subrequests

current_scope: ContextVar[Scope | None] = ContextVar("durable_engine_scope", default=None)
"""The scope that the running code belongs to; tasks and callbacks that it starts inherit it."""

in_service: ContextVar[bool] = ContextVar("durable_engine_in_service", default=False)
"""Whether the running code is a fake's or a service's own; what a service sets off for a Worker is not."""


class WorkerCall:
    """A call of the Worker's code other than a workflow: of a handler, an object's method, an alarm.

    Args:
        engine: The engine, to be compared.
        what: Names the code at the start of a sentence, such as "The fetch handler".
        subrequests: Counts those of its code.
        round: How many timers, each set by the call that the one before it made, led to this call.
        is_own: Whether it runs in tasks of its own, and not in the test's.

    Attributes:
        is_open: Whether it is under way: what its code left running afterwards is nobody's.
        task: The future of its code that it waits for; None for its own code.
        caller: The scope of the workflow's code that made it; None where none did.
        generators: The generators of random values that the code has drawn from, by what they are for.
    """

    __slots__ = ("caller", "engine", "generators", "is_open", "is_own", "round", "subrequests", "task", "what")

    def __init__(
        self, engine: object, what: str, subrequests: Subrequests, round: int = 0, *, is_own: bool = False
    ) -> None:
        self.engine = engine
        self.what = what
        self.subrequests = subrequests
        self.round = round
        self.is_own = is_own
        self.is_open = True
        self.task: Any = None
        self.caller = current_scope.get()
        self.generators: dict[str, Random] = {}


current_call: ContextVar[WorkerCall | None] = ContextVar("durable_engine_call", default=None)
"""The call of the Worker's code, other than a workflow, that the running code belongs to."""


def open_call(context: Context | None, engine: object) -> WorkerCall | None:
    """The call of an engine that is under way and that a context belongs to; None for any other code."""
    call = None if context is None else context.get(current_call)
    return call if call is not None and call.is_open and call.engine is engine else None


def running_call() -> WorkerCall | None:
    """The call of the Worker's code, other than a workflow, that runs; None for any other code."""
    return current_call.get()


def running_engine(context: Context | None = None) -> object | None:
    """The engine whose Worker's code runs, to be compared; None for code of the test.

    Args:
        context: The code's context; None for the running one.
    """
    read = ContextVar.get if context is None else context.get
    scope, call = read(current_scope), read(current_call)
    if scope is not None:
        return scope.instance.engine
    return None if call is None else call.engine


class Scope:
    """A place where user code runs and waits.

    Args:
        instance: The execution that the code belongs to.
        on_change: Called with the scope when it becomes parked or busy.
        step: The step whose callback the code is; None for `run` itself.
        attempt: The attempt of that step.
        is_virtual: Whether the timers that the code starts through asyncio run on virtual time: those of `run` do, and
            of delay functions. A callback's do while it waits for nothing but time, since it may do real I/O.

    Attributes:
        generators: The generators of random values that the code has drawn from, by what they are for.
        calls: How often the code has called each method of a binding.
        drawn: The random bytes that the code has drawn from the system, as far as somebody keeps them.
    """

    __slots__ = (
        "_busy",
        "_on_change",
        "attempt",
        "calls",
        "drawn",
        "generators",
        "instance",
        "is_virtual",
        "open",
        "step",
    )

    def __init__(
        self,
        instance: Instance,
        on_change: Callable[[Scope], None],
        step: StepKey | None = None,
        attempt: int | None = None,
        *,
        is_virtual: bool = False,
    ) -> None:
        self.instance = instance
        self.is_virtual = is_virtual
        self.step = step
        self.attempt = attempt
        self.open = 0
        self.generators: dict[str, Random] = {}
        self.calls: dict[str, int] = {}
        self.drawn: list[bytes] = []
        self._busy = 0
        self._on_change = on_change

    @property
    def is_root(self) -> bool:
        """Whether the code is `run` itself, and no callback of a step."""
        return self.step is None

    @property
    def parked(self) -> bool:
        """Whether all that the code waits for can only come from a timer, an event or the test."""
        return self.open > 0 and self._busy == 0

    def _count(self, open_: int, busy: int) -> None:
        before = self.open > 0 and self._busy == 0
        self.open += open_
        self._busy += busy
        if (self.open > 0 and self._busy == 0) != before:
            self._on_change(self)


class Operation:
    """An operation that code waits for through the engine; busy when it opens."""

    __slots__ = ("_busy", "_open", "scope")

    def __init__(self, scope: Scope) -> None:
        self.scope = scope
        self._open = True
        self._busy = True
        scope._count(1, 1)

    def set_busy(self, busy: bool) -> None:
        """Say whether the operation is at work, or parked on a timer or an event."""
        if self._open and busy != self._busy:
            self._busy = busy
            self.scope._count(0, 1 if busy else -1)

    def close(self) -> None:
        """The operation is over: the code that waited for it goes on."""
        self._open = False
        self.scope._count(-1, -1 if self._busy else 0)


def context_for(scope: Scope) -> Context:
    """A copy of the running context whose code belongs to `scope`."""
    context = copy_context()
    context.run(current_scope.set, scope)
    context.run(in_service.set, False)  # a service may have created the instance
    return context
