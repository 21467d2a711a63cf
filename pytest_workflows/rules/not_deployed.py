"""not-deployed: the Worker imports what this machine has and the deployed Worker does not.

The check of imports notices it, from what the project declares.
"""

from .registry import register

register(
    "not-deployed",
    consequence="the import raises ModuleNotFoundError",
    remedy="declare the package in [project] dependencies of pyproject.toml, or do without it",
)
