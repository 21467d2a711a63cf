"""What a stand-in gets of its test: time, chance, the configuration, and the Worker's own classes."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from random import Random
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

if TYPE_CHECKING:
    from pytest_workflows.project.binding_config import BindingConfig
    from pytest_workflows.project.wrangler import WranglerConfig

    from .stores import Stores

T = TypeVar("T")


class TimerHandle(Protocol):
    """A timer that has not fired."""

    def cancel(self) -> None:
        """Take it back."""


class Host(Protocol):
    """The test, as its stand-ins see it.

    Attributes:
        stores: The test's stores.
        random: Chance, from the test's seed: for ids that the platform makes.
    """

    stores: Stores
    random: Random

    @property
    def config(self) -> WranglerConfig | None:
        """The configuration; None where there is none."""

    def now_ms(self) -> int:
        """The virtual time, in milliseconds since 1970."""

    def is_on(self, flag: str, since: str) -> bool:
        """Whether a compatibility flag is on, by its name or by the compatibility date.

        Args:
            flag: `"queue_consumer_..."`; `no_` before it turns it off.
            since: The date from which it holds by itself.
        """

    def qualified(self, name: str) -> str:
        """A name of this Worker's, told apart from the same name of another Worker's: `billing/Counter`.

        What the account names, such as a bucket, is the same for all Workers and needs none.
        """

    def words(self, what: str) -> str:
        """The words for something of the Worker's, in reports; of the test's own Worker as they are."""

    def consumer_of(self, queue: str) -> Host:
        """The host of the Worker that consumes a queue; itself, where no other Worker does."""

    def same(self, kind: str, matches: Callable[[BindingConfig], bool]) -> list[BindingConfig]:
        """The bindings of all known Workers to a resource.

        Args:
            kind: What it is, as the configuration has it: `d1_databases`.
            matches: Whether a binding is to that one.
        """

    def timer(
        self, due_ms: int, callback: Callable[[], Awaitable[None]], what: str, *, round: int | None = None
    ) -> TimerHandle:
        """Have something done at a virtual time; while it is being done, time stands still.

        Time moves to it in waits of the test, in `advance` and `run_until_idle`, and no later than in real time. It is
        done in a task of its own, in no instance's name; what it raises is the test's, and it has as long as a wait.

        Args:
            due_ms: When, in milliseconds since 1970; a time in the past is now.
            callback: Does it. It catches what the platform catches of the Worker's code (`is_tests` is never that).
            what: What it is, at the start of a sentence: `The alarm of COUNTER (object 1a2b…)`.
            round: How many timers led to this one, each set by the call that the one before it made, which bounds what
                sets itself off anew: `round()` and one more by default.
        """

    def spawn(self, work: Coroutine[Any, Any, Any], what: str) -> asyncio.Task[Any]:
        """Run something now, in a task of its own and in no instance's name; while it runs, time stands still.

        Args:
            work: What to run.
            what: What it is, at the start of a sentence.
        """

    def wait(self, awaitable: Awaitable[T], what: str) -> Awaitable[T]:
        """What code of the test awaits in place of something: a wait, in which time may move, and which is bounded.

        Args:
            awaitable: What is awaited; the Worker's own code awaits it as it is.
            what: Names the code that is waited for, at the start of a sentence.
        """

    def round(self) -> int:
        """How many timers led to the running code, each set by the call that the one before it made."""

    def is_tests(self, error: BaseException) -> bool:
        """Whether an exception of the Worker's code is the test's: no stand-in may catch it for the platform's sake."""

    def warn(self, rule: str, problem: str, place: tuple[str, int] | None = None) -> None:
        """Report a finding at the Worker's line that is being executed.

        Args:
            rule: The rule's name.
            problem: What is wrong, for a reader.
            place: Another place, as file and line.
        """

    def place(self) -> tuple[str, int]:
        """The file and line of the Worker's code that is being executed; the test's, where none is."""

    def export(self, name: str | None) -> type | None:
        """A class of the Worker's main module: its default entrypoint for None; None where there is no such class."""

    def make_entrypoint(self, name: str | type | None, props: Any) -> Any:
        """An entrypoint of the Worker, as each call gets one: the default one for None.

        Args:
            name: The class, or its name.
            props: What its `ctx.props` is.
        """

    def has_handler(self, kind: str, entrypoint: str | type | None = None) -> bool:
        """Whether there is a handler of the Worker.

        Args:
            kind: `fetch`, `queue`, `scheduled`, `email` or `tail`.
            entrypoint: The class that would have it, or its name; None for the Worker's default entrypoint.
        """

    def exports(self) -> Any:
        """What the Worker exports, `ctx.exports`; None where the compatibility date has no such thing."""

    async def deliver_batch(self, controller: Any, entrypoint: str | type | None = None) -> Any:
        """Give a batch to a queue handler.

        Args:
            controller: The batch (`QueueController`).
            entrypoint: The class that has it, or its name; None for the Worker's default entrypoint.

        Returns:
            What the handler says of it (`Answer`); that it raised is in there.
        """

    async def call_handler(self, kind: str, argument: Any, entrypoint: str | type | None = None) -> str:
        """Call a handler of the Worker for its outcome; what it raises is told in the log, as on the platform.

        Args:
            kind: `queue`, `scheduled`, `email` or `tail`.
            argument: Its first argument, of JavaScript.
            entrypoint: The class that has it, or its name; None for the Worker's default entrypoint.

        Returns:
            `ok` or `exception`.
        """

    def env(self) -> Any:
        """The Worker's `env`."""
