"""The Git server and the model."""

from unittest.mock import AsyncMock

import pytest
import respx


@pytest.fixture
def model():
    return AsyncMock(**{"run.return_value": {"findings": ["a name says nothing", "a test is missing"]}})


@pytest.fixture
def workflow_bindings(model):
    return {"AI": model}


@pytest.fixture
def git():
    with respx.mock(base_url="https://git.example.com", assert_all_called=False) as router:
        router.get("/pulls/17/diff", name="diff").respond(json={"text": "+ x = 1"})
        router.get("/policy", name="policy").respond(json={"text": "Names speak."})
        for name in ("comments", "merge", "close"):
            router.post(f"/pulls/17/{name}", name=name).respond(json={})
        yield router
