"""A binding as the configuration declares it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec


class BindingConfig(msgspec.Struct, frozen=True):
    """A binding as the configuration declares it.

    Attributes:
        name: Its name in `env`.
        kind: The configuration's name for what it is: `kv_namespaces`, `queues.producers`.
        settings: Its entry, as written.
        path: The configuration.
        line: Where it is named there.
    """

    name: str
    kind: str
    settings: Mapping[str, Any]
    path: Path
    line: int = 1
