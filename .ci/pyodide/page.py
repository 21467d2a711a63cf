#!/usr/bin/env python3
"""Write the tables of docs/reference/interpreter.md from the table of differences: `python .ci/pyodide/page.py`."""

from __future__ import annotations

import json
import re
import textwrap
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
TABLE = ROOT / "pytest_workflows" / "interpreter" / "differences.json"
PAGE = ROOT / "docs" / "reference" / "interpreter.md"
_PART = re.compile(r"(<!-- generated: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)


def rendered(page: str, table: dict[str, Any]) -> str:
    """The page with its generated parts written anew."""
    versions = sorted(table, key=lambda one: int(one.partition(".")[2]), reverse=True)
    makers = {"modules": _modules, "calls": _calls, "names": _names, "values": _values}
    return _PART.sub(
        lambda found: f"{found[1]}\n{makers[found[2]]({one: table[one] for one in versions})}\n\n{found[3]}", page
    )


def _by_versions(table: dict[str, Any], outcomes: dict[str, dict[str, Any]]) -> list[tuple[str, str, Any]]:
    """What, on which versions, and the outcome; one row for versions that agree."""
    rows: list[tuple[str, str, Any]] = []
    for what in sorted({one for found in outcomes.values() for one in found}, key=lambda one: (one.lower(), one)):
        agreeing: dict[str, list[str]] = {}
        for version in table:
            if what in outcomes[version]:
                agreeing.setdefault(json.dumps(outcomes[version][what]), []).append(version)
        for outcome, versions in agreeing.items():
            shown = "all" if len(versions) == len(table) else ", ".join(versions)
            rows.append((what, shown, json.loads(outcome)))
    return rows


def _modules(table: dict[str, Any]) -> str:
    rows = _by_versions(table, {version: found["modules"] for version, found in table.items()})
    by_versions: dict[str, list[str]] = {}
    for what, versions, _ in rows:
        if what.partition(".")[0] == what or not any(one == what.partition(".")[0] for one, *_ in rows):
            by_versions.setdefault(versions, []).append(f"`{what}`")
    lines = ["| Python | modules that are not there |", "|---|---|"]
    return "\n".join(lines + [f"| {versions} | {', '.join(found)} |" for versions, found in by_versions.items()])


def _calls(table: dict[str, Any]) -> str:
    raising = {
        version: {what: one for what, one in found["calls"].items() if one[0] != "ok"}
        for version, found in table.items()
    }
    lines = ["| call | Python | raises |", "|---|---|---|"]
    for what, versions, outcome in _by_versions(table, raising):
        if outcome[0] == "ends":
            shown = "the interpreter ends"
        else:
            said = ", ".join(str(one) for one in outcome[2])
            shown = f"`{outcome[1].rpartition('.')[2]}`" + f": {said}" * bool(said)
        lines.append(f"| `{what}` | {versions} | {_cell(shown)} |")
    return "\n".join(lines)


def _names(table: dict[str, Any]) -> str:
    lines = []
    modules = sorted({module for found in table.values() for module in found["names"]})
    for module in modules:
        found = {version: dict.fromkeys(one["names"].get(module, ())) for version, one in table.items()}
        names = [
            f"`{what}`" + ("" if versions == "all" else f" ({versions})")
            for what, versions, _ in _by_versions(table, found)
        ]
        lines.append(
            textwrap.fill(f"- `{module}`: {', '.join(names)}", 120, subsequent_indent="  ", break_long_words=False)
        )
    return "\n".join(lines)


def _values(table: dict[str, Any]) -> str:
    silent = {
        version: {what: one for what, one in found["calls"].items() if one[0] == "ok"}
        for version, found in table.items()
    }
    lines = ["| expression | Python | there | on CPython |", "|---|---|---|---|"]
    for what, versions, (_, there, here) in _by_versions(table, silent):
        lines.append(f"| `{_cell(what)}` | {versions} | `{_cell(repr(there))}` | `{_cell(repr(here))}` |")
    return "\n".join(lines)


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


def main() -> None:
    """Write the page."""
    PAGE.write_text(rendered(PAGE.read_text(), json.loads(TABLE.read_text())))


if __name__ == "__main__":
    main()
