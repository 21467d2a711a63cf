"""The table of differences: what Pyodide's Python does in another way than CPython's, for each Python there is.

`.ci/pyodide/compare.py` writes it, from one file of probes that runs on both. An outcome there is what happened: an
exception with its class and its arguments as they came, and never a text of ours.
"""

from __future__ import annotations

import builtins
import importlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

_SHOWN = 100
_FILE = Path(__file__).with_name("differences.json")


@dataclass(frozen=True)
class Refusal:
    """An exception that the platform's Python raises.

    Attributes:
        kind: The exception's class, `OSError` or `zoneinfo._common.ZoneInfoNotFoundError`.
        arguments: Its arguments, with the platform's error numbers.
    """

    kind: str
    arguments: tuple[Any, ...]

    def error(self) -> BaseException:
        """The exception, made anew."""
        module, _, name = self.kind.rpartition(".")
        # Where a package has its class moves from version to version; pathlib's came with Python 3.13.
        owner = importlib.import_module(module.partition(".")[0]) if module else builtins
        made: BaseException = getattr(owner, name, OSError)(*self.arguments)
        return made

    def __str__(self) -> str:
        shown = ", ".join(map(repr, self.arguments))
        return f"{self.kind.rpartition('.')[2]}({shown if len(shown) <= _SHOWN else f'{shown[:_SHOWN]}...'})"


@dataclass(frozen=True)
class Table:
    """The differences of one Python.

    Attributes:
        python: Its minor version, `3.14`.
        pyodide: The release of Pyodide that was asked, `314.0.7`.
        modules: Modules that are not there, with the text of the error.
        names: Names that a module does not have, by the module.
        refused: What raises there and not on CPython, by what is called.
        silent: What gives another value there, by what is called: the value there, and on CPython.
    """

    python: str
    pyodide: str
    modules: Mapping[str, str]
    names: Mapping[str, frozenset[str]]
    refused: Mapping[str, Refusal]
    silent: Mapping[str, tuple[object, object]]

    def missing_module(self, name: str) -> str | None:
        """The text of the error for a module that is not there; None for one that is there or is not known."""
        if name in self.modules:
            return self.modules[name]
        root = name.partition(".")[0]
        return self.modules.get(root)


@cache
def _content() -> dict[str, Any]:
    content: dict[str, Any] = json.loads(_FILE.read_text(encoding="utf-8"))
    return content


@cache
def table_of(python: tuple[int, int]) -> Table:
    """The table of a Python of the platform.

    Args:
        python: Its version; of one that is not known the nearest one holds.
    """
    versions = {tuple(map(int, version.split("."))): version for version in _content()}
    known = min(versions, key=lambda one: (abs(one[1] - python[1]), one))
    version = versions[known]
    data = _content()[version]
    calls: Mapping[str, list[Any]] = data["calls"]
    return Table(
        version,
        data["pyodide"],
        data["modules"],
        {module: frozenset(names) for module, names in data["names"].items()},
        {what: Refusal(one[1], tuple(one[2])) for what, one in calls.items() if one[0] == "raises"},
        {what: (one[1], one[2]) for what, one in calls.items() if one[0] == "ok"},
    )


def all_tables() -> list[Table]:
    """The tables of every Python there is, the oldest first."""
    return [table_of((3, int(version.partition(".")[2]))) for version in _content()]
