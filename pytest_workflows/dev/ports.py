"""The port: the one that is wanted, or the next free one; and under which addresses it is reached."""

from __future__ import annotations

import contextlib
import errno
import ipaddress
import os
import socket

from .errors import DevError

_TRIES = 100
_EVERYWHERE = ("0.0.0.0", "::")
_NOT_HERE = (errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT, errno.EINVAL)
"""What the system says of an address that it does not have, or of one of a kind or of a link that it does not have."""


def bind(host: str, port: int) -> socket.socket:
    """Take a port: the wanted one, or the next one that is free.

    Args:
        host: The address.
        port: The port; 0 for any.

    Raises:
        DevError: If none can be had.
    """
    last = min(port + _TRIES, 2**16) if port else 1
    for candidate in range(port, last):
        try:
            return _bound(host, candidate)
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise _refusal(host, candidate, error) from None
    raise DevError(
        f"all ports from {port} to {last - 1} of {host} are in use.",
        "Give another one, `--port 9000`, or any: `--port 0`.",
    )


def _bound(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # asyncio sends what is small at once (TCP_NODELAY) where a socket says that it is one of TCP; else an answer in two
    # parts would wait 40 milliseconds for the other side.
    made = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        if os.name == "posix":  # elsewhere it lets two processes take one port
            made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.bind((host, port))
        made.listen(2048)  # now, or a second process could bind it as well
    except BaseException:
        made.close()
        raise
    return made


def _refusal(host: str, port: int, error: OSError) -> DevError:
    if isinstance(error, socket.gaierror) or error.errno in _NOT_HERE:
        return DevError(
            f"{host} is no address of this machine.", "Give one that is, or 0.0.0.0 for all of them: `--host 0.0.0.0`."
        )
    if isinstance(error, PermissionError):
        return DevError(
            f"port {port} of {host} may not be taken: {error.strerror}.", "Ports from 1024 on are free to all."
        )
    return DevError(
        f"port {port} of {host} cannot be taken: {error.strerror or error}.", "Give another: `--port 9000`."
    )


def is_loopback(host: str) -> bool:
    """Whether an address is reached from this machine alone."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def addresses(host: str, port: int) -> list[str]:
    """The addresses under which a port is reached, that of this machine first.

    Args:
        host: The address that was bound.
        port: The port.
    """
    if host not in _EVERYWHERE:
        return [_url(host, port)]
    others = {address for _, _, _, _, (address, *_) in _own_addresses() if not is_loopback(address)}
    return [_url("127.0.0.1", port), *(_url(one, port) for one in sorted(others) if host == "::" or ":" not in one)]


def _own_addresses() -> list[tuple[object, object, object, object, tuple[str, int]]]:
    found: list[tuple[object, object, object, object, tuple[str, int]]] = []
    with contextlib.suppress(OSError):
        found += socket.getaddrinfo(socket.gethostname(), None, type=socket.SOCK_STREAM)  # type: ignore[arg-type]
    with contextlib.suppress(OSError), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.connect(("192.0.2.1", 9))  # nothing is sent: it says which way it would go
        found.append((0, 0, 0, "", probe.getsockname()))
    return found


def _url(host: str, port: int) -> str:
    return f"http://{f'[{host}]' if ':' in host else host}:{port}"
