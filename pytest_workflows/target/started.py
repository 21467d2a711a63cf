"""What a test has started on a target, and who wants to know of more."""

from __future__ import annotations

from collections.abc import Awaitable, Callable


class Started:
    """The instances that a test has created on a target, and the introspectors of workflows that are open."""

    def __init__(self) -> None:
        self._created: dict[tuple[str, str], None] = {}
        self.refreshes: dict[object, Callable[[], Awaitable[object]]] = {}

    def note(self, workflow: str, id: str) -> None:
        """Note that the test has created an instance."""
        self._created[workflow, id] = None

    def forget(self, workflow: str, id: str) -> None:
        """Note that an instance is gone, or somebody else's to remove."""
        self._created.pop((workflow, id), None)

    def has(self, workflow: str, id: str) -> bool:
        """Whether the test has created an instance, and not deleted it."""
        return (workflow, id) in self._created

    async def refresh(self) -> None:
        """Let the open introspectors of workflows see what there is now: the test has acted."""
        for refresh in list(self.refreshes.values()):
            await refresh()
