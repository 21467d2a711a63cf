"""What stands around a line of a Worker's code, and whether that says what to do where the line fails."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from types import FrameType

from .syntax import FunctionNode, call_in_progress, name_of, source_file


def is_prepared(frame: FrameType) -> bool:
    """Whether the code of a frame asks whether there is what it names, or handles it where there is not.

    Args:
        frame: A frame of a Worker's code, at the line.
    """
    call = call_in_progress(frame)
    asked = "" if call is None else name_of(call.func)
    if call is not None and (asked == "hasattr" or (asked == "getattr" and len(call.args) == 3)):
        return True
    return is_handled(frame.f_code.co_filename, frame.f_lineno)


def is_handled(file: str, line: int) -> bool:
    """Whether a line stands in a `try` with an `except`, or in a `with suppress(...)`, of the same function.

    An `except` that raises again what it caught handles nothing.

    Args:
        file: The source's file.
        line: The line in it.
    """
    return any(_is_handled_by(*each) for each in statements_around(file, line))


def statements_around(file: str, line: int) -> Iterator[tuple[ast.AST, ast.AST]]:
    """The statements around the one at a line, each with what lies in it, out to the function.

    Args:
        file: The source's file.
        line: The line in it.
    """
    source = source_file(file)
    node: ast.AST | None = None if source is None else source.statement_at(line)
    if source is None or node is None:
        return
    for parent in source.parents(node):
        if isinstance(parent, FunctionNode):
            return
        yield parent, node
        node = parent


def _is_handled_by(statement: ast.AST, inner: ast.AST) -> bool:
    if isinstance(statement, ast.Try):
        return inner in statement.body and any(map(_handles, statement.handlers))
    return isinstance(statement, ast.With) and any("suppress" in ast.dump(one.context_expr) for one in statement.items)


def _handles(handler: ast.ExceptHandler) -> bool:
    return not any(isinstance(node, ast.Raise) and node.exc is None for node in ast.walk(handler))
