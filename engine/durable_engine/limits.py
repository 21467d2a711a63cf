"""The platform's limits. A test may lower them to see what a workflow does when it meets one.

Source: docs/reference/fidelity.md, "Limits".
"""

from __future__ import annotations

from dataclasses import dataclass

from .values.durations import DAY

MIB = 2**20
GIB = 2**30


@dataclass(frozen=True, slots=True)
class Limits:
    """The limits of an instance.

    Attributes:
        steps: `do` steps of a run; None leaves it to the workflow (10,000 by default).
        step_output: Bytes of one step's result.
        event_payload: Bytes of one event's payload, and of one instance's params.
        storage: Bytes of all results of one instance.
        step_name: Characters of a step's name.
        instance_id: Characters of an instance's id.
        batch: Instances of one `create_batch`, ids of one `deleteBatch`.
        sleep: Milliseconds of one sleep.
    """

    steps: int | None = None
    step_output: int = MIB
    event_payload: int = MIB
    storage: int = GIB
    step_name: int = 256
    instance_id: int = 100
    batch: int = 100
    sleep: int = 365 * DAY


def in_bytes(size: int) -> str:
    """A size as the platform writes it: `1MiB`."""
    for unit, factor in (("GiB", GIB), ("MiB", MIB)):
        if size % factor == 0:
            return f"{size // factor}{unit}"
    return f"{size} bytes"
