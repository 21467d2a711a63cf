"""Served as `workers.rpc`: the conversions between Python and the platform, and the wrappers of bindings.

Source: workers-runtime-sdk 1.9.5, `workers.rpc`.
"""

from __future__ import annotations

import importlib
from typing import Any

from pytest_workflows.javascript.rpc import FROM_RPC, python_from_rpc, python_to_rpc

__all__ = ["python_from_rpc", "python_to_rpc"]

_OTHERS = {
    "_BindingWrapper": ("binding_wrappers", "BindingWrapper"),
    "_DurableObjectNamespaceWrapper": ("binding_wrappers", "DurableObjectNamespaceWrapper"),
    "_EnvWrapper": ("environment", "EnvWrapper"),
    "_FetcherWrapper": ("binding_wrappers", "FetcherWrapper"),
    "_RpcStubWrapper": ("binding_wrappers", "RpcStubWrapper"),
}
"""The SDK's names of classes that are imported when a source names them."""

_MADE = {"Blob": "blob", "File": "blob", "FormData": "formdata", "Request": "request", "Response": "response"}
"""The SDK's classes that an object of JavaScript comes back as, and their modules, imported when one comes."""


def _making(name: str) -> Any:
    def make(value: Any) -> Any:
        return getattr(importlib.import_module(f"{__package__}.{_MADE[name]}"), name)(value)

    return make


for _name in _MADE:
    FROM_RPC[_name] = _making(_name)


def __getattr__(name: str) -> Any:
    if name not in _OTHERS:
        raise AttributeError(f"module 'workers.rpc' has no attribute {name!r}")
    module, theirs = _OTHERS[name]
    return getattr(importlib.import_module(f"{__package__}.{module}"), theirs)
