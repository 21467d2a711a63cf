"""reused-id: an instance id says for whom the instance is, not which one it is."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from types import FrameType
from typing import Any, NamedTuple

from durable_engine import Engine, Place, Workflow, current_scope
from pytest_workflows.active_test import running_handler
from pytest_workflows.sources.syntax import source_file
from pytest_workflows.sources.worker_code import Sources

from .analysis.create_calls import CREATES, id_expressions, is_guarded, options_of
from .base import RuleObserver
from .registry import register

_LONGEST = 60


class _Create(NamedTuple):
    """A create by the Worker's code.

    Attributes:
        place: File and line of the call.
        guarded: Whether the code there expects that the id may be taken.
    """

    place: Place
    guarded: bool


@register(
    "reused-id",
    consequence=(
        "the second create fails with instance.already_exists: an id stays taken as long as the instance is kept"
    ),
    remedy="derive the id from something that comes once, such as an order or a transaction",
)
class ReusedId(RuleObserver):
    """An observer of creates, which reads where their ids come from, and of those whose id was taken."""

    def __init__(self, engine: Engine, sources: Sources) -> None:
        super().__init__(engine, sources)
        self._creates: dict[tuple[str, str], _Create] = {}

    def binding_called(self, workflow: Workflow, method: str, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> None:
        """Keep the creates of the Worker, and judge the expressions of their ids."""
        if method not in CREATES:
            return
        frame = self._sources.caller()
        if frame is None:
            return
        place = (frame.f_code.co_filename, frame.f_lineno)
        guarded = any(map(is_guarded, self._frames(frame)))
        for id in _given_ids(args, kwargs):
            self._creates[workflow.name, id] = _Create(place, guarded)
        if not guarded:
            self._judge(workflow, frame, place)

    def _frames(self, frame: FrameType | None) -> Iterator[FrameType]:
        """The Worker's frames, from the call outwards."""
        while frame is not None and self._sources.is_code(frame.f_code):
            yield frame
            frame = frame.f_back

    def _judge(self, workflow: Workflow, frame: FrameType, place: Place) -> None:
        source = source_file(place[0])
        if source is None:
            return
        from .analysis.id_expressions import kinds_in

        for expression in id_expressions(source, frame):
            kinds = kinds_in(source, expression)
            shown = ast.unparse(expression)
            if kinds == {"constant"}:
                # Elsewhere it may be meant: the one instance of its kind.
                if _is_fetch():
                    self._add(workflow, place, f"every instance of {workflow.name!r} gets the id {shown}")
            elif kinds <= {"recurring", "constant"} or (kinds <= {"date", "constant"} and _is_fetch()):
                what = shown if len(shown) <= _LONGEST else f"{shown[:_LONGEST]}..."
                self._add(workflow, place, f"the id of {workflow.name!r} is `{what}`, which may come again")

    def create_refused(self, workflow: Workflow, id: str) -> None:
        """Judge an id that was taken. In a later attempt of a step it is the step's own, and did not come again."""
        create = self._creates.get((workflow.name, id))
        scope = current_scope.get()
        if create is None or create.guarded or (scope is not None and scope.step is not None and scope.attempt != 1):
            return
        self._add(workflow, create.place, f"the id {id!r} of {workflow.name!r} came again, and was taken")

    def _add(self, workflow: Workflow, place: Place, message: str) -> None:
        scope = current_scope.get()
        step = None if scope is None or scope.step is None else scope.step.label
        self.report(message, place, workflow, step=step)


def _is_fetch() -> bool:
    handler = running_handler.get()
    return handler is not None and handler.kind == "fetch"


def _given_ids(args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Iterator[str]:
    for options in options_of(args, kwargs):
        if isinstance(options, Mapping) and isinstance(options.get("id"), str):
            yield options["id"]
