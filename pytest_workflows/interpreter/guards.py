"""The refusals: what the platform's Python refuses is refused to a Worker's own code, and to nobody else.

Functions are replaced in their modules, and names that are not there on the platform are taken out of them and given by
the module's `__getattr__`, which says to the Worker that there is no such name. Both ask each time whose code it is.
"""

from __future__ import annotations

import asyncio
import dis
import functools
import inspect
import sys
from collections.abc import Callable, Coroutine, Iterable, Iterator
from types import CodeType, FrameType, FunctionType, ModuleType
from typing import Any

from durable_engine import as_coroutine_function, hide_frames
from pytest_workflows.javascript.runtime import python_version

from .replacements import Standing
from .table import Refusal, Table, all_tables, table_of
from .whose import Use, View, caller_through_library, direct_caller, is_tried_by_library
from .zones import Zones

hide_frames(__file__)

_NO_THREAD = Refusal("RuntimeError", ("can't start new thread",))
_THROUGH_LIBRARY = {
    "_thread.start_new_thread": "threading.Thread.start",
    "_thread.start_new": "threading.Thread.start",
    "_thread.start_joinable_thread": "threading.Thread.start",
    "threading._start_new_thread": "threading.Thread.start",
    "threading._start_joinable_thread": "threading.Thread.start",
    "subprocess.Popen": "subprocess.Popen",
    "os.fork": "os.fork",
    "faulthandler.dump_traceback_later": "faulthandler.dump_traceback_later",
}
"""What the standard library does for many others of its functions: refused to a Worker that calls one of those, too."""
_ELSEWHERE = ("threading.", "_thread.", "zoneinfo.", "concurrent.futures.Thread", "logging.")
"""Calls that come to the ones above, or that are refused in another place."""
_MADE_WHEN_ASKED_FOR = {
    ("concurrent.futures", "ProcessPoolExecutor"): "concurrent.futures.process",
    ("concurrent.futures", "InterpreterPoolExecutor"): "concurrent.futures.interpreter",
}
"""Classes that a module imports when somebody first asks for them, and where from: to ask loads `multiprocessing`."""
_LOOP = "asyncio.get_running_loop()."
_OF_NETWORK = frozenset({"getaddrinfo", "getnameinfo", "open_connection"})
"""What is refused as every other connection is."""
_BY_ARGUMENT: dict[str, tuple[str, Callable[[str, Any], str]]] = {
    "hashlib": ("new", lambda _, name: f"hashlib.new({name!r})"),
}
"""Functions that are refused for some of their first arguments."""
_IMPORT_STAR = frozenset({"IMPORT_STAR", "CALL_INTRINSIC_1"})
"""Its instruction in Python 3.11, and in later ones; no other intrinsic function asks a module for a name."""
_DERIVED = "have `crypto.subtle.deriveBits` of `js` derive the key, by PBKDF2"
_REMEDIES = {"hashlib.pbkdf2_hmac": _DERIVED, "hashlib.scrypt": _DERIVED}
"""What to do where the rule's own words do not say it."""


class Guards(Standing[View]):
    """The refusals of a process; they are in force while there is a view, which says whose code runs."""

    def __init__(self) -> None:
        super().__init__()
        self._hidden: list[tuple[ModuleType, dict[str, Any]]] = []
        self._absent = _Absent()
        self._done: dict[str, ModuleType] = {}
        self._guarded: dict[int, str] = {}
        self._waiting: list[tuple[str, ModuleType, str, str]] = []
        self._zones = Zones(lambda: self.user)

    def enter(self, user: View) -> None:
        """Let a view say whose code runs, until it leaves."""
        super().enter(user)
        self._zones.forget()

    def refresh(self) -> None:
        """Guard the modules that were imported since the last time."""
        # Each test asks: what is done, or not imported, is left out without code of Python.
        for module in sorted(sys.modules.keys() & (_guarded_modules() - self._done.keys())):
            if sys.modules[module] is not None:
                self._done[module] = sys.modules[module]
                self._guard(module, sys.modules[module])
        self._guard_what_was_made()
        self._zones.start()

    def _place(self) -> None:
        self.refresh()

    # -- functions ---------------------------------------------------------------------------------------------------

    def _guard(self, name: str, module: ModuleType) -> None:
        self._hide(name, module)  # first: it asks what the module's own functions use
        for target, what in _THROUGH_LIBRARY.items():
            if target.rpartition(".")[0] == name:
                self._replace(module, target.rpartition(".")[2], what, through_library=True)
        if name in _BY_ARGUMENT:
            function, of_call = _BY_ARGUMENT[name]
            self._replace(module, function, name, of_call=of_call)
        for loop in _loops_of(name):
            for method in _methods_of_loops():
                self._replace(loop, method, f"{_LOOP}{method}")
        for target in _refused_in(name):
            path = target.removeprefix(f"{name}.")
            made_in = _MADE_WHEN_ASKED_FOR.get((name, path.partition(".")[0]))
            if made_in is not None and made_in not in sys.modules:
                self._waiting.append((made_in, module, path, target))
            elif target not in _THROUGH_LIBRARY:
                self._replace(module, path, target)
            if name == "multiprocessing":  # what it has of the default context, a context of one's own has, too
                self._replace(module, f"context.BaseContext.{target.rpartition('.')[2]}", target)
        for process in ("SpawnProcess", "ForkServerProcess") if name == "multiprocessing" else ():
            self._replace(module, f"context.{process}.start", "multiprocessing.Process.start")
        if any(waits is module for _, waits, *_ in self._waiting):
            self._notice_what_is_asked_for(module)
        if name == "asyncio":
            self._put(module, "to_thread", self._checking_what_is_given(module.to_thread))
        # Some are not there in one Python of the platform and refuse in another one: a check stands in their places.
        hidden = [one for owner, names in self._hidden if owner is module for one in names]
        self._absent.add(vars(module), [one for one in hidden if one not in vars(module)])

    def _notice_what_is_asked_for(self, module: ModuleType) -> None:
        """Guard what a module makes when somebody first asks for it."""
        make: Callable[[str], Any] = vars(module)["__getattr__"]

        def __getattr__(attribute: str) -> Any:
            made = make(attribute)
            self._guard_what_was_made()
            return made

        self._replacements.put(module, "__getattr__", __getattr__)

    def _guard_what_was_made(self) -> None:
        for waiting in [one for one in self._waiting if one[0] in sys.modules]:
            self._waiting.remove(waiting)
            _, module, path, target = waiting
            self._replace(module, path, target)

    def _replace(
        self,
        module: Any,
        path: str,
        what: str,
        *,
        through_library: bool = False,
        of_call: Callable[[str, Any], str] | None = None,
    ) -> None:
        """Put a check before a function, or before the making of a class's objects.

        Args:
            module: The module, or a class.
            path: The function's name, or a class's and its method's.
            what: What the table calls it.
            through_library: Whether it is refused where a function of the standard library calls it, too.
            of_call: Makes of that, and of a call's first argument, what the table calls the call.
        """
        *owners, name = path.split(".")
        owner = called = module
        for one in owners:
            owner = getattr(owner, one, None)
        original = vars(owner).get(name) if isinstance(owner, type) and module is owner else getattr(owner, name, None)
        if isinstance(original, type):
            called = owner = original
            name, original = "__init__", original.__init__  # type: ignore[misc]
        if original is None or not callable(original):
            return
        find = caller_through_library if through_library else direct_caller

        @functools.wraps(original)
        def guarded(*args: Any, **kwargs: Any) -> Any:
            view = self.user
            frame = None if view is None else find(view.is_workers)
            if view is not None and frame is not None:
                refuse(what if of_call is None else of_call(what, args[0] if args else None), view, frame)
            return original(*args, **kwargs)

        if self._put(owner, name, guarded) and of_call is None:
            self._guarded[id(called if name == "__init__" else guarded)] = what

    def _put(self, owner: Any, name: str, ours: Any) -> bool:
        """Put a function of ours in the place of another one; False in a class in C."""
        if inspect.iscoroutinefunction(getattr(owner, name)):
            as_coroutine_function(ours)  # a test's mock of it is one, too
        try:
            self._replacements.put(owner, name, ours)
        except TypeError:
            return False
        return True

    def _checking_what_is_given(self, to_thread: Callable[..., Coroutine[Any, Any, Any]]) -> Callable[..., Any]:
        """`asyncio.to_thread` with a check of its function: in the thread, no frame says whose doing a call is."""

        @functools.wraps(to_thread)
        def checked(function: Any, /, *args: Any, **kwargs: Any) -> Coroutine[Any, Any, Any]:
            given = function
            while isinstance(given, functools.partial):
                given = given.func
            view, what = self.user, self._guarded.get(id(given))
            frame = None if view is None or what is None else direct_caller(view.is_workers)
            if view is not None and what is not None and frame is not None:
                try:
                    refuse(what, view, frame)
                except BaseException as error:
                    return _raise(error)
            return to_thread(function, *args, **kwargs)

        return checked

    # -- names -------------------------------------------------------------------------------------------------------

    def _hide(self, name: str, module: ModuleType) -> None:
        """Take names that the platform lacks out of a module; those that its own code uses stay, behind a check."""
        absent = {one for table in all_tables() for one in table.names.get(name, ()) if one in vars(module)}
        if not absent:
            return
        before: Callable[[str], Any] | None = vars(module).get("__getattr__")
        for one in absent & _globals_used_by(module):
            self._replace(module, one, f"{name}.{one}")
            absent.discard(one)
        hidden = {one: vars(module)[one] for one in sorted(absent)}
        self._hidden.append((module, hidden))

        def __getattr__(attribute: str) -> Any:
            if attribute not in hidden:
                if before is not None:
                    return before(attribute)
                raise AttributeError(f"module {name!r} has no attribute {attribute!r}", name=attribute, obj=module)
            view = self.user
            frame = None if view is None or _takes_all(sys._getframe(1)) else direct_caller(view.is_workers)
            if view is not None and frame is not None and attribute in _table().names.get(name, ()):
                refuse(f"{name}.{attribute}", view, frame, absent_from=module)
            return hidden[attribute]

        self._replacements.put(module, "__getattr__", __getattr__)
        for one in hidden:  # only now: other threads use the module meanwhile
            del vars(module)[one]

    def _are_intact(self) -> bool:
        return (
            super()._are_intact()
            and self._zones.is_intact()
            and self._absent.are_intact()
            and list(map(sys.modules.get, self._done)) == list(self._done.values())
        )

    def _put_back(self) -> None:
        self._zones.stop()
        self._show()  # first: other threads use the modules meanwhile
        super()._put_back()  # who keeps one of ours asks for a view, and finds none
        self._show()  # where a check stood in the place of one that is not there in another Python
        self._hidden.clear()
        self._absent = _Absent()
        self._waiting.clear()
        self._guarded.clear()
        self._done.clear()

    def _show(self) -> None:
        for module, hidden in self._hidden:
            for name, value in hidden.items():
                vars(module).setdefault(name, value)


class _Absent:
    """The names that were taken out of modules."""

    def __init__(self) -> None:
        self._modules: list[dict[str, Any]] = []
        self._names: list[dict[str, None]] = []
        self._sizes: list[int] = []

    def add(self, attributes: dict[str, Any], names: Iterable[str]) -> None:
        """Names were taken out of a module.

        Args:
            attributes: The module's attributes.
            names: The names.
        """
        self._modules.append(attributes)
        self._names.append(dict.fromkeys(names))
        self._sizes.append(len(attributes))

    def are_intact(self) -> bool:
        """Whether they are still not there; while a module has as many attributes as it had, none was added."""
        sizes = list(map(len, self._modules))
        if sizes != self._sizes:
            for names, attributes in zip(self._names, self._modules, strict=True):
                if not names.keys().isdisjoint(attributes.keys()):
                    return False
            self._sizes = sizes
        return True


def refuse(what: str, view: View, frame: FrameType, *, absent_from: ModuleType | None = None) -> None:
    """Raise what the platform raises for a use, if it raises on the Worker's Python.

    Args:
        what: What is used, as the table calls it.
        view: Learns of it.
        frame: The Worker's frame.
        absent_from: The module that has no such name there.
    """
    refusal = _refusal_of(what)
    if refusal is None or is_tried_by_library(frame):
        return
    view.report(Use(what, refusal, frame, _REMEDIES.get(what)))
    error = refusal.error()
    if absent_from is not None and isinstance(error, AttributeError):
        error.name, error.obj = what.rpartition(".")[2], absent_from
    raise error


async def _raise(error: BaseException) -> None:
    raise error


def _takes_all(frame: FrameType) -> bool:
    """Whether a frame executes `from ... import *`, which asks on the platform for what there is."""
    return dis.opname[frame.f_code.co_code[frame.f_lasti]] in _IMPORT_STAR


def _refusal_of(what: str) -> Refusal | None:
    if what == "threading.Thread.start":
        return _NO_THREAD
    table = _table()
    module, _, name = what.rpartition(".")
    if name in table.names.get(module, ()):
        return Refusal("AttributeError", (f"module {module!r} has no attribute {name!r}",))
    return table.refused.get(what)


def _loops_of(module: str) -> list[type]:
    """The classes of a module's event loop."""
    if module == "asyncio":
        return [one for one in asyncio.SelectorEventLoop.__mro__ if one is not asyncio.AbstractEventLoop]
    return [sys.modules[module].Loop] if module == "uvloop" else []


@functools.cache
def _methods_of_loops() -> tuple[str, ...]:
    found = {what.removeprefix(_LOOP) for table in all_tables() for what in table.refused if what.startswith(_LOOP)}
    return tuple(sorted(name for name in found - _OF_NETWORK if name.isidentifier()))


def _table() -> Table:
    return table_of(python_version())


@functools.cache
def _guarded_modules() -> frozenset[str]:
    found = {"uvloop", *_BY_ARGUMENT, *(target.rpartition(".")[0] for target in _THROUGH_LIBRARY)}
    for table in all_tables():
        found.update(table.names)
        found.update(_module_of(what) for what in table.refused)
    return frozenset(found - {""})


@functools.cache
def _refused_in(module: str) -> tuple[str, ...]:
    found = {what for table in all_tables() for what in table.refused if _module_of(what) == module}
    return tuple(sorted(what for what in found if not what.startswith(_ELSEWHERE)))


@functools.cache
def _module_of(what: str) -> str:
    """The module of what is called: the longest part of it that is one; nothing of what is no dotted name."""
    if not all(part.isidentifier() for part in what.split(".")):
        return ""
    parts = what.split(".")[:-1]
    while parts and parts[-1][:1].isupper():
        parts.pop()
    return ".".join(parts)


@functools.cache
def _globals_used_by(module: ModuleType) -> frozenset[str]:
    """The names that functions of a module look up in it; to read them takes milliseconds, and each test asks."""
    found: set[str] = set()
    for code in _codes_of(module):
        _add_names_in(code, found)
    return frozenset(found)


def _codes_of(module: ModuleType) -> Iterator[CodeType]:
    for value in list(vars(module).values()):
        inner = list(vars(value).values()) if isinstance(value, type) and value.__module__ == module.__name__ else []
        for one in (value, *inner):
            function: Any = getattr(one, "fget", None) or getattr(one, "__func__", one)
            if isinstance(function, FunctionType) and function.__module__ == module.__name__:
                yield function.__code__


def _add_names_in(code: CodeType, found: set[str]) -> None:
    found.update(code.co_names)
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            _add_names_in(constant, found)


guards = Guards()
"""Those of this process: a session inside of another one has views of its own."""
