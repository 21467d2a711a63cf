"""The controller that a scheduled handler gets.

Source: observed with workerd 1.20261117.1: there is no `type`, and no `scheduled_time`.
"""

from __future__ import annotations

from pytest_workflows.javascript.objects import JsObject, number


class ScheduledController(JsObject):
    """The controller of a cron trigger.

    Args:
        cron: The trigger's expression; empty where none was given.
        scheduled_time: When it was due, in epoch milliseconds.
    """

    _own = ("scheduledTime", "cron")

    def __init__(self, cron: str, scheduled_time: float) -> None:
        self._cron = cron
        self._at = scheduled_time
        self._is_final = False

    @property
    def cron(self) -> str:
        """The trigger's expression."""
        return self._cron

    @property
    def scheduledTime(self) -> int | float:
        """When it was due, in epoch milliseconds."""
        return number(self._at) if isinstance(self._at, float) else self._at

    def noRetry(self) -> None:
        """Ask for no retry, which the outcome shows; nothing retries a trigger here."""
        self._is_final = True
