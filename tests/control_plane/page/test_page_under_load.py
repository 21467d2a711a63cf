"""The page with a thousand instances, and with a server that goes away, in Chromium."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from pytest_workflows.control_plane.asking import Asker
from pytest_workflows.control_plane.page import looks

ROWS = "#list [role=option]"


def test_a_thousand_instances_are_scrolled_and_searched_with_few_of_them_drawn(shop: Any, new_tab: Any) -> None:
    shop.create(*(f"many-{number}" for number in range(1000)), workflow="GREETINGS")
    tab = new_tab()
    tab.waits_for("1,000 instances", "#count")
    page = tab.page

    assert page.locator(ROWS).count() < 60
    page.evaluate("document.getElementById('list').scrollTop = 20000")
    page.locator(f"{ROWS}[aria-posinset='440']").wait_for()
    assert page.locator(ROWS).count() < 60
    page.fill("#search", "many-777")
    page.locator(ROWS, has_text="many-777").wait_for()
    assert page.locator("#count").inner_text() == "1 of 1,000"


def test_news_of_a_thousand_instances_leave_the_page_its_frames(shop: Any, new_tab: Any) -> None:
    shop.create(*(f"many-{number}" for number in range(1000)), nap=False)
    tab = new_tab("#/instances/ORDERS/many-500")
    tab.has_status("waiting")
    page = tab.page
    page.locator(f"{ROWS}[aria-posinset='10']").evaluate("(row) => { row.marked = true; }")
    page.evaluate("""() => {
      window.slowest = 0;
      let last = performance.now();
      const frame = () => {
        const now = performance.now();
        window.slowest = Math.max(window.slowest, now - last);
        last = now;
        requestAnimationFrame(frame);
      };
      requestAnimationFrame(frame);
    }""")

    for first in range(0, 1000, 100):
        for number in range(first, first + 100):
            shop.send(f"many-{number}", "approved", {})

    tab.waits_for("1,000 complete", "#totals")
    tab.has_status("complete")
    assert page.locator(f"{ROWS}[aria-posinset='10']").evaluate("(row) => row.marked")
    assert page.evaluate("window.slowest") < 3000  # a machine that has other work misses frames too, but not so many


def test_a_server_that_goes_away_is_said_and_what_happened_meanwhile_is_shown_when_it_is_back(
    shop: Any, new_tab: Any, server: Any, serve: Any
) -> None:
    shop.create("order-1", nap=False)
    tab = new_tab("#/instances/ORDERS/order-1")
    tab.has_status("waiting")

    server.close()
    tab.waits_for("The server does not answer.", "#banners")
    assert tab.page.locator("#detail .timeline").count() == 1
    tab.press("Pause")
    tab.waits_for("The server does not answer. Is pytest-workflows dev still running?", "#toasts")
    shop.send("order-1", "approved", {})
    serve(server.port)

    tab.is_without("#banners .banner")
    tab.has_status("complete")
    tab.waits_for("1 complete", "#totals")


def test_an_instance_that_is_older_than_those_in_the_list_is_searched_for(
    shop: Any, new_tab: Any, monkeypatch: Any
) -> None:
    monkeypatch.setattr(looks, "MOST_LINES", 10)
    for number in range(12):
        shop.create(f"many-{number:02}", workflow="GREETINGS")
        shop.run(shop.engine.advance(1000))
    page = new_tab().page

    assert page.locator("#count").inner_text() == "10 of 12"
    assert page.locator(ROWS, has_text="many-00").count() == 0
    page.fill("#search", "many-00")
    page.locator(ROWS, has_text="many-00").wait_for()


def test_a_window_that_nobody_sees_leaves_its_connection_to_others_and_catches_up(shop: Any, tab: Any) -> None:
    hide = """(hidden) => {
      Object.defineProperty(document, "hidden", { value: hidden, configurable: true });
      document.dispatchEvent(new Event("visibilitychange"));
    }"""

    tab.page.evaluate("""() => {
      const { close } = EventSource.prototype;
      EventSource.prototype.close = function () { window.isLet = true; close.call(this); };
    }""")

    tab.page.evaluate(hide, True)
    assert tab.page.evaluate("window.isLet")
    shop.create("hello", workflow="GREETINGS")
    tab.page.evaluate(hide, False)

    tab.page.locator(ROWS, has_text="hello").wait_for()


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that is made afterwards waits for the Worker's code for half a second."""
    monkeypatch.setattr(Asker.__init__, "__defaults__", (0.5,))


@pytest.mark.usefixtures("impatient")
def test_code_of_the_worker_that_does_not_give_way_is_said(shop: Any, new_tab: Any) -> None:
    over = threading.Event()
    tab = new_tab()

    shop.loop.call_soon_threadsafe(over.wait, 20)

    tab.waits_for("The Worker's code is busy.", "#banners")
    tab.waits_for("has not given way to the event loop", "#banners")
    over.set()
    tab.is_without("#banners .banner")
