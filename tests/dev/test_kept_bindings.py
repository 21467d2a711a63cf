"""Contents of bindings under `pytest-workflows dev`: they outlive the process, and what is under way in them goes on."""

import asyncio
import contextlib
import json
import sqlite3
import time

import pytest

from durable_engine import JsException
from pytest_workflows.dev.live_worker import LiveWorker
from pytest_workflows.dev.problems import is_in_words, problem_text
from pytest_workflows.dev.settings import DevSettings
from pytest_workflows.dev.versions import Versions
from pytest_workflows.project import importer
from pytest_workflows.workers import Request

BINDINGS = {
    "kv_namespaces": [{"binding": "KV", "id": "kv"}],
    "r2_buckets": [{"binding": "R2", "bucket_name": "files"}],
    "d1_databases": [{"binding": "DB", "database_name": "shop", "database_id": "shop"}],
    "durable_objects": {"bindings": [{"name": "BELLS", "class_name": "Bell"}]},
    "migrations": [{"tag": "v1", "new_sqlite_classes": ["Bell", "Unbound"]}],
    "queues": {
        "producers": [{"binding": "MAIL", "queue": "mail"}],
        "consumers": [{"queue": "mail", "max_batch_timeout": 0, "max_retries": 100, "retry_delay": 1}],
    },
}
ENTRY = """\
import json
from workers import DurableObject, Response, WorkerEntrypoint, WorkflowEntrypoint


class Greeting(WorkflowEntrypoint):
    async def run(self, event, step):
        pass


class Bell(DurableObject):
    async def set(self, delay_ms):
        await self.ctx.storage.put("rung", 0)
        self.ctx.storage.sql.exec("CREATE TABLE IF NOT EXISTS t(x)")
        self.ctx.storage.sql.exec("INSERT INTO t VALUES (1)")
        import time
        await self.ctx.storage.setAlarm(int(time.time() * 1000) + delay_ms)

    async def alarm(self, info=None):
        await self.ctx.storage.put("rung", (await self.ctx.storage.get("rung")) + 1)

    async def state(self):
        rows = self.ctx.storage.sql.exec("SELECT count(*) AS n FROM t").one().n
        return [rows, await self.ctx.storage.get("rung")]


class Unbound(Bell):
    pass


class Default(WorkerEntrypoint):
    async def fetch(self, request):
        env = self.env
        bells = self.ctx.exports.Unbound if "unbound" in request.url else env.BELLS
        if request.method == "POST":
            await env.KV.put("key", "value")
            await env.R2.put("object", "body")
            await env.DB.prepare("INSERT INTO notes VALUES (1)").run()
            await bells.getByName("a").set(400)
            await env.MAIL.send({"n": 1})
            return Response("written")
        object = await env.R2.get("object")
        notes = await env.DB.prepare("SELECT x FROM notes").all()
        return Response.json({
            "kv": await env.KV.get("key"),
            "r2": object and await object.text(),
            "d1": [row.x for row in notes.results],
            "bell": await bells.getByName("a").state(),
            "mail": json.loads(await env.KV.get("mail") or "[]"),
        })

    async def queue(self, batch, env, ctx):
        if await self.env.KV.get("closed"):
            raise ValueError("closed")
        mail = json.loads(await self.env.KV.get("mail") or "[]")
        await self.env.KV.put("mail", json.dumps(mail + [message.body["n"] for message in batch.messages]))
"""


def fill(files):
    files.configure(**BINDINGS)
    files.write(ENTRY)
    (files.folder / "migrations").mkdir()
    (files.folder / "migrations" / "1.sql").write_text("CREATE TABLE notes(x)")


@contextlib.asynccontextmanager
async def served(files):
    """A Worker that is served for as long as the block lasts."""
    files.state.mkdir(parents=True, exist_ok=True)
    importer.install()
    worker = LiveWorker(DevSettings(files.folder / "wrangler.jsonc", files.state, files.folder), Versions(files.state))
    try:
        await worker.open()
        await worker.start()
        try:
            yield worker
        finally:
            await worker.close()
    finally:
        importer.uninstall()


async def text_of(worker, path="/", **options):
    response = await worker.fetch(Request(f"http://localhost{path}", **options))
    return await response.text()


async def state_of(worker, path="/"):
    return json.loads(await text_of(worker, path))


async def until(worker, wanted, path="/"):
    """The state, once something of it is as it is wanted."""
    async with asyncio.timeout(20):
        while True:
            found = await state_of(worker, path)
            if wanted(found):
                return found
            await asyncio.sleep(0.01)


async def test_all_bindings_have_what_they_had_and_their_alarms_and_queues_go_on(files):
    fill(files)
    async with served(files) as worker:
        await worker.env.resolve("KV").put("closed", "yes")
        assert await text_of(worker, method="POST") == "written"

    async with served(files) as worker:
        await worker.env.resolve("KV").delete("closed")
        found = await until(worker, lambda state: state["mail"] and state["bell"][1])

    assert found == {"kv": "value", "r2": "body", "d1": [1], "bell": [1, 1], "mail": [1]}


async def test_alarms_of_a_class_that_nobody_has_a_binding_to_go_off_all_the_same(files):
    fill(files)
    async with served(files) as worker:
        await text_of(worker, "/unbound", method="POST")

    async with served(files) as worker, asyncio.timeout(20):
        (store,) = [one.store for one in worker.env.host.stores.listing() if one.id == "Unbound"]
        while not store.contents()[""]["a", "rung"]:
            await asyncio.sleep(0.01)


async def test_messages_of_a_queue_that_nobody_has_a_binding_to_are_delivered_all_the_same(files):
    fill(files)
    async with served(files) as worker:
        await worker.env.resolve("KV").put("closed", "yes")
        assert await text_of(worker, method="POST") == "written"
    files.configure(**{**BINDINGS, "queues": {"consumers": BINDINGS["queues"]["consumers"]}})

    async with served(files) as worker:
        await worker.env.resolve("KV").delete("closed")
        assert (await until(worker, lambda state: state["mail"]))["mail"] == [1]


async def test_what_cannot_go_on_is_in_the_log_and_stops_nothing_else(files, caplog):
    fill(files)
    async with served(files) as worker:
        await text_of(worker, "/unbound", method="POST")
    files.replace("class Unbound(Bell)", "class RenamedBell(Bell)")
    files.configure(**{**BINDINGS, "migrations": [{"tag": "v1", "new_sqlite_classes": ["Bell"]}]})

    async with served(files) as worker:
        assert await worker.env.resolve("KV").get("key") == "value"

    assert "The alarms of Unbound: what the last process left does not go on: there is no class Unbound" in caplog.text


async def test_messages_wait_for_the_consumer_that_a_deploy_brings(files):
    fill(files)
    queues = BINDINGS["queues"]
    files.configure(**{**BINDINGS, "queues": {"producers": queues["producers"]}})

    async with served(files) as worker:
        assert await text_of(worker, method="POST") == "written"
        (queue,) = [one.store for one in worker.env.host.stores.listing() if one.kind == "queues"]
        assert [row[2] for row in queue.peek("messages").rows] == ["waiting"]
        files.configure(**BINDINGS)
        assert (await worker.deploy()).problem is None

        assert (await until(worker, lambda state: state["mail"]))["mail"] == [1]
        assert queue.peek("messages").rows == []


def test_what_was_answered_is_there_after_the_process_was_killed(files, start, http):
    # A process that is killed closes nothing: no other test has files in that state.
    fill(files)
    dev = start(files.folder).wait_until_up()
    assert http.post(dev.url).text == "written"

    dev.kill()
    dev = start(files.folder).wait_until_up()

    found = http.get(dev.url).json()
    assert (found["kv"], found["r2"], found["d1"], found["bell"][0]) == ("value", "body", [1], 1)
    end = time.monotonic() + 20
    while not (found["mail"] and found["bell"][1]) and time.monotonic() < end:
        found = http.get(dev.url).json()
    assert (set(found["mail"]), found["bell"][0]) == ({1}, 1)  # each at least once
    assert found["bell"][1] >= 1
    assert dev.interrupt() == 0
    database = sqlite3.connect(files.state / "d1" / "shop.sqlite")
    assert database.execute("SELECT x FROM notes").fetchall() == [(1,)]
    database.close()


async def test_contents_that_are_damaged_are_told_with_the_file_and_what_to_do(files):
    fill(files)
    async with served(files) as worker:
        await text_of(worker, method="POST")
    file = files.state / "bindings.sqlite"
    contents = file.read_bytes()
    file.write_bytes(contents[:4096] + b"\xff" * (len(contents) - 4096))

    with pytest.raises(JsException) as caught:
        async with served(files):
            pass

    assert is_in_words(caught.value)
    assert problem_text(caught.value, DevSettings(files.folder / "wrangler.jsonc", files.state, files.folder)) == (
        f"The contents on disk cannot be used, and nothing of this call is written: {file}: database disk image is "
        "malformed. The file is damaged: take back a copy of it, or move it away, and try again."
    )
