"""Notes: what is not known about a dump, in words."""

from __future__ import annotations

from collections.abc import Iterable

AS_JSON = (
    "How outputs are read was guessed: each one in the dump is JSON text, so they are the values that the texts hold. "
    'If they are texts, say so: with --text-outputs, or with "outputs": "text" in the dump, beside "status", which '
    "reproduce() in a test and --workflows-replay read as well."
)
AS_TEXT = (
    "How outputs are read was guessed: each one in the dump is JSON text, but of numbers and booleans alone, so they "
    'are texts. If they are values, say so: with --json-outputs, or with "outputs": "json" in the dump, beside '
    '"status", which reproduce() in a test and --workflows-replay read as well.'
)


def guess_of(notes: Iterable[str]) -> list[str]:
    """The notes of a recording on how its outputs were read, where that was guessed."""
    return [note for note in notes if note in (AS_JSON, AS_TEXT)]


class Notes:
    """The sentences that end up in a recording's `notes`, in order, each once.

    Attributes:
        lines: The sentences so far.
    """

    def __init__(self) -> None:
        self.lines: list[str] = []

    def add(self, line: str) -> None:
        """Note something that is not known, or how something was read that could be read otherwise."""
        if line not in self.lines:
            self.lines.append(line)
