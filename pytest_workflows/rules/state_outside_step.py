"""state-outside-step: a callback changes a variable of the code around it, or an attribute of `self`."""

from __future__ import annotations

import ast
import functools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from types import CellType, FunctionType
from typing import Any, NamedTuple

from durable_engine import Ask, CallbackRun, Engine, Instance, Place, StepKey
from pytest_workflows.sources.syntax import FunctionNode, SourceFile, source_file
from pytest_workflows.sources.worker_code import Sources
from pytest_workflows.workers.entrypoints import WorkflowEntrypoint

from .analysis.mutations import Variable, is_variable, mutations
from .analysis.value_snapshot import Snapshot, containers_in
from .base import RuleObserver, code_of
from .registry import register

_EMPTY = object()
_NEW = "*"
"""The name that stands for the attributes which an entrypoint does not have yet."""
_NOT_STATE = frozenset({"env", "ctx", _NEW})


@dataclass(frozen=True, slots=True)
class _Reachable:
    """A variable that a callback can reach.

    Attributes:
        variable: The variable, by its name where it is reached.
        function: The function that reaches it: the callback, or one that it can call.
        before: The snapshot of its value.
        holder: The cell, or the entrypoint whose attribute it is.
    """

    variable: Variable
    function: FunctionType
    before: Snapshot
    holder: CellType | WorkflowEntrypoint

    def now(self) -> object:
        """The value that the variable has now."""
        if isinstance(self.holder, CellType):
            return _content(self.holder)
        return vars(self.holder).get(self.variable.attribute or _NEW, _EMPTY)


class _Change(NamedTuple):
    """A change as the source has it.

    Attributes:
        place: File and line.
        node: The statement or call.
        function: The function in which the change stands.
        file: The syntax of its file.
    """

    place: Place
    node: ast.AST
    function: FunctionNode
    file: SourceFile


@register(
    "state-outside-step",
    consequence="after a restart the completed step is not run again, and the change is gone",
    remedy="return the value from the step, and take it from the step's result",
)
class StateOutsideStep(RuleObserver):
    """An observer that compares what a callback can reach before and after it."""

    def __init__(self, engine: Engine, sources: Sources) -> None:
        super().__init__(engine, sources)
        self._before: dict[Instance, dict[CallbackRun, list[_Reachable]]] = {}
        self._shared: set[CallbackRun] = set()
        self._branches: dict[Instance, dict[StepKey, int]] = {}
        self._foreign: dict[Instance, list[Any]] = {}
        self._events: dict[Instance, Any] = {}

    def execution_started(self, instance: Instance, event: Any) -> None:
        """Keep what `run` may have names for that is not its own: what the test gave, and the event."""
        self._events[instance] = event  # changing it is another rule's matter
        self._foreign[instance] = list(containers_in(*self._sources.given.values()))

    def execution_ended(self, instance: Instance) -> None:
        """Forget the execution."""
        self._events.pop(instance, None)
        self._foreign.pop(instance, None)
        self._branches.pop(instance, None)
        self._before.pop(instance, None)

    def step_asked(self, instance: Instance, ask: Ask) -> None:
        """Keep whether `run` itself waits for the step."""
        self._branches.setdefault(instance, {})[ask.key] = ask.branch

    def callback_started(self, instance: Instance, run: CallbackRun) -> None:
        """Take a snapshot of what the callback can reach."""
        if not self.is_workers(run):
            return
        under_way = self._before.setdefault(instance, {})
        for other in under_way:
            self._shared.update((other, run))
        under_way[run] = list(self._reachable(instance, run.function))

    def callback_ended(self, instance: Instance, run: CallbackRun) -> None:
        """Compare what the callback can reach with the snapshot."""
        watched = self._before.get(instance, {}).pop(run, [])
        alone = run not in self._shared and self._is_alone(instance, run)
        self._shared.discard(run)
        for entry in [*watched, *_new_attributes(watched)]:
            changed = entry.before.changes(entry.now())
            if changed:
                self._judge(instance, run, entry, changed, alone=alone)

    def _is_alone(self, instance: Instance, run: CallbackRun) -> bool:
        """Whether nothing else of the instance could run meanwhile: `run` awaits the step, or it is a plain `def`."""
        code = code_of(run.function)
        if not run.is_async and code is not None and code.co_name != "<lambda>":
            return True
        return self._branches.get(instance, {}).get(run.key) == 0

    # -- what a callback can reach -----------------------------------------------------------------------------------

    def _reachable(self, instance: Instance, callback: Any) -> Iterator[_Reachable]:
        while isinstance(callback, functools.partial):
            callback = callback.func
        owner = getattr(callback, "__self__", None)
        function = getattr(callback, "__func__", callback)
        if isinstance(function, FunctionType):
            if isinstance(owner, WorkflowEntrypoint):
                yield from self._attributes(owner, _self_name(function), function)
            yield from self._cells(function, set(self._sources.outer_cells), self._events.get(instance))

    def _cells(self, function: FunctionType, seen: set[int], event: Any) -> Iterator[_Reachable]:
        for name, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=True):
            if id(cell) in seen:
                continue
            seen.add(id(cell))
            value = _content(cell)
            if isinstance(value, FunctionType):
                if self._sources.is_code(value.__code__):
                    yield from self._cells(value, seen, event)
            elif isinstance(value, WorkflowEntrypoint):
                yield from self._attributes(value, name, function)
            if value is not event:
                yield _Reachable(Variable(name), function, Snapshot(value), cell)

    def _attributes(self, entrypoint: WorkflowEntrypoint, name: str, function: FunctionType) -> Iterator[_Reachable]:
        for attribute, value in list(vars(entrypoint).items()):
            if attribute not in _NOT_STATE:
                yield _Reachable(Variable(name, attribute), function, Snapshot(value), entrypoint)
        yield _Reachable(Variable(name, _NEW), function, Snapshot(_EMPTY), entrypoint)

    # -- what a change means -----------------------------------------------------------------------------------------

    def _judge(
        self, instance: Instance, run: CallbackRun, entry: _Reachable, changed: list[Any], *, alone: bool
    ) -> None:
        rebound = changed == [None]
        found = self._find(run, entry, alone=alone)
        if not rebound and self._is_foreign(instance, entry, changed, certain=found is not None):
            return
        if found is None and (not alone or (rebound and entry.variable.attribute is not None)):
            return
        if found is not None and _is_memo(found, entry.variable):
            return
        verb = "assigned to" if rebound else "changed"
        message = f"step {run.key.label!r} {verb} `{entry.variable}`, a variable outside of it"
        place = run.place if found is None else found.place
        self.report(message, place, instance.workflow, step=run.key.label, about=str(entry.variable))

    def _is_foreign(self, instance: Instance, entry: _Reachable, changed: list[Any], *, certain: bool) -> bool:
        """Whether what changed is the event's, the test's or a module's, which `run` has only a name for.

        Args:
            instance: The instance.
            entry: Where the containers were reached.
            changed: The containers that changed.
            certain: Whether the source shows the change. Otherwise a fake that was given the container may have made
                it, and has it by now.
        """
        others = [*self._foreign.get(instance, ()), *containers_in(self._events.get(instance))]
        others += containers_in(*entry.function.__globals__.values())
        if not certain:
            others += containers_in(*self._sources.given.values())
        foreign = {id(container) for container in others}
        return all(id(container) in foreign for container in changed)

    def _find(self, run: CallbackRun, entry: _Reachable, *, alone: bool) -> _Change | None:
        """The change in the source: in the callback, or in a function that it can call, if no other code ran."""
        code = code_of(run.function)
        if code is None:
            return None
        own = _found_in(code, entry.variable)
        if own is not None or not alone:
            return own
        if entry.function.__code__ is not code:
            return _found_in(entry.function.__code__, entry.variable)
        if isinstance(entry.holder, CellType):
            return None
        for method in self._sources.functions_of(type(entry.holder)):
            found = _found_in(method.__code__, Variable(_self_name(method), entry.variable.attribute))
            if found is not None and method.__name__ not in ("run", "__init__"):
                return found
        return None


def _new_attributes(watched: Sequence[_Reachable]) -> Iterator[_Reachable]:
    """The attributes that an entrypoint did not have before."""
    known = {entry.variable for entry in watched}
    for entry in watched:
        if entry.variable.attribute == _NEW:
            for attribute in vars(entry.holder):
                variable = Variable(entry.variable.name, attribute)
                if attribute not in _NOT_STATE and variable not in known:
                    yield replace(entry, variable=variable)


def _content(cell: CellType) -> object:
    try:
        return cell.cell_contents
    except ValueError:
        return _EMPTY


def _self_name(function: FunctionType) -> str:
    names = function.__code__.co_varnames
    return names[0] if names else "self"


def _found_in(code: Any, variable: Variable) -> _Change | None:
    file = source_file(code.co_filename)
    function = None if file is None else file.function_of(code)
    if file is None or function is None:
        return None
    for inner in [function, *_inner_functions(function)]:
        nodes = mutations(inner, variable)
        if nodes:
            line = getattr(nodes[0], "lineno", code.co_firstlineno)
            return _Change((code.co_filename, line), nodes[0], inner, file)
    return None


def _inner_functions(function: FunctionNode) -> Iterator[FunctionNode]:
    """Functions in a function that are not steps of their own."""
    for node in ast.walk(function):
        if node is not function and isinstance(node, FunctionNode) and not getattr(node, "decorator_list", []):
            yield node


def _is_memo(found: _Change, variable: Variable) -> bool:
    """Whether a value is only kept for the next time: made where it is missing, and read nowhere else."""
    guards = [node for node in found.file.parents(found.node) if isinstance(node, ast.If | ast.IfExp)]
    before = [node for node in ast.walk(found.function) if isinstance(node, ast.If) and _returns(node)]
    if not any(_mentions(guard.test, variable) for guard in [*guards, *before]):
        return False
    inside = set(ast.walk(found.function))
    around = _scope_of(found, variable)
    return not any(
        is_variable(node, variable) and isinstance(getattr(node, "ctx", None), ast.Load)
        for node in ast.walk(around)
        if node not in inside
    )


def _returns(node: ast.If) -> bool:
    return any(isinstance(statement, ast.Return) for statement in node.body)


def _mentions(test: ast.expr, variable: Variable) -> bool:
    if any(is_variable(node, variable) for node in ast.walk(test)):
        return True
    return variable.attribute is not None and any(
        isinstance(node, ast.Constant) and node.value == variable.attribute for node in ast.walk(test)
    )


def _scope_of(found: _Change, variable: Variable) -> ast.AST:
    """The class for an attribute, the outermost function for a variable."""
    kind: type[Any] | tuple[type[Any], ...]
    kind = ast.ClassDef if variable.attribute is not None else (ast.FunctionDef, ast.AsyncFunctionDef)
    parents = [node for node in found.file.parents(found.node) if isinstance(node, kind)]
    if not parents:
        return found.file.tree
    return parents[0] if variable.attribute is not None else parents[-1]
