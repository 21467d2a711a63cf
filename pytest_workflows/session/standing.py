"""Functions of ours in the places of the standard library's: they stay from one test of workflows to the next."""

from __future__ import annotations

import sys


def put_back_functions() -> None:
    """Leave none of them to who has nothing to do with workflows."""
    if "pytest_workflows.interpreter.guards" in sys.modules:
        from pytest_workflows.interpreter.guards import guards

        guards.put_back()
    if "pytest_workflows.bindings.sockets" in sys.modules:
        from pytest_workflows.bindings.http_clients import http_clients
        from pytest_workflows.bindings.sockets import sockets

        sockets.put_back()
        http_clients.put_back()
