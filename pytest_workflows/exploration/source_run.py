"""A run of a test on one source: what its instances came to, what they called, and what they left in the stores."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from durable_engine import ExecutionRecord, Place, StepKey

    from .state_difference import Contents


@dataclass(frozen=True, slots=True)
class SourceCall:
    """A call of a step's callback that may have changed something.

    Attributes:
        service: The binding's name, or the host of a request.
        method: The method, with those that gave the object it was made on.
        args: Its arguments, and those of the calls that gave the object.
        place: The place in the user's source.
        step: The step.
        attempt: The attempt of it.
        is_harmless: Whether to make it twice is as good as to make it once.
    """

    service: str
    method: str
    args: tuple[Any, ...]
    place: Place
    step: StepKey
    attempt: int | None
    is_harmless: bool

    @property
    def about(self) -> tuple[str, str, str]:
        """What is done to what: the first text among the arguments is a key, a statement or an address."""
        first = next((one for one in self.args if isinstance(one, str)), "")
        return self.service, self.method, first


@dataclass(slots=True)
class InstanceEnd:
    """What became of an instance by the end of a run.

    Attributes:
        status: Its status.
        output: What it returned.
        error: The error that it ended with: its name, and the last line of its message; None without one.
        calls: What its steps called.
        places: Where the source has the steps that it asked for.
    """

    status: str
    output: Any = None
    error: tuple[str, str] | None = None
    calls: list[SourceCall] = field(default_factory=list)
    places: Mapping[StepKey, Place] = field(default_factory=dict)

    @property
    def is_final(self) -> bool:
        """Whether it has ended by itself."""
        return self.status in ("complete", "errored")

    def __str__(self) -> str:
        from pytest_workflows.messages.short_repr import shown

        if self.error is not None:
            return f"{self.status} with {': '.join(self.error)}"
        return f"complete with {shown(self.output)}" if self.status == "complete" else self.status


@dataclass(slots=True)
class SourceRun:
    """A run of a test on one source.

    Attributes:
        passed: Whether the test's call passed.
        instances: The ends of its instances, by their workflow's binding name and their id.
        contents: What it left in the stores.
        ended_ms: The virtual time at its end, in milliseconds since 1970.
    """

    passed: bool
    instances: Mapping[tuple[str, str], InstanceEnd]
    contents: Contents
    ended_ms: int


def places_of(executions: Iterable[ExecutionRecord]) -> dict[StepKey, Place]:
    """Where a source has the steps that an instance has asked for in its executions."""
    return {ask.key: ask.place for execution in executions for ask in execution.path}
