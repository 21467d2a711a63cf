"""The API's envelope round an instance: `{"result": {...}, "success": true, "errors": []}`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pytest_workflows.messages.short_repr import brief
from pytest_workflows.recordings.errors import RecordingError

from .fields import MISSING, get, mapping


def open_envelope(found: object, where: str) -> Mapping[str, Any]:
    """The instance in an envelope, or the bare object itself.

    Raises:
        RecordingError: If the API answered with an error, or there is not exactly one instance.
    """
    if isinstance(found, list):
        return _only_one(found, where)
    if not isinstance(found, Mapping):
        raise RecordingError(
            f"{where}: this is {_kind(found)}, not an object. The API answers with an object for "
            "GET /accounts/{account_id}/workflows/{name}/instances/{id}."
        )
    if not _is_envelope(found):
        return found
    errors = found.get("errors")
    if found.get("success") is False or (errors and found.get("result") is None):
        raise RecordingError(
            f"{where}: the API answered with an error, not with an instance: {_error_texts(errors)}. Ask it again: see "
            "docs/how-to/reproduce-a-production-failure.md."
        )
    result = found.get("result")
    if isinstance(result, list):
        return _only_one(result, where)
    if not isinstance(result, Mapping) or not result:
        raise RecordingError(f"{where}: the API's answer holds no instance: its result is {_kind(result)}.")
    return result


def _is_envelope(found: Mapping[str, Any]) -> bool:
    if get(found, "steps") is not MISSING or get(found, "status") is not MISSING:
        return False
    return "result" in found or "errors" in found


def _only_one(found: list[Any], where: str) -> Mapping[str, Any]:
    if len(found) == 1 and isinstance(found[0], Mapping) and get(found[0], "steps") is not MISSING:
        return found[0]
    raise RecordingError(
        f"{where}: this is a list of {len(found)}, as the API gives for all instances of a workflow. Ask it for one "
        "instance, by its id: GET /accounts/{account_id}/workflows/{name}/instances/{id}."
    )


def _error_texts(errors: object) -> str:
    lines = []
    for one in errors if isinstance(errors, list) else []:
        code, message = get(mapping(one), "code"), get(mapping(one), "message")
        shown = one if message is MISSING else message
        lines.append(f"{shown}" if code is MISSING else f"{shown} (code {code})")
    return brief("; ".join(lines)) or "it does not say which"


def _kind(value: object) -> str:
    if value is None:
        return "null"
    if isinstance(value, Mapping):
        return "an empty object"
    return {bool: "a boolean", str: "a text", int: "a number", float: "a number", list: "a list"}[type(value)]
