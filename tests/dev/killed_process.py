"""A process that is to be killed: a Worker under load, without a server before it; or one that brings all to its end.

Run as `killed_process.py FOLDER load|end NAME`. What is acknowledged is noted in the same file as what the Worker does.
"""

import asyncio
import contextlib
import json
import mmap
import os
import random
import signal
import sys
from pathlib import Path

from pytest_workflows.dev.live_worker import LiveWorker
from pytest_workflows.dev.settings import DevSettings
from pytest_workflows.dev.versions import Versions
from pytest_workflows.project import importer

INSTANCES = 30
AT_A_TIME = 10


class Process:
    """The Worker of a folder.

    Args:
        folder: The folder.
        name: A name of this process, which its instances' names begin with.
    """

    def __init__(self, folder, name):
        state = folder / ".workflows" / "state"
        state.mkdir(parents=True, exist_ok=True)
        settings = DevSettings(config=folder / "wrangler.jsonc", state=state, rootdir=folder, workers=(folder,))
        self.worker = LiveWorker(settings, Versions(state))
        self.name = name
        self.log = os.open(os.environ["KILLED_LOG"], os.O_WRONLY | os.O_APPEND)

    def note(self, *words):
        os.write(self.log, (" ".join(words) + "\n").encode())

    async def ask(self, path):
        from workers import Request

        response = await self.worker.fetch(Request(f"http://killed/{path}"))
        text = await response.text()
        assert response.status == 200, text
        return text

    async def load(self):
        """Create instances and send them events, for as long as the process lives."""
        limit = asyncio.Semaphore(AT_A_TIME)

        async def one(number):
            id = f"{self.name}-{number}"
            async with limit:
                await self.ask(f"create/{id}")
                self.note("created", id)
                for word in range(random.randrange(3)):
                    await self.ask(f"send/{id}/{number}.{word}")
                    self.note("told", id, f"{number}.{word}")
            if number % 2:
                await self.ask(f"send/{id}/end")

        await asyncio.gather(*[one(number) for number in range(INSTANCES)])
        await asyncio.Event().wait()

    async def end(self):
        """Let every instance come to its end, and say what there is."""
        engine = self.worker.engine
        for instance in engine.instances:
            if not instance.finished:
                await self.ask(f"send/{instance.id}/end")
        for instance in engine.instances:
            await engine.wait(
                lambda instance=instance: engine.find(instance.workflow, instance.id).finished,
                lambda instance=instance: f"Waiting for the end of {instance.id}.",
                about=instance.key,
                timeout=60,
            )
        found = {}
        for instance in engine.instances:
            handle = await engine.bindings["ORDERS"].get(instance.id)
            found[instance.id] = dict(await handle.status())
        return {"instances": found, **json.loads(await self.ask("stored"))}


@contextlib.contextmanager
def shared_byte(path):
    """A byte of memory that another process sees, by a file of one byte."""
    with path.open("r+b") as file, mmap.mmap(file.fileno(), 1) as flag:
        yield flag


def show_commits(worker, flag):
    """Let a byte of memory that another process sees say whether a commit is under way, and die inside of one if asked.

    `KILLED_AT` is the number of an instruction of SQLite's, counted over all commits, before which the process dies.
    """
    connection = worker.engine.store._database._connection
    execute, at = connection._execute_fetchall, int(os.environ.get("KILLED_AT", 0))

    def flagged(sql, parameters):
        flag[0] = sql.startswith("INSERT")
        try:
            return execute(sql, parameters)
        finally:
            flag[0] = 0

    connection._execute_fetchall = flagged
    if at:
        count = iter(range(at))

        def die_in_time():
            if next(count, None) is None:
                os.kill(os.getpid(), signal.SIGKILL)

        connection._connection.set_progress_handler(die_in_time, 1)


async def main():
    folder, mode, name = Path(sys.argv[1]), sys.argv[2], sys.argv[3]
    random.seed(name)
    process = Process(folder, name)
    await process.worker.open()
    try:
        await serve(process, folder, mode)
    finally:
        await process.worker.close()


async def serve(process, folder, mode):
    await process.ask("prepare")
    with shared_byte(folder / "flag") as flag:
        connection = process.worker.engine.store._database._connection
        await connection._execute(show_commits, process.worker, flag)
        await process.worker.start()
        process.note("up", process.name)
        if mode == "load":
            await process.load()
        else:
            found = await process.end()
            (folder / "found.json").write_text(json.dumps(found))


importer.install()
asyncio.run(main())
