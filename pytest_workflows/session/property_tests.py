"""Property tests: each example of a Hypothesis test is a run of its own, with an engine of its own.

Hypothesis calls a test's function many times within one call of the test. Virtual time, ids and instances of one
example must not show in the next one, or a failure could not be found again.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from .testrun import RunningTest


def is_property_test(item: pytest.Item) -> bool:
    """Whether a test is a property test, whose function is called with examples that Hypothesis draws."""
    return hasattr(getattr(item, "obj", None), "hypothesis")


def separate_examples(item: pytest.Function, running: RunningTest) -> Callable[[], None]:
    """Give each example an engine of its own, and check each as a test is checked at its end.

    Args:
        item: A property test, whose function is about to be called and is not async any more.
        running: The test's run.

    Returns:
        Undoes it.
    """
    handle = item.obj.hypothesis
    inner = handle.inner_test

    def example(*args: Any, **kwargs: Any) -> Any:
        __tracebackhide__ = True
        engine = running.next_example()
        # A fixture gave out the engine of the first example.
        first = running.first_engine
        if engine is not first:
            kwargs = {name: engine if value is first else value for name, value in kwargs.items()}
        outcome = inner(*args, **kwargs)
        running.check_run()
        return outcome

    example.__dict__.update(vars(inner))
    handle.inner_test = example

    def undo() -> None:
        if handle.inner_test is example:
            handle.inner_test = inner

    return undo


def exempt_our_fixtures(item: pytest.Item, ours: frozenset[str]) -> None:
    """Spare a test Hypothesis' warning of function-scoped fixtures, where it asks for none but ours.

    The warning is about state that examples share. With ours they share none.

    Args:
        item: A property test.
        ours: The names of our fixtures.
    """
    from hypothesis import HealthCheck
    from hypothesis import settings as hypothesis_settings

    function: Any = getattr(item.obj, "__func__", item.obj)  # type: ignore[attr-defined]  # pytest.Function has it
    given = getattr(function, "_hypothesis_internal_use_settings", None)
    if given is None or not all(_is_harmless(item, name, ours) for name in _asked_for(item)):
        return
    function._hypothesis_internal_use_settings = hypothesis_settings(
        given, suppress_health_check={*given.suppress_health_check, HealthCheck.function_scoped_fixture}
    )


def _definitions(item: pytest.Item, name: str) -> Any:
    return item._fixtureinfo.name2fixturedefs.get(name, ())  # type: ignore[attr-defined]  # pytest.Function has it


def _asked_for(item: pytest.Item) -> Iterator[str]:
    """The fixtures that a test's function names, and those that they stand on."""
    waiting = list(inspect.signature(item.function).parameters)  # type: ignore[attr-defined]  # pytest.Function has it
    seen: set[str] = set()
    while waiting:
        name = waiting.pop()
        if name not in seen:
            seen.add(name)
            yield name
            waiting += [argument for one in _definitions(item, name) for argument in one.argnames]


def _is_harmless(item: pytest.Item, name: str, ours: frozenset[str]) -> bool:
    definitions = _definitions(item, name)
    if name in ours and len(definitions) == 1:
        return True
    return not definitions or definitions[-1].scope != "function"  # the last one holds
