"""Recordings at a test's end: they are written, and the report names them and the command to run one again."""

from __future__ import annotations

import os
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import msgspec

from pytest_workflows.messages.short_repr import shown_path
from pytest_workflows.recordings.capture.storage import write
from pytest_workflows.recordings.format.truncation import cut
from pytest_workflows.session.hooks.junit import PROPERTY
from pytest_workflows.session.report_sections import RECORDINGS

if TYPE_CHECKING:
    import pytest

    from pytest_workflows.recordings.format.model import Recording

RECORDED = "workflows_recordings"
"""The attribute of a failing test's report that has its recordings' files, relative to rootdir."""
_MOST_NAMED = 10


class Recorded(Protocol):
    """A test that ran: the settings `record` and `failures_dir`, and its recordings."""

    recorded: bool
    item: pytest.Item

    @property
    def record_steps(self) -> int:
        """The most steps of each instance that a file keeps; 0 for all."""

    @property
    def recording_mode(self) -> tuple[str, str]:
        """The tests whose instances are recorded, and the folder."""

    def recordings(self) -> list[Recording]:
        """The recordings of its instances."""


def report_recordings(report: pytest.TestReport, running: Recorded, config: pytest.Config, title: str) -> None:
    """Write a test's recordings, or remove those of its run before.

    Args:
        report: Of one phase of the test.
        running: The test.
        config: pytest's.
        title: The title of this run of the test; empty for its plain one.
    """
    mode, folder = running.recording_mode
    base, nodeid = config.rootpath / folder, report.nodeid + title
    if running.recorded:
        return
    if report.failed or (report.when == "call" and mode == "all"):
        running.recorded = True
        outcome = "failed" if report.failed else "passed"
        recordings = [
            cut(msgspec.structs.replace(one, outcome=outcome), running.record_steps) for one in running.recordings()
        ]
        paths, refused = _written(recordings, base, nodeid)
        if report.failed and paths:
            setattr(report, RECORDED, [_from(config.rootpath, path) for path in paths])
            report.sections.append((RECORDINGS, _describe(paths, recordings, config.invocation_params.dir)))
            named = [(PROPERTY, _shown(path, config.invocation_params.dir)) for path in paths[:_MOST_NAMED]]
            report.user_properties += named  # in this phase's report, and in those that follow
            running.item.user_properties += named
        if refused is not None:
            report.sections.append((RECORDINGS, refused))
    elif report.when == "call" and report.passed and os.path.isdir(base):
        _written([], base, nodeid)


def _written(recordings: Sequence[Recording], base: Path, nodeid: str) -> tuple[list[Path], str | None]:
    """Write the files, and note why one cannot be written: that is no failure of the test's."""
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


def _describe(paths: Sequence[Path], recordings: Sequence[Recording], folder: Path) -> str:
    shown = [_shown(path, folder) for path in paths]
    lines = shown[:_MOST_NAMED]
    if len(shown) > _MOST_NAMED:
        lines.append(f"... and {len(shown) - _MOST_NAMED} more in {_shown(paths[0].parent, folder)}")
    whole = next((path for path, recording in zip(shown, recordings, strict=True) if not recording.left_out), None)
    if whole is not None:
        return "\n".join([*lines, f"Run it again: pytest-workflows reproduce {shlex.quote(whole)}"])
    lines.append(f"It is cut: {recordings[0].notes[-1]}")
    return "\n".join(lines)


def _shown(path: Path, folder: Path) -> str:
    return os.path.relpath(path, folder) if path.is_relative_to(folder) else str(path)
