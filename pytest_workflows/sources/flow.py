"""The control flow of a workflow's `run`, walked as it is written: which step may come right after which.

A walk holds a frontier: the steps that may have come last. Any of them may precede the next step. Branches each start
from the same frontier and end in the union of theirs; a loop's body is walked twice, so that its end leads to its
beginning. Helpers of the class and of files beside it are walked where they are called.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from durable_engine import StepKind

from .model import START, SourceStep
from .modules import Function, Module
from .names import StepName, read_name

Frontier = tuple[int, ...]

_PRIMITIVES: dict[str, StepKind] = {
    "do": "do",
    "sleep": "sleep",
    "sleep_until": "sleep",
    "sleepUntil": "sleep",
    "wait_for_event": "wait_for_event",
    "waitForEvent": "wait_for_event",
}
_TOGETHER = frozenset({"gather", "wait", "as_completed"})
_IN_BACKGROUND = frozenset({"create_task", "ensure_future"})


@dataclass
class Klass:
    """A workflow's class with what it inherits.

    Attributes:
        methods: Its methods by name, with the files that they stand in.
        constants: Texts by the names that they have in the class: `self.NAME`.
    """

    methods: dict[str, tuple[Function, Module]]
    constants: dict[str, str]


@dataclass
class FoundStep:
    """A step as far as it is known by now.

    Attributes:
        kind: What it is.
        name: Its name, as far as the source says it.
        file: Where it is declared.
        line: The line in that file.
        function: Its callback; None where that is not known.
        scope: The names that the callback sees.
        dependencies: The names of the steps whose results the callback takes.
        depends: Which steps these are.
        after: The steps that it may come right after.
    """

    kind: StepKind
    name: StepName
    file: str
    line: int
    function: ast.expr | Function | None = None
    scope: Scope | None = None
    dependencies: list[str] = field(default_factory=list)
    depends: dict[int, None] = field(default_factory=dict)
    after: dict[int, None] = field(default_factory=dict)

    def freeze(self) -> SourceStep:
        """The step as a frozen record."""
        named = isinstance(self.function, Function)
        return SourceStep(
            kind=self.kind,
            name=self.name,
            file=self.file,
            line=self.line,
            function=self.function.name if named else None,  # type: ignore[union-attr]  # named says so
            depends=tuple(self.depends),
            after=tuple(self.after),
        )


Bound = int | tuple[Function, "Scope"] | None
"""A step, or a function with the scope around it; None hides what the name means further out."""


@dataclass(eq=False)
class Scope:
    """The names of one function's call.

    Attributes:
        module: The file that it stands in.
        parent: The function around it.
        bound: Steps and functions by the names that they have there.
        constants: Texts by the names that they have there.
        step_names: The names of the step object.
        returns: After which steps it may return.
        loops: For each loop around what is walked, after which steps `break` and `continue` may come.
        pending: What was called and not awaited yet: before which steps, and after which.
    """

    module: Module
    parent: Scope | None = None
    bound: dict[str, Bound] = field(default_factory=dict)
    constants: dict[str, str] = field(default_factory=dict)
    step_names: set[str] = field(default_factory=set)
    returns: list[Frontier] = field(default_factory=list)
    loops: list[tuple[list[Frontier], list[Frontier]]] = field(default_factory=list)
    pending: list[tuple[Frontier, Frontier]] = field(default_factory=list)

    def find(self, name: str) -> Bound:
        """The value that a name is bound to, from the inside out."""
        scope: Scope | None = self
        while scope is not None:
            if name in scope.bound:
                return scope.bound[name]
            scope = scope.parent
        return None

    def is_step(self, node: ast.expr) -> bool:
        """Whether an expression is the step object."""
        written = ast.unparse(node)
        scope: Scope | None = self
        while scope is not None:
            if written in scope.step_names:
                return True
            scope = scope.parent
        return False

    def texts(self, klass: Klass) -> dict[str, str]:
        """The texts that have names here."""
        outer = {**self.module.constants, **klass.constants} if self.parent is None else self.parent.texts(klass)
        return {**outer, **self.constants}


class Walk:
    """One walk through a class.

    Args:
        klass: The class.

    Attributes:
        steps: The steps that were met, in order.
    """

    def __init__(self, klass: Klass) -> None:
        self.steps: list[FoundStep] = []
        self._klass = klass
        self._by_name: dict[tuple[str, str], int] = {}
        self._visited: list[int] = []
        self._done: set[int] = set()
        self._stack: list[Function] = []
        self._walked: set[Function] = set()
        self._declared: list[tuple[Function, Scope]] = []

    def walk_run(self) -> Frontier:
        """Walk through `run`, and then through functions that nothing was seen to call.

        Returns:
            The steps after which `run` may return.
        """
        run, module = self._klass.methods["run"]
        arguments = [argument.arg for argument in run.args.args]
        scope = Scope(module, step_names=set(arguments[2:3]) | {"step"})
        ends = self._function(run, (START,), scope)
        for method, module in self._klass.methods.values():
            if method not in self._walked and "step" in {argument.arg for argument in method.args.args}:
                self._function(method, (), Scope(module, step_names={"step"}))
        while self._declared:
            function, scope = self._declared.pop(0)
            if function not in self._walked:
                self._function(function, (), scope)
        return ends

    def _function(self, node: Function, frontier: Frontier, scope: Scope) -> Frontier:
        if node in self._stack:
            return frontier
        self._walked.add(node)
        self._stack.append(node)
        after = self._block(node.body, frontier, scope)
        self._stack.pop()
        return union(after, *scope.returns)

    # -- statements --------------------------------------------------------------------------------------------------

    def _block(self, body: Iterable[ast.stmt], frontier: Frontier, scope: Scope) -> Frontier:
        for node in body:
            frontier = self._statement(node, frontier, scope)
        return frontier

    def _statement(self, node: ast.stmt, frontier: Frontier, scope: Scope) -> Frontier:
        match node:
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                self._define(node, scope)
            case ast.Return(value=value):
                scope.returns.append(self._expression(value, frontier, scope))
                return ()
            case ast.Raise():
                self._expression(node.exc, frontier, scope)
                return ()
            case ast.Break() | ast.Continue():
                if scope.loops:
                    scope.loops[-1][isinstance(node, ast.Continue)].append(frontier)
                return ()
            case ast.If(test=test, body=body, orelse=orelse):
                frontier = self._expression(test, frontier, scope)
                return self._branches([body, orelse], frontier, scope)
            case ast.Match(subject=subject, cases=cases):
                return self._match(cases, self._expression(subject, frontier, scope), scope)
            case ast.For() | ast.AsyncFor() | ast.While():
                return self._loop(node, frontier, scope)
            case ast.Try() | ast.TryStar():
                return self._try(node, frontier, scope)
            case ast.With(items=items, body=body) | ast.AsyncWith(items=items, body=body):
                for item in items:
                    frontier = self._expression(item.context_expr, frontier, scope)
                return self._join(self._block(body, frontier, scope), scope)
            case ast.Assign(targets=[target], value=value):
                return self._assign(target, value, frontier, scope)
            case ast.AnnAssign(target=target, value=value):
                return frontier if value is None else self._assign(target, value, frontier, scope)
            case ast.ClassDef():
                pass
            case _:
                for child in ast.iter_child_nodes(node):
                    if isinstance(child, ast.expr):
                        frontier = self._expression(child, frontier, scope)
        return frontier

    def _branches(self, bodies: Sequence[Iterable[ast.stmt]], frontier: Frontier, scope: Scope) -> Frontier:
        before, ends, done = set(self._done), [], set(self._done)
        for body in bodies:
            self._done = set(before)
            ends.append(self._block(body, frontier, scope))
            done |= self._done
        self._done = done
        return union(*ends)

    def _match(self, cases: list[ast.match_case], frontier: Frontier, scope: Scope) -> Frontier:
        bodies: list[list[ast.stmt]] = [case.body for case in cases]
        catches_all = any(
            isinstance(case.pattern, ast.MatchAs) and case.pattern.pattern is None and case.guard is None
            for case in cases
        )
        return self._branches(bodies if catches_all else [*bodies, []], frontier, scope)

    def _loop(self, node: ast.For | ast.AsyncFor | ast.While, frontier: Frontier, scope: Scope) -> Frontier:
        head = node.test if isinstance(node, ast.While) else node.iter
        endless = isinstance(head, ast.Constant) and bool(head.value)
        breaks: list[Frontier] = []
        continues: list[Frontier] = []
        scope.loops.append((breaks, continues))
        before = after = self._expression(head, frontier, scope)
        for _ in range(2):
            if isinstance(node, ast.While):
                after = self._expression(head, after, scope)
            after = union(self._block(node.body, after, scope), *continues)
        scope.loops.pop()
        through = () if endless else self._block(node.orelse, union(before, after), scope)
        return union(through, *breaks)

    def _try(self, node: ast.Try | ast.TryStar, frontier: Frontier, scope: Scope) -> Frontier:
        seen = len(self._visited)
        after = self._block(node.body, frontier, scope)
        # Any step of the body may be the one that failed.
        failed = union(self._visited[seen:]) or frontier
        after = self._block(node.orelse, after, scope)
        handled = self._branches([handler.body for handler in node.handlers], failed, scope)
        after = union(after, handled)
        if not node.finalbody:
            return after
        self._block(node.finalbody, failed, scope)
        return self._block(node.finalbody, after, scope)

    def _assign(self, target: ast.expr, value: ast.expr, frontier: Frontier, scope: Scope) -> Frontier:
        written = ast.unparse(target)
        if scope.is_step(value):
            _root(scope).step_names.add(written)
            return frontier
        bound = self._callable(value, scope)
        if bound is not None:
            scope.bound[written] = bound
            return frontier
        scope.constants.pop(written, None)
        if isinstance(value, ast.Constant) and isinstance(value.value, str):
            scope.constants[written] = value.value
        return self._expression(value, frontier, scope)

    def _define(self, node: Function, scope: Scope) -> None:
        for decorator in node.decorator_list:
            if isinstance(decorator, ast.Call) and self._primitive(decorator.func, scope) == "do":
                scope.bound[node.name] = self._declare(decorator, node, scope)
                return
        scope.bound[node.name] = (node, scope)
        self._declared.append((node, Scope(scope.module, scope)))

    # -- expressions -------------------------------------------------------------------------------------------------

    def _expression(self, node: ast.expr | None, frontier: Frontier, scope: Scope) -> Frontier:
        match node:
            case None | ast.Lambda() | ast.Constant():
                return frontier
            case ast.Call():
                return self._call(node, frontier, scope)
            case ast.Await(value=value):
                after = self._expression(value, frontier, scope)
                return self._join(after, scope) if after == frontier else after
            case ast.Name(id=name):
                bound = scope.find(name)
                return self._step(bound, frontier, scope) if isinstance(bound, int) else frontier
            case ast.IfExp(test=test, body=body, orelse=orelse):
                frontier = self._expression(test, frontier, scope)
                return union(*(self._expression(branch, frontier, scope) for branch in (body, orelse)))
            case ast.BoolOp(values=values):
                frontiers = [self._expression(values[0], frontier, scope)]
                for value in values[1:]:
                    frontiers.append(self._expression(value, frontiers[-1], scope))
                return union(*frontiers)
            case ast.ListComp() | ast.SetComp() | ast.GeneratorExp() | ast.DictComp():
                return self._comprehension(node, frontier, scope)
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.expr):
                frontier = self._expression(child, frontier, scope)
        return frontier

    def _comprehension(
        self, node: ast.ListComp | ast.SetComp | ast.GeneratorExp | ast.DictComp, frontier: Frontier, scope: Scope
    ) -> Frontier:
        for generator in node.generators:
            frontier = self._expression(generator.iter, frontier, scope)
        parts = [node.key, node.value] if isinstance(node, ast.DictComp) else [node.elt]
        after = frontier
        for part in [*(test for generator in node.generators for test in generator.ifs), *parts]:
            after = self._expression(part, after, scope)
        return union(frontier, after)

    def _call(self, node: ast.Call, frontier: Frontier, scope: Scope) -> Frontier:
        called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        kind = self._primitive(node.func, scope)
        if kind == "do":
            return frontier  # declared here, run where it is called
        if kind is not None:
            return self._step(self._declare(node, None, scope), self._arguments(node, frontier, scope), scope)
        if called in _IN_BACKGROUND:
            scope.pending.append((frontier, self._arguments(node, frontier, scope)))
            return frontier
        if called in _TOGETHER:
            each = [self._expression(argument, frontier, scope) for argument in node.args]
            moved = union(*(after for after in each if after != frontier))
            return moved or self._join(frontier, scope)
        bound = self._callable(node.func, scope)
        if isinstance(bound, int):
            return self._step(bound, frontier, scope)
        own = self._callable(node, scope)
        if isinstance(own, int):
            return self._step(own, frontier, scope)  # handed to something that will call it
        frontier = self._arguments(node, frontier, scope)
        if bound is None:
            return self._expression(node.func, frontier, scope)
        function, outer = bound
        return self._function(function, frontier, self._enter(function, node, outer, scope))

    def _arguments(self, node: ast.Call, frontier: Frontier, scope: Scope) -> Frontier:
        for argument in [*node.args, *(keyword.value for keyword in node.keywords)]:
            frontier = self._expression(argument, frontier, scope)
        return frontier

    def _enter(self, function: Function, call: ast.Call, outer: Scope, caller: Scope) -> Scope:
        """The scope of a helper's body: what the call hands over has the names of the helper's parameters there."""
        inner = Scope(outer.module, outer)
        names = [argument.arg for argument in function.args.args]
        if isinstance(call.func, ast.Attribute):
            names = names[1:]
        given = [*zip(names, call.args, strict=False), *((word.arg or "", word.value) for word in call.keywords)]
        texts = caller.texts(self._klass)
        for name, value in given:
            if caller.is_step(value):
                inner.step_names.add(name)
            elif isinstance(value, ast.Constant) and isinstance(value.value, str):
                inner.constants[name] = value.value
            elif ast.unparse(value) in texts:
                inner.constants[name] = texts[ast.unparse(value)]
        return inner

    def _callable(self, node: ast.expr, scope: Scope) -> Bound:
        """The step or function that an expression stands for, if it does."""
        match node:
            case ast.Name(id=name):
                bound = scope.find(name)
                if bound is None:
                    found = scope.module.find(name)
                    if found is not None and isinstance(found[0], Function):
                        return found[0], Scope(found[1])
                return bound
            case ast.Attribute(value=ast.Name(id="self" | "cls"), attr=name) if name in self._klass.methods:
                method, module = self._klass.methods[name]
                return method, Scope(module, step_names=_root(scope).step_names - {"step"})
            case ast.Attribute():
                return scope.find(ast.unparse(node))
            case ast.Call(func=ast.Call(func=func) as declaration, args=[function, *_]):
                if self._primitive(func, scope) == "do":
                    return self._declare(declaration, function, scope)
        return None

    def _primitive(self, node: ast.expr, scope: Scope) -> StepKind | None:
        if isinstance(node, ast.Attribute) and node.attr in _PRIMITIVES and scope.is_step(node.value):
            return _PRIMITIVES[node.attr]
        return None

    # -- steps -------------------------------------------------------------------------------------------------------

    def _declare(self, call: ast.Call, function: ast.expr | Function | None, scope: Scope) -> int:
        assert isinstance(call.func, ast.Attribute)
        kind = _PRIMITIVES[call.func.attr]
        words = {keyword.arg: keyword.value for keyword in call.keywords}
        written = call.args[0] if call.args else words.get("name")
        if written is not None:
            name = read_name(written, scope.texts(self._klass))
        else:
            name = StepName(getattr(function, "name", None) or getattr(function, "id", None) or "step")
        key = (kind, name.text)
        if key not in self._by_name:
            self._by_name[key] = len(self.steps)
            self.steps.append(FoundStep(kind, name, str(scope.module.path), call.lineno))
        step = self.steps[self._by_name[key]]
        if function is not None:
            step.function, step.scope = function, scope
            step.dependencies = _dependencies(function, words.get("depends"))
        return self._by_name[key]

    def _step(self, index: int, frontier: Frontier, scope: Scope) -> Frontier:
        step = self.steps[index]
        before = frontier
        needed = [self._dependency(name, step.scope or scope) for name in step.dependencies]
        depends = [bound for bound in needed if isinstance(bound, int) and bound != index]
        step.depends.update(dict.fromkeys(depends))
        fresh = [bound for bound in depends if bound not in self._done]
        known = [bound for bound in depends if bound in self._done]
        self._done.add(index)
        if fresh:
            frontier = union(known, *(self._step(bound, before, scope) for bound in fresh))
        elif known and self._age(known) > self._age(frontier):
            frontier = union(known)  # a dependency shared with another step, which was asked for first
        step.after.update(dict.fromkeys(frontier))
        self._visited.append(index)
        return self._callback(index, step, frontier)

    def _dependency(self, name: str, scope: Scope) -> Bound:
        """The step that a parameter names: by its binding, or by its own name."""
        bound = scope.find(name)
        return self._by_name.get(("do", name)) if bound is None else bound

    def _age(self, frontier: Iterable[int]) -> int:
        """The time at which the newest of these steps was met last."""
        newest = [at for at, index in enumerate(self._visited) if index in set(frontier)]
        return newest[-1] if newest else -1

    def _callback(self, index: int, step: FoundStep, before: Frontier) -> Frontier:
        """Walk through a callback, which may make steps of its own; they begin before it ends."""
        if not isinstance(step.function, Function) or step.scope is None:
            return (index,)
        seen = len(self._visited)
        scope = Scope(step.scope.module, step.scope)
        scope.bound.update((argument.arg, None) for argument in step.function.args.args)
        inner = self._function(step.function, before, scope)
        return union((index,), inner) if len(self._visited) > seen else (index,)

    def _join(self, frontier: Frontier, scope: Scope) -> Frontier:
        """Join started steps at an await of something that is not called here: it may await any of them."""
        for base, after in scope.pending:
            if after != base:
                frontier = union((one for one in frontier if one not in base), after)
        scope.pending.clear()
        return frontier


def union(*frontiers: Iterable[int]) -> Frontier:
    """The union of frontiers, each step once."""
    return tuple(dict.fromkeys(index for frontier in frontiers for index in frontier))


def _root(scope: Scope) -> Scope:
    while scope.parent is not None:
        scope = scope.parent
    return scope


def _dependencies(function: ast.expr | Function, depends: ast.expr | None) -> list[str]:
    if isinstance(depends, ast.List | ast.Tuple):
        return [ast.unparse(element) for element in depends.elts]
    if not isinstance(function, Function):
        return []
    return [argument.arg for argument in function.args.args if argument.arg != "ctx"]
