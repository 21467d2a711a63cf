"""Our sections of pytest's reports: added, cleaned of secrets, and coloured where the terminal shows colours."""

from __future__ import annotations

import re
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

from .terminal import terminal_of
from .xdist_channel import Message, attach, attached

if TYPE_CHECKING:
    from pytest_workflows.timeline.styled_text import Line

SECTION = "Workflows"
RECORDINGS = "Workflow recordings"
PROPERTY = "workflows_recording"
"""The user property with the path of a recording, which JUnit XML shows as `<property>`."""
COLOURED: Message[tuple[str, str]] = Message("coloured", tuple)
"""The section as it is, and in colours; the section itself is plain, for whoever reads it elsewhere."""


# -- the section -------------------------------------------------------------------------------------------------------


def add_section(report: pytest.TestReport, lines: list[Line], config: pytest.Config) -> None:
    """Add our section to a test's report.

    Where pytest does not show sections, with `--show-capture=no` or before the prompt of `--pdb`, it stands in the
    failure's own text instead.
    """
    from pytest_workflows.timeline.styled_text import write

    text = write(lines, colour=False)
    beside = getattr(report.longrepr, "addsection", None)
    if (
        report.failed
        and beside is not None
        and (config.getoption("usepdb") or config.getoption("showcapture") != "all")
    ):
        beside(SECTION, text)
        return
    report.sections.append((SECTION, text))
    if terminal_of(config).has_colour:
        attach(report, COLOURED, (text, write(lines, colour=True)))


# -- what may be shown -------------------------------------------------------------------------------------------------

_COLOUR = re.compile(r"(\x1b\[[\d;]*m)")


def clean(report: pytest.TestReport, hide: Callable[[str], str], *, escape: bool) -> None:
    """Take secrets, and what would steer a terminal, out of a test's report.

    Args:
        report: The report of a phase.
        hide: Gives a text without secrets.
        escape: Whether the failure's text holds no colours of pytest's own.
    """

    def shown(line: str) -> str:
        # pytest's explanation of an assertion is in colour.
        parts = [hide(line)] if escape else _COLOUR.split(hide(line))
        return "".join(part if _COLOUR.fullmatch(part) and not escape else _printable(part) for part in parts)

    report.sections = [(title, hide(content)) for title, content in report.sections]
    if isinstance(report.longrepr, str):
        report.longrepr = shown(report.longrepr)
        return
    chain = getattr(report.longrepr, "chain", None) or [(getattr(report.longrepr, "reprtraceback", None), None, None)]
    crashes = [getattr(report.longrepr, "reprcrash", None), *(crash for _, crash, _ in chain)]
    for crash in {id(one): one for one in crashes if one is not None}.values():
        crash.message = shown(crash.message)
    tracebacks = [reprtraceback for reprtraceback, _, _ in chain if reprtraceback is not None]
    for entry in [entry for one in tracebacks for entry in one.reprentries]:
        entry.lines = [shown(line) for line in entry.lines]
        _clean_details(entry, shown)


def _clean_details(entry: Any, shown: Callable[[str], str]) -> None:
    arguments, variables = getattr(entry, "reprfuncargs", None), getattr(entry, "reprlocals", None)
    if arguments is not None:
        arguments.args = [(name, shown(str(value))) for name, value in arguments.args]
    if variables is not None:
        variables.lines = [shown(line) for line in variables.lines]
    if getattr(entry, "reprfileloc", None) is not None:
        entry.reprfileloc.message = shown(entry.reprfileloc.message)


def _printable(text: str) -> str:
    from durable_engine import printable

    return printable(text)


class ColouredSections:
    """A plugin that shows our sections in colours, while the terminal's summary is written."""

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> Generator[None]:
        """Colour the sections."""
        reports = [report for reports in terminalreporter.stats.values() for report in reports]
        with _coloured(reports):
            return (yield)


@contextmanager
def _coloured(reports: list[Any]) -> Iterator[None]:
    plain = []
    for report in reports:
        sections = attached(report, COLOURED) if isinstance(report, pytest.TestReport) else None
        if sections is not None:
            plain.append((report, report.sections))
            uncoloured, coloured = sections
            report.sections = [(title, coloured if text == uncoloured else text) for title, text in report.sections]
    try:
        yield
    finally:
        for report, before in plain:
            report.sections = before


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
