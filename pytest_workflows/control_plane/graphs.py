"""The graph of a workflow's steps in the platform's form: nested as the source of `run` is, blocks within blocks."""

from __future__ import annotations

import ast
import functools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from durable_engine.execution.step_config import InvalidStepConfigError, read_config
from pytest_workflows.sources.code_owner import file_of_class
from pytest_workflows.sources.finder import find_klass
from pytest_workflows.sources.modules import Function, Module
from pytest_workflows.sources.names import read_name

if TYPE_CHECKING:
    from pytest_workflows.sources.flow import Klass

    from .directory import Listed
    from .served import Served

Node = dict[str, Any]

_VERSION: Final = 1
_SLEEPS: Final = {"sleep": "step_sleep", "sleep_until": "step_sleep_until", "sleepUntil": "step_sleep_until"}
_WAITS: Final = frozenset({"wait_for_event", "waitForEvent"})
_TOGETHER: Final = {"gather": "all", "wait": "all", "as_completed": "all"}
_DEFAULT_WAIT: Final = "24 hours"


def graph_of(served: Served, listed: Listed) -> Node | None:
    """The graph; None where there is no source that can be read.

    Args:
        served: What is served.
        listed: The workflow.
    """
    cls = served.env.classes.get(listed.binding.workflow.name)
    file = None if cls is None else file_of_class(cls)
    if cls is None or file is None:
        return None
    return _read(file, cls.__qualname__, listed.class_name, served.versions[-1].id)


@functools.lru_cache(maxsize=64)
def _read(file: str, qualname: str, class_name: str, version: str) -> Node | None:
    """The graph of a class, read once for each version of the source."""
    found = find_klass(Path(file), qualname)
    if found is None:
        return None
    graph = _Graph(found[0])
    nodes = graph.nodes_of_run()
    return {
        "version": _VERSION,
        "workflow": {"class_name": class_name, "functions": graph.functions, "nodes": nodes},
    }


@dataclass
class _Names:
    """The names of a function's body.

    Attributes:
        module: The file that it stands in.
        steps: The callbacks that are steps, by name: their nodes.
        functions: The other functions, by name.
        step_names: The names of the step object.
    """

    module: Module
    steps: dict[str, Node] = field(default_factory=dict)
    functions: dict[str, Function] = field(default_factory=dict)
    step_names: frozenset[str] = frozenset({"step"})


class _Graph:
    """One walk through a class.

    Args:
        klass: The class.

    Attributes:
        functions: The functions that `run` calls and that make steps, by name.
    """

    def __init__(self, klass: Klass) -> None:
        self.functions: dict[str, Node] = {}
        self._klass = klass
        self._called: set[str] = set()

    def nodes_of_run(self) -> list[Node]:
        """The nodes of `run`."""
        run, module = self._klass.methods["run"]
        arguments = [argument.arg for argument in run.args.args]
        return _open_ended(self._block(run.body, _Names(module, step_names=frozenset({"step", *arguments[2:3]}))))

    # -- statements --------------------------------------------------------------------------------------------------

    def _block(self, body: Iterable[ast.stmt], names: _Names) -> list[Node]:
        return [node for statement in body for node in self._statement(statement, names)]

    def _statement(self, node: ast.stmt, names: _Names) -> Iterator[Node]:
        match node:
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                self._define(node, names)
            case ast.If():
                yield from self._if(node, names)
            case ast.For(iter=first, body=body, orelse=rest) | ast.AsyncFor(iter=first, body=body, orelse=rest):
                yield from self._expression(first, names)
                yield from _unless_empty({"type": "loop", "nodes": self._block(body, names)})
                yield from self._block(rest, names)
            case ast.While(test=test, body=body, orelse=rest):
                nodes = [*self._expression(test, names), *self._block(body, names)]
                yield from _unless_empty({"type": "loop", "nodes": nodes})
                yield from self._block(rest, names)
            case ast.Try() | ast.TryStar():
                yield from self._try(node, names)
            case ast.With(items=items, body=body) | ast.AsyncWith(items=items, body=body):
                for item in items:
                    yield from self._expression(item.context_expr, names)
                yield from self._block(body, names)
            case ast.Match(subject=subject, cases=cases):
                yield from self._expression(subject, names)
                branches = [
                    {"condition": ast.unparse(case.pattern), "nodes": self._block(case.body, names)} for case in cases
                ]
                if any(branch["nodes"] for branch in branches):
                    yield {"type": "switch", "discriminant": ast.unparse(subject), "branches": branches}
            case ast.Break():
                yield {"type": "break", "kind": "break"}
            case ast.Return(value=value):
                yield from self._expression(value, names)
                yield {"type": "break", "kind": "return"}
            case _:
                for child in ast.iter_child_nodes(node):
                    if isinstance(child, ast.expr):
                        yield from self._expression(child, names)

    def _define(self, node: Function, names: _Names) -> None:
        for decorator in node.decorator_list:
            if isinstance(decorator, ast.Call) and self._primitive(decorator.func, names) == "do":
                names.steps[node.name] = self._do(decorator, node, names)
                return
        names.functions[node.name] = node

    def _if(self, node: ast.If, names: _Names) -> Iterator[Node]:
        branches: list[Node] = []
        rest: list[ast.stmt] = [node]
        while len(rest) == 1 and isinstance(rest[0], ast.If):
            one = rest[0]
            yield from self._expression(one.test, names)
            branches.append({"condition": ast.unparse(one.test), "nodes": self._block(one.body, names)})
            rest = one.orelse
        if rest:
            branches.append({"condition": None, "nodes": self._block(rest, names)})
        if any(branch["nodes"] for branch in branches):
            yield {"type": "if", "branches": branches}

    def _try(self, node: ast.Try | ast.TryStar, names: _Names) -> Iterator[Node]:
        tried = [*self._block(node.body, names), *self._block(node.orelse, names)]
        caught = [found for handler in node.handlers for found in self._block(handler.body, names)]
        parts = {"try_block": tried, "catch_block": caught, "finally_block": self._block(node.finalbody, names)}
        if any(parts.values()):
            blocks = {name: {"type": "block", "nodes": nodes} if nodes else None for name, nodes in parts.items()}
            yield {"type": "try", **blocks}

    # -- expressions -------------------------------------------------------------------------------------------------

    def _expression(self, node: ast.expr | None, names: _Names) -> Iterator[Node]:
        if isinstance(node, ast.Call):
            yield from self._call(node, names)
        elif node is not None and not isinstance(node, ast.Lambda):
            children = [
                child for child in ast.iter_child_nodes(node) if isinstance(child, ast.expr | ast.comprehension)
            ]
            found = [one for child in children for one in self._child(child, names)]
            is_loop = isinstance(node, ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp)
            yield from _unless_empty({"type": "loop", "nodes": found}) if is_loop else found

    def _child(self, node: ast.expr | ast.comprehension, names: _Names) -> Iterator[Node]:
        if isinstance(node, ast.comprehension):
            for part in (node.iter, *node.ifs):
                yield from self._expression(part, names)
        else:
            yield from self._expression(node, names)

    def _call(self, node: ast.Call, names: _Names) -> Iterator[Node]:
        called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        primitive = self._primitive(node.func, names)
        arguments = [*node.args, *(keyword.value for keyword in node.keywords)]
        if called in _TOGETHER:
            nodes = [found for argument in arguments for found in self._expression(argument, names)]
            yield from _unless_empty({"type": "parallel", "kind": _together(called, node), "nodes": nodes})
            return
        if primitive != "do":
            for argument in arguments:
                yield from self._expression(argument, names)
        if primitive in _SLEEPS:
            yield self._sleep(primitive, node, names)
        elif primitive in _WAITS:
            yield self._wait(node, names)
        elif isinstance(node.func, ast.Call) and self._primitive(node.func.func, names) == "do":
            yield self._do(node.func, None, names)
        elif isinstance(node.func, ast.Name) and called in names.steps:
            yield names.steps[called]
        elif primitive is None:
            yield from self._function_call(node.func, called, names)
            if not isinstance(node.func, ast.Name):
                yield from self._expression(node.func, names)

    def _function_call(self, func: ast.expr, called: str, names: _Names) -> Iterator[Node]:
        """A call of a function of the Worker that makes steps: a node, and the function stands beside the graph."""
        function, module = self._function(func, called, names)
        if function is None:
            return
        if called not in self._called:
            self._called.add(called)
            inner = _Names(module, dict(names.steps), dict(names.functions), names.step_names)
            nodes = _open_ended(self._block(function.body, inner))
            if nodes:
                self.functions[called] = {"name": called, "type": "function_def", "nodes": nodes}
        if called in self.functions:
            yield {"type": "function_call", "name": called}

    def _function(self, func: ast.expr, called: str, names: _Names) -> tuple[Function | None, Module]:
        match func:
            case ast.Name() if called in names.functions:
                return names.functions[called], names.module
            case ast.Name():
                found = names.module.find(called)
                if found is not None and isinstance(found[0], Function):
                    return found[0], found[1]
            case ast.Attribute(value=ast.Name(id="self" | "cls")) if called in self._klass.methods:
                return self._klass.methods[called]
        return None, names.module

    # -- steps -------------------------------------------------------------------------------------------------------

    def _primitive(self, func: ast.expr, names: _Names) -> str | None:
        """The name of a method of the step object; None for any other function."""
        if isinstance(func, ast.Attribute) and ast.unparse(func.value) in names.step_names:
            return func.attr
        return None

    def _name(self, node: ast.Call, names: _Names) -> str:
        written = node.args[0] if node.args else _keyword(node, "name")
        constants = {**names.module.constants, **self._klass.constants}
        return "" if written is None else read_name(written, constants).text

    def _do(self, call: ast.Call, function: Function | None, names: _Names) -> Node:
        name = self._name(call, names) or ("" if function is None else function.name)
        inner = (
            [] if function is None else self._block(function.body, _Names(names.module, step_names=names.step_names))
        )
        inner = [one for one in inner if one["type"] != "break"]
        return {"type": "step_do", "name": name, "config": _config(_keyword(call, "config"), names), "nodes": inner}

    def _sleep(self, primitive: str, node: ast.Call, names: _Names) -> Node:
        given = node.args[1] if len(node.args) > 1 else node.keywords[-1].value if node.keywords else None
        written = "" if given is None else _written(given)
        kind = _SLEEPS[primitive]
        length = {"duration": written} if kind == "step_sleep" else {"timestamp": str(written)}
        return {"type": kind, "name": self._name(node, names), **length}

    def _wait(self, node: ast.Call, names: _Names) -> Node:
        given = node.args[1] if len(node.args) > 1 else _keyword(node, "event_type") or _keyword(node, "type")
        timeout = _keyword(node, "timeout")
        options = {
            "event_type": "" if given is None else str(_written(given)),
            "timeout": _DEFAULT_WAIT if timeout is None else _written(timeout),
        }
        return {"type": "step_wait_for_event", "name": self._name(node, names), "options": options}


def _open_ended(nodes: list[Node]) -> list[Node]:
    """The nodes of a function without the return at its end."""
    return nodes[:-1] if nodes[-1:] == [{"type": "break", "kind": "return"}] else nodes


def _unless_empty(node: Node) -> list[Node]:
    return [node] if node["nodes"] else []


def _together(called: str, node: ast.Call) -> str:
    """How the platform calls it that several run together."""
    if called == "gather":
        settled = _keyword(node, "return_exceptions")
        return "all_settled" if isinstance(settled, ast.Constant) and settled.value is True else "all"
    when = _keyword(node, "return_when")
    return "race" if when is not None and "FIRST_COMPLETED" in ast.unparse(when) else _TOGETHER[called]


def _keyword(node: ast.Call, name: str) -> ast.expr | None:
    return next((keyword.value for keyword in node.keywords if keyword.arg == name), None)


def _written(node: ast.expr) -> int | float | str:
    """A duration, a time or a type: its value where the source says it, and else as it is written."""
    if isinstance(node, ast.Constant) and isinstance(node.value, int | float | str):
        return node.value
    return ast.unparse(node)


def _config(node: ast.expr | None, names: _Names) -> Node:
    """A step's configuration with the defaults, where the source says it; the defaults where only a run would."""
    if isinstance(node, ast.Name):
        node = next((one.value for one in names.module.tree.body if _assigns(one, node.id)), None)  # type: ignore[attr-defined]
    try:
        merged = read_config(None if node is None else ast.literal_eval(node)).merged
    except (ValueError, TypeError, InvalidStepConfigError):
        merged = read_config(None).merged
    retries = merged["retries"]
    return {
        "retries": {name: retries.get(name) for name in ("limit", "delay", "backoff")},
        "timeout": merged["timeout"],
    }


def _assigns(node: ast.stmt, name: str) -> bool:
    return isinstance(node, ast.Assign) and any(isinstance(one, ast.Name) and one.id == name for one in node.targets)
