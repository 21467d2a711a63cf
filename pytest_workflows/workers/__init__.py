"""The Workers SDK on CPython. The plugin's import hook serves this package to Worker sources as `workers`.

The platform's names, under the platform's spelling, belong here, and those of `js` and `pyodide` as well. What a
binding in `env` does belongs to `bindings`, and what a test calls to `session`.

Modules that need httpx (requests, responses, fetch) are imported when a source first names them: a Worker that only
defines workflows does not pay for an HTTP library.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

from .context import wait_until
from .entrypoints import DurableObject, WorkerEntrypoint, WorkflowEntrypoint, handler
from .environment import env
from .missing import not_yet, unknown
from .rpc import python_from_rpc, python_to_rpc

if TYPE_CHECKING:
    from .fetch_response import FetchResponse
    from .outbound import fetch
    from .request import Request
    from .response import Response

__all__ = [
    "DurableObject",
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

waitUntil = wait_until

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


def __getattr__(name: str) -> object:
    if name in _LAZY:
        value = getattr(importlib.import_module(_LAZY[name]), name)
        globals()[name] = value
        return value
    raise (not_yet if name in _NOT_YET else unknown)("workers", name, __all__)
