"""Recordings in files: `dump` writes one, `load` reads one, with errors that say what is wrong with a file."""

from __future__ import annotations

from collections.abc import Mapping
from os import PathLike
from pathlib import Path
from typing import Any

import msgspec

from .errors import RecordingError
from .model import FORMAT, VERSION, Recording
from .production import read_production
from .sleeps import renumbered


def load(path: str | PathLike[str], *, json_outputs: bool | None = None) -> Recording:
    """Read a recording.

    Args:
        path: The file.
        json_outputs: Whether outputs stand in production's JSON as JSON text; None for what that says, or to guess.

    Raises:
        RecordingError: If there is no such file, or it is no recording that this version can read.
    """
    file = Path(path)
    try:
        data = file.read_bytes()
    except OSError as error:
        raise RecordingError(f"{file}: the recording cannot be read: {error.strerror or error}.") from None
    try:
        found = msgspec.json.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise RecordingError(
            f"{file}: this is no JSON: {error}. A recording is the JSON file that pytest-workflows writes for an "
            "instance, or what the platform's API returns for one."
        ) from None
    return read(found, where=str(file), json_outputs=json_outputs)


def read(found: object, where: str = "the recording", *, json_outputs: bool | None = None) -> Recording:
    """A recording from decoded JSON: one of ours, or what the platform's API returns for an instance.

    Args:
        found: What the JSON held.
        where: Names it in errors.
        json_outputs: Whether outputs stand in production's JSON as JSON text; None for what that says, or to guess.

    Raises:
        RecordingError: If it is no recording that this version can read.
    """
    if not isinstance(found, Mapping) or "format" not in found:
        return read_production(found, where, json_outputs=json_outputs)
    if found["format"] != FORMAT:
        raise RecordingError(
            f"{where}: this is no recording: its 'format' is {found['format']!r}, not {FORMAT!r}. Give a file that "
            "pytest-workflows wrote, such as those in .workflows/failures, or what the platform's API returns for an "
            "instance."
        )
    version = found.get("version")
    if version != VERSION:
        raise RecordingError(
            f"{where}: this recording is of version {version!r} of the format, and this pytest-workflows reads "
            f"version {VERSION}. Upgrade pytest-workflows, or record it anew."
        )
    try:
        return renumbered(msgspec.convert(found, Recording))
    except msgspec.ValidationError as error:
        raise RecordingError(f"{where}: this recording is damaged: {error}.") from None


def dump(recording: Recording) -> bytes:
    """A recording as JSON, indented, with a newline at its end."""
    marked: dict[str, Any] = {"format": recording.format, "version": recording.version}
    data = msgspec.json.encode({**marked, **msgspec.to_builtins(recording)})
    return msgspec.json.format(data, indent=2) + b"\n"
