"""Upgrades amid a run: what steps did before and after counts, in stores, fakes and handlers."""

import json

from .upgrade_outcomes import red_points

CONFIG = {
    "name": "shop",
    "main": "src/entry.py",
    "compatibility_date": "2026-11-10",
    "kv_namespaces": [{"binding": "CACHE", "id": "cache"}],
    "d1_databases": [{"binding": "DB", "database_id": "db", "database_name": "db"}],
    "queues": {"producers": [{"binding": "MAIL", "queue": "mail"}], "consumers": [{"queue": "mail"}]},
    "durable_objects": {"bindings": [{"name": "COUNTER", "class_name": "Counter"}]},
    "migrations": [{"tag": "v1", "new_sqlite_classes": ["Counter"]}],
}
WORKFLOWS = ("Moved", "Lost", "Values", "Stored", "Migrated", "Counted", "Posted", "Patched", "Made")
HEAD = """
from workers import DurableObject, Response, WorkflowEntrypoint, WorkerEntrypoint

VERSION = {version!r}


def price():
    return {price}


class Default(WorkerEntrypoint):
    async def fetch(self, request):
        instance = await self.env.MADE.create({{"id": "made"}})
        return Response(VERSION)

    async def queue(self, batch):
        for message in batch.messages:
            await self.env.CACHE.put(f"mail {{message.body}}", VERSION)
            message.ack()


class Counter(DurableObject):
    async def add(self):
        count = (await self.ctx.storage.get("count") or 0) + 1
        await self.ctx.storage.put("count", count)
        return f"{{VERSION}} {{count}}"


class Steps(WorkflowEntrypoint):
    async def run(self, event, step):
        first = await step.do("first")(self.first)()
        await step.sleep("nap", "1 day")
        second = await step.do("second")(self.second)()
        return [first, second]

    async def first(self):
        return None

    async def second(self):
        return None

    async def charge(self):
        return await self.env.BANK.charge(5)


class Counted(Steps):
    async def first(self):
        return await self.env.COUNTER.getByName("a").add()

    async def second(self):
        return await self.env.COUNTER.getByName("a").add()


class Posted(Steps):
    async def second(self):
        await self.env.MAIL.send("hello")


class Patched(Steps):
    async def first(self):
        return price()


class Made(Steps):
    pass
"""
OLD = (
    HEAD.format(version="old", price=12)
    + """
class Moved(Steps):
    async def first(self):
        await self.charge()


class Lost(Steps):
    async def second(self):
        await self.charge()


class Values(Steps):
    async def first(self):
        return 12

    async def run(self, event, step):
        cost = await step.do("first")(self.first)()
        await step.sleep("nap", "1 day")

        @step.do("pay")
        async def pay():
            await self.env.BANK.charge(cost * 100)

        await pay()


class Stored(Steps):
    async def first(self):
        await self.env.DB.exec("CREATE TABLE IF NOT EXISTS orders (id INTEGER PRIMARY KEY, state TEXT)")
        await self.env.DB.prepare("INSERT INTO orders (state) VALUES ('begun')").run()

    async def second(self):
        await self.env.DB.prepare("UPDATE orders SET state = 'shipped'").run()


class Migrated(Steps):
    async def first(self):
        await self.env.DB.prepare("INSERT INTO customers (name) VALUES ('Ada')").run()
"""
)
TODAY = (
    HEAD.format(version="today", price=13)
    + """
class Moved(Steps):
    async def second(self):
        await self.charge()


class Lost(Steps):
    async def first(self):
        await self.charge()


class Values(Steps):
    async def first(self):
        return 1200

    async def run(self, event, step):
        cost = await step.do("first")(self.first)()
        await step.sleep("nap", "1 day")

        @step.do("pay")
        async def pay():
            await self.env.BANK.charge(cost)

        await pay()


class Stored(Steps):
    async def first(self):
        await self.env.DB.exec("CREATE TABLE IF NOT EXISTS orders (id INTEGER PRIMARY KEY, state TEXT)")
        await self.env.DB.prepare("INSERT INTO orders (state) VALUES ('new')").run()

    async def second(self):
        await self.env.DB.prepare("UPDATE orders SET state = 'shipped' WHERE state = 'new'").run()


class Migrated(Steps):
    async def first(self):
        await self.env.DB.prepare("INSERT INTO customers (name, mail) VALUES ('Ada', 'a@b.c')").run()

    async def second(self):
        await self.env.DB.prepare("UPDATE customers SET mail = 'x@y.z' WHERE name = 'Ada'").run()
"""
)
TESTS = """
import entry
import pytest
from pytest_workflows import introspect_workflow_instance


class Bank:
    async def charge(self, cents):
        return "ok"


@pytest.fixture
def workflow_bindings():
    return {"BANK": Bank()}


@pytest.mark.parametrize("name", ["MOVED", "LOST", "VALUES", "STORED", "MIGRATED", "COUNTED", "POSTED"])
async def test_it(workflow_env, workflow_engine, name):
    binding = getattr(workflow_env, name)
    async with introspect_workflow_instance(binding, "a") as instance:
        await binding.create({"id": "a"})
        await instance.wait_for_status("complete")
        await workflow_engine.run_until_idle()


async def test_patched(workflow_env, monkeypatch):
    monkeypatch.setattr(entry, "price", lambda: 14)
    async with introspect_workflow_instance(workflow_env.PATCHED, "a") as instance:
        await workflow_env.PATCHED.create({"id": "a"})
        await instance.wait_for_status("complete")
        assert await instance.get_output() == [14, None]


async def test_made(workflow_env, workflow_worker, workflow_engine):
    async with introspect_workflow_instance(workflow_env.MADE, "made") as instance:
        answer = await workflow_worker.fetch("/")
        await instance.wait_for_status("complete")
        assert await answer.text() == "today"
"""


def test_effects_of_an_instance_in_flight_are_counted_over_both_sources(worker):
    workflows = [{"binding": name.upper(), "name": name.lower(), "class_name": name} for name in WORKFLOWS]
    for folder, text in (("old/", OLD), ("", TODAY)):
        worker.write(f"{folder}wrangler.jsonc", json.dumps({**CONFIG, "workflows": workflows}))
        worker.write(f"{folder}src/entry.py", text)
        worker.write(f"{folder}migrations/0001_init.sql", "CREATE TABLE customers (name TEXT);")
    worker.write("migrations/0002_mail.sql", "ALTER TABLE customers ADD COLUMN mail TEXT;")

    result = worker.run(TESTS, "--workflows-upgrade-from=old", "-rf", "-W", "ignore")

    assert sorted(red_points(result)) == ["LOST", "MOVED", "STORED", "VALUES"]
