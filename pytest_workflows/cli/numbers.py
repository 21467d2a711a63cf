"""The numbers of a `pytest-workflows dev` that runs, as tables."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from .terminal import formatting as words
from .terminal.console import STYLES, columns, show

_EXACT = 10_000
_FIRST = {"day": "Day", "hour": "Hour", "workflow": "Workflow"}


def show_numbers(numbers: Mapping[str, Any], console: Console) -> None:
    """Print them: a line for each part, one for all, and the slowest steps.

    Args:
        numbers: What the process answers.
        console: Where to.
    """
    parts = [*numbers["parts"], {**numbers["total"], "name": "all"}]
    table = columns(
        _FIRST[numbers["by"]], ">Instances", "Status", ">Steps", ">Retries", ">Median", ">Longest", ">Virtual"
    )
    table.columns[0].no_wrap = True
    for part in parts:
        wall, virtual = part["wall"], part["virtual"]
        table.add_row(
            str(part["name"]),
            str(part["instances"]),
            _statuses(part["statuses"]),
            str(part["steps"]),
            str(part["retries"]),
            _time(wall, "median"),
            _time(wall, "longest"),
            _time(virtual, "longest"),
        )
    show(table, console)
    if numbers["slowest"]:
        console.print()
        show(_slowest(numbers["slowest"]), console)


def _time(spread: Mapping[str, Any], which: str) -> str:
    """A duration in words, in whole seconds where there are many; a dash where nothing was measured."""
    if not spread["count"]:
        return "-"
    ms = spread[which]
    return words.duration(ms if ms < _EXACT else round(ms, -3))


def _statuses(statuses: Mapping[str, int]) -> Text:
    parts = Text()
    for number, (status, count) in enumerate(statuses.items()):
        parts.append(f"{', ' if number else ''}{count} ").append(status, style=STYLES.get(status, ""))
    return parts


def _slowest(steps: Iterator[Mapping[str, Any]]) -> Table:
    table = columns("Slowest steps", "Workflow", ">Runs", ">Failed", ">Retries", ">Working", ">Virtual")
    for step in steps:
        table.add_row(
            f"{words.TYPES[step['kind']]} {step['name']}",
            step["workflow"],
            str(step["runs"]),
            str(step["failed"]),
            str(step["retries"]),
            _time(step["working"], "longest"),
            _time(step["virtual"], "longest"),
        )
    return table
