"""Notes on errors of a Worker's source that is for a newer Python than the one that runs the tests."""

from __future__ import annotations

import inspect
import os
import sys
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

from .wrangler import PYTHON_FLAGS, WranglerConfig, python_version

if TYPE_CHECKING:
    from .worker_project import Project

_NEWER_MODULES = frozenset({"annotationlib", "compression"})
"""Modules that the newest Python has, and none before."""


def add_notes(error: BaseException, project: Project | None) -> list[str]:
    """Note on an error, and on what caused it, that the source may be for a newer Python; once on each.

    Args:
        error: The error.
        project: The worker project whose source it may come from.

    Returns:
        The notes.
    """
    notes: list[str] = []
    seen: set[int] = set()
    now: BaseException | None = error
    while now is not None and id(now) not in seen:
        seen.add(id(now))
        note = note_of(now, project)
        if note is not None:
            notes.append(note)
            if note not in getattr(now, "__notes__", ()):
                now.add_note(note)
        now = now.__cause__ or now.__context__
    return notes


def note_of(error: BaseException, project: Project | None) -> str | None:
    """The note on an error whose Worker's source is for a newer Python; None for any other error.

    Args:
        error: The error.
        project: The worker project whose source it may come from.
    """
    if project is None or project.folder is None:
        return None
    meant, here = python_version(project.config), sys.version_info[:2]
    if meant <= here or not _comes_from(error, project.folder):
        return None
    what = _what(error)
    if what is None:
        return None
    newer, older = _dotted(meant), _dotted(here)
    return (
        f"{_why(project.config)} means Python {newer} on the platform, and this test runs on Python {older} "
        f"({sys.executable}). {what.format(newer=newer)} Run the tests on Python {newer}, for example with "
        f"`uv run --python {newer} pytest`, or write the source so that Python {older} takes it as well."
    )


def _why(config: WranglerConfig) -> str:
    flags = [flag for flag in PYTHON_FLAGS if flag in config.compatibility_flags]
    if flags:
        return f"The compatibility flag {flags[0]} in {config.path}"
    if config.compatibility_date is None:
        return f"Without a compatibility_date, {config.path}"
    return f"The compatibility_date {config.compatibility_date} in {config.path}"


def _what(error: BaseException) -> str | None:
    """The way in which an error may be due to an older Python; None where it cannot be."""
    if isinstance(error, SyntaxError):
        return "What does not parse here may be the syntax of Python {newer}."
    if isinstance(error, AttributeError):
        module = error.obj
        if not isinstance(module, ModuleType) or not _is_standard(module.__name__):
            return None
        return f"{module.__name__}.{error.name} may be there from Python {{newer}} on."
    if isinstance(error, ImportError):
        is_standard = error.name is not None and _is_standard(error.name)
        return f"What is imported from {error.name} may be there from Python {{newer}} on." if is_standard else None
    if isinstance(error, NameError) and _is_at_definition(error):
        return f"From Python 3.14 on an annotation may name what is defined further down, such as {error.name!r}."
    return None


def _is_at_definition(error: BaseException) -> bool:
    """Whether an error was raised in the body of a module or a class."""
    traceback = error.__traceback__
    while traceback is not None and traceback.tb_next is not None:
        traceback = traceback.tb_next
    return traceback is not None and not traceback.tb_frame.f_code.co_flags & inspect.CO_OPTIMIZED


def _is_standard(name: str) -> bool:
    return name.partition(".")[0] in sys.stdlib_module_names | _NEWER_MODULES


def _comes_from(error: BaseException, folder: Path) -> bool:
    """Whether an error comes from the Worker's source: a test beside it is none of the Worker."""
    from pytest_workflows.sources.code_owner import is_workers

    if isinstance(error, SyntaxError):
        files = [] if error.filename is None else [error.filename]
    else:
        files, traceback = [], error.__traceback__
        while traceback is not None:
            files.append(traceback.tb_frame.f_code.co_filename)
            traceback = traceback.tb_next
    return any(is_workers(os.path.realpath(folder), file) for file in files)


def _dotted(version: tuple[int, ...]) -> str:
    return ".".join(map(str, version[:2]))
