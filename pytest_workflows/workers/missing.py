"""Errors of the platform's modules for names that this plugin does not have."""

from __future__ import annotations

import opcode
import sys
from collections.abc import Iterable
from types import FrameType

from pytest_workflows.active_test import note_use
from pytest_workflows.errors import MissingNameError

_UNKNOWN = "module {module!r} has no attribute {name!r}. It provides: {provided}."
_READS = frozenset({"LOAD_ATTR", "LOAD_METHOD"})


def unknown(module: str, name: str, provided: Iterable[str]) -> AttributeError:
    """A name that the platform does not have either."""
    listed = ", ".join(sorted(provided, key=str.lower))
    return AttributeError(_UNKNOWN.format(module=module, name=name, provided=listed))


def not_yet(module: str, name: str, provided: Iterable[str]) -> MissingNameError:
    """A name that the platform has, or may have, and this plugin has not; for a module's own `__getattr__` alone.

    Code that reads it as `module.name` uses it. `hasattr`, `getattr` and `from module import name` ask for it.
    """
    error = MissingNameError.of_attribute(module, name, provided)
    if is_read_as_attribute(sys._getframe(2)):
        note_use(error)
    return error


def is_read_as_attribute(reader: FrameType) -> bool:
    """Whether a frame runs `object.name`, rather than a call of `getattr` or `hasattr`."""
    return opcode.opname[reader.f_code.co_code[reader.f_lasti]] in _READS
