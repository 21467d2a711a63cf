"""What a put of KV, a message, a call of a Durable Object and a seed cost, beside what they may cost.

python benchmarks/bindings.py
"""

import json
import pathlib
import sys
import tempfile

from many_instances import cpu_seconds
from measuring import INI

CONFIG = """{
  "name": "bench", "main": "entry.py", "compatibility_date": "2026-11-01", "compatibility_flags": ["python_workers"],
  "d1_databases": [{"binding": "DB", "database_name": "bench", "database_id": "1"}],
  "kv_namespaces": [{"binding": "KV", "id": "1"}],
  "r2_buckets": [{"binding": "FILES", "bucket_name": "files"}],
  "queues": {"producers": [{"binding": "JOBS", "queue": "jobs"}], "consumers": [{"queue": "jobs"}]},
  "durable_objects": {"bindings": [{"name": "COUNTERS", "class_name": "Counter"}]},
  "migrations": [{"tag": "v1", "new_sqlite_classes": ["Counter"]}],
  "workflows": [{"name": "steps", "binding": "STEPS", "class_name": "Steps"}]
}"""
TABLE = "CREATE TABLE items (id INTEGER PRIMARY KEY, name TEXT NOT NULL, amount INTEGER, note TEXT)"
WORKER = """
from workers import DurableObject, WorkerEntrypoint, WorkflowEntrypoint

class Counter(DurableObject):
    async def add(self, number):
        self.number = getattr(self, "number", 0) + number
        return self.number

class Steps(WorkflowEntrypoint):
    async def run(self, event, step):
        for number in range(event["payload"]):
            @step.do("add")
            async def add():
                return number
            await add()

class Default(WorkerEntrypoint):
    async def queue(self, batch, env, ctx):
        for message in batch.messages:
            message.ack()
"""
SESSION = """
import json, pathlib, sqlite3, time
import pytest

INSERT = "INSERT INTO items (name, amount, note) VALUES (?, ?, ?)"
NUMBER, ROWS = 1000, 10_000
times = {}

def took(what, began, per=NUMBER):
    times.setdefault(what, []).append((time.thread_time() - began) / per)

async def fill(env):
    row = env.DB.prepare(INSERT)
    for first in range(0, ROWS, 500):
        await env.DB.batch([row.bind(f"item {i}", i, "a note about it") for i in range(first, first + 500)])
    for i in range(1000):
        await env.KV.put(f"key {i}", "value")
    for i in range(100):
        await env.FILES.put(f"file {i}", bytes(1_000_000))

@pytest.fixture
def workflow_seed(request):
    return fill if "seeded" in request.node.name else None

@pytest.mark.parametrize("i", range(7))
async def test_calls(i, workflow_env, workflow_engine):
    began = time.thread_time()
    for i in range(NUMBER):
        await workflow_env.DB.prepare(INSERT).bind(f"item {i}", i, "a note").run()
    took("query", began)
    began = time.thread_time()
    for i in range(NUMBER):
        await workflow_env.KV.put(f"key {i}", "value")
    took("put", began)
    began = time.thread_time()
    for i in range(NUMBER):
        await workflow_env.JOBS.send({"number": i})
    took("send", began)
    await workflow_engine.run_until_idle()
    took("message", began)
    counter = workflow_env.COUNTERS.getByName("one")
    began = time.thread_time()
    for i in range(NUMBER):
        await counter.add(i)
    took("call", began)
    began = time.thread_time()
    await workflow_env.STEPS.create({"params": NUMBER})
    await workflow_engine.run_until_idle()
    took("step", began)

async def contents(workflow_env):
    await workflow_env.DB.prepare("SELECT name FROM items LIMIT 1").run()
    await workflow_env.KV.get("key")
    await workflow_env.FILES.head("file")

@pytest.mark.parametrize("i", range(50))
async def test_empty(i, workflow_env):
    began = time.thread_time()
    await contents(workflow_env)
    took("empty", began, 1)

@pytest.mark.parametrize("i", range(50))
async def test_seeded(i, workflow_env):
    began = time.thread_time()
    await contents(workflow_env)
    took("seeded", began, 1)

def test_report():
    connection = sqlite3.connect(":memory:")
    connection.execute("TABLE")
    rows = [(f"item {i}", float(i), "a note about it") for i in range(ROWS)]
    connection.executemany(INSERT, rows)
    connection.commit()
    for _ in range(50):
        began = time.thread_time()
        with sqlite3.connect(":memory:") as copy:
            connection.backup(copy)
        took("copy", began, 1)
        copy.close()
    pathlib.Path("times.json").write_text(json.dumps({what: min(all) for what, all in times.items()}))
"""


def main():
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        (folder / "pytest.ini").write_text(INI)
        (folder / "wrangler.jsonc").write_text(CONFIG)
        (folder / "entry.py").write_text(WORKER)
        (folder / "migrations").mkdir()
        (folder / "migrations" / "0001_items.sql").write_text(TABLE)
        cpu_seconds(folder, SESSION.replace('"TABLE"', repr(TABLE)))
        times = json.loads((folder / "times.json").read_text())
    print(f"Python {sys.version.split()[0]}; best of 7, of the copies best of 50; processor time")
    for what, ours, beside, aim in (
        ("a put of KV, beside an insert of D1", times["put"], times["query"], 1),
        ("a message, sent, beside an insert of D1", times["send"], times["query"], 1),
        ("a message, sent and consumed, beside an insert of D1", times["message"], times["query"], 1),
        ("a call of a Durable Object, beside a step of a workflow", times["call"], times["step"], 2),
        ("a seed's copies, beside a copy of its rows", times["seeded"] - times["empty"], times["copy"], 2),
    ):
        print(f"{what:54}{ours * 1e6:>8.1f} us{beside * 1e6:>8.1f} us{ours / beside:>7.2f}   aim: {aim}")


if __name__ == "__main__":
    main()
