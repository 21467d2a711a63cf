"""What a Worker uses in a test and nobody provides: noted, refused where it is a connection, and raised in time."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pytest_workflows import active_test

if TYPE_CHECKING:
    from durable_engine import Engine
    from pytest_workflows.bindings.unprovided import UseNoter
    from pytest_workflows.errors import UnprovidedError

    from .run_setup import RunSetup


class UnprovidedUses:
    """The uses of what nobody provides, in one test.

    Args:
        setup: The test's run.
        early: What the Worker's module used while it was imported for pytest's collection: the first test that has an
            engine takes it out of this list.
    """

    def __init__(self, setup: RunSetup, early: list[UnprovidedError]) -> None:
        self._setup = setup
        self._early = early
        self._noter: UseNoter | None = None

    def attach(self, engine: Engine) -> None:
        """Keep the Worker's uses of unprovided things, and let it open no connections."""
        from pytest_workflows.bindings.http_clients import http_clients
        from pytest_workflows.bindings.sockets import sockets
        from pytest_workflows.bindings.unprovided import UseNoter

        sources, settings = self._setup.sources, self._setup.settings
        engine.unprovided.has_reached_test = sources.was_caught_elsewhere
        keep = engine.pending_errors.keep_unprovided
        noter = UseNoter(sources, self._setup.rootdir, keep)
        active_test.set_uses(noter)
        if settings.unprovided == "error":
            while self._early:
                keep(self._early.pop(0))
        self._noter = noter
        http_clients.enter(noter)
        if not settings.allow_network:
            sockets.enter(noter)

    def close(self) -> None:
        """Let connections be opened again. Closing twice is fine."""
        if self._noter is not None:
            from pytest_workflows.bindings.http_clients import http_clients
            from pytest_workflows.bindings.sockets import sockets

            sockets.leave(self._noter)
            http_clients.leave(self._noter)
            self._noter = None

    @staticmethod
    def check(engine: Engine, failure: BaseException | None = None) -> None:
        """Raise what was used and not provided, unless the test got it already.

        Args:
            engine: The test's engine.
            failure: What the test failed with, for which such a use may be the cause. One that says itself what was not
                provided gets a note of the others.
        """
        __tracebackhide__ = True
        from pytest_workflows.errors import UnprovidedError

        pending = engine.unprovided.pending
        if not pending:
            return
        first = failure if isinstance(failure, UnprovidedError) else pending[0]
        for error in pending:
            engine.unprovided.report(error)
            if error is not first:
                first.add_note(f"\nAnd {type(error).__name__}: {error}")
        if first is not failure:
            comes_of_it = engine.unprovided.find(failure) is first
            raise first from None if comes_of_it else failure


def ends_the_test(failure: BaseException) -> bool:
    """Whether a failure is a test's own, and not pytest's or the user's wish to end the session."""
    return isinstance(failure, Exception | pytest.fail.Exception) and not isinstance(failure, pytest.exit.Exception)
