"""The search for the wrangler configuration that holds for a test.

Every session searches, whether it uses the plugin or not: nothing is imported that a search which finds nothing can do
without.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

NAMES = ("wrangler.json", "wrangler.jsonc", "wrangler.toml")


def find_config(start: Path, rootdir: Path, configured: str | None = None) -> Path | None:
    """The configuration that holds for a file or folder.

    Args:
        start: The file or folder.
        rootdir: pytest's rootdir; the search goes up to there.
        configured: Ini `workflows_config`, relative to rootdir; it wins.

    Returns:
        The nearest configuration, or None.

    Raises:
        WorkflowConfigError: If the configured file does not exist.
    """
    if configured is not None:
        return _configured(rootdir, configured)
    paths = (folder / name for folder in folders_to_search(start, rootdir) for name in NAMES)
    return next((path for path in paths if os.path.isfile(path)), None)


def folders_to_search(start: Path, rootdir: Path) -> Iterator[Path]:
    """The folders whose configuration may hold for a file or folder, the nearest first.

    Args:
        start: The file or folder.
        rootdir: pytest's rootdir; the search goes up to there.
    """
    folder = start if os.path.isdir(start) else start.parent
    for candidate in (folder, *folder.parents):
        yield candidate
        if candidate == rootdir or (not start.is_relative_to(rootdir) and os.path.exists(candidate / ".git")):
            return


def _configured(rootdir: Path, configured: str) -> Path:
    path = rootdir / configured
    if os.path.isfile(path):
        return path
    from pytest_workflows.errors import WorkflowConfigError
    from pytest_workflows.messages.short_repr import shown, shown_path

    near = [str(found.relative_to(rootdir)) for name in NAMES for found in sorted(rootdir.glob(name))]
    hint = f" There is {', '.join(near)}." if near else ""
    raise WorkflowConfigError(
        f"The ini option workflows_config names {shown(configured)}, and {shown_path(path)} does not exist."
        f"{hint} Correct the option, or remove it: the file beside the tests is found by itself."
    )
