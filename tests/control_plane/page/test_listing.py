"""The list of instances: what it says of those that come and go, and what it looks at again."""

from __future__ import annotations

import math
from typing import Any

import pytest

from durable_engine import StoreError
from pytest_workflows.control_plane.numbers import Census
from pytest_workflows.control_plane.page.listing import Listing

KEY = ("GREETINGS", "one")


@pytest.fixture
def listing(shop: Any) -> Listing:
    return Listing(shop.engine)


def discard(shop: Any, *ids: str) -> None:
    async def discard() -> None:
        shop.engine.discard(shop.engine.bindings["GREETINGS"].workflow, ids)

    shop.run(discard())


def forget_looks(listing: Listing) -> None:
    """Let nothing hold that was seen a moment ago."""
    listing._drawn_at = listing._counted_at = -math.inf


def test_an_instance_that_is_deleted_and_created_again_is_there(shop: Any, listing: Listing) -> None:
    shop.create("one", workflow="GREETINGS")
    first = shop.run(listing.since(0))
    discard(shop, "one")
    forget_looks(listing)
    shop.run(listing.look())
    shop.create("one", workflow="GREETINGS")
    forget_looks(listing)

    changes = shop.run(listing.since(first.revision))

    assert ([line.id for line in changes.lines], changes.gone) == (["one"], [])


def test_what_nobody_has_notified_of_is_seen_when_all_are_compared(shop: Any, listing: Listing) -> None:
    shop.create("one", workflow="GREETINGS")
    first = shop.run(listing.since(0))
    shop.engine.observers.clear()
    discard(shop, "one")
    shop.create("two", workflow="GREETINGS")
    forget_looks(listing)
    listing._compared_at = -math.inf

    changes = shop.run(listing.since(first.revision))

    assert ([line.id for line in changes.lines], changes.gone) == (["two"], [KEY])


def test_an_instance_that_has_ended_is_not_compared_each_time(shop: Any, listing: Listing) -> None:
    shop.create("order-1", nap=False)
    shop.run(listing.look())
    assert list(listing._under_way) == [("ORDERS", "order-1")]
    shop.send("order-1", "approved", {})
    forget_looks(listing)
    shop.run(listing.look())

    assert not listing._under_way


@pytest.mark.parametrize("is_at_once", [False, True])
def test_counts_compare_no_ended_instance_again_where_nobody_asks_for_lines(
    shop: Any, listing: Listing, monkeypatch: Any, is_at_once: bool
) -> None:
    compared: list[str] = []
    find = listing._engine.find
    monkeypatch.setattr(listing._engine, "find", lambda workflow, id: compared.append(id) or find(workflow, id))

    async def count() -> None:
        if not (is_at_once and listing.count_at_once(0)):
            await listing.count(0)

    shop.run(count())
    shop.create("one", workflow="GREETINGS")
    shop.run(count())
    assert compared == ["one"]

    shop.run(count())

    assert compared == ["one"]
    assert listing.counts()["GREETINGS"] == {"complete": 1}


def test_a_look_holds_for_a_moment(shop: Any, listing: Listing) -> None:
    shop.create("one", workflow="GREETINGS")
    shop.run(listing.look())
    shop.create("two", workflow="GREETINGS")

    shop.run(listing.look(math.inf))
    shop.run(listing.count(math.inf))
    assert listing.counts()["GREETINGS"] == {"complete": 1}
    shop.run(listing.look(0))
    assert listing.counts()["GREETINGS"] == {"complete": 2}


def test_counts_of_what_cannot_be_stored_are_not_stored(shop: Any, listing: Listing, monkeypatch: Any) -> None:
    full = StoreError("The disk is full.")
    monkeypatch.setattr(shop.engine.store, "once_stored", lambda tell, about=None: tell(full))
    shop.create("one", workflow="GREETINGS")

    shop.run(listing.count(0))

    assert listing.counts()["GREETINGS"] == {"complete": 1}
    assert not listing.are_counts_stored


def test_an_instance_that_ends_again_is_counted_again(shop: Any) -> None:
    census = Census(shop.engine, lambda workflow, id: None)

    async def count() -> list[str]:
        return [one.status for one in await census.count()]

    async def end_again() -> None:
        await shop.engine.advance("1 hour")
        handle = await shop.engine.bindings["GREETINGS"].get("one")
        await handle.restart()
        await handle.terminate()

    shop.create("one", workflow="GREETINGS")
    assert shop.run(count()) == ["complete"]
    shop.run(end_again())
    assert shop.run(count()) == ["terminated"]
    assert len(census._ended) == 1
    discard(shop, "one")
    assert (shop.run(count()), census._ended) == ([], {})
