"""The test that runs on a target, for fixtures: most sessions have none, and load nothing of one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from pytest_workflows.target.worker import TargetWorker


class RunningTarget(Protocol):
    """A test on a target."""

    @property
    def worker(self) -> TargetWorker:
        """The Worker there."""
        ...

    @property
    def given(self) -> Mapping[str, Any]:
        """The dict of the fixture `workflow_bindings` where nobody overrides it."""
        ...

    def check(self, bindings: Mapping[str, Any], seed: object) -> None:
        """Refuse what a test or its conftest asks for, and a target has not."""
        ...


_running: list[RunningTarget] = []


def set_running(test: RunningTarget | None) -> None:
    """Note which test is set up, called or torn down on a target now; None where it is over."""
    _running[:] = [] if test is None else [test]


def running_target() -> RunningTarget | None:
    """The test that is set up, called or torn down on a target now; None where tests run in memory."""
    return _running[-1] if _running else None
