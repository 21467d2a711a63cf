"""Whose code asks: the Worker's own, or somebody else's in between."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass
from types import CodeType, FrameType

from durable_engine import Owner, hide_frames, owner_of
from pytest_workflows.sources.code_owner import is_generated, is_ours, is_standard
from pytest_workflows.sources.handled import is_handled

from .table import Refusal

hide_frames(__file__)

_NEVER_WORKERS = (Owner.STANDARD, Owner.OURS)
_IMPORTING = "<frozen importlib"
_GUARDS = f"{os.path.dirname(__file__)}{os.sep}"
"""Where the checks themselves stand."""
_EXECUTOR = frozenset({"run_in_executor", "_for_thread"})
"""Functions that give work to a loop's executor; the platform's loop does it in its place."""


@dataclass(frozen=True)
class Use:
    """A use of what the platform's Python refuses, by a Worker's own code.

    Attributes:
        what: What was used, `subprocess.Popen`.
        refusal: What the platform raises.
        frame: The Worker's frame.
        remedy: How to write it instead; None for what the rule says.
    """

    what: str
    refusal: Refusal
    frame: FrameType
    remedy: str | None = None


@dataclass(frozen=True, eq=False)
class View:
    """One who says whose code runs, and learns of uses.

    Attributes:
        is_workers: Whether code is the Worker's, that of a module's top level included.
        report: Called with each use, before the error is raised.
        is_deployed: Whether the Worker that has some code is deployed with a package; None where that is not known.
    """

    is_workers: Callable[[CodeType], bool]
    report: Callable[[Use], None]
    is_deployed: Callable[[str, CodeType], bool | None] = lambda name, code: None


def direct_caller(is_workers: Callable[[CodeType], bool], depth: int = 1) -> FrameType | None:
    """The frame that called, if it is the Worker's; what the Worker evaluates from a text is its own.

    Args:
        is_workers: Whether code is the Worker's.
        depth: How many frames lie between this function and who called.
    """
    caller = sys._getframe(depth + 1)
    if owner_of(caller.f_code.co_filename) in _NEVER_WORKERS:
        return None  # in nearly all calls it is the event loop
    frame: FrameType | None = caller
    while frame is not None and is_generated(frame.f_code.co_filename) and not _is_frozen(frame):
        frame = frame.f_back
    return frame if frame is not None and is_workers(frame.f_code) else None


def caller_through_library(
    is_workers: Callable[[CodeType], bool], depth: int = 1, *, through_tool: bool = False
) -> FrameType | None:
    """The nearest frame that is not the standard library's, if it is the Worker's.

    An installed package in between makes it the package's doing: it may only try what there is. So does the import of a
    module, and what an event loop gives to its executor, which the platform's loop does itself. What this tool does
    while the Worker calls it (the engine starts a thread that watches) is the tool's; the checks, and a method of the
    standard library that the engine has one of its own in place of, are nobody's.

    Args:
        is_workers: Whether code is the Worker's.
        depth: How many frames lie between this function and who called.
        through_tool: Whether what this tool does is the doing of who calls it: a stand-in does what it is asked for.
    """
    frame: FrameType | None = sys._getframe(depth + 1)
    while frame is not None:
        code = frame.f_code
        if is_workers(code):
            return frame
        file = code.co_filename
        if file.startswith(_IMPORTING) or code.co_name in _EXECUTOR or not is_standard(file):
            return None
        if not through_tool and is_ours(file) and not _stands_in(code):
            return None
        frame = frame.f_back
    return None


def is_tried_by_library(frame: FrameType) -> bool:
    """Whether the standard library, called by that frame, only tries what there is, and handles it where there is not.

    Args:
        frame: The Worker's frame.
    """
    inner: FrameType | None = sys._getframe(1)
    while inner is not None and inner is not frame:
        file = inner.f_code.co_filename
        if not is_ours(file) and is_handled(file, inner.f_lineno):
            return True
        inner = inner.f_back
    return False


def _is_frozen(frame: FrameType) -> bool:
    return frame.f_code.co_filename.startswith("<frozen")


def _stands_in(code: CodeType) -> bool:
    """Whether code of ours is a check, or is there in place of a method of the standard library."""
    start = getattr(threading.Thread.start, "__code__", None)  # a test may have put a mock there
    return code.co_filename.startswith(_GUARDS) or code is start
