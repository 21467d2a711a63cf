"""Responses that a stand-in answers with."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from durable_engine import jsnull
from pytest_workflows.javascript.buffers import Uint8Array
from pytest_workflows.javascript.objects import JsPlain


def response(body: bytes | None, status: int, headers: Mapping[str, str]) -> Any:
    """A response, of JavaScript.

    Args:
        body: The bytes; None for none.
        status: The status code.
        headers: The headers.
    """
    from pytest_workflows.javascript.response import Response

    options = JsPlain({"status": status, "headers": JsPlain(headers)})
    return Response(jsnull if body is None else Uint8Array(body), options)
