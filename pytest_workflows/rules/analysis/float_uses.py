"""Uses of a float that distinguish it from the int that it is equal to: its text, its type, its attributes.

All other uses give the same: arithmetic, comparisons, keys, crossing the boundary again.
"""

from __future__ import annotations

import ast
import itertools
import re
from string import Formatter

from pytest_workflows.sources.syntax import SourceFile, name_of

_DISTINGUISHING = frozenset({"str", "repr", "ascii", "type"})
_SHARED = frozenset({"as_integer_ratio", "conjugate", "imag", "real"})
_CLASSES = frozenset({"float", "int"})
_AS_FLOAT = tuple("eEfFgGn%")
"""The ends of format specs that make a float of an int."""
_CONVERSION = re.compile(r"%[^a-zA-Z%]*([a-zA-Z%])")


def distinguishes(file: SourceFile, node: ast.AST) -> bool:
    """Whether the use of a value gives another result for an int than for the equal float.

    Args:
        file: The source.
        node: The expression that has the value.
    """
    parent, outer = [*file.parents(node), None, None][:2]
    if isinstance(parent, ast.Call):
        return _is_distinguishing_call(parent, node)
    if isinstance(parent, ast.Tuple):
        return isinstance(outer, ast.BinOp) and _is_formatted(outer, node)
    if isinstance(parent, ast.Attribute):
        return parent.attr not in _SHARED
    if isinstance(parent, ast.FormattedValue):
        return parent.conversion != -1 or _is_text_of_type(parent.format_spec)
    if isinstance(parent, ast.Match):
        classes = [part.cls for part in ast.walk(parent) if isinstance(part, ast.MatchClass)]
        return any(_is_one_class(one) for one in classes)
    return isinstance(parent, ast.BinOp) and _is_formatted(parent, node)


def propagates(parent: ast.AST, node: ast.AST) -> bool:
    """Whether what is computed of a value is again an int for an int, and the equal float for the float."""
    if isinstance(parent, ast.UnaryOp):
        return isinstance(parent.op, ast.USub | ast.UAdd)
    if isinstance(parent, ast.BinOp):
        other = parent.left if parent.right is node else parent.right
        is_int = isinstance(other, ast.Constant) and type(other.value) is int
        return is_int and not isinstance(parent.op, ast.Div)
    if isinstance(parent, ast.Call) and parent.args[:1] == [node]:
        called = name_of(parent.func)
        return called == "abs" or (called == "round" and len(parent.args) == 2)
    return False


def _is_distinguishing_call(call: ast.Call, node: ast.AST) -> bool:
    called = name_of(call.func)
    if called == "isinstance":
        return len(call.args) == 2 and _is_one_class(call.args[1])
    if called != "format":
        return isinstance(call.func, ast.Name) and called in _DISTINGUISHING
    if isinstance(call.func, ast.Name):
        return len(call.args) == 1 or _is_text_of_type(call.args[1])
    text = _text_of(call.func.value) if isinstance(call.func, ast.Attribute) else None
    if text is None or node not in call.args:
        return False
    try:
        fields = [(name, spec, how) for _, name, spec, how in Formatter().parse(text) if name is not None]
    except ValueError:  # no format string
        return False
    place, number = str(call.args.index(node)), itertools.count()
    asked = [(spec or "", how) for name, spec, how in fields if (name or str(next(number))) == place]
    return any(how is not None or not spec.endswith(_AS_FLOAT) for spec, how in asked)


def _is_one_class(node: ast.AST) -> bool:
    named = {name_of(part) for part in ast.walk(node) if isinstance(part, ast.expr)}
    return len(named & _CLASSES) == 1


def _is_text_of_type(spec: ast.expr | None) -> bool:
    """Whether a format leaves the form of the number to its type: `:>10`, not `:.2f`."""
    if spec is None:
        return True
    end = spec.values[-1:] if isinstance(spec, ast.JoinedStr) else [spec]
    text = _text_of(end[0]) if end else ""
    return text is not None and not text.endswith(_AS_FLOAT)


def _is_formatted(operation: ast.BinOp, node: ast.AST) -> bool:
    """Whether `"%s" % value` makes a text of the value."""
    text = _text_of(operation.left)
    if text is None or not isinstance(operation.op, ast.Mod):
        return False
    conversions = [letter for letter in _CONVERSION.findall(text) if letter != "%"]
    values = operation.right.elts if isinstance(operation.right, ast.Tuple) else [operation.right]
    return any(value is node and letter in "sra" for value, letter in zip(values, conversions, strict=False))


def _text_of(node: ast.AST) -> str | None:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None
