"""What the page says while an answer is under way, late, or refused, in Chromium."""

from __future__ import annotations

import json
from typing import Any

from durable_engine import StoreError
from pytest_workflows.standins.kv_store import KvEntry, KvStore

ORDER = "#/instances/ORDERS/order-1"
BUSY = "The Worker's code has not given way to the event loop for 10 seconds."
LISTEN_ANEW = """() => {
  for (const hidden of [true, false]) {
    Object.defineProperty(document, "hidden", { value: hidden, configurable: true });
    document.dispatchEvent(new Event("visibilitychange"));
  }
}"""


def failure(text: str, status: int) -> dict[str, Any]:
    """An answer that is an error."""
    said = {"success": False, "errors": [{"code": 1, "message": text}], "messages": [], "result": None}
    return {"status": status, "body": json.dumps(said), "content_type": "application/json"}


def test_an_instance_that_a_busy_worker_keeps_back_is_shown_once_it_answers(shop: Any, new_tab: Any) -> None:
    shop.create("order-1")
    tab = new_tab()
    tab.page.route("**/api/instance?*", lambda route: route.fulfill(**failure(BUSY, 503)))

    tab.page.locator("#list [role=option]", has_text="order-1").click()
    tab.waits_for(BUSY, "#detail")
    tab.page.unroute_all()

    tab.has_status("waiting")


def test_a_store_is_not_called_empty_before_the_server_has_said_so(shop: Any, new_tab: Any) -> None:
    async def put() -> None:
        shop.env.host.stores.get("kv_namespaces", "abc", KvStore).put("sku/1", KvEntry(b"1", None))

    shop.run(put())
    tab = new_tab("#/stores")
    held: list[Any] = []
    tab.page.route("**/api/store?*", lambda route: held.append(route))

    with tab.page.expect_request("**/api/store?*"):
        tab.page.get_by_role("link", name="abc").click()
    tab.waits_for("Loading …", "#stores .store")
    tab.page.route("**/api/store?*", lambda route: route.fulfill(**failure(BUSY, 503)))  # the page may ask again
    for one in held:
        one.fulfill(**failure(BUSY, 503))
    tab.waits_for(BUSY, "#stores .store")
    tab.page.unroute_all(behavior="ignoreErrors")

    tab.waits_for("sku/1", "#stores .store")


def test_a_server_that_refuses_the_page_is_not_said_to_be_away(tab: Any) -> None:
    refusal = failure("Authentication error: The token is missing or is another one.", 401)
    tab.page.route("**/api/changes", lambda route: route.fulfill(**refusal))
    tab.page.route("**/api/overview", lambda route: route.fulfill(**refusal))

    tab.page.evaluate(LISTEN_ANEW)
    tab.waits_for("The server refuses this page.", "#banners")
    tab.waits_for("The token is missing or is another one.", "#banners")
    tab.page.unroute_all()

    tab.is_without("#banners .banner")


def test_what_becomes_of_a_dialog_that_was_closed_meanwhile_is_said(shop: Any, new_tab: Any) -> None:
    tab = new_tab()
    held: list[Any] = []
    tab.page.route("**/api/create", lambda route: held.append(route))

    tab.press("Create")
    with tab.page.expect_request("**/api/create"):
        tab.page.locator("dialog .main").click()
    tab.page.keyboard.press("Escape")
    tab.is_without("dialog")
    held[0].fulfill(**failure(BUSY, 503))

    tab.waits_for(BUSY, "#toasts")


def test_params_that_somebody_has_written_stay_when_the_workflow_is_changed(tab: Any) -> None:
    tab.press("Create")
    tab.page.select_option("#field-workflow", "GREETINGS")
    assert tab.page.input_value("#field-params") == "{}"
    tab.page.fill("#field-params", '{"name": "Ada"}')
    tab.page.select_option("#field-workflow", "ORDERS")

    assert tab.page.input_value("#field-params") == '{"name": "Ada"}'


def test_what_a_search_found_does_not_take_the_place_of_newer_news(shop: Any, new_tab: Any, monkeypatch: Any) -> None:
    from pytest_workflows.control_plane.page import looks

    monkeypatch.setattr(looks, "MOST_LINES", 1)
    shop.create("order-1", nap=False)
    shop.create("order-2", nap=False)
    tab = new_tab()
    held: list[Any] = []
    tab.page.route("**/api/instances?*", lambda route: held.append((route, route.fetch())))
    with tab.page.expect_request("**/api/instances?*"):
        tab.page.fill("#search", "order")
    tab.page.wait_for_function("document.querySelectorAll('#list [role=option]').length === 1")

    for id in ("order-1", "order-2"):
        shop.send(id, "approved", {})
    tab.waits_for("2 complete", "#totals")
    (route, response), *_ = held
    route.fulfill(response=response)
    tab.page.evaluate("new Promise((done) => setTimeout(done, 50))")

    assert tab.page.locator("#list .badge.waiting").count() == 0


def test_where_nothing_can_be_stored_the_page_shows_what_is_in_memory_and_says_so(
    shop: Any, new_tab: Any, monkeypatch: Any
) -> None:
    full = StoreError("The disk is full.")

    async def stored() -> None:
        raise full

    shop.problem = "The disk is full."
    monkeypatch.setattr(shop.engine.store, "stored", stored)
    monkeypatch.setattr(shop.engine.store, "once_stored", lambda tell, about=None: tell(full))
    shop.create("order-1")
    tab = new_tab(ORDER)

    tab.has_status("waiting")
    tab.waits_for("Something is wrong with where everything is kept.", "#banners")
    assert "busy" not in tab.page.locator("#banners").inner_text()
    tab.press("Pause")
    tab.waits_for("The disk is full.", "#toasts")
    for view, text in (("numbers", "All instances"), ("stores", "The Worker has no binding with contents")):
        tab.page.locator(f"header nav a[href='#/{view}']").click()
        tab.waits_for(text, f"#{view}")
