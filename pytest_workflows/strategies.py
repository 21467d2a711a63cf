"""Hypothesis strategies for workflows: what goes wrong in a run, and what an instance is created with.

Needs Hypothesis: `pip install "pytest-workflows[hypothesis]"`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

try:
    from hypothesis import strategies as st
except ModuleNotFoundError as error:
    if error.name != "hypothesis":
        raise
    raise ModuleNotFoundError(
        'pytest_workflows.strategies needs Hypothesis: pip install "pytest-workflows[hypothesis]"', name="hypothesis"
    ) from None

from durable_engine import FaultPoint, InvalidArgumentError, NonRetryableError, Selector, StepKey, StepRecord

from .exploration.json_values import values_of
from .exploration.typed_values import values_of_type
from .introspection.fault_plan import TIMEOUT, FaultPlan
from .sources import find_class_steps

__all__ = ["FaultPlan", "fault_plans", "workflow_params"]

INJECTED = "injected fault"
LATE = ("1 minute", "1 hour", "1 day", "1 week", "1 month")
_POINTS = {"do": ("lost", "stored", "before", "retry"), "sleep": ("sleep",), "wait_for_event": ("wait", "event")}


def fault_plans(
    workflow: type | None = None,
    *,
    steps: Iterable[object] = (),
    events: Mapping[str, object] | None = None,
    errors: Sequence[BaseException] | None = None,
    max_faults: int = 3,
) -> st.SearchStrategy[FaultPlan]:
    """Plans of what goes wrong in a run: the simplest one is that nothing does, and every event is there early.

    Drawn are attempts that fail or time out, places where the engine dies, and events that come late, twice or never.

    Args:
        workflow: The workflow's class: the steps that its source names are known, of whatever kind. Names that are
            built at run time (f-strings) are not; give those as `steps`.
        steps: Further steps: names of `do` steps, `("name", 2)` for a second occurrence, or the records of a run
            (`instance.steps`), whose kind is known.
        events: The events that the plan sends: type to payload, or to a strategy for payloads.
        errors: The errors of attempts, exception instances, the simplest first; a `ConnectionError`, which is retried,
            and a `NonRetryableError` by default. Timeouts are drawn as well.
        max_faults: How many things go wrong at most.

    Raises:
        InvalidArgumentError: If there is nothing to draw from, or an argument is not as it must be.

    Example:
        ```python
        @given(plan=fault_plans(OrderWorkflow, events={"approved": {"by": "Ada"}}))
        async def test_no_order_is_charged_twice(workflow_env, plan): ...
        ```
    """
    if isinstance(max_faults, bool) or not isinstance(max_faults, int) or max_faults < 0:
        raise InvalidArgumentError(f"max_faults is a number of faults from 0 on, not {max_faults!r}.")
    if events is not None and not isinstance(events, Mapping):
        raise InvalidArgumentError(f"events is a dict of payloads by type, as in {{'approved': {{}}}}, not {events!r}.")
    keys = _known_steps(workflow, steps)
    sent = {} if events is None else dict(events)
    if not keys and not sent:
        raise InvalidArgumentError(
            "fault_plans knows no step and no event to draw faults for. Give the workflow's class, or steps=['charge "
            "card', ...], or events={'approved': payload}."
        )
    faults = st.lists(_faults(keys, list(sent), _checked(errors)), max_size=max_faults)
    payloads = st.fixed_dictionaries({name: _payloads(payload) for name, payload in sent.items()})
    return _plans(faults, payloads)


def workflow_params(source: Any) -> st.SearchStrategy[Any]:
    """Params for an instance: JSON values, which cross to the platform and come back as they are.

    Args:
        source: A class whose fields have type hints (a dataclass, a TypedDict, a msgspec Struct, a pydantic model), any
            other type hint that JSON has a form for, or a JSON schema as a dict.

    Raises:
        InvalidArgumentError: If JSON has no form for the type, or the schema says something that is not understood.

    Example:
        ```python
        @given(params=workflow_params(Order))
        async def test_any_order_is_answered(workflow_env, params): ...
        ```
    """
    return values_of(source) if isinstance(source, Mapping) else values_of_type(source)


# -- faults ------------------------------------------------------------------------------------------------------------

_Fault = tuple[str, Any, Any]


def _known_steps(workflow: type | None, steps: Iterable[object]) -> list[StepKey]:
    found = [] if workflow is None else _steps_of_class(workflow)
    if isinstance(steps, str):
        raise InvalidArgumentError(f"steps takes a list of steps, as in steps=[{steps!r}], not the text {steps!r}.")
    return list(dict.fromkeys([*found, *map(_key, steps)]))


def _steps_of_class(workflow: type) -> list[StepKey]:
    if not isinstance(workflow, type):
        raise InvalidArgumentError(
            f"Steps are found in a workflow's class, such as entry.OrderWorkflow, not in {workflow!r}. Names are given "
            "as steps=['charge card', ...]."
        )
    source = find_class_steps(workflow)
    if source is None:
        raise InvalidArgumentError(
            f"The source of {workflow.__qualname__} cannot be read, or has no `run`. Give the names: "
            "steps=['charge card', ...]."
        )
    # A name that is built at run time is not known.
    return [StepKey(step.kind, step.name.text, 1) for step in source.steps if step.name.pattern is None]


def _key(step: object) -> StepKey:
    if isinstance(step, StepRecord):
        return step.key
    selector = Selector.parse(step)
    return StepKey("do", selector.name, selector.index)


def _checked(errors: Sequence[BaseException] | None) -> list[BaseException]:
    if errors is None:
        return [ConnectionError(INJECTED), NonRetryableError(INJECTED)]
    wrong = [error for error in errors if not isinstance(error, BaseException)]
    if wrong:
        raise InvalidArgumentError(
            f"errors takes exception instances such as ValueError('no stock'), not {wrong[0]!r}."
        )
    return list(errors)


def _faults(
    keys: Sequence[StepKey], events: Sequence[str], errors: Sequence[BaseException]
) -> st.SearchStrategy[_Fault]:
    """One thing that goes wrong."""
    attempted = [key for key in keys if key.kind == "do"]
    kinds: list[st.SearchStrategy[_Fault]] = []
    if attempted:
        outcomes = st.sampled_from([*errors, TIMEOUT])
        kinds.append(st.tuples(st.just("attempt"), st.sampled_from(attempted), outcomes))
    if keys:
        kinds.append(st.tuples(st.just("crash"), st.sampled_from(_points(keys)), st.none()))
    if events:
        arrivals = st.sampled_from(["never", *LATE, "twice"])
        kinds.append(st.tuples(st.just("event"), st.sampled_from(events), arrivals))
    return st.one_of(kinds)


def _points(keys: Sequence[StepKey]) -> list[str]:
    # Sleeps of one name and several durations share an occurrence, and then the duration distinguishes them.
    alike = Counter(key[:3] for key in keys)
    points = [
        FaultPoint(kind, key.name, key.count, duration=key.duration if alike[key[:3]] > 1 else None)  # type: ignore[arg-type]  # the table's kinds
        for key in keys
        for kind in _POINTS[key.kind]
    ]
    return [*(point.short for point in points), "end"]


def _payloads(payload: object) -> st.SearchStrategy[Any]:
    return payload if isinstance(payload, st.SearchStrategy) else st.just(payload)


@st.composite
def _plans(
    draw: st.DrawFn, faults: st.SearchStrategy[list[_Fault]], payloads: st.SearchStrategy[dict[str, Any]]
) -> FaultPlan:
    # Composed, not mapped or built: of those, Hypothesis prints how they were made, which is internal.
    return _plan(draw(faults), draw(payloads))


def _plan(faults: Iterable[_Fault], payloads: Mapping[str, Any]) -> FaultPlan:
    attempts: dict[Any, list[BaseException | str]] = {}
    crashes: list[str] = []
    arrivals: dict[str, list[str | None]] = {name: [None] for name in payloads}
    for kind, what, how in faults:
        if kind == "attempt":
            attempts.setdefault(what.name if what.count == 1 else (what.name, what.count), []).append(how)
        elif kind == "crash":
            crashes.append(what)
        elif how == "never":
            arrivals[what] = []
        elif how == "twice":
            arrivals[what] += arrivals[what][:1]
        else:
            arrivals[what] = [how for _ in arrivals[what]]
    events = [
        (name, payloads[name]) if after is None else (name, payloads[name], after)
        for name, comings in arrivals.items()
        for after in comings
    ]
    return FaultPlan(attempts, crashes, events)
