"""The Workers SDK on CPython. The plugin's import hook serves this package to Worker sources as `workers`.

The platform's names, under the platform's spelling, belong here, and those of `js` and `pyodide` as well. What a
binding in `env` does belongs to `bindings`, and what a test calls to `session`.

Modules of the web (requests, responses, forms, fetch) are imported when a source first names them: a Worker that only
defines workflows does not pay for them.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

from .context import wait_until
from .entrypoints import DurableObject, WorkerEntrypoint, WorkflowEntrypoint, handler
from .environment import env
from .missing import unknown
from .rpc import python_from_rpc, python_to_rpc

if TYPE_CHECKING:
    from .blob import Blob, BlobEnding, BlobValue, File
    from .fetch_response import FetchResponse
    from .formdata import FormData, FormDataValue
    from .request import Request
    from .response import Response
    from .sdk_fetch import fetch
    from .types import Body, Context, FetchKwargs, Headers, JSBody, RequestInitCfProperties
    from .utils import import_from_javascript, patch_env

__all__ = [
    "Blob",
    "BlobEnding",
    "BlobValue",
    "Body",
    "Context",
    "DurableObject",
    "FetchKwargs",
    "FetchResponse",
    "File",
    "FormData",
    "FormDataValue",
    "Headers",
    "JSBody",
    "Request",
    "RequestInitCfProperties",
    "Response",
    "WorkerEntrypoint",
    "WorkflowEntrypoint",
    "env",
    "fetch",
    "handler",
    "import_from_javascript",
    "patch_env",
    "python_from_rpc",
    "python_to_rpc",
    "waitUntil",
    "wait_until",
]

waitUntil = wait_until

_LAZY = {
    "blob": ("Blob", "BlobEnding", "BlobValue", "File"),
    "fetch_response": ("FetchResponse",),
    "formdata": ("FormData", "FormDataValue"),
    "sdk_fetch": ("fetch",),
    "request": ("Request",),
    "response": ("Response",),
    "types": ("Body", "Context", "FetchKwargs", "Headers", "JSBody", "RequestInitCfProperties"),
    "utils": ("import_from_javascript", "patch_env"),
}
"""The modules that are imported when a source first names what they have."""
_MODULE_OF = {name: module for module, names in _LAZY.items() for name in names}


_MODULES = ("blob", "entrypoints", "formdata", "request", "response", "types", "utils", "workflows")
"""The modules that the SDK has imported itself, as attributes."""


_OF_RUNTIME = frozenset({"env", "waitUntil", "wait_until"})
"""The names that the SDK asks the runtime for each time; its `dir()` does not know them."""


def __dir__() -> list[str]:
    return sorted({*(name for name in globals() if name.startswith("__")), *__all__, *_MODULES, "rpc"} - _OF_RUNTIME)


def __getattr__(name: str) -> object:
    if name in _MODULES:
        return importlib.import_module(f"{__name__}.{name}")
    module = _MODULE_OF.get(name)
    if module is None:
        raise unknown("workers", name, __all__)
    # Not kept: a test of pytest inside pytest forgets modules, and imports them again.
    return getattr(importlib.import_module(f"{__name__}.{module}"), name)
