"""The socket guard: refuses connections that a Worker opens by other means than `workers.fetch`.

`http.client`, `urllib`, `requests`, `urllib3`, asyncio's streams and most drivers open their connections through the
names that are replaced here while there is a user. Whose code opens one is asked each time: those of a test,
of its fakes and of its servers are let through.
"""

from __future__ import annotations

import asyncio
import functools
import ipaddress
import socket
import sys
from collections.abc import Callable
from typing import Any, TypeVar

from durable_engine import current_scope, hide_frames
from pytest_workflows.active_test import Uses, running_handler
from pytest_workflows.errors import NetworkRefusedError
from pytest_workflows.interpreter.replacements import Standing

from .callers import context_for, run_for

hide_frames(__file__)

_LOCAL = frozenset({"localhost", "0.0.0.0", "::", ""})
_Instead = Callable[..., object]
R = TypeVar("R")


class SocketGuard(Standing[Uses]):
    """A guard before the functions that open connections; a user knows whose code runs, and keeps the refusals."""

    def __init__(self) -> None:
        super().__init__()
        self._loops: list[Any] = []

    def _place(self) -> None:
        if self._loops:
            return
        self._loops = _loops()
        for name in ("connect", "connect_ex"):
            self._replace(socket.socket, name, self._checking(lambda _, address: _target(address)))
        self._replace(socket.socket, "sendto", self._checking(lambda _, data, *rest: _target(rest[-1])))
        for name in ("getaddrinfo", "gethostbyname", "gethostbyname_ex"):
            self._replace(socket, name, self._checking(lambda host, port=None, *_, **__: _target((host, port))))
        for loop in self._loops:
            # A selector loop comes to the names above; others (uvloop, Windows) do not.
            self._replace(loop, "create_connection", self._checking(_target_of_loop))
            self._replace(loop, "run_in_executor", self._for_thread)
            self._replace(loop, "create_task", self._for_task)
        for loop in self._loops[1:]:
            self._replace(loop, "getaddrinfo", self._checking(_target_of_loop))

    def _are_intact(self) -> bool:
        return super()._are_intact() and self._loops in ([], _loops())

    def _put_back(self) -> None:
        super()._put_back()
        self._loops = []

    def _replace(self, owner: Any, name: str, instead: _Instead) -> None:
        """Put something before a function.

        Args:
            owner: The class or module that has the function.
            name: Its name.
            instead: Called with the user and the function, and the arguments of each call.
        """
        original = getattr(owner, name)

        @functools.wraps(original)
        def guarded(*args: object, **kwargs: object) -> object:
            user = self.user
            return original(*args, **kwargs) if user is None else instead(user, original, *args, **kwargs)

        self._replacements.put(owner, name, guarded)

    @staticmethod
    def _checking(target_of: Callable[..., str | None]) -> _Instead:
        """Make a check that refuses to open a connection.

        Args:
            target_of: Called with the same arguments: where it would go to, or None where that is no affair of ours.
        """

        def instead(uses: Uses, original: Callable[..., R], *args: object, **kwargs: object) -> R:
            target = target_of(*args, **kwargs)
            if target is not None:
                _check(uses, target)
            return original(*args, **kwargs)

        return instead

    @staticmethod
    def _for_thread(
        uses: Uses, original: Callable[..., R], loop: Any, executor: Any, function: Any, *args: Any, **kwargs: Any
    ) -> R:
        """Remember the caller for a function that is to run in a thread, where no frame shows it."""
        return original(loop, executor, functools.partial(run_for, uses.caller(), function), *args, **kwargs)

    @staticmethod
    def _for_task(uses: Uses, original: Callable[..., R], loop: Any, coroutine: Any, **kwargs: Any) -> R:
        """Remember the caller for a task that a Worker's code, or a fake that it called, starts."""
        is_in_worker = running_handler.get() is not None or current_scope.get() is not None
        if is_in_worker and kwargs.get("context") is None:
            kwargs["context"] = context_for(uses.caller())
        return original(loop, coroutine, **kwargs)


def _check(uses: Uses, target: str) -> None:
    caller = uses.caller()
    if caller is not None and caller.is_workers:
        error = NetworkRefusedError.of_connection(target, is_local=is_local(target))
        uses.note(error, caller)
        raise error


def _loops() -> list[Any]:
    loops: list[Any] = [asyncio.BaseEventLoop]
    if "uvloop" in sys.modules:
        loops.append(sys.modules["uvloop"].Loop)
    return loops


def _target_of_loop(loop: object, *args: Any, host: Any = None, port: Any = None, **options: Any) -> str | None:
    # create_connection(factory, host, port, ...), getaddrinfo(host, port, ...)
    given = [arg for arg in args if not callable(arg)]
    host, port = (*given, host)[0], (*given[1:], port)[0]
    return None if host is None else _target((host, port))


def _target(address: Any) -> str:
    """`example.com:443`, from what a socket takes."""
    if not isinstance(address, tuple):
        return _text(address)
    host, port = address[:2]
    return _text(host) if port in (None, 0) else f"{_text(host)}:{_text(port)}"


def _text(value: object) -> str:
    return value.decode(errors="replace") if isinstance(value, bytes) else str(value)


def is_local(target: str) -> bool:
    """Whether a target is this machine.

    Args:
        target: `example.com:443`.
    """
    host = target if target.count(":") > 2 else target.partition(":")[0]
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host in _LOCAL or host.startswith(("/", "\0"))


sockets = SocketGuard()
"""That of this process: a session inside of another one has users of its own."""
