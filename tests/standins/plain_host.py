"""A host of stand-ins without a test: its clock stands still until it is moved, and findings are kept."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

from pytest_workflows.project.binding_config import BindingConfig
from pytest_workflows.standins.registry import make
from pytest_workflows.standins.stores import Stores
from pytest_workflows.workers.binding_wrappers import wrap_binding

NOW = 1_780_000_000_000


class PlainHost:
    """The least that a stand-in needs.

    Attributes:
        findings: What was reported: rule and problem.
    """

    def __init__(self, date: str = "2026-11-01", stores: Stores | None = None) -> None:
        self.config = None
        self.stores = Stores() if stores is None else stores
        self.random = Random(1)
        self.findings: list[tuple[str, str]] = []
        self._date, self._now = date, NOW

    def now_ms(self) -> int:
        return self._now

    def advance(self, seconds: float) -> None:
        self._now += int(seconds * 1000)

    def qualified(self, name: str) -> str:
        return name

    def words(self, what: str) -> str:
        return what

    def consumer_of(self, queue: str) -> PlainHost:
        return self

    def same(self, kind: str, matches: Callable[[BindingConfig], bool]) -> list[BindingConfig]:
        return []

    def is_on(self, flag: str, since: str) -> bool:
        return self._date >= since

    def warn(self, rule: str, problem: str) -> None:
        self.findings.append((rule, problem))

    def binding(self, kind: str, name: str = "B", path: Path = Path("wrangler.jsonc"), **settings: Any) -> Any:
        """A binding of the configuration, as the Worker gets it."""
        return wrap_binding(make(BindingConfig(name, kind, settings, path), self))  # type: ignore[arg-type]
