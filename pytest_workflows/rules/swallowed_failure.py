"""swallowed-failure: a step's failure is caught with much else, nothing is done, and the instance is complete."""

from __future__ import annotations

import ast
import asyncio
import weakref
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from durable_engine import Ask, Engine, Instance, StepKey, failure_of

from .awaiting import Line, lines_that_gather, running_lines
from .base import RuleObserver
from .source import Sources
from .syntax import SourceFile, name_of, own_nodes_of, source_file

_BROAD = frozenset({"Exception", "BaseException"})
_TALK = frozenset({"print", "debug", "info", "warning", "error", "exception", "critical", "log"})
_LOOPS = ast.For | ast.AsyncFor | ast.While | ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp


@dataclass(slots=True)
class _Life:
    """What is known of a life.

    Attributes:
        task: The task of `run`.
        asked: The task that asked for each step, and the lines on which it is awaited.
        failed: The steps that failed for good, with the lines on which `run` waits for a gathering of them.
    """

    task: asyncio.Task[Any] | None
    asked: dict[StepKey, tuple[asyncio.Task[Any] | None, list[Line]]] = field(default_factory=dict)
    failed: dict[StepKey, list[Line]] = field(default_factory=dict)


class SwallowedFailure(RuleObserver):
    """Remembers where failed steps were awaited, and looks at the `try` around when the instance is complete."""

    rule = "swallowed-failure"

    def __init__(self, engine: Engine, sources: Sources) -> None:
        super().__init__(engine, sources)
        self._lives: weakref.WeakKeyDictionary[Instance, _Life] = weakref.WeakKeyDictionary()

    def life_started(self, instance: Instance, event: Any) -> None:
        """Remember the task of `run`."""
        self._lives[instance] = _Life(asyncio.current_task())

    def step_asked(self, instance: Instance, ask: Ask) -> None:
        """Remember where it is awaited; one that failed in an earlier life fails again."""
        life = self._lives.get(instance)
        if life is not None and ask.key.kind == "do":
            life.asked[ask.key] = (asyncio.current_task(), running_lines(self._sources))
            if failure_of(instance, ask.key) is not None:
                life.failed[ask.key] = []

    def step_finished(self, instance: Instance, step: StepKey) -> None:
        """Remember a failure while `run` still waits for it."""
        life = self._lives.get(instance)
        if life is not None and step in life.asked and failure_of(instance, step) is not None:
            child, _ = life.asked[step]
            outer = [] if life.task is None or child is None else lines_that_gather(life.task, child, self._sources)
            life.failed[step] = outer

    def instance_finished(self, instance: Instance) -> None:
        """Judge, if it is complete."""
        life = self._lives.pop(instance, None)
        if life is None or instance.row.status != "complete":
            return
        for key, outer in life.failed.items():
            self._judge(instance, key, [*life.asked[key][1], *outer])

    def _judge(self, instance: Instance, key: StepKey, lines: Sequence[Line]) -> None:
        failure = failure_of(instance, key)
        names = frozenset(kind.__name__ for kind in type(failure).__mro__)
        for line in lines:
            file = source_file(line.code.co_filename)
            statement = None if file is None else file.statement_at(line.number)
            if statement is not None and _returns_exceptions(statement):
                return
            for block, inside in _blocks_around(file, statement):
                catcher = _catcher(block, names)
                if catcher is None or _passes_on(catcher):
                    continue
                if file is not None and _is_broad(catcher) and not _is_deliberate(file, block, inside, catcher):
                    message = (
                        f"the failure of step {key.label!r} is caught here with more than that step, "
                        "and the instance ended complete"
                    )
                    place = (line.code.co_filename, catcher.lineno)
                    self.report(message, place, instance, step=key.label)
                return


Block = ast.Try | ast.TryStar | ast.With | ast.AsyncWith
Catcher = ast.ExceptHandler | ast.With | ast.AsyncWith


def _blocks_around(file: SourceFile | None, statement: ast.stmt | None) -> Iterator[tuple[Block, ast.stmt]]:
    """The `try` and `with` blocks around a statement in its function, and the statement of theirs that it is in."""
    if file is None or statement is None:
        return
    inside = statement
    for parent in file.parents(statement):
        if isinstance(parent, ast.FunctionDef | ast.AsyncFunctionDef):
            return
        if isinstance(parent, Block) and inside in parent.body:
            yield parent, inside
        if isinstance(parent, ast.stmt):
            inside = parent


def _catcher(block: Block, names: frozenset[str]) -> Catcher | None:
    """What catches an exception whose classes have these names."""
    if isinstance(block, ast.With | ast.AsyncWith):
        return block if _suppresses(block) else None
    for handler in block.handlers:
        caught = _caught_names(handler)
        if not caught or not names.isdisjoint(caught) or not _BROAD.isdisjoint(caught):
            return handler
    return None


def _suppresses(block: ast.With | ast.AsyncWith) -> bool:
    for item in block.items:
        call = item.context_expr
        if isinstance(call, ast.Call) and name_of(call.func) == "suppress":
            return any(name_of(argument) in _BROAD for argument in call.args)
    return False


def _caught_names(handler: ast.ExceptHandler) -> list[str]:
    if handler.type is None:
        return []
    kinds = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    return [name_of(kind) for kind in kinds]


def _is_broad(catcher: Catcher) -> bool:
    if not isinstance(catcher, ast.ExceptHandler):
        return True
    caught = _caught_names(catcher)
    return not caught or not _BROAD.isdisjoint(caught)


def _passes_on(catcher: Catcher) -> bool:
    return isinstance(catcher, ast.ExceptHandler) and any(
        isinstance(node, ast.Raise) for statement in catcher.body for node in own_nodes_of(statement)
    )


def _is_deliberate(file: SourceFile, block: Block, inside: ast.stmt, catcher: Catcher) -> bool:
    """Whether the failure of this one step was meant, or something is done about it."""
    if not _holds_more(block, inside):
        return True
    if not isinstance(catcher, ast.ExceptHandler):
        return False
    return _has_await(catcher.body) or _is_asked_later(file, block, catcher)


def _holds_more(block: Block, inside: ast.stmt) -> bool:
    """Whether the block does more than to await one step: loops, other awaits, calls that can fail."""
    if isinstance(inside, _LOOPS | ast.AsyncWith):
        return True
    nodes = [node for statement in block.body for node in own_nodes_of(statement)]
    awaits = [node for node in nodes if isinstance(node, ast.Await | ast.AsyncFor | ast.AsyncWith)]
    if len(awaits) != 1 or any(isinstance(node, _LOOPS) and awaits[0] in ast.walk(node) for node in nodes):
        return True
    awaited = set(ast.walk(awaits[0]))
    calls = [node for node in nodes if isinstance(node, ast.Call) and node not in awaited]
    if any(name_of(call.func) not in _TALK for call in calls):
        return True
    # `await gather(a(), b())` is one await of several steps.
    return isinstance(awaits[0], ast.Await) and _gathers(awaits[0].value)


def _gathers(awaited: ast.expr) -> bool:
    return isinstance(awaited, ast.Call) and any(
        isinstance(argument, ast.Call | ast.Starred) for argument in awaited.args
    )


def _returns_exceptions(statement: ast.stmt) -> bool:
    """Whether a `gather` hands failures over as results."""
    return any(
        isinstance(node, ast.keyword) and node.arg == "return_exceptions"
        for node in own_nodes_of(statement)
        if not isinstance(statement, Block | _LOOPS)
    )


def _has_await(body: Sequence[ast.stmt]) -> bool:
    return any(
        isinstance(node, ast.Await | ast.AsyncFor | ast.AsyncWith)
        for statement in body
        for node in own_nodes_of(statement)
    )


def _is_asked_later(file: SourceFile, block: Block, handler: ast.ExceptHandler) -> bool:
    """Whether what the handler notes decides later on what else is awaited."""
    noted = {
        node.id
        for statement in handler.body
        for node in own_nodes_of(statement)
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
    }
    function = file.function_around(block)
    for node in ast.walk(function) if function is not None else ():
        if (
            isinstance(node, ast.If | ast.While)
            and node.lineno > block.lineno
            and _has_await([*node.body, *node.orelse])
        ):
            asked = {name.id for name in ast.walk(node.test) if isinstance(name, ast.Name)}
            if not noted.isdisjoint(asked):
                return True
    return False
