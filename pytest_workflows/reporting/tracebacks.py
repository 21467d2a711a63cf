"""Tracebacks of failing tests: frames of the test and the Worker, and ours only where we are to blame."""

from __future__ import annotations

import linecache
from collections.abc import Iterator
from types import TracebackType

import pytest

from pytest_workflows.errors import UnprovidedError


def hide_ours(error: BaseException) -> None:
    """Let pytest leave out our frames, for an error that is made to be read; `--full-trace` shows them still.

    Where no frame is the user's, as in what is raised when a test's call is over, all stays as it is.

    Args:
        error: The test's failure; its causes are treated as well.
    """
    seen: set[int] = set()
    now: BaseException | None = error
    while now is not None and id(now) not in seen:
        seen.add(id(now))
        steps = list(_steps(now.__traceback__))
        if isinstance(now, UnprovidedError):
            _cut_behind_users(steps)
        if any(map(_is_users, steps)):
            for step in steps:
                if _is_ours(step):
                    # pytest asks the globals of each frame's module, and takes a function for an answer.
                    step.tb_frame.f_globals.setdefault("__tracebackhide__", _is_deliberate)
        now = now.__cause__ or now.__context__


def _cut_behind_users(steps: list[TracebackType]) -> None:
    """Leave out the frames of a library that called us: the place where the Worker called it counts."""
    users = [step for step in steps if _is_users(step)]
    if users:
        users[-1].tb_next = None


def _is_deliberate(excinfo: pytest.ExceptionInfo[BaseException]) -> bool:
    """Whether an error was made to be read; one that our own code ran into is our mistake, and shows itself."""
    steps = list(_steps(excinfo.value.__traceback__))
    if not any(map(_is_users, steps)):
        return False
    last = steps[-1]
    line = linecache.getline(last.tb_frame.f_code.co_filename, last.tb_lineno).lstrip()
    return not _is_ours(last) or line.startswith("raise ")


def _steps(traceback: TracebackType | None) -> Iterator[TracebackType]:
    while traceback is not None:
        yield traceback
        traceback = traceback.tb_next


def _is_users(step: TracebackType) -> bool:
    from pytest_workflows.sources.code_owner import is_library

    return not is_library(step.tb_frame.f_code.co_filename)


def _is_ours(step: TracebackType) -> bool:
    from pytest_workflows.sources.code_owner import is_ours

    return is_ours(step.tb_frame.f_code.co_filename)
