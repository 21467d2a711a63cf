"""The model and the shop."""

import json

import httpx
import pytest
import respx


class Model:
    """Workers AI: lists what was wanted, and says what it was asked."""

    def __init__(self):
        self.prompts = []

    async def run(self, model, inputs):
        self.prompts.append(inputs["prompt"])
        return {"items": ["milk", "bread"]}


@pytest.fixture
def model():
    return Model()


@pytest.fixture
def workflow_bindings(model):
    return {"AI": model}


@pytest.fixture
def shop():
    def take(request):
        assert json.loads(request.content) == {"items": ["milk", "bread"]}
        return httpx.Response(200, json={"order": request.headers["idempotency-key"]})

    with respx.mock(assert_all_called=False) as router:
        yield router.post("https://shop.example.com/orders").mock(side_effect=take)


@pytest.fixture
def say(workflow_worker):
    async def say(event_type, **payload):
        await workflow_worker.fetch(f"/home/{event_type}", method="POST", json=payload)

    return say
