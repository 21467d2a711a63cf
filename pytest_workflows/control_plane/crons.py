"""When a cron trigger comes next, by the platform's expressions."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Final

_DAY_OF_WEEK: Final = 4


def next_time(cron: str, after: datetime) -> datetime | None:
    """When a cron trigger comes next.

    Args:
        cron: The expression, of which 1 is Sunday, as the platform counts.
        after: Later than this.

    Returns:
        None for an expression that cannot be read here, or where `cronsim` (extra `dev`) is not installed.
    """
    try:
        from cronsim import CronSim, CronSimError
    except ModuleNotFoundError:
        return None
    fields = cron.split()
    if len(fields) > _DAY_OF_WEEK:
        fields[_DAY_OF_WEEK] = _counted_from_zero(fields[_DAY_OF_WEEK])
    try:
        return next(CronSim(" ".join(fields), after))
    except (CronSimError, StopIteration):
        return None


def _counted_from_zero(days: str) -> str:
    """Days of the week as cron has them elsewhere: Sunday is 0. What is no day, such as `/2` and `#3`, stays."""
    return re.sub(r"(?<![/#\d])\d+", lambda found: str(int(found[0]) - 1) if found[0] != "0" else "0", days)
