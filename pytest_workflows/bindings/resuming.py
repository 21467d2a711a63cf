"""What a former process left under way goes on in this one: messages in queues, alarms of Durable Objects."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TYPE_CHECKING

from pytest_workflows.standins.durable_objects import namespace_of
from pytest_workflows.standins.queues import broker_of

from .worker_group import SEPARATOR

if TYPE_CHECKING:
    from pytest_workflows.standins.keeping import Keeper

    from .env_resolver import EnvResolver

_log = logging.getLogger(__name__)


def resume(env: EnvResolver, keeper: Keeper) -> None:
    """Let what is kept under way go on, whether or not anybody asks for a binding to it, in all Workers.

    Args:
        env: The bindings of the Worker.
        keeper: What keeps their contents.
    """
    env.make_stores()
    for queue in keeper.queues():
        _try(lambda queue=queue: broker_of(env.host, queue), f"the queue {queue!r}")  # type: ignore[misc]
    for name in keeper.classes_with_alarms():
        _try(lambda name=name: _arm_alarms(env, name), f"the alarms of {name}")  # type: ignore[misc]


def _arm_alarms(env: EnvResolver, qualified: str) -> None:
    worker, _, name = qualified.rpartition(SEPARATOR)
    found = env.member.group.find(worker) if worker else env
    made = None if found is None else found.host.export(name)
    if found is None or made is None:
        raise LookupError(f"there is no class {name}" + (f" in the Worker {worker!r}" if worker else ""))
    namespace_of(made, name, found.host)


def _try(resumes: Callable[[], object], what: str) -> None:
    """Resume something; what is wrong with it, such as a class that is not there any more, stops nothing else."""
    try:
        resumes()
    except Exception as error:
        _log.warning("%s: what the last process left does not go on: %s", what[0].upper() + what[1:], error)


__all__ = ["resume"]
