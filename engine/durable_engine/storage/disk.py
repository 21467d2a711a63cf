"""A store on disk: in memory for whoever reads, and in the journal of a file for whoever starts again.

Every change is in memory at once, and becomes an entry of the batch that the next commit writes. While one commit is
under way, the next batch gathers: the more is written at a time, the fewer commits there are for it. What may only
happen once something is on disk waits for the commit of its batch (`when_stored`).
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterator, Sequence
from contextvars import Context
from functools import partial
from pathlib import Path
from typing import Self

import msgspec

from durable_engine.context.scope import current_scope
from durable_engine.errors import StoreError

from .database import Database
from .journal import Added, Deleted, Entry, Saved, decode_batch, encode_batch, instances_of, parts_of
from .journaled_store import JournaledStore
from .store import Shown

LOG = logging.getLogger("durable_engine.storage")

MOST_WHOLE_LINES = 4000
"""Lines of history of one batch of a compaction, as long as they are those of several instances."""

MOST_WHOLE_BYTES = 8 * 1024 * 1024
"""The same in bytes of what steps got and came to: the event loop stands still while a batch is packed."""

LARGEST_BATCH = 256 * 1024 * 1024
"""The most bytes of a batch that can be parted: SQLite takes a value of up to a billion."""

MOST_DROPPED = 64
"""Batches that are dropped at a time."""

SPARE_BYTES = 32 * 1024 * 1024
"""What the journal may grow by before it is compacted, beside the size that it had after the last time."""

RETRY_SECONDS = (0.1, 0.25, 0.5, 1.0)
"""How long to wait after each commit that failed; the last one from then on."""


class _Gathered:
    """What one commit is for.

    Attributes:
        entries: What it writes.
        actions: What is to be done afterwards.
        waiters: Whoever is told of it, or of what keeps it from the disk.
    """

    __slots__ = ("actions", "entries", "waiters")

    def __init__(self) -> None:
        self.entries: list[Entry] = []
        self.actions: list[Callable[[], None]] = []
        self.waiters: list[Callable[[StoreError | None], None]] = []


class DiskStore(JournaledStore):
    """The storage of an engine in a file. It belongs to the event loop on which it was opened.

    Args:
        database: The file, which `open` has read.
        next_number: The number of the batch that comes next.

    Attributes:
        problem: What keeps it from being written, in words; None while all is well. What was written meanwhile is
            kept in memory, and tried again; nobody is told that it is stored.
    """

    writes_later = True

    def __init__(self, database: Database, next_number: int = 1) -> None:
        super().__init__(self._take)
        self.problem: str | None = None
        self._reason = ""
        self._database = database
        self._loop = asyncio.get_running_loop()
        self._number = next_number
        self._gathered = _Gathered()
        self._committing: _Gathered | None = None
        self._writer: asyncio.Task[None] | None = None
        self._call: asyncio.Handle | None = None
        self._is_ending = asyncio.Event()
        self._size = 0
        self._limit = SPARE_BYTES

    @classmethod
    async def open(cls, path: Path | str) -> Self:
        """Open the store of a file; the file is made where there is none.

        Args:
            path: The file. A lock and SQLite's log lie beside it.

        Raises:
            StoreError: If another process has it open, it is no file of ours, or of a version that cannot be read.
        """
        database = await Database.open(Path(path))
        try:
            stored = await database.batches()
            store = cls(database, stored[-1][0] + 1 if stored else 1)
            store.replay(decode_batch(batch) for _, batch in stored)
        except msgspec.DecodeError as error:
            await database.close()
            raise StoreError(f"{path} is damaged, and was left as it is: {error}.") from error
        except BaseException:
            await database.close()
            raise
        store._size = sum(len(batch) for _, batch in stored)
        return store

    async def aclose(self) -> None:
        """Write what is not written yet, and close the file.

        Raises:
            StoreError: If it cannot be written.
        """
        self._is_ending.set()
        try:
            if self._call is not None:
                self._call.cancel()
                self._begin()
            if self._writer is not None:
                await self._writer
        finally:
            await self._database.close()
        if self._gathered.entries:
            raise StoreError(
                f"What the workflows did last is not on disk, and is lost with this process. {self._reason} Steps "
                "whose results are lost run again after the next start."
            )

    # -- what was written --------------------------------------------------------------------------------------------

    def when_stored(self, action: Callable[[], None]) -> None:
        """Do something once everything written so far is on disk; at once if it is."""
        batch = self._unwritten
        if batch is not None:
            batch.actions.append(action)
        else:
            action()

    def once_stored(self, tell: Callable[[StoreError | None], None], about: Shown | None = None) -> None:
        """Tell once what was written so far is on disk, or why it cannot be written now.

        Args:
            tell: Called with None, or the error.
            about: What is told of, where that is not everything.
        """
        if self.problem is not None:
            tell(StoreError(self.problem))
            return
        batch = self._unwritten if about is None else self._unwritten_of(about)
        if batch is None:
            tell(None)
        else:
            batch.waiters.append(tell)

    async def stored(self) -> None:
        """Wait until everything written so far is on disk.

        Raises:
            StoreError: If it cannot be written now, and no code of an instance asks: that waits until it can.
        """
        if self._unwritten is None:
            return
        done: asyncio.Future[None] = self._loop.create_future()
        if current_scope.get() is not None:
            self.when_stored(partial(_settle, done, None))
        else:
            self.once_stored(partial(_settle, done))
        await done

    @property
    def _unwritten(self) -> _Gathered | None:
        """The last batch that is not on disk; None if all are."""
        return self._gathered if self._gathered.entries else self._committing

    def _unwritten_of(self, shown: Shown) -> _Gathered | None:
        """The last batch that is not on disk and has something that is told of; None if there is none."""
        for batch in (self._gathered, self._committing):
            if batch is not None and any(_is_shown(entry, shown) for entry in batch.entries):
                return batch
        return None

    def _take(self, entry: Entry) -> None:
        self._gathered.entries.append(entry)
        if self._writer is None and self._call is None and not self._is_ending.is_set():
            # In a turn of its own: what is written in one turn of the loop is in one batch.
            self._call = self._loop.call_soon(self._begin, context=Context())

    def _begin(self) -> None:
        self._call = None
        self._writer = self._loop.create_task(self._write(), context=Context())

    async def _write(self) -> None:
        try:
            while self._gathered.entries:
                await self._write_batch()
                if self._size > self._limit and not self._is_over:
                    await self._compact()
        except _Ended:
            pass
        finally:
            self._writer = None

    async def _write_batch(self) -> None:
        """Write what has gathered.

        Raises:
            _Ended: If it cannot be written, and the store is being closed.
        """
        batch, self._gathered = self._gathered, _Gathered()
        self._committing = batch
        await self._commit(batch)
        self._committing = None  # before what comes now, which may write more and wait for that
        # Whoever waits for an answer comes first: what goes on now may take the rest of the turn.
        self._do([partial(waiter, None) for waiter in batch.waiters])
        self._do(batch.actions)

    def _do(self, actions: Sequence[Callable[[], None]]) -> None:
        """Do what waited for a commit."""
        for action in actions:
            try:
                action()
            except Exception as error:
                self._loop.call_exception_handler({"message": "What waited for the disk failed.", "exception": error})

    async def _commit(self, batch: _Gathered) -> None:
        """Get a batch to the disk, however long that takes."""
        packed: list[bytes] = []
        waits = iter(RETRY_SECONDS)
        while True:
            try:
                packed = packed or self._packed(batch.entries)
                await self._database.write(self._number, packed)
            except Exception as error:
                self._fail(batch, error if isinstance(error, StoreError) else self._mistake(error))
                if self._is_ending.is_set():
                    self._gathered.entries[:0] = batch.entries
                    raise _Ended from None
                await self._pause(next(waits, RETRY_SECONDS[-1]))
            else:
                self._number += len(packed)
                self._size += sum(map(len, packed))
                self._succeed()
                return

    def _mistake(self, error: Exception) -> StoreError:
        """An error that is none of the file, as one: the writer must not end of it, and go on beyond a gap."""
        return StoreError(
            f"{self._database.path} cannot be written ({type(error).__name__}: {error}). That is a mistake of the "
            "engine, and not of your workflow: please report it."
        )

    def _packed(self, entries: list[Entry]) -> list[bytes]:
        """Entries as batches, each of a size that a database takes."""
        packed = encode_batch(self._last_key, self._last_event, entries)
        if len(packed) > LARGEST_BATCH and len(entries) == 1:
            entries = parts_of(entries[0])
        if len(packed) <= LARGEST_BATCH or len(entries) == 1:
            return [packed]
        half = len(entries) // 2
        return [*self._packed(entries[:half]), *self._packed(entries[half:])]

    def _fail(self, batch: _Gathered, error: StoreError) -> None:
        self._reason = str(error)
        problem = (
            f"{error} What the workflows have done since is kept in memory, and written as soon as that is possible: "
            "nothing is lost unless the process ends before, and nothing is acknowledged until then."
        )
        if problem != self.problem:
            LOG.error(problem)
        self.problem = problem
        waiters, batch.waiters = [*batch.waiters, *self._gathered.waiters], []
        self._gathered.waiters = []
        self._do([partial(waiter, StoreError(problem)) for waiter in waiters])

    def _succeed(self) -> None:
        if self.problem is not None:
            self.problem = None
            LOG.warning("%s is written again; nothing was lost.", self._database.path)

    async def _pause(self, seconds: float) -> None:
        """Wait before the next try; the end of the store is one at once."""
        ending = asyncio.ensure_future(self._is_ending.wait())
        await asyncio.wait([ending], timeout=seconds)
        ending.cancel()

    # -- compaction --------------------------------------------------------------------------------------------------

    @property
    def _is_over(self) -> bool:
        """Whether the store is being closed, or its engine is: nothing is written anew then."""
        return self._is_closed or self._is_ending.is_set()

    async def _compact(self) -> None:
        """Write all that there is anew, beside what happens meanwhile, and then drop what was written before."""
        first, size = self._number, self._size
        keys = iter(self.keys())
        while self._gather_whole(keys):
            await self._write_batch()
            if self._is_over:
                return  # memory may have nothing any more; what was written before has it all
        self._gathered.entries += self.others()
        await self._write_batch()
        try:
            while await self._database.drop_before(first, MOST_DROPPED):
                if self._gathered.entries:
                    await self._write_batch()
        except StoreError as error:
            LOG.warning("What is out of date in the file stays there for now. %s", error)
        else:
            self._size -= size
        self._limit = 2 * self._size + SPARE_BYTES

    def _gather_whole(self, keys: Iterator[int]) -> bool:
        """Let the next batch have some more instances; returns whether there were any."""
        lines = size = 0
        for whole in self.whole(keys):
            self._gathered.entries.append(whole)
            lines += len(whole.lines) + 1
            size += sum(len(step.result or b"") + len(step.inputs or b"") for step in whole.steps)
            if lines >= MOST_WHOLE_LINES or size >= MOST_WHOLE_BYTES:
                break
        return lines > 0


def _is_shown(entry: Entry, shown: Shown) -> bool:
    """Whether an entry has something that is told of."""
    if shown.all_rows and isinstance(entry, Added | Saved | Deleted):
        return True
    return any(key in shown.instances for key in instances_of(entry))


class _Ended(Exception):
    """The store is being closed, and cannot be written."""


def _settle(future: asyncio.Future[None], error: Exception | None) -> None:
    if not future.done():
        if error is None:
            future.set_result(None)
        else:
            future.set_exception(error)
