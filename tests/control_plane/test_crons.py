"""When a cron trigger comes next."""

from datetime import UTC, datetime

import pytest

from pytest_workflows.control_plane.crons import next_time

pytest.importorskip("cronsim")

MONDAY = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("cron", "following"),
    [
        ("*/5 * * * *", "2026-03-02T09:05"),
        ("0 9 * * MON-FRI", "2026-03-03T09:00"),
        ("0 0 * * 1", "2026-03-08T00:00"),  # Sunday is 1
        ("0 0 * * 2-6/2", "2026-03-04T00:00"),  # Monday, Wednesday, Friday
        ("0 0 * * 7", "2026-03-07T00:00"),
        ("0 0 * * 6L", "2026-03-27T00:00"),  # the last Friday
        ("0 0 * * 6#2", "2026-03-13T00:00"),
        ("59 23 LW * *", "2026-03-31T23:59"),
    ],
)
def test_days_are_counted_as_the_platform_does(cron, following):
    assert next_time(cron, MONDAY).isoformat()[:16] == following


@pytest.mark.parametrize("cron", ["", "every day", "99 * * * *", "0 0 30 2 *"])
def test_what_cannot_be_read_has_no_next_time(cron):
    assert next_time(cron, MONDAY) is None
