"""The Worker of a target, called by HTTP at its own address."""

from __future__ import annotations

from typing import NoReturn
from urllib.parse import urlsplit

import httpx

from pytest_workflows.workers import Request, Response

from .address import Address
from .api import request
from .errors import OPTION, NotOnTargetError, TargetError
from .started import Started

_OF_BODY = frozenset({"content-encoding", "content-length", "transfer-encoding"})
"""Headers of an encoding that the content, as httpx gives it, has no more."""


class TargetWorker:
    """What the fixture `workflow_worker` is on a target: its fetch handler alone.

    Args:
        address: The target.
        started: What the test has started there.
    """

    def __init__(self, address: Address, started: Started) -> None:
        self._address = address
        self._started = started

    async def send(self, given: Request) -> Response:
        """Send a request to the Worker, at the target's address in place of the request's own.

        Raises:
            TargetError: If the Worker's address is not known, or cannot be reached.
        """
        base = self._address.worker
        if base is None:
            raise TargetError(
                f"Where the Worker answers is not known: the target is the platform's API. Give its address: "
                f"{OPTION}-worker=https://NAME.SUBDOMAIN.workers.dev."
            )
        parts = urlsplit(given.url)
        url = f"{base}{parts.path}{'?' if parts.query else ''}{parts.query}"
        body = None if given.method in ("GET", "HEAD") else await given.bytes()
        headers = [(name, value) for name, value in given.headers.items() if name.lower() != "host"]
        try:
            answer = await request(self._address, given.method, url, headers=headers, content=body)
        except httpx.HTTPError as error:
            raise TargetError(f"The Worker at {base} cannot be reached: {error or type(error).__name__}.") from None
        await self._started.refresh()
        kept = [(name, value) for name, value in answer.headers.multi_items() if name.lower() not in _OF_BODY]
        has_body = answer.status_code not in (101, 204, 205, 304)
        return Response(answer.content if has_body else None, status=answer.status_code, headers=kept)

    def __getattr__(self, name: str) -> NoReturn:
        if name.startswith("_"):
            raise AttributeError(name)
        raise NotOnTargetError(f"workflow_worker.{name}", "Its fetch handler can be called: workflow_worker.fetch.")
