"""Our section of pytest's report, and the abilities of the terminal that shows it."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Generator, Iterator, MutableMapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from pytest_workflows.timeline.styled_text import Line

SECTION = "Workflows"
RECORDINGS = "Workflow recordings"
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


def send_terminal(workerinput: MutableMapping[str, Any], config: pytest.Config) -> None:
    """Send a worker of xdist the abilities of the controller's terminal."""
    workerinput[_TERMINAL] = {"colour": has_colour(config), "ascii": takes_ascii_only(config)}


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
    if has_colour(config):
        setattr(report, _COLOURED, [text, write(lines, colour=True)])


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
    for entry in [
        entry for reprtraceback, _, _ in chain if reprtraceback is not None for entry in reprtraceback.reprentries
    ]:
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
        with _coloured([report for report in reports if hasattr(report, _COLOURED)]):
            return (yield)


@contextmanager
def _coloured(reports: list[Any]) -> Iterator[None]:
    plain = [(report, report.sections) for report in reports]
    for report, sections in plain:
        uncoloured, coloured = getattr(report, _COLOURED)
        report.sections = [(title, coloured if text == uncoloured else text) for title, text in sections]
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
