"""What the page's API answers, and what it says to what it cannot do."""

from __future__ import annotations

import asyncio
import logging
import sys
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from page_shop import Shop

from pytest_workflows.control_plane.app import make_app

BASE = "/__workflows/api"


def client_of(app: Any) -> httpx.AsyncClient:
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
    return httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8787")


@pytest.fixture
async def client(shop: Any) -> Any:
    async with client_of(make_app(shop)) as found:
        yield found


@pytest.fixture(scope="module")
def standing_app() -> Iterator[Any]:
    """A control plane with two instances, for tests that change nothing: one takes a while to be made."""
    shop = Shop()
    shop.create("order-1")
    shop.create("hello", workflow="GREETINGS")
    yield make_app(shop)
    shop.close()


async def ask(client: Any, path: str, **query: Any) -> Any:
    answer = await client.get(f"{BASE}/{path}", params=query)
    assert answer.status_code == 200, answer.text
    return answer.json()["result"]


async def refused(client: Any, path: str, body: Any) -> tuple[int, str]:
    answer = await client.post(f"{BASE}/{path}", json=body)
    assert answer.json()["success"] is False
    return answer.status_code, answer.json()["errors"][0]["message"]


async def test_the_page_brings_a_policy_that_allows_nothing_but_its_own_files(client: Any) -> None:
    answer = await client.get("/__workflows")

    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'; script-src 'self'" in policy
    assert "unsafe" not in policy
    assert "<script>" not in answer.text
    assert " style=" not in answer.text


async def test_the_list_says_only_what_changed_since(shop: Any) -> None:
    from pytest_workflows.control_plane.page.listing import Listing

    listing = Listing(shop.engine)
    shop.create("one", "two", workflow="GREETINGS")
    first = shop.run(listing.since(0))
    listing._drawn_at = 0
    shop.create("three", workflow="GREETINGS")

    changes = shop.run(listing.since(first.revision))

    assert [line.id for line in first.lines] == ["one", "two"]
    assert [(line.id, line.status, line.steps) for line in changes.lines] == [("three", "complete", 1)]


@pytest.mark.parametrize("is_at_once", [False, True])
async def test_counts_make_no_line_and_leave_it_to_whoever_asks_for_lines(shop: Any, is_at_once: bool) -> None:
    from pytest_workflows.control_plane.page.listing import Listing

    async def count() -> None:
        if is_at_once:
            assert listing.count_at_once(0)
        else:
            await listing.count(0)

    listing = Listing(shop.engine)
    shop.create("one", "two", nap=False)
    first = shop.run(listing.since(0))
    assert listing.counts()["ORDERS"] == {"waiting": 2}
    shop.send("one", "approved", {})
    shop.create("three", nap=False)
    listing._changed["ORDERS", "two"] = None  # as of a step
    shop.run(count())
    assert listing.counts()["ORDERS"] == {"waiting": 2, "complete": 1}
    assert listing.are_counts_stored
    assert [line.id for line in listing._lines.values()] == ["one", "two"]

    listing._drawn_at = 0
    changes = shop.run(listing.since(first.revision))
    assert [(line.id, line.status) for line in changes.lines] == [
        ("one", "complete"),
        ("three", "waiting"),
        ("two", "waiting"),
    ]

    async def discard() -> None:
        shop.engine.discard(shop.engine.bindings["ORDERS"].workflow, ["one", "three"])

    shop.run(discard())
    shop.run(count())
    assert listing.counts()["ORDERS"] == {"waiting": 1}
    listing._drawn_at = 0
    assert shop.run(listing.since(changes.revision)).gone == [("ORDERS", "one"), ("ORDERS", "three")]


async def test_what_would_take_long_is_not_counted_at_once(shop: Any, monkeypatch: Any) -> None:
    from pytest_workflows.control_plane.page import listing as module
    from pytest_workflows.control_plane.page.listing import Listing

    listing = Listing(shop.engine)

    async def count_at_once(fresh: float) -> bool:
        return listing.count_at_once(fresh)

    assert not shop.run(count_at_once(0))  # all instances are compared now and then
    shop.run(listing.count(0))
    shop.create("one", "two", nap=False)
    monkeypatch.setattr(module, "_COMPARED_AT_ONCE", 1)
    assert not shop.run(count_at_once(0))
    assert shop.run(count_at_once(60))  # somebody has just counted
    assert listing.counts()["ORDERS"] == {}
    monkeypatch.undo()

    async def amid_a_look() -> None:
        monkeypatch.setattr(module, "_COMPARED", 1)
        looking = asyncio.ensure_future(listing.count(0))
        await asyncio.sleep(0)
        assert not listing.count_at_once(0)
        await looking

    shop.run(amid_a_look())
    assert listing.counts()["ORDERS"] == {"waiting": 2}


@pytest.mark.parametrize("is_given_up", [False, True])
async def test_counts_that_a_look_is_changing_are_not_known_to_be_on_disk(
    shop: Any, monkeypatch: Any, is_given_up: bool
) -> None:
    from pytest_workflows.control_plane.page import listing as module
    from pytest_workflows.control_plane.page.listing import Listing

    monkeypatch.setattr(module, "_COMPARED", 1)
    listing = Listing(shop.engine)
    shop.run(listing.since(0))
    assert listing.are_counts_stored
    shop.create("one", "two", workflow="GREETINGS")

    async def look() -> None:
        asked = asyncio.ensure_future(listing.count(0))
        await asyncio.sleep(0)
        assert listing.counts()["GREETINGS"] == {"complete": 1}  # it has come half way
        assert not listing.are_counts_stored
        if is_given_up:
            asked.cancel()
        await asyncio.wait([asked])

    shop.run(look())

    assert listing.are_counts_stored is not is_given_up


async def test_the_list_forgets_what_is_deleted_and_says_so_once(shop: Any) -> None:
    from pytest_workflows.control_plane.page.listing import Listing

    listing = Listing(shop.engine)
    shop.create("one", "two", workflow="GREETINGS")
    first = shop.run(listing.since(0))
    listing._drawn_at = 0

    async def discard() -> None:
        shop.engine.discard(shop.engine.bindings["GREETINGS"].workflow, ["one"])

    shop.run(discard())
    changes = shop.run(listing.since(first.revision))

    assert changes.gone == [("GREETINGS", "one")]
    assert shop.run(listing.since(changes.revision)).gone == []
    assert listing.counts() == {"ORDERS": {}, "GREETINGS": {"complete": 1}, "NAPS": {}}


async def test_whoever_has_not_asked_for_too_many_deletions_is_told_everything(shop: Any, monkeypatch: Any) -> None:
    from pytest_workflows.control_plane.page import listing as module
    from pytest_workflows.control_plane.page.looks import _message

    monkeypatch.setattr(module, "_MOST_GONE", 1)
    listing = module.Listing(shop.engine)
    shop.create("one", "two", "three", workflow="GREETINGS")
    first = shop.run(listing.since(0))
    listing._drawn_at = 0

    async def discard() -> None:
        shop.engine.discard(shop.engine.bindings["GREETINGS"].workflow, ["one", "two"])

    shop.run(discard())
    changes = shop.run(listing.since(first.revision))
    later = shop.run(listing.since(changes.revision))

    assert ([line.id for line in changes.lines], changes.are_all) == (["three"], True)
    assert b'"all":true' in _message(changes, "now", {})
    assert (later.lines, later.gone, later.are_all) == ([], [], False)


async def test_a_window_that_closes_while_it_is_told_takes_nothing_from_the_others(shop: Any, monkeypatch: Any) -> None:
    from pytest_workflows.control_plane.page import listing as module
    from pytest_workflows.control_plane.page.listing import Listing

    monkeypatch.setattr(module, "_COMPARED", 1)
    listing = Listing(shop.engine)
    shop.create("one", workflow="GREETINGS")
    first = shop.run(listing.since(0))
    listing._drawn_at = 0
    shop.create("two", workflow="GREETINGS")

    async def close() -> None:
        asked = asyncio.ensure_future(listing.since(first.revision))
        await asyncio.sleep(0)  # it has begun
        listing._lines.pop(("GREETINGS", "two"), None)
        asked.cancel()
        await asyncio.wait([asked])

    shop.run(close())
    changes = shop.run(listing.since(first.revision))

    assert [line.id for line in changes.lines] == ["two"]


@pytest.mark.parametrize(
    ("path", "field", "what"), [("create", "params", "params"), ("event", "payload", "the payload")]
)
async def test_what_is_nested_too_deeply_is_refused(shop: Any, client: Any, path: str, field: str, what: str) -> None:
    shop.create("order-1")
    deep = "[" * 600 + "]" * 600
    meant = (
        '"workflow": "ORDERS", "id": "order-2"'
        if path == "create"
        else '"workflow": "ORDERS", "id": "order-1", "type": "approval"'
    )

    answer = await client.post(
        f"{BASE}/{path}", content=f'{{{meant}, "{field}": {deep}}}', headers={"content-type": "application/json"}
    )

    assert answer.status_code == 400, answer.text
    assert f"{what} is nested more than 500 deep." in answer.json()["errors"][0]["message"]


async def test_instances_are_found_by_words_of_id_and_error(shop: Any, client: Any) -> None:
    shop.create("order-1", "order-2")
    shop.create("hello", workflow="GREETINGS")

    assert [one["id"] for one in await ask(client, "instances", search="ORDERS order-2")] == ["order-2"]
    assert [one["id"] for one in await ask(client, "instances", search="waiting cool down order-1")] == ["order-1"]
    assert [one["id"] for one in await ask(client, "instances", status="complete")] == ["hello"]
    assert [one["id"] for one in await ask(client, "instances", workflow="ORDERS", limit=1)] in (
        ["order-1"],
        ["order-2"],
    )


async def test_the_recording_of_an_instance_has_its_output_its_log_and_its_places(shop: Any, client: Any) -> None:
    shop.create("order-1", sku="A1", declined=1)

    run = await ask(client, "instance", workflow="ORDERS", id="order-1")

    stock, card = run["steps"]
    assert stock["attempts"][0]["log"][0]["text"] == "looking for A1"
    assert card["attempts"][0]["error"]["message"].strip().endswith("document.title='broken'>")
    assert card["place"] == {"file": "page_worker.py", "line": 28}
    assert "class Order" in (await ask(client, "sources", workflow="ORDERS", id="order-1"))["page_worker.py"]


async def test_a_value_with_half_a_character_is_answered(shop: Any, client: Any) -> None:
    shop.create("order-1", sku="\ud800")

    run = await ask(client, "instance", workflow="ORDERS", id="order-1")

    assert run["params"] == {"sku": {"$type": "text", "value": "\\ud800"}}


async def test_the_numbers_count_by_day_status_and_step(shop: Any, client: Any) -> None:
    shop.create("hello", workflow="GREETINGS")
    shop.create("order-1", declined=1)
    assert (await client.post(f"{BASE}/time/travel", json={"by": "2 days"})).status_code == 200

    numbers = await ask(client, "numbers", by="day")

    (day,) = numbers["parts"]
    assert (day["name"], day["instances"], day["statuses"]) == ("2026-03-02", 2, {"complete": 1, "waiting": 1})
    assert (day["retries"], day["virtual"]["longest"]) == (1, 2 * 86_400_000)
    assert [(one["name"], one["kind"]) for one in numbers["longest"]] == [
        ("cool down", "sleep"),
        ("charge card", "do"),
    ]
    assert [part["name"] for part in (await ask(client, "numbers", by="workflow"))["parts"]] == ["GREETINGS", "ORDERS"]


async def test_of_several_steps_that_wait_the_one_is_hastened_that_is_meant(shop: Any, client: Any) -> None:
    shop.create("twice", workflow="NAPS")
    body = {"workflow": "NAPS", "id": "twice"}

    status, sentence = await refused(client, "time/skip", body)
    answer = await client.post(f"{BASE}/time/skip", json={**body, "name": "long nap", "count": 1})

    assert (status, sentence.partition(": ")[2]) == (
        400,
        "Several steps of instance 'twice' wait so: 'short nap' (1), 'long nap' (1). Say which one.",
    )
    assert answer.json()["result"] == {"now": "2026-03-02T09:00:00+00:00"}
    steps = (await ask(client, "instance", **body))["steps"]
    assert [step["status"] for step in steps] == ["waiting", "complete"]


async def test_of_a_workflow_that_prints_without_end_the_newest_lines_are_kept(shop: Any, client: Any) -> None:
    shop.create("talk", workflow="GREETINGS", lines=5000)

    run = await ask(client, "instance", workflow="GREETINGS", id="talk")

    lines = [line["text"] for line in run["steps"][0]["attempts"][0]["log"]]
    assert lines[-1] == "line 4999"
    assert 1000 <= len(lines) < 2000


async def test_two_that_follow_one_engine_get_each_line_once_and_leave_nothing_behind(shop: Any) -> None:
    from pytest_workflows.control_plane.page.details import Details

    out = sys.stdout
    both = [Details(shop), Details(shop)]
    shop.create("one", "two", workflow="GREETINGS", lines=2)

    for details in both:
        for id in ("one", "two"):
            lines = details._watcher.of("GREETINGS", id).lines
            assert [line.text for found in lines.values() for line in found] == ["line 0", "line 1"]

    class Closed:
        closed = True

    for details in both:
        details._watcher._listening._engine = Closed()
    logging.getLogger("other").warning("of nobody")
    print("of nobody")
    assert [one for one in logging.root.handlers if "pytest_workflows" in type(one).__module__] == []
    while sys.stdout is not out and hasattr(sys.stdout, "listening"):
        assert sys.stdout.listening.is_over
        sys.stdout = sys.stdout.wrapped


async def test_of_an_instance_of_a_former_process_it_says_what_is_not_known(shop: Any) -> None:
    from pytest_workflows.control_plane.page.details import Details

    shop.create("order-1", nap=False)
    shop.send("order-1", "early", {"by": "Ada"})
    shop.is_live = True
    details = Details(shop)

    async def take() -> Any:
        return details.take("ORDERS", "order-1")

    run = details.recording(shop.run(take()))

    assert run.notes == ["What was printed and which bindings were called before the process was started again."]
    assert [(event.type, event.payload, event.mocked) for event in run.events] == [("early", {"by": "Ada"}, False)]
    assert run.real_ms is None


async def test_nothing_is_kept_of_an_instance_that_is_deleted(shop: Any) -> None:
    from pytest_workflows.control_plane.page.details import Details

    details = Details(shop)
    shop.create("hello", workflow="GREETINGS")
    assert details.wall_ms("GREETINGS", "hello") is not None

    async def discard() -> None:
        shop.engine.discard(shop.engine.bindings["GREETINGS"].workflow, ["hello"])

    shop.run(discard())
    assert details.wall_ms("GREETINGS", "hello") is None


@pytest.mark.parametrize(
    ("path", "body", "status", "sentence"),
    [
        ("create", {"workflow": "NONE"}, 404, "There is no workflow 'NONE' here. There are: ORDERS, GREETINGS, NAPS."),
        ("create", {"workflow": "ORDERS", "id": "order-1"}, 400, "already"),
        ("create", {"workflow": "ORDERS", "extra": 1}, 400, "extra in the body"),
        ("pause", {"workflow": "ORDERS", "id": "nobody"}, 404, "Workflow 'ORDERS' has no instance 'nobody'."),
        ("terminate", {"workflow": "GREETINGS", "id": "hello"}, 400, "terminate"),
        ("event", {"workflow": "GREETINGS", "id": "hello", "type": "x"}, 409, "has ended (complete)"),
        ("event", {"workflow": "ORDERS", "id": "order-1", "type": ""}, 400, "type in the body"),
        ("restart", {"workflow": "ORDERS", "id": "order-1", "from": {"name": "no"}}, 400, "no"),
        (
            "time/skip",
            {"workflow": "GREETINGS", "id": "hello"},
            409,
            "No step of instance 'hello' sleeps: it is complete.",
        ),
        ("time/retry", {"workflow": "ORDERS", "id": "order-1", "name": "pay"}, 409, "No step called 'pay' of instance"),
        ("time/travel", {}, 400, "Say where to"),
        ("time/travel", {"to": "tomorrow"}, 400, "'tomorrow' is no moment."),
        ("time/travel", {"to": "2020-01-01T00:00:00Z"}, 400, "virtual time only moves forward"),
        ("time/travel", {"by": "a while"}, 400, "a while"),
    ],
)
async def test_what_cannot_be_done_is_refused_in_words(
    standing_app: Any, path: str, body: Any, status: int, sentence: str
) -> None:
    async with client_of(standing_app) as client:
        found = await refused(client, path, body)

    assert found[0] == status
    assert sentence in found[1]


async def test_a_body_that_does_not_say_that_it_is_json_is_told_so(standing_app: Any) -> None:
    form = {"content-type": "application/x-www-form-urlencoded"}
    async with client_of(standing_app) as client:
        found = await client.post("/client/v4/accounts/local/workflows/orders/instances", content="{}", headers=form)

    assert found.status_code == 400
    said = found.json()["errors"][0]["message"]
    assert "The body is no JSON by its content type, application/x-www-form-urlencoded: send it with" in said


async def test_a_workflow_is_known_by_its_own_name_too_and_what_is_created_here_says_so(shop: Any, client: Any) -> None:
    async def ship(event: Any, step: Any) -> int:
        return 1

    async def bind() -> None:
        shop.engine.bind("SHIPPING", ship, workflow_name="ship-orders")

    async def source() -> Any:
        return shop.engine.find(shop.engine.bindings["SHIPPING"].workflow, "s-9").row.source

    shop.run(bind())

    made = await client.post(f"{BASE}/create", json={"workflow": "ship-orders", "id": "s-9"})

    assert made.json()["result"] == {"workflow": "SHIPPING", "id": "s-9"}
    assert shop.run(source()) == "api"
    assert [one["id"] for one in await ask(client, "instances", workflow="ship-orders")] == ["s-9"]
    assert (await ask(client, "instance", workflow="ship-orders", id="s-9"))["binding"] == "SHIPPING"
    assert "SHIPPING" in (await ask(client, "test", workflow="ship-orders", id="s-9"))["text"]
    drawn = [await client.get(f"{BASE}/graph", params={"workflow": name}) for name in ("ship-orders", "SHIPPING")]
    assert drawn[0].text == drawn[1].text


@pytest.mark.parametrize(
    ("path", "query", "sentence"),
    [
        ("instance", {"workflow": "ORDERS", "id": "nobody"}, "Workflow 'ORDERS' has no instance 'nobody'."),
        ("test", {"workflow": "NONE", "id": "nobody"}, "There is no workflow 'NONE' here."),
        ("instances", {"workflow": "NONE"}, "There is no workflow 'NONE' here."),
        ("store", {"kind": "kv_namespaces", "id": "none", "table": "keys"}, "There is no store 'none'"),
    ],
)
async def test_what_is_not_there_is_a_404_in_words(standing_app: Any, path: str, query: Any, sentence: str) -> None:
    async with client_of(standing_app) as client:
        answer = await client.get(f"{BASE}/{path}", params=query)

    assert answer.status_code == 404
    assert sentence in answer.json()["errors"][0]["message"]
