"""The data that the page's script reads: a summary of everything, and each recording, read when it is opened."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from pytest_workflows.messages.short_repr import last_line
from pytest_workflows.recordings import Recording, virtual_ms, wall_ms, workflow_of
from pytest_workflows.reporting.kept_sources import texts_of
from pytest_workflows.rules.registry import load_rules

from .paths import ShortPaths
from .pills import Pills
from .report import Report

_UNSAFE = {"<": "\\u003c", ">": "\\u003e", "&": "\\u0026", "\u2028": "\\u2028", "\u2029": "\\u2029"}


def as_script(value: Any, paths: ShortPaths) -> str:
    """A value as JSON that may stand in a `<script>`: nothing in it can end the element, or begin another one."""
    text = paths.json(msgspec.json.encode(value).decode())
    for character, escaped in _UNSAFE.items():
        text = text.replace(character, escaped)
    return text


def summary(report: Report, pills: Pills) -> dict[str, Any]:
    """The summary of a session: the rows of the lists, the texts for the search, and the files that errors name."""
    return {
        "tests": [
            {"id": test.id, "outcome": test.outcome, "worker": test.worker, "failure": test.failure}
            for test in report.tests
        ],
        "pills": pills.found,
        "instances": [
            _row(number, recording) for number, test in enumerate(report.tests) for recording in test.recordings
        ],
        "sources": texts_of(report.recordings, report.read_sources),
        "rules": _rules(report.recordings),
    }


def slim(recording: Recording) -> Recording:
    """A recording reduced to what the page shows."""
    return msgspec.structs.replace(recording, history=[])


def _row(test: int, recording: Recording) -> dict[str, Any]:
    return {
        "test": test,
        "workflow": workflow_of(recording),
        "id": recording.instance_id,
        "status": recording.status,
        "retries": sum(max(0, len(step.attempts) - 1) for step in recording.steps),
        "findings": len(recording.findings),
        "crashes": len(recording.crashes),
        "virtual": virtual_ms(recording),
        "real": wall_ms(recording),
        "text": " ".join(_searched(recording)).lower(),
    }


def _searched(recording: Recording) -> Iterator[str]:
    yield from (recording.test or "", workflow_of(recording), recording.instance_id, recording.status)
    yield from dict.fromkeys(step.name for step in recording.steps)
    yield from dict.fromkeys(event.type for event in recording.events)
    yield from dict.fromkeys(finding.rule for finding in recording.findings)
    errors = [recording.error, *(step.error for step in recording.steps)]
    yield from dict.fromkeys(last_line(error.message) for error in errors if error and error.message.strip())


def _rules(recordings: list[Recording]) -> dict[str, dict[str, str]]:
    found = {finding.rule for recording in recordings for finding in recording.findings}
    known = [rule for name, rule in load_rules().rules.items() if name in found]
    return {rule.name: {"consequence": rule.consequence, "remedy": rule.remedy} for rule in known}
