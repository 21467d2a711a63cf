"""A D1 database of the configuration."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from . import d1_wrappers  # noqa: F401  # enters its wrappers with the SDK's
from .d1 import D1Database
from .d1_migrations import migrated, migrations_of
from .d1_store import D1Store

if TYPE_CHECKING:
    from pytest_workflows.project.binding_config import BindingConfig

    from .host import Host

_IDS: Final = ("preview_database_id", "database_id", "database_name")


def make(config: BindingConfig, host: Host) -> D1Database:
    """Make the stand-in of a binding.

    Args:
        config: The binding, of `d1_databases`.
        host: The test.

    Raises:
        WorkflowConfigError: If the entry cannot be right, or a migration fails: its file and line.
    """
    migrations = migrations_of(config)
    id = next((str(config.settings[key]) for key in _IDS if config.settings.get(key)), config.name)
    store = host.stores.get(config.kind, id, lambda: D1Store(migrated(migrations, host)))
    store.migrations_table = migrations.table
    return D1Database(store, host, migrations)
