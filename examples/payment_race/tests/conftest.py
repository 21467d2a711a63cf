"""The Workers of the warehouse and of the bank, which are elsewhere: a class stands in for each."""

import pytest
from workers import WorkerEntrypoint

from pytest_workflows import calls_of


class Warehouse(WorkerEntrypoint):
    async def ship(self, order):
        return "shipped"


class Bank(WorkerEntrypoint):
    async def refund(self, way, amount, options):
        return "refunded"


@pytest.fixture
def workflow_bindings():
    return {"WAREHOUSE": Warehouse, "BANK": Bank}


@pytest.fixture
def shipped(workflow_env):
    """The orders that the warehouse was asked to ship; asked twice, it ships once."""
    return lambda: {call.args[0] for call in calls_of(workflow_env.WAREHOUSE)}


@pytest.fixture
def refunds(workflow_env):
    """What the bank was asked to give back, by key: it knows a second call for the first."""
    return lambda: {call.kwargs["idempotency_key"]: call.args for call in calls_of(workflow_env.BANK)}
