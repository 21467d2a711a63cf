"""The modifier: the modifications of a `modify` block, collected and put in force together."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from durable_engine import (
    FaultPoint,
    IntrospectionError,
    InvalidArgumentError,
    Modification,
    Selector,
    changes,
    check_consistent,
    encode,
    exception_in,
    with_whole_stream,
)

from .fault_plan import FaultPlan, event_modification


class Modifier:
    """Collects the modifications of one `modify` block; they take effect together when the block ends.

    A step is selected by its name, by `("name", 2)` or by `{"name": "name", "index": 2}`; the index is the occurrence,
    1-based.

    Args:
        existing: The modifications in force.

    Example:
        ```python
        async with instance.modify() as m:
            m.disable_sleeps()
            m.mock_step_result("charge", {"id": "ch_1"})
        ```
    """

    def __init__(self, existing: Iterable[Modification] = ()) -> None:
        self._existing = list(existing)
        self._collected: list[Modification] = []
        self._planned: list[Modification] = []
        self._closed = False

    def disable_sleeps(self, steps: object = None) -> None:
        """Let sleeps take no time.

        Args:
            steps: One selector or a list of them; all sleeps by default.
        """
        self._add_each(changes.DisableSleeps, "disable_sleeps", steps)

    def disable_retry_delays(self, steps: object = None) -> None:
        """Let retries happen at once; history still shows the delays.

        Args:
            steps: One selector or a list of them; all steps by default.
        """
        self._add_each(changes.DisableRetryDelays, "disable_retry_delays", steps)

    def mock_step_result(self, step: object, result: Any) -> None:
        """Answer with this result in the callback's place; it crosses the boundary as a real one would.

        Args:
            step: Selects the step.
            result: Any value that the platform takes; None, 0, False and `""` are results like others.

        Raises:
            TypeError, JsException: If the result cannot cross the boundary.
            ModificationError: If the step's result is mocked already.
        """
        selector = Selector.parse(step)
        self._add(changes.MockStepResult(selector, encode(with_whole_stream(result))), f"mock_step_result({selector})")

    def mock_step_error(self, step: object, error: BaseException, times: int | None = None) -> None:
        """Let attempts fail with this error, as if the callback had raised it.

        Args:
            step: Selects the step.
            error: The exception, an instance.
            times: For how many attempts; all of them by default. Several calls queue up.

        Raises:
            ModificationError: If the step's result is mocked already.
        """
        selector = Selector.parse(step)
        if not isinstance(error, BaseException):
            raise InvalidArgumentError(
                f"mock_step_error takes an exception instance such as ValueError('no stock'), not {error!r}."
            )
        call = f"mock_step_error({selector}, {error!r}{_times(times)})"
        self._add(changes.MockStepError(selector, error, times), call)

    def mock_step(self, step: object, side_effect: Callable[..., Any] | BaseException | Iterable[Any]) -> None:
        """Run something else in the callback's place, as `unittest.mock`'s `side_effect` does.

        Args:
            step: Selects the step.
            side_effect: A callable, plain or async, which gets those of the callback's arguments that it names (`ctx`,
                dependencies); an exception or its class, which every attempt raises; or an iterable with one outcome
                per attempt: an exception or its class is raised, anything else returned.

        Raises:
            ModificationError: If the step's result is mocked already.
        """
        selector = Selector.parse(step)
        self._add(_side_effect(selector, side_effect), f"mock_step({selector})")

    def force_step_timeout(self, step: object, times: int | None = None) -> None:
        """Let attempts time out at once, in no virtual time.

        Args:
            step: Selects the step.
            times: For how many attempts; all of them by default. Several calls queue up, with errors as well.

        Raises:
            ModificationError: If the step's result is mocked already.
        """
        selector = Selector.parse(step)
        self._add(changes.ForceStepTimeout(selector, times), f"force_step_timeout({selector}{_times(times)})")

    def mock_event(self, event_type: str, payload: Any = None, *, after: object = None) -> None:
        """Have an event there when `wait_for_event` asks for its type. It is delivered once.

        Args:
            event_type: The event's type.
            payload: Any value that the platform takes.
            after: For an event that lets `run` wait: how long after the first wait for its type began it comes, in
                virtual time, as `"2 hours"` or milliseconds.

        Raises:
            InvalidArgumentError: If `after` is no duration.
            TypeError, JsException: If the payload cannot cross the boundary.
        """
        self._collect(event_modification(event_type, payload, after))

    def force_event_timeout(self, step: object) -> None:
        """Let a `wait_for_event` time out at once, in no virtual time; it takes no event.

        Args:
            step: Selects the wait by its step name (not the event's type).
        """
        selector = Selector.parse(step)
        self._add(changes.ForceEventTimeout(selector), f"force_event_timeout({selector})")

    def crash(self, at: str, times: int = 1) -> None:
        """Let the engine die at a fault point, and recover the instance from storage.

        Args:
            at: The point: `"lost:charge card#1"`, `"before:charge card"`, `"sleep:cool down#2"`, `"end"`.
            times: How often: each time that the point is reached, in later executions too.

        Raises:
            InvalidArgumentError: If there is no such point; the message shows the form.
        """
        point = FaultPoint.parse(at)
        self._add(changes.Crash(point, times), f"crash({at!r}{_times(None if times == 1 else times)})")

    def apply(self, plan: FaultPlan) -> None:
        """Put a fault plan in force. Its errors come before the results that are mocked in this block.

        Args:
            plan: As `pytest_workflows.strategies.fault_plans` draws it, or as a test writes it down.

        Raises:
            InvalidArgumentError: If it is no `FaultPlan`.
            ModificationError: If an earlier block mocks the result of a step that the plan lets fail.
        """
        if not isinstance(plan, FaultPlan):
            raise InvalidArgumentError(f"apply takes a FaultPlan such as FaultPlan(crashes=['end']), not {plan!r}.")
        for modification in plan.modifications():
            self._check_is_open(modification)
            check_consistent([*self._existing, *self._planned], modification)
            self._planned.append(modification)

    def close(self) -> list[Modification]:
        """End the block.

        Returns:
            What it collected.
        """
        self._closed = True
        return [*self._planned, *self._collected]

    def _add_each(
        self, change: type[changes.DisableSleeps | changes.DisableRetryDelays], method: str, steps: object
    ) -> None:
        selectors = Selector.parse_many(steps)
        if selectors is None:
            self._collect(Modification(change(), f"{method}()", required=False))
        for selector in selectors or ():
            self._add(change(selector), f"{method}({selector})")

    def _check_is_open(self, modification: Modification) -> None:
        if self._closed:
            raise IntrospectionError(
                f"{modification.call} comes after its modify block has ended. Open another one: "
                "`async with instance.modify() as m:`."
            )

    def _add(self, change: changes.Change, call: str) -> None:
        self._collect(Modification(change, call))

    def _collect(self, modification: Modification) -> None:
        self._check_is_open(modification)
        times = modification.times
        if times is not None and (isinstance(times, bool) or not isinstance(times, int) or times < 1):
            raise InvalidArgumentError(f"{modification.call}: times is a number of attempts from 1 on, not {times!r}.")
        check_consistent([*self._existing, *self._collected], modification)
        self._collected.append(modification)


def _side_effect(selector: Selector, given: object) -> changes.Change:
    error = exception_in(given)
    if error is not None:
        return changes.MockStepRaising(selector, error)
    if callable(given):
        return changes.MockStep(selector, given)
    if isinstance(given, Iterable) and not isinstance(given, str | bytes | dict):
        return changes.MockStepOutcomes(selector, list(given))
    raise InvalidArgumentError(
        f"mock_step takes a callable, an exception or an iterable of outcomes, not {given!r}. For one result that "
        "answers every attempt use mock_step_result."
    )


def _times(times: object) -> str:
    return "" if times is None else f", times={times!r}"
