"""Dependencies: the values that a step's callback is called with, in the two modes of the Python SDK.

Implicit: each parameter names a declared step. Legacy: `depends=[...]` lists them in order. `ctx` stands for the
attempt's context in both. Source: docs/reference/fidelity.md, "Dependencies".
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from types import FunctionType
from typing import Any

_VARIADIC = inspect.CO_VARARGS | inspect.CO_VARKEYWORDS


def parameters_of(function: Callable[..., Any]) -> list[str]:
    """The names of a callback's parameters; a builtin without a signature has none."""
    if type(function) is FunctionType and not (function.__dict__ or function.__code__.co_flags & _VARIADIC):
        # Most callbacks are plain functions, whose code object has the names at a fraction of the time.
        code = function.__code__
        return list(code.co_varnames[: code.co_argcount + code.co_kwonlyargcount])
    try:
        return list(inspect.signature(function).parameters)
    except ValueError:
        return []


def implicit(function: Callable[..., Any], declared: Mapping[str, Any]) -> dict[str, Any]:
    """The steps of the parameters, by name; `ctx` is left out.

    Raises:
        TypeError: If a parameter is no declared step.
    """
    found = {}
    for name in parameters_of(function):
        if name in declared:
            found[name] = declared[name]
        elif name != "ctx":
            error = TypeError(f"Received unexpected parameter {name}")
            error.add_note(_why_unexpected(name, declared))
            raise error
    return found


def _why_unexpected(name: str, declared: Mapping[str, Any]) -> str:
    """The reason that we add to the platform's text."""
    meant = [step for step, decorated in declared.items() if decorated.__name__ == name]
    if meant:
        return (
            f"A parameter is named after the step that it depends on, and not after the function: {name} is the step "
            f'{meant[-1]!r}. Name the step after the function, @step.do("{name}") or @step.do(), or use its result '
            "inside the callback as a variable of `run`."
        )
    known = ", ".join(map(repr, declared))
    return f"A parameter is named after the step that it depends on. Steps declared so far: {known}."


def explicit(function: Callable[..., Any], depends: Sequence[Any] | None) -> dict[str, Any]:
    """The listed steps in order, by the parameters' names; `ctx` is left out.

    Raises:
        TypeError: If the list does not fit the parameters.
    """
    names = [name for name in parameters_of(function) if name != "ctx"]
    if depends is None and names:
        raise TypeError(f"Step has {len(names)} non-ctx parameter(s) but no 'depends' list provided")
    if depends is not None and len(depends) != len(names):
        raise TypeError(f"Step declares {len(names)} non-ctx parameter(s) but 'depends' has {len(depends)} item(s)")
    for name, step in zip(names, depends or (), strict=True):
        if not hasattr(step, "_step_name"):
            raise TypeError(f"'depends' entry for parameter {name!r} is not a function decorated with step.do")
    return dict(zip(names, depends or (), strict=True))
