"""Recordings in files: `dump` writes one, `load` reads one, with errors that say what is wrong with a file."""

from __future__ import annotations

import re
from collections.abc import Mapping
from os import PathLike
from pathlib import Path
from typing import Any

import msgspec

from pytest_workflows.messages.short_repr import brief, shown, shown_path

from .errors import RecordingError
from .format.model import FORMAT, VERSION, Recording
from .format.sleeps import renumbered
from .format.validation import DEEPEST, check, is_too_deep
from .production import read_production

_ANEW = "Record it anew, or mend what the message names."


def load(path: str | PathLike[str], *, json_outputs: bool | None = None) -> Recording:
    """Read a recording.

    Args:
        path: The file.
        json_outputs: Whether outputs stand in production's JSON as JSON text; None for what that says, or to guess.

    Raises:
        RecordingError: If there is no such file, or it is no recording that this version can read.
    """
    where = shown_path(path if isinstance(path, Path) else str(path))
    try:
        data = Path(path).read_bytes()
    except (OSError, ValueError) as error:  # a ValueError for what is no path at all
        reason = getattr(error, "strerror", None) or error
        raise RecordingError(f"{where}: the recording cannot be read: {reason}.") from None
    return parse(data, where, json_outputs=json_outputs)


def parse(data: bytes, where: str, *, json_outputs: bool | None = None) -> Recording:
    """Read a recording from what a file holds.

    Args:
        data: JSON.
        where: Names it in errors.
        json_outputs: As for `load`.

    Raises:
        RecordingError: If it is no recording that this version can read.
    """
    try:
        found = msgspec.json.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise RecordingError(
            f"{_at(where, data, str(error))}: this is no JSON: {error}. A recording is the JSON file that "
            "pytest-workflows writes for an instance, or what the platform's API returns for one."
        ) from None
    except RecursionError:
        raise _too_deep(where) from None
    return read(found, where=where, json_outputs=json_outputs)


def _at(where: str, data: bytes, error: str) -> str:
    """The file with the line of an error that names a byte."""
    byte = re.search(r"\(byte (\d+)\)", error)
    return where if byte is None else f"{where}:{data[: int(byte[1])].count(10) + 1}"


def _too_deep(where: str) -> RecordingError:
    return RecordingError(
        f"{where}: this recording cannot be read: its values are nested more than {DEEPEST} deep. Cut the deepest ones "
        'off, for example as {"$type": "unknown"}.'
    )


def read(found: object, where: str = "the recording", *, json_outputs: bool | None = None) -> Recording:
    """A recording from decoded JSON: one of ours, or what the platform's API returns for an instance.

    Args:
        found: The decoded JSON.
        where: Names it in errors.
        json_outputs: Whether outputs stand in production's JSON as JSON text; None for what that says, or to guess.

    Raises:
        RecordingError: If it is no recording that this version can read.
    """
    if is_too_deep(found):
        raise _too_deep(where)
    if not isinstance(found, Mapping) or "format" not in found:
        return _read_production(found, where, json_outputs=json_outputs)
    if found["format"] != FORMAT:
        raise RecordingError(
            f"{where}: this is no recording: its 'format' is {shown(found['format'])}, not {FORMAT!r}. Give a file "
            "that pytest-workflows wrote, such as those in .workflows/failures, or what the platform's API returns for "
            "an instance."
        )
    version = found.get("version")
    if version != VERSION:
        raise RecordingError(
            f"{where}: this recording is of version {shown(version)} of the format, and this pytest-workflows reads "
            f"version {VERSION}. Upgrade pytest-workflows, or record it anew."
        )
    try:
        recording = msgspec.convert(found, Recording)
    except (msgspec.ValidationError, OverflowError, RecursionError) as error:
        raise RecordingError(f"{where}: this recording is damaged: {brief(str(error))}. {_ANEW}") from None
    check(recording, where)
    return renumbered(recording)


def _read_production(found: object, where: str, *, json_outputs: bool | None) -> Recording:
    recording = read_production(found, where, json_outputs=json_outputs)
    check(recording, where)
    return recording


def dump(recording: Recording) -> bytes:
    """A recording as JSON, indented, with a newline at its end."""
    marked: dict[str, Any] = {"format": recording.format, "version": recording.version}
    data = msgspec.json.encode({**marked, **msgspec.to_builtins(recording)})
    return msgspec.json.format(data, indent=2) + b"\n"
