"""Mutations of a workflow's event: read from the syntax of `run`, and of the functions that get the event."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Sequence
from types import FunctionType
from typing import Any, NamedTuple

from durable_engine import Place
from pytest_workflows.sources.syntax import FunctionNode, own_nodes, source_file
from pytest_workflows.sources.worker_code import Sources

from .mutations import Variable, is_part_of, mutations, variable_of

_DEEPEST = 5


class EventMutation(NamedTuple):
    """A mutation of the event.

    Attributes:
        place: File and line.
        by_callback: Whether the callback makes the change, itself or through what it calls.
    """

    place: Place
    by_callback: bool


class _Function(NamedTuple):
    """A function as its source shows it.

    Attributes:
        node: Its syntax.
        file: The path of its file.
        module: The variables of its module.
        inner: The functions that lie in the function, or beside it in `run`, and can be called by their names.
    """

    node: FunctionNode
    file: str
    module: dict[str, Any]
    inner: tuple[FunctionNode, ...]


def find_mutation(
    sources: Sources, cls: type, run: FunctionType, callback: FunctionType | None
) -> EventMutation | None:
    """The first mutation of the event; in the callback rather than elsewhere, and in `run` rather than in its steps.

    Args:
        sources: The Worker's sources.
        cls: The workflow's class.
        run: The class's `run`.
        callback: The callback that ran when the event changed.
    """
    node = _read(run)
    if node is None or isinstance(node, ast.Lambda) or len(node.args.args) < 2:
        return None
    search = _Search(sources, cls)
    names = _names_in(node, [Variable(node.args.args[1].arg)])
    beside = tuple(_nested(node))
    if callback is not None:
        own = _read(callback)
        if own is not None:
            around = _Function(own, callback.__code__.co_filename, callback.__globals__, (*beside, *_nested(own)))
            seen = names if own in beside else [name for name in names if name.attribute is not None]
            place = search.first(around, [own, *_nested(own)], seen)
            if place is not None:
                return EventMutation(place, by_callback=True)
    around = _Function(node, run.__code__.co_filename, run.__globals__, beside)
    place = search.first(around, [node, *beside], names)
    return None if place is None else EventMutation(place, by_callback=False)


def end_of(run: FunctionType) -> Place | None:
    """The line with which `run` ends: its last `return`, or its last statement."""
    node = _read(run)
    if node is None or isinstance(node, ast.Lambda):
        return None
    returns = [part.lineno for part in own_nodes(node) if isinstance(part, ast.Return)]
    return run.__code__.co_filename, max(returns, default=node.body[-1].lineno)


class _Search:
    def __init__(self, sources: Sources, cls: type) -> None:
        self._sources = sources
        self._cls = cls

    def first(
        self, around: _Function, parts: Sequence[FunctionNode], names: Sequence[Variable], depth: int = 0
    ) -> Place | None:
        """The first change that one of these parts of a function makes, itself or through what it calls."""
        for part in parts:
            lines = [
                getattr(change, "lineno", part.lineno)
                for name in names
                for change in mutations(part, name, rebinding=False)
            ]
            if lines:
                return around.file, lines[0]
            for call in own_nodes(part):
                place = self._in_call(around, call, names, depth) if isinstance(call, ast.Call) else None
                if place is not None:
                    return place
        return None

    def _in_call(self, around: _Function, call: ast.Call, names: Sequence[Variable], depth: int) -> Place | None:
        called, skipped = self._called(around, call.func)
        if called is None or depth > _DEEPEST:
            return None
        given = _parameters_with(call, called.node, skipped, names)
        of_self = [name for name in names if name.attribute is not None and skipped]
        if not given and not of_self:
            return None
        inside = _names_in(called.node, [*given, *of_self])
        return self.first(called, [called.node, *_nested(called.node)], inside, depth + 1)

    def _called(self, around: _Function, func: ast.expr) -> tuple[_Function | None, int]:
        """The function of the Worker that is called, and how many of its parameters have no argument: `self`."""
        if isinstance(func, ast.Name):
            for node in around.inner:
                if getattr(node, "name", None) == func.id:
                    return around._replace(node=node), 0
        owner, value = self._value(around, func)
        bound = isinstance(value, classmethod) or (owner is self._cls and isinstance(value, FunctionType))
        function = getattr(value, "__func__", value)
        if not isinstance(function, FunctionType) or not self._sources.is_code(function.__code__):
            return None, 0
        found = _read(function)
        if found is None:
            return None, 0
        inner = tuple(_nested(found))
        return _Function(found, function.__code__.co_filename, function.__globals__, inner), int(bound)

    def _value(self, around: _Function, node: ast.expr) -> tuple[Any, Any]:
        """The value behind a name or an attribute (`self` is the workflow's class), preceded by its owner."""
        if isinstance(node, ast.Name):
            return None, self._cls if node.id == "self" else around.module.get(node.id)
        if not isinstance(node, ast.Attribute):
            return None, None
        _, owner = self._value(around, node.value)
        return owner, None if owner is None else inspect.getattr_static(owner, node.attr, None)


def _read(function: FunctionType) -> FunctionNode | None:
    file = source_file(function.__code__.co_filename)
    return None if file is None else file.function_of(function.__code__)


def _nested(function: FunctionNode) -> list[FunctionNode]:
    return [node for node in ast.walk(function) if isinstance(node, FunctionNode) and node is not function]


def _parameters_with(call: ast.Call, node: FunctionNode, skipped: int, names: Sequence[Variable]) -> list[Variable]:
    """The parameters that get the event or a part of it, unless the function gives them another value."""
    positional = [*node.args.posonlyargs, *node.args.args][skipped:]
    pairs = [(one.arg, value) for one, value in zip(positional, call.args, strict=False)]
    pairs += [(keyword.arg, keyword.value) for keyword in call.keywords if keyword.arg is not None]
    stored = {part.id for part in own_nodes(node) if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Store)}
    return [
        Variable(parameter)
        for parameter, value in pairs
        if parameter not in stored and any(is_part_of(value, name) for name in names)
    ]


def _names_in(function: FunctionNode, names: list[Variable]) -> list[Variable]:
    """Variables, and those of a function for parts of them: `order = event["payload"]["order"]`."""
    found = list(names)
    for node in ast.walk(function):
        value = getattr(node, "value", None)
        if not isinstance(node, ast.Assign | ast.AnnAssign | ast.NamedExpr) or not isinstance(value, ast.expr):
            continue
        if any(is_part_of(value, name) for name in found):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            found += [variable for variable in map(variable_of, targets) if variable is not None]
    return found
