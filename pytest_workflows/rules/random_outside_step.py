"""random-outside-step: `run` takes a random value or reads the time outside of its steps."""

from __future__ import annotations

import ast
import random
import secrets
import sys
import uuid
from types import FrameType
from typing import Any

from durable_engine import Engine, Instance
from pytest_workflows import freeze

from . import chance
from .base import RuleObserver
from .source import Sources, is_ours
from .syntax import source_file

_MODULES = {module.__file__: module.__name__ for module in (random, secrets, uuid)}


class RandomOutsideStep(RuleObserver):
    """Listens to what gives random values and the time, and looks who asked."""

    rule = "random-outside-step"

    def __init__(self, engine: Engine, sources: Sources) -> None:
        super().__init__(engine, sources)
        self._known: set[type] = set()
        chance.listen(engine, self._taken)

    def close(self) -> None:
        """Put everything back as it was."""
        chance.unlisten(self._engine)

    def life_started(self, instance: Instance, event: Any) -> None:
        """See to it that functions which the Worker has imported by name are listened to."""
        cls = self._sources.workflows.get(instance.workflow.name)
        if cls is not None and cls not in self._known:
            self._known.add(cls)
            chance.look_into(self._sources.functions_of(cls), self._sources.is_file)

    def _taken(self, instance: Instance) -> None:
        frame: FrameType | None = sys._getframe(1)
        name = ""
        while frame is not None:
            asked = _name_in(frame)
            if asked is None:
                break
            name = asked
            frame = frame.f_back
        if frame is not None and self._sources.is_code(frame.f_code):
            place = (frame.f_code.co_filename, frame.f_lineno)
            shown = _as_written(*place, name) or name
            self.report(f"`{shown}` is called in `run`, outside of its steps", place, instance, about=shown)


def _name_in(frame: FrameType) -> str | None:
    """What a frame is called that gives the value: `uuid.uuid4`; None for code that asked for something."""
    file, code = frame.f_code.co_filename, frame.f_code
    if file in _MODULES:
        shown = code.co_qualname.split(".")[-2] if code.co_name == "__init__" else code.co_name
        return f"{_MODULES[file]}.{shown}"
    if freeze.is_freezers(file):
        kind, _, shown = code.co_qualname.rpartition(".")
        return f"{kind.removeprefix('Fake').lower() or 'time'}.{shown.removeprefix('fake_')}"
    return code.co_name.removeprefix("_") if is_ours(file) else None


def _as_written(file: str, line: int, name: str) -> str | None:
    """The call as the source has it; None where it goes by another name there."""
    source = source_file(file)
    statement = None if source is None else source.statement_at(line)
    last = name.rpartition(".")[2]
    for node in ast.walk(statement) if statement is not None else ():
        if isinstance(node, ast.Call):
            called = node.func
            written = called.attr if isinstance(called, ast.Attribute) else getattr(called, "id", None)
            if written == last:
                return ast.unparse(node)
    return None
