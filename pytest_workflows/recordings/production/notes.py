"""What is not known about a dump, in words."""

from __future__ import annotations

AS_JSON = (
    "Outputs stand in the dump as JSON text: they are read as the values that the text holds. --text-outputs takes "
    "them as texts."
)
AS_TEXT = (
    "Every output in the dump is JSON text: they are read as the texts that they are. --json-outputs takes them as the "
    "values that the text holds."
)


class Notes:
    """The sentences that end up in a recording's `notes`, in order, each once."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def add(self, line: str) -> None:
        """Say something that is not known, or how something was read that could be read otherwise."""
        if line not in self.lines:
            self.lines.append(line)
