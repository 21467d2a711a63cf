"""The graph of a version: nested as `run` is written, and as the platform's client reads it."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from pytest_workflows.workers.entrypoints import WorkflowEntrypoint

from .conftest import BASE, client_of

CONFIG = {"retries": {"limit": 2, "delay": "10 seconds"}, "timeout": "2 minutes"}


class Branching(WorkflowEntrypoint):
    """Has each kind of node."""

    async def run(self, event: Any, step: Any) -> Any:
        @step.do("check", config=CONFIG)
        async def check() -> Any:
            return 1

        @step.do("pay")
        async def pay() -> Any:
            return 1

        if event["payload"]:
            await check()
        elif event:
            await step.sleep("a nap", "2 hours")
        else:
            return None
        for item in event["payload"]:

            @step.do(f"ship {item}")
            async def ship() -> Any:
                return 1

            await ship()
            if item:
                break
        await asyncio.gather(check(), pay())
        try:
            await step.wait_for_event("approval", "approved", timeout="1 day")
        except Exception:
            await step.sleep_until("monday", event["timestamp"])
        finally:
            await pay()
        match event["payload"]:
            case {"kind": "x"}:
                await self.helper(step)
        return await self.nothing()

    async def helper(self, step: Any) -> None:
        @step.do("help")
        async def help() -> Any:
            return 1

        await help()

    async def nothing(self) -> None:
        """Makes no step."""


def do(name, **config):
    retries = {"limit": 5, "delay": 1000, "backoff": "exponential", **config.pop("retries", {})}
    return {
        "type": "step_do",
        "name": name,
        "config": {"retries": retries, "timeout": "10 minutes", **config},
        "nodes": [],
    }


async def test_the_graph_is_nested_as_run_is_written(shop):
    shop.env.override({"branching": Branching})
    versions = f"{BASE}/branching/versions"
    async with client_of(shop) as client:
        version = (await client.get(versions)).json()["result"][0]
        graph = (await client.get(f"{versions}/{version['id']}/graph")).json()["result"]["graph"]

    check = do("check", retries={"limit": 2, "delay": "10 seconds"}, timeout="2 minutes")
    assert version["has_dag"] is True
    assert graph["workflow"]["class_name"] == "Branching"
    assert graph["workflow"]["functions"] == {
        "helper": {"name": "helper", "type": "function_def", "nodes": [do("help")]}
    }
    assert graph["workflow"]["nodes"] == [
        {
            "type": "if",
            "branches": [
                {"condition": "event['payload']", "nodes": [check]},
                {
                    "condition": "event",
                    "nodes": [{"type": "step_sleep", "name": "a nap", "duration": "2 hours"}],
                },
                {"condition": None, "nodes": [{"type": "break", "kind": "return"}]},
            ],
        },
        {
            "type": "loop",
            "nodes": [
                do("ship {item}"),
                {"type": "if", "branches": [{"condition": "item", "nodes": [{"type": "break", "kind": "break"}]}]},
            ],
        },
        {"type": "parallel", "kind": "all", "nodes": [check, do("pay")]},
        {
            "type": "try",
            "try_block": {
                "type": "block",
                "nodes": [
                    {
                        "type": "step_wait_for_event",
                        "name": "approval",
                        "options": {"event_type": "approved", "timeout": "1 day"},
                    }
                ],
            },
            "catch_block": {
                "type": "block",
                "nodes": [{"type": "step_sleep_until", "name": "monday", "timestamp": "event['timestamp']"}],
            },
            "finally_block": {"type": "block", "nodes": [do("pay")]},
        },
        {
            "type": "switch",
            "discriminant": "event['payload']",
            "branches": [{"condition": "{'kind': 'x'}", "nodes": [{"type": "function_call", "name": "helper"}]}],
        },
    ]


async def test_the_platform_s_client_reads_it_strictly(shop):
    client_types = pytest.importorskip("cloudflare.types.workflows")
    shop.env.override({"branching": Branching})
    versions = f"{BASE}/branching/versions"
    async with client_of(shop) as client:
        answer = await client.get(f"{versions}/{shop.versions[0].id}/graph")

    body = json.dumps(answer.json()["result"])
    found = client_types.VersionGraphResponse.model_validate_json(body, strict=True)

    assert found.graph.workflow.nodes[0].type == "if"
