"""The constructors of JavaScript's web classes for the SDK's modules, imported when they are first named."""

from __future__ import annotations

import importlib
from typing import Any

from pytest_workflows.javascript.objects import constructor_of

_MODULES = {
    "Blob": "blob",
    "File": "blob",
    "FormData": "form_data",
    "Headers": "headers",
    "ReadableStream": "streams",
    "Request": "request",
    "Response": "response",
    "TransformStream": "transform",
    "URL": "url",
    "URLSearchParams": "url",
    "WebSocketPair": "web_socket",
}
"""The modules of the classes, in the room `javascript`."""


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return constructor_of(getattr(importlib.import_module(f"pytest_workflows.javascript.{_MODULES[name]}"), name))
