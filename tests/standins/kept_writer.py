"""A Worker's writes to everything that is kept, one after another: each is the same in every process.

As a program: it writes from a number on, tells each write that was answered, and is killed some time.
"""

import asyncio
import os
import random
import sys
from pathlib import Path

from object_host import ObjectHost
from plain_host import NOW, PlainHost

from pytest_workflows.project.binding_config import BindingConfig
from pytest_workflows.standins.keeping import Keeper
from pytest_workflows.standins.queue_store import Delivery, QueueStore, StoredMessage, Verdict
from pytest_workflows.standins.registry import make
from pytest_workflows.standins.stores import Stores
from pytest_workflows.workers.binding_wrappers import wrap_binding
from pytest_workflows.workers.entrypoints import DurableObject


class Account(DurableObject):
    """An object whose keys and rows always agree."""

    async def move(self, number):
        storage = self.ctx.storage
        storage.sql.exec("CREATE TABLE IF NOT EXISTS moves(number)")
        storage.sql.exec("INSERT INTO moves VALUES (?)", number)
        await storage.put("last", number)
        await storage.setAlarm(2_000_000_000_000 + number)

    async def begin_anew(self, number):
        await self.ctx.storage.deleteAll()
        if number % 2:
            await self.move(number)


class Writer:
    """Writes to all bindings.

    Args:
        stores: Where their contents are.
    """

    def __init__(self, stores):
        host = PlainHost(stores=stores)
        self.kv = self.binding(host, "kv_namespaces", id="kv")
        self.bucket = self.binding(host, "r2_buckets", bucket_name="files")
        self.db = self.binding(host, "d1_databases", database_id="db")
        self.accounts = ObjectHost(stores).namespace(Account)
        self.queue = stores.get("queues", "mail", lambda: QueueStore(Delivery(batch_size=3, retries=1000)))

    @staticmethod
    def binding(host, kind, **settings):
        return wrap_binding(make(BindingConfig("B", kind, settings, Path("wrangler.jsonc")), host))

    async def write(self, number):
        """Do the write of that number."""
        chance = random.Random(number)
        await getattr(self, chance.choice(["keys", "objects", "rows", "moves", "messages", "deliveries"]))(
            number, chance
        )

    async def keys(self, number, chance):
        key = f"k{chance.randrange(20)}"
        await (self.kv.delete(key) if chance.random() < 0.2 else self.kv.put(key, f"{number}" * 200))

    async def objects(self, number, chance):
        key = f"o{chance.randrange(5)}"
        if chance.random() < 0.5:
            await self.bucket.put(key, f"{number}" * 500)
            return
        upload = await self.bucket.createMultipartUpload(key)
        await upload.complete([await upload.uploadPart(1, f"{number}")])

    async def rows(self, number, chance):
        statement = self.db.prepare("INSERT INTO t VALUES (?)").bind(number)
        create = self.db.prepare("CREATE TABLE IF NOT EXISTS t(x)")
        await self.db.batch([create, *[statement] * chance.randrange(1, 20)])

    async def moves(self, number, chance):
        account = self.accounts.getByName(f"a{chance.randrange(3)}")
        await (account.begin_anew(number) if chance.random() < 0.2 else account.move(number))

    async def messages(self, number, chance):
        texts = [f"{number}.{one}" for one in range(chance.randrange(1, 5))]
        self.queue.add_all([(StoredMessage(text, NOW, "text", text, 1), 0) for text in texts], NOW)

    async def deliveries(self, number, chance):
        batch = self.queue.take(NOW + 10_000) or []
        retried = {message.id: None for message in batch if chance.random() < 0.3}
        self.queue.finish(NOW + 10_000, Verdict(retried=retried))


async def main(folder, first):
    writer = Writer(Stores(keeper=Keeper.open(Path(folder))))
    for number in range(first, first + 100_000):
        await writer.write(number)
        os.write(1, b".")


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2])))
