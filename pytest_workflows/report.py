"""Our part of pytest's report."""

from __future__ import annotations

import pytest

SECTION = "Workflows"


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
