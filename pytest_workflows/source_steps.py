"""The steps that a workflow class names in its source."""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Iterator
from typing import get_args

from durable_engine import InvalidArgumentError, StepKey, StepKind

_KINDS: dict[str, StepKind] = {"sleep_until": "sleep", **{kind: kind for kind in get_args(StepKind)}}


def steps_of_class(workflow: type) -> list[StepKey]:
    """The steps whose names stand in a class's source, or in that of a class that it inherits from.

    A name that is built at run time is not known.

    Raises:
        InvalidArgumentError: If it is no class, or its source cannot be read.
    """
    if not isinstance(workflow, type):
        raise InvalidArgumentError(
            f"Steps are found in a workflow's class, such as entry.OrderWorkflow, not in {workflow!r}. Names are given "
            "as steps=['charge card', ...]."
        )
    found: dict[StepKey, None] = {}
    for one in workflow.__mro__[:-1]:
        if one.__module__.partition(".")[0] != "pytest_workflows":  # WorkflowEntrypoint itself has none
            found.update(dict.fromkeys(_steps_in(ast.parse(_source(one)))))
    return list(found)


def _source(cls: type) -> str:
    try:
        return textwrap.dedent(inspect.getsource(cls))
    except (OSError, TypeError) as error:
        raise InvalidArgumentError(
            f"The source of {cls.__qualname__} cannot be read ({error}). Give the names: steps=['charge card', ...]."
        ) from None


def _steps_in(tree: ast.AST) -> Iterator[StepKey]:
    nodes = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Call)]
    for node in sorted(nodes, key=lambda node: (node.lineno, node.col_offset)):
        if isinstance(node, ast.Call):
            kind, name = _kind(node), _name(node)
            if kind is not None and name:
                yield StepKey(kind, name, 1)
            continue
        for decorator in node.decorator_list:
            # Without a name, a step is called as its function.
            if isinstance(decorator, ast.Call) and _kind(decorator) == "do" and not _names_itself(decorator):
                yield StepKey("do", node.name, 1)


def _kind(call: ast.Call) -> StepKind | None:
    if isinstance(call.func, ast.Attribute) and isinstance(call.func.value, ast.Name):
        return _KINDS.get(call.func.attr)
    return None


def _names_itself(call: ast.Call) -> bool:
    return bool(call.args) or any(keyword.arg == "name" for keyword in call.keywords)


def _name(call: ast.Call) -> str | None:
    given = [*call.args[:1], *(keyword.value for keyword in call.keywords if keyword.arg == "name")]
    value = given[0].value if given and isinstance(given[0], ast.Constant) else None
    return value if isinstance(value, str) else None
