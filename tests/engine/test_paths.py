"""Paths: whether a later life asks for the steps that an earlier one had asked for, and what is said if not."""

import asyncio
import datetime
import gc

import pytest

from durable_engine import Engine
from durable_engine.model import Ask, StepKey
from durable_engine.testing.paths import compare

START = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)


class Refused(Exception):
    """Stands for what is meant for the test, as pytest's own outcomes are."""


@pytest.fixture
async def engine():
    async with Engine(now=START, timeout=2, passthrough=(Refused,)) as engine:
        yield engine


def asks(*names, branch=0, line=1):
    return [Ask(StepKey("do", name, 1), ("entry.py", line), branch) for name in names]


def reported(earlier, later, **ends):
    difference = compare(earlier, later, **{"later_ended": True, **ends})
    return None if difference is None else difference.describe("after a restart")


# -- comparing two lives ----------------------------------------------------------------------------------------------


def test_the_same_path_is_no_difference():
    assert reported(asks("a", "b"), asks("a", "b"), earlier_ended=True) is None


def test_a_life_that_was_lost_may_have_come_less_far():
    assert reported(asks("a"), asks("a", "b")) is None


def test_a_life_that_was_lost_may_have_come_further_than_one_that_goes_on():
    assert reported(asks("a", "b"), asks("a"), later_ended=False) is None


def test_another_step_in_the_place_of_one_is_told():
    assert reported(asks("a", "b"), asks("a", "c")) == (
        "after a restart `run` asked for step.do 'c-1' where it had asked for step.do 'b-1' before"
    )


def test_a_branch_that_did_not_come_again_is_no_difference_unless_its_step_was_renamed():
    earlier = [*asks("a", branch=1), *asks("b", branch=2, line=2)]

    assert reported(earlier, asks("b", branch=1, line=2)) is None
    assert reported(earlier, [*asks("c", branch=1), *asks("b", branch=2, line=2)], is_complete=False) is None
    assert reported(earlier, [*asks("c", branch=1), *asks("b", branch=2, line=2)]) == (
        "after a restart `run` asked for step.do 'c-1' where it had asked for step.do 'a-1' before"
    )


def test_a_step_that_is_not_asked_for_again_is_told():
    assert reported(asks("a", "b"), asks("a")) == "after a restart `run` did not ask for step.do 'b-1' again"


def test_a_step_that_was_not_asked_for_before_is_told():
    assert reported(asks("a"), asks("a", "b"), earlier_ended=True) == (
        "after a restart `run` asked for step.do 'b-1', which it had not asked for before"
    )


def test_branches_may_ask_in_any_order_and_each_keeps_its_own():
    one, two = asks("a1", "a2", branch=1), asks("b1", "b2", branch=2)
    other_way_round = asks("b1", "b2", branch=1), asks("a1", "a2", branch=2)

    assert reported([*one, *two], [*other_way_round[0], *other_way_round[1]]) is None
    assert "'a3-1' where it had asked for step.do 'a2-1'" in reported(one, asks("a1", "a3", branch=1))


def test_a_branch_that_was_cancelled_sooner_is_no_difference():
    assert reported(asks("a1", "a2", branch=1), asks("a1", branch=1), earlier_ended=True) is None


@pytest.mark.parametrize(
    ("later", "renamed"),
    [
        (asks("step at 10:02", branch=1, line=7), True),
        (asks("something else", branch=1, line=8), False),  # another place in the source
        (asks("known", branch=1, line=7), False),  # it was asked for before, elsewhere
        ([*asks("step at 10:01", line=7)], False),  # it is asked for still, by `run` itself
        ([], False),
    ],
)
def test_the_first_step_of_a_branch_under_another_name_is_told(later, renamed):
    earlier = [*asks("known", branch=2, line=3), *asks("step at 10:01", branch=1, line=7)]

    difference = compare(earlier, later, later_ended=False)

    assert (difference is not None) is renamed
    if renamed:
        assert difference.is_renamed


def test_a_branch_that_neither_came_again_nor_was_renamed_may_be_a_matter_of_timing():
    earlier = [*asks("a"), *asks("b", branch=1, line=5)]

    assert reported(earlier, [*asks("a"), *asks("c", branch=1, line=9)], is_complete=True) is None


# -- findings ---------------------------------------------------------------------------------------------------------


async def test_a_name_that_differs_between_lives_is_two_findings(engine):
    lives = []

    async def workflow(event, step):
        lives.append(1)
        await step.sleep(f"nap {len(lives)}", "1 hour")

    binding = engine.bind("W", workflow)
    await binding.create({"id": "x"})
    await engine.advance("1 minute")
    engine.crash(binding.workflow, "x")
    await engine.run_until_idle()

    findings = engine.findings.take()
    assert [finding.rule for finding in findings] == ["changed-path", "unstable-step-name"]
    assert findings[0].message == (
        "after a restart `run` asked for step.sleep 'nap 2-1' where it had asked for step.sleep 'nap 1-1' before"
    )
    assert findings[0].line == workflow.__code__.co_firstlineno + 2


async def test_a_race_that_was_decided_outside_a_step_is_found_by_a_replay(engine):
    async def workflow(event, step):
        async def one(name, duration):
            await step.sleep(f"nap {name}", duration)
            return name

        tasks = [asyncio.ensure_future(one("a", "1 minute")), asyncio.ensure_future(one("b", "2 minutes"))]
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        await step.do(f"after {done.pop().result()}")(lambda: 1)()
        await asyncio.wait(tasks)

    await engine.bind("W", workflow).create({"id": "x"})
    await engine.run_until_idle()
    await engine.check_by_replay(engine.instances[0])
    await engine.check_by_replay(engine.instances[0])  # once is enough

    rules = [finding.rule for finding in engine.findings.take()]
    assert rules == ["changed-path", "race-outside-step"]


async def test_what_is_meant_for_the_test_ends_a_replay_silently(engine):
    runs = []

    async def workflow(event, step):
        runs.append(1)
        await step.do("a")(lambda: 1)()
        if len(runs) > 1:
            raise Refused("a fake that is closed by now")
        await step.do("b")(lambda: 1)()

    await engine.bind("W", workflow).create({"id": "x"})
    await engine.run_until_idle()
    await engine.check_by_replay(engine.instances[0])

    assert len(runs) == 2
    assert engine.findings.take() == []


async def test_an_error_that_run_never_heard_of_is_not_told_to_a_replay(engine):
    observed = []

    async def run(event, step):
        try:
            await step.do("a")(lambda: print)()
        except BaseException:
            observed.append(1)
            await step.do("b")(lambda: 1)()

    await engine.bind("W", run).create({"id": "1"})
    await engine.run_until_idle()
    assert engine.instances[0].status == "errored"
    await engine.check_by_replay(engine.instances[0])

    assert observed == []
    assert engine.take_findings() == []


async def test_what_a_replay_cannot_answer_ends_it(engine):
    """A call on a binding outside a step: the code behind it that does not wait for it is not looked at either."""
    runs = []

    async def workflow(event, step):
        runs.append(1)
        asked = asyncio.ensure_future(other.get("nobody"))
        await asyncio.sleep(0)
        await step.do("a" if len(runs) == 1 else "b")(lambda: 1)()
        asked.cancel()

    other = engine.bind("OTHER", lambda event, step: None)
    await engine.bind("W", workflow).create({"id": "x"})
    await engine.run_until_idle()
    await engine.check_by_replay(engine.instances[0])

    assert len(runs) == 2
    assert engine.findings.take() == []


async def test_a_failure_that_run_does_not_stay_to_hear_of_makes_no_noise_in_a_replay(engine, caplog):
    lives = []

    async def workflow(event, step):
        lives.append(1)

        async def fails():
            await step.do("fails", config={"retries": {"limit": 0, "delay": 0}})(lambda: 1 / 0)()

        task = asyncio.ensure_future(fails())
        await step.sleep("nap", "1 hour")
        if len(lives) == 1:
            await asyncio.gather(task, return_exceptions=True)

    await engine.bind("W", workflow).create({"id": "x"})
    await engine.run_until_idle()
    await engine.check_by_replay(engine.instances[0])
    gc.collect()

    assert len(lives) == 3  # the run, and a replay in each order
    assert "never retrieved" not in caplog.text
