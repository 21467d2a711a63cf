"""Who may ask the control plane: the hosts that it answers to, its token, and the sites that may change anything."""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping
from typing import Final
from urllib.parse import parse_qsl, urlencode, urlsplit

import msgspec

OWN_PATHS: Final = ("/__workflows", "/client/v4", "/cdn-cgi")
"""What is the control plane's own, with everything below; all else is the Worker's."""

TOKEN_COOKIE: Final = "workflows_token"
"""The beginning of the cookie's name; the port follows. Browsers give a host's cookies to each of its ports."""
_TOKEN_COOKIES: Final = re.compile(rf"{TOKEN_COOKIE}(_\d+)?")
_LOOPBACK: Final = frozenset({"127.0.0.1", "localhost", "[::1]"})
_READING: Final = frozenset({"GET", "HEAD", "OPTIONS"})
_FIRING: Final = "/scheduled"
"""The end of the paths that change something whatever the method is."""
_OWN_SITE: Final = frozenset({"same-origin", "none"})
_PAGE: Final = "/__workflows"


class Security(msgspec.Struct, frozen=True):
    """What the control plane asks of those who call it.

    Attributes:
        token: What own paths want; None where only this machine asks.
        hosts: Names that own paths answer to, besides this machine's own: without a port, in lower case.
        worker_host: The host that the Worker sees in place of the one that was asked for; None for that one.
    """

    token: str | None = None
    hosts: frozenset[str] = frozenset()
    worker_host: str | None = None


class Asked(msgspec.Struct, frozen=True):
    """What of a request matters here.

    Attributes:
        method: Its method.
        path: Its path.
        query: Its query, undecoded.
        headers: Its headers, by names in lower case.
    """

    method: str
    path: str
    query: str
    headers: Mapping[str, str]


class Refusal(msgspec.Struct, frozen=True):
    """Why a request is refused.

    Attributes:
        status: The HTTP status.
        sentence: What happened, and what to do.
    """

    status: int
    sentence: str


def make_token() -> str:
    """A token that nobody guesses."""
    return secrets.token_urlsafe(24)


def is_own(path: str) -> bool:
    """Whether a path is the control plane's own."""
    return any(path == own or path.startswith(f"{own}/") for own in OWN_PATHS)


def refusal_of(asked: Asked, security: Security) -> Refusal | None:
    """Why a request to an own path is refused; None where it is not."""
    host = asked.headers.get("host", "")
    name = host_name(host)
    if not _answers_to(name, security):
        return Refusal(
            403,
            f"The control plane does not answer to the host {host!r}: a page of the web could have led a browser here. "
            "Ask for 127.0.0.1 or localhost.",
        )
    if _changes(asked) and not _is_own_site(asked.headers, host):
        return Refusal(
            403,
            "A page of another site asked for a change. Ask from the control plane's own page, or from a client that "
            "is no browser.",
        )
    if security.token is not None and not _has_token(asked, security.token):
        return Refusal(
            401,
            "The token is missing or is another one. Send the header `Authorization: Bearer TOKEN`, or open "
            f"{_PAGE}?token=TOKEN: the token was printed at the start.",
        )
    return None


def token_redirect(asked: Asked, security: Security) -> tuple[str, str] | None:
    """For a page that was opened with the token in its address: the address without it, and the cookie that keeps it.

    Returns:
        None where nothing is to be kept.
    """
    if security.token is None or asked.method != "GET" or not asked.path.startswith(_PAGE):
        return None
    query = parse_qsl(asked.query, keep_blank_values=True)
    if not any(name == "token" and _same(value, security.token) for name, value in query):
        return None
    rest = urlencode([(name, value) for name, value in query if name != "token"])
    port = host_port(asked.headers.get("host", ""))
    name = f"{TOKEN_COOKIE}_{port}" if port.isdecimal() else TOKEN_COOKIE
    cookie = f"{name}={security.token}; Path=/; HttpOnly; SameSite=Strict"
    return (f"{asked.path}?{rest}" if rest else asked.path), cookie


def without_token(cookies: str) -> str:
    """A Cookie header without the control plane's own: the Worker's code is to know no token, another server's neither.

    Args:
        cookies: The header.
    """
    return ";".join(one for one in cookies.split(";") if not _is_token(_pair(one)[0])).strip()


def host_name(host: str) -> str:
    """The name in a Host header, without its port."""
    host = host.strip().lower()
    if host.startswith("["):
        return host.partition("]")[0] + "]"
    return host.partition(":")[0]


def host_port(host: str) -> str:
    """The port in a Host header; empty where it has none."""
    return host.strip().lower().removeprefix(host_name(host)).removeprefix(":")


def _changes(asked: Asked) -> bool:
    return asked.method not in _READING or asked.path.endswith(_FIRING)


def _answers_to(name: str, security: Security) -> bool:
    return name in _LOOPBACK or name.endswith(".localhost") or name in security.hosts


def _is_own_site(headers: Mapping[str, str], host: str) -> bool:
    """Whether no page of another site asks: browsers say so in one of two headers, and other clients in none."""
    if headers.get("sec-fetch-site", "none") not in _OWN_SITE:
        return False
    origin = headers.get("origin")
    return origin is None or urlsplit(origin).netloc.lower() == host.strip().lower()


def _has_token(asked: Asked, token: str) -> bool:
    scheme, _, given = asked.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer" and _same(given.strip(), token):
        return True
    cookies = [_pair(one) for one in asked.headers.get("cookie", "").split(";")]
    return any(_is_token(name) and _same(value, token) for name, value in cookies)


def _is_token(name: str) -> bool:
    return _TOKEN_COOKIES.fullmatch(name) is not None


def _pair(cookie: str) -> tuple[str, str]:
    """Name and value of a cookie. By hand: `http.cookies` reads none of them where one of the Worker's is odd."""
    name, _, value = cookie.partition("=")
    return name.strip(), value.strip()


def _same(given: str, token: str) -> bool:
    return secrets.compare_digest(given.encode(), token.encode())
