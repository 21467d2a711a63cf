"""The shop's database. `workflow_bindings` hands it to the Worker as `env.DB`, and the tests use it as well."""

from types import SimpleNamespace

import pytest


class Database:
    """D1 as far as the workflow uses it: one query, one table."""

    def __init__(self):
        self.carts = {}

    def prepare(self, sql):
        assert sql == "SELECT * FROM carts WHERE id = ?"
        return SimpleNamespace(bind=lambda cart_id: SimpleNamespace(first=lambda: self._read(cart_id)))

    async def _read(self, cart_id):
        return self.carts.get(cart_id)


@pytest.fixture
def database():
    return Database()


@pytest.fixture
def workflow_bindings(database):
    return {"DB": database}
