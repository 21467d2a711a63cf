"""Bars over virtual time: one axis for all steps of an instance, on which nothing vanishes."""

import pytest

from durable_engine import HistoryRow, StepKey
from pytest_workflows.timeline.bar_chart import BLOCKS, draw_bars

DAY = 24 * 60 * 60 * 1000


def step(name: str, start: int, end: int | None = None, kind: str = "do") -> list[HistoryRow]:
    """The history of a step that is done in one go, or still goes on."""
    began, ended = {
        "do": ("ATTEMPT_START", "ATTEMPT_SUCCESS"),
        "sleep": ("SLEEP_START", "SLEEP_COMPLETE"),
        "wait_for_event": ("WAIT_START", "WAIT_COMPLETE"),
    }[kind]
    key = StepKey(kind, name, 1)  # type: ignore[arg-type]
    return [HistoryRow(began, key, start)] + ([] if end is None else [HistoryRow(ended, key, end)])


def failure(name: str, at: int, delay: int | None) -> HistoryRow:
    detail = {"attempt": 1} if delay is None else {"attempt": 1, "retryDelayMs": delay}
    return HistoryRow("ATTEMPT_FAILURE", StepKey("do", name, 1), at, detail)


def drawn(history: list[HistoryRow], now: int | None = None, width: int = 20) -> list[str]:
    bars = draw_bars(history, history[-1].at if now is None else now, width)
    return [f"{key.name} {bar.rstrip()}" for key, bar in bars.items()]


def together(*steps: list[HistoryRow]) -> list[HistoryRow]:
    """Steps that all start before the first of them ends, and end when they end."""
    lines = [lines[0] for lines in steps] + [line for lines in steps for line in lines[1:]]
    return sorted(lines, key=lambda line: line.at)


def test_steps_one_after_the_other_at_one_instant_are_a_staircase() -> None:
    assert drawn(step("a", 0, 0) + step("b", 0, 0) + step("c", 0, 0)) == ["a #", "b  #", "c   #"]


def test_parallel_steps_at_one_instant_stand_below_each_other() -> None:
    assert drawn(together(step("a", 0, 0), step("b", 0, 0)) + step("c", 0, 0)) == ["a #", "b #", "c  #"]


def test_parallel_steps_that_take_time_are_to_scale() -> None:
    assert drawn(together(step("a", 0, 1000), step("b", 0, 2000), step("c", 0, 4000))) == [
        "a #####",
        "b ###########",
        "c ####################",
    ]


def test_short_steps_keep_a_cell_beside_a_very_long_sleep() -> None:
    history = step("a", 0, 0) + step("sleep", 0, 30 * DAY, "sleep") + step("b", 30 * DAY, 30 * DAY + 10)

    assert drawn(history) == ["a #", "sleep  ------------------", "b                    #"]


def test_attempts_that_failed_and_the_delays_between_them_are_drawn_apart() -> None:
    begin = HistoryRow("ATTEMPT_START", StepKey("do", "a", 1), 0)
    history = [
        begin,
        failure("a", 0, 1000),
        begin._replace(at=1000),
        failure("a", 1000, 2000),
        begin._replace(at=3000),
        failure("a", 5000, None),
    ]

    assert drawn(history, width=14) == ["a x...x....xxxxx"]


def test_retries_without_delays_are_drawn_one_by_one() -> None:
    begin = HistoryRow("ATTEMPT_START", StepKey("do", "a", 1), 0)
    history = [begin, failure("a", 0, 1000), begin, failure("a", 0, 2000), *step("a", 0, 0), *step("b", 0, 0)]

    assert drawn(history) == ["a xx#", "b    #"]


def test_parallel_retries_at_one_instant_stand_below_each_other() -> None:
    a, b = (HistoryRow("ATTEMPT_START", StepKey("do", name, 1), 0) for name in "ab")
    history = [a, b, failure("a", 0, 1), a, failure("b", 0, 1), b, step("a", 0, 0)[1], step("b", 0, 0)[1]]

    assert drawn(history) == ["a x#", "b x#"]


def test_what_has_not_ended_is_drawn_until_now() -> None:
    history = step("a", 0, 0) + together(step("s", 0, None, "sleep"), step("w", 0, None, "wait_for_event"))

    assert drawn(history, now=1000, width=6) == ["a #", "s  -----", "w  ~~~~~"]
    assert drawn(history, now=0) == ["a #", "s  -", "w  ~"]


def test_a_step_that_waits_to_be_retried_shows_the_delay_until_now() -> None:
    history = [HistoryRow("ATTEMPT_START", StepKey("do", "a", 1), 0), failure("a", 0, 5000)]

    assert drawn(history, now=2000, width=6) == ["a x....."]


def test_more_steps_at_one_instant_than_there_are_cells_share_them_in_order() -> None:
    bars = drawn([line for number in range(30) for line in step(f"{number:02}", 0, 0)], width=10)

    assert bars[:4] == ["00 #", "01 #", "02  #", "03  #"]
    assert bars[-1] == "29          #"


def test_a_long_time_has_half_of_the_cells_however_many_steps_there_are() -> None:
    history = [line for number in range(30) for line in step(f"{number:02}", 0, 0)]

    assert drawn(history + step("s", 0, DAY, "sleep"), width=20)[-1] == "s           ----------"


def test_a_step_of_which_no_attempt_is_known_has_no_bar() -> None:
    assert drawn([HistoryRow("STEP_START", StepKey("do", "a", 1), 0)]) == []


def test_a_step_whose_attempt_was_lost_goes_on_with_the_next_one() -> None:
    history = [
        *step("a", 0),
        failure("a", 1000, None),
        *step("a", 1000, 1000),
    ]

    assert drawn(history, width=4) == ["a xxx#"]


@pytest.mark.parametrize("width", [1, 2, 3, 20])
def test_bars_never_exceed_their_width(width: int) -> None:
    history = step("a", 0, 0) + step("s", 0, DAY, "sleep") + step("b", DAY, DAY) + step("c", DAY, 2 * DAY)

    assert {len(bar) for bar in draw_bars(history, 2 * DAY, width).values()} == {width}


def test_every_character_has_a_block_that_looks_different() -> None:
    assert "#x.-~ ".translate(BLOCKS) == "█✗·░▒ "
