"""The layout of recordings on disk: one folder a test, one file an instance, with names that every system takes."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterable
from pathlib import Path

from pytest_workflows.recordings.files import dump
from pytest_workflows.recordings.format.model import Recording

_LONGEST = 100
_UNSAFE = re.compile(r"[^A-Za-z0-9_.-]+")
_IGNORE = "# Made by pytest-workflows. Copy a recording elsewhere to keep it.\n*\n"


def folder_name(nodeid: str) -> str:
    """A test's folder: `tests.test_orders--test_a_card_is_declined`, the same for the same node id.

    Where something of the node id is lost in it, a part of the node id's hash follows.
    """
    plain = nodeid.replace(".py::", "--").replace("::", "--").replace("/", ".")
    return _safe(plain, nodeid)


def file_name(recording: Recording) -> str:
    """An instance's file: `ORDERS-order-1.json`."""
    plain = f"{recording.binding or recording.workflow}-{recording.instance_id}"
    return f"{_safe(plain, plain)}.json"


def _safe(plain: str, whole: str) -> str:
    name = _UNSAFE.sub("-", plain).strip(".-") or "test"
    if name == plain and len(name) <= _LONGEST:
        return name
    return f"{name[:_LONGEST].rstrip('.-')}-{hashlib.sha256(whole.encode('utf-8', 'surrogatepass')).hexdigest()[:8]}"


def write(recordings: Iterable[Recording], base: Path, nodeid: str) -> list[Path]:
    """Write a test's recordings in place of those of its run before.

    Args:
        recordings: The recordings; where there are none, the earlier files are removed.
        base: The folder of all tests' recordings.
        nodeid: The test.

    Returns:
        The files, in the order of the recordings.
    """
    folder = base / folder_name(nodeid)
    _clear(folder)
    written: list[Path] = []
    for recording in recordings:
        if not written:
            _make(base, folder)
        path = folder / file_name(recording)
        number = 1
        while path in written:  # two instances that had one id, one after the other
            number += 1
            path = folder / f"{Path(file_name(recording)).stem}.{number}.json"
        _replace(path, dump(recording))
        written.append(path)
    return written


def write_pulled(recording: Recording, base: Path, folder: Path | None = None) -> Path:
    """Write an instance of production in place of the file that it had before.

    Args:
        recording: The recording.
        base: The folder of all workflows' instances; git ignores it if it is made here.
        folder: The folder for this one, in place of one in `base`.

    Returns:
        The file.
    """
    if folder is None:
        folder = base / _safe(str(recording.workflow), str(recording.workflow))
        _make(base, folder)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / file_name(recording)
    _replace(path, dump(recording))
    return path


def _make(base: Path, folder: Path) -> None:
    is_new = not base.exists()
    folder.mkdir(parents=True, exist_ok=True)
    if is_new:
        _replace(base / ".gitignore", _IGNORE.encode())


def _clear(folder: Path) -> None:
    if not folder.is_dir():
        return
    for path in folder.glob("*.json"):
        path.unlink(missing_ok=True)
    if not any(folder.iterdir()):
        folder.rmdir()


def _replace(path: Path, data: bytes) -> None:
    # Whoever reads it, such as another worker's process, sees the old file or the new one.
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    draft.write_bytes(data)
    draft.replace(path)
