"""Whether a Worker's code says itself what to do where a line of it fails."""

from __future__ import annotations

import ast
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
    source = source_file(file)
    node: ast.AST | None = None if source is None else source.statement_at(line)
    if source is None or node is None:
        return False
    for parent in source.parents(node):
        if isinstance(parent, FunctionNode):
            return False
        if isinstance(parent, ast.Try) and node in parent.body and any(map(_handles, parent.handlers)):
            return True
        if isinstance(parent, ast.With) and any("suppress" in ast.dump(item.context_expr) for item in parent.items):
            return True
        node = parent
    return False


def _handles(handler: ast.ExceptHandler) -> bool:
    return not any(isinstance(node, ast.Raise) and node.exc is None for node in ast.walk(handler))
