"""Which stand-in a binding of the configuration gets, by its kind. A file is imported when a Worker has its kind."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pytest_workflows.project.binding_config import BindingConfig

    from .host import Host

_MAKERS: dict[str, str] = {
    "d1_databases": "d1",
}
"""By kind: the file's name here; it has a function `make(config, host)`."""


def is_provided(kind: str) -> bool:
    """Whether there is a stand-in for a kind of binding."""
    return kind in _MAKERS


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
    module = importlib.import_module(f"{__package__}.{_MAKERS[config.kind]}")
    return module.make(config, host)
