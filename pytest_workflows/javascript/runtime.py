"""Which of the platform's behaviours hold where the Worker's compatibility date decides."""

from __future__ import annotations

from collections.abc import Callable

from pytest_workflows.active_test import running_worker

NEWEST = (3, 14)
"""The platform's newest Python."""


def _newest() -> tuple[int, int]:
    return NEWEST


def _everything(flag: str, since: str) -> bool:
    return True


_python: Callable[[], tuple[int, int]] = _newest
_is_on: Callable[[str, str], bool] = _everything


def set_runtime(
    python: Callable[[], tuple[int, int]] | None = None, is_on: Callable[[str, str], bool] | None = None
) -> None:
    """Say which Worker is the active one.

    Args:
        python: Gives the Python that the platform runs it with; the newest one for None.
        is_on: Whether a compatibility flag holds for it, given its name and the date from which it holds by itself;
            all hold for None.
    """
    global _python, _is_on
    _python, _is_on = python or _newest, is_on or _everything


def python_version() -> tuple[int, int]:
    """The Python that the platform runs the Worker with whose code runs; the active one where no Worker's does."""
    running = running_worker.get()
    return _python() if running is None else running.python()


def is_on(flag: str, since: str) -> bool:
    """Whether a compatibility flag holds for the Worker whose code runs; for the active one where no Worker's does.

    Args:
        flag: Its name.
        since: The date from which it holds by itself.
    """
    running = running_worker.get()
    return _is_on(flag, since) if running is None else running.is_on(flag, since)
