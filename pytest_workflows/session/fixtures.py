"""Thin fixtures; all are synchronous, and bind to the running event loop at the first await."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, cast

import pytest

from pytest_workflows.first_use import note_first_use

if TYPE_CHECKING:
    from durable_engine import Engine
    from pytest_workflows.introspection.clock import WorkflowClock
    from pytest_workflows.workers.environment import EnvProxy

    from .on_target import TestOnTarget
    from .serving.workflow_server import WorkflowServer
    from .testrun import TestRun
    from .worker import WorkflowWorker, WorkflowWorkers


@pytest.fixture
def workflow_bindings() -> Mapping[str, Any]:
    """Bindings to add to the configured ones, or to replace them by; empty until you override it in conftest.py.

    A subclass of `WorkflowEntrypoint` becomes a workflow binding, one of `WorkerEntrypoint` a service binding, one of
    `DurableObject` a namespace; any other value is handed over as it is.
    """
    return {}


@pytest.fixture
def workflow_seed() -> Callable[[EnvProxy], Awaitable[None]] | None:
    """What every test starts from: an async function that fills the stores of `env`; None until you override it.

    The function runs once a process, before the first test that needs it, and each test gets a copy of what it left.
    """
    return None


@pytest.fixture
def workflow_env(request: pytest.FixtureRequest, workflow_bindings: Mapping[str, Any], workflow_seed: Any) -> EnvProxy:
    """The bindings that the Worker gets as `env`; `workers.env` is the same object."""
    from pytest_workflows.workers.environment import env

    target = _target(request)
    if target is not None:
        target.check(workflow_bindings, workflow_seed)
    else:
        _test_run(request).override(workflow_bindings, workflow_seed)
    return env


@pytest.fixture
def workflow_worker(request: pytest.FixtureRequest, workflow_env: EnvProxy) -> WorkflowWorker:
    """The Worker's default entrypoint: `await workflow_worker.fetch("https://example.com/...")`."""
    target = _target(request)
    if target is not None:
        from .worker_on_target import WorkerOnTarget

        return cast("WorkflowWorker", WorkerOnTarget(target.worker))
    from .worker import WorkflowWorker

    return WorkflowWorker(_test_run(request))


@pytest.fixture
def workflow_workers(request: pytest.FixtureRequest, workflow_env: EnvProxy) -> WorkflowWorkers:
    """The Workers of the repository by their names: `await workflow_workers["billing"].fetch("/bills")`."""
    from .worker import WorkflowWorkers

    return WorkflowWorkers(_test_run(request))


@pytest.fixture
def workflow_clock(request: pytest.FixtureRequest) -> WorkflowClock:
    """The virtual clock: `.now`, `await .advance("3 days")`, `await .travel_to(datetime)`."""
    from pytest_workflows.introspection.clock import WorkflowClock

    test_run = _test_run(request)
    return WorkflowClock(lambda: test_run.engine)


@pytest.fixture
def workflow_engine(request: pytest.FixtureRequest, workflow_env: EnvProxy) -> Engine:
    """The engine of this test: `.bindings`, `.instances`, `await .run_until_idle()`."""
    test_run = _test_run(request)
    test_run.env.workflows.bind_all()
    return test_run.engine


@pytest.fixture
def workflow_server(request: pytest.FixtureRequest, workflow_env: EnvProxy) -> Iterator[WorkflowServer]:
    """The Worker, served at an address of its own: `.url`, `.api_url` for the platform's client, `.page_url`."""
    from .serving.workflow_server import WorkflowServer

    server = WorkflowServer(_test_run(request))
    try:
        yield server
    finally:
        server.close()


def _target(request: pytest.FixtureRequest) -> TestOnTarget | None:
    from .session import SESSION

    note_first_use()
    target = request.config.stash[SESSION].target
    return None if target is None else target.test


def _test_run(request: pytest.FixtureRequest) -> TestRun:
    """The run of the test.

    Raises:
        NotOnTargetError: If there is no engine, and a fixture wants one.
    """
    from .session import SESSION

    if _target(request) is not None:
        from pytest_workflows.target.errors import NotOnTargetError

        raise NotOnTargetError(f"The fixture {request.fixturename}")
    test_run = request.config.stash[SESSION].test_run
    assert test_run is not None
    return test_run
