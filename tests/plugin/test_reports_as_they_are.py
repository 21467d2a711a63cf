"""A report that has its name keeps pytest's own node id, which all reports of a test share."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from pytest_workflows.session.hooks.exploration import RUN, ExplorationHooks
from pytest_workflows.session.xdist_channel import attach


class Report:
    def __init__(self) -> None:
        self.names: list[str] = []
        self.location = ("test_it.py", 0, "test_it")

    @property
    def nodeid(self) -> str:
        return self.names[-1] if self.names else "test_it.py::test_it"

    @nodeid.setter
    def nodeid(self, name: str) -> None:
        self.names.append(name)


def shown(report: Any) -> Any:
    hooks: Any = object.__new__(ExplorationHooks)
    hooks._channel, hooks._runs, hooks._pytest = SimpleNamespace(is_worker=False), {}, None
    hooks.pytest_runtest_logreport(report)
    return report


def test_the_report_of_a_plain_run_is_not_named_anew():
    assert shown(Report()).names == []


def test_the_report_of_an_explored_run_is_named_once():
    report: Any = Report()
    attach(report, RUN, "[end]")

    assert shown(report).names == ["test_it.py::test_it[end]"]
