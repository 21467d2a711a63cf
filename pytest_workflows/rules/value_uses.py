"""Whether code uses a part of a step's result in a way that depends on what it came back as: read from its syntax.

Where the way of a value cannot be followed, it counts as not used.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from pytest_workflows.sources.syntax import FunctionNode, SourceFile, name_of

from .boundary_changes import Change, Kind, Path
from .float_uses import distinguishes, stays

_TALK = frozenset({"print", "debug", "info", "warning", "error", "exception", "critical", "log"})
_FAIR: dict[Kind, frozenset[str]] = {
    "aware": frozenset({"sleep_until"}),
    "bytes": frozenset(
        {"bytes", "bytearray", "memoryview", "len", "list", "bool", "BytesIO", "join"}
        | {"b64encode", "urlsafe_b64encode", "hexlify", "crc32", "md5", "sha1", "sha256", "sha512"}
    ),
    "exception": frozenset(),
    "keys": frozenset({"len", "bool"}),
}
"""What takes either of both: it gives the same answer. Of floats: `float_uses`."""
_SAFE_METHODS: dict[Kind, frozenset[str]] = {
    "aware": frozenset(),
    "bytes": frozenset({"tobytes", "hex", "tolist", "nbytes"}),
    "exception": frozenset(),
    "keys": frozenset({"values", "get"}),
}
_PLAIN = ast.Dict | ast.List | ast.Tuple | ast.Set | ast.Starred | ast.IfExp | ast.keyword
_DEEPEST = 12


class Uses:
    """Follows one changed part through a function.

    Args:
        file: The source.
        scope: The function in which the result has names.
        change: The part.
    """

    def __init__(self, file: SourceFile, scope: FunctionNode, change: Change) -> None:
        self._file = file
        self._scope = scope
        self._kind = change.kind

    def first(self, node: ast.AST, path: Path, depth: int = 0) -> int | None:
        """The line where the part is first used, of a value that this expression has.

        Args:
            node: The expression.
            path: The way from its value to the part.
            depth: How often the value was given another name.
        """
        parent = next(self._file.parents(node), None)
        if parent is None or depth > _DEEPEST:
            return None
        if isinstance(parent, ast.Assign | ast.AnnAssign | ast.NamedExpr | ast.For | ast.comprehension):
            return self._renamed(parent, node, path, depth)
        inner = self._inner(parent, node, path)
        if inner is not None:
            return self.first(*inner, depth + 1)
        used = self._is_leaf_used(parent, node) if not path else self._is_passed_on(parent)
        return getattr(node, "lineno", None) if used else None

    def of_name(self, name: str, path: Path, scope: ast.AST, after: int = 0, depth: int = 0) -> int | None:
        """The same of a variable, from a line on until it is assigned again."""
        names = [node for node in ast.walk(scope) if isinstance(node, ast.Name) and node.id == name]
        again = [node.lineno for node in names if isinstance(node.ctx, ast.Store) and node.lineno > after]
        until = min(again, default=None)
        for node in sorted(names, key=lambda found: (found.lineno, found.col_offset)):
            if isinstance(node.ctx, ast.Load) and node.lineno >= after and (until is None or node.lineno <= until):
                line = self.first(node, path, depth + 1)
                if line is not None:
                    return line
        return None

    def _renamed(self, parent: ast.AST, node: ast.AST, path: Path, depth: int) -> int | None:
        if isinstance(parent, ast.For | ast.comprehension):
            if parent.iter is not node:
                return None
            if not path:
                return getattr(node, "lineno", None) if self._kind == "keys" else None
            if path[0] is not None:
                return None
            path, targets = path[1:], [parent.target]
        else:
            targets = parent.targets if isinstance(parent, ast.Assign) else [parent.target]  # type: ignore[attr-defined]
        for target in targets:
            if isinstance(target, ast.Name):
                line = self.of_name(target.id, path, self._scope, target.lineno, depth)
                if line is not None:
                    return line
        return None

    def _inner(self, parent: ast.AST, node: ast.AST, path: Path) -> tuple[ast.AST, Path] | None:
        """The expression for the next part on the way, and the way from there."""
        if isinstance(parent, ast.Await):
            return parent, path
        if not path:
            return (parent, path) if self._stays(parent, node) else None
        key = path[0]
        if isinstance(parent, ast.Subscript) and parent.value is node:
            found = parent.slice
            if key is None or (isinstance(found, ast.Constant) and str(found.value) == key):
                return parent, path[1:]
        if isinstance(parent, ast.Attribute) and key is not None:
            if parent.attr == key:
                return parent, path[1:]
            call = next(self._file.parents(parent), None)
            if parent.attr == "get" and isinstance(call, ast.Call) and call.args:
                asked = call.args[0]
                if isinstance(asked, ast.Constant) and asked.value == key:
                    return call, path[1:]
        return None

    def _stays(self, parent: ast.AST, node: ast.AST) -> bool:
        """Whether what is computed of the part differs in the same way."""
        if self._kind == "float":
            return stays(parent, node)
        if self._kind != "aware" or not isinstance(parent, ast.BinOp):
            return False
        # Only a timedelta can be added to a datetime; what is subtracted may be another one.
        minus = parent.left is node and isinstance(parent.right, ast.Call) and name_of(parent.right.func) == "timedelta"
        return isinstance(parent.op, ast.Add) or (isinstance(parent.op, ast.Sub) and minus)

    # -- what is a use -----------------------------------------------------------------------------------------------

    def _is_passed_on(self, parent: ast.AST) -> bool:
        """Whether a value with the part in it is given to something else; of a float that is no harm."""
        return self._kind != "float" and self._is_given(parent)

    def _is_given(self, parent: ast.AST) -> bool:
        call: ast.AST | None = parent
        while isinstance(call, _PLAIN):
            call = next(self._file.parents(call), None)
        return isinstance(call, ast.Call) and name_of(call.func) not in _TALK | _FAIR[self._kind]

    def _is_leaf_used(self, parent: ast.AST, node: ast.AST) -> bool:
        if isinstance(parent, ast.FormattedValue) and self._is_in_log_line(parent):
            return False
        if self._kind == "float":
            return distinguishes(self._file, node)
        if isinstance(parent, ast.Call):
            return parent.func is node or name_of(parent.func) not in _TALK | _FAIR[self._kind]
        if isinstance(parent, _PLAIN):
            return self._is_passed_on(parent)
        if isinstance(parent, ast.Attribute):
            return not self._is_safe_method(parent)
        if isinstance(parent, ast.Subscript):
            return self._is_subscript_used(parent, node)
        if isinstance(parent, ast.Compare):
            return self._is_compare_used(parent, node)
        return isinstance(parent, ast.FormattedValue | ast.BinOp | ast.Raise | ast.AugAssign)

    def _is_in_log_line(self, part: ast.FormattedValue) -> bool:
        call = [*self._file.parents(part), None, None][1]
        return isinstance(call, ast.Call) and name_of(call.func) in _TALK

    def _is_safe_method(self, parent: ast.Attribute) -> bool:
        call = next(self._file.parents(parent), None)
        if parent.attr == "replace" and isinstance(call, ast.Call):
            return any(keyword.arg == "tzinfo" for keyword in call.keywords)
        if parent.attr == "get" and isinstance(call, ast.Call) and call.args:
            return isinstance(call.args[0], ast.Constant) and isinstance(call.args[0].value, str)
        return parent.attr in _SAFE_METHODS[self._kind]

    def _is_subscript_used(self, parent: ast.Subscript, node: ast.AST) -> bool:
        if parent.value is not node:
            return self._kind in ("aware", "bytes", "exception")
        if self._kind == "keys":
            return not (isinstance(parent.slice, ast.Constant) and isinstance(parent.slice.value, str))
        return self._kind == "bytes" and isinstance(parent.slice, ast.Slice)

    def _is_compare_used(self, parent: ast.Compare, node: ast.AST) -> bool:
        if all(isinstance(op, ast.Is | ast.IsNot) for op in parent.ops):
            return False
        if self._kind == "bytes":
            return any(isinstance(op, ast.Lt | ast.LtE | ast.Gt | ast.GtE) for op in parent.ops)
        if self._kind == "keys":
            asked = parent.left
            return asked is not node and not (isinstance(asked, ast.Constant) and isinstance(asked.value, str))
        return True


def results_of(file: SourceFile, callback: FunctionNode, step: str) -> Iterator[tuple[ast.AST, FunctionNode]]:
    """The expressions that have a step's result: where it is awaited, and the names that it has as a dependency.

    Args:
        file: The source.
        callback: The step's callback.
        step: The step's name.

    Yields:
        An expression (an `ast.arg` for a dependency), and the function in which the result has names.
    """
    scope = file.function_around(callback)
    if scope is None:
        return
    name = callback.name if not isinstance(callback, ast.Lambda) else _assigned_name(file, callback)
    for node in ast.walk(scope):
        if isinstance(node, ast.Call) and _calls(file, node, name, callback):
            yield node, scope
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node is not callback:
            for argument in _dependency(node, step, name):
                yield argument, node


def _assigned_name(file: SourceFile, callback: ast.Lambda) -> str | None:
    """`s` of `s = step.do("name")(lambda: ...)`."""
    call, statement = [*file.parents(callback), None, None][:2]
    if isinstance(call, ast.Call) and isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Name):
        return statement.targets[0].id
    return None


def _calls(file: SourceFile, node: ast.Call, name: str | None, callback: FunctionNode) -> bool:
    """Whether this is the call of a decorated step: `s()`, or `step.do("name")(lambda: ...)()`."""
    awaited = isinstance(next(file.parents(node), None), ast.Await)
    if isinstance(node.func, ast.Name):
        return awaited and node.func.id == name
    return awaited and isinstance(node.func, ast.Call) and callback in node.func.args


def _dependency(node: ast.FunctionDef | ast.AsyncFunctionDef, step: str, name: str | None) -> Iterator[ast.arg]:
    """The parameter of another step that gets the result: by the step's name, or by its place in `depends`."""
    decorators = [one for one in node.decorator_list if isinstance(one, ast.Call) and name_of(one.func) == "do"]
    arguments = [argument for argument in node.args.args if argument.arg != "ctx"]
    for decorator in decorators:
        depends = next((keyword.value for keyword in decorator.keywords if keyword.arg == "depends"), None)
        if isinstance(depends, ast.List | ast.Tuple):
            for argument, wanted in zip(arguments, depends.elts, strict=False):
                if isinstance(wanted, ast.Name) and wanted.id == name:
                    yield argument
        else:
            yield from (argument for argument in arguments if argument.arg == step)
