"""The page's files: what it shares with the HTML report, and its own."""

from __future__ import annotations

from pathlib import Path

from pytest_workflows.reporting.html.shared import SHARED, shared

_FOLDER = Path(__file__).parent / "static"
_SCRIPTS = (
    "state.js",
    "asking.js",
    "dialogs.js",
    "list.js",
    "detail.js",
    "stores.js",
    "overview.js",
    "live.js",
    "main.js",
)


def page() -> str:
    """The page itself; what is on it comes from its script."""
    return _read("page.html")


def script() -> str:
    """The script, one file of all parts."""
    parts = "".join([*map(shared, SHARED), *map(_read, _SCRIPTS)])
    return f'"use strict";\n(() => {{\n{parts}}})();\n'


def style() -> str:
    """The style: the report's, and what only this page has."""
    return shared("report.css") + _read("page.css")


def icon() -> str:
    """The icon in the browser's tab."""
    return _read("icon.svg")


def _read(name: str) -> str:
    return (_FOLDER / name).read_text(encoding="utf-8")
