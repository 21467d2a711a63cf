"""What `pytest-workflows dev` is started with."""

from __future__ import annotations

import re
from pathlib import Path

import msgspec

DEFAULT_PORT = 8787
LOOPBACK = "127.0.0.1"
TOKEN = re.compile(r"[A-Za-z0-9._~+/=-]+")
"""What a header and a cookie take of a token."""

STATE = Path(".workflows", "state")


class DevSettings(msgspec.Struct, frozen=True):
    """What a process serves, and where.

    Attributes:
        config: The Worker's wrangler configuration.
        state: The folder that instances and contents are kept in.
        rootdir: The folder that places are shown from, and Workers are searched from.
        environment: Which environment of the configuration holds.
        dev_vars: Whether `.dev.vars` beside the configuration is read.
        workers: The folders of the Workers that belong together; None searches the repository for them.
        plan: The plan whose limits hold.
        host: The address to bind.
        port: The port that is tried first; 0 for any.
        worker_host: The host that the Worker sees in place of the one that was asked for.
        hosts: Further host names that the control plane answers to.
        token: The token that is asked for; None makes one where `host` or `hosts` let others than this machine in.
        reloads: Whether a change of the source is deployed.
    """

    config: Path
    state: Path
    rootdir: Path
    environment: str | None = None
    dev_vars: bool = True
    workers: tuple[Path, ...] | None = None
    plan: str = "paid"
    host: str = LOOPBACK
    port: int = DEFAULT_PORT
    worker_host: str | None = None
    hosts: frozenset[str] = frozenset()
    token: str | None = None
    reloads: bool = True
