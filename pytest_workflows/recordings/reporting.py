"""When a test is over: its recordings are written, and its report names them and how to run one again."""

from __future__ import annotations

import os
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import msgspec

from pytest_workflows.shown import shown_path

from .storing import write

if TYPE_CHECKING:
    import pytest

    from .model import Recording

SECTION = "Workflow recordings"
RECORDED = "workflows_recordings"
"""The attribute of a failing test's report that has its recordings' files, relative to rootdir."""
_MOST_NAMED = 10


class Recorded(Protocol):
    """What a test that ran can say: its settings' `record` and `failures_dir`, and its recordings."""

    recorded: bool

    @property
    def recording_mode(self) -> tuple[str, str]:
        """Of which tests instances are recorded, and where."""

    def recordings(self) -> list[Recording]:
        """The recordings of its instances."""


def report_recordings(report: pytest.TestReport, running: Recorded, config: pytest.Config, title: str) -> None:
    """Write a test's recordings, or remove those of its run before.

    Args:
        report: Of one phase of the test.
        running: The test.
        config: pytest's.
        title: What sets this run of the test apart from its plain one; empty for that.
    """
    mode, folder = running.recording_mode
    base, nodeid = config.rootpath / folder, report.nodeid + title
    if running.recorded:
        return
    if report.failed or (report.when == "call" and mode == "all"):
        running.recorded = True
        outcome = "failed" if report.failed else "passed"
        recordings = [msgspec.structs.replace(one, outcome=outcome) for one in running.recordings()]
        paths, refused = _written(recordings, base, nodeid)
        if report.failed and paths:
            setattr(report, RECORDED, [_from(config.rootpath, path) for path in paths])
            report.sections.append((SECTION, _describe(paths, config.invocation_params.dir)))
        if refused is not None:
            report.sections.append((SECTION, refused))
    elif report.when == "call" and report.passed and os.path.isdir(base):
        _written([], base, nodeid)


def _written(recordings: Sequence[Recording], base: Path, nodeid: str) -> tuple[list[Path], str | None]:
    """The files that were written, and where they cannot be, why: that is no failure of the test's."""
    try:
        return write(recordings, base, nodeid), None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        return [], (
            f"They could not be written to {shown_path(base)}: {reason}. Name a folder that can be written in ini "
            "workflows_failures_dir, or record none: --workflows-record=none"
        )


def _from(rootdir: Path, path: Path) -> str:
    try:
        return Path(os.path.relpath(path, rootdir)).as_posix()
    except ValueError:  # another drive, on Windows
        return str(path)


def _describe(paths: Sequence[Path], folder: Path) -> str:
    shown = [_shown(path, folder) for path in paths]
    lines = shown[:_MOST_NAMED]
    if len(shown) > _MOST_NAMED:
        lines.append(f"... and {len(shown) - _MOST_NAMED} more in {_shown(paths[0].parent, folder)}")
    return "\n".join([*lines, f"Run it again: pytest-workflows reproduce {shlex.quote(shown[0])}"])


def _shown(path: Path, folder: Path) -> str:
    return os.path.relpath(path, folder) if path.is_relative_to(folder) else str(path)
