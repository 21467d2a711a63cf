"""D1 as a Worker has it, without a test session around it."""

from pathlib import Path
from random import Random
from typing import Any

from pytest_workflows.standins.d1 import D1Database
from pytest_workflows.standins.d1_migrations import Migrations
from pytest_workflows.standins.d1_store import D1Store
from pytest_workflows.standins.d1_wrappers import DatabaseWrapper

NOW = 1767323045678
"""2026-01-02 03:04:05.678"""


class Clock:
    """A host that has time and chance."""

    def __init__(self) -> None:
        self.random = Random(7)
        self.now = NOW

    def now_ms(self) -> int:
        return self.now


def database(store: D1Store | None = None) -> Any:
    """The binding of a database."""
    return DatabaseWrapper(D1Database(store or D1Store(), Clock(), Migrations(Path("/nowhere"))))
