"""Network access of `workers.fetch`: a request leaves the test only where that is allowed.

The check is httpx's `trace` extension: httpcore calls it before it opens a connection, which is beneath
everything that respx and pytest-httpx replace. A mocked request never gets there, however the mock hooks in.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from pytest_workflows.active_test import Caller, network_allowed, note_use, set_network
from pytest_workflows.errors import NetworkRefusedError

__all__ = ["Refusal", "network_allowed", "refusing_trace", "set_network"]


Refusal = Callable[[str, str], NetworkRefusedError]
"""Makes the error for a request, of its method and URL."""


def refusing_trace(
    method: str, url: str, caller: Caller | None, refusal: Refusal | None = None
) -> Callable[[str, Mapping[str, Any]], Awaitable[None]]:
    """A `trace` extension for httpx that raises instead of letting a connection open.

    Args:
        method: The request's method, for the message.
        url: The request's URL, for the message.
        caller: The caller of `workers.fetch`.
        refusal: Makes the error; that of a request of `workers.fetch` by default.
    """

    async def trace(event: str, info: Mapping[str, Any]) -> None:
        # Connections open as `connection.connect_tcp` or `connect_unix_socket`, through proxies too.
        if ".connect_" in event and event.endswith(".started"):
            error = (refusal or NetworkRefusedError.of_request)(method, url)
            note_use(error, caller)
            raise error

    return trace
