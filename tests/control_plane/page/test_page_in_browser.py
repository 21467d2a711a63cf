"""What a person can do with the page of the control plane, in Chromium."""

from __future__ import annotations

from typing import Any

ROWS = "#list [role=option]"


def test_it_shows_the_instances_the_newest_first_and_how_many_stand_in_each_status(shop: Any, new_tab: Any) -> None:
    shop.create("order-1", sku="A1")
    shop.create("hello", workflow="GREETINGS")

    page = new_tab().page

    assert sorted(page.locator(f"{ROWS} .id > span").all_inner_texts()) == ["GREETINGS hello", "ORDERS order-1"]
    assert page.locator("#totals .badge").all_inner_texts() == ["1 waiting", "1 complete"]
    assert page.title() == "Workflows: 2 instances"
