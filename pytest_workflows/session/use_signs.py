"""The signs that a session uses the plugin: options, ini options, tests, and imported modules."""

from __future__ import annotations

import sys
from collections.abc import Iterable

import pytest

from .ini_options import INI_OPTIONS

MARKER = "workflow"
OUR_FIXTURES = frozenset(
    {
        "workflow_env",
        "workflow_bindings",
        "workflow_worker",
        "workflow_workers",
        "workflow_clock",
        "workflow_engine",
        "workflow_seed",
        "workflow_server",
    }
)
_IMPORTED = ("durable_engine", "pytest_workflows.active_test", "pytest_workflows.workers")
"""What is loaded with whatever a conftest or a test module imports of us."""


def is_imported() -> bool:
    """Whether anybody has imported something of the plugin, a session around this one included."""
    return any(name in sys.modules for name in _IMPORTED)


def has_ini(config: pytest.Config) -> bool:
    """Whether an ini option of ours is set."""
    return any(option.is_set(config) for option in INI_OPTIONS)


def has_option(config: pytest.Config) -> bool:
    """Whether an option of ours is given, or this process shows what the workers of xdist send."""
    options = vars(config.option)
    given = (value for name, value in options.items() if name.startswith("workflows_") and name != "workflows_record")
    if any(value not in (None, []) and value is not False for value in given):
        return True
    return options.get("workflows_record") == "all" or options.get("dist", "no") != "no"


def has_use(items: Iterable[object]) -> bool:
    """Whether one of these asks for a fixture of ours, has our marker, or is a property test.

    The examples of a property test must be runs of their own from the first one on, whenever it uses us.

    Args:
        items: Tests, and whatever else was collected.
    """
    return any(isinstance(item, pytest.Item) and _uses_us(item) for item in items)


def _uses_us(item: pytest.Item) -> bool:
    return (
        not OUR_FIXTURES.isdisjoint(getattr(item, "fixturenames", ()))
        or item.get_closest_marker(MARKER) is not None
        or hasattr(getattr(item, "obj", None), "hypothesis")
    )
