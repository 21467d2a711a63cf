"""reused-id: an instance id that says for whom the instance is, not which one it is."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from types import FrameType
from typing import Any, NamedTuple

from durable_engine import Engine, Place, Workflow, current_scope
from pytest_workflows.active_test import running_handler
from pytest_workflows.sources.syntax import source_file
from pytest_workflows.sources.worker_code import Sources

from .base import RuleObserver
from .creating import CREATES, created, id_expressions, is_guarded
from .id_expressions import make_up

_LONGEST = 60


class _Asked(NamedTuple):
    """A create by the Worker's code.

    Attributes:
        place: Where.
        guarded: Whether an id that is taken is expected there.
    """

    place: Place
    guarded: bool


class ReusedId(RuleObserver):
    """Reads where the ids of creates come from, and hears of those that were taken."""

    rule = "reused-id"

    def __init__(self, engine: Engine, sources: Sources) -> None:
        super().__init__(engine, sources)
        self._asked: dict[tuple[str, str], _Asked] = {}

    def binding_called(self, workflow: Workflow, method: str, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> None:
        """A binding or a handle was called."""
        if method not in CREATES:
            return
        frame = self._sources.caller()
        if frame is None:
            return
        place = (frame.f_code.co_filename, frame.f_lineno)
        guarded = any(map(is_guarded, self._frames(frame)))
        for id in _given_ids(args, kwargs):
            self._asked[workflow.name, id] = _Asked(place, guarded)
        if not guarded:
            self._read(workflow, frame, place)

    def _frames(self, frame: FrameType | None) -> Iterator[FrameType]:
        """The Worker's frames, from the call outwards."""
        while frame is not None and self._sources.is_code(frame.f_code):
            yield frame
            frame = frame.f_back

    def _read(self, workflow: Workflow, frame: FrameType, place: Place) -> None:
        source = source_file(place[0])
        if source is None:
            return
        for expression in id_expressions(source, frame):
            of = make_up(source, expression)
            shown = ast.unparse(expression)
            if of == {"constant"}:
                # Elsewhere it may be meant: the one instance of its kind.
                if _is_fetch():
                    self._report(workflow, place, f"every instance of {workflow.name!r} gets the id {shown}")
            elif of <= {"recurring", "constant"} or (of <= {"date", "constant"} and _is_fetch()):
                what = shown if len(shown) <= _LONGEST else f"{shown[:_LONGEST]}..."
                self._report(workflow, place, f"the id of {workflow.name!r} is `{what}`, which may come again")

    def create_refused(self, workflow: Workflow, id: str) -> None:
        """An id was taken. That of a step whose attempt was lost is its own: it did not come again."""
        asked = self._asked.get((workflow.name, id))
        scope = current_scope.get()
        if asked is None or asked.guarded or (scope is not None and scope.step is not None and scope.attempt != 1):
            return
        self._report(workflow, asked.place, f"the id {id!r} of {workflow.name!r} came again, and was taken")

    def _report(self, workflow: Workflow, place: Place, message: str) -> None:
        scope = current_scope.get()
        step = None if scope is None or scope.step is None else scope.step.label
        self._engine.findings.add(self.rule, message, place, step=step, workflow=workflow.name)


def _is_fetch() -> bool:
    handler = running_handler.get()
    return handler is not None and handler.kind == "fetch"


def _given_ids(args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Iterator[str]:
    for options in created(args, kwargs):
        if isinstance(options, Mapping) and isinstance(options.get("id"), str):
            yield options["id"]
