"""Recorded errors as source of exceptions that show in history as the recorded ones do."""

from __future__ import annotations

import ast
import builtins
import re
from collections.abc import Iterator
from itertools import count

from pytest_workflows.recordings.format.model import ErrorRecord

from .layout import Group, Node, assigned, call
from .literals import Imports, text

_TIMED_OUT = re.compile(r"(Error: )?(WorkflowTimeoutError: )?Execution timed out after \d+ms")
_NON_RETRYABLE = re.compile(r'Step threw a NonRetryableError with message "(?:NonRetryableError: )?(.*)"\Z', re.DOTALL)
_RAISED = re.compile(r"(?P<name>[A-Za-z_][\w.<>]*)(?:: (?P<message>.*))?\Z", re.DOTALL)
_CODE = "  "
_FINAL = "NonRetryableError"
_OF_THE_TEST = (
    "StepFailedError UnknownValue binding datetime instance introspect_workflow_instance m params pytest unknown "
    "workflow_engine workflow_env workflow_worker"
)
_TAKEN = frozenset({_FINAL, *_OF_THE_TEST.split(), *dir(builtins)})


def is_timeout(error: ErrorRecord) -> bool:
    """Whether an attempt timed out."""
    return _TIMED_OUT.fullmatch(error.message.strip()) is not None


class Exceptions:
    """The exceptions of a test, and the classes that it has to make for them.

    Args:
        imports: Takes the names that it needs.

    Attributes:
        classes: The source of classes of the user's, by name.
    """

    def __init__(self, imports: Imports) -> None:
        self._imports = imports
        self.classes: dict[str, str] = {}

    def source(self, error: ErrorRecord) -> Node:
        """The source of an exception that the platform reports in the same words."""
        final = _non_retryable(error)
        if final is not None:
            return call(self._imports.use("workers.workflows", _FINAL), text(final))
        raised = _RAISED.match(_last_lines(error.message))
        if not error.message.startswith("PythonError: ") or raised is None:
            return _builtin(error.name, error.message) or call("Exception", text(error.message))
        name, message = raised["name"], raised["message"]
        return _builtin(name, message) or call(self._class(name), *([] if message is None else [text(message)]))

    def _class(self, name: str) -> str:
        # With its module and its name an exception shows as the recorded one does, whatever its own class asks for.
        module, _, qualified = name.rpartition(".")
        place = Group("{", (f'"__module__": {text(module or "builtins")}',), "}")
        made = call("type", text(qualified), "(Exception,)", place)
        # Classes of several libraries have one name, and some that of a builtin or of what the test itself uses.
        for short in _names(re.sub(r"\W", "_", qualified)):
            source = assigned(short, made, 0)
            if short not in _TAKEN and self.classes.setdefault(short, source) == source:
                return short
        raise AssertionError("there is no end of names")


def _names(name: str) -> Iterator[str]:
    yield name
    yield from (f"{name}_{number}" for number in count(2))


def _non_retryable(error: ErrorRecord) -> str | None:
    if error.name == _FINAL:
        return error.message.removeprefix(f"{_FINAL}: ")
    found = _NON_RETRYABLE.match(error.message)
    return None if found is None else found[1]


def _last_lines(message: str) -> str:
    """The end of a traceback: the exception's name and message, which may have several lines."""
    lines = message.removeprefix("PythonError: ").strip("\n").split("\n")
    last_frame = max((number for number, line in enumerate(lines) if line.startswith(_CODE)), default=-1)
    last_lines = lines[last_frame + 1 :]
    return "\n".join(line for number, line in enumerate(last_lines) if number or not line.startswith("Traceback "))


def _builtin(name: str, message: str | None) -> Node | None:
    found = getattr(builtins, name, None)
    if not isinstance(found, type) or not issubclass(found, Exception):
        return None
    if message is None:
        return call(name)
    if found is KeyError:
        try:
            return call("KeyError", _value(ast.literal_eval(message)))
        except (ValueError, SyntaxError):
            return None
    try:
        same = str(found(message)) == message
    except TypeError:
        return None
    return call(name, text(message)) if same else None


def _value(value: object) -> str:
    return text(value) if isinstance(value, str) else repr(value)
