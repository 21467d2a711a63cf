"""What D1 costs: queries against a bare sqlite3 connection, and tests that query against tests that do not.

python benchmarks/d1.py
"""

import json
import pathlib
import sys
import tempfile

from many_instances import cpu_seconds
from measuring import INI

REPEAT, TESTS = 5, 200
CONFIG = """{
  "name": "bench", "main": "entry.py", "compatibility_date": "2026-11-01", "compatibility_flags": ["python_workers"],
  "d1_databases": [{"binding": "DB", "database_name": "bench", "database_id": "1"}],
  "kv_namespaces": [{"binding": "KV", "id": "1"}]
}"""
TABLE = "CREATE TABLE items (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, amount INTEGER, note TEXT)"
WORKER = """
from workers import Response, WorkerEntrypoint

class Default(WorkerEntrypoint):
    async def fetch(self, request):
        if request.url.endswith("/used"):
            await self.env.DB.prepare("SELECT name FROM items WHERE id = ?").bind(1).first()
            await self.env.KV.put("key", "value")
        return Response("done")
"""
QUERIES = """
import json, pathlib, sqlite3, time
import pytest

TABLE = {table!r}
INSERT = "INSERT INTO items (name, amount, note) VALUES (?, ?, ?)"
SELECT = "SELECT id, name, amount, note FROM items WHERE id = ?"
NUMBER = 1000

def seconds(began):
    return time.thread_time() - began

def bare():
    connection = sqlite3.connect(":memory:")
    connection.execute(TABLE)
    began = time.thread_time()
    for i in range(NUMBER):
        connection.execute(INSERT, (f"item {{i}}", i, "a note"))
    inserts = seconds(began)
    began = time.thread_time()
    for i in range(NUMBER):
        connection.execute(SELECT, (i + 1,)).fetchone()
    return inserts, seconds(began)

async def d1(db):
    began = time.thread_time()
    for i in range(NUMBER):
        await db.prepare(INSERT).bind(f"item {{i}}", i, "a note").run()
    inserts = seconds(began)
    began = time.thread_time()
    for i in range(NUMBER):
        await db.prepare(SELECT).bind(i + 1).first()
    return inserts, seconds(began)

times = []

@pytest.mark.parametrize("i", range({n}))
async def test_queries(i, workflow_env):
    times.append((*bare(), *await d1(workflow_env.DB)))

def test_report():
    best = [min(column) for column in zip(*times)]
    pathlib.Path("times.json").write_text(json.dumps(best))
"""
A_FETCH = """
import pytest

@pytest.mark.parametrize("i", range({n}))
async def test_fetch(i, workflow_worker):
    assert await (await workflow_worker.fetch("/{path}")).text() == "done"
"""


def project(folder):
    (folder / "pytest.ini").write_text(INI)
    (folder / "wrangler.jsonc").write_text(CONFIG)
    (folder / "entry.py").write_text(WORKER)
    (folder / "migrations").mkdir()
    (folder / "migrations" / "0001_items.sql").write_text(TABLE)


def per_test(folder, path):
    """Seconds of a processor that each further test costs."""
    many = min(cpu_seconds(folder, A_FETCH.format(n=TESTS + 1, path=path)) for _ in range(REPEAT))
    one = min(cpu_seconds(folder, A_FETCH.format(n=1, path=path)) for _ in range(REPEAT))
    return (many - one) / TESTS


def main():
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        project(folder)
        cpu_seconds(folder, QUERIES.format(table=TABLE, n=7))
        inserts, selects, d1_inserts, d1_selects = json.loads((folder / "times.json").read_text())
        unused, used = per_test(folder, "unused"), per_test(folder, "used")
    print(f"Python {sys.version.split()[0]}; best of 7, and of {REPEAT}")
    for what, ours, bare, aim in (
        ("1,000 inserts, beside a bare sqlite3", d1_inserts, inserts, "4"),
        ("1,000 selects, beside a bare sqlite3", d1_selects, selects, "4"),
        ("a test with a query and a put, beside one without", used, unused, "1.3"),
    ):
        print(f"{what:52}{ours * 1e3:>9.2f} ms{bare * 1e3:>9.2f} ms{ours / bare:>8.2f}   aim: {aim}")


if __name__ == "__main__":
    main()
