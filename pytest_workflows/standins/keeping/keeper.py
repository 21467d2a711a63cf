"""The keeper of contents: a folder in which the stores of one Worker, and of those that run beside it, are kept."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from pathlib import Path
from typing import Final, Self

from pytest_workflows.messages.short_repr import shown_path
from pytest_workflows.standins.d1_store import D1Store
from pytest_workflows.standins.kv_store import KvStore
from pytest_workflows.standins.object_store import ObjectStore
from pytest_workflows.standins.queue_store import QueueStore
from pytest_workflows.standins.r2_store import R2Store
from pytest_workflows.standins.ratelimits import Counters
from pytest_workflows.standins.stores import Store

from .counters import RateCounts
from .kv import KvEntries
from .objects import ClassObjects, OpenFiles
from .queues import QueueMessages
from .r2 import BucketObjects
from .state_file import KeeperError, StateFile

_FILE: Final = "bindings.sqlite"


def file_name(id: str) -> str:
    """A file's name for the id of a resource, another one for each, on file systems that know no capitals too."""
    if re.fullmatch("[a-z0-9_-]{1,80}", id):
        return id
    plain = re.sub("[^a-z0-9_-]+", "-", id.lower()).strip("-")[:40]
    return f"{plain}.{hashlib.sha256(id.encode()).hexdigest()[:16]}"


class Keeper:
    """Keeps the contents of bindings in a folder. It is used on one thread, the engine's.

    Args:
        folder: The folder.
        file: The file in it that has everything but databases.

    Example:
        >>> keeper = Keeper.open(Path(".workflows/state"))
        >>> stores = Stores(keeper=keeper)
    """

    def __init__(self, folder: Path, file: StateFile) -> None:
        self._folder = folder
        self._file = file
        self._open_files = OpenFiles()

    @classmethod
    def open(cls, folder: Path) -> Self:
        """Open a folder; it is made where it is not there.

        Args:
            folder: The folder.

        Raises:
            KeeperError: If it cannot be used: it is another program's, or of a newer version, or locked.
        """
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise KeeperError(f"The folder {shown_path(folder)} cannot be made: {error}.") from None
        return cls(folder, StateFile(folder / _FILE))

    @property
    def problem(self) -> str | None:
        """Why the last write failed, as a sentence; None where it did not."""
        return self._file.problem

    def keep(self, kind: str, id: str, make: Callable[[], Store]) -> Store:
        """The store of a resource, with what was kept of it.

        Args:
            kind: What it is, as the configuration has it: `kv_namespaces`.
            id: Which: a database's id, a bucket's name.
            make: Makes an empty one.
        """
        if kind == "kv_namespaces":
            return KvStore(KvEntries(self._file, id))
        if kind == "r2_buckets":
            return R2Store(BucketObjects(self._file, id))
        if kind == "queues":
            made = make()
            assert isinstance(made, QueueStore)
            return QueueStore(made.delivery, QueueMessages(self._file, id))
        if kind == "d1_databases":
            return D1Store(path=self._database(id))
        if kind == "durable_objects":
            folder = self._folder / "objects" / file_name(id)
            return ObjectStore(ClassObjects(self._file, folder, id, self._open_files))
        if kind in ("ratelimits", "unsafe.bindings"):
            return Counters(RateCounts(self._file, id))
        return make()

    def queues(self) -> list[str]:
        """The queues in which messages wait."""
        return [queue for (queue,) in self._file.rows("SELECT DISTINCT queue FROM queue_messages ORDER BY queue")]

    def classes_with_alarms(self) -> list[str]:
        """The classes of Durable Objects of which an object may have an alarm."""
        rows = self._file.rows("SELECT DISTINCT class FROM objects WHERE has_alarm ORDER BY class")
        return [name for (name,) in rows]

    def _database(self, id: str) -> Path:
        folder = self._folder / "d1"
        folder.mkdir(exist_ok=True)
        return folder / f"{file_name(id)}.sqlite"

    def close(self) -> None:
        """Close the files. What is kept stays."""
        self._file.close()
