"""Hooks for inline-snapshot, which loads them where it is installed: the source of our records in a test.

It is loaded in every session then, also where nothing of ours is used, and so imports nothing of the engine.
"""

from __future__ import annotations

from inline_snapshot.plugin import Builder, Custom, ImportFrom, hookimpl

_RECORDS = ("AttemptRecord", "HistoryEvent", "StepRecord")


@hookimpl(specname="customize", tryfirst=True)
def import_records_from_their_public_place(value: object, builder: Builder) -> Custom | None:
    """The classes of our records are imported from `pytest_workflows`."""
    if isinstance(value, type) and value.__module__ == "durable_engine.model" and value.__name__ in _RECORDS:
        return builder.create_code(value.__name__, imports=[ImportFrom("pytest_workflows", value.__name__)])
    return None


@hookimpl(specname="customize", tryfirst=True)
def write_buffers_by_their_content(value: object, builder: Builder) -> Custom | None:
    """Write a memoryview, which `run` gets for bytes, by its content: its `repr` is an address."""
    if isinstance(value, memoryview) and value.format == "B":
        return builder.create_call(memoryview, [value.tobytes()])
    return None
