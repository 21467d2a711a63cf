"""The model and the shop."""

import json

import httpx
import pytest
import respx

from pytest_workflows import AiAnswers, calls_of


@pytest.fixture
def workflow_bindings():
    return {"AI": AiAnswers({"@cf/meta/llama-3.1-8b-instruct": {"items": ["milk", "bread"]}})}


@pytest.fixture
def prompts(workflow_env):
    """What the model was asked so far."""
    return lambda: [call.args[1]["prompt"] for call in calls_of(workflow_env.AI)]


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
