"""The platform's API: what it answers, in its own shapes, with its own codes."""

from __future__ import annotations

import asyncio
import inspect
import threading
from typing import Any
from urllib.parse import quote

import fastapi
import httpx
import pytest

from durable_engine import StoreError, decode
from pytest_workflows.control_plane import asking
from pytest_workflows.javascript.streams import ReadableStream
from pytest_workflows.workers.entrypoints import WorkflowEntrypoint

from .conftest import BASE, START_MS, client_of
from .serving import serving

INSTANCES = f"{BASE}/orders/instances"


class StreamWorkflow(WorkflowEntrypoint):
    """A step of it returns a stream."""

    async def run(self, event: Any, step: Any) -> None:
        @step.do("read")
        async def read() -> Any:
            return ReadableStream._of_bytes(b"\x00\xff bytes")

        await read()


class HalvesWorkflow(WorkflowEntrypoint):
    """Whatever it names, returns and raises has half of a pair of surrogates."""

    async def run(self, event: Any, step: Any) -> None:
        @step.do("half \ud83d")
        async def half() -> Any:
            return {"\ud83d": event["payload"]}

        await half()
        await step.wait_for_event("wait \ud83d", "approved")
        raise ValueError("half \ud83d")


async def test_an_instance_is_created_read_approved_and_complete(shop, client):
    created = await client.post(INSTANCES, json={"instance_id": "order-1", "params": '{"sku": "tea"}'})
    assert created.json()["result"]["id"] == "order-1"
    await shop.engine.advance("3 days")

    waiting = (await client.get(f"{INSTANCES}/order-1")).json()["result"]
    sent = await client.post(f"{INSTANCES}/order-1/events/approved", json={"by": "grace"})
    await shop.engine.run_until_idle()
    complete = (await client.get(f"{INSTANCES}/order-1")).json()["result"]

    assert (waiting["status"], waiting["params"], waiting["success"]) == ("waiting", {"sku": "tea"}, None)
    assert [step["name"] for step in waiting["steps"]] == [
        "check stock-1",
        "charge card-1",
        "cool down-1",
        "approval-1",
    ]
    assert sent.json()["result"]["instanceId"] == "order-1"
    assert (complete["status"], complete["output"]) == ("complete", '{"approved_by":"grace"}')


async def test_what_does_not_exist_is_the_platform_s_error_and_a_sentence(client):
    for path, code, sentence in (
        (f"{BASE}/reports", 10200, "There is no workflow 'reports'. The Worker has: 'orders'."),
        (f"{INSTANCES}/none", 10400, "The workflow 'orders' has no instance 'none', or has it no more."),
    ):
        answer = await client.get(path)

        assert answer.status_code == 404
        body = answer.json()
        assert (body["success"], body["result"], body["messages"]) == (False, None, [])
        assert [one["code"] for one in body["errors"]] == [code]
        assert body["errors"][0]["message"].endswith(sentence)


async def test_everything_else_goes_to_the_worker(client):
    assert (
        await client.post("/orders/b%2Fc?x=1", content=b"abc")
    ).text == "POST http://127.0.0.1:8787/orders/b%2Fc?x=1"


async def test_what_has_ended_takes_no_event_and_is_terminated_once(shop, client):
    await client.post(INSTANCES, json={"instance_id": "order-1"})
    status = f"{INSTANCES}/order-1/status"
    first = await client.patch(status, json={"status": "terminate"})
    again = await client.patch(status, json={"status": "terminate"})
    event = await client.post(f"{INSTANCES}/order-1/events/approved", json={})

    assert first.json()["result"]["status"] == "terminated"
    assert [(one.status_code, one.json()["errors"][0]["code"]) for one in (again, event)] == [
        (400, 10401),
        (400, 10403),
    ]
    assert "has ended (terminated), and takes no event any more" in event.json()["errors"][0]["message"]


async def test_params_may_be_left_out_and_be_a_value_and_be_null(shop, client):
    for number, body in enumerate(({}, {"params": "null"}, {"params": {"a": 1}}, {"params": '"text"'}, None)):
        await client.post(INSTANCES, json={**(body or {}), "instance_id": f"i{number}"})
    await client.post(INSTANCES)

    assert [decode(one.row.params) for one in shop.engine.instances] == [{}, None, {"a": 1}, "text", {}, {}]


async def test_numbers_are_those_of_javascript(shop, client):
    await client.post(
        INSTANCES, json={"instance_id": "n", "params": '{"big": 9007199254740993, "one": 1.0, "deep": [1e400]}'}
    )

    found = (await client.get(f"{INSTANCES}/n")).json()["result"]["params"]

    assert found == {"big": 9007199254740992, "one": 1, "deep": [None]}


async def test_the_id_of_a_cron_s_instance_has_slashes_and_is_found(shop, client):
    binding = shop.env.workflow_binding("orders")
    id = shop.engine.lifecycle.create_scheduled(binding.workflow, "*/5 * * * *", START_MS)

    answer = await client.get(f"{INSTANCES}/{quote(id, safe='')}")

    found = answer.json()["result"]
    assert found["trigger"] == {"source": "cron"}
    assert found["schedule"] == {"cron": "*/5 * * * *", "scheduledTime": START_MS}
    assert (await client.patch(f"{INSTANCES}/{quote(id, safe='')}/status", json={"status": "pause"})).status_code == 200


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"{", "The body is no JSON"),
        (b'{"params": NaN}', "params is no JSON"),
        (b"[]", "The body: Input should be a valid dictionary"),
        (b'{"instance_id": 1}', "instance_id in the body: Input should be a valid string"),
        (b'{"instance_retention": {"success_retention": "soon"}}', "retention"),
        (b'{"params": "' + b"[" * 600 + b"]" * 600 + b'"}', "nested more than 500 deep"),
    ],
)
async def test_a_body_that_is_not_as_it_must_be_is_400_in_words(shop, client, content, said):
    answer = await client.post(INSTANCES, content=content, headers={"content-type": "application/json"})

    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (400, 10004)
    assert said in answer.json()["errors"][0]["message"]
    assert shop.engine.instances == []


@pytest.mark.parametrize(
    "url",
    [f"{INSTANCES}/o/events/approved", "/cdn-cgi/local/explorer/api/workflows/orders/instances/o/events/approved"],
)
async def test_an_event_is_read_as_json_whatever_its_content_type_says(shop, client, url):
    await client.post(INSTANCES, json={"instance_id": "o", "params": {}})
    as_curl = {"content-type": "application/x-www-form-urlencoded"}

    refused = await client.post(url, content=b"by=Eve", headers=as_curl)
    sent = await client.post(url, content=b'{"by": "Eve"}', headers=as_curl)
    await shop.engine.run_until_idle()

    assert (refused.status_code, refused.json()["errors"][0]["code"]) == (400, 10004)
    assert "the payload is no JSON" in refused.json()["errors"][0]["message"]
    assert sent.status_code == 200
    instance = (await client.get(f"{INSTANCES}/o")).json()["result"]
    assert (instance["status"], instance["output"]) == ("complete", '{"approved_by":"Eve"}')


async def test_a_stream_s_bytes_are_the_step_s_output(shop):
    shop.env.override({"streams": StreamWorkflow})
    async with client_of(shop) as client:
        await client.post(f"{BASE}/streams/instances", json={"instance_id": "s"})
        await shop.engine.run_until_idle()

        whole = (await client.get(f"{BASE}/streams/instances/s")).json()["result"]
        output = await client.get(f"{BASE}/streams/instances/s/step?name=read-1&type=step")

    assert whole["steps"][0]["output"] == "[ReadableStream]"
    assert (output.headers["content-type"], output.content) == ("application/octet-stream", b"\x00\xff bytes")


async def test_where_nothing_can_be_stored_changes_are_refused_in_words_and_what_there_is_is_shown(
    shop, client, monkeypatch
):
    async def stored():
        raise StoreError("The disk is full.")

    monkeypatch.setattr(shop.engine.store, "stored", stored)

    refused = await client.post(INSTANCES, json={"instance_id": "order-1"})
    deleted = [
        await client.delete(f"{BASE}/orders"),
        await client.delete("/cdn-cgi/local/explorer/api/workflows/orders?all=true"),
    ]
    refused_again = await client.post(INSTANCES, json={"instance_id": "order-1"})
    listed = await client.get(INSTANCES)

    assert (refused.status_code, refused.json()["errors"][0]["code"]) == (503, 10001)
    assert refused.json()["errors"][0]["message"].endswith("The disk is full.")
    assert [one.status_code for one in deleted] == [503, 503]
    assert {one.headers["x-should-retry"] for one in (refused, refused_again, *deleted)} == {"false"}
    assert (listed.status_code, len(listed.json()["result"])) == (200, 1)


# -- a loop that does not give way -------------------------------------------------------------------------------------


def test_the_api_answers_in_words_while_the_worker_s_code_blocks_its_thread(monkeypatch):
    monkeypatch.setattr(asking, "PATIENCE", 0.2)
    go_on = threading.Event()
    with serving() as served:

        async def block():
            go_on.wait(10)  # the line that is to be named

        httpx.get(f"{served.url}{BASE}").raise_for_status()
        asyncio.run_coroutine_threadsafe(block(), served.shop.loop)
        answer = httpx.get(f"{served.url}{BASE}")
        change = httpx.post(f"{served.url}{INSTANCES}", json={})
        go_on.set()

        assert (answer.status_code, answer.json()["errors"][0]["code"]) == (503, 10001)
        assert "has not given way to the event loop for 0.2 seconds, at " in answer.json()["errors"][0]["message"]
        assert "test_platform_api.py:" in answer.json()["errors"][0]["message"]
        assert "x-should-retry" not in answer.headers
        assert (change.status_code, change.headers["x-should-retry"]) == (503, "false")
        assert change.json()["errors"][0]["message"].endswith("What was asked for may still be done then.")
        assert httpx.get(f"{served.url}{BASE}").status_code == 200


# -- texts that are no Unicode, and other oddities that were once an internal error -------------------------------------


def test_half_a_pair_of_surrogates_is_answered_as_javascript_writes_it():
    with serving(halves=HalvesWorkflow) as served:
        url = f"{served.url}{BASE}/halves/instances"
        local = f"{served.url}/cdn-cgi/local/explorer/api/workflows/halves/instances"
        body = b'{"instance_id": "one", "params": {"half": "\\ud83d"}}'
        made = httpx.post(url, content=body, headers={"content-type": "application/json"})
        served.run(served.shop.engine.settle())
        waiting, pages = httpx.get(f"{url}/one"), _pages_of(served.url)
        sent = httpx.post(f"{url}/one/events/approved", content=b'"\\ud83d"')
        served.run(served.shop.engine.settle())
        ended, its_local = httpx.get(f"{url}/one"), httpx.get(f"{local}/one")
        step = httpx.get(f"{url}/one/step", params={"name": "wait \\ud83d-1", "type": "waitForEvent"})

    for answer in (made, waiting, sent, ended, its_local, *pages):
        assert answer.status_code == 200, answer.text
    assert waiting.headers["workflows-outputs"] == "json"
    assert waiting.headers["content-type"] == "application/json"
    assert '"params":{"half":"\\ud83d"}' in waiting.text
    assert '"queued":"2026-03-02T09:00:00.000Z"' in waiting.text
    assert '"name":"half \\ud83d-1"' in its_local.text
    assert ended.json()["result"]["status"] == "errored"
    assert step.status_code == 404  # an address can hold no half of a pair


def _pages_of(url: str) -> list[httpx.Response]:
    """What the page asks of an instance."""
    asked = ("instance?workflow=halves&id=one", "test?workflow=halves&id=one", "graph?workflow=halves")
    return [httpx.get(f"{url}/__workflows/api/{path}") for path in (*asked, "instances", "numbers", "overview")]


@pytest.mark.parametrize("moment", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"])
async def test_a_moment_before_the_first_year_or_after_the_last_one_is_refused(client, moment):
    answer = await client.get(INSTANCES, params={"date_start": moment})

    assert answer.status_code == 400
    assert "in UTC it is not within the years 1 to 9999" in answer.json()["errors"][0]["message"]


async def test_a_retention_that_is_no_duration_is_refused(client):
    body = {"class_name": "OrderWorkflow", "script_name": "worker", "default_retention": {"error_retention": "soon"}}
    answer = await client.put(f"{BASE}/orders", json=body)

    assert answer.status_code == 400
    assert "A retention is 'soon', which is not a duration." in answer.json()["errors"][0]["message"]


@pytest.mark.skipif(
    "strict_content_type" not in inspect.signature(fastapi.FastAPI.__init__).parameters,
    reason="an earlier FastAPI takes it for JSON",
)
async def test_a_body_that_says_nothing_of_its_type_is_told_so(client):
    answer = await client.post(INSTANCES, content='{"params": 1}')

    assert answer.status_code == 400
    assert "The body does not say that it is JSON: send it with" in answer.json()["errors"][0]["message"]


async def test_a_conflict_is_not_asked_for_again_by_the_platform_s_client(client):
    answer = await client.put(f"{BASE}/orders", json={"class_name": "Other", "script_name": "worker"})

    assert (answer.status_code, answer.headers["x-should-retry"]) == (409, "false")
