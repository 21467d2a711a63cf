"""The reports at the end of a session, made from the records of its tests."""

from __future__ import annotations

import os
import shlex
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pytest_workflows.introspection.freeze import real_seconds
from pytest_workflows.reporting.coverage import KnownWorkflow, dump, measure, sources_of
from pytest_workflows.reporting.html import Failure, Report, ReportedTest, render
from pytest_workflows.reporting.run_records import TestRuns
from pytest_workflows.sources import find_steps

if TYPE_CHECKING:
    from pytest_workflows.session.report_options import ReportOptions
    from pytest_workflows.session.session import WorkflowSession


def configured_workflows(
    items: Iterable[pytest.Item], session: WorkflowSession, rootdir: Path
) -> Iterator[KnownWorkflow]:
    """The workflows that the configurations of these tests name, those of other Workers left out."""
    projects = dict.fromkeys(session.switcher.project_of(item.path) for item in items)
    for project in projects:
        main = None if project is None or project.folder is None else project.config.main
        if project is None or main is None:
            continue
        for workflow in project.config.all_workflows:
            if workflow.script_name is None:
                source = find_steps(main, workflow.class_name)
                file = os.path.realpath(main if source is None else source.file)
                yield KnownWorkflow(workflow.binding, workflow.class_name, _relative(file, rootdir))


def _relative(file: str, rootdir: Path) -> str:
    path = Path(file)
    return path.relative_to(rootdir).as_posix() if path.is_relative_to(rootdir) else file


def make_report(
    runs: Sequence[TestRuns],
    failures: Mapping[str, Failure],
    configured: list[KnownWorkflow],
    config: pytest.Config,
) -> Report:
    """Put the tests' records together: those that failed come first."""
    tests: dict[str, ReportedTest] = {}
    for run in runs:
        if not run.quiet:
            failure = failures.get(run.test)
            outcome = "passed" if failure is None else "failed"
            test = tests.setdefault(run.test, ReportedTest(run.test, outcome, run.worker, failure))
            test.recordings.extend(run.recordings)
    recordings = [recording for run in runs for recording in run.recordings]
    coverage = measure(recordings, configured, sources_of(config.rootpath), config.rootpath)
    return Report(
        rootdir=config.rootpath,
        tests=sorted(tests.values(), key=_place),
        coverage=coverage,
        others=[nodeid for nodeid in failures if nodeid not in tests],
        command=shlex.join([Path(sys.argv[0]).name, *config.invocation_params.args]),
        # Not the virtual time, which may still be in force.
        made_at=time.strftime("%Y-%m-%d %H:%M", time.localtime(real_seconds())),
    )


def _place(test: ReportedTest) -> tuple[bool, str]:
    """Failing tests first; then workers' tests by their names, since their order is another one in each session."""
    return test.outcome != "failed", "" if test.worker is None else test.id


def write(report: Report, options: ReportOptions) -> dict[Path, str]:
    """Write the files that were asked for.

    Returns:
        Those that could not be written, and why.
    """
    refused = {}
    for path in options.json:
        refused[path] = _write(path, lambda: dump(report.coverage))
    if options.html is not None:
        refused[options.html] = _write(options.html, lambda: render(report).encode("utf-8", "backslashreplace"))
    return {path: reason for path, reason in refused.items() if reason is not None}


def _write(path: Path, make: Callable[[], bytes]) -> str | None:
    data = make()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    except (OSError, ValueError) as error:
        return getattr(error, "strerror", None) or str(error)
    return None
