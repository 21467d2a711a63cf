"""The platform's limits. A test may lower them to see what a workflow does when it meets one.

Source: docs/reference/fidelity.md, "Limits".
"""

from __future__ import annotations

import msgspec

from .usage import SubrequestKind
from .values.durations import DAY
from .workflow import DEFAULT_STEP_LIMIT

MIB = 2**20
GIB = 2**30


class Limits(msgspec.Struct, frozen=True):
    """The limits of an instance.

    Attributes:
        steps: `do` steps of a run, whatever its workflow says; None leaves it to that (10,000 by default).
        step_output: Bytes of one step's result.
        event_payload: Bytes of one event's payload, and of one instance's params.
        storage: Bytes of all results of one instance.
        step_name: Characters of a step's name.
        instance_id: Characters of an instance's id.
        batch: Instances of one `create_batch`, ids of one `deleteBatch`.
        sleep: Milliseconds of one sleep.
        default_steps: `do` steps of a run whose workflow has no limit of its own.
        most_steps: The most that the limit of a workflow may be.
        subrequests: Requests of one invocation by `fetch`; None for any number.
        service_calls: Calls of the platform's services by one invocation; None for any number.
        cpu_ms: Milliseconds of processor time of one attempt of a step. Nothing ends one that takes more.
        memory: Bytes of an isolate. Nothing ends what takes more.
        kept: Milliseconds for which an ended instance is kept of which nobody said for how long; None keeps it.
        longest_kept: The most milliseconds for which one is kept; None for any number.
    """

    steps: int | None = None
    step_output: int = MIB
    event_payload: int = MIB
    storage: int = GIB
    step_name: int = 256
    instance_id: int = 100
    batch: int = 100
    sleep: int = 365 * DAY
    default_steps: int = DEFAULT_STEP_LIMIT
    most_steps: int | None = None
    subrequests: int | None = None
    service_calls: int | None = None
    cpu_ms: int | None = None
    memory: int | None = None
    kept: int | None = None
    longest_kept: int | None = None

    @property
    def of_subrequests(self) -> dict[SubrequestKind, int | None]:
        """The most subrequests of an invocation, by their kind."""
        return {"fetch": self.subrequests, "service": self.service_calls}

    def steps_of(self, limit: int | None) -> int:
        """How many `do` steps a run may ask for.

        Args:
            limit: The workflow's own limit, or None.
        """
        if self.steps is not None:
            return self.steps
        wanted = self.default_steps if limit is None else limit
        return wanted if self.most_steps is None else min(wanted, self.most_steps)


def in_bytes(size: int) -> str:
    """A size as the platform writes it: `1MiB`."""
    for unit, factor in (("GiB", GIB), ("MiB", MIB)):
        if size % factor == 0:
            return f"{size // factor}{unit}"
    return f"{size} bytes"
