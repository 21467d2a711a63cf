"""What is not known about a dump, in words."""

from __future__ import annotations


class Notes:
    """The sentences that end up in a recording's `notes`, in order, each once."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def add(self, line: str) -> None:
        """Say something that is not known, or how something was read that could be read otherwise."""
        if line not in self.lines:
            self.lines.append(line)
