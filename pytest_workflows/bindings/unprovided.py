"""Detection of unprovided uses: things that a Worker uses and nobody provides, with the code and its place."""

from __future__ import annotations

import ast
from collections.abc import Callable
from pathlib import Path
from types import FrameType

from durable_engine import acting_scope, current_scope, shown_path
from pytest_workflows.active_test import Caller, running_handler
from pytest_workflows.errors import MissingNameError, UnprovidedError
from pytest_workflows.sources.syntax import source_file
from pytest_workflows.sources.worker_code import Sources

from .callers import caller_of_task, caller_of_thread


class UseNoter:
    """A keeper of uses by a Worker's code, in a workflow, in a handler or where its module is imported.

    Args:
        sources: The Worker's sources.
        root: The folder that places are shown from.
        keep: Called with each use.
    """

    def __init__(self, sources: Sources, root: Path, keep: Callable[[UnprovidedError], None]) -> None:
        self._sources = sources
        self._root = root
        self._keep = keep

    def caller(self) -> Caller:
        """The running code: that of the nearest frame, or where a library runs alone, of the code that let it run."""
        frame = self._sources.user_frame()
        if frame is not None:
            return Caller(self._sources.is_workers(frame.f_code), self._place(frame))
        return caller_of_thread() or caller_of_task() or Caller(_is_in_worker())

    def note(self, error: UnprovidedError, caller: Caller | None) -> None:
        """Keep a use, if it is by a Worker's code or by a fake that this called."""
        if isinstance(error, MissingNameError) and not self._is_use_of_name():
            return
        caller = caller or self.caller()
        if caller.is_workers or _is_in_worker(fakes=True):
            scope = current_scope.get()
            error.place = caller.place
            error.step = None if scope is None or scope.step is None else scope.step.label
            self._keep(error)

    def _is_use_of_name(self) -> bool:
        """Whether the Worker itself reads a name that is not there, and does not say what to do in that case."""
        frame = self._sources.user_frame(through_libraries=False)
        return frame is not None and self._sources.is_workers(frame.f_code) and not _expects_absence(frame)

    def _place(self, frame: FrameType) -> str:
        return f"{shown_path(frame.f_code.co_filename, self._root)}:{frame.f_lineno}"


def _is_in_worker(*, fakes: bool = False) -> bool:
    """Whether the running code belongs to a workflow or a handler, its fakes left out or not."""
    scope = current_scope.get()
    if scope is not None:
        return fakes or acting_scope() is not None
    return running_handler.get() is not None


def _expects_absence(frame: FrameType) -> bool:
    """Whether a line stands in a `try` that has an `except` for names that are not there."""
    source = source_file(frame.f_code.co_filename)
    statement = None if source is None else source.statement_at(frame.f_lineno)
    if source is None or statement is None:
        return False
    inner: ast.AST = statement
    for node in source.parents(statement):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            return False
        if isinstance(node, ast.Try) and inner in node.body and any(map(_is_for_absence, node.handlers)):
            return True
        inner = node
    return False


def _is_for_absence(handler: ast.ExceptHandler) -> bool:
    kinds = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    return any(isinstance(kind, ast.Name) and kind.id == "AttributeError" for kind in kinds)
