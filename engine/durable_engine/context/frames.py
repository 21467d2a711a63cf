"""The user's frames of a call stack: those of the engine, and of libraries in between, are not shown."""

from __future__ import annotations

import asyncio
import linecache
import os
import sys
import sysconfig
from functools import lru_cache
from pathlib import Path
from types import FrameType

from durable_engine.model import Place
from durable_engine.text.source_paths import shown_path

_ENGINE = Path(__file__).parents[1]  # the folder of the package, whose rooms are folders in it
_hidden: tuple[str, ...] = (f"{_ENGINE}{os.sep}",)
_STANDARD = tuple(sorted({f"{sysconfig.get_path(name)}{os.sep}" for name in ("stdlib", "platstdlib")}))
# Checked in CPython 3.11 to 3.14: the loop calls every callback and task from here. If it did not, code of a callback
# would be taken for code of whoever runs the loop.
_CALLBACK = asyncio.events.Handle._run.__code__
_INSTALLED = (f"{os.sep}site-packages{os.sep}", f"{os.sep}dist-packages{os.sep}")


def hide_frames(path: str) -> None:
    """Leave frames of a file, or of a folder (`/path/to/it/`), out of the tracebacks that workflows see."""
    global _hidden
    _hidden = tuple(dict.fromkeys((*_hidden, path)))
    is_users.cache_clear()


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


@lru_cache(maxsize=4096)
def is_users(file: str) -> bool:
    """Whether code of this file is no library's, and not ours."""
    installed = any(folder in file for folder in _INSTALLED)
    return not (file.startswith(("<", *_hidden, *_STANDARD)) or installed)
