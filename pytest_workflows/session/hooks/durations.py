"""--workflows-durations: the steps that took longest, in real and in virtual time."""

from __future__ import annotations

from collections.abc import Generator
from time import perf_counter
from typing import TYPE_CHECKING, NamedTuple

import pytest

from pytest_workflows.session.xdist_channel import Message, attach, attached

if TYPE_CHECKING:
    from durable_engine import Instance, StepKey


class Duration(NamedTuple):
    """The duration of a step.

    Attributes:
        nodeid: The test.
        workflow: The workflow's binding name.
        instance: The instance's id.
        kind: The step's kind.
        step: Its name with its occurrence.
        real: Real seconds, from its first start to its outcome.
        virtual: Virtual milliseconds.
        finished: Whether it had its outcome when the test was over.
    """

    nodeid: str
    workflow: str
    instance: str
    kind: str
    step: str
    real: float
    virtual: int
    finished: bool


DURATIONS: Message[list[Duration]] = Message("durations", lambda data: [Duration(*one) for one in data])
"""How long a test's steps took; its last report carries it."""


class _Started(NamedTuple):
    instance: Instance
    real: float
    virtual: int


class Durations:
    """A plugin that measures steps while tests run, and lists them at the end; registered where the option was given.

    Args:
        count: How many to list; 0 for all.
    """

    def __init__(self, count: int) -> None:
        self._count = count
        self._nodeid = ""
        self._started: dict[tuple[int, StepKey], _Started] = {}
        self._measured: list[Duration] = []
        self._all: list[Duration] = []

    # -- while a test runs -------------------------------------------------------------------------------------------

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        """Begin a test."""
        self._nodeid, self._started, self._measured = item.nodeid, {}, []

    @pytest.hookimpl(tryfirst=True)
    def pytest_workflows_step_started(self, instance: Instance, step: StepKey) -> None:
        """Begin to measure a step."""
        self._started[instance.row.key, step] = _Started(instance, perf_counter(), instance.engine.clock.now_ms)

    @pytest.hookimpl(tryfirst=True)
    def pytest_workflows_step_finished(self, instance: Instance, step: StepKey) -> None:
        """End measuring a step."""
        self._measure(instance.row.key, step, finished=True)

    def _measure(self, key: int, step: StepKey, *, finished: bool) -> None:
        started = self._started.pop((key, step), None)
        if started is None:
            return
        instance = started.instance
        real, virtual = perf_counter() - started.real, instance.engine.clock.now_ms - started.virtual
        self._measured.append(
            Duration(self._nodeid, instance.workflow.name, instance.id, step.kind, step.label, real, virtual, finished)
        )

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(self) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Hand over the durations of a test's steps, open ones included."""
        report = yield
        if report.when == "teardown":
            for key, step in list(self._started):
                self._measure(key, step, finished=False)
            attach(report, DURATIONS, self._measured)
        return report

    # -- at the end --------------------------------------------------------------------------------------------------

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Collect durations, under xdist from its workers."""
        measured = attached(report, DURATIONS)
        self._all += measured or []

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """List the longest durations."""
        if not self._all:
            terminalreporter.section("workflows: durations of steps")
            terminalreporter.line("No test ran a step of a workflow.")
            return
        # Waits and sleeps take as long as others need meanwhile: what is slow in real time is a callback.
        real = sorted((one for one in self._all if one.kind == "do"), key=lambda one: -one.real)
        virtual = sorted(self._all, key=lambda one: -one.virtual)
        self._list(terminalreporter, "slowest", "real time", real, [_real(one.real) for one in real])
        self._list(terminalreporter, "longest", "virtual time", virtual, [_virtual(one.virtual) for one in virtual])

    def _list(
        self, reporter: pytest.TerminalReporter, which: str, time: str, listed: list[Duration], words: list[str]
    ) -> None:
        if not listed:
            return
        count = self._count or len(listed)
        number = f"{count} " if self._count else ""
        reporter.section(f"workflows: {which} {number}steps in {time}")
        width = max((len(word) for word in words[:count]), default=0)
        for one, word in zip(listed[:count], words, strict=False):
            self._show(reporter, one, word.ljust(width))

    def _show(self, reporter: pytest.TerminalReporter, one: Duration, words: str) -> None:
        step = f"{words}  {one.kind} {one.step!r}, {one.instance!r} of {one.workflow!r}"
        step += "" if one.finished else " (not finished)"
        if len(step) + 2 + len(one.nodeid) <= reporter.config.get_terminal_writer().fullwidth:
            reporter.line(f"{step}  {one.nodeid}")
        else:
            reporter.line(step)
            reporter.line(f"{' ' * len(words)}  {one.nodeid}")


def _real(seconds: float) -> str:
    return f"{seconds * 1000:.1f} ms" if seconds < 1 else _virtual(round(seconds * 1000))


def _virtual(ms: int) -> str:
    from durable_engine import in_words

    return in_words(ms)
