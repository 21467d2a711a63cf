"""Pills that filter: each names the instances that it counts."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any


class Pills:
    """The pills of a page that the list of runs can be filtered by.

    Attributes:
        found: The title of each while it filters, and the numbers of its instances.
    """

    def __init__(self) -> None:
        self.found: list[dict[str, Any]] = []

    def add(self, text: str, instances: Iterable[int]) -> int | None:
        """Add a pill.

        Args:
            text: Its title while it filters: `ORDERS, take payment: failed`.
            instances: The numbers of the instances that it counts, in the order of the page's recordings.

        Returns:
            Its number; None if the page shows none of them, as for what only passing runs of an exploration did.
        """
        rows = list(dict.fromkeys(instances))
        if not rows:
            return None
        self.found.append({"text": text, "rows": rows})
        return len(self.found) - 1
