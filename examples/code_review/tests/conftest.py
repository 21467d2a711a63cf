"""The Git server and the model."""

import pytest
import respx

from pytest_workflows import AiAnswers


@pytest.fixture
def workflow_bindings():
    return {"AI": AiAnswers({"@cf/qwen/qwen2.5-coder": {"findings": ["a name says nothing", "a test is missing"]}})}


@pytest.fixture
def git():
    with respx.mock(base_url="https://git.example.com", assert_all_called=False) as router:
        router.get("/pulls/17/diff", name="diff").respond(json={"text": "+ x = 1"})
        router.get("/policy", name="policy").respond(json={"text": "Names speak."})
        for name in ("comments", "merge", "close"):
            router.post(f"/pulls/17/{name}", name=name).respond(json={})
        yield router
