"""changed-at-boundary: a value comes back from a step as something else than was returned, and is then used."""

from __future__ import annotations

import ast
from typing import Any

from durable_engine import CallbackRun, Instance, Place
from pytest_workflows.sources.syntax import FunctionNode, SourceFile, own_nodes, source_file

from .analysis.boundary_changes import Change, changes_of
from .base import RuleObserver, code_of
from .registry import register


@register(
    "changed-at-boundary",
    consequence="what a step returns crosses to JavaScript and back, and comes back as something else",
    remedy="return what survives the trip, such as a str or an int, and convert it where it is used",
)
class ChangedAtBoundary(RuleObserver):
    """An observer of what callbacks return, which reads in the source what is done with the result."""

    def callback_returned(self, instance: Instance, run: CallbackRun, value: Any, data: bytes) -> None:
        """Find what of the value does not survive the boundary, and where the source uses that."""
        if not self.is_workers(run):
            return
        changes = changes_of(value)
        code = code_of(run.function) if changes else None
        file = None if code is None else source_file(code.co_filename)
        callback = None if file is None or code is None else file.function_of(code)
        if file is None or callback is None:
            return
        for change in changes:
            line = _first_use(file, callback, run.key.name, change)
            if line is not None:
                message = f"step {run.key.label!r} {change.describe()}, and line {line} uses it"
                place = _place_of_return(callback, run.place)
                self.report(message, place, instance.workflow, step=run.key.label, about=change.describe())
                return


def _first_use(file: SourceFile, callback: FunctionNode, step: str, change: Change) -> int | None:
    from .analysis.value_uses import Uses, results_of

    lines = []
    for node, scope in results_of(file, callback, step):
        uses = Uses(file, scope, change)
        if isinstance(node, ast.arg):
            lines.append(uses.of_name(node.arg, change.path, scope))
        else:
            lines.append(uses.first(node, change.path))
    return min((line for line in lines if line is not None), default=None)


def _place_of_return(callback: FunctionNode, declared: Place) -> Place:
    returns = (
        []
        if isinstance(callback, ast.Lambda)
        else [node for node in own_nodes(callback) if isinstance(node, ast.Return) and node.value is not None]
    )
    return (declared[0], returns[0].lineno) if len(returns) == 1 else declared
