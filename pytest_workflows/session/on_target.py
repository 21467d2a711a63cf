"""Tests on a target: with `--workflows-target`, a test's workflows run on another server, and no engine is made."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, NoReturn

import pytest

from pytest_workflows import active_test
from pytest_workflows.target.api import TargetApi
from pytest_workflows.target.bindings import TargetBinding
from pytest_workflows.target.errors import OPTION, NotOnTargetError, TargetError
from pytest_workflows.target.started import Started
from pytest_workflows.target.worker import TargetWorker

from .marker import read_marker
from .running_target import set_running
from .use_signs import MARKER

if TYPE_CHECKING:
    from pytest_workflows.project.worker_project import Project
    from pytest_workflows.target.address import Address

    from .settings import Settings

_ALLOWED_OPTIONS = frozenset({"workflows_target", "workflows_target_worker", "workflows_record", "workflows_strict"})
_ALLOWED_KEYWORDS = frozenset({"timeout", "unused_mocks", "unprovided", "ignore_rules", "ignore_state", "replay"})
"""Keywords of the marker that say nothing of how a workflow runs, or that nothing comes of without an engine."""


def read_target(config: pytest.Config) -> Address:
    """Read where the target is, from the command line and the environment.

    Raises:
        pytest.UsageError: If it cannot be read, or another option asks for what there is in memory alone.
    """
    from pytest_workflows.target.address import read_address

    for name, value in vars(config.option).items():
        if name.startswith("workflows_") and name not in _ALLOWED_OPTIONS and value not in (None, [], False):
            raise pytest.UsageError(
                f"{OPTION} runs workflows on another server, of which only the platform's API is known. "
                f"--{name.replace('_', '-')} is about runs in memory: leave one of the two out."
            )
    if config.getoption("workflows_record") == "all":
        raise pytest.UsageError(f"{OPTION} records no instances: leave --workflows-record=all out.")
    try:
        return read_address(
            config.getoption("workflows_target"), config.getoption("workflows_target_worker"), os.environ
        )
    except TargetError as error:
        raise pytest.UsageError(str(error)) from None


class TestsOnTarget:
    """What stands in the place of engines in a session whose tests run on a target.

    Args:
        address: The target.
    """

    __test__ = False  # nothing for pytest to collect

    def __init__(self, address: Address) -> None:
        self.address = address

    def begin(self, item: pytest.Item, project: Project | None, settings: Settings) -> None:
        """Begin a test.

        Args:
            item: The test.
            project: Its Worker's project; None where no configuration was found.
            settings: Its settings.
        """
        test = TestOnTarget(self.address, item, project, settings)
        set_running(test)
        active_test.set_resolver(test.resolve, test.names, test.hint)

    def end(self) -> None:
        """A test was torn down."""
        set_running(None)

    @pytest.hookimpl
    def pytest_report_header(self) -> str:
        """Say where the tests run: no test shall be taken for one in memory."""
        account = "" if self.address.account is None else f", account {self.address.account}"
        worker = "not known" if self.address.worker is None else self.address.worker
        return f"workflows: run on {self.address.api}{account}; Worker: {worker} ({OPTION})"


class _Given(dict[str, Any]):
    """The dict of the fixture `workflow_bindings`: empty, and nothing that a test puts there would have an effect."""

    def __setitem__(self, name: str, value: Any) -> NoReturn:
        raise NotOnTargetError(f"workflow_bindings[{name!r}] = ...")


class TestOnTarget:
    """One test on a target.

    Args:
        address: The target.
        item: The test.
        project: Its Worker's project; None where no configuration was found.
        settings: Its settings.
    """

    __test__ = False  # nothing for pytest to collect

    def __init__(self, address: Address, item: pytest.Item, project: Project | None, settings: Settings) -> None:
        self._item = item
        self._project = project
        self._timeout = settings.timeout
        self._api = TargetApi(address)
        self._started = Started()
        self._bindings: dict[str, TargetBinding] = {}
        self.given: Mapping[str, Any] = _Given()
        self.worker = TargetWorker(address, self._started)

    def check(self, bindings: Mapping[str, Any], seed: object) -> None:
        """Refuse what a test or its conftest asks for, and a target has not.

        Raises:
            NotOnTargetError: If it asks for such a thing.
        """
        for mark in self._item.iter_markers(MARKER):
            for name, value in read_marker(mark.args, mark.kwargs, self._item.nodeid).items():
                if name not in _ALLOWED_KEYWORDS:
                    raise NotOnTargetError(f"@pytest.mark.workflow({name}={value!r})")
        if bindings:
            raise NotOnTargetError(
                f"What the fixture workflow_bindings gives ({', '.join(map(str, bindings))})",
                'Let it return {} where `request.config.getoption("workflows_target")` is set.',
            )
        if seed is not None:
            raise NotOnTargetError("What the fixture workflow_seed leaves in the stores")

    def resolve(self, name: str) -> object:
        """The binding of a name.

        Raises:
            KeyError: If there is none.
            NotOnTargetError: If it is no workflow's.
        """
        if name in self._bindings:
            return self._bindings[name]
        if name not in self.names():
            raise KeyError(name)
        assert self._project is not None
        for workflow in self._project.config.workflows:
            if workflow.binding == name:
                made = TargetBinding(self._api, name, workflow.name, self._started, self._timeout)
                return self._bindings.setdefault(name, made)
        raise NotOnTargetError(f"env.{name}", "Its workflows can be asked, and its Worker's own routes.")

    def names(self) -> Iterable[str]:
        """The names that `env` has in memory."""
        if self._project is None:
            return []
        config = self._project.config
        return sorted({one.binding for one in config.workflows} | config.other_bindings.keys() | self._variables())

    def _variables(self) -> set[str]:
        return set() if self._project is None else {*self._project.variables}

    def hint(self) -> str | None:
        """The next step for a name that `env` does not have."""
        if self._project is not None:
            return None
        return f"{OPTION} finds a workflow by its name in the wrangler configuration, and none was found."
