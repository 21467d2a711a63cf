"""The options of the reports at the end of a session: the HTML page, its records as JSON, and step coverage."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pytest

if TYPE_CHECKING:
    from pytest_workflows.exploration.explorer import Tally

EXPLORED: pytest.StashKey[Tally] = pytest.StashKey()
"""What the session explored, for its reports; all of it when the session finishes."""


class ReportOptions(NamedTuple):
    """The reports that the command line asks for.

    Attributes:
        html: Where the HTML page is written, or None.
        records: Where all that the page is made of is written as JSON, or None.
        coverage: Whether step coverage is measured for its own reports.
        terminal: Whether it is shown on the terminal.
        json: Where coverage is written as JSON.
        fail_under: The least share of steps, in percent, that must be reached; None for any.
    """

    html: Path | None = None
    records: Path | None = None
    coverage: bool = False
    terminal: bool = False
    json: tuple[Path, ...] = ()
    fail_under: float | None = None

    def __bool__(self) -> bool:
        return self.html is not None or self.records is not None or self.coverage


def add_report_options(group: pytest.OptionGroup) -> None:
    """Declare the command line's options."""
    group.addoption(
        "--workflows-html",
        metavar="PATH",
        help="write a page that shows every workflow, test and instance: timelines, attempts, errors, graphs",
    )
    group.addoption(
        "--workflows-json",
        metavar="PATH",
        help="write all that the page is made of as JSON; `pytest-workflows merge` makes one page of many of them",
    )
    group.addoption(
        "--workflows-cov",
        action="store_true",
        help="show which steps of the workflows the tests reached, for real or mocked, and which they never did",
    )
    group.addoption(
        "--workflows-cov-report",
        action="append",
        default=[],
        metavar="term|json:PATH",
        help="how step coverage is shown (default: term); may be given several times",
    )
    group.addoption(
        "--workflows-cov-fail-under",
        metavar="PERCENT",
        help="fail the session if the tests reach fewer of the steps",
    )


def read_report_options(config: pytest.Config) -> ReportOptions:
    """Read the report options.

    Raises:
        pytest.UsageError: If one cannot be read, or jinja2 is missing for the page.
    """
    from pytest_workflows.messages.short_repr import shown

    wanted: list[str] = config.getoption("workflows_cov_report")
    base = config.invocation_params.dir
    for report in wanted:
        kind, _, path = report.partition(":")
        if not (report == "term" or (kind == "json" and path)):
            raise pytest.UsageError(f"--workflows-cov-report takes term or json:PATH, not {shown(report)}.")
        if report != "term":
            _check_writable("--workflows-cov-report=json:", base / path, "coverage.json")
    fail_under = config.getoption("workflows_cov_fail_under")
    coverage = bool(config.getoption("workflows_cov") or wanted or fail_under is not None)
    return ReportOptions(
        html=_page(config),
        records=_file(config, "--workflows-json", "report.json"),
        coverage=coverage,
        terminal=coverage and (not wanted or "term" in wanted),
        json=tuple(base / report.removeprefix("json:") for report in wanted if report != "term"),
        fail_under=None if fail_under is None else _percent(fail_under),
    )


def _page(config: pytest.Config) -> Path | None:
    path = _file(config, "--workflows-html", "report.html")
    if path is None:
        return None
    from importlib.util import find_spec

    if find_spec("jinja2") is None:
        raise pytest.UsageError("--workflows-html needs jinja2: pip install 'pytest-workflows[report]'.")
    return path


def _file(config: pytest.Config, option: str, such_as: str) -> Path | None:
    given = config.getoption(option)
    if given is None:
        return None
    from pytest_workflows.messages.short_repr import shown

    path: Path = config.invocation_params.dir / given
    if not given or os.path.isdir(path):
        raise pytest.UsageError(f"{option} takes the path of a file to write, not {shown(given)}.")
    _check_writable(f"{option}=", path, such_as)
    return path


def _check_writable(option: str, path: Path, such_as: str) -> None:
    """Refuse at once what would only be known when all tests have run."""
    from pytest_workflows.messages.path_checks import why_not_writable
    from pytest_workflows.messages.short_repr import shown_path

    reason = why_not_writable(path)
    if reason is not None:
        raise pytest.UsageError(
            f"{option}{shown_path(path)} cannot be written: {reason}. Name a file in a folder that you may write to, "
            f"such as {option}{such_as}"
        )


def _percent(given: str) -> float:
    from pytest_workflows.messages.short_repr import shown

    try:
        value = float(given)
    except ValueError:
        value = -1.0
    if not 0 <= value <= 100:
        raise pytest.UsageError(f"--workflows-cov-fail-under takes a percentage from 0 to 100, not {shown(given)}.")
    return value
