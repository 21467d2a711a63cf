"""What is said of errors that pytest, or Python, cannot explain: by notes on them, or in their reports."""

from __future__ import annotations

from collections.abc import Generator
from typing import TYPE_CHECKING, Any

import pytest

from pytest_workflows.project.loop_at_import import explain_missing_loop

from .report_sections import SECTION

if TYPE_CHECKING:
    from pytest_workflows.project.worker_project import Project


def note_newer_python(error: BaseException, project: Project | None) -> list[str]:
    """Note on an error where the Worker's source may be for a newer Python than this one.

    Args:
        error: What went wrong.
        project: The project of the test, if one is known.

    Returns:
        The notes.
    """
    if project is None or not project.readable:
        return []
    from pytest_workflows.project.newer_python import add_notes

    return add_notes(error, project)


def explain_loop(
    error: BaseException, project: Project | None, report: pytest.CollectReport | pytest.TestReport
) -> None:
    """Say in a report what to do where a Worker's module, imported by a test file or a test, wants an event loop.

    Args:
        error: What went wrong.
        project: The project that is active.
        report: Of a test, or of a file that cannot be collected.
    """
    said = None if project is None else explain_missing_loop(error, project.has_file)
    if said is not None:
        report.sections.append((SECTION, said))


def explain_async(item: pytest.Item) -> Generator[None, Any, Any]:
    """Call a test of workflows: where nothing runs an async one, say what to write."""
    try:
        return (yield)
    except (pytest.fail.Exception, pytest.skip.Exception) as outcome:
        if "async def function" not in str(outcome):
            raise
    pytest.fail(_not_run(item), pytrace=False)


def _not_run(item: pytest.Item) -> str:
    where = (
        'asyncio_mode = "auto" under [tool.pytest.ini_options] of pyproject.toml (in pytest.ini, asyncio_mode = auto '
        "under [pytest])"
    )
    if hasattr(item.config.option, "asyncio_mode"):
        return (
            f"{item.name} is an async test, and nothing ran it: pytest-asyncio is in strict mode, as it is where "
            f"asyncio_mode is not set, and runs only what is marked. Write {where}, or @pytest.mark.asyncio before the "
            "test."
        )
    return (
        f"{item.name} is an async test, and nothing ran it: pytest has no plugin for async tests here. Install one, "
        f"`pip install pytest-asyncio`, and write {where}."
    )
