"""The files that commands are given: recordings, dumps of the platform's API, `latest`, and `-`."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from pytest_workflows.messages.short_repr import shown_path
from pytest_workflows.recordings import Recording, RecordingError, load, parse
from pytest_workflows.recordings.production import NO_ID

from .errors import CommandError

LATEST = "latest"
FILE_HELP = (
    "A recording, or the JSON that the platform's API returns for an instance; `latest` is the newest recording of a "
    "failing test, `-` is standard input."
)
_SUFFIX = ".json"
_ANY_FILE = "Name a recording, the JSON of an instance in production, or `latest`."


def read_file(
    name: str, *, id: str | None = None, config: str | None = None, json_outputs: bool | None = None
) -> Recording:
    """The recording that a command was given.

    Args:
        name: A path, `latest`, or `-`.
        id: The value of `--id`.
        config: The value of `--config`; `latest` lies where the project's settings put it.
        json_outputs: The value of `--json-outputs` or `--text-outputs`.

    Raises:
        CommandError: If it cannot be read.
    """
    recording = _read(name, config, json_outputs)
    if id is not None:
        recording.instance_id = id
        recording.notes = [note for note in recording.notes if note != NO_ID]
    return recording


def _read(name: str, config: str | None, json_outputs: bool | None) -> Recording:
    try:
        if name == "-":
            return parse(_stdin(), "standard input", json_outputs=json_outputs)
        if os.path.isdir(name):
            raise CommandError(f"{name} is a folder.", "Name a recording that lies in it, or `latest`.")
        path = newest(config) if name == LATEST and not os.path.exists(name) else name
        return load(path, json_outputs=json_outputs)
    except RecordingError as error:
        raise as_command_error(error) from None


def _stdin() -> bytes:
    # Bytes, where they are to be had: the terminal's encoding is not what the file was written in.
    stream = getattr(sys.stdin, "buffer", None)
    data: bytes = sys.stdin.read().encode("utf-8", "surrogateescape") if stream is None else stream.read()
    return data


def newest(config: str | None = None) -> Path:
    """The newest recording of a failing test.

    Raises:
        CommandError: If there is none.
    """
    from .project import failures_dir

    folder = failures_dir(config)
    found = [(path.stat().st_mtime_ns, path) for path in folder.rglob(f"*{_SUFFIX}")]
    if not found:
        raise CommandError(
            f"{LATEST!r}: there is no recording in {folder}.",
            "A failing test that used workflows leaves one there: run pytest first, or name a file.",
        )
    return max(found)[1]


def read_all(paths: list[Path]) -> tuple[list[Recording], list[str]]:
    """Every recording in files and folders, and for each file that is none why.

    Raises:
        CommandError: If a path does not exist.
    """
    recordings, refused = [], []
    for path in paths:
        if not os.path.exists(path):
            raise CommandError(f"{shown_path(path)} does not exist.", "Name a recording, or a folder of them.")
        for file in sorted(path.rglob(f"*{_SUFFIX}")) if path.is_dir() else [path]:
            try:
                recordings.append(load(file))
            except RecordingError as error:
                refused.append(str(error))
    return recordings, refused


def as_command_error(error: RecordingError) -> CommandError:
    """A recording's error as an error of the command: what happened on one line, what to do as the hint."""
    message, _, hint = str(error).partition(". ")
    return CommandError(f"{message}{'.' if hint else ''}", hint or _ANY_FILE)
