"""The page with a thousand instances, and with a server that goes away, in Chromium."""

from __future__ import annotations

from typing import Any

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
    assert page.evaluate("window.slowest") < 1000  # so many frames are missed only where everything is drawn anew


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
