"""Which stand-in a binding of the configuration gets, by its kind. A file is imported when a Worker has its kind."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pytest_workflows.project.binding_config import BindingConfig

    from .host import Host

_MAKERS: dict[str, str] = {
    "analytics_engine_datasets": "analytics_engine",
    "assets": "assets",
    "d1_databases": "d1_binding",
    "durable_objects.bindings": "durable_objects",
    "hyperdrive": "hyperdrive",
    "images": "images",
    "kv_namespaces": "kv_binding",
    "queues.producers": "queue_binding",
    "r2_buckets": "r2",
    "ratelimits": "ratelimits",
    "services": "services",
    "version_metadata": "version_metadata",
}
"""By kind: the file's name here; it has a function `make(config, host)`."""

_NEEDED = {"hyperdrive": "localConnectionString"}
"""By kind: the setting without which there is nothing to stand in with."""


def is_provided(config: BindingConfig) -> bool:
    """Whether there is a stand-in for a binding: for its kind, and with the settings that it has."""
    kind = _kind(config)
    needed = _NEEDED.get(kind)
    return kind in _MAKERS and (needed is None or bool(config.settings.get(needed)))


def make(config: BindingConfig, host: Host) -> Any:
    """Make the stand-in of a binding.

    Args:
        config: The binding.
        host: The test.

    Returns:
        The binding as JavaScript has it.

    Raises:
        WorkflowConfigError: If the binding's entry cannot be right.
    """
    module = importlib.import_module(f"{__package__}.{_MAKERS[_kind(config)]}")
    return module.make(config, host)


def _kind(config: BindingConfig) -> str:
    """The kind of a binding; a rate limit was an unsafe one, before it had a name of its own."""
    if config.kind == "unsafe.bindings" and config.settings.get("type") == "ratelimit":
        return "ratelimits"
    return config.kind
