"""The shop's database, with one cart in it."""

import pytest


async def a_cart(env):
    await env.DB.prepare("INSERT INTO carts (id, email, items) VALUES ('cart-1', 'ada@example.com', 2)").run()


@pytest.fixture
def workflow_seed():
    return a_cart
