"""Errors about a target."""

from __future__ import annotations

OPTION = "--workflows-target"


class TargetError(Exception):
    """The target cannot be asked, or answers with what no server of the platform's API answers."""


class NotOnTargetError(TargetError):
    """A test uses something that exists in memory alone.

    Args:
        what: What it uses, at the start of a sentence.
        instead: What to do in its place, if there is something.
    """

    def __init__(self, what: str, instead: str = "") -> None:
        super().__init__(
            f"{what} is not to be had with {OPTION}: the test's workflows run on another server, of which only the "
            f"platform's API is known.{' ' if instead else ''}{instead} Leave the test out of such a run "
            "(`-m`, `-k`), or run it without the option."
        )
