"""What the routes of the API have in common."""

from __future__ import annotations

from typing import Any, Final

ACCOUNT: Final = "local"
"""The id of the one account that there is here."""

_WORDS: Final = {
    400: "What was sent is not as it must be.",
    401: "The token is missing.",
    403: "The host is not the control plane's, or a page of another site asks for a change.",
    404: "There is no such thing.",
    405: "The path has no such method.",
    409: "That cannot be done as things stand.",
    415: "The body is not JSON.",
    500: "The Worker's code, or the control plane, failed.",
    503: "The Worker's code does not give way to the event loop, or nothing can be stored.",
}
_ALWAYS: Final = (400, 401, 403, 500, 503)


def failures(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The answers of a route that are errors, for its schema: these, and those that every route has.

    Args:
        statuses: The HTTP statuses.
    """
    # By name, and not as a model: FastAPI would build the same schema hundreds of times.
    content = {"application/json": {"schema": {"$ref": "#/components/schemas/Failure"}}}
    return {status: {"description": _WORDS[status], "content": content} for status in sorted({*_ALWAYS, *statuses})}
