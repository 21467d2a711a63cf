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
from pytest_workflows.introspection import freeze
from pytest_workflows.sources.code_owner import is_ours
from pytest_workflows.sources.syntax import call_in_progress, name_of
from pytest_workflows.sources.worker_code import Sources
from pytest_workflows.standins.entropy import __file__ as _entropy

from .analysis import nondeterminism
from .analysis.clock_reads import describe_read, find_reader
from .base import RuleObserver
from .registry import register

_MODULES = {module.__file__: module.__name__ for module in (random, secrets, uuid)}
_NOTIFIERS = frozenset({nondeterminism.__file__, _entropy, freeze.__file__})


@register(
    "random-outside-step",
    consequence="every replay of `run` gets another value",
    remedy="take it inside a step and return it: the stored value holds for every replay",
)
class RandomOutsideStep(RuleObserver):
    """An observer of the sources of random values and of the time, which finds out who reads them."""

    def __init__(self, engine: Engine, sources: Sources) -> None:
        super().__init__(engine, sources)
        self._known: set[type] = set()
        nondeterminism.observe(engine, self._on_read)

    def close(self) -> None:
        """Put the originals back."""
        nondeterminism.end(self._engine)

    def execution_started(self, instance: Instance, event: Any) -> None:
        """Observe also the functions that the Worker has imported by their names."""
        cls = self._sources.workflows.get(instance.workflow.name)
        if cls is not None and cls not in self._known:
            self._known.add(cls)
            nondeterminism.observe_modules_of(self._sources.functions_of(cls), self._sources.is_file)

    def _on_read(self, instance: Instance, is_time: bool) -> None:
        frame, name = _asker(_reader(sys._getframe(1)) if is_time else sys._getframe(1))
        if not name:  # the clock's functions are C, and have no frame with a name
            frame = find_reader(frame)
        if frame is None or not self._sources.is_code(frame.f_code):
            return
        place = (frame.f_code.co_filename, frame.f_lineno)
        if name:
            shown = _as_written(frame, name)
            what = f"`{shown}` is called"
        else:
            shown, what = describe_read(frame)
        self.report(f"{what} in `run`, outside of its steps", place, instance.workflow, about=shown)


def _reader(frame: FrameType | None) -> FrameType | None:
    """The frame that called the clock's C function."""
    while frame is not None and frame.f_code.co_filename in _NOTIFIERS:
        frame = frame.f_back
    return frame


def _asker(frame: FrameType | None) -> tuple[FrameType | None, str]:
    """The frame that asked for a value, and the name of what gave the value: `uuid.uuid4`."""
    name = ""
    while frame is not None:
        asked = _name_in(frame)
        if asked is None:
            break
        name = asked
        frame = frame.f_back
    return frame, name


def _name_in(frame: FrameType) -> str | None:
    """The name of a frame that gives a value: `uuid.uuid4`; None for code that asked for the value."""
    file, code = frame.f_code.co_filename, frame.f_code
    if file in _MODULES:
        shown = code.co_qualname.split(".")[-2] if code.co_name == "__init__" else code.co_name
        return f"{_MODULES[file]}.{shown}"
    if not is_ours(file):
        return None
    if code.co_name == "__call__":  # a function of JavaScript, such as `js.Date.now`
        return str(getattr(frame.f_locals.get("self"), "name", code.co_name))
    return code.co_name.removeprefix("_")


def _as_written(frame: FrameType, name: str) -> str:
    """The call as the source has it; the function's real name where the source gives it another one."""
    call = call_in_progress(frame)
    return name if call is None or name_of(call.func) != name.rpartition(".")[2] else ast.unparse(call)
