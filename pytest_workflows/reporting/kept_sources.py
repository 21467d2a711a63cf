"""The sources that a report shows: read from disk where the tests ran, or kept in a file for where they did not."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Protocol

import msgspec

from pytest_workflows.recordings import Recording, SourcePlace
from pytest_workflows.sources import SourceWorkflow

from .coverage import KnownWorkflow, known_by, relative, sources_of

_MOST_SOURCE = 400_000


class Sources(Protocol):
    """What a report asks of the sources."""

    def find(self, workflow: KnownWorkflow, /) -> SourceWorkflow | None:
        """The steps of a workflow; None where its source cannot be read."""
        ...

    def text(self, file: str, /) -> str | None:
        """The text of a file, as recordings name it; None where it cannot be read."""
        ...


class SourcesOnDisk:
    """The sources where they lie.

    Args:
        rootdir: What files are relative to.
    """

    def __init__(self, rootdir: Path) -> None:
        self._rootdir = rootdir
        self.find = sources_of(rootdir)

    def text(self, file: str) -> str | None:
        """The text of a file; None where it cannot be read."""
        try:
            return (self._rootdir / file).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError):
            return None


class KeptWorkflow(msgspec.Struct):
    """A workflow with the steps that its source has.

    Attributes:
        known: The workflow.
        source: Its steps; None where the source cannot be read.
    """

    known: KnownWorkflow
    source: SourceWorkflow | None


class KeptSources(msgspec.Struct):
    """The sources as they were where the tests ran.

    Attributes:
        workflows: The workflows that tests ran, or that are configured.
        texts: The texts of the files that the page shows lines of.
        digests: For each file of workflows and configurations what its content is recognised by.
    """

    workflows: list[KeptWorkflow] = []
    texts: dict[str, str] = {}
    digests: dict[str, str] = {}

    def find(self, workflow: KnownWorkflow) -> SourceWorkflow | None:
        """The steps of a workflow; None where its source could not be read."""
        return next((kept.source for kept in self.workflows if kept.known == workflow), None)

    def text(self, file: str) -> str | None:
        """The text of a file; None where it was not kept."""
        return self.texts.get(file)


def keep_sources(
    rootdir: Path,
    configured: Iterable[KnownWorkflow],
    recordings: Iterable[Recording],
    shown: Iterable[Recording],
    configs: Iterable[str],
) -> KeptSources:
    """Keep what a report of these runs needs of the sources.

    Args:
        rootdir: What files are relative to.
        configured: The workflows that the configurations name.
        recordings: All runs.
        shown: Those that the page shows one by one.
        configs: The wrangler configurations' files.
    """
    sources = SourcesOnDisk(rootdir)
    known = dict.fromkeys([*configured, *map(known_by, recordings)])
    texts = texts_of(shown, sources)
    files = dict.fromkeys([*configs, *(one.file for one in known if one.file is not None), *texts])
    return KeptSources(
        workflows=[KeptWorkflow(one, _without_rootdir(sources.find(one), rootdir)) for one in known],
        texts=texts,
        digests={file: digest for file in files if (digest := _digest(rootdir, file)) is not None},
    )


def texts_of(recordings: Iterable[Recording], sources: Sources) -> dict[str, str]:
    """The files of the workflows and of what their steps, calls and findings point to, up to a size."""
    found: dict[str, str] = {}
    left = _MOST_SOURCE
    for file in dict.fromkeys(file for recording in recordings for file in _files(recording)):
        text = sources.text(file)
        if text is not None and len(text) <= left:
            found[file] = text
            left -= len(text)
    return found


def _files(recording: Recording) -> Iterator[str]:
    if recording.file is not None:
        yield recording.file
    places: list[SourcePlace | None] = [
        *(step.place for step in recording.steps),
        *(effect.place for effect in recording.effects),
        *(finding.place for finding in recording.findings),
    ]
    yield from (place.file for place in places if place is not None)


def _without_rootdir(source: SourceWorkflow | None, rootdir: Path) -> SourceWorkflow | None:
    if source is None:
        return None
    steps = tuple(msgspec.structs.replace(step, file=relative(step.file, rootdir)) for step in source.steps)
    return msgspec.structs.replace(source, file=relative(source.file, rootdir), steps=steps)


def _digest(rootdir: Path, file: str) -> str | None:
    """What a project's file is recognised by; None for one that lies elsewhere, or cannot be read."""
    if Path(file).is_absolute():
        return None
    try:
        data = (rootdir / file).read_bytes()
    except OSError:
        return None
    return hashlib.sha256(data.replace(b"\r\n", b"\n")).hexdigest()


def joined(parts: Iterable[KeptSources]) -> KeptSources:
    """The sources of several sessions of one project, as one."""
    workflows: dict[KnownWorkflow, KeptWorkflow] = {}
    texts: dict[str, str] = {}
    digests: dict[str, str] = {}
    for part in parts:
        for kept in part.workflows:
            workflows.setdefault(kept.known, kept)
        _add(texts, part.texts)
        _add(digests, part.digests)
    return KeptSources(list(workflows.values()), texts, digests)


def _add(to: dict[str, str], more: Mapping[str, str]) -> None:
    for name, value in more.items():
        to.setdefault(name, value)
