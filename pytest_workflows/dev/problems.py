"""What is wrong with a Worker's source or configuration, in words, with the line."""

from __future__ import annotations

import os
import traceback
from typing import TYPE_CHECKING

from durable_engine import StoreError
from pytest_workflows.errors import WorkflowConfigError
from pytest_workflows.standins.keeping import KeeperError, unusable

if TYPE_CHECKING:
    from .settings import DevSettings


IN_WORDS = (WorkflowConfigError, StoreError, KeeperError)
"""Errors that say all there is to say."""


def is_in_words(error: BaseException) -> bool:
    """Whether an error says all there is to say; what the Worker gets of contents that cannot be read does, too."""
    return isinstance(error, IN_WORDS) or unusable(error) is not None


def problem_text(error: BaseException, settings: DevSettings) -> str:
    """An error of the source or the configuration, for the terminal and the page.

    Args:
        error: The error.
        settings: What the process is started with.
    """
    if is_in_words(error):
        return unusable(error) or str(error)
    if isinstance(error, SyntaxError) and error.filename is not None:
        line = "" if error.text is None else f"\n    {error.text.strip()}"
        return f"{_short(error.filename, settings)}:{error.lineno}: {type(error).__name__}: {error.msg}{line}"
    place, said = _place(error, settings), f"{type(error).__name__}: {_text(error)}"
    return f"{place}: {said}" if place else said


def _text(error: BaseException) -> str:
    try:
        return str(error)
    except Exception:  # the Worker's own class makes it
        return "(its text cannot be read)"


def traceback_text(error: BaseException, settings: DevSettings) -> str:
    """A traceback from the Worker's code on: what called it is ours, and of no interest.

    Args:
        error: The error.
        settings: What the process is started with.
    """
    found = traceback.TracebackException.from_exception(error)
    folder = f"{settings.config.parent}{os.sep}"
    one: traceback.TracebackException | None = found
    while one is not None:
        first = next((number for number, frame in enumerate(one.stack) if frame.filename.startswith(folder)), 0)
        del one.stack[:first]
        one = one.__cause__ or one.__context__
    return "".join(found.format()).rstrip()


def _place(error: BaseException, settings: DevSettings) -> str:
    """The last line of the Worker's own code that the error came through."""
    folder = f"{settings.config.parent}{os.sep}"
    frames = [one for one in traceback.extract_tb(error.__traceback__) if one.filename.startswith(folder)]
    own = [one for one in frames if "site-packages" not in one.filename and "python_modules" not in one.filename]
    return f"{_short(own[-1].filename, settings)}:{own[-1].lineno}" if own else ""


def _short(file: str, settings: DevSettings) -> str:
    short = os.path.relpath(file, settings.rootdir)
    return file if short.startswith("..") else short
