"""The reports at the end of a session, made from the records of its tests."""

from __future__ import annotations

import hashlib
import os
import shlex
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterable, Iterator, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import pytest

from pytest_workflows.exploration.explorer import Tally
from pytest_workflows.introspection.freeze import real_seconds
from pytest_workflows.reporting import json_report
from pytest_workflows.reporting.coverage import KnownWorkflow, dump, relative
from pytest_workflows.reporting.html import Failure, Report, render
from pytest_workflows.reporting.html.paths import ShortPaths
from pytest_workflows.reporting.kept_sources import keep_sources
from pytest_workflows.reporting.run_records import TestRuns
from pytest_workflows.reporting.session_records import Part, SessionRecords, Share
from pytest_workflows.session.report_options import EXPLORED
from pytest_workflows.session.slices import SLICE, test_of
from pytest_workflows.sources import find_steps

if TYPE_CHECKING:
    from pytest_workflows.project.worker_project import Project
    from pytest_workflows.session.report_options import ReportOptions
    from pytest_workflows.session.session import WorkflowSession


class Collected(msgspec.Struct):
    """What the records of a session need to know of the tests that were collected.

    Attributes:
        configured: The workflows that their configurations name, those of other Workers left out.
        configs: The configurations' files.
        slices: The slices of tests that are divided, by the test.
        order: What all tests and their order are recognised by.
    """

    configured: list[KnownWorkflow] = []
    configs: list[str] = []
    slices: dict[str, list[Share]] = {}
    order: str = ""


def collected(items: Iterable[pytest.Item], order: Iterable[str], session: WorkflowSession, rootdir: Path) -> Collected:
    """What the records need to know of the collected tests.

    Args:
        items: Those that are to run.
        order: The node ids of all.
        session: Our session.
        rootdir: What files are relative to.
    """
    projects = [
        project
        for project in dict.fromkeys(session.switcher.project_of(item.path) for item in items)
        if project is not None and project.folder is not None
    ]
    return Collected(
        configured=list(dict.fromkeys(_configured(projects, rootdir))),
        configs=[relative(os.path.realpath(project.path), rootdir) for project in projects],
        slices=_slices(items),
        order=hashlib.sha256("\n".join(order).encode("utf-8", "surrogatepass")).hexdigest(),
    )


def _slices(items: Iterable[pytest.Item]) -> dict[str, list[Share]]:
    found: dict[str, list[Share]] = {}
    for item in items:
        piece = item.stash.get(SLICE, None)
        if piece is not None:
            found.setdefault(test_of(item).nodeid, []).append(Share(piece.total, piece.number))
    return found


def _configured(projects: Iterable[Project], rootdir: Path) -> Iterator[KnownWorkflow]:
    for project in projects:
        main = project.config.main
        for workflow in project.config.all_workflows:
            if main is not None and workflow.script_name is None:
                source = find_steps(main, workflow.class_name)
                file = os.path.realpath(main if source is None else source.file)
                yield KnownWorkflow(workflow.binding, workflow.class_name, relative(file, rootdir))


def make_records(
    runs: list[TestRuns], failures: dict[str, Failure], collected: Sequence[Collected], session: pytest.Session
) -> SessionRecords:
    """The records of the session that ends.

    Args:
        runs: The tests' runs.
        failures: How tests failed.
        collected: What each process collected.
        session: pytest's session.
    """
    config = session.config
    commit, folder = _checked_out(config.rootpath)
    slices = {test: mine for one in collected for test, mine in one.slices.items()}
    part = Part(
        id=uuid.UUID(bytes=os.urandom(16)).hex,
        command=shlex.join([Path(sys.argv[0]).name, *config.invocation_params.args]),
        share=_share(config),
        slices=slices,
        stopped=_why_stopped(session),
        collected=collected[0].order if collected else "",
    )
    return SessionRecords(
        parts=[part],
        made_by=version("pytest-workflows"),
        # Not the virtual time, which may still be in force.
        made_at=time.strftime("%Y-%m-%d %H:%M", time.localtime(real_seconds())),
        commit=commit,
        folder=folder,
        runs=sorted(runs, key=lambda run: run.place),  # workers hand theirs over as they end
        failures=failures,
        configured=list(dict.fromkeys(known for one in collected for known in one.configured)),
        exploration=config.stash.get(EXPLORED, None) or Tally(),
    )


def with_sources(records: SessionRecords, collected: Sequence[Collected], rootdir: Path) -> SessionRecords:
    """The records together with what else a page is made of, for a machine that has not got the sources."""
    configs = dict.fromkeys(path for one in collected for path in one.configs)
    return msgspec.structs.replace(
        records,
        sources=keep_sources(rootdir, records.configured, records.recordings, records.shown, configs),
        folders=dict(ShortPaths(rootdir).folders),
    )


def _why_stopped(session: pytest.Session) -> str:
    """Why a session ended before its last test, or right after it; empty where it did not."""
    for reason in (session.shouldfail, session.shouldstop):
        if isinstance(reason, str):
            return reason
    ended = (pytest.ExitCode.INTERRUPTED, pytest.ExitCode.INTERNAL_ERROR)
    return "pytest was interrupted" if session.exitstatus in ended else ""


def _checked_out(rootdir: Path) -> tuple[str | None, str]:
    """The commit that git has checked out, and where in the repository rootdir is."""
    # The folder may belong to another user, as in the containers of CI.
    command = ["git", "-c", "safe.directory=*", "rev-parse", "HEAD", "--show-prefix"]
    try:
        done = subprocess.run(command, cwd=rootdir, capture_output=True, text=True, errors="replace", check=False)
    except OSError:
        return None, ""
    commit, _, folder = done.stdout.partition("\n")
    return (commit, folder.strip()) if done.returncode == 0 else (None, "")


def _share(config: pytest.Config) -> Share | None:
    """The group of tests that pytest-split, if it is there and was asked to, gave this session."""
    total, number = config.getoption("splits", None), config.getoption("group", None)
    return Share(total, number) if isinstance(total, int) and isinstance(number, int) else None


def write(
    records: SessionRecords, report: Report, collected: Sequence[Collected], options: ReportOptions
) -> dict[Path, str]:
    """Write the files that were asked for.

    Returns:
        Those that could not be written, and why.
    """
    refused = {}
    for path in options.json:
        refused[path] = _write(path, lambda: dump(report.coverage))
    if options.html is not None:
        refused[options.html] = _write(options.html, lambda: render(report).encode("utf-8", "backslashreplace"))
    if options.records is not None:
        whole = with_sources(records, collected, report.rootdir)
        refused[options.records] = _write(options.records, lambda: json_report.dump(whole))
    return {path: reason for path, reason in refused.items() if reason is not None}


def _write(path: Path, make: Callable[[], bytes]) -> str | None:
    data = make()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    except (OSError, ValueError) as error:
        return getattr(error, "strerror", None) or str(error)
    return None
