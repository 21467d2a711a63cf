"""What the page shows: what there is, and the list of instances as it changes."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Query, Response
from fastapi.responses import StreamingResponse

from durable_engine import Shown
from pytest_workflows.control_plane.answers import Envelope
from pytest_workflows.control_plane.errors import ApiError
from pytest_workflows.control_plane.json_answers import answer_with
from pytest_workflows.control_plane.routes import failures
from pytest_workflows.control_plane.served import Served

from .asking import PageAsker
from .listing import Changes, Line, Listing
from .models import DivergenceModel, Overview, VersionModel, WorkflowModel

_TICK = 0.3
"""Seconds between two messages to a window at the least: what changes meanwhile is news together."""

_SLOWEST = 2.0
_PAUSE = 4
"""Where a message takes long to make, the pause after it is so many times as long, up to `_SLOWEST` seconds."""

_FRESH = 1.0
"""For how many seconds an overview holds."""

_QUIET = 15
"""After so many messages without news a window gets one nevertheless, so that both sides know of each other."""

_MOST = 100
"""The newest versions and divergences that are shown."""

MOST_LINES = 5000
"""The newest instances that a window gets at once; the others are searched for."""


def looks_router(asker: PageAsker, listing: Listing) -> APIRouter:
    """The endpoints that show what there is.

    Args:
        asker: Asks what is shown.
        listing: Its list of instances.
    """
    router = APIRouter(responses=failures())
    news = _News(asker, listing)

    @router.get("/overview", operation_id="page_overview", response_model=Envelope[Overview])
    async def overview() -> Response:
        """What there is: workflows, versions, the time."""
        return answer_with(Envelope(result=await news.overview()))

    @router.get("/changes", include_in_schema=False)
    async def changes() -> StreamingResponse:
        """The list of instances, and then each change of it, as server-sent events."""
        headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
        return StreamingResponse(news.messages(), media_type="text/event-stream", headers=headers)

    @router.get(
        "/instances",
        operation_id="page_instances",
        response_model=Envelope[list[dict[str, Any]]],
        responses=failures(404),
    )
    async def instances(
        search: Annotated[str, Query(max_length=500)] = "",
        workflow: str | None = None,
        status: str | None = None,
        limit: Annotated[int, Query(ge=1, le=MOST_LINES)] = 500,
    ) -> Response:
        """The newest instances of a workflow, in a status, that hold every word of a search."""
        words = search.lower().split()
        wanted = None if workflow is None else asker.known(workflow).workflow.name
        found = [
            line
            for line in await asker.ask(listing.lines, is_reading=True)
            if wanted in (None, line.workflow) and status in (None, line.status) and _has(line, words)
        ]
        found.sort(key=lambda line: -line.created)
        return answer_with(Envelope(result=[msgspec.to_builtins(line) for line in found[:limit]]))

    return router


def _has(line: Line, words: list[str]) -> bool:
    """Whether a search for words finds a line: as the page does it with those that it has."""
    searched = f"{line.workflow} {line.id} {line.status} {line.at or ''} {line.error or ''}".lower()
    return all(word in searched for word in words)


class _News:
    """What windows are news."""

    def __init__(self, asker: PageAsker, listing: Listing) -> None:
        self._asker = asker
        self._listing = listing

    async def look(self, revision: int) -> tuple[Changes, Overview]:
        """What changed since a revision, and what there is."""

        async def look() -> tuple[Changes, Overview]:
            return await self._listing.since(revision), _overview(self._asker.served, self._listing)

        return await self._asker.ask(look, is_reading=True)

    async def overview(self) -> Overview:
        """What there is, as it was a moment ago."""

        def seen() -> Overview | None:
            if not self._listing.count_at_once(_FRESH):
                return None
            return _overview(self._asker.served, self._listing)

        async def look() -> Overview:
            await self._listing.count(_FRESH)
            return _overview(self._asker.served, self._listing)

        def about(found: Overview | None) -> Shown:
            return Shown(all_rows=found is not None and not self._listing.are_counts_stored)

        found = await self._asker.read(seen, about)
        return await self._asker.ask(look, is_reading=True) if found is None else found

    async def messages(self) -> AsyncIterator[bytes]:
        """The messages to one window."""
        revision, before, quiet = 0, dict[str, bytes](), 0
        while True:
            began = time.perf_counter()
            try:
                found, seen = await self.look(revision)
            except ApiError as error:  # the Worker's code holds its loop: the window stays, and learns why
                yield _event(_json({"stuck": error.message}))
                await asyncio.sleep(_TICK)  # where there is no loop any more, the answer comes at once
                continue
            parts = _parts(seen)
            news = {name: text for name, text in parts.items() if before.get(name) != text}
            quiet = 0 if found.revision != revision or news else quiet + 1
            if quiet % _QUIET == 0:
                yield _message(found, seen.now, news)
            revision, before = found.revision, parts
            await asyncio.sleep(max(_TICK, min(_SLOWEST, _PAUSE * (time.perf_counter() - began))))


def _overview(served: Served, listing: Listing) -> Overview:
    engine, project = served.engine, served.env.project
    classes, counts = served.env.classes, listing.counts()
    versions = [
        VersionModel(number=one.number, id=one.id, created_at=one.created_at, problem=one.problem)
        for one in list(served.versions)[-_MOST:]
    ]
    return Overview(
        worker="" if project is None else project.config.name or "",
        is_live=served.is_live,
        now=engine.clock.now.isoformat(),
        versions=versions,
        problem=getattr(served, "problem", None) or (versions[-1].problem if versions else None),
        divergences=[
            DivergenceModel(
                at=one.at, version=one.version, workflow=one.workflow, id=one.id, summary=one.summary, table=one.table
            )
            for one in list(getattr(served, "divergences", ()))[-_MOST:]
        ],
        workflows=[
            WorkflowModel(
                binding=name,
                name=bound.workflow.workflow_name,
                class_name=None if name not in classes else classes[name].__qualname__,
                concurrency=bound.workflow.concurrency,
                statuses=counts.get(name, {}),
            )
            for name, bound in engine.bindings.items()
        ],
    )


def _parts(overview: Overview) -> dict[str, bytes]:
    """What there is, by its names: a window is sent again what has changed of it."""
    return {name: _json(value) for name, value in overview.model_dump(exclude={"now"}).items()}


def _message(changes: Changes, now: str, parts: dict[str, bytes]) -> bytes:
    # What a window has already must not stay as it was: of the changes none is left out.
    lines = sorted(changes.lines, key=lambda line: -line.created)[: MOST_LINES if changes.are_all else None]
    named = {
        "now": _json(now),
        "all": _json(changes.are_all),
        "gone": _json(changes.gone),
        "lines": _lines(lines),
        **parts,
    }
    return _event(b"{" + b",".join(_json(name) + b":" + text for name, text in named.items()) + b"}")


def _lines(lines: list[Line]) -> bytes:
    try:
        return msgspec.json.encode(lines)
    except UnicodeEncodeError:  # an error may hold half a character, for which msgspec has no JSON
        return _json(msgspec.to_builtins(lines))


def _event(data: bytes) -> bytes:
    return b"data: " + data + b"\n\n"


def _json(value: object) -> bytes:
    # Not msgspec's own JSON: what users name may hold lone surrogates.
    return json.dumps(value, separators=(",", ":")).encode()
