"""Stores on disk for tests: files as the sudden end of a process leaves them, and commits that wait for a word."""

import asyncio
import contextlib
import shutil

from durable_engine import Engine
from durable_engine.storage.disk import DiskStore


def as_killed(path, to):
    """What a process that is killed now would leave of a store's file."""
    to.mkdir()
    for file in path.parent.glob(path.name + "*"):
        if not file.name.endswith((".lock", "-shm")):
            shutil.copy(file, to / file.name)
    return to / path.name


@contextlib.asynccontextmanager
async def opened(path):
    """A store of a file, closed at the end."""
    store = await DiskStore.open(path)
    try:
        yield store
    finally:
        await store.aclose()


@contextlib.asynccontextmanager
async def engine_on(path, workflows, **options):
    """An engine on a file, as a process has it that starts: the workflows are bound, and their instances go on."""
    async with opened(path) as store, Engine(store=store, timeout=10, **options) as engine:
        for name, workflow in workflows.items():
            settings = {}
            if isinstance(workflow, tuple):
                workflow, settings = workflow
            engine.bind(name, workflow, **settings)
        engine.recover()
        yield engine


def contents(store):
    """All that is stored, to be compared."""
    return [(row, store.steps(row.key), store.history(row.key), store.events(row.key)) for row in store.all_instances()]


def put(store, name, value):
    """Write something under a name."""
    row = store.find_instance("N", name)
    if row is None:
        store.add_instance("N", name, 0, value)
    else:
        row.output = value
        store.save_instance(row)


def got(store, name):
    """What was written last under a name."""
    row = store.find_instance("N", name)
    return row.params if row.output is None else row.output


class Commits:
    """The commits of a store: counted, and held back while `hold` says so.

    Args:
        store: The store.

    Attributes:
        count: How many there were.
        delay: How many turns of the loop each of them takes longer.
    """

    def __init__(self, store):
        self._write = store._database.write
        self._open = asyncio.Event()
        self._open.set()
        self.count = 0
        self.delay = 0
        store._database.write = self._held

    def hold(self):
        """From now on, commits wait."""
        self._open.clear()

    def release(self):
        """Let them happen."""
        self._open.set()

    async def _held(self, number, batches):
        await self._open.wait()
        await turns(self.delay)
        await self._write(number, batches)
        self.count += 1


async def turns(count=30):
    """So many turns of the event loop."""
    for _ in range(count):
        await asyncio.sleep(0)
