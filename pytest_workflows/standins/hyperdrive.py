"""Hyperdrive: what a driver needs to connect, of the configuration's `localConnectionString`."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from pytest_workflows.javascript.objects import JsObject

if TYPE_CHECKING:
    from pytest_workflows.project.binding_config import BindingConfig

    from .host import Host

_PORTS = {"postgres": 5432, "postgresql": 5432, "mysql": 3306}


def make(config: BindingConfig, host: Host) -> Hyperdrive:
    """Make the stand-in: the driver connects to the database that the configuration names."""
    return Hyperdrive(str(config.settings["localConnectionString"]))


class Hyperdrive(JsObject):
    """Where the database is. Nothing is pooled or cached: the driver connects by itself.

    Args:
        url: The database: `postgres://user:password@127.0.0.1:5432/orders`.
    """

    def __init__(self, url: str) -> None:
        self._url, self._parts = url, urlsplit(url)

    @property
    def connectionString(self) -> str:
        """The database as a URL."""
        return self._url

    @property
    def host(self) -> str:
        """The server."""
        return self._parts.hostname or ""

    @property
    def port(self) -> int:
        """The server's port."""
        return self._parts.port or _PORTS.get(self._parts.scheme, 0)

    @property
    def user(self) -> str:
        """Who connects."""
        return unquote(self._parts.username or "")

    @property
    def password(self) -> str:
        """The password."""
        return unquote(self._parts.password or "")

    @property
    def database(self) -> str:
        """The database's name."""
        return unquote(self._parts.path.removeprefix("/"))
