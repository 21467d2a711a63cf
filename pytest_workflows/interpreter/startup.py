"""Before the first request: a Worker's module may draw nothing at random and open no connection while it is imported.

The texts are those of workerd 1.20261117.1, which replaces `os.urandom`, `random` and the seeding of `random.Random`
until the first request, and refuses JavaScript's random values and I/O. Read in its source; not seen in production.
"""

from __future__ import annotations

import contextlib
import functools
import os
import random
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from types import FrameType, ModuleType
from typing import Any

from durable_engine import current_scope, hide_frames, running_call
from pytest_workflows import javascript
from pytest_workflows.active_test import running_handler
from pytest_workflows.javascript.objects import js_error

from .guards import guards
from .replacements import Replacements
from .table import Refusal
from .whose import Use, View, caller_through_library

hide_frames(__file__)

TOO_EARLY = (
    "Randomness is not allowed while a Worker is starting because startup values will be repeated across Worker "
    "instances, making them predictable. If this error occurs from importing a package, import the package from a "
    "function to load it after the Worker starts."
)
NOT_IN_GLOBAL_SCOPE = (
    "Disallowed operation called within global scope. Asynchronous I/O (ex: fetch() or connect()), setting a timeout, "
    "and generating random values are not allowed within global scope. To fix this error, perform this operation "
    "within a handler. https://developers.cloudflare.com/workers/runtime-apis/handlers/"
)
_NO_ENTROPY = Refusal("OSError", (29, TOO_EARLY))
_REMEDY = "do it in a step or a handler, or in a function that one of them calls"
_TEMPORARY = f"{os.sep}tempfile.py"
"""Its names of files do without chance there."""
_JAVASCRIPT = os.path.dirname(javascript.__file__) + os.sep


class Startup:
    """The state of a process in which Workers' modules are imported, one within the other."""

    def __init__(self) -> None:
        self._depth = 0
        self._thread = 0
        self._replacements = Replacements()
        self._ours: dict[int, Any] = {}

    @contextlib.contextmanager
    def importing(self, module: ModuleType, *, is_main: bool = False) -> Iterator[None]:
        """Refuse what is too early while a module runs; one that is imported in a request may do all of it.

        Args:
            module: The module, in which no function of ours is left.
            is_main: Whether it is a Worker's main module: that one starts, even if another one's request waits for it.
        """
        if not (is_main or self._depth) and _is_in_request():
            yield
            return
        self._depth += 1
        if self._depth == 1:
            self._thread = threading.get_ident()
            self._begin()
        try:
            yield
        finally:
            for name, value in list(vars(module).items()):
                if id(value) in self._ours:
                    vars(module)[name] = self._ours[id(value)]
            self._depth -= 1
            if self._depth == 0:
                self._end()

    def _begin(self) -> None:
        self._replace(os, "urandom", _refuse_entropy)
        self._replace(random, "_urandom", _refuse_entropy)
        for name, value in list(vars(random).items()):
            if callable(value) and not isinstance(value, type) and not name.startswith("_"):
                refusal = f"Cannot use random.{name}() outside of request context. {TOO_EARLY}"
                self._replace(random, name, functools.partial(_refuse, f"random.{name}", refusal))
        self._replace(random.Random, "seed", _refuse_seed)
        self._replace(socket.socket, "connect", _refuse_connection)
        self._replace(socket.socket, "connect_ex", _refuse_connection)
        self._replace(socket, "getaddrinfo", _refuse_connection)

    def _replace(self, owner: Any, name: str, check: Callable[..., None]) -> None:
        inherited = getattr(owner, name)

        @functools.wraps(inherited)
        def early(*args: Any, **kwargs: Any) -> Any:
            if self._depth:
                if self._thread == threading.get_ident():
                    check(*args, **kwargs)
                return inherited(*args, **kwargs)
            return getattr(owner, name)(*args, **kwargs)  # kept by the module, and called later

        self._replacements.put(owner, name, early)
        self._ours[id(early)] = inherited

    def _end(self) -> None:
        self._replacements.put_back()
        self._ours.clear()


def _is_in_request() -> bool:
    return current_scope.get() is not None or running_call() is not None or running_handler.get() is not None


def _asker() -> tuple[View, FrameType, bool] | None:
    """Who says whose code runs, the Worker's frame, and whether it came by JavaScript; None for another's doing."""
    view = guards.user
    frame = None if view is None else caller_through_library(view.is_workers, 3, through_tool=True)
    if view is None or frame is None:
        return None
    files = _files_up_to(frame)
    if any(file.endswith(_TEMPORARY) for file in files):
        return None
    return view, frame, any(file.startswith(_JAVASCRIPT) for file in files)


def _files_up_to(frame: FrameType) -> list[str]:
    files, inner = [], sys._getframe(1)
    while inner is not frame and inner.f_back is not None:
        files.append(inner.f_code.co_filename)
        inner = inner.f_back
    return files


def _raise(what: str, refusal: Refusal) -> None:
    found = _asker()
    if found is None:
        return
    view, frame, is_javascript = found
    if is_javascript:
        refusal = Refusal("JsException", (f"Error: {NOT_IN_GLOBAL_SCOPE}",))
    view.report(Use(f"{what} before the first request", refusal, frame, _REMEDY))
    raise js_error("Error", NOT_IN_GLOBAL_SCOPE) if is_javascript else refusal.error()


def _refuse(what: str, text: str, *args: Any, **kwargs: Any) -> None:
    _raise(what, Refusal("RuntimeError", (text,)))


def _refuse_entropy(*args: Any) -> None:
    _raise("os.urandom", _NO_ENTROPY)


def _refuse_seed(generator: Any, a: Any = None, *args: Any) -> None:
    if a is None:
        _raise("random.Random", _NO_ENTROPY)


def _refuse_connection(*args: Any, **kwargs: Any) -> None:
    """No connection is opened, whichever library would: nobody else's code runs meanwhile."""
    raise js_error("Error", NOT_IN_GLOBAL_SCOPE)


startup = Startup()
"""That of this process."""
