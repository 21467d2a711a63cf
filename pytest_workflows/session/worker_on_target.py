"""The Worker of a target, as a test calls it: the same `fetch`, and nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from .worker import request_of

if TYPE_CHECKING:
    from pytest_workflows.target.worker import TargetWorker
    from pytest_workflows.workers import Request, Response


class WorkerOnTarget:
    """What the fixture `workflow_worker` is where tests run on a target.

    Args:
        worker: The Worker there.
    """

    def __init__(self, worker: TargetWorker) -> None:
        self._worker = worker

    async def fetch(
        self,
        resource: str | Request,
        *,
        method: str = "GET",
        headers: Mapping[str, str] | None = None,
        json: Any = None,
        content: str | bytes | None = None,
    ) -> Response:
        """Send a request to the Worker at its own address: path and query are the resource's.

        Raises:
            TargetError: If that address is not known, or cannot be reached.
        """
        return await self._worker.send(request_of(resource, method, headers, json, content))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._worker, name)
