"""What a failing test's traceback shows: the test and the Worker, and nothing of ours but where we are to blame."""

from __future__ import annotations

import linecache
from collections.abc import Iterator
from types import FrameType, TracebackType

import pytest

_OURS = frozenset({"pytest_workflows", "durable_engine"})


def hide_ours(error: BaseException) -> None:
    """Let pytest leave out our frames, for an error that somebody is to read; `--full-trace` shows them still.

    Where no frame is the user's, as in what is raised when a test's call is over, all stays as it is.

    Args:
        error: What the test failed with; what it was caused by is looked at as well.
    """
    seen: set[int] = set()
    now: BaseException | None = error
    while now is not None and id(now) not in seen:
        seen.add(id(now))
        frames = list(_frames(now.__traceback__))
        if any(_is_users(frame) for frame in frames):
            for frame in frames:
                if _is_ours(frame):
                    # pytest asks the globals of each frame's module, and takes a function for an answer.
                    frame.f_globals.setdefault("__tracebackhide__", _is_told)
        now = now.__cause__ or now.__context__


def _frames(traceback: TracebackType | None) -> Iterator[FrameType]:
    while traceback is not None:
        yield traceback.tb_frame
        traceback = traceback.tb_next


def _is_told(excinfo: pytest.ExceptionInfo[BaseException]) -> bool:
    """Whether an error was made to be read; one that our own code ran into is our mistake, and shows itself."""
    frames = list(_frames(excinfo.value.__traceback__))
    if not any(map(_is_users, frames)):
        return False
    line = linecache.getline(frames[-1].f_code.co_filename, _last_line(excinfo.value)).lstrip()
    return not _is_ours(frames[-1]) or line.startswith("raise ")


def _last_line(error: BaseException) -> int:
    traceback = error.__traceback__
    while traceback is not None and traceback.tb_next is not None:
        traceback = traceback.tb_next
    return 0 if traceback is None else traceback.tb_lineno


def _is_users(frame: FrameType) -> bool:
    from .rules.source import is_library

    return not _is_ours(frame) and not is_library(frame.f_code.co_filename)


def _is_ours(frame: FrameType) -> bool:
    return str(frame.f_globals.get("__name__")).partition(".")[0] in _OURS
