"""What recordings say of their workflows when they are put together."""

from datetime import UTC, datetime, timedelta

from pytest_workflows.recordings import Attempt, ErrorRecord, Recording, Spread, Step, stats_of

START = datetime(2026, 1, 1, tzinfo=UTC)


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def recording(*steps: Step, ended: float | None = 0, status: str = "complete", **fields: object) -> Recording:
    return Recording(
        instance_id="a",
        status=status,
        created_at=START,
        ended_at=None if ended is None else at(ended),
        steps=list(steps),
        **{"binding": "ORDERS", **fields},  # type: ignore[arg-type]
    )


def do(name: str, *attempts: Attempt, **fields: object) -> Step:
    return Step(kind="do", name=name, attempts=list(attempts), started_at=START, ended_at=START, **fields)  # type: ignore[arg-type]


def test_a_workflow_has_one_line_whatever_the_order_of_its_recordings() -> None:
    stats = stats_of([recording(), recording(binding="MAIL"), recording(status="errored")])

    assert [(one.workflow, one.instances, one.statuses) for one in stats] == [
        ("ORDERS", 2, {"errored": 1, "complete": 1}),
        ("MAIL", 1, {"complete": 1}),
    ]


def test_without_a_binding_the_workflow_goes_by_its_own_name() -> None:
    stats = stats_of([recording(binding=None, workflow="orders"), recording(binding=None)])

    assert [one.workflow for one in stats] == ["orders", "unknown"]


def test_no_recordings_have_no_statistics() -> None:
    assert stats_of([]) == []


def test_wall_time_is_the_worlds_and_virtual_time_the_clocks() -> None:
    (stats,) = stats_of([recording(ended=86_400, real_ms=3.0), recording(ended=60, real_ms=9.0), recording(ended=30)])

    assert stats.wall == Spread(count=2, total=12.0, median=6.0, longest=9.0)
    assert stats.virtual == Spread(count=3, total=86_490_000, median=60_000, longest=86_400_000)


def test_the_wall_time_of_production_is_productions_clock() -> None:
    (stats,) = stats_of([recording(ended=60, source="production")])

    assert stats.wall.longest == stats.virtual.longest == 60_000


def test_an_instance_that_has_not_ended_counts_up_to_its_recording() -> None:
    (stats,) = stats_of([recording(ended=None, status="waiting", recorded_at=at(5))])

    assert stats.virtual.total == 5_000


def test_waiting_is_sleeps_events_and_retry_delays_and_each_moment_counts_once() -> None:
    steps = [
        Step(kind="sleep", name="nap", started_at=at(0), ended_at=at(10)),
        Step(kind="wait_for_event", name="pay", started_at=at(5), ended_at=at(15)),
        do(
            "charge",
            Attempt(number=1, started_at=at(20), ended_at=at(20), retry_delay_ms=7_000),
            Attempt(number=2, started_at=at(27), ended_at=at(27)),
        ),
    ]

    (stats,) = stats_of([recording(*steps, ended=27)])

    assert stats.waiting_ms == 22_000


def test_what_waits_while_a_step_works_is_not_waiting() -> None:
    steps = [
        Step(kind="sleep", name="nap", started_at=at(0), ended_at=at(10)),
        do("work", Attempt(number=1, started_at=at(2), ended_at=at(5))),
    ]

    (stats,) = stats_of([recording(*steps, ended=10, source="production")])

    assert (stats.waiting_ms, stats.working_ms) == (7_000, 3_000)


def test_what_still_waits_has_waited_up_to_now() -> None:
    nap = Step(kind="sleep", name="nap", status="waiting", started_at=at(0))

    (stats,) = stats_of([recording(nap, ended=None, recorded_at=at(4), status="waiting")])

    assert stats.waiting_ms == 4_000


def test_a_step_is_counted_over_all_instances() -> None:
    failed = ErrorRecord(name="Error", message="no")
    first = do("charge", Attempt(number=1, error=failed, real_ms=2.0), Attempt(number=2, real_ms=4.0), status="errored")
    second = do("charge", Attempt(number=1, real_ms=1.0), mocked=True)

    (stats,) = stats_of([recording(first), recording(second)])

    (charge,) = stats.by_step
    assert (charge.runs, charge.mocked, charge.failed, charge.retries) == (2, 1, 1, 1)
    assert charge.working == Spread(count=2, total=7.0, median=3.5, longest=6.0)
    assert (stats.steps, stats.retries, stats.working_ms) == (2, 1, 7.0)


def test_the_slowest_steps_come_first_and_those_without_work_not_at_all() -> None:
    steps = [do(name, Attempt(number=1, real_ms=ms)) for name, ms in (("a", 1.0), ("b", 3.0), ("c", 0.0), ("d", 2.0))]

    (stats,) = stats_of([recording(*steps)])

    assert [step.name for step in stats.slowest()] == ["b", "d", "a"]
    assert [step.name for step in stats.slowest(1)] == ["b"]


def test_the_steps_that_took_most_virtual_time_come_first() -> None:
    steps = [Step(kind="sleep", name=f"nap {s}", started_at=at(0), ended_at=at(s)) for s in (1, 9, 0)]

    (stats,) = stats_of([recording(*steps)])

    assert [step.name for step in stats.longest()] == ["nap 9", "nap 1"]
