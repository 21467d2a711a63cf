"""The shop, as its customers and its neighbours see it: by HTTP, and by what is in its bindings afterwards."""

import json

import pytest

from pytest_workflows import introspect_workflow, introspect_workflow_instance


async def stock_of(env, sku):
    return await env.DB.prepare("SELECT stock FROM products WHERE sku = ?").bind(sku).first("stock")


# -- products ----------------------------------------------------------------------------------------------------------


async def test_the_list_of_products_is_cached_for_a_minute(workflow_env, workflow_clock, get):
    assert [product["sku"] for product in await get("/products")] == ["coffee", "tea"]

    await workflow_env.DB.prepare("UPDATE products SET stock = 1 WHERE sku = 'tea'").run()
    assert (await get("/products"))[1]["stock"] == 10
    await workflow_clock.advance("61 seconds")
    assert (await get("/products"))[1]["stock"] == 1


# -- baskets -----------------------------------------------------------------------------------------------------------


async def test_a_basket_keeps_what_was_put_into_it(workflow_worker, get):
    await workflow_worker.fetch("/baskets/ada@example.com/tea", method="PUT", json={"quantity": 2})
    await workflow_worker.fetch("/baskets/ada@example.com/coffee", method="PUT", json={"quantity": 1})
    await workflow_worker.fetch("/baskets/ada@example.com/tea", method="PUT", json={"quantity": 0})

    assert await get("/baskets/ada@example.com") == {"coffee": 1}
    assert await get("/baskets/bob@example.com") == {}


async def test_a_basket_that_was_left_alone_reminds_of_itself(workflow_worker, workflow_clock, mails):
    await workflow_worker.fetch("/baskets/ada@example.com/tea", method="PUT", json={"quantity": 2})
    await workflow_clock.advance("59 minutes")
    assert mails() == []

    await workflow_clock.advance("2 minutes")
    assert mails() == ["2 things are waiting in your basket."]


async def test_an_empty_basket_cannot_be_checked_out(workflow_worker):
    response = await workflow_worker.fetch("/baskets/ada@example.com/checkout", method="POST", json={"card": "tok"})

    assert response.status == 409


async def test_a_product_that_does_not_exist_cannot_be_ordered(workflow_env, workflow_worker):
    await workflow_worker.fetch("/baskets/ada@example.com/cocoa", method="PUT", json={"quantity": 1})
    response = await workflow_worker.fetch("/baskets/ada@example.com/checkout", method="POST", json={"card": "tok"})

    assert response.status == 404
    assert await workflow_env.DB.prepare("SELECT count(*) AS n FROM orders").first("n") == 0


async def test_a_quantity_that_is_no_number_is_refused(workflow_worker):
    response = await workflow_worker.fetch("/baskets/ada@example.com/tea", method="PUT", json={"quantity": "many"})

    assert response.status == 422


# -- orders ------------------------------------------------------------------------------------------------------------


async def test_an_order_is_paid_invoiced_and_confirmed(
    workflow_env, workflow_worker, workflow_engine, order, get, mails
):
    number = await order("tea", 2)
    await workflow_engine.run_until_idle()

    assert await get(f"/orders/{number}") == {"number": number, "status": "paid"}
    assert await stock_of(workflow_env, "tea") == 8
    assert await get("/baskets/ada@example.com") == {}
    invoice = await workflow_worker.fetch(f"/orders/{number}/invoice")
    assert invoice.headers["content-type"].startswith("text/plain")
    assert await invoice.text() == f"Order {number}\n2 x Tea\nTotal: 12.50\nPaid by ch_1"
    assert mails() == ["Thank you for your order."]


async def test_what_is_sold_out_is_not_paid_for(workflow_env, workflow_engine, order, get, mails, remote):
    number = await order("coffee", 6)
    await workflow_engine.run_until_idle()

    assert await get(f"/orders/{number}") == {"number": number, "status": "sold-out"}
    assert await stock_of(workflow_env, "coffee") == 5
    assert not remote["charge"].called
    assert mails() == ["We are sorry: that is sold out."]


async def test_who_cannot_pay_gives_the_stock_back(workflow_env, workflow_engine, order, get, remote):
    remote["charge"].respond(402)
    number = await order("tea", 2)
    await workflow_engine.run_until_idle()

    assert await get(f"/orders/{number}") == {"number": number, "status": "unpaid"}
    assert await stock_of(workflow_env, "tea") == 10


async def test_the_last_ones_are_sold_once(workflow_env, workflow_engine, order, get):
    numbers = [await order("coffee", 4, "ada@example.com"), await order("coffee", 4, "bob@example.com")]
    await workflow_engine.run_until_idle()

    assert sorted([(await get(f"/orders/{number}"))["status"] for number in numbers]) == ["paid", "sold-out"]
    assert await stock_of(workflow_env, "coffee") == 1


async def test_an_engine_that_dies_after_the_payment_takes_it_once(workflow_env, order, remote):
    async with introspect_workflow(workflow_env.ORDERS) as orders:
        number = await order()
        (instance,) = orders.get()
        await instance.wait_for_step_result("take payment")

        await instance.crash()
        await instance.wait_for_status("complete")

        assert {call.request.headers["idempotency-key"] for call in remote["charge"].calls} == {number}


# -- mail --------------------------------------------------------------------------------------------------------------


@pytest.mark.workflow(crash=False)  # it counts calls of the mail service, and a lost attempt of a step sends one more
async def test_mail_that_cannot_be_delivered_is_kept(workflow_env, workflow_engine, order, remote):
    remote["mail"].respond(503)
    await order()
    await workflow_engine.run_until_idle()

    assert remote["mail"].call_count == 3  # the first time, and two retries
    undelivered = (await workflow_env.DB.prepare("SELECT recipient, text FROM undelivered").all()).results
    assert undelivered == [{"recipient": "ada@example.com", "text": "Thank you for your order."}]


# -- reports -----------------------------------------------------------------------------------------------------------


@pytest.mark.workflow(now="2026-01-02T06:00:00Z")
async def test_every_morning_the_orders_are_counted(workflow_env, workflow_worker, workflow_engine, order):
    await order("tea", 1)
    await order("coffee", 9)
    await workflow_engine.run_until_idle()

    async with introspect_workflow_instance(workflow_env.REPORTS, "report-2026-01-02") as report:
        await workflow_worker.scheduled(cron="0 6 * * *")
        await report.wait_for_status("complete")

    file = await workflow_env.FILES.get("reports/2026-01-02.json")
    assert json.loads(await file.text()) == {"paid": 1, "sold-out": 1}
