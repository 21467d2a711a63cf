"""A Worker that notes everything that it does, and everything that it is told, in a file that outlives its process."""

import os
import time

from workers import DurableObject, Response, WorkerEntrypoint, WorkflowEntrypoint

LOG = os.open(os.environ["KILLED_LOG"], os.O_WRONLY | os.O_APPEND)
STEPS = 4
NAP = 300


def note(what, *words):
    os.write(LOG, (" ".join([what, *map(str, words)]) + "\n").encode())


class Orders(WorkflowEntrypoint):
    async def run(self, event, step):
        id = event["instanceId"]
        seen = []
        for number in range(STEPS):
            seen.append(await self.work(step, id, number))
            note("seen", id, number, seen[-1][:16])

        @step.do("send")
        async def send():
            note("ran", id, "send")
            await self.env.QUEUE.send(id)
            note("sent", id)
            await self.env.DB.prepare("INSERT OR IGNORE INTO orders VALUES (?)").bind(id).run()
            note("inserted", id)
            total = await self.env.COUNTERS.getByName("all").add(id)
            note("counted", id)
            return total

        note("seen", id, "send", await send())
        note("sleeps", id, int(time.time() * 1000))
        await step.sleep("nap", NAP)
        note("woke", id, int(time.time() * 1000))
        heard = []
        while not heard or heard[-1] != "end":
            heard.append((await step.wait_for_event(f"word-{len(heard)}", "word"))["payload"])
            note("heard", id, len(heard), heard[-1])
        return {"seen": [value[:16] for value in seen], "heard": heard}

    async def work(self, step, id, number):
        @step.do(f"s{number}")
        async def one():
            note("ran", id, number)
            value = os.urandom(8).hex() + "x" * (number * 700)
            await self.env.KV.put(f"{id}-{number}", value)
            note("put", f"{id}-{number}", value[:16])
            return value

        return await one()


class Counter(DurableObject):
    async def add(self, id):
        ids = await self.ctx.storage.get("ids") or []
        await self.ctx.storage.put("ids", [*ids, id] if id not in ids else ids)
        return len(ids)

    async def ids(self):
        return await self.ctx.storage.get("ids") or []


class Default(WorkerEntrypoint):
    async def fetch(self, request):
        what, _, rest = request.url.partition("//")[2].partition("/")[2].partition("/")
        if what == "prepare":
            await self.env.DB.prepare("CREATE TABLE IF NOT EXISTS orders (id TEXT PRIMARY KEY)").run()
        elif what == "create":
            await self.env.ORDERS.create({"id": rest})
        elif what == "send":
            id, _, word = rest.partition("/")
            await (await self.env.ORDERS.get(id)).send_event({"type": "word", "payload": word})
        elif what == "stored":
            values = {name: (await self.env.KV.get(name))[:16] for name in await self.names()}
            rows = (await self.env.DB.prepare("SELECT id FROM orders").all()).results
            counted = await self.env.COUNTERS.getByName("all").ids()
            return Response.json({"kv": values, "d1": [row.id for row in rows], "counted": list(counted)})
        return Response("done")

    async def names(self):
        page = await self.env.KV.list()
        names = [key.name for key in page["keys"]]
        while not page.list_complete:
            page = await self.env.KV.list({"cursor": page.cursor})
            names += [key.name for key in page["keys"]]
        return names

    async def queue(self, batch, env, ctx):
        for message in batch.messages:
            note("got", message.body)
