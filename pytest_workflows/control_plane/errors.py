"""The errors of the API: the platform's codes, each with the platform's text and a sentence that says more."""

from __future__ import annotations

import re
from typing import Final

from durable_engine import JsException

INTERNAL: Final = 10001
BAD_REQUEST: Final = 10004
NOT_FOUND: Final = 10007
WORKFLOW_NOT_FOUND: Final = 10200
VERSION_NOT_FOUND: Final = 10300
INSTANCE_NOT_FOUND: Final = 10400
CANNOT_TERMINATE: Final = 10401
CANNOT_RESTART: Final = 10402
CANNOT_SEND_EVENT: Final = 10403
INVALID_ID: Final = 10404
ALREADY_EXISTS: Final = 10405
UNAUTHENTICATED: Final = 10000
FORBIDDEN: Final = 9109

_TEXTS: Final = {
    INTERNAL: "workflows.api.error.internal_server",
    BAD_REQUEST: "workflows.api.error.bad_request",
    NOT_FOUND: "workflows.api.error.not_found",
    WORKFLOW_NOT_FOUND: "workflows.api.error.workflow.not_found",
    VERSION_NOT_FOUND: "workflows.api.error.version.not_found",
    INSTANCE_NOT_FOUND: "workflows.api.error.instance.not_found",
    CANNOT_TERMINATE: "workflows.api.error.instance.cannot_terminate",
    CANNOT_RESTART: "workflows.api.error.instance.cannot_restart",
    CANNOT_SEND_EVENT: "workflows.api.error.instance.cannot_send_event",
    INVALID_ID: "workflows.api.error.instance.invalid_id",
    ALREADY_EXISTS: "workflows.api.error.instance.already_exists",
    UNAUTHENTICATED: "Authentication error",
    FORBIDDEN: "Unauthorized to access requested resource",
}
"""The platform's text of each code; those of 10004, 10300, 10402, 10403 and 10404 are ours, after the pattern of the
others, as nobody has published them."""

_REASON = re.compile(r"\(instance\.(\w+)\)|instance\.(not_found)")
_OF_ENGINE: Final = {
    "not_found": (404, INSTANCE_NOT_FOUND),
    "cannot_terminate": (400, CANNOT_TERMINATE),
    "cannot_restart": (400, CANNOT_RESTART),
    "invalid_id": (400, INVALID_ID),
    "already_exists": (400, ALREADY_EXISTS),
}
"""By the reason in an error of the engine: the status and code of the answer."""


class ApiError(Exception):
    """An answer that says why what was asked for cannot be had.

    Args:
        status: The HTTP status.
        code: The platform's code.
        sentence: What happened, and what to do.
        may_be_done: Whether what was asked for may be done nevertheless, so that asking again may do it twice.
    """

    def __init__(self, status: int, code: int, sentence: str, *, may_be_done: bool = False) -> None:
        super().__init__(sentence)
        self.status = status
        self.code = code
        self.sentence = sentence
        self.may_be_done = may_be_done

    @property
    def message(self) -> str:
        """The platform's text, and the sentence."""
        text = _TEXTS.get(self.code, "")
        return f"{text}: {self.sentence}" if text else self.sentence


def of_engine(error: JsException) -> ApiError:
    """The answer for what the engine raised as the platform does."""
    found = _REASON.search(error.message)
    reason = (found[1] or found[2]) if found else "invalid_id" if "invalid id" in error.message else ""
    status, code = _OF_ENGINE.get(reason, (400, BAD_REQUEST))
    said = error.message.removeprefix("WorkflowError: ")
    return ApiError(status, code, said if error.fact is None else f"{said}. {error.fact}")
