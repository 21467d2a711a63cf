"""Refuses connections that a Worker opens by other means than `workers.fetch`, while a test runs.

`http.client`, `urllib`, `requests`, `urllib3`, asyncio's streams and most drivers open their connections through the
names that are replaced here, and put back when the test ends. Whose code opens one is asked each time: those of a test,
of its fakes and of its servers are let through.
"""

from __future__ import annotations

import asyncio
import functools
import ipaddress
import socket
import sys
import threading
from collections.abc import Callable
from typing import Any

from .current import Caller, Uses
from .errors import NetworkRefusedError

_LOCAL = frozenset({"localhost", "0.0.0.0", "::", ""})
_ABSENT = object()
_thread = threading.local()


def caller_of_thread() -> Caller | None:
    """Who let the function run that this thread runs for an event loop; None where that is not known."""
    return getattr(_thread, "caller", None)


class SocketGuard:
    """Stands before the names that open connections, from `start` until `stop`.

    Args:
        uses: Knows whose code runs, and is told what is refused.
    """

    def __init__(self, uses: Uses) -> None:
        self._uses = uses
        self._is_on = False
        self._replaced: list[tuple[Any, str, Any, Any]] = []

    def start(self) -> None:
        """Stand before them."""
        self._is_on = True
        for name in ("connect", "connect_ex"):
            self._replace(socket.socket, name, lambda _, address: _target(address))
        self._replace(socket.socket, "sendto", lambda _, data, *rest: _target(rest[-1]))
        for name in ("getaddrinfo", "gethostbyname", "gethostbyname_ex"):
            self._replace(socket, name, lambda host, port=None, *args, **options: _target((host, port)))
        for loop in _loops():
            # A selector loop comes to the names above; others (uvloop, Windows) do not.
            self._replace(loop, "create_connection", _target_of_loop)
            self._replace(loop, "run_in_executor", None)
        if "uvloop" in sys.modules:
            self._replace(sys.modules["uvloop"].Loop, "getaddrinfo", _target_of_loop)

    def stop(self) -> None:
        """Put everything back. Stopping twice is fine."""
        self._is_on = False  # somebody may have put something before ours, and hold on to it
        while self._replaced:
            owner, name, before, ours = self._replaced.pop()
            if vars(owner).get(name) is not ours:
                continue
            if before is _ABSENT:
                delattr(owner, name)
            else:
                setattr(owner, name, before)

    def _replace(self, owner: Any, name: str, target_of: Callable[..., str | None] | None) -> None:
        """Put something before a function, which refuses what it says where a connection would go to.

        Args:
            owner: The class or module that has the function.
            name: Its name.
            target_of: Called with the same arguments: where to, or None where it is none of our affairs. None for the
                function that lets another one run in a thread, which must know on whose behalf.
        """
        original = getattr(owner, name)

        @functools.wraps(original)
        def guarded(*args: Any, **kwargs: Any) -> Any:
            if not self._is_on:
                return original(*args, **kwargs)
            if target_of is None:
                loop, executor, function, *rest = args
                by = self._uses.caller()
                return original(loop, executor, functools.partial(_run_for, by, function), *rest, **kwargs)
            target = target_of(*args, **kwargs)
            if target is not None:
                self._check(target)
            return original(*args, **kwargs)

        self._replaced.append((owner, name, vars(owner).get(name, _ABSENT), guarded))
        setattr(owner, name, guarded)

    def _check(self, target: str) -> None:
        caller = self._uses.caller()
        if caller is not None and caller.is_workers:
            error = NetworkRefusedError.of_connection(target, is_local=_is_local(target))
            self._uses.note(error, caller)
            raise error


def _run_for(caller: Caller | None, function: Callable[..., Any], *args: Any) -> Any:
    """Run a function in a thread, on behalf of whoever asked the event loop for that."""
    before, _thread.caller = caller_of_thread(), caller
    try:
        return function(*args)
    finally:
        _thread.caller = before


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


def _is_local(target: str) -> bool:
    host = target if target.count(":") > 2 else target.partition(":")[0]
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host in _LOCAL or host.startswith(("/", "\0"))
