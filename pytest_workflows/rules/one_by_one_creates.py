"""one-by-one-creates: one call after another creates an instance, where one call creates them all."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from durable_engine import Ask, Engine, Instance, Place, Scope, Workflow, current_scope
from pytest_workflows.active_test import Handler, running_handler
from pytest_workflows.sources.worker_code import Sources

from .base import RuleObserver
from .registry import register

MOST_FROM_SEVERAL_LINES = 2
"""The most creates from different lines that are no series yet."""


class _Series(NamedTuple):
    """A series of creates, one after another.

    Attributes:
        caller: An attempt of a step or `run` itself, a call of a handler, or else a function's frame.
        binding: The workflow's binding name.
        places: Where the creates stand, in the order of the calls.
    """

    caller: object
    binding: str
    places: list[Place]


@register(
    "one-by-one-creates",
    consequence="each call counts against the rate limit and costs a round trip",
    remedy="use create_batch, with up to 100 instances a call",
)
class OneByOneCreates(RuleObserver):
    """An observer that counts the creates of each attempt and of each call of a handler."""

    def __init__(self, engine: Engine, sources: Sources) -> None:
        super().__init__(engine, sources)
        self._series: dict[tuple[int, str], _Series] = {}
        self._last: object = None

    def binding_called(self, workflow: Workflow, method: str, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> None:
        """Count a create; any other call ends the series."""
        frame = self._sources.caller()
        if frame is None:
            return
        caller = current_scope.get() or running_handler.get() or frame
        if method != "create":
            self._series.pop((_number(caller), workflow.name), None)
            return
        place = (frame.f_code.co_filename, frame.f_lineno)
        places = self._places_of(caller, workflow.name)
        places.append(place)
        if places.count(place) > 1 or len(places) > MOST_FROM_SEVERAL_LINES:
            self._judge(workflow, caller, place)

    def _places_of(self, caller: object, binding: str) -> list[Place]:
        if not isinstance(caller, Scope | Handler):
            # A frame is kept only until the next one: it holds on to all that its function had.
            if caller is not self._last:
                self._series.pop((_number(self._last), binding), None)
            self._last = caller
        return self._series.setdefault((_number(caller), binding), _Series(caller, binding, [])).places

    def _judge(self, workflow: Workflow, caller: object, place: Place) -> None:
        if isinstance(caller, Scope):
            step = None if caller.step is None else caller.step.label
            where = "`run`" if step is None else f"one attempt of step {step!r}"
        else:
            step = None
            where = f"one call of the {caller.kind} handler" if isinstance(caller, Handler) else "one call"
        message = f"instances of {workflow.name!r} are created one by one in {where}"
        self.report(message, place, workflow, step=step)

    def create_refused(self, workflow: Workflow, id: str) -> None:
        """Do not count what was not created: the code is in search of an id that is free."""
        caller = current_scope.get() or running_handler.get() or self._last
        series = self._series.get((_number(caller), workflow.name))
        if series is not None:
            del series.places[-1:]

    def close(self) -> None:
        """Hold no frame any longer: the test is over."""
        self._series.clear()
        self._last = None

    def step_asked(self, instance: Instance, ask: Ask) -> None:
        """End the series of `run` itself: a step lies between its creates."""
        self._series.pop((_number(instance.root), instance.workflow.name), None)


_number = id  # the builtin: methods here have an argument of that name
