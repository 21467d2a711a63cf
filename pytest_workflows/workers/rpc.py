"""The SDK's conversions between Python and the platform. Served as `workers.rpc`."""

from __future__ import annotations

from pytest_workflows.javascript.rpc import python_from_rpc, python_to_rpc

__all__ = ["python_from_rpc", "python_to_rpc"]
