"""changed-event: `run` or a step changes the event it was given."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Any

from durable_engine import Ask, CallbackRun, Engine, Instance, Place, StepKey

from .base import RuleObserver, code_of
from .mutations import Variable, hangs_on, mutations
from .picture import changed_since, take_picture
from .source import Sources
from .syntax import FunctionNode, SourceFile, source_file


class ChangedEvent(RuleObserver):
    """Compares the event around each callback, at each step that `run` asks for, and at the end."""

    rule = "changed-event"

    def __init__(self, engine: Engine, sources: Sources) -> None:
        super().__init__(engine, sources)
        self._events: dict[Instance, tuple[Any, Any]] = {}

    def life_started(self, instance: Instance, event: Any) -> None:
        """Take a picture of it."""
        self._events[instance] = (event, take_picture(event))

    def life_ended(self, instance: Instance) -> None:
        """Compare for the last time."""
        self._compare(instance, None)
        self._events.pop(instance, None)

    def step_asked(self, instance: Instance, ask: Ask) -> None:
        """What has changed since the last look, `run` has changed."""
        self._compare(instance, None)

    def callback_started(self, instance: Instance, run: CallbackRun) -> None:
        """The same."""
        self._compare(instance, None)

    def callback_ended(self, instance: Instance, run: CallbackRun) -> None:
        """What has changed now, the callback has changed, unless the source shows it elsewhere."""
        self._compare(instance, run)

    def _compare(self, instance: Instance, run: CallbackRun | None) -> None:
        event, picture = self._events.get(instance, (None, None))
        if not changed_since(picture, event):
            return
        self._events[instance] = (event, take_picture(event))
        cls = self._sources.workflows.get(instance.workflow.name)
        method = None if cls is None else getattr(cls, "run", None)
        code = code_of(method)
        if code is None or not self._sources.is_code(code):
            return
        own = None if run is None else code_of(run.function)
        place = _find(code, own)
        if place is None:
            place = (code.co_filename, code.co_firstlineno) if run is None else run.place
        who, step = _who(run, place, own)
        self.report(f"{who} changed the event", place, instance, step=None if step is None else step.label)


def _who(run: CallbackRun | None, place: Place, code: Any) -> tuple[str, StepKey | None]:
    if run is None or code is None:
        return "`run`", None
    file = source_file(code.co_filename)
    function = None if file is None else file.function_of(code)
    last = code.co_firstlineno if function is None else function.end_lineno or function.lineno
    inside = place == run.place or (place[0] == code.co_filename and code.co_firstlineno <= place[1] <= last)
    return (f"step {run.key.label!r}", run.key) if inside else ("`run`", None)


def _find(code: Any, own: Any) -> Place | None:
    """Where the source of `run` changes the event; in the callback rather than elsewhere."""
    file = source_file(code.co_filename)
    run = None if file is None else file.function_of(code)
    if file is None or run is None or isinstance(run, ast.Lambda) or len(run.args.args) < 2:
        return None
    names = _names_of(run, run.args.args[1].arg)
    callback = None if own is None or own.co_filename != code.co_filename else file.function_of(own)
    found = [node for function in _functions(file, run, callback) for node in _changes(function, names)]
    return (code.co_filename, found[0]) if found else None


def _functions(file: SourceFile, run: FunctionNode, callback: FunctionNode | None) -> Iterator[FunctionNode]:
    if callback is not None:
        yield callback
    nested = [node for node in ast.walk(run) if isinstance(node, FunctionNode) and node not in (run, callback)]
    # The callback was looked at first; without one, `run` itself comes before its steps.
    yield run
    yield from nested


def _changes(function: FunctionNode, names: list[str]) -> Iterator[int]:
    for name in names:
        for node in mutations(function, Variable(name)):
            yield getattr(node, "lineno", function.lineno)


def _names_of(run: FunctionNode, event: str) -> list[str]:
    """The names in `run` for the event and for parts of it: `order = event["payload"]["order"]`."""
    names = [event]
    for node in ast.walk(run):
        value = getattr(node, "value", None)
        if not isinstance(node, ast.Assign | ast.AnnAssign | ast.NamedExpr) or not isinstance(value, ast.expr):
            continue
        if any(hangs_on(value, Variable(name)) for name in names):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            names += [target.id for target in targets if isinstance(target, ast.Name)]
    return names
