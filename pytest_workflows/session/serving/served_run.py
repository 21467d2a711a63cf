"""One run of a test as the control plane sees it: its engine, its bindings, and its loop."""

from __future__ import annotations

import asyncio
import contextlib
import uuid
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from pytest_workflows.control_plane.served import Fired, Version
from pytest_workflows.session.worker import WorkflowWorker

from .requests import current_request

if TYPE_CHECKING:
    from durable_engine import Engine
    from pytest_workflows.bindings.env_resolver import EnvResolver
    from pytest_workflows.session.testrun import TestRun
    from pytest_workflows.workers import Request, Response

_NAMES = uuid.UUID("6e9ff1d6-1d3c-5b8f-9d0b-2f0c8f5d6b11")
"""The namespace of the versions' ids."""


class ServedRun:
    """The Worker of one run of a test. It is a `Served`.

    Args:
        test_run: The run.

    Attributes:
        is_live: False: time is virtual, and nothing is kept.
    """

    is_live = False

    def __init__(self, test_run: TestRun) -> None:
        self._test_run = test_run
        self._worker = WorkflowWorker(test_run)

    @property
    def engine(self) -> Engine:
        """The engine of the test; each example of a property test has another one."""
        return self._test_run.engine

    @property
    def env(self) -> EnvResolver:
        """The bindings of the test's Worker."""
        return self._test_run.env

    @property
    def loop(self) -> asyncio.AbstractEventLoop:
        """The loop of the test."""
        return self.engine.loop

    @property
    def versions(self) -> Sequence[Version]:
        """The one version that a test has, from the time at which its clock began."""
        project = self._test_run.project
        name = "" if project is None else str(project.path)
        return (Version(1, str(uuid.uuid5(_NAMES, name)), self.engine.clock.started_ms),)

    async def fetch(self, request: Request) -> Response:
        """Call the Worker's fetch handler. On `loop`."""
        with self._in_worker():
            return await self._worker.fetch(request)

    async def scheduled(self, cron: str, scheduled_time: float) -> Fired:
        """Fire a cron trigger: its workflows are started, and the scheduled handler is called. On `loop`."""
        try:
            with self._in_worker():
                await self._worker.scheduled(cron=cron, scheduled_time=scheduled_time)
        except Exception:
            return Fired("exception")
        return Fired("ok")

    @contextlib.contextmanager
    def _in_worker(self) -> Iterator[None]:
        """A block in which the Worker's code runs; what it raises for the test is the test's."""
        request = current_request.get()
        try:
            with contextlib.nullcontext() if request is None else request.in_worker():
                yield
        except (KeyboardInterrupt, SystemExit):
            raise
        except self.engine.passthrough as error:
            self.engine.abort(error)
            raise RuntimeError(f"The test has ended: {error}") from None
