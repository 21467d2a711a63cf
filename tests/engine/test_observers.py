"""Observers that raise: reported once, switched off, and nothing of the workflow or its test is touched."""

import warnings
import weakref
from collections.abc import Callable
from typing import Any, cast

import pytest

from durable_engine import Engine, Instance, Observer, ObserverFailure, StepKey
from durable_engine.testing.observers import _HOOKS, Observers


class OwnError(Exception):
    """Of an observer."""


class Faulty(Observer):
    """Raises when a step has its outcome."""

    def __init__(self, error: BaseException) -> None:
        self.error = error
        self.reported = 0

    def step_started(self, instance: Instance, step: StepKey) -> None:
        self.reported += 1

    def step_finished(self, instance: Instance, step: StepKey) -> None:
        raise self.error


class Listening(Observer):
    """Counts outcomes."""

    def __init__(self) -> None:
        self.reported = 0

    def step_finished(self, instance: Instance, step: StepKey) -> None:
        self.reported += 1


async def two_steps(event: Any, step: Any) -> Any:
    @step.do("first", config={"retries": {"limit": 1, "delay": 1}})
    async def first() -> int:
        return 1

    @step.do("second")
    async def second() -> int:
        return 2

    return [await first(), await second()]


async def run(engine: Engine) -> Any:
    handle = await engine.bind("ORDERS", two_steps).create({"id": "a"})
    await engine.run_until_idle()
    return await handle.status()


async def test_an_observer_that_raises_is_warned_of_once_and_hears_of_nothing_more() -> None:
    async with Engine() as engine:
        faulty, other = Faulty(ValueError("a bug")), Listening()
        engine.observers.add(faulty)
        engine.observers.add(other)

        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            status = await run(engine)

        assert status["status"] == "complete"
        assert (faulty.reported, other.reported) == (1, 2)
        [warning] = caught
        assert warning.filename == __file__
        text = str(warning.message)
        assert text.startswith(f"observer {__name__}.Faulty raised in step_finished: ValueError: a bug (")
        assert "in step_finished). It is switched off for the rest of the session" in text


@pytest.mark.filterwarnings("error")
async def test_warnings_as_errors_make_no_failure_of_it() -> None:
    async with Engine() as engine:
        engine.observers.add(Faulty(ValueError("a bug")))

        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("error")
            status = await run(engine)

    assert status["status"] == "complete"
    assert len(caught) == 1


async def test_engines_may_share_what_is_switched_off() -> None:
    off: set[str] = set()
    reported: list[ObserverFailure] = []
    for _ in range(2):
        async with Engine() as engine:
            engine.observers.off, engine.observers.report = off, reported.append
            engine.observers.add(Faulty(ValueError("a bug")))
            await run(engine)

    assert [(failure.title, failure.during) for failure in reported] == [
        (f"observer {__name__}.Faulty", "step_finished")
    ]


async def test_another_observer_of_the_same_title_is_switched_off_with_it() -> None:
    reported: list[ObserverFailure] = []
    async with Engine() as engine:
        engine.observers.report = reported.append
        first, second = Faulty(ValueError("a bug")), Faulty(ValueError("a bug"))
        engine.observers.add(first)
        engine.observers.add(second)

        await run(engine)
        engine.observers.switch_off(first.title, "close", ValueError("again"))

    assert (first.reported, second.reported, len(reported)) == (1, 1, 1)


async def test_an_exception_that_is_meant_for_the_test_passes() -> None:
    async with Engine(passthrough=(OwnError,)) as engine:
        engine.observers.add(Faulty(OwnError("for the test")))

        with pytest.raises(OwnError):
            await run(engine)


async def test_nor_does_it_switch_off_who_raised_it_outside_of_a_hook() -> None:
    async with Engine(passthrough=(OwnError,)) as engine:
        with pytest.raises(OwnError):
            engine.observers.switch_off("rule 'x'", "close", OwnError("for the test"))

    assert engine.observers.off == set()


async def test_an_observer_does_not_outlive_its_test_when_the_engine_lets_go_of_it() -> None:
    async with Engine() as engine:
        observer = Listening()
        engine.observers.add(observer)
        await run(engine)
        assert observer.reported == 2

        known = weakref.ref(observer)
        engine.observers.clear()
        del observer

        assert known() is None


async def test_who_observes_leaves_with_the_block_of_an_engine() -> None:
    async with Engine() as engine:
        observer = Listening()
        engine.observers.add(observer)
        await run(engine)
        known = weakref.ref(observer)
        del observer

    assert known() is None


@pytest.mark.parametrize("hook", _HOOKS)
def test_every_hook_is_guarded(hook: str) -> None:
    def raise_(self: Observer, *arguments: Any, **named: Any) -> None:
        raise ValueError("a bug")

    observer: Observer = type("Raising", (Observer,), {hook: raise_})()
    reported: list[ObserverFailure] = []
    observers = Observers()
    observers.report = reported.append
    observers.add(observer)

    tell: Callable[..., None] = getattr(observers, hook)
    tell("instance", "more")
    tell("instance", "more")

    assert [failure.during for failure in reported] == [hook]


async def test_an_observer_that_comes_amid_an_instance_hears_what_follows() -> None:
    early, late = Listening(), Listening()

    async def workflow(event: Any, step: Any) -> None:
        await step.do("first")(lambda: None)()
        engine.observers.add(late)
        await step.do("second")(lambda: None)()

    async with Engine() as engine:
        engine.observers.add(early)
        await engine.bind("W", workflow).create({"id": "x"})
        await engine.run_until_idle()

    assert (early.reported, late.reported) == (2, 1)


class Ordered(Observer):
    def __init__(self, name: str, order: list[str]) -> None:
        self._name, self._order = name, order

    def crashed(self, instance: Any) -> None:
        self._order.append(self._name)


def test_observers_that_are_made_when_needed_are_notified_as_if_they_had_been_there() -> None:
    order: list[str] = []
    made: list[Observer] = []

    def make() -> list[Observer]:
        made.extend((Ordered("second", order), Ordered("third", order)))
        return made

    observers = Observers()
    observers.add(Ordered("first", order))
    observers.add_when_needed(make)
    observers.add(Ordered("fourth", order))
    assert made == []

    observers.crashed(cast("Any", "instance"))
    observers.crashed(cast("Any", "instance"))

    assert order == ["first", "second", "third", "fourth"] * 2
    assert len(made) == 2


def test_who_was_switched_off_is_not_notified_when_it_is_made() -> None:
    order: list[str] = []
    observers = Observers()
    observers.off.add(Ordered("it", order).title)
    observers.add_when_needed(lambda: [Ordered("it", order)])

    observers.crashed(cast("Any", "instance"))

    assert order == []


def test_after_the_end_nobody_is_made() -> None:
    observers = Observers()
    observers.add_when_needed(lambda: pytest.fail("it was made"))
    observers.clear()

    observers.crashed(cast("Any", "instance"))
