"""The import hook under its public name; it is defined in `project/importer.py`."""

from .project.importer import install, prepare_for, uninstall

__all__ = ["install", "prepare_for", "uninstall"]
