"""Exception handlers: what catches an exception around a statement, read from its syntax."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from pytest_workflows.sources.syntax import SourceFile, name_of, own_nodes_of

BROAD = frozenset({"Exception", "BaseException"})

Block = ast.Try | ast.TryStar | ast.With | ast.AsyncWith
Catcher = ast.ExceptHandler | ast.With | ast.AsyncWith


def blocks_around(file: SourceFile | None, statement: ast.stmt | None) -> Iterator[tuple[Block, ast.stmt]]:
    """The `try` and `with` blocks around a statement in its function, each with the block's statement that holds it."""
    if file is None or statement is None:
        return
    inside = statement
    for parent in file.parents(statement):
        if isinstance(parent, ast.FunctionDef | ast.AsyncFunctionDef):
            return
        if isinstance(parent, Block) and inside in parent.body:
            yield parent, inside
        if isinstance(parent, ast.stmt):
            inside = parent


def catcher_in(block: Block, names: frozenset[str], *, suppressed: frozenset[str] = BROAD) -> Catcher | None:
    """The handler of a block that catches an exception whose classes have these names, or None.

    Args:
        block: The block.
        names: The names of the exception's classes.
        suppressed: The names that count in a `with suppress(...)`.
    """
    if isinstance(block, ast.With | ast.AsyncWith):
        return block if _suppresses(block, suppressed) else None
    for handler in block.handlers:
        caught = _caught_names(handler)
        if not caught or not names.isdisjoint(caught) or not BROAD.isdisjoint(caught):
            return handler
    return None


def is_broad(catcher: Catcher) -> bool:
    """Whether a handler catches every exception."""
    if not isinstance(catcher, ast.ExceptHandler):
        return True
    caught = _caught_names(catcher)
    return not caught or not BROAD.isdisjoint(caught)


def reraises(catcher: Catcher) -> bool:
    """Whether a handler raises again, always or now and then."""
    return isinstance(catcher, ast.ExceptHandler) and any(
        isinstance(node, ast.Raise) for statement in catcher.body for node in own_nodes_of(statement)
    )


def _suppresses(block: ast.With | ast.AsyncWith, names: frozenset[str]) -> bool:
    for item in block.items:
        call = item.context_expr
        if isinstance(call, ast.Call) and name_of(call.func) == "suppress":
            return any(name_of(argument) in names for argument in call.args)
    return False


def _caught_names(handler: ast.ExceptHandler) -> list[str]:
    if handler.type is None:
        return []
    kinds = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    return [name_of(kind) for kind in kinds]
