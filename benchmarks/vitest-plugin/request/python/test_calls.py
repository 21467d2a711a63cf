import pytest


@pytest.mark.parametrize("number", range(100))
async def test_one_query_and_one_put(workflow_worker, number):
    response = await workflow_worker.fetch("https://example.com/")
    assert await response.text() == "a1"
