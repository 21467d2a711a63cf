"""Rate limits. Observed: workerd 1.20261117.1 with miniflare 5.20261117.0."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol, Self

from durable_engine import JsProxy
from pytest_workflows.errors import WorkflowConfigError
from pytest_workflows.javascript.convert import is_number
from pytest_workflows.javascript.objects import JsArray, JsObject, JsPlain, js_error, js_text, promised

from .peeks import Peek, no_table, page_of

if TYPE_CHECKING:
    from pytest_workflows.project.binding_config import BindingConfig

    from .host import Host
    from .stores import Contents

PERIODS = (10, 60)
_OPTIONS = ("key", "limit", "period")


def make(config: BindingConfig, host: Host) -> Ratelimit:
    """Make the stand-in of a rate limit; bindings with one namespace id count together.

    Raises:
        WorkflowConfigError: If the entry has no limit, or another period than the platform's.
    """
    simple = config.settings.get("simple")
    where = f"{config.path}:{config.line}: the rate limit {config.name!r}"
    if not isinstance(simple, dict) or not is_number(simple.get("limit")):
        raise WorkflowConfigError(
            f'{where} has no "simple": {{"limit": ..., "period": ...}}. Write how many calls a period may have.'
        )
    period = simple.get("period")
    if period not in PERIODS:
        raise WorkflowConfigError(f"{where} has the period {period!r}. The platform has 10 and 60 (seconds).")
    id = config.settings.get("namespace_id", config.name)
    return Ratelimit(host.stores.get(config.kind, str(id), Counters), host, simple["limit"], period)


class KeptCounts(Protocol):
    """The counts of a rate limit where they outlive the process."""

    def load(self) -> tuple[int, dict[str, int]]:
        """The last period, and its counts."""

    def put(self, period: int, key: str, count: int) -> None:
        """Set the count of a key; those of other periods are gone."""


class Counters:
    """How often each key was let through in the present period. It is no content that a test compares.

    Args:
        kept: Where they are kept; None for in memory only.
    """

    def __init__(self, kept: KeptCounts | None = None) -> None:
        self._kept = kept
        self._period, self._counts = (0, {}) if kept is None else kept.load()

    def take(self, key: str, limit: float, period: int) -> bool:
        """Whether one more call of a key is let through.

        Args:
            key: The key.
            limit: How many a period lets through.
            period: Which period it is, counted from 1970.
        """
        if period != self._period:
            self._period, self._counts = period, {}
        count = self._counts.get(key, 0)
        if count >= limit:
            return False
        if self._kept is not None:
            self._kept.put(period, key, count + 1)
        self._counts[key] = count + 1
        return True

    def copy(self) -> Self:
        """Other counters, as far as these."""
        made = type(self)()
        made._period, made._counts = self._period, dict(self._counts)
        return made

    def contents(self) -> Contents:
        """Nothing."""
        return {}

    def tables(self) -> list[str]:
        """The counts of the present period."""
        return ["counts"]

    def peek(self, table: str, after: str | None = None, limit: int = 50) -> Peek:
        """A page of the counts."""
        if table != "counts":
            raise no_table(table, self.tables())
        return page_of(("key", "calls"), self._counts.items(), after, limit)

    def close(self) -> None:
        """Count from 0."""
        self._counts = {}


class Ratelimit(JsObject):
    """A rate limit.

    Args:
        counters: What was let through.
        host: The test.
        limit: How many calls of a key a period lets through.
        period: The period, in seconds.
    """

    def __init__(self, counters: Counters, host: Host, limit: float, period: int) -> None:
        self._counters, self._host, self._limit, self._period = counters, host, limit, period

    @promised
    def limit(self, options: Any = None) -> JsPlain:
        """Whether one more call of a key is let through, as `success`.

        Args:
            options: `key`; `limit` and `period` in place of the configuration's.
        """
        if not isinstance(options, JsProxy) or callable(options):
            raise js_error("Error", "invalid rate limit options")
        entries = options._entries if isinstance(options, JsPlain) else {}
        names = [str(at) for at in range(len(options))] if isinstance(options, JsArray) else list(entries)
        unknown = [name for name in names if name not in _OPTIONS]
        if unknown:
            raise js_error("Error", f"bad rate limit options: [{','.join(unknown)}]")
        defaults: dict[str, Any] = {"key": "", "limit": self._limit, "period": self._period}
        given = {name: value for name, value in entries.items() if value is not None}
        key, limit, period = (defaults | given).values()
        if not isinstance(key, str):
            raise js_error("Error", f"invalid key: {js_text(key)}")
        for name, value in (("limit", limit), ("period", period)):
            if not is_number(value):
                raise js_error("Error", f"{name} must be a number: {js_text(value)}")
        if period not in PERIODS:
            raise js_error("Error", f"unsupported period: {js_text(period)}")
        now = self._host.now_ms() // (period * 1000)
        return JsPlain({"success": self._counters.take(key, limit, now)})
