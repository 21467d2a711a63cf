"""What is observed of instances for the page is bounded: a Worker may run for weeks."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from durable_engine import Finding
from pytest_workflows.control_plane.app import make_app
from pytest_workflows.control_plane.page import details as module
from pytest_workflows.control_plane.page import statistics
from pytest_workflows.control_plane.page.details import Details


@pytest.fixture
def details(shop: Any, monkeypatch: pytest.MonkeyPatch) -> Details:
    monkeypatch.setattr(module, "_MOST", 5)

    async def make() -> Details:
        return Details(shop)

    found: Details = shop.run(make())
    return found


def test_of_findings_the_newest_are_kept(shop: Any, details: Details) -> None:
    async def find() -> None:
        for line in range(12):
            shop.engine.observers.found(Finding("random", "it is drawn", "worker.py", line, workflow="GREETINGS"))

    shop.run(find())
    shop.create("hello", workflow="GREETINGS")

    async def take() -> Any:
        return details.take("GREETINGS", "hello")

    run = details.recording(shop.run(take()))
    assert [found.place.line for found in run.findings if found.place is not None] == list(range(5, 12))


def test_what_was_observed_goes_with_the_instance(shop: Any, details: Details) -> None:
    shop.create("hello", workflow="GREETINGS")
    assert details._watcher.find("GREETINGS", "hello") is not None

    async def discard() -> None:
        shop.engine.discard(shop.engine.bindings["GREETINGS"].workflow, ["hello"])

    shop.run(discard())
    assert details._watcher.find("GREETINGS", "hello") is None


@pytest.mark.parametrize("path", ["instance", "sources", "test", "graph", "numbers"])
async def test_what_takes_its_time_keeps_no_other_answer_waiting(shop: Any, monkeypatch: Any, path: str) -> None:
    threads: list[int] = []

    def noted(original: Callable[..., Any]) -> Callable[..., Any]:
        def made(*given: Any) -> Any:
            threads.append(threading.get_ident())
            return original(*given)

        return made

    monkeypatch.setattr(Details, "recording", noted(Details.recording))
    monkeypatch.setattr(statistics, "numbers_of", noted(statistics.numbers_of))
    app: Any = make_app(shop)
    shop.create("hello", workflow="GREETINGS")
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8787") as client:
        query = {} if path == "numbers" else {"workflow": "GREETINGS", "id": "hello"}
        assert (await client.get(f"/__workflows/api/{path}", params=query)).status_code == 200

    assert threads
    assert not {threading.get_ident(), shop._thread.ident} & set(threads)


async def test_a_graph_of_many_instances_leaves_the_worker_turns(shop: Any, monkeypatch: Any) -> None:
    what: list[str] = []
    original = Details.take

    def take(details: Details, workflow: str, id: str) -> Any:
        what.append(id)
        shop.loop.call_soon(what.append, "turn")
        return original(details, workflow, id)

    monkeypatch.setattr(Details, "take", take)
    app: Any = make_app(shop)
    shop.create("one", "two", workflow="GREETINGS")
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8787") as client:
        await client.get("/__workflows/api/graph", params={"workflow": "GREETINGS"})

    assert what == ["one", "turn", "two", "turn"]
