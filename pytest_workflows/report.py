"""Our part of pytest's report, and what the terminal that shows it can do."""

from __future__ import annotations

import sys
from collections.abc import Generator, Iterator, MutableMapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from .styled import Line

SECTION = "Workflows"
_COLOURED = "pytest_workflows_coloured"
"""The report's attribute with the section in colours; the section itself is plain, for whoever reads it elsewhere."""
_TERMINAL = "pytest_workflows_terminal"


# -- the terminal ------------------------------------------------------------------------------------------------------


def has_colour(config: pytest.Config) -> bool:
    """Whether the terminal shows colours; under xdist, that of the controller."""
    if hasattr(config, "workerinput"):
        return bool(config.workerinput[_TERMINAL]["colour"])
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    return reporter is not None and bool(config.get_terminal_writer().hasmarkup)


def takes_ascii_only(config: pytest.Config) -> bool:
    """Whether the terminal cannot show block characters; under xdist, that of the controller."""
    if hasattr(config, "workerinput"):
        return bool(config.workerinput[_TERMINAL]["ascii"])
    try:
        # Not `sys.stdout`, in whose place pytest may be capturing.
        "█✗·░▒".encode(getattr(sys.__stdout__, "encoding", None) or "utf-8")
    except UnicodeEncodeError:
        return True
    return False


def tell_worker(workerinput: MutableMapping[str, Any], config: pytest.Config) -> None:
    """Tell a worker of xdist what the controller's terminal can do."""
    workerinput[_TERMINAL] = {"colour": has_colour(config), "ascii": takes_ascii_only(config)}


# -- the section -------------------------------------------------------------------------------------------------------


def add_section(report: pytest.TestReport, lines: list[Line], *, colour: bool) -> None:
    """Add our section to a test's report."""
    from .styled import write

    report.sections.append((SECTION, write(lines, colour=False)))
    if colour:
        setattr(report, _COLOURED, write(lines, colour=True))


class ColouredSections:
    """Shows our sections in colours, while the terminal's summary is written."""

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> Generator[None]:
        """Colour the sections."""
        reports = [report for reports in terminalreporter.stats.values() for report in reports]
        with _coloured([report for report in reports if hasattr(report, _COLOURED)]):
            return (yield)


@contextmanager
def _coloured(reports: list[Any]) -> Iterator[None]:
    plain = [(report, report.sections) for report in reports]
    for report, sections in plain:
        coloured = getattr(report, _COLOURED)
        report.sections = [(title, coloured if title == SECTION else text) for title, text in sections]
    try:
        yield
    finally:
        for report, sections in plain:
            report.sections = sections


def show_report(reporter: pytest.TerminalReporter) -> None:
    """Show the runs of every test's instances; those of failing tests stand in their reports already."""
    shown = [
        (report.nodeid, content)
        for report in reporter.stats.get("passed", [])
        for title, content in report.sections
        if title == SECTION
    ]
    if not shown:
        return
    reporter.section("workflows")
    for nodeid, content in shown:
        reporter.line("")
        reporter.line(nodeid, bold=True)
        for line in content.splitlines():
            reporter.line(f"  {line}")
