"""The keeper of contents: a folder in which the stores of one Worker, and of those that run beside it, are kept."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Final, Self

from pytest_workflows.messages.short_repr import shown_path
from pytest_workflows.standins.kv_store import KvStore
from pytest_workflows.standins.stores import Store

from .kv import KvEntries
from .state_file import KeeperError, StateFile

_FILE: Final = "bindings.sqlite"


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
        return make()

    def close(self) -> None:
        """Close the files. What is kept stays."""
        self._file.close()
