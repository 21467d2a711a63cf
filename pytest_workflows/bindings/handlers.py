"""The Worker's handlers, found in its main module and called as the platform calls them.

Source: workers-runtime-sdk 1.9.5; observed with workerd 1.20261117.1: `queue`, `scheduled`, `email` and `tail` get
exactly three arguments, in a class with None for `env` and `ctx`; `fetch` gets as many as it takes. A function such as
`on_fetch` gets JavaScript's objects, which the decorator `handler` wraps.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any, NamedTuple

from durable_engine import hide_frames
from pytest_workflows.errors import WorkflowConfigError
from pytest_workflows.standins.handler_calls import as_many_as_taken, finish, takes

if TYPE_CHECKING:
    from types import ModuleType

    from pytest_workflows.project.worker_project import Project
    from pytest_workflows.workers.context import ExecutionContext

hide_frames(__file__)

_ARGUMENTS = {
    "scheduled": "controller, env, ctx",
    "queue": "batch, env, ctx",
    "email": "message, env, ctx",
    "tail": "events, env, ctx",
}
"""The arguments of each handler of which the platform leaves out none."""


class HandlerArgumentsError(TypeError):
    """A handler takes other arguments than the platform gives it, which is a plain TypeError there.

    Args:
        place: The handler's file and line.
        problem: What it takes, and what to write.

    Attributes:
        place: As given.
        problem: As given.
    """

    def __init__(self, place: tuple[str, int], problem: str) -> None:
        super().__init__(f"{place[0]}:{place[1]}: {problem}")
        self.place, self.problem = place, problem


HandlerArgumentsError.__module__, HandlerArgumentsError.__qualname__ = "builtins", "TypeError"


class FoundHandler(NamedTuple):
    """A handler of the Worker.

    Attributes:
        kind: `fetch`, `queue`, `scheduled`, `email` or `tail`.
        function: The method of an entrypoint's object, or the function.
        is_method: Whether it is a method.
    """

    kind: str
    function: Callable[..., Any]
    is_method: bool


class Handlers:
    """The handlers of a Worker.

    Args:
        project: The Worker's project; None where no configuration was found.
        context: Gives a `ctx` for a call, of the caller's `props` where it has any.
        warn: Reports a finding: its rule, the problem and the place.
        inside: Gives a block in which the Worker's code runs.
    """

    def __init__(
        self,
        project: Project | None,
        context: Callable[..., ExecutionContext],
        warn: Callable[[str, str, tuple[str, int]], None],
        inside: Callable[[], AbstractContextManager[None]],
    ) -> None:
        self._project = project
        self.context = context
        self._warn = warn
        self._inside = inside

    def entrypoint(self, name: str | type | None) -> type | None:
        """A class of the main module: the default entrypoint for None; None where there is no such class.

        Args:
            name: Its name; a class is itself.
        """
        if isinstance(name, type):
            return name
        if self._project is None:
            return None
        found = getattr(self._project.load_main(), name or "Default", None)
        return found if inspect.isclass(found) else None

    def has(self, kind: str, entrypoint: str | type | None = None) -> bool:
        """Whether there is a handler of a kind.

        Args:
            kind: `fetch`, `queue`, `scheduled`, `email` or `tail`.
            entrypoint: The class, or its name; None for the default one.
        """
        if hasattr(self.entrypoint(entrypoint), kind):
            return True
        return entrypoint is None and self._project is not None and hasattr(self._project.load_main(), f"on_{kind}")

    def find(self, kind: str, entrypoint: str | type | None = None) -> FoundHandler:
        """A handler, of a new object of its class where it is a method.

        Args:
            kind: `fetch`, `queue`, `scheduled`, `email` or `tail`.
            entrypoint: The class, or its name; None for the default one.

        Raises:
            WorkflowConfigError: If there is none.
        """
        cls = self.entrypoint(entrypoint)
        if cls is not None and (entrypoint is not None or hasattr(cls, kind)):
            method = getattr(self.make(cls), kind, None)
            if method is not None:
                return FoundHandler(kind, method, is_method=True)
        if isinstance(entrypoint, type):
            raise WorkflowConfigError(f"The class `{entrypoint.__name__}` has no {kind} handler. Add one.")
        project = self._project
        if project is None:
            raise WorkflowConfigError(f"Without a wrangler configuration there is no {kind} handler.")
        module = project.load_main()
        if entrypoint is not None and cls is None:
            raise WorkflowConfigError(f"{module.__file__} has no class `{entrypoint}`.")
        if entrypoint is not None:
            raise WorkflowConfigError(f"The class `{entrypoint}` of {module.__file__} has no {kind} handler. Add one.")
        function = getattr(module, f"on_{kind}", None)
        if function is None:
            raise WorkflowConfigError(
                f"{module.__file__} has no {kind} handler: neither a class `Default` with a method `{kind}`, nor a "
                f"function `on_{kind}`. Add one{_instead(project)}."
            )
        self._check_function(project, kind, function)
        return FoundHandler(kind, function, is_method=False)

    def _check_function(self, project: Project, kind: str, function: Callable[..., Any]) -> None:
        """Report a function that the platform never calls at the Worker's compatibility date."""
        from pytest_workflows.project.wrangler import ignores_functions

        if ignores_functions(project.config):
            code = inspect.unwrap(function).__code__
            self._warn(
                "ignored-handler",
                f"the function `on_{kind}` is no handler at the Worker's compatibility date",
                (code.co_filename, code.co_firstlineno),
            )

    def make(self, cls: Any, props: Any = None) -> Any:
        """An object of an entrypoint's class, as each call gets one.

        Args:
            cls: The class.
            props: What its `ctx.props` is.
        """
        from pytest_workflows.workers import env

        with self._inside():
            return cls(self.context(props), env)

    def make_named(self, name: str | type | None, props: Any = None) -> Any:
        """An entrypoint, as each call gets one.

        Args:
            name: The class, or its name; None for the default entrypoint, which may be functions such as `on_fetch`.
            props: What its `ctx.props` is.

        Raises:
            WorkflowConfigError: If there is none.
        """
        cls = self.entrypoint(name)
        if cls is not None:
            return self.make(cls, props)
        if name is None and self._project is not None:
            return _Functions(
                self._project.load_main(), self.context(props), functools.partial(self._check_function, self._project)
            )
        raise WorkflowConfigError(f"The Worker has no entrypoint {name or 'Default'!r}.")

    async def call(
        self, handler: FoundHandler, argument: object, *, answered: Callable[[Any], object] = lambda result: None
    ) -> Any:
        """Call a handler, and await what it returns and what it gave to `waitUntil`.

        Args:
            handler: The handler.
            argument: Its first argument, of JavaScript for all but `fetch`.
            answered: Called with what it returns, before the rest is awaited.
        """
        __tracebackhide__ = True
        from pytest_workflows.workers.context import background_of_call

        with self._inside(), background_of_call() as background:
            given = handler.function(*self._arguments(handler, argument))
            result = await given if inspect.isawaitable(given) else given
            answered(result)
            await finish(background, f"the {handler.kind} handler")
        return result

    def _arguments(self, handler: FoundHandler, argument: object) -> tuple[object, ...]:
        from pytest_workflows.workers.binding_wrappers import BindingWrapper
        from pytest_workflows.workers.environment import env

        given: tuple[object, ...]
        if not handler.is_method:
            given = _raw(argument, self.context())
        elif handler.kind == "fetch":
            given = (argument, env, self.context())
        else:
            given = (BindingWrapper(argument) if handler.kind == "queue" else argument, None, None)
        return as_many_as_taken(handler.function, given) if handler.kind == "fetch" else _all(handler, given)


def _instead(project: Project) -> str:
    """What a test of a Worker without the handler may have wanted."""
    workflows = project.config.workflows
    return (
        f", or call the workflow's binding itself: workflow_env.{workflows[0].binding}.create(...)" if workflows else ""
    )


class _Functions:
    """The default entrypoint of a Worker that has functions such as `on_fetch` in place of a class.

    Args:
        module: The Worker's main module.
        context: The `ctx` of the call.
        check: Told of each function that is called, with its kind.
    """

    def __init__(
        self, module: ModuleType, context: ExecutionContext, check: Callable[[str, Callable[..., Any]], None]
    ) -> None:
        self._module, self._context, self._check = module, context, check

    def __getattr__(self, name: str) -> Any:
        function = getattr(self._module, f"on_{name}", None)
        if function is None:
            raise AttributeError(name)
        self._check(name, function)

        def call(argument: Any, *_: Any) -> Any:
            return function(*as_many_as_taken(function, _raw(argument, self._context)))

        return call


def _raw(argument: Any, context: ExecutionContext) -> tuple[object, ...]:
    """The arguments of a handler that is a function: JavaScript's own objects."""
    from pytest_workflows.workers.environment import raw_env

    return getattr(argument, "js_object", argument), raw_env, context


def _all(handler: FoundHandler, arguments: tuple[object, ...]) -> tuple[object, ...]:
    """The arguments of a handler of which the platform leaves out none.

    Raises:
        TypeError: If it does not take them.
    """
    function: Any = handler.function
    if not takes(function, arguments):
        code = inspect.unwrap(function).__code__
        method = "self, " if handler.is_method else ""
        raise HandlerArgumentsError(
            (code.co_filename, code.co_firstlineno),
            f"the {handler.kind} handler takes {inspect.signature(function)}, and the platform always calls it with "
            f"three arguments. Write `async def {function.__name__}({method}{_ARGUMENTS[handler.kind]}):`.",
        )
    return arguments
