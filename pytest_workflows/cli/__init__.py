"""The command `pytest-workflows`. It needs the extra `cli`, and says so where that is missing.

The application, and what its commands share, belongs here; a command to `commands`, what is written to `terminal`, and
the code of a generated test to `generating`. What a command finds out belongs to the room that knows it: recordings,
reporting, project.
"""

from __future__ import annotations

import sys

NOT_INSTALLED = "pytest-workflows: the command needs typer. Install it: pip install 'pytest-workflows[cli]'"


def main() -> None:
    """Run the command; the entry point `pytest-workflows`."""
    try:
        import typer  # noqa: F401 (the extra `cli` alone brings it)
    except ModuleNotFoundError:
        print(NOT_INSTALLED, file=sys.stderr)
        sys.exit(2)
    from .app import app

    app(prog_name="pytest-workflows")
