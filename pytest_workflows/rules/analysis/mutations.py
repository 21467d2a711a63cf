"""Mutations: where a function changes a variable, an attribute of `self`, or a part of one, read from its syntax."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import NamedTuple

from pytest_workflows.sources.syntax import FunctionNode, own_nodes

_MUTATING = frozenset(
    {
        "__delitem__",
        "__setitem__",
        "add",
        "append",
        "appendleft",
        "clear",
        "difference_update",
        "discard",
        "extend",
        "extendleft",
        "insert",
        "intersection_update",
        "pop",
        "popitem",
        "popleft",
        "remove",
        "reverse",
        "rotate",
        "setdefault",
        "sort",
        "symmetric_difference_update",
        "update",
    }
)


class Variable(NamedTuple):
    """A variable, or an attribute of one.

    Attributes:
        name: The variable's name.
        attribute: `total` for `self.total`; None for the variable itself.
    """

    name: str
    attribute: str | None = None

    def __str__(self) -> str:
        return self.name if self.attribute is None else f"{self.name}.{self.attribute}"


def mutations(function: FunctionNode, variable: Variable, *, rebinding: bool = True) -> list[ast.AST]:
    """The nodes of a function, nested ones not entered, that assign to a variable or change what it holds.

    Args:
        function: The function.
        variable: The variable, which may be one of the functions around.
        rebinding: Whether to give it another value counts.
    """
    rebinds = rebinding and (variable.attribute is not None or _is_nonlocal(function, variable.name))
    return [
        node
        for node in own_nodes(function)
        if any(_is_changed(target, variable, rebinds) for target in _targets(node)) or _is_mutating_call(node, variable)
    ]


def changed_variables(node: ast.AST) -> Iterator[Variable]:
    """The variables and attributes of `self` that a node itself assigns to, or changes a part of."""
    changed = list(_targets(node))
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in _MUTATING:
        changed.append(node.func.value)
    for part in changed:
        root: ast.expr | None = part
        while root is not None and (variable := variable_of(root)) is None:
            root = _owner(root)
        if root is not None and variable is not None:
            yield variable


def variable_of(node: ast.expr) -> Variable | None:
    """The variable or the attribute of `self` that an expression is."""
    if isinstance(node, ast.Name):
        return Variable(node.id)
    is_own = isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "self"
    return Variable("self", node.attr) if is_own else None  # type: ignore[attr-defined]  # an attribute


def _is_nonlocal(function: FunctionNode, name: str) -> bool:
    return any(isinstance(node, ast.Nonlocal) and name in node.names for node in own_nodes(function))


def _targets(node: ast.AST) -> Iterator[ast.expr]:
    if isinstance(node, ast.Assign | ast.Delete):
        for target in node.targets:
            yield from _flat(target)
    elif isinstance(node, ast.AugAssign | ast.AnnAssign | ast.NamedExpr | ast.For | ast.AsyncFor):
        if not (isinstance(node, ast.AnnAssign) and node.value is None):
            yield from _flat(node.target)
    elif isinstance(node, ast.withitem) and node.optional_vars is not None:
        yield from _flat(node.optional_vars)


def _flat(target: ast.expr) -> Iterator[ast.expr]:
    if isinstance(target, ast.Tuple | ast.List):
        for element in target.elts:
            yield from _flat(element)
    elif isinstance(target, ast.Starred):
        yield from _flat(target.value)
    else:
        yield target


def _is_changed(target: ast.expr, variable: Variable, rebinds: bool) -> bool:
    if is_variable(target, variable):
        return rebinds
    return isinstance(target, ast.Subscript | ast.Attribute) and is_part_of(target.value, variable)


def _is_mutating_call(node: ast.AST, variable: Variable) -> bool:
    return (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in _MUTATING
        and is_part_of(node.func.value, variable)
    )


def is_variable(node: ast.AST, variable: Variable) -> bool:
    """Whether an expression is the variable itself."""
    if variable.attribute is None:
        return isinstance(node, ast.Name) and node.id == variable.name
    return (
        isinstance(node, ast.Attribute)
        and node.attr == variable.attribute
        and isinstance(node.value, ast.Name)
        and node.value.id == variable.name
    )


def is_part_of(node: ast.AST, variable: Variable) -> bool:
    """Whether an expression is the variable or a part of it: `v`, `v["a"]`, `v.a[0]`."""
    found: ast.AST | None = node
    while found is not None and not is_variable(found, variable):
        found = _owner(found)
    return found is not None


def _owner(node: ast.AST) -> ast.expr | None:
    """The expression that a part is taken from: `v` of `v["a"]`, `v.a` and `v.get("a")`."""
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in ("get", "setdefault"):
        return node.func.value
    return node.value if isinstance(node, ast.Subscript | ast.Attribute) else None
