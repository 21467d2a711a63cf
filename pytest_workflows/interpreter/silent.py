"""What a Worker's source does that gives another value on the platform, without an exception there or here.

It is read off the source, once a file: a value has no place where it could be noticed. The values are the table's. That
a module's top level runs once, when a Worker is deployed, is Cloudflare's documentation of memory snapshots.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from pytest_workflows.sources.syntax import FunctionNode, SourceFile

from .table import Table

_STRFTIME = "datetime.datetime.strftime"
_DIRECTIVE = re.compile(r"%[-_0^#]?\d*[EO]?[a-zA-Z]")
_CLOCKS = frozenset(
    {
        "time.time",
        "time.time_ns",
        "datetime.now",
        "datetime.utcnow",
        "datetime.today",
        "date.today",
        "datetime.datetime.now",
        "datetime.datetime.utcnow",
        "datetime.datetime.today",
        "datetime.date.today",
    }
)
_HARMLESS = ("errno.", "platform.libc_ver", "ctypes.")
"""Numbers that code compares by their names, and what no Worker asks for."""
_STRUCT = frozenset({"calcsize", "pack", "pack_into", "unpack", "unpack_from", "iter_unpack", "Struct"})

Found = tuple[int, str]
"""A line, and what is said of it."""


def silent_differences(source: SourceFile, table: Table) -> Iterator[Found]:
    """What a source does that gives another value on the platform.

    Args:
        source: The source.
        table: The differences of the platform's Python.
    """
    names = _imported(source.tree)
    called = {id(node.func) for node in source.calls}
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Call):
            yield from _of_call(node, names, table)
        elif isinstance(node, ast.FormattedValue) and isinstance(node.format_spec, ast.JoinedStr):
            for part in node.format_spec.values:
                if isinstance(part, ast.Constant):
                    yield from _of_format(node.lineno, part.value, table)
        elif isinstance(node, ast.Attribute | ast.Name) and id(node) not in called and _is_read(node):
            name = _full_name(node, names)
            if name in table.silent and not name.startswith(_HARMLESS) and _matters(source, node, name):
                yield node.lineno, _said(name, table)
    yield from _clocks(source, names)


def _of_call(node: ast.Call, names: dict[str, str], table: Table) -> Iterator[Found]:
    name = _full_name(node.func, names)
    text = node.args[0].value if node.args and isinstance(node.args[0], ast.Constant) else None
    if name in table.silent and not name.startswith(_HARMLESS):
        yield node.lineno, _said(name, table, "()")
    elif name.rpartition(".")[2] == "strftime":
        for one in node.args:
            if isinstance(one, ast.Constant):
                yield from _of_format(node.lineno, one.value, table)
    elif name.startswith("struct.") and name.rpartition(".")[2] in _STRUCT and isinstance(text, str):
        for code in dict.fromkeys(text.removeprefix("@")) if text[:1] not in "<>!=" else ():
            if f"struct.calcsize({code!r})" in table.silent:
                there, here = table.silent[f"struct.calcsize({code!r})"]
                yield node.lineno, f"`{code}` in the format {text!r} has {there} bytes on the platform, and {here} here"
    elif name == "array.array" and f"array.array({text!r})" in table.silent:
        there, here = table.silent[f"array.array({text!r})"]
        yield node.lineno, f"an item of `array({text!r})` has {there} bytes on the platform, and {here} here"


def _of_format(line: int, text: object, table: Table) -> Iterator[Found]:
    if not isinstance(text, str):
        return
    for directive in dict.fromkeys(_DIRECTIVE.findall(text.replace("%%", ""))):
        known = table.silent.get(f"{_STRFTIME}({directive!r})")
        if known is not None and known[0] in ("", directive):
            made = "nothing, and the whole text is empty" if known[0] == "" else "itself"
            yield line, f"`{directive}` in the format {text!r} gives {made} on the platform"


def _clocks(source: SourceFile, names: dict[str, str]) -> Iterator[Found]:
    """Reads of the clock whose value a module keeps."""
    for node in source.calls:
        name = _full_name(node.func, names)
        if name not in _CLOCKS or _is_in_body(source, node):
            continue
        if any(isinstance(one, ast.Assign | ast.AnnAssign | ast.NamedExpr) for one in source.parents(node)):
            shown = ast.unparse(node.func)
            yield (
                node.lineno,
                f"`{shown}()` is read where the module is imported: on the platform that is once, when the Worker was "
                "deployed or started",
            )


def _is_in_body(source: SourceFile, node: ast.AST) -> bool:
    """Whether a node lies in the body of a function or a lambda: a parameter's default is evaluated outside of it."""
    inner = node
    for parent in source.parents(node):
        if isinstance(parent, FunctionNode) and inner in (
            [parent.body] if isinstance(parent, ast.Lambda) else parent.body
        ):
            return True
        inner = parent
    return False


def _matters(source: SourceFile, node: ast.AST, name: str) -> bool:
    """Whether a name's other value leads to something else: whether `sys.platform` is "win32" has one answer."""
    parents = source.parents(node)
    asking = next(parents, None)
    if isinstance(asking, ast.Attribute) and asking.attr == "startswith":
        asking = next(parents, None)
    elif not isinstance(asking, ast.Compare):
        asking = None
    if name != "sys.platform" or asking is None:
        return True
    compared = [one.value for one in ast.walk(asking) if isinstance(one, ast.Constant) and isinstance(one.value, str)]
    return not compared or ("emscripten" not in compared and any(map("linux".startswith, compared)))


def _said(name: str, table: Table, call: str = "") -> str:
    there, here = table.silent[name]
    if isinstance(there, bool):
        return f"`{name}{call}` has another value on the platform"
    return f"`{name}{call}` is {there!r} on the platform, and {here!r} here"


def _imported(tree: ast.Module) -> dict[str, str]:
    """What a name at the top of a source stands for: a module, or something in one."""
    found: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for one in node.names:
                found[one.asname or one.name.partition(".")[0]] = one.name if one.asname else one.name.partition(".")[0]
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.update({one.asname or one.name: f"{node.module}.{one.name}" for one in node.names})
    return found


def _full_name(node: ast.AST, names: dict[str, str]) -> str:
    """`os.cpu_count`, whatever the source calls it; nothing of what is no name."""
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    if not isinstance(node, ast.Name):
        return ".".join(reversed([*parts, "?"])) if parts else ""
    return ".".join([names.get(node.id, f"?{node.id}"), *reversed(parts)])


def _is_read(node: ast.Attribute | ast.Name) -> bool:
    return isinstance(node.ctx, ast.Load)
