"""The storefront from end to end: a process of `dev` with its customers, its operator in a browser, and a smoke test.

One process serves all of it, and is killed and started again at the end: each of these tests takes what a person does.
"""

from __future__ import annotations

import http.server
import json
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from .conftest import Dev

sys.path.insert(0, str(Path(__file__).parents[1] / "browser"))

from chromium import launched
from page_tab import Tab

ROOT = Path(__file__).parents[2]
PRODUCTS = (
    "INSERT INTO products (sku, name, price, stock) VALUES ('coffee', 'Coffee', 900, 50), ('tea', 'Tea', 625, 90);"
)


class Neighbours(http.server.BaseHTTPRequestHandler):
    """The bank, which answers with 503 once for each card `slow`, and the mail service."""

    mails: list[dict[str, Any]]
    asked: dict[str, int]

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        status, answer = 200, {}
        if self.path == "/charges":
            key = self.headers["idempotency-key"]
            self.asked[key] = self.asked.get(key, 0) + 1
            status = 503 if body["card"] == "slow" and self.asked[key] == 1 else 200
            answer = {"id": f"ch_{body['amount']}"}
        else:
            self.mails.append(body)
        content = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture(scope="module")
def neighbours() -> Iterator[Any]:
    kind = type("Here", (Neighbours,), {"mails": [], "asked": {}})
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), kind) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        kind.url = f"http://127.0.0.1:{server.server_port}"
        yield kind
        server.shutdown()
        thread.join()


class Storefront:
    """The storefront that `dev` serves, as a customer sees it.

    Args:
        folder: Its files.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.http = httpx.Client(trust_env=False, timeout=60)
        self.start()

    def start(self) -> None:
        self.dev = Dev(self.folder).wait_until_up()
        self.url = self.dev.url

    def order(self, customer: str, card: str, sku: str = "tea") -> str:
        self.http.put(f"{self.url}/baskets/{customer}/{sku}", json={"quantity": 2}).raise_for_status()
        placed = self.http.post(f"{self.url}/baskets/{customer}/checkout", json={"card": card})
        assert placed.status_code == 202, placed.text
        number: str = placed.json()["number"]
        return number

    def status(self, number: str) -> str:
        status: str = self.http.get(f"{self.url}/orders/{number}").json()["status"]
        return status

    def close(self) -> None:
        self.http.close()
        self.dev.close()


def until(holds: Callable[[], Any]) -> Any:
    """Wait for what a process or a server does in its own time."""
    deadline = time.monotonic() + 60
    while not (found := holds()):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    return found


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory, neighbours: Any) -> Iterator[Storefront]:
    folder = tmp_path_factory.mktemp("dev") / "storefront"
    shutil.copytree(ROOT / "examples/storefront", folder, ignore=shutil.ignore_patterns("__pycache__", ".*"))
    (folder / "migrations/0004_shelves.sql").write_text(PRODUCTS)
    (folder / ".dev.vars").write_text(f"PAYMENT_API={neighbours.url}\nMAIL_API={neighbours.url}\n")
    shop = Storefront(folder)
    yield shop
    shop.close()


def test_a_customer_orders_by_http_and_gets_an_invoice_and_a_mail(shop: Storefront, neighbours: Any) -> None:
    assert [one["sku"] for one in shop.http.get(f"{shop.url}/products").json()] == ["coffee", "tea"]

    number = shop.order("ada@example.com", "tok")

    until(lambda: shop.status(number) == "paid")
    invoice = shop.http.get(f"{shop.url}/orders/{number}/invoice")
    assert invoice.text.splitlines() == [f"Order {number}", "2 x Tea", "Total: 12.50", "Paid by ch_1250"]
    assert invoice.headers["content-type"].startswith("text/plain")
    until(lambda: {"to": "ada@example.com", "text": "Thank you for your order."} in neighbours.mails)
    assert shop.http.get(f"{shop.url}/baskets/ada@example.com").json() == {}


def test_an_operator_sees_what_an_order_waits_for_and_lets_the_bank_be_asked_now(shop: Storefront) -> None:
    number = shop.order("bob@example.com", "slow", "coffee")

    with launched() as browser:
        tab = Tab(browser, shop.url)
        tab.open(f"#/instances/ORDERS/{number}")
        tab.waits_for("take payment", ".timeline")
        tab.page.locator(".timeline .step > button", has_text="take payment").click()
        tab.waits_for("the bank answered 503", ".timeline .more")
        assert shop.status(number) != "paid"

        tab.press("Retry now")

        tab.has_status("complete")
        assert tab.errors == []
        tab.close()
    assert shop.status(number) == "paid"


def ended(instance: Any) -> Any:
    """An instance as the platform's client has it, once it is complete."""
    return instance if instance.status == "complete" else None


def test_the_platforms_own_client_reads_orders_and_makes_reports(shop: Storefront) -> None:
    cloudflare = pytest.importorskip("cloudflare")  # it is not installed on every Python that the suite runs on
    number = shop.order("cid@example.com", "tok")
    until(lambda: shop.status(number) == "paid")

    with cloudflare.Cloudflare(
        api_token="any", base_url=f"{shop.url}/client/v4", http_client=httpx.Client(trust_env=False), max_retries=0
    ) as client:
        instances = client.workflows.instances
        order = until(lambda: ended(instances.get(number, account_id="a", workflow_name="orders")))
        assert order.status == "complete"
        assert [one.name for one in order.steps if one.type == "step"][:2] == ["reserve-1", "take payment-1"]
        assert number in [one.id for one in instances.list("orders", account_id="a", status="complete")]
        made = instances.create("reports", account_id="a", instance_id="r-1", params={"day": "2026-11-29"})
        report = until(lambda: ended(instances.get(made.id, account_id="a", workflow_name="reports")))
    assert json.loads(report.output)["paid"] >= 1


def test_a_smoke_test_of_pytest_passes_against_it(shop: Storefront) -> None:
    tests = shop.folder / "smoke"
    tests.mkdir(exist_ok=True)
    (tests / "test_smoke.py").write_text(
        """
from pytest_workflows import introspect_workflow


async def test_an_order_is_paid(workflow_env, workflow_worker):
    async with introspect_workflow(workflow_env.ORDERS) as orders:
        await workflow_worker.fetch("/baskets/dan@example.com/tea", method="PUT", json={"quantity": 1})
        response = await workflow_worker.fetch("/baskets/dan@example.com/checkout", method="POST", json={"card": "tok"})
        number = (await response.json())["number"]
        (order,) = [one for one in orders.get() if one.id == number]
        await order.wait_for_status("complete", timeout=60)
        assert await order.wait_for_step_result("reserve") == 625
        assert await order.get_output() == {"status": "paid", "charge": "ch_625"}
"""
    )
    command = [sys.executable, "-m", "pytest", "-q", "smoke", f"--workflows-target={shop.url}"]
    done = subprocess.run(command, cwd=shop.folder, capture_output=True, text=True, timeout=120)

    assert done.returncode == 0, done.stdout + done.stderr


def test_orders_are_still_there_and_go_on_after_the_process_was_killed(shop: Storefront) -> None:
    paid = shop.order("eve@example.com", "tok")
    waiting = shop.order("fay@example.com", "slow")
    until(lambda: shop.status(paid) == "paid")

    shop.dev.kill()
    shop.start()

    assert shop.status(paid) == "paid"
    assert shop.http.get(f"{shop.url}/orders/{paid}/invoice").text.startswith(f"Order {paid}")
    asked = {"workflow": "ORDERS", "id": waiting, "name": "take payment"}
    api = f"{shop.url}/__workflows/api/time/retry"
    until(lambda: shop.status(waiting) == "paid" or shop.http.post(api, json=asked).status_code == 200)
    until(lambda: shop.status(waiting) == "paid")
