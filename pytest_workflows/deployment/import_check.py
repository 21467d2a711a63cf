"""The check of a Worker's import statements against what is deployed."""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import TYPE_CHECKING

from pytest_workflows.sources.handled import statements_around
from pytest_workflows.sources.syntax import name_of

from .deployment import Problem, deployment_of

if TYPE_CHECKING:
    from pytest_workflows.project.worker_imports import WorkerImport
    from pytest_workflows.project.worker_project import Project

_ASKED = ("sys.platform", "platform.machine()", "platform.system()", "'emscripten'", "'pyodide'")
_CAUGHT = frozenset({"ImportError", "ModuleNotFoundError"})


def check_import(project: Project, report: Callable[[Problem, tuple[str, int]], None], statement: WorkerImport) -> None:
    """Check an import statement of a project's own code that is about to be executed.

    What is not deployed is reported, and imported all the same: the test goes on. Where the code says itself what to do
    without it (`except ImportError`), the statement raises as on the platform, and that is what runs. Nothing is said
    of a statement that depends on the platform's name: it may be meant for this machine.

    Args:
        project: The Worker's project.
        report: Called with a problem and its place.
        statement: The statement.

    Raises:
        ModuleNotFoundError: If the platform does not have the module, and the code catches that.
    """
    problem = deployment_of(project).problem(statement.name, statement.names)
    if problem is None:
        return
    around = list(statements_around(statement.file, statement.line))
    if any(isinstance(node, ast.If) and _asks_for_platform(node.test) for node, _ in around):
        return
    if problem.is_missing and any(_is_caught(*each) for each in around):
        root = statement.name.partition(".")[0]
        raise ModuleNotFoundError(f"No module named {root!r}", name=root)
    report(problem, (statement.file, statement.line))


def _is_caught(statement: ast.AST, inner: ast.AST) -> bool:
    """Whether a statement around an import catches its ImportError, by that name."""
    if isinstance(statement, ast.Try):
        return inner in statement.body and any(map(_catches, statement.handlers))
    return isinstance(statement, ast.With) and any(_suppresses(item.context_expr) for item in statement.items)


def _asks_for_platform(test: ast.expr) -> bool:
    """Whether a condition depends on the platform: `sys.platform == "emscripten"`, `"pyodide" in sys.modules`."""
    written = ast.unparse(test)
    return any(asked in written for asked in _ASKED)


def _catches(handler: ast.ExceptHandler) -> bool:
    caught = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    return any(one is not None and name_of(one) in _CAUGHT for one in caught)


def _suppresses(expression: ast.expr) -> bool:
    return (
        isinstance(expression, ast.Call)
        and name_of(expression.func) == "suppress"
        and any(name_of(one) in _CAUGHT for one in expression.args)
    )
