"""The records of a session in a file: `dump` writes them as JSON, `load` and `find` read them, with errors in words."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
from packaging.version import InvalidVersion, Version

from pytest_workflows.messages.short_repr import brief, shown, shown_path
from pytest_workflows.recordings import RecordingError
from pytest_workflows.recordings.format.model import FORMAT as RECORDING
from pytest_workflows.recordings.format.validation import DEEPEST, check, is_too_deep
from pytest_workflows.sources import START

from .coverage.reports import FORMAT as COVERAGE
from .session_records import SessionRecords

FORMAT = "pytest-workflows-report"
VERSION = 1
_OTHERS = {RECORDING: "a recording", COVERAGE: "step coverage"}
_GIVE = "Give what `pytest --workflows-json=PATH` wrote."


class ReportError(ValueError):
    """A JSON report that cannot be read, or cannot be merged with others."""


def dump(records: SessionRecords) -> bytes:
    """The records as JSON."""
    plain = msgspec.to_builtins(records, str_keys=True)
    plain["exploration"]["findings"].sort()  # a set, which has another order each time
    marked = {"format": FORMAT, "version": VERSION, **plain}
    # Not msgspec's own JSON: what users name may hold lone surrogates.
    return json.dumps(marked, separators=(",", ":")).encode() + b"\n"


def load(path: Path, version: str) -> SessionRecords:
    """Read a report.

    Args:
        path: The file.
        version: The version of pytest-workflows that is installed here.

    Raises:
        ReportError: If there is no such file, or it is no report that this version can read.
    """
    return _records(_read(path), shown_path(path), version)


def find(folder: Path, version: str) -> Iterator[tuple[Path, SessionRecords]]:
    """The reports in a folder and the folders in it. JSON of another kind is passed over.

    Raises:
        ReportError: If there is none, or a file can be no JSON, or a report cannot be read.
    """
    some = False
    for path in sorted(folder.rglob("*.json")):
        found = _read(path)
        if isinstance(found, dict) and found.get("format") == FORMAT:
            some = True
            yield path, _records(found, shown_path(path), version)
    if not some:
        raise ReportError(f"{shown_path(folder)}: there is no JSON report in this folder. {_GIVE}")


def _read(path: Path) -> Any:
    where = shown_path(path)
    try:
        return json.loads(path.read_bytes())
    except OSError as error:
        raise ReportError(f"{where}: the report cannot be read: {error.strerror or error}. {_GIVE}") from None
    except ValueError as error:  # UnicodeDecodeError is one
        raise ReportError(f"{where}: this is no JSON, or not all of it: {brief(str(error))}. {_GIVE}") from None
    except RecursionError:
        raise _too_deep(where) from None


def _too_deep(where: str) -> ReportError:
    return ReportError(f"{where}: this report cannot be read: its values are nested more than {DEEPEST} deep. {_GIVE}")


def _records(found: Any, where: str, version: str) -> SessionRecords:
    kind = found.get("format") if isinstance(found, dict) else None
    if kind != FORMAT:
        what = _OTHERS.get(kind) if isinstance(kind, str) else None
        raise ReportError(f"{where}: this is {what or 'JSON of another kind'}, no JSON report. {_GIVE}")
    if found.get("version") != VERSION or _is_newer(found.get("made_by"), version):
        raise ReportError(
            f"{where}: this report is of version {shown(found.get('version'))} of the format, and pytest-workflows "
            f"{brief(str(found.get('made_by')))} made it; this one is {version} and reads version {VERSION}. Install "
            "the same pytest-workflows here."
        )
    if is_too_deep(found):
        raise _too_deep(where)
    try:
        records = msgspec.convert(found, SessionRecords, str_keys=True)
        for recording in records.recordings:
            check(recording, where)
    except (msgspec.ValidationError, OverflowError, RecursionError, UnicodeEncodeError) as error:
        raise ReportError(f"{where}: this report is damaged: {brief(str(error))}. {_GIVE}") from None
    except RecordingError as error:
        raise ReportError(f"{_as_of_report(str(error))} {_GIVE}") from None
    said = _what_is_wrong(records)
    if said is not None:
        raise ReportError(f"{where}: this report is damaged: {said}. {_GIVE}")
    return records


def _what_is_wrong(records: SessionRecords) -> str | None:
    if not records.parts:
        return "it is of no session"
    kept = () if records.sources is None else records.sources.workflows
    for source in (one.source for one in kept if one.source is not None):
        named = {*source.ends, *(other for step in source.steps for other in (*step.depends, *step.after))}
        if not all(START <= index < len(source.steps) for index in named):
            return f"a step of {brief(source.class_name)} is not there"
        try:
            for step in source.steps:
                step.name.matches("")
        except (re.error, OverflowError, RecursionError) as error:
            return f"a name of {brief(source.class_name)} is no pattern: {brief(str(error))}"
    return None


def _as_of_report(message: str) -> str:
    return re.sub(r"this recording", "a recording in this report", message)


def _is_newer(made_by: object, version: str) -> bool:
    """Whether a newer pytest-workflows than the one that is installed made a report."""
    try:
        return Version(str(made_by)) > Version(version)
    except InvalidVersion:
        return False
