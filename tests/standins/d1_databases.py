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


class ClockHost:
    """A host that has time and chance, and keeps findings."""

    def __init__(self) -> None:
        self.random = Random(7)
        self.now = NOW
        self.findings: list[tuple[str, str]] = []

    def warn(self, rule: str, problem: str) -> None:
        self.findings.append((rule, problem))

    def now_ms(self) -> int:
        return self.now


def database(store: D1Store | None = None) -> Any:
    """The binding of a database."""
    return DatabaseWrapper(D1Database(store or D1Store(), ClockHost(), Migrations(Path("/nowhere"))))
