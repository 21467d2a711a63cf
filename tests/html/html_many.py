"""A page of many instances, for the browser's tests and for benchmarks/page.py."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from pytest_workflows.recordings import Attempt, ErrorRecord, Recording, Step
from pytest_workflows.reporting.coverage import measure, sources_of
from pytest_workflows.reporting.html import Report, ReportedTest, render

START = datetime(2026, 1, 1, tzinfo=UTC)


def write_page(folder: Path, tests: int) -> Path:
    """Writes the page of so many tests, with two instances each, and says where."""
    runs = [
        ReportedTest(f"tests/test_many.py::test_many[{number}]", recordings=_two(number)) for number in range(tests)
    ]
    recordings = [recording for run in runs for recording in run.recordings]
    coverage = measure(recordings, [], sources_of(folder), folder)
    path = folder / "report.html"
    path.write_text(render(Report(folder, runs, coverage)), encoding="utf-8")
    return path


def _two(number: int) -> list[Recording]:
    return [_recording(2 * number), _recording(2 * number + 1)]


def _recording(number: int) -> Recording:
    failed = (
        ErrorRecord(name="Error", message=f"PythonError: ValueError: number {number}\n") if not number % 10 else None
    )
    step = Step(
        kind="do",
        name=f"step {number}",
        status="complete" if failed is None else "errored",
        started_at=START,
        ended_at=START + timedelta(seconds=number),
        result={"text": "x" * 2000},
        error=failed,
        attempts=[Attempt(number=1, started_at=START, ended_at=START + timedelta(seconds=number), error=failed)],
    )
    return Recording(
        instance_id=f"many-{number}",
        binding="MANY",
        status="complete" if failed is None else "errored",
        error=failed,
        created_at=START,
        ended_at=START + timedelta(seconds=number),
        steps=[step, *(Step(kind="sleep", name=f"nap {nap}", started_at=START, ended_at=START) for nap in range(8))],
    )
