"""The errors of the local process."""

from __future__ import annotations


class DevError(Exception):
    """A reason for which the process cannot start, or cannot go on.

    Args:
        message: The fact.
        hint: What to do.
    """

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
