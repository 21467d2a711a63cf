"""What is served can be pulled: as a recording it is what was captured, in all that the API can say."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx
import pytest

from pytest_workflows.account.api import Account
from pytest_workflows.account.credentials import Credentials
from pytest_workflows.account.pulling import pull_recording
from pytest_workflows.account.requests import Requests
from pytest_workflows.introspection.registry import Leaving
from pytest_workflows.recordings.capture.builder import build
from pytest_workflows.recordings.capture.observer import Watcher
from pytest_workflows.recordings.capture.snapshot import Origin, snapshot
from pytest_workflows.workers.entrypoints import WorkflowEntrypoint

from .conftest import BASE, START, OrderWorkflow
from .serving import serving

pytest.importorskip("cloudflare")  # it is not installed on every Python that the suite runs on


class NumbersWorkflow(WorkflowEntrypoint):
    """Its outputs are numbers and texts, one of which is JSON by chance; one is secret."""

    async def run(self, event: Any, step: Any) -> Any:
        @step.do("count")
        async def count() -> Any:
            return 7

        @step.do("name")
        async def name() -> Any:
            return "12"

        @step.do("secret", config={"sensitive": "output"})
        async def secret() -> Any:
            return "hunter2"

        for one in (count, name, count, secret):
            await one()
        return 3


@pytest.fixture(scope="module")
def served():
    with serving(orders=OrderWorkflow, numbers=NumbersWorkflow) as found:
        found.watcher = Watcher(found.shop.engine)
        found.shop.engine.observers.add(found.watcher)
        yield found
        found.watcher.stop()


@pytest.fixture
def account(served):
    asking = Requests(Credentials({"Authorization": "Bearer x"}, None, f"{served.url}/client/v4"), say=print)
    yield Account(asking, None)  # the token has one account: it need not be named
    asking.client.close()


def told(recording: Any) -> dict[str, Any]:
    """What the API can say of a recording."""
    steps = [
        {
            "key": (one.kind, one.name, one.count),
            "status": one.status,
            "times": (one.started_at, one.ended_at if one.status != "waiting" else None),
            "config": None if one.config is None else {key: one.config[key] for key in ("retries", "timeout")},
            "result": one.result,
            "error": one.error,
            "attempts": [(at.number, at.started_at, at.ended_at, at.error, at.retry_delay_ms) for at in one.attempts],
            "duration": one.duration_ms,
            "event": one.event_type,
        }
        for one in recording.steps
    ]
    times = (recording.created_at, recording.started_at, recording.ended_at)
    events = [(one.type, one.payload, one.taken_by) for one in recording.events if one.taken_by is not None]
    return {
        "steps": steps,
        "events": events,
        "times": times,
        "end": (recording.status, recording.output, recording.error),
        "params": recording.params,
    }


@pytest.mark.parametrize(("id", "params"), [("fine", {"sku": "tea"}), ("declined", {"card": "declined"})])
def test_a_pulled_order_is_what_was_captured(served, account, id, params):
    httpx.post(f"{served.url}{BASE}/orders/instances", json={"instance_id": id, "params": params}).raise_for_status()
    at_wait = []
    if id == "fine":
        served.run(_advance(served.shop.engine, "3 days"))
        at_wait = [served.run(_captured(served, id)), pull_recording(account, "orders", id)]
        httpx.post(f"{served.url}{BASE}/orders/instances/{id}/events/approved", json={"by": "é"}).raise_for_status()
    served.run(served.shop.engine.run_until_idle())

    pulled = pull_recording(account, "orders", id)

    assert told(pulled) == told(served.run(_captured(served, id)))
    if at_wait:
        captured, pulled_then = map(told, at_wait)
        assert pulled_then == captured
    assert pulled.notes == []


def test_numbers_are_numbers_and_texts_are_texts_and_nothing_is_guessed(served, account):
    httpx.post(f"{served.url}{BASE}/numbers/instances", json={"instance_id": "n"}).raise_for_status()
    served.run(served.shop.engine.run_until_idle())

    pulled = pull_recording(account, "numbers", "n")

    captured = served.run(_captured(served, "n"))
    assert [one.result for one in pulled.steps[:3]] == [7, "12", 7]
    assert told(pulled)["steps"][:3] == told(captured)["steps"][:3]
    assert (pulled.output, pulled.steps[3].result) == (3, captured.steps[3].result)
    assert not [note for note in pulled.notes if "guessed" in note]


async def _advance(engine, duration):
    await engine.advance(duration)


async def _captured(served, id):
    """The recording that a test would make of an instance."""
    engine = served.shop.engine
    (instance,) = [one for one in engine.instances if one.id == id]
    seen = served.watcher.of(instance.workflow.name, id)
    origin = Origin(Path(), "test", START, 0, None, {}, None, [], {}, [], lambda cls: None)
    return build(snapshot(engine, instance, seen, Leaving(engine).run_of(instance)), origin)
