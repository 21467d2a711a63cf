"""Recordings at a test's end: they are written, and the report names them and the command to run one again."""

from __future__ import annotations

import os
import shlex
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from pytest_workflows.messages.short_repr import shown_path
from pytest_workflows.recordings.capture.storage import write
from pytest_workflows.recordings.format.truncation import cut

from .report_sections import PROPERTY, RECORDINGS
from .xdist_channel import Message, attach

if TYPE_CHECKING:
    import pytest

    from pytest_workflows.recordings.format.model import Recording

    from .run_setup import RunSetup

RECORDED: Message[list[str]] = Message("recordings", list)
"""The files of a failing test's recordings, relative to rootdir."""
_MOST_NAMED = 10


def report_recordings(
    report: pytest.TestReport, setup: RunSetup, recordings_of_run: Callable[[], list[Recording]]
) -> bool:
    """Write a test's recordings, or remove those of its run before.

    Args:
        report: Of one phase of the test.
        setup: The test's run.
        recordings_of_run: Gives the recordings of its instances.

    Returns:
        Whether they were written, so that later phases have nothing to do.
    """
    item, settings, config = setup.item, setup.settings, setup.config
    base, nodeid = setup.rootdir / settings.failures_dir, report.nodeid + setup.plan.title
    if report.failed or (report.when == "call" and settings.record == "all"):
        outcome = "failed" if report.failed else "passed"
        recordings = [
            cut(msgspec.structs.replace(one, outcome=outcome), settings.record_steps) for one in recordings_of_run()
        ]
        paths, refused = _written(recordings, base, nodeid)
        folder = config.invocation_params.dir
        if report.failed and paths:
            attach(report, RECORDED, [_from(setup.rootdir, path) for path in paths])
            report.sections.append((RECORDINGS, _describe(paths, recordings, folder)))
            named = [(PROPERTY, _shown(path, folder)) for path in paths[:_MOST_NAMED]]
            report.user_properties += named  # in this phase's report, and in those that follow
            item.user_properties += named
        if refused is not None:
            report.sections.append((RECORDINGS, refused))
        return True
    if report.when == "call" and report.passed:
        _written([], base, nodeid)
    return False


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
