"""`python -m pytest_workflows.cli` is the command as well."""

from __future__ import annotations

from . import main

main()
