"""Whose code a frame of a call stack runs, and which frames are not shown: the engine's, and what stands between."""

from __future__ import annotations

import asyncio
import linecache
import os
import sys
import sysconfig
from collections.abc import Callable
from collections.abc import Set as AbstractSet
from enum import Enum
from functools import lru_cache
from pathlib import Path
from types import FrameType
from typing import Any, TypeVar

from durable_engine.model import Place
from durable_engine.text.source_paths import shown_path

# The package's own folder, wherever in it this file lies.
_ENGINE = f"{Path(sys.modules[__name__.partition('.')[0]].__path__[0])}{os.sep}"
_hidden: tuple[str, ...] = (_ENGINE,)
_ours: tuple[str, ...] = (os.path.realpath(_ENGINE) + os.sep,)
_STANDARD = tuple({os.path.realpath(sysconfig.get_path(name)) + os.sep for name in ("stdlib", "platstdlib")})
_INSTALLED = frozenset({"site-packages", "dist-packages", "node_modules", "python_modules"})
_Answer = TypeVar("_Answer")
_CALLBACK = asyncio.events.Handle._run.__code__


class Owner(Enum):
    """Whose code a file has."""

    OURS = "the engine's, and that of what is built upon it"
    GENERATED = "of no file: what dataclasses and namedtuple compile, and what the interpreter has frozen"
    STANDARD = "the standard library's"
    INSTALLED = "an installed package's"
    USER = "anybody else's: a Worker's or a test's"


_known: list[Any] = []


def _kept_by_file(function: Callable[[str], _Answer]) -> Callable[[str], _Answer]:
    """A function of a file, which each test asks many times: its answers are kept until other code counts as ours."""
    kept = lru_cache(maxsize=4096)(function)
    _known.append(kept)
    return kept


def _forget() -> None:
    for kept in _known:
        kept.cache_clear()


@_kept_by_file
def owner_of(file: str) -> Owner:
    """Whose code a file has.

    Args:
        file: Its path as code objects have it, `co_filename`.
    """
    if file.startswith("<"):
        return Owner.GENERATED
    real = os.path.realpath(file)
    if file.startswith(_hidden) or real.startswith(_ours):
        return Owner.OURS
    if not _INSTALLED.isdisjoint((*file.split(os.sep), *real.split(os.sep))):
        return Owner.INSTALLED
    return Owner.STANDARD if real.startswith(_STANDARD) else Owner.USER


@_kept_by_file
def is_users(file: str) -> bool:
    """Whether code of this file is no library's, and not ours."""
    return owner_of(file) is Owner.USER


def has_part(file: str, names: AbstractSet[str]) -> bool:
    """Whether a file, or one of the folders that it is in, is called by one of these names."""
    return not names.isdisjoint(file.replace("\\", "/").split("/"))


@_kept_by_file
def is_library(file: str) -> bool:
    """Whether a file is the standard library's, ours or an installed package's."""
    return owner_of(file) is not Owner.USER


@_kept_by_file
def is_standard(file: str) -> bool:
    """Whether a file is the standard library's or ours, and no installed package's."""
    return owner_of(file) not in (Owner.USER, Owner.INSTALLED)


@_kept_by_file
def is_ours(file: str) -> bool:
    """Whether code of this file is the engine's, or that of what is built upon it."""
    return owner_of(file) is Owner.OURS


def own_folder(folder: str) -> None:
    """Count the code below a folder as ours, wherever it is installed; its frames are shown all the same."""
    global _ours
    _ours = tuple(dict.fromkeys((*_ours, os.path.realpath(folder) + os.sep)))
    _forget()


def hide_frames(path: str) -> None:
    """Leave frames of a file, or of a folder (`/path/to/it/`), out of the tracebacks that workflows see."""
    global _hidden
    _hidden = tuple(dict.fromkeys((*_hidden, path)))
    _forget()


def is_hidden(file: str) -> bool:
    """Whether frames of this file are left out of tracebacks."""
    return file.startswith(_hidden)


def place_of_user() -> Place:
    """File and line of the nearest frame of code that is no library's; the outermost one where there is none."""
    frame = sys._getframe(1)
    while frame.f_back is not None and not is_users(frame.f_code.co_filename):
        frame = frame.f_back
    return frame.f_code.co_filename, frame.f_lineno


def is_callback(frame: FrameType) -> bool:
    """Whether asyncio's event loop calls callbacks and tasks from this frame; uvloop shows none."""
    return frame.f_code is _CALLBACK


def show_frame(frame: FrameType, root: Path | None) -> str:
    """File, line, function and source line of a frame.

    Args:
        frame: The frame.
        root: The project's folder, if it is known.
    """
    file, line = frame.f_code.co_filename, frame.f_lineno
    text = linecache.getline(file, line).strip()
    return f"{shown_path(file, root)}:{line}, in {frame.f_code.co_name}" + (f": `{text}`" if text else "")
