"""The platform's API: what it answers, in its own shapes, with its own codes."""

from .conftest import BASE

INSTANCES = f"{BASE}/orders/instances"


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
