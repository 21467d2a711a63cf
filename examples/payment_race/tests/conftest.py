"""The warehouse and the bank, which a Worker reaches through bindings of its own."""

from unittest.mock import AsyncMock

import pytest


@pytest.fixture
def warehouse():
    return AsyncMock(**{"ship.return_value": "shipped"})


@pytest.fixture
def bank():
    return AsyncMock(**{"refund.return_value": "refunded"})


@pytest.fixture
def workflow_bindings(warehouse, bank):
    return {"WAREHOUSE": warehouse, "BANK": bank}
