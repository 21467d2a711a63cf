"""The Workers SDK on CPython. The plugin's import hook serves this package to Worker sources as `workers`.

What stands on httpx (requests, responses, fetch) is imported when a source first names it: a Worker that only defines
workflows does not pay for an HTTP library.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from pytest_workflows.workers.context import wait_until
from pytest_workflows.workers.entrypoints import WorkerEntrypoint, WorkflowEntrypoint, handler
from pytest_workflows.workers.environment import env
from pytest_workflows.workers.missing import not_yet, unknown
from pytest_workflows.workers.rpc import python_from_rpc, python_to_rpc

if TYPE_CHECKING:
    from pytest_workflows.workers.fetch_response import FetchResponse
    from pytest_workflows.workers.outbound import fetch
    from pytest_workflows.workers.request import Request
    from pytest_workflows.workers.response import Response

__all__ = [
    "FetchResponse",
    "Request",
    "Response",
    "WorkerEntrypoint",
    "WorkflowEntrypoint",
    "env",
    "fetch",
    "handler",
    "python_from_rpc",
    "python_to_rpc",
    "waitUntil",
    "wait_until",
]

waitUntil = wait_until  # noqa: N816 - the SDK's other spelling

_LAZY = {
    "FetchResponse": "pytest_workflows.workers.fetch_response",
    "Request": "pytest_workflows.workers.request",
    "Response": "pytest_workflows.workers.response",
    "fetch": "pytest_workflows.workers.outbound",
}
_NOT_YET = frozenset(
    {
        "Blob",
        "BlobEnding",
        "BlobValue",
        "Body",
        "Context",
        "DurableObject",
        "FetchKwargs",
        "File",
        "FormData",
        "FormDataValue",
        "Headers",
        "JSBody",
        "RequestInitCfProperties",
        "asgi",
        "blob",
        "fetch",
        "formdata",
        "import_from_javascript",
        "patch_env",
        "rpc",
        "types",
        "utils",
        "wsgi",
    }
)


def __getattr__(name: str) -> Any:
    if name in _LAZY:
        value = getattr(importlib.import_module(_LAZY[name]), name)
        globals()[name] = value
        return value
    raise (not_yet if name in _NOT_YET else unknown)("workers", name, __all__)
