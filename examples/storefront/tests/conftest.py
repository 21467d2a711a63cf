"""What every test starts from: a few products, a bank and a mail service."""

import json

import pytest
import respx

PRODUCTS = [("coffee", "Coffee", 900, 5), ("tea", "Tea", 625, 10)]


async def fill_the_shelves(env):
    insert = env.DB.prepare("INSERT INTO products (sku, name, price, stock) VALUES (?, ?, ?, ?)")
    await env.DB.batch([insert.bind(*product) for product in PRODUCTS])


@pytest.fixture
def workflow_seed():
    """Runs once; each test starts from a copy of what it left."""
    return fill_the_shelves


@pytest.fixture(autouse=True)
def remote():
    with respx.mock(assert_all_called=False) as router:
        router.post("https://pay.example.com/charges", name="charge").respond(json={"id": "ch_1"})
        router.post("https://mail.example.com/send", name="mail").respond(json={})
        yield router


@pytest.fixture
def mails(remote):
    """The mails so far, as the mail service sent them: it knows a second call for the first by its key."""

    def mails():
        sent = {call.request.headers["idempotency-key"]: call.request.content for call in remote["mail"].calls}
        return [json.loads(content)["text"] for content in sent.values()]

    return mails


@pytest.fixture
def order(workflow_worker):
    """Fills a basket and checks it out: the order's number."""

    async def order(sku="tea", quantity=2, customer="ada@example.com"):
        await workflow_worker.fetch(f"/baskets/{customer}/{sku}", method="PUT", json={"quantity": quantity})
        response = await workflow_worker.fetch(f"/baskets/{customer}/checkout", method="POST", json={"card": "tok"})
        return (await response.json())["number"]

    return order


@pytest.fixture
def get(workflow_worker):
    async def get(path):
        return await (await workflow_worker.fetch(path)).json()

    return get
