"""The shop's stock. The database itself is there because the configuration declares it, with its migrations applied."""

import pytest


async def ten_packets_of_tea(env):
    await env.DB.prepare("INSERT INTO stock (sku, quantity) VALUES ('tea', 10)").run()


@pytest.fixture
def workflow_seed():
    return ten_packets_of_tea
