"""Dataflow from an `except` block: whether a variable that it changes reaches a later step, read from the syntax.

A variable is tainted that the block changes, or that is computed from a tainted one.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Sequence

from pytest_workflows.sources.syntax import FunctionNode, SourceFile, local_names, own_nodes, own_nodes_of

from .mutations import Variable, changed_variables, is_variable

_Variables = frozenset[Variable]
_AWAITS = ast.Await | ast.AsyncFor | ast.AsyncWith
_BRANCHES = ast.If | ast.While | ast.For | ast.Match
_ASSIGNMENTS = ast.Assign | ast.AnnAssign | ast.AugAssign | ast.NamedExpr


def reaches_a_step(file: SourceFile, block: ast.Try | ast.TryStar, handler: ast.ExceptHandler) -> bool:
    """Whether a variable that a handler changes is read behind the block: in an awaited step, or to decide on one.

    Args:
        file: The source.
        block: The `try`.
        handler: One of its `except` blocks.
    """
    tainted = _changed_in(handler.body)
    parts: list[ast.stmt | ast.ExceptHandler] = [*block.body, *block.handlers, *block.orelse]
    behind = max(part.end_lineno or part.lineno for part in parts)
    scopes = [node for node in file.parents(block) if isinstance(node, FunctionNode)]
    for scope in scopes:
        if _Reader(file, scope).reads(tainted, behind):
            return True
        hidden = local_names(scope)
        tainted = frozenset(one for one in tainted if one.attribute is not None or one.name not in hidden)
    others = (method for scope in scopes for method in _methods(file, scope) if method not in scopes)
    return any(_Reader(file, method).reads(tainted, 0) for method in others)


def has_await(body: Sequence[ast.stmt]) -> bool:
    """Whether statements wait for something."""
    return any(isinstance(node, _AWAITS) for statement in body for node in own_nodes_of(statement))


class _Reader:
    """The reads of tainted variables in one function.

    Args:
        file: The source.
        scope: The function.
    """

    def __init__(self, file: SourceFile, scope: FunctionNode) -> None:
        self._scope = scope
        self._nested = [node for node in ast.walk(scope) if isinstance(node, FunctionNode) and node is not scope]
        self._methods = list(_methods(file, scope))

    def reads(self, tainted: _Variables, behind: int) -> bool:
        """Whether a step behind a line depends on a tainted variable."""
        for node in own_nodes(self._scope):
            if not tainted:
                return False
            if getattr(node, "lineno", 0) <= behind:
                if isinstance(node, _ASSIGNMENTS) and self._is_in_function_of(node, tainted):
                    tainted |= _changed_in([node])
            elif isinstance(node, _AWAITS) and self._is_in(node, tainted):
                return True
            elif isinstance(node, _BRANCHES) and self._is_in(_condition(node), tainted):
                body = [part for part in ast.iter_child_nodes(node) if isinstance(part, ast.stmt | ast.match_case)]
                if has_await(body):  # type: ignore[arg-type]  # a case holds statements
                    return True
                tainted |= _changed_in(body)
            elif isinstance(node, _ASSIGNMENTS | ast.Call) and self._is_in(node, tainted):
                tainted |= _changed_in([node])
        return False

    def _is_in(self, node: ast.AST, tainted: _Variables, seen: tuple[ast.AST, ...] = ()) -> bool:
        """Whether an expression, or a function that it names, reads a tainted variable."""
        reads = any(is_variable(part, variable) for part in _loads(node) for variable in tainted)
        return reads or self._is_in_function_of(node, tainted, seen)

    def _is_in_function_of(self, node: ast.AST, tainted: _Variables, seen: tuple[ast.AST, ...] = ()) -> bool:
        return any(
            self._is_in(function, left, (*seen, function))
            for function, left in self._functions(node, tainted)
            if left and function not in seen
        )

    def _functions(self, node: ast.AST, tainted: _Variables) -> Iterator[tuple[FunctionNode, _Variables]]:
        """The functions in an expression, those that it names, and which of the tainted variables they can see."""
        for part in ast.walk(node):
            if isinstance(part, ast.Lambda):
                yield part, tainted
            elif isinstance(part, ast.Name):
                for function in self._nested:
                    if getattr(function, "name", None) == part.id:
                        hidden = local_names(function)
                        yield function, frozenset(one for one in tainted if one.name not in hidden)
            elif isinstance(part, ast.Attribute) and isinstance(part.value, ast.Name) and part.value.id == "self":
                for method in self._methods:
                    if getattr(method, "name", None) == part.attr:
                        yield method, frozenset(one for one in tainted if one.attribute is not None)


def _loads(node: ast.AST) -> Iterator[ast.AST]:
    return (part for part in ast.walk(node) if isinstance(getattr(part, "ctx", None), ast.Load))


def _condition(node: ast.AST) -> ast.expr:
    if isinstance(node, ast.For):
        return node.iter
    return node.subject if isinstance(node, ast.Match) else node.test  # type: ignore[attr-defined]  # If, While


def _changed_in(body: Iterable[ast.AST]) -> _Variables:
    return frozenset(one for node in body for part in own_nodes_of(node) for one in changed_variables(part))


def _methods(file: SourceFile, scope: FunctionNode) -> Iterator[FunctionNode]:
    """The methods of the class around a function."""
    around = next((node for node in file.parents(scope) if isinstance(node, ast.ClassDef)), None)
    return (node for node in ([] if around is None else around.body) if isinstance(node, FunctionNode))
