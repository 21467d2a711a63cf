"""Folders in which contents are kept, by one process after another."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from plain_host import PlainHost

from pytest_workflows.standins.keeping import Keeper
from pytest_workflows.standins.stores import Stores

H = TypeVar("H")


class KeptFolder:
    """A folder of contents. Each process that is begun finds what those before it left when they were killed.

    None of them closes anything before all are over: what a later one reads is in the files.

    Args:
        path: The folder.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._begun: list[tuple[Keeper, Stores]] = []

    def begin(self, host: Callable[[Stores], H] = lambda stores: PlainHost(stores=stores)) -> Any:  # type: ignore[assignment,return-value]
        """The host of another process."""
        keeper = Keeper.open(self.path)
        stores = Stores(keeper=keeper)
        self._begun.append((keeper, stores))
        return host(stores)

    @property
    def keeper(self) -> Keeper:
        """The keeper of the last process."""
        return self._begun[-1][0]

    @property
    def stores(self) -> Stores:
        """The stores of the last process."""
        return self._begun[-1][1]

    def close(self) -> None:
        """Let all processes end."""
        for keeper, stores in self._begun:
            stores.close()
            keeper.close()
        self._begun.clear()
