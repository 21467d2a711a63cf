"""A KV namespace of the configuration."""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import kv_wrapper  # noqa: F401  # enters its wrapper with the SDK's
from .kv import KvNamespace
from .kv_store import KvStore

if TYPE_CHECKING:
    from pytest_workflows.project.binding_config import BindingConfig

    from .host import Host


def make(config: BindingConfig, host: Host) -> KvNamespace:
    """Make the stand-in of a namespace; bindings with one id are of one namespace.

    Args:
        config: The binding, of `kv_namespaces`.
        host: The test.
    """
    id = config.settings.get("id") or host.qualified(config.name)
    return KvNamespace(host.stores.get(config.kind, str(id), KvStore), host, config.name)
