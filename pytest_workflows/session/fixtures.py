"""Thin fixtures; all are synchronous, and bind to the running event loop at the first await.

Each test of workflows pays for what pytest does to set them up. So those that tests ask for take no `request`, which
pytest makes anew for each fixture; and those that are there to be overridden, in whatever scope, are the session's.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, cast

import pytest

from pytest_workflows.first_use import note_first_use

if TYPE_CHECKING:
    from durable_engine import Engine
    from pytest_workflows.introspection.clock import WorkflowClock
    from pytest_workflows.workers.environment import EnvProxy

    from .running_target import RunningTarget
    from .serving.workflow_server import WorkflowServer
    from .testrun import TestRun
    from .worker import WorkflowWorker, WorkflowWorkers


@pytest.fixture(scope="session")
def workflow_bindings() -> Mapping[str, Any]:
    """Bindings to add to the configured ones, or to replace them by; empty until you override it in conftest.py.

    A subclass of `WorkflowEntrypoint` becomes a workflow binding, one of `WorkerEntrypoint` a service binding, one of
    `DurableObject` a namespace; any other value is handed over as it is.
    """
    target = _target()
    return _test_run("workflow_bindings").given if target is None else target.given


@pytest.fixture(scope="session")
def workflow_seed() -> Callable[[EnvProxy], Awaitable[None]] | None:
    """What every test starts from: an async function that fills the stores of `env`; None until you override it.

    The function runs once a process, before the first test that needs it, and each test gets a copy of what it left.
    """
    return None


@pytest.fixture
def workflow_env(workflow_bindings: Mapping[str, Any], workflow_seed: Any) -> EnvProxy:
    """The bindings that the Worker gets as `env`; `workers.env` is the same object."""
    from pytest_workflows.workers.environment import env

    target = _target()
    if target is not None:
        target.check(workflow_bindings, workflow_seed)
    else:
        _test_run("workflow_env").override(workflow_bindings, workflow_seed)
    return env


@pytest.fixture
def workflow_worker(workflow_env: EnvProxy) -> WorkflowWorker:
    """The Worker's default entrypoint: `await workflow_worker.fetch("https://example.com/...")`."""
    target = _target()
    if target is not None:
        from .worker_on_target import WorkerOnTarget

        return cast("WorkflowWorker", WorkerOnTarget(target.worker))
    from .worker import WorkflowWorker

    return WorkflowWorker(_test_run("workflow_worker"))


@pytest.fixture
def workflow_workers(workflow_env: EnvProxy) -> WorkflowWorkers:
    """The Workers of the repository by their names: `await workflow_workers["billing"].fetch("/bills")`."""
    from .worker import WorkflowWorkers

    return WorkflowWorkers(_test_run("workflow_workers"))


@pytest.fixture
def workflow_clock() -> WorkflowClock:
    """The virtual clock: `.now`, `await .advance("3 days")`, `await .travel_to(datetime)`."""
    from pytest_workflows.introspection.clock import WorkflowClock

    test_run = _test_run("workflow_clock")
    return WorkflowClock(lambda: test_run.engine)


@pytest.fixture
def workflow_engine(workflow_env: EnvProxy) -> Engine:
    """The engine of this test: `.bindings`, `.instances`, `await .run_until_idle()`."""
    test_run = _test_run("workflow_engine")
    test_run.env.workflows.bind_all()
    return test_run.engine


@pytest.fixture
def workflow_server(workflow_env: EnvProxy) -> Iterator[WorkflowServer]:
    """The Worker, served at an address of its own: `.url`, `.api_url` for the platform's client, `.page_url`."""
    from .serving.workflow_server import WorkflowServer

    server = WorkflowServer(_test_run("workflow_server"))
    try:
        yield server
    finally:
        server.close()


def _target() -> RunningTarget | None:
    from .running_target import running_target

    return running_target()


def _test_run(fixture: str) -> TestRun:
    """The run of the test.

    Args:
        fixture: The fixture that wants it.

    Raises:
        NotOnTargetError: If there is none, since the tests run on a target.
    """
    note_first_use()
    if _target() is not None:
        from pytest_workflows.target.errors import NotOnTargetError

        raise NotOnTargetError(f"The fixture {fixture}")
    from .testrun import running_test

    return running_test()
