"""Property tests: each example of a Hypothesis test is a run of its own, with an engine of its own.

Hypothesis calls a test's function many times within one call of the test. Virtual time, ids and instances of one
example must not show in the next one, or a failure could not be found again.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, Protocol

import pytest

if TYPE_CHECKING:
    from durable_engine import Engine


def is_property_test(item: pytest.Item) -> bool:
    """Whether a test is a property test, whose function is called with examples that Hypothesis draws."""
    return hasattr(getattr(item, "obj", None), "hypothesis")


class RunOfExamples(Protocol):
    """The run of a property test, as its examples need it."""

    @property
    def used_engine(self) -> Engine | None:
        """The test's engine; None before its first use."""

    def begin_again(self) -> Engine | None:
        """Begin again with another engine; None if the test has none."""

    def check_run(self) -> None:
        """At the end of an example that passed: raise what its test must still learn."""


class Examples:
    """The examples of a property test: each is a run of its own, with an engine of its own.

    Args:
        test_run: The test's run.
    """

    def __init__(self, test_run: RunOfExamples) -> None:
        self._test_run = test_run
        self._first_engine: Engine | None = None
        self._has_begun = False
        self._undo: Callable[[], None] | None = None

    @property
    def have_begun(self) -> bool:
        """Whether the test was called with an example; each is checked at its own end."""
        return self._has_begun

    def separate(self, item: pytest.Function) -> None:
        """Give each example an engine of its own, and check each as a test is checked at its end.

        Args:
            item: The property test, whose function is about to be called and is not async any more.
        """
        handle = item.obj.hypothesis
        inner = handle.inner_test

        def example(*args: Any, **kwargs: Any) -> Any:
            __tracebackhide__ = True
            outcome = inner(*args, **self._with_engine(kwargs))
            self._test_run.check_run()
            return outcome

        def undo() -> None:
            if handle.inner_test is example:
                handle.inner_test = inner

        example.__dict__.update(vars(inner))
        handle.inner_test = example
        self._undo = undo

    def _with_engine(self, kwargs: dict[str, Any]) -> dict[str, Any]:
        """A fixture gave out the engine of the first example: give the further ones theirs."""
        if not self._has_begun:
            self._has_begun = True
            self._first_engine = self._test_run.used_engine
            return kwargs
        engine, first = self._test_run.begin_again(), self._first_engine
        if first is None:
            return kwargs
        return {name: engine if value is first else value for name, value in kwargs.items()}

    def stop(self) -> None:
        """The test's call is over: its function is as it was."""
        if self._undo is not None:
            self._undo()
            self._undo = None


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
