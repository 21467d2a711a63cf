"""Create calls: the options of each instance, the expressions of the ids, and whether a taken id is expected."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from types import FrameType
from typing import Any

from durable_engine import unwrap
from pytest_workflows.sources.syntax import (
    FunctionNode,
    SourceFile,
    assigned_to,
    call_in_progress,
    own_nodes,
    source_file,
)

CREATES = ("create", "create_batch", "createBatch")
_DEPTH = 6


def options_of(args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> list[Any]:
    """The options that a create call has for each instance; those of a batch of so many are one for all."""
    given = unwrap(args[0]) if args else kwargs
    if isinstance(given, Mapping) and "instances" in given:
        given = unwrap(given["instances"])
    return [unwrap(one) for one in given] if isinstance(given, list) else [given]


def id_expressions(source: SourceFile, frame: FrameType) -> Iterator[ast.expr]:
    """The expressions of the ids in the call that a frame is making; those that cannot be found are left out."""
    call = call_in_progress(frame)
    if call is None:
        return
    for keyword in call.keywords:
        if keyword.arg == "id":
            yield keyword.value
        elif keyword.arg is None:
            yield from _ids_in(source, keyword.value)
    for argument in call.args[:1]:
        yield from _ids_in(source, argument)


def _ids_in(source: SourceFile, node: ast.expr, depth: int = _DEPTH) -> Iterator[ast.expr]:
    if depth == 0:
        return
    if isinstance(node, ast.Dict):
        for key, value in zip(node.keys, node.values, strict=True):
            if isinstance(key, ast.Constant) and key.value == "id":
                yield value
            elif key is None or (isinstance(key, ast.Constant) and key.value == "instances"):
                yield from _ids_in(source, value, depth - 1)
    elif isinstance(node, ast.List):
        for item in node.elts:
            yield from _ids_in(source, item, depth - 1)
    elif isinstance(node, ast.ListComp):
        yield from _ids_in(source, node.elt, depth - 1)
    elif isinstance(node, ast.Call):  # dict(id=...), to_js({...})
        yield from (keyword.value for keyword in node.keywords if keyword.arg == "id")
        for argument in node.args[:1]:
            yield from _ids_in(source, argument, depth - 1)
    elif isinstance(node, ast.Name):
        assigned = assigned_to(source, node)
        if assigned is not None:
            yield from _ids_in(source, assigned, depth - 1)


def is_guarded(frame: FrameType) -> bool:
    """Whether a frame runs where an id that is taken is expected: in a `try`, or beside a `get` of the same binding."""
    source = source_file(frame.f_code.co_filename)
    if source is None:
        return False
    node = call_in_progress(frame) or source.statement_at(frame.f_lineno)
    if node is None:
        return False
    inside: ast.AST = node
    for parent in source.parents(node):
        if isinstance(parent, ast.Try) and parent.handlers and inside in parent.body:
            return True
        if isinstance(parent, ast.With | ast.AsyncWith) and any("suppress" in ast.unparse(one) for one in parent.items):
            return True
        if isinstance(parent, FunctionNode):
            return _gets_first(parent, node)
        inside = parent
    return False


def _gets_first(function: FunctionNode, call: ast.AST) -> bool:
    """Whether a function also gets an instance from the binding that it creates one on."""
    if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Attribute):
        return False
    binding = ast.dump(call.func.value)
    return any(
        isinstance(node, ast.Attribute) and node.attr == "get" and ast.dump(node.value) == binding
        for node in own_nodes(function)
    )
