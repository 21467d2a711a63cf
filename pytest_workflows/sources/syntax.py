"""The syntax trees of users' sources, parsed when a rule first needs them."""

from __future__ import annotations

import ast
import os
from collections.abc import Iterator
from functools import cached_property, lru_cache
from itertools import islice
from types import CodeType, FrameType

FunctionNode = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda


class SourceFile:
    """A parsed file.

    Args:
        tree: Its syntax tree.
    """

    def __init__(self, tree: ast.Module) -> None:
        self.tree = tree

    @cached_property
    def _parents(self) -> dict[ast.AST, ast.AST]:
        return {child: parent for parent in ast.walk(self.tree) for child in ast.iter_child_nodes(parent)}

    @cached_property
    def calls(self) -> list[ast.Call]:
        """Every call of it."""
        return [node for node in ast.walk(self.tree) if isinstance(node, ast.Call)]

    def parents(self, node: ast.AST) -> Iterator[ast.AST]:
        """The nodes around this one, from the inside out."""
        while (parent := self._parents.get(node)) is not None:
            yield parent
            node = parent

    def function_around(self, node: ast.AST) -> FunctionNode | None:
        """The function that a node lies in."""
        return next((parent for parent in self.parents(node) if isinstance(parent, FunctionNode)), None)

    def function_of(self, code: CodeType) -> FunctionNode | None:
        """The function that was compiled to this code; None if two begin on its line."""
        found = [
            node
            for node in ast.walk(self.tree)
            if isinstance(node, FunctionNode)
            and _first_line(node) == code.co_firstlineno
            and _name(node) == code.co_name
        ]
        return found[0] if len(found) == 1 else None

    def statement_at(self, line: int) -> ast.stmt | None:
        """The innermost statement that covers a line."""
        covering = [
            node
            for node in ast.walk(self.tree)
            if isinstance(node, ast.stmt) and _first_line(node) <= line <= (node.end_lineno or node.lineno)
        ]
        return max(covering, key=lambda node: (_first_line(node), -(node.end_lineno or 0)), default=None)


def own_nodes(function: FunctionNode) -> Iterator[ast.AST]:
    """A function's own nodes, in the source's order: nested functions and classes are listed, not entered."""
    for node in [function.body] if isinstance(function, ast.Lambda) else function.body:
        yield from own_nodes_of(node)


def own_nodes_of(node: ast.AST) -> Iterator[ast.AST]:
    """A node and all that lies in it, nested functions and classes not entered."""
    yield node
    if not isinstance(node, FunctionNode | ast.ClassDef):
        for child in ast.iter_child_nodes(node):
            yield from own_nodes_of(child)


def name_of(node: ast.AST) -> str:
    """`c` of `c` and of `a.b.c`; nothing of other expressions."""
    return node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", "")


def call_in_progress(frame: FrameType) -> ast.Call | None:
    """The call that a frame waits for; None where its source does not show it, or it waits for no call."""
    source = source_file(frame.f_code.co_filename)
    _, end, _, column = next(islice(frame.f_code.co_positions(), frame.f_lasti // 2, None), (None,) * 4)
    if source is None or end is None:
        return None
    # No two calls end at one place. Where they begin differs between the versions of Python.
    return next((call for call in source.calls if (call.end_lineno, call.end_col_offset) == (end, column)), None)


def _first_line(node: ast.stmt | ast.expr) -> int:
    decorators: list[ast.expr] = getattr(node, "decorator_list", [])
    return min(line.lineno for line in (node, *decorators))


def _name(node: FunctionNode) -> str:
    return "<lambda>" if isinstance(node, ast.Lambda) else node.name


def source_file(file: str) -> SourceFile | None:
    """A user's source; None if it cannot be read."""
    try:
        state = os.stat(file)
        return _parse(file, state.st_mtime_ns, state.st_size)
    except (OSError, SyntaxError, ValueError):
        return None


@lru_cache(maxsize=64)
def _parse(file: str, _changed: int, _size: int) -> SourceFile:
    with open(file, "rb") as opened:
        return SourceFile(ast.parse(opened.read(), file))


def assigned_to(source: SourceFile, name: ast.Name) -> ast.expr | None:
    """The expression assigned to a variable, if there is only one, in the functions around it or at the top level."""
    scopes: list[ast.AST] = [node for node in source.parents(name) if isinstance(node, FunctionNode)]
    for scope in [*scopes, source.tree]:
        nodes = own_nodes(scope) if isinstance(scope, FunctionNode) else iter(source.tree.body)
        found = [value for node in nodes for value in _values_for(name.id, node)]
        if found or (isinstance(scope, FunctionNode) and name.id in _parameters(scope)):
            return found[0] if len(found) == 1 else None
    return None


def _values_for(name: str, node: ast.AST) -> Iterator[ast.expr | None]:
    """The expressions that a statement assigns to a variable; None where not known, as in a loop or an unpacking."""
    if isinstance(node, ast.Assign):
        for target in node.targets:
            if isinstance(target, ast.Name) and target.id == name:
                yield node.value
            elif _names(target, name):
                yield None
    elif isinstance(node, ast.AnnAssign | ast.NamedExpr) and isinstance(node.target, ast.Name):
        if node.target.id == name:
            yield node.value
    elif isinstance(node, ast.AugAssign | ast.For | ast.AsyncFor | ast.comprehension) and _names(node.target, name):
        yield None


def _names(target: ast.expr, name: str) -> bool:
    return any(isinstance(part, ast.Name) and part.id == name for part in ast.walk(target))


def local_names(function: FunctionNode) -> set[str]:
    """The variables of a function's own."""
    nodes = list(own_nodes(function))
    shared = {name for node in nodes if isinstance(node, ast.Nonlocal | ast.Global) for name in node.names}
    stored = {node.id for node in nodes if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
    return (stored | _parameters(function)) - shared


def _parameters(function: FunctionNode) -> set[str]:
    given = function.args
    named = [*given.posonlyargs, *given.args, *given.kwonlyargs, given.vararg, given.kwarg]
    return {one.arg for one in named if one is not None}
