"""Usage: what the Worker's code has used of what the platform limits.

Subrequests are counted for each invocation: an execution of an instance, or a call of a handler or an object. The count
of an instance goes on over its steps, sleeps and retries; an execution that a crash or a restart begins has a new one.
"""

from __future__ import annotations

from typing import Literal

from .model import Place, StepKey

SubrequestKind = Literal["fetch", "service"]
"""What a subrequest goes to: the network, by `fetch`, or a service of the platform, by a binding."""


class Subrequests:
    """The subrequests of one invocation of the Worker's code.

    Args:
        limits: The most of each kind; None for any number.

    Attributes:
        made: How many of each kind were made. One that was refused is none.
        limits: As given.
    """

    __slots__ = ("limits", "made")

    def __init__(self, limits: dict[SubrequestKind, int | None]) -> None:
        self.limits = limits
        self.made: dict[SubrequestKind, int] = {"fetch": 0, "service": 0}

    def has_left(self, kind: SubrequestKind) -> bool:
        """Whether there may be one more."""
        limit = self.limits[kind]
        return limit is None or self.made[kind] < limit

    def take(self, kind: SubrequestKind) -> bool:
        """Count one, if the limit allows it."""
        if not self.has_left(kind):
            return False
        self.made[kind] += 1
        return True


class InstanceUsage:
    """What an instance has used, over all its executions.

    Attributes:
        subrequests: Those of its present execution.
        most: The most subrequests of each kind that one execution has made.
        cpu_ns: Of each step, the processor time of the attempt that took most of it, in nanoseconds.
        memory: Of each step, the most bytes by which the process has grown during one attempt.
        refused: By step and attempt, the first subrequest that was refused: its kind, and the place that asked for it.
    """

    __slots__ = ("_earlier", "cpu_ns", "memory", "refused", "subrequests")

    def __init__(self, limits: dict[SubrequestKind, int | None]) -> None:
        self.subrequests = Subrequests(limits)
        self.cpu_ns: dict[StepKey, int] = {}
        self.memory: dict[StepKey, int] = {}
        self.refused: dict[tuple[StepKey | None, int | None], tuple[SubrequestKind, Place]] = {}
        self._earlier: dict[SubrequestKind, int] = {"fetch": 0, "service": 0}

    def begin(self) -> None:
        """Begin to count anew: another execution begins."""
        self._earlier = self.most
        self.subrequests = Subrequests(self.subrequests.limits)

    @property
    def most(self) -> dict[SubrequestKind, int]:
        """The most subrequests of each kind that one execution has made."""
        made = self.subrequests.made
        return {kind: max(made[kind], self._earlier[kind]) for kind in made}

    def note_cpu(self, step: StepKey, ns: int) -> None:
        """Note the processor time of an attempt of a step, in nanoseconds."""
        self.cpu_ns[step] = max(ns, self.cpu_ns.get(step, 0))

    def note_memory(self, step: StepKey, grown: int) -> None:
        """Note by how many bytes the process has grown during an attempt of a step."""
        self.memory[step] = max(grown, self.memory.get(step, 0))
