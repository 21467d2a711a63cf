"""The alarm of a Durable Object: when its handler runs, and again where that fails.

Source: workerd 1.20261117.1, observed: one run, and six more after 2, 4, 8, 16, 32 and 64 seconds.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Final

from pytest_workflows.javascript.objects import JsObject

from .object_data import ObjectData

if TYPE_CHECKING:
    from .host import Host, TimerHandle

RETRIES: Final = 6


class AlarmInvocationInfo(JsObject):
    """What an alarm handler is given.

    Args:
        scheduled_time: When it was due, in milliseconds since 1970.
        retry_count: How many runs failed before.
    """

    def __init__(self, scheduled_time: int, retry_count: int) -> None:
        self._scheduled_time, self._retry_count = scheduled_time, retry_count

    @property
    def scheduledTime(self) -> int:
        """When it was due, in milliseconds since 1970."""
        return self._scheduled_time

    @property
    def retryCount(self) -> int:
        """How many runs failed before."""
        return self._retry_count

    @property
    def isRetry(self) -> bool:
        """Whether a run failed before."""
        return self._retry_count > 0


class Alarm:
    """The alarm of one object, and the timer that sets it off.

    Args:
        data: The object's contents, which say when the alarm is due.
        host: The test.
        handle: Runs the handler; whether it succeeded.
        what: Names the alarm at the start of a sentence.
    """

    def __init__(
        self, data: ObjectData, host: Host, handle: Callable[[AlarmInvocationInfo], Awaitable[bool]], what: str
    ) -> None:
        self._data, self._host, self._handle, self._what = data, host, handle, what
        self._timer: TimerHandle | None = None
        self._armed: int | None = None
        self._is_running = self._is_withdrawn = False
        self._retries = 0

    def changed(self, *, is_asked: bool = False) -> None:
        """Take notice of what the contents say now.

        Args:
            is_asked: Whether the object asked for it, who in a handler ends the retries by `deleteAlarm`.
        """
        due = self._data.alarm
        if self._is_running:
            self._is_withdrawn = is_asked and due is None
            return
        if due == self._armed and not is_asked:
            return
        self._retries = 0
        self._arm(due, due)

    def _arm(self, due: int | None, at: int | None) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._armed = due
        self._timer = None if at is None else self._host.timer(at, self._go_off, self._what)

    async def _go_off(self) -> None:
        self._timer = self._armed = None
        await self.run()

    async def run(self) -> bool:
        """Run the handler now, whatever the time is, if an alarm is set; whether one was."""
        due = self._data.alarm
        if due is None or self._is_running:
            return False
        if self._timer is not None:
            self._timer.cancel()
        retries, self._retries = self._retries, 0
        self._data.begin_alarm()
        self._timer = self._armed = None
        self._is_running, self._is_withdrawn = True, False
        try:
            succeeded = await self._handle(AlarmInvocationInfo(due, retries))
        finally:
            self._is_running = False
        if self._data.alarm is None and not succeeded and not self._is_withdrawn and retries < RETRIES:
            self._data.alarm, self._retries = due, retries + 1
            self._arm(due, self._host.now_ms() + 1000 * 2 ** (retries + 1))
        else:
            self._arm(self._data.alarm, self._data.alarm)
        self._data.end_alarm()
        return True


__all__ = ["RETRIES", "Alarm", "AlarmInvocationInfo"]
