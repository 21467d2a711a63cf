"""swallowed-failure: a step's failure is caught with much else, and the instance is complete as if nothing had been."""

from __future__ import annotations

import ast
import asyncio
import weakref
from collections.abc import Sequence
from typing import Any

import msgspec

from durable_engine import Ask, Engine, Instance, StepKey, failure_of
from pytest_workflows.sources.syntax import FunctionNode, SourceFile, name_of, own_nodes, own_nodes_of, source_file
from pytest_workflows.sources.worker_code import Sources

from .analysis.await_stack import Line, lines_that_gather, running_lines
from .analysis.exception_handlers import Block, Catcher, blocks_around, catcher_in, is_broad, reraises
from .base import RuleObserver
from .registry import register

_LOGGING = frozenset({"print", "debug", "info", "warning", "error", "exception", "critical", "log"})
_METHODS = frozenset(name for kind in (str, dict) for name in dir(kind) if not name.startswith("_"))
_CONVERTS = frozenset({"bool", "dict", "len", "list", "repr", "str"})
_LOOPS = ast.For | ast.AsyncFor | ast.While | ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp


class _Execution(msgspec.Struct):
    """The observations of an execution.

    Attributes:
        task: The task of `run`.
        asked: The task that asked for each step, and the lines on which the step is awaited.
        failed: The steps that failed for good, with the lines on which `run` waits for a gathering of them.
    """

    task: asyncio.Task[Any] | None
    asked: dict[StepKey, tuple[asyncio.Task[Any] | None, list[Line]]] = msgspec.field(default_factory=dict)
    failed: dict[StepKey, list[Line]] = msgspec.field(default_factory=dict)


@register(
    "swallowed-failure",
    consequence="the instance ends complete, and nobody learns that it failed",
    remedy="catch the failure of one step at a time, name the exception, or raise it again",
)
class SwallowedFailure(RuleObserver):
    """An observer of failed steps, which reads the `try` around where one was awaited when the instance is complete."""

    def __init__(self, engine: Engine, sources: Sources) -> None:
        super().__init__(engine, sources)
        self._executions: weakref.WeakKeyDictionary[Instance, _Execution] = weakref.WeakKeyDictionary()

    def execution_started(self, instance: Instance, event: Any) -> None:
        """Keep the task of `run`."""
        self._executions[instance] = _Execution(asyncio.current_task())

    def step_asked(self, instance: Instance, ask: Ask) -> None:
        """Keep where the step is awaited; one that failed in an earlier execution fails again."""
        execution = self._executions.get(instance)
        if execution is not None and ask.key.kind == "do":
            execution.asked[ask.key] = (asyncio.current_task(), running_lines(self._sources))
            if failure_of(instance, ask.key) is not None:
                execution.failed[ask.key] = []

    def step_finished(self, instance: Instance, step: StepKey) -> None:
        """Keep a failure, while `run` still waits for the step."""
        execution = self._executions.get(instance)
        if execution is not None and step in execution.asked and failure_of(instance, step) is not None:
            child, _ = execution.asked[step]
            outer = (
                []
                if execution.task is None or child is None
                else lines_that_gather(execution.task, child, self._sources)
            )
            execution.failed[step] = outer

    def instance_finished(self, instance: Instance) -> None:
        """Judge the failures, if the instance is complete."""
        execution = self._executions.pop(instance, None)
        if execution is None or instance.row.status != "complete":
            return
        for key, outer in execution.failed.items():
            self._judge(instance, key, [*execution.asked[key][1], *outer])

    def _judge(self, instance: Instance, key: StepKey, lines: Sequence[Line]) -> None:
        failure = failure_of(instance, key)
        names = frozenset(kind.__name__ for kind in type(failure).__mro__)
        helpers: list[FunctionNode] = []
        for line in lines:
            file = source_file(line.code.co_filename)
            statement = None if file is None else file.statement_at(line.number)
            if statement is not None and _returns_exceptions(statement):
                return
            for block, inside in blocks_around(file, statement):
                catcher = catcher_in(block, names)
                if catcher is None or reraises(catcher):
                    continue
                if file is None or not is_broad(catcher):
                    return
                if not _is_deliberate(file, block, inside, helpers, catcher):
                    message = (
                        f"the failure of step {key.label!r} is caught here with more than that step, "
                        "and the instance ended complete"
                    )
                    place = (line.code.co_filename, catcher.lineno)
                    self.report(message, place, instance.workflow, step=key.label)
                return
            helper = None if file is None else file.function_of(line.code)
            if helper is not None:
                helpers.append(helper)


def _is_deliberate(
    file: SourceFile, block: Block, inside: ast.stmt, helpers: Sequence[FunctionNode], catcher: Catcher
) -> bool:
    """Whether the failure of this one step was meant, or something is done about it."""
    if not _holds_more(block, inside) and not any(_awaits_more(list(own_nodes(helper))) for helper in helpers):
        return True
    if not isinstance(catcher, ast.ExceptHandler) or isinstance(block, ast.With | ast.AsyncWith):
        return False
    from .analysis.handler_dataflow import has_await, reaches_a_step

    return has_await(catcher.body) or reaches_a_step(file, block, catcher)


def _holds_more(block: Block, inside: ast.stmt) -> bool:
    """Whether the block does more than to await one step: loops, other awaits, calls that can fail."""
    nodes = [node for statement in block.body for node in own_nodes_of(statement)]
    if isinstance(inside, _LOOPS | ast.AsyncWith) or _awaits_more(nodes):
        return True
    awaited = {part for node in nodes if isinstance(node, ast.Await) for part in ast.walk(node)}
    return any(isinstance(node, ast.Call) and node not in awaited and not _is_harmless(node) for node in nodes)


def _awaits_more(nodes: Sequence[ast.AST]) -> bool:
    """Whether there are several awaits, or one of several steps: in a loop, `await gather(a(), b())`."""
    awaits = [node for node in nodes if isinstance(node, ast.Await | ast.AsyncFor | ast.AsyncWith)]
    if len(awaits) > 1 or any(not isinstance(one, ast.Await) or _gathers(one.value) for one in awaits):
        return True
    return any(one in ast.walk(node) for one in awaits for node in nodes if isinstance(node, _LOOPS))


def _gathers(awaited: ast.expr) -> bool:
    if not isinstance(awaited, ast.Call):
        return False
    calls = [argument for argument in awaited.args if isinstance(argument, ast.Call) and not _is_harmless(argument)]
    starred = any(isinstance(argument, ast.Starred) for argument in awaited.args)
    return starred or len(calls) > 1 or name_of(awaited.func) == "gather"


def _is_harmless(call: ast.Call) -> bool:
    """Whether a call logs, declares a step, or takes apart what a step gave: `user["name"].strip()`."""
    if isinstance(call.func, ast.Call):
        return name_of(call.func.func) == "do"
    named = _LOGGING | {"do"} | (_METHODS if isinstance(call.func, ast.Attribute) else _CONVERTS)
    return name_of(call.func) in named


def _returns_exceptions(statement: ast.stmt) -> bool:
    """Whether a `gather` hands failures over as results."""
    return any(
        isinstance(node, ast.keyword) and node.arg == "return_exceptions"
        for node in own_nodes_of(statement)
        if not isinstance(statement, Block | _LOOPS)
    )
