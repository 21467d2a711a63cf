"""Durations: read as the platform reads them, and written for people."""

import datetime

import pytest

from durable_engine import InvalidArgumentError, duration_ms, in_words, parse_duration


@pytest.mark.parametrize(
    ("value", "ms"),
    [
        ("30 seconds", 30_000),
        ("1.5 hours", 5_400_000),
        ("1 month", 30 * 86_400_000),
        ("1 year", 31_557_600_000),
        ("50", 50),
        ("", 0),  # Number('') is 0 in JavaScript
        ("0x10", 16),  # and it reads other bases
        ("0b11 seconds", 3000),
        ("1e3", 1000),
        (1.6, 2),
    ],
)
def test_what_javascript_reads_as_a_number_is_one(value, ms):
    assert parse_duration(value) == (ms, False)


@pytest.mark.parametrize("value", ["1s", "abc", "1_000 seconds", "nan seconds", "1e999 days", float("nan"), True, None])
def test_what_it_does_not_read_is_no_duration(value):
    assert parse_duration(value) is None


@pytest.mark.parametrize("value", ["1 sec", "5 Seconds", "1 DAY", "1 fortnight"])
def test_a_unit_that_it_does_not_know_counts_as_milliseconds(value):
    assert parse_duration(value) == (int(value.split()[0]), True)


def test_a_test_gives_a_timedelta_as_well():
    assert duration_ms(datetime.timedelta(hours=1), "x") == 3_600_000


@pytest.mark.parametrize("value", ["1 sec", "abc", None, -1, datetime.timedelta(-1)])
def test_what_a_test_gives_is_not_misread(value):
    with pytest.raises(InvalidArgumentError, match=r"^The timeout is "):
        duration_ms(value, "The timeout")


@pytest.mark.parametrize(
    ("ms", "words"),
    [
        (0, "0 ms"),
        (999, "999 ms"),
        (1000, "1 second"),
        (1500, "1 second 500 ms"),
        (90_000, "1 minute 30 seconds"),
        (90_061_001, "1 day 1 hour"),
        (3 * 86_400_000, "3 days"),
        (86_400_001, "1 day 1 ms"),
    ],
)
def test_a_duration_in_words_has_two_parts_at_most(ms, words):
    assert in_words(ms) == words
