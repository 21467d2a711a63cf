"""What an instance has used of what the platform limits, to be shown and recorded."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal, NamedTuple

from durable_engine import Engine, Instance, StepRow

Resource = Literal["steps", "requests", "calls of bindings", "state", "processor time", "memory"]
Unit = Literal["", "bytes", "ms"]

_SHOWN_FROM = {"steps": 0.1, "state": 0.1, "processor time": 0.5, "memory": 0.5}
"""The part of its limit from which a use is shown as text; of what is not here, any use is."""


class Use(NamedTuple):
    """The use of one resource.

    Attributes:
        resource: `requests` are those by `fetch`; `processor time` and `memory` are of the step that took most.
        used: How much.
        limit: The limit; None where there is none.
        unit: The unit of both; empty for a number of something.
    """

    resource: Resource
    used: float
    limit: int | None
    unit: Unit = ""

    def __str__(self) -> str:
        if self.limit is None:
            return f"{_amount(self.used, self.unit)} {self.resource}"
        of = f"{_amount(self.used, self.unit)} of {_amount(self.limit, self.unit)}"
        return f"{of} {self.resource}" if not self.unit else f"{of} of {self.resource}"

    @property
    def part(self) -> float:
        """The part of the limit that is used; 0 where there is none."""
        return self.used / self.limit if self.limit else 0.0

    @property
    def is_shown(self) -> bool:
        """Whether it is worth a word in a report."""
        return self.used > 0 and self.part >= _SHOWN_FROM.get(self.resource, 0.0)


def uses_of(engine: Engine, instance: Instance, steps: Sequence[StepRow]) -> list[Use]:
    """What an instance has used so far, and what it may use.

    Args:
        engine: Its engine.
        instance: The instance.
        steps: Its steps, as stored.
    """
    limits, usage = engine.limits, engine.usage_of(instance.row.key)
    most = usage.most
    return [
        Use("steps", sum(row.key.kind == "do" for row in steps), instance.workflow.step_limit),
        Use("requests", most["fetch"], limits.subrequests),
        Use("calls of bindings", most["service"], limits.service_calls),
        Use("state", sum(len(row.result or b"") for row in steps), limits.storage, "bytes"),
        Use("processor time", max(usage.cpu_ns.values(), default=0) / 1_000_000, limits.cpu_ms, "ms"),
        Use("memory", max(usage.memory.values(), default=0), limits.memory, "bytes"),
    ]


def in_words(uses: Iterable[Use]) -> str | None:
    """The uses that are worth a word, as text; None where none is."""
    shown = [str(use) for use in uses if use.is_shown]
    return ", ".join(shown) or None


def _amount(number: float, unit: Unit) -> str:
    if unit == "bytes":
        for name, size in (("GiB", 2**30), ("MiB", 2**20), ("KiB", 2**10)):
            if number >= size:
                return f"{number / size:,.1f} {name}".replace(".0 ", " ")
        return "1 byte" if number == 1 else f"{number:,.0f} bytes"
    if unit == "ms":
        return f"{number:,.0f} ms" if number < 1000 else f"{number / 1000:,.1f} s".replace(".0 ", " ")
    return f"{number:,.0f}"
