"""Errors about an account and its API."""

from __future__ import annotations


class AccountError(Exception):
    """Something that the account's API was asked for cannot be had.

    Args:
        message: The fact, in one line.
        hint: The next step.
    """

    def __init__(self, message: str, hint: str) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class UnreadableInstanceError(AccountError):
    """What the API answers for an instance is none that this version can read."""


class InstanceGoneError(AccountError):
    """The workflow has no instance of that id, or has it no more."""
