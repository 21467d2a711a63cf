"""The Worker's sources: the only code that rules check; tests, conftest files and libraries are none of it."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from types import CodeType, FrameType, FunctionType, TracebackType
from typing import Any

from durable_engine import Place

from . import code_owner
from .code_owner import is_library, is_standard

_ASYNCIO = os.path.dirname(asyncio.__file__) + os.sep
_LOOP = frozenset({"_run", "run", "run_forever", "run_until_complete"})


class Sources:
    """The code that belongs to the Worker under test.

    That is every file below the folder of `main` that is no test and no library; and of workflow classes that live
    elsewhere (a test defines one and binds it), the code of the class alone.

    Args:
        folder: The folder of the project's `main`; None where there is no project.
        others: The same of other versions of the project.

    Attributes:
        workflows: The workflow classes by the names of their bindings.
        given: The values that the test gave in `workflow_bindings`.
        outer_cells: The ids of the variables around workflow classes: they are older than any `run`.
    """

    def __init__(self, folder: Path | None, *others: Path | None) -> None:
        self._folders: list[str] = []
        self.workflows: dict[str, type] = {}
        self.outer_cells: set[int] = set()
        self.given: Mapping[str, Any] = {}
        self._functions: dict[type, list[FunctionType]] = {}
        self._classes: set[tuple[str, str]] = set()
        self._verdicts, self._foreign = _verdicts_on((), frozenset())
        for one in (folder, *others):
            self.add_folder(one)

    def add_folder(self, folder: Path | None) -> None:
        """Count the sources of another Worker among those under test.

        Args:
            folder: The folder of its `main`; None where it has none.
        """
        if folder is None:
            return
        real = os.path.realpath(folder)
        if real not in self._folders:
            self._folders.append(real)
        self._functions.clear()  # a process that serves for weeks would keep each version of its source
        self._forget()

    def add_class(self, name: str, cls: type) -> None:
        """Count a bound workflow class as the Worker's, with the user's classes that it derives from.

        Args:
            name: The binding's name.
            cls: The class.
        """
        self.workflows[name] = cls
        for function in self.functions_of(cls):
            code = function.__code__
            self.outer_cells.update(map(id, function.__closure__ or ()))
            self._classes.add((code.co_filename, code.co_qualname.removesuffix(code.co_name)))
        self._forget()

    def _forget(self) -> None:
        self._verdicts, self._foreign = _verdicts_on(tuple(self._folders), frozenset(self._classes))

    def functions_of(self, cls: type) -> list[FunctionType]:
        """The functions that a workflow class and the user's classes that it derives from define."""
        if cls not in self._functions:
            bases = [base for base in cls.__mro__ if base is not object]
            found = [getattr(value, "__func__", value) for base in bases for value in vars(base).values()]
            self._functions[cls] = [
                value
                for value in found
                if isinstance(value, FunctionType) and not is_library(value.__code__.co_filename)
            ]
        return self._functions[cls]

    def is_file(self, file: str) -> bool:
        """Whether a whole file is the Worker's."""
        return any(code_owner.is_workers(folder, file) for folder in self._folders)

    def is_code(self, code: CodeType) -> bool:
        """Whether a function's code is the Worker's; that of a module's top level is not: it runs when imported."""
        if code.co_filename in self._foreign:
            return False
        key = (code.co_filename, code.co_qualname)  # two codes of different files may be equal
        verdict = self._verdicts.get(key)
        if verdict is None:
            verdict = self._verdicts[key] = code.co_name != "<module>" and (
                self.is_file(code.co_filename) or self._is_in_class(code)
            )
            if not verdict and not self._has_code_of(code.co_filename):
                self._foreign.add(code.co_filename)
        return verdict

    def frames_within(self, frame: FrameType | None, outermost: CodeType) -> list[FrameType]:
        """The frames that run the Worker's code, from the inside out.

        Args:
            frame: The first that is looked at.
            outermost: Whose frame is not looked at any more.
        """
        found, foreign = [], self._foreign  # of nearly all frames it is known: these are libraries, and ours
        while frame is not None and frame.f_code is not outermost:
            code = frame.f_code
            if code.co_filename not in foreign and self.is_code(code):
                found.append(frame)
            frame = frame.f_back
        return found

    def _has_code_of(self, file: str) -> bool:
        """Whether any code of a file is the Worker's."""
        return self.is_file(file) or any(file == known for known, _ in self._classes)

    def _is_in_class(self, code: CodeType) -> bool:
        return any(code.co_filename == file and code.co_qualname.startswith(name) for file, name in self._classes)

    def caller(self, *, through_libraries: bool = True) -> FrameType | None:
        """The nearest frame of user code, if it is the Worker's.

        Frames of this plugin and of the standard library are skipped. A test's function in between (a fake
        that calls another one) makes it the test's doing.

        Args:
            through_libraries: Whether installed packages are skipped as well.

        Returns:
            The frame, or None.
        """
        frame = _user_frame(sys._getframe(1), through_libraries)
        return frame if frame is not None and self.is_code(frame.f_code) else None

    def user_frame(self, *, through_libraries: bool = True) -> FrameType | None:
        """The nearest frame of user code, a test's or a Worker's, in the task that runs; None where there is none.

        Args:
            through_libraries: Whether installed packages are skipped, as in `caller`.
        """
        return _user_frame(sys._getframe(1), through_libraries, within_task=True)

    def is_workers(self, code: CodeType) -> bool:
        """Whether code is the Worker's, that of a module's top level included."""
        return self.is_code(code) or (code.co_name == "<module>" and self.is_file(code.co_filename))

    def was_caught_elsewhere(self, error: BaseException) -> bool:
        """Whether an exception got beyond the Worker's code, to a test or a fake."""
        step: TracebackType | None = error.__traceback__
        while step is not None:
            code = step.tb_frame.f_code
            if not is_library(code.co_filename):
                return not self.is_workers(code)
            step = step.tb_next
        return False

    def place_of_caller(self, *, through_libraries: bool = True) -> Place | None:
        """File and line of `caller`, or None where the nearest user code is not the Worker's."""
        frame = self.caller(through_libraries=through_libraries)
        return None if frame is None else (frame.f_code.co_filename, frame.f_lineno)


@lru_cache(maxsize=64)
def _verdicts_on(
    folders: tuple[str, ...], classes: frozenset[tuple[str, str]]
) -> tuple[dict[tuple[str, str], bool], set[str]]:
    """What is known of code, by its file and name, and the files none of whose code is a Worker's.

    It follows from the Worker's folders and classes alone, which are those of the test before in nearly every test.
    """
    return {}, set()


def _user_frame(start: FrameType, through_libraries: bool, *, within_task: bool = False) -> FrameType | None:
    is_passed = is_library if through_libraries else is_standard
    frame: FrameType | None = start
    while frame is not None:
        code = frame.f_code
        if within_task and code.co_name in _LOOP and code.co_filename.startswith(_ASYNCIO):
            return None  # further out is whoever runs the event loop
        if not is_passed(code.co_filename):
            return frame
        frame = frame.f_back
    return None
