"""Plans: what an account on the platform may use, by the plan that it is on.

The numbers are documented: developers.cloudflare.com, workflows/reference/limits of 2026-06-15, workers/platform/limits
of 2026-09-05, changelog of 2026-02-11 (subrequests). docs/reference/limits.md says what was seen of them.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

_MIB = 2**20
_DAY = 24 * 60 * 60 * 1000


class Plan(msgspec.Struct, frozen=True):
    """What a plan allows.

    Attributes:
        steps: `do` steps of a run, where its workflow says nothing.
        most_steps: The most that `limits.steps` of a workflow may say.
        subrequests: Requests of one invocation by `fetch`, where the configuration says nothing.
        service_calls: Calls of bindings by one invocation, where the configuration says nothing.
        most_subrequests: The most that `limits.subrequests` may say; None where it may say nothing.
        cpu_ms: Milliseconds of processor time of one step, where the configuration says nothing.
        most_cpu_ms: The most that `limits.cpu_ms` may say; None where it may say nothing.
        storage: Bytes of all results of one instance.
        kept: Milliseconds for which an ended instance is kept, where nobody says for how long.
        longest_kept: The most milliseconds for which one is kept.
        memory: Bytes of an isolate.
        worker_bytes: Bytes of a Worker's code with its modules, not compressed.
    """

    steps: int
    most_steps: int
    subrequests: int
    service_calls: int
    most_subrequests: int | None
    cpu_ms: int
    most_cpu_ms: int | None
    storage: int
    kept: int
    longest_kept: int
    memory: int = 128 * _MIB
    worker_bytes: int = 64 * _MIB


PLANS: dict[str, Plan] = {
    "free": Plan(
        steps=1_024,
        most_steps=1_024,
        subrequests=50,
        service_calls=1_000,
        most_subrequests=None,
        cpu_ms=10,
        most_cpu_ms=None,
        storage=100 * _MIB,
        kept=3 * _DAY,
        longest_kept=3 * _DAY,
    ),
    "paid": Plan(
        steps=10_000,
        most_steps=25_000,
        subrequests=10_000,
        service_calls=10_000,
        most_subrequests=10_000_000,
        cpu_ms=30_000,
        most_cpu_ms=300_000,
        storage=1024 * _MIB,
        kept=7 * _DAY,
        longest_kept=30 * _DAY,
    ),
}
"""The plans, by their names in ini `workflows_plan`."""


def limits_of(plan: Plan, settings: Mapping[str, int]) -> dict[str, int | None]:
    """The engine's limits (`durable_engine.Limits`, by name) on a plan.

    Args:
        plan: The plan.
        settings: `limits` of a wrangler configuration: `cpu_ms` and `subrequests`.
    """
    cpu, subrequests = settings.get("cpu_ms"), settings.get("subrequests")
    return {
        "default_steps": plan.steps,
        "most_steps": plan.most_steps,
        "subrequests": _set_to(subrequests, plan.subrequests, plan.most_subrequests),
        "service_calls": _set_to(subrequests, plan.service_calls, plan.most_subrequests),
        "cpu_ms": _set_to(cpu, plan.cpu_ms, plan.most_cpu_ms),
        "storage": plan.storage,
        "memory": plan.memory,
        "kept": plan.kept,
        "longest_kept": plan.longest_kept,
    }


def _set_to(wanted: int | None, default: int, most: int | None) -> int:
    """A limit that a configuration may set: on the free plan it may only lower it."""
    return default if wanted is None else min(wanted, default if most is None else most)
