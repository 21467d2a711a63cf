"""Source files as parsed: their functions, classes and constants, and what they import from files beside them."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

Function = ast.FunctionDef | ast.AsyncFunctionDef
Definition = Function | ast.ClassDef


@dataclass(eq=False)
class Module:
    """A parsed file.

    Attributes:
        path: The file.
        tree: Its syntax.
        constants: Texts that it gives names to.
    """

    path: Path
    tree: ast.Module
    constants: dict[str, str] = field(default_factory=dict)
    _known: dict[Path, Module | None] = field(default_factory=dict)

    def find(self, name: str) -> tuple[Definition, Module] | None:
        """A function or class of that name at the top of the file, or where it is imported from."""
        for node in self.tree.body:
            if isinstance(node, Definition) and node.name == name:
                return node, self
        for node in self.tree.body:
            if isinstance(node, ast.ImportFrom):
                for alias in node.names:
                    if (alias.asname or alias.name) == name:
                        module = self._imported(node)
                        return None if module is None else module.find(alias.name)
        return None

    def _imported(self, node: ast.ImportFrom) -> Module | None:
        folder = self.path.parent
        for _ in range(node.level - 1):
            folder = folder.parent
        target = folder.joinpath(*(node.module or "").split("."))
        for path in (target.with_suffix(".py"), target / "__init__.py"):
            if path in self._known:
                return self._known[path]
            if path.is_file():
                self._known[path] = None  # two files that import each other
                self._known[path] = parse(path, self._known)
                return self._known[path]
        return None

    def find_class(self, qualname: str) -> tuple[ast.ClassDef, Module] | None:
        """A class by its qualified name, `<locals>` included."""
        for name, node in _classes(self.tree, ""):
            if name == qualname:
                return node, self
        found = self.find(qualname)
        return found if found is not None and isinstance(found[0], ast.ClassDef) else None  # type: ignore[return-value]  # the line's own condition


def parse(path: Path, known: dict[Path, Module | None] | None = None) -> Module:
    """Parse a file.

    Args:
        path: Python source.
        known: Files that are parsed already.

    Raises:
        OSError: If it cannot be read.
        SyntaxError: If it is no Python.
    """
    tree = ast.parse(path.read_bytes(), str(path))
    return Module(path, tree, constants_of(tree.body), {} if known is None else known)


def constants_of(body: list[ast.stmt], prefix: str = "") -> dict[str, str]:
    """The texts that statements give names to."""
    found = {}
    for node in body:
        match node:
            case (
                ast.Assign(targets=[ast.Name(id=name)], value=ast.Constant(value=str(text)))
                | ast.AnnAssign(target=ast.Name(id=name), value=ast.Constant(value=str(text)))
            ):
                found[prefix + name] = text
    return found


def _classes(node: ast.AST, prefix: str) -> Iterator[tuple[str, ast.ClassDef]]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.ClassDef):
            yield prefix + child.name, child
            yield from _classes(child, f"{prefix}{child.name}.")
        elif isinstance(child, Function):
            yield from _classes(child, f"{prefix}{child.name}.<locals>.")
        else:
            yield from _classes(child, prefix)
