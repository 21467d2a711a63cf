"""What is not provided here is no error of the workflow: no retry, and the test gets it."""

import asyncio
from typing import Any

import pytest

from durable_engine import Engine, JsDict, Step, StepFailedError, UnreachableStatusError
from durable_engine.testing.unprovided import MOST_OF_A_KIND, UnprovidedUses


class Lack(Exception):
    """The tool has no such thing."""

    def __init__(self, text: str = "no cache", subject: str | None = None) -> None:
        super().__init__(text)
        if subject is not None:
            self.subject = subject


def engine() -> Engine:
    return Engine(now="2026-01-01T00:00:00Z", unprovided=(Lack,))


async def wait_for(engine: Engine, status: str, id: str = "a") -> None:
    instance = engine.find(engine.bindings["W"].workflow, id)
    assert instance is not None

    def evaluate() -> bool:
        if instance.row.status == status:
            return True
        if instance.finished:
            raise UnreachableStatusError(f"it is {instance.row.status}")
        return False

    await engine.wait(evaluate, lambda: f"status {status}", about=("W", id))


def raising(error: BaseException, *, catch: bool = False) -> Any:
    async def run(event: JsDict, step: Step) -> str:
        @step.do("put")
        async def put() -> None:
            raise error

        if catch:
            try:
                await put()
            except Exception:
                return "swallowed"
        await put()
        return "fine"

    return run


def kinds(engine: Engine, id: str = "a") -> list[str]:
    instance = engine.find(engine.bindings["W"].workflow, id)
    assert instance is not None
    return [line.kind for line in engine.store.history(instance.row.key)]


async def test_a_step_that_fails_with_it_is_not_retried_and_the_wait_raises_it() -> None:
    lack = Lack()
    async with engine() as one:
        await one.bind("W", raising(lack)).create({"id": "a"})

        with pytest.raises(Lack) as caught:
            await wait_for(one, "complete")

        assert caught.value is lack
        assert kinds(one).count("ATTEMPT_START") == 1
        assert kinds(one)[-2:] == ["STEP_FAILURE", "WORKFLOW_FAILURE"]
        assert list(one.exceptions.values()) == [lack]
        assert one.unprovided.pending == []  # the test got it


def caused_by(lack: Lack) -> Exception:
    error = RuntimeError("cache down")
    error.__cause__ = lack
    return error


def in_context(lack: Lack) -> Exception:
    error = RuntimeError("cache down")
    error.__context__ = lack
    lack.__context__ = error  # a ring ends
    return error


@pytest.mark.parametrize("wrap", [caused_by, in_context, lambda lack: ExceptionGroup("two", [ValueError(), lack])])
async def test_what_comes_of_it_is_not_retried_either(wrap: Any) -> None:
    lack = Lack()
    async with engine() as one:
        await one.bind("W", raising(wrap(lack))).create({"id": "a"})
        await one.run_until_idle()

        assert kinds(one).count("ATTEMPT_START") == 1
        assert one.unprovided.pending == [lack]


async def test_any_other_error_is_retried() -> None:
    async with engine() as one:
        await one.bind("W", raising(RuntimeError())).create({"id": "a"})
        await one.run_until_idle()

        assert kinds(one).count("ATTEMPT_START") == 6
        assert one.unprovided.pending == []


async def test_what_run_swallows_is_still_pending() -> None:
    lack = Lack()
    async with engine() as one:
        await one.bind("W", raising(lack, catch=True)).create({"id": "a"})
        await wait_for(one, "complete")

        assert one.unprovided.pending == [lack]


async def test_without_such_exceptions_named_it_is_an_error_like_any_other() -> None:
    async with Engine(now="2026-01-01T00:00:00Z") as one:
        await one.bind("W", raising(Lack())).create({"id": "a"})

        with pytest.raises(UnreachableStatusError):
            await wait_for(one, "complete")
        assert kinds(one).count("ATTEMPT_START") == 6


async def test_code_of_an_instance_may_say_so_before_it_raises() -> None:
    lack = Lack()

    async def run(event: JsDict, step: Step) -> None:
        one.pending_errors.keep_unprovided(lack)
        await step.sleep("for ever", "1 day")
        raise StepFailedError("x-1", "Error", "something else")

    async with engine() as one:
        await one.bind("W", run).create({"id": "a"})
        with pytest.raises(Lack):
            await wait_for(one, "complete")


async def test_other_code_may_say_so_and_a_wait_of_any_instance_fails_for_it() -> None:
    lack = Lack()
    async with engine() as one:
        await one.bind("W", raising(RuntimeError())).create({"id": "a"})
        one.pending_errors.keep_unprovided(lack)

        with pytest.raises(Lack):
            await wait_for(one, "complete")


async def test_an_instance_s_own_use_comes_before_that_of_another_one() -> None:
    lacks = {"a": Lack("of a"), "b": Lack("of b")}

    async def run(event: JsDict, step: Step) -> None:
        raise lacks[event.instanceId]

    async with engine() as one:
        binding = one.bind("W", run)
        for id in lacks:
            await binding.create({"id": id})
        await one.run_until_idle()

        with pytest.raises(Lack, match="of b"):
            await wait_for(one, "complete", "b")
        assert one.unprovided.pending == [lacks["a"]]


async def test_a_replay_uses_nothing() -> None:
    async def run(event: JsDict, step: Step) -> None:
        await step.sleep("a moment", 1)
        error = Lack()
        one.pending_errors.keep_unprovided(error)
        raise error

    async with engine() as one:
        await one.bind("W", run).create({"id": "a"})
        await one.run_until_idle()
        first = one.unprovided.pending
        assert len(first) == 1
        one.unprovided.report(first[0])
        instance = one.instances[0]

        await one.check_by_replay(instance)

        assert one.unprovided.pending == []


async def test_what_a_task_got_and_nobody_asked_it_for_is_raised_at_the_end() -> None:
    lack = Lack()
    async with engine() as one:
        await one.bind("W", raising(lack)).create({"id": "a"})
        task = asyncio.create_task(wait_for(one, "complete"))
        await asyncio.wait([task])

        with pytest.raises(Lack):
            one.raise_aborted()
        assert task.exception() is lack
        one.raise_aborted()  # somebody has asked by now


def test_two_of_a_kind_about_one_subject_are_one_and_are_kept_up_to_a_limit() -> None:
    uses = UnprovidedUses((Lack,))
    lacks = [Lack(f"number {number}", "src/entry.py:6") for number in range(MOST_OF_A_KIND + 1)]
    for lack in lacks:
        uses.keep(lack, ("W", "a"))
    uses.keep(lacks[0], None)
    elsewhere = Lack("x", "src/entry.py:7")
    uses.keep(elsewhere, None)

    assert uses.pending == [lacks[0], elsewhere]
    uses.report(lacks[-1])
    assert uses.pending == [elsewhere]


def test_any_other_exception_is_not_kept() -> None:
    uses = UnprovidedUses(())
    uses.keep(Lack(), None)

    assert uses.pending == []


def test_what_code_of_the_test_has_caught_is_not_pending() -> None:
    uses = UnprovidedUses((Lack,))
    lack = Lack()
    uses.keep(lack, None)
    uses.has_reached_test = lambda error: error is lack

    assert uses.pending == []
    assert uses.behind(None) is None
    assert uses.find(None) is None
