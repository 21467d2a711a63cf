"""Options that the platform ignores in silence, in calls of queues and of a Durable Object's storage."""

from __future__ import annotations

from typing import Any

import pytest

CONFIG = """{
  "main": "src/entry.py", "compatibility_date": "2026-11-01",
  "queues": {"producers": [{"binding": "Q", "queue": "q"}], "consumers": [{"queue": "q"}]},
  "durable_objects": {"bindings": [{"name": "NS", "class_name": "Obj"}]}
}"""
SOURCE = """
from workers import DurableObject, Response, WorkerEntrypoint

class Obj(DurableObject):
    async def work(self):
        storage = self.ctx.storage
        %(storage)s

class Default(WorkerEntrypoint):
    async def fetch(self, request):
        await self.env.NS.getByName("a").work()
        %(sending)s
        return Response("")

    async def queue(self, batch, env, ctx):
        message = batch.messages[0]
        if message.attempts == 1:
            %(consuming)s
"""
TEST = """
    async def test_it(workflow_worker, workflow_engine):
        await workflow_worker.fetch("/")
        await workflow_engine.run_until_idle()
"""
FINE = {
    "storage": 'await storage.put("a", 1, allowUnconfirmed=True)',
    "sending": 'await self.env.Q.send(1, contentType="json", delaySeconds=1)',
    "consuming": "message.retry(delaySeconds=1)",
}


def warnings_of(worker: Any, **parts: str) -> list[str]:
    worker.write("wrangler.jsonc", CONFIG)
    worker.write("src/entry.py", SOURCE % {**FINE, **parts})
    result = worker.run(TEST, "-W", "always::pytest_workflows.WorkflowRuleWarning")
    result.assert_outcomes(passed=1)
    said = [line.partition("WorkflowRuleWarning: ")[2] for line in result.outlines]
    return [line.partition("] ")[2].partition(": ")[2] for line in said if line.startswith("[unknown-option]")]


def test_the_options_that_there_are_are_no_finding(worker: Any) -> None:
    assert warnings_of(worker) == []


@pytest.mark.parametrize(
    ("part", "code", "said"),
    [
        ("storage", 'await storage.put("a", 1, allow_unconfirmed=True)', "ctx.storage.put(...) has no option `allow_unconfirmed`; did you mean `allowUnconfirmed`?"),
        ("storage", 'await storage.put({"a": 1}, no_cache=True)', "ctx.storage.put(...) has no option `no_cache`; did you mean `noCache`?"),
        ("storage", 'await storage.list(start_after="a")', "ctx.storage.list(...) has no option `start_after`; did you mean `startAfter`?"),
        ("storage", 'await storage.get("a", no_cache=True)', "ctx.storage.get(...) has no option `no_cache`; did you mean `noCache`?"),
        ("storage", 'await storage.delete("a", no_cache=True)', "ctx.storage.delete(...) has no option `no_cache`; did you mean `noCache`?"),
        ("sending", 'await self.env.Q.send(1, content_type="json")', "send(...) to the queue 'q' has no option `content_type`; did you mean `contentType`?"),
        ("sending", 'await self.env.Q.sendBatch([{"body": 1}], delay_seconds=1)', "sendBatch(...) to the queue 'q' has no option `delay_seconds`; did you mean `delaySeconds`?"),
        ("sending", 'await self.env.Q.sendBatch([{"body": 1, "delay_seconds": 1}])', "sendBatch(...) to the queue 'q' has no option `delay_seconds`; did you mean `delaySeconds`?"),
        ("consuming", "message.retry(delay_seconds=1)", "retry(...) of a message has no option `delay_seconds`; did you mean `delaySeconds`?"),
        ("consuming", "batch.retryAll(delay_seconds=1)", "retryAll(...) of a batch has no option `delay_seconds`; did you mean `delaySeconds`?"),
    ],
)  # fmt: skip
def test_an_option_that_there_is_not_is_a_finding(worker: Any, part: str, code: str, said: str) -> None:
    (message,) = warnings_of(worker, **{part: code})

    assert message.startswith(said)
