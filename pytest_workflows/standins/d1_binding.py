"""A D1 database of the configuration, and its migrations by hand."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

from pytest_workflows.errors import WorkflowConfigError
from pytest_workflows.messages.short_repr import shown, shown_path

from . import d1_wrappers  # noqa: F401  # enters its wrappers with the SDK's
from .d1 import D1Database
from .d1_migrations import Migrations, migrated, migrations_of
from .d1_store import D1Store
from .sqlite.database import cure_of

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
    named = _id_of(config)
    id = host.qualified(config.name) if named is None else named
    store = host.stores.get(config.kind, id, lambda: D1Store(migrated(_all_migrations(config, host, id), host)))
    store.migrations_table = migrations.table
    made = D1Database(store, host, migrations)
    if store.is_kept:
        _migrate(made, _all_migrations(config, host, id), config)
    return made


def _migrate(made: D1Database, all: Sequence[Migrations], config: BindingConfig) -> None:
    """Apply the migrations that a kept database has not had; whether its file is a database is known then."""
    service = made._service
    try:
        if service.store.has_file:
            service.database.tables()
        for one in all:
            if one.files():
                one.apply(service.database)
    except sqlite3.Error as error:
        where = f"{shown_path(config.path)}:{config.line}"
        path = service.store.path
        said = f"{error}." if path is None else f"{shown_path(path)}: {error}. {cure_of(error)}."
        raise WorkflowConfigError(f"{where}: the D1 database {config.name!r} cannot be used: {said}") from None


def _id_of(config: BindingConfig) -> str | None:
    return next((str(config.settings[key]) for key in _IDS if config.settings.get(key)), None)


def _all_migrations(config: BindingConfig, host: Host, id: str) -> list[Migrations]:
    """The migrations of a database: those of each Worker that has a binding to it, the one's first that asks."""
    others = host.same(config.kind, lambda other: _id_of(other) == id)
    return list(dict.fromkeys(migrations_of(one) for one in (config, *others)))


async def apply_d1_migrations(database: Any, folder: str | os.PathLike[str] | None = None) -> list[str]:
    """Apply the migrations that a database has not had, as `wrangler d1 migrations apply` does.

    The configured ones are applied before each test; this is for another folder, or for files that a test writes.

    Args:
        database: The binding: `workflow_env.DB`.
        folder: The folder; a relative one is looked for beside the configuration. The configured one by default.

    Returns:
        The names of the applied files, in order.

    Raises:
        WorkflowConfigError: If a migration fails: its file and line. Those before it stay applied.
        TypeError: If `database` is no binding of D1.

    Example:
        >>> async def test_old_rows(workflow_env):
        ...     await apply_d1_migrations(workflow_env.DB, "migrations-next")
    """
    binding: D1Database = getattr(database, "_binding", database)
    if not isinstance(binding, D1Database):
        raise TypeError(f"apply_d1_migrations: {shown(database)} is no D1 database; give workflow_env.NAME of one.")
    migrations = binding._migrations
    if folder is not None:
        migrations = Migrations(migrations.folder.parent / folder, migrations.table)
        if not migrations.folder.is_dir():
            raise WorkflowConfigError(f"apply_d1_migrations: there is no folder {shown_path(migrations.folder)}.")
    return migrations.apply(binding._service.database)
