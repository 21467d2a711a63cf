"""What a module of the platform says about a name that this plugin does not have."""

from __future__ import annotations

from collections.abc import Iterable

_UNKNOWN = "module {module!r} has no attribute {name!r}. It provides: {provided}."
_NOT_YET = "pytest-workflows does not provide {module}.{name} yet. {module} provides here: {provided}."


def unknown(module: str, name: str, provided: Iterable[str]) -> AttributeError:
    """A name that the platform does not have either."""
    return AttributeError(_UNKNOWN.format(module=module, name=name, provided=_listed(provided)))


def not_yet(module: str, name: str, provided: Iterable[str]) -> AttributeError:
    """A name that the platform has, or may have, and this plugin has not."""
    return AttributeError(_NOT_YET.format(module=module, name=name, provided=_listed(provided)))


def _listed(names: Iterable[str]) -> str:
    return ", ".join(sorted(names, key=str.lower))
