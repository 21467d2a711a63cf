"""one-by-one-creates: one call after another creates an instance, where one call creates them all."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from durable_engine import Ask, Engine, Instance, Place, Scope, Workflow, current_scope
from pytest_workflows.active_test import Handler, running_handler
from pytest_workflows.sources.worker_code import Sources

from .base import RuleObserver

MOST_FROM_SEVERAL_LINES = 2
"""So many creates from different lines are no row yet."""


class _Row(NamedTuple):
    """Creates in a row.

    Attributes:
        caller: What makes them: an attempt of a step or `run` itself, a call of a handler, or else a function's frame.
        binding: Of which workflow.
        places: Where, in order.
    """

    caller: object
    binding: str
    places: list[Place]


class OneByOneCreates(RuleObserver):
    """Counts the creates of each attempt and of each call of a handler."""

    rule = "one-by-one-creates"

    def __init__(self, engine: Engine, sources: Sources) -> None:
        super().__init__(engine, sources)
        self._rows: dict[tuple[int, str], _Row] = {}
        self._last: object = None

    def binding_called(self, workflow: Workflow, method: str, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> None:
        """A binding or a handle was called."""
        frame = self._sources.caller()
        if frame is None:
            return
        caller = current_scope.get() or running_handler.get() or frame
        if method != "create":
            self._rows.pop((_number(caller), workflow.name), None)
            return
        place = (frame.f_code.co_filename, frame.f_lineno)
        places = self._row(caller, workflow.name)
        places.append(place)
        if places.count(place) > 1 or len(places) > MOST_FROM_SEVERAL_LINES:
            self._report(workflow, caller, place)

    def _row(self, caller: object, binding: str) -> list[Place]:
        if not isinstance(caller, Scope | Handler):
            # A frame is kept only until the next one: it holds on to all that its function had.
            if caller is not self._last:
                self._rows.pop((_number(self._last), binding), None)
            self._last = caller
        return self._rows.setdefault((_number(caller), binding), _Row(caller, binding, [])).places

    def _report(self, workflow: Workflow, caller: object, place: Place) -> None:
        if isinstance(caller, Scope):
            step = None if caller.step is None else caller.step.label
            where = "`run`" if step is None else f"one attempt of step {step!r}"
        else:
            step = None
            where = f"one call of the {caller.kind} handler" if isinstance(caller, Handler) else "one call"
        message = f"instances of {workflow.name!r} are created one by one in {where}"
        self._engine.findings.add(self.rule, message, place, step=step, workflow=workflow.name)

    def create_refused(self, workflow: Workflow, id: str) -> None:
        """What was not created does not count: somebody looks for an id that is free."""
        caller = current_scope.get() or running_handler.get() or self._last
        row = self._rows.get((_number(caller), workflow.name))
        if row is not None:
            del row.places[-1:]

    def close(self) -> None:
        """The test is over: no frame is held any longer."""
        self._rows.clear()
        self._last = None

    def step_asked(self, instance: Instance, ask: Ask) -> None:
        """Steps lie between the creates of `run` itself."""
        self._rows.pop((_number(instance.root), instance.workflow.name), None)


_number = id  # methods here have an argument of that name
