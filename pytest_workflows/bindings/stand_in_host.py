"""The test as its stand-ins see it: the engine's clock, chance from its seed, the project's configuration."""

from __future__ import annotations

import asyncio
import dis
import os
from collections.abc import Awaitable, Callable, Coroutine
from random import Random
from typing import TYPE_CHECKING, Any, TypeVar

from durable_engine import hide_frames
from pytest_workflows import standins
from pytest_workflows.active_test import Handler, running_handler, running_worker
from pytest_workflows.errors import WorkflowConfigError
from pytest_workflows.project.wrangler import is_flag_on
from pytest_workflows.standins.entropy import PlatformRandom
from pytest_workflows.standins.handler_calls import log
from pytest_workflows.standins.host import Host, TimerHandle
from pytest_workflows.standins.stores import StoreKeeper, Stores

from .handlers import HandlerArgumentsError, Handlers

if TYPE_CHECKING:
    from durable_engine import Engine
    from pytest_workflows.project.binding_config import BindingConfig
    from pytest_workflows.project.worker_project import Project
    from pytest_workflows.project.wrangler import WranglerConfig
    from pytest_workflows.sources.worker_code import Sources

    from .worker_group import Member

hide_frames(os.path.dirname(standins.__file__) + os.sep)

T = TypeVar("T")


class StandInHost:
    """The host of one test's stand-ins (`standins.host.Host`).

    Args:
        project: The worker project; None where no configuration was found.
        engine: Gives the test's engine.
        handlers: The Worker's handlers.
        sources: Gives what is the source of the Workers under test.
        member: The Worker's place among those of the test.
        template: The stores that a seed has left, of which the test gets a copy.
        keeper: Where contents outlive the process; None for in memory only.
    """

    def __init__(
        self,
        project: Project | None,
        engine: Callable[[], Engine],
        handlers: Handlers,
        sources: Callable[[], Sources],
        member: Member,
        template: Stores | None = None,
        keeper: StoreKeeper | None = None,
    ) -> None:
        self._member = member
        self._project = project
        self._engine = engine
        self.handlers = handlers
        self._sources = sources
        self.stores: Stores
        self.random: Random
        if member.name:
            self.stores, self.random = member.group.own_host.stores, member.group.own_host.random
        else:
            self.stores, self.random = Stores(template, keeper), PlatformRandom(engine().seed)

    @property
    def config(self) -> WranglerConfig | None:
        """The configuration; None where there is none."""
        return None if self._project is None else self._project.config

    def now_ms(self) -> int:
        """The virtual time, in milliseconds since 1970."""
        return self._engine().clock.now_ms

    def is_on(self, flag: str, since: str) -> bool:
        """Whether a compatibility flag is on, by its name or by the compatibility date."""
        return is_flag_on(self.config, flag, since)

    def qualified(self, name: str) -> str:
        """A name of this Worker's, told apart from the same name of another Worker's."""
        return self._member.qualified(name)

    def words(self, what: str) -> str:
        """The words for something of the Worker's, in reports."""
        return self._member.words(what)

    def consumer_of(self, queue: str) -> Host:
        """The host of the Worker that consumes a queue; itself, where no other Worker does."""
        return self._member.group.consumer_of(queue, self._member)

    def same(self, kind: str, matches: Callable[[BindingConfig], bool]) -> list[BindingConfig]:
        """The bindings of all Workers to a resource."""
        return list(self._member.group.same(kind, matches))

    def timer(
        self, due_ms: int, callback: Callable[[], Awaitable[None]], what: str, *, round: int | None = None
    ) -> TimerHandle:
        """Have something done at a virtual time."""
        engine = self._engine()
        timer = _Timer(
            lambda: engine.worker_calls.call_at(due_ms, callback, what, setup=self._in_handler(what), round=round)
        )
        engine.once_on_loop(timer.set)  # later for the alarms that a seed has set, where a fixture sees them first
        return timer

    def spawn(self, work: Coroutine[Any, Any, Any], what: str) -> asyncio.Task[Any]:
        """Run something now, in no instance's name."""
        return self._engine().worker_calls.spawn(work, what, setup=self._in_handler(what))

    def _in_handler(self, what: str) -> Callable[[], object]:
        def enter() -> None:
            running_handler.set(Handler(what))
            running_worker.set(self._member.running)

        return enter

    def wait(self, awaitable: Awaitable[T], what: str) -> Awaitable[T]:
        """What code of the test awaits in place of something: a wait, in which time may move, and which is bounded."""
        from durable_engine import call_bounded, current_scope, running_call

        if current_scope.get() is not None or running_call() is not None:
            return awaitable
        return call_bounded(self._engine(), what, lambda: awaitable)

    def round(self) -> int:
        """How many timers led to the running code, each set by the call that the one before it made."""
        return self._engine().worker_calls.round()

    def is_tests(self, error: BaseException) -> bool:
        """Whether an exception of the Worker's code is the test's, and not the platform's to catch."""
        from pytest_workflows.errors import UnprovidedError

        if isinstance(error, KeyboardInterrupt | SystemExit):
            return not is_raised_by_code(error)
        return isinstance(error, (*self._engine().passthrough, UnprovidedError))

    def warn(self, rule: str, problem: str, place: tuple[str, int] | None = None) -> None:
        """Report a finding at the Worker's line that is being executed, or the test's."""
        from durable_engine import current_scope

        scope = current_scope.get()
        self._engine().findings.add(
            rule,
            problem.removesuffix("."),
            place or self.place(),
            step=None if scope is None or scope.step is None else scope.step.label,
            workflow=None if scope is None else scope.instance.workflow.name,
            about=problem,
        )

    def deployed(self) -> None:
        """Another version of the Worker is deployed: its Durable Objects are made anew.

        Source: Cloudflare's documentation of Durable Objects, which names the error of the calls that are under way.
        """
        from pytest_workflows.javascript.objects import js_error
        from pytest_workflows.standins.object_store import ObjectStore

        for _, store in self.stores.items():  # noqa: PERF102 (no dict)
            if isinstance(store, ObjectStore):
                store.reset(js_error("Error", "Durable Object reset because its code was updated."))

    def export(self, name: str | None) -> type | None:
        """A class of the Worker's main module: its default entrypoint for None; None where there is no such class."""
        return self.handlers.entrypoint(name)

    def make_entrypoint(self, name: str | type | None, props: Any) -> Any:
        """An entrypoint of the Worker, as each call gets one: the default one for None."""
        return self.handlers.make_named(name, props)

    def has_handler(self, kind: str, entrypoint: str | type | None = None) -> bool:
        """Whether there is a handler of the Worker."""
        return self.handlers.has(kind, entrypoint)

    def exports(self) -> Any:
        """What the Worker exports, `ctx.exports`; None where the compatibility date has no such thing."""
        return getattr(self.handlers.context(), "exports", None)

    async def deliver_batch(self, controller: Any, entrypoint: str | type | None = None) -> Any:
        """Give a batch to a consumer; what it raises is told in the log, as on the platform."""
        answer = controller._answer
        answer.outcome = await self.call_handler("queue", controller, entrypoint)
        return answer

    async def call_handler(self, kind: str, argument: Any, entrypoint: str | type | None = None) -> str:
        """Call a handler for its outcome; what it raises is told in the log, as on the platform."""
        try:
            handler = self.handlers.find(kind, entrypoint)
            await self.handlers.call(handler, argument)
        except BaseException as error:
            if self.is_tests(error) or (isinstance(error, WorkflowConfigError) and entrypoint is None):
                raise
            if isinstance(error, HandlerArgumentsError):
                self.warn("handler-arguments", error.problem, error.place)
            log(self._what_runs() or f"The {kind} handler", error)
            return "exception"
        return "ok"

    @staticmethod
    def _what_runs() -> str | None:
        from durable_engine import running_call

        call = running_call()
        return None if call is None else call.what

    def place(self) -> tuple[str, int]:
        """The Worker's line that is being executed, or the test's."""
        from durable_engine import place_of_user

        return self._sources().place_of_caller() or place_of_user()

    def env(self) -> Any:
        """The Worker's `env`."""
        from pytest_workflows.workers.environment import env

        return env


class _Timer:
    """A timer that may be set later than it is made.

    Args:
        set: Sets it.
    """

    def __init__(self, set: Callable[[], TimerHandle]) -> None:
        self._set = set
        self._handle: TimerHandle | None = None
        self._is_cancelled = False

    def set(self) -> None:
        """Set it, where it is not cancelled."""
        if not self._is_cancelled:
            self._handle = self._set()

    def cancel(self) -> None:
        """Take it back."""
        self._is_cancelled = True
        if self._handle is not None:
            self._handle.cancel()


def is_raised_by_code(error: BaseException) -> bool:
    """Whether a `raise` statement raised an exception, and no signal: a Ctrl-C comes anywhere."""
    traceback = error.__traceback__
    while traceback is not None and traceback.tb_next is not None:
        traceback = traceback.tb_next
    if traceback is None:
        return False
    return dis.opname[traceback.tb_frame.f_code.co_code[traceback.tb_lasti]] == "RAISE_VARARGS"
