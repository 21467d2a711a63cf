"""What answers for `workers.env` while no test runs, as where a Worker's module is imported for collection."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_workflows import active_test

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pytest_workflows.active_test import Caller
    from pytest_workflows.errors import UnprovidedError
    from pytest_workflows.project.worker_project import Project


class OutsideTests:
    """Answers for `workers.env` while no test runs: variables and secrets have values, bindings have not.

    A session may run inside another one (pytester): what answered before the session answers again after it.

    Args:
        project: Gives the project that is active.
        rootdir: The folder that places are shown from.

    Attributes:
        early_uses: What Workers' modules used and nobody provides; the next test with an engine takes it out.
    """

    def __init__(self, project: Callable[[], Project | None], rootdir: Path) -> None:
        self._project = project
        self._rootdir = rootdir
        self.early_uses: list[UnprovidedError] = []
        self._resolver_before = active_test.get_resolver()
        self._uses_before = active_test.get_uses()
        self._is_ascii_before = active_test.is_ascii()

    def serve(self) -> None:
        """Answer from now on."""
        active_test.set_resolver(self._resolve)
        active_test.set_uses(self)

    def close(self) -> None:
        """The session is over: what answered before it answers again."""
        active_test.set_resolver(*(self._resolver_before or (None,)))
        active_test.set_uses(self._uses_before)
        active_test.set_ascii(self._is_ascii_before)

    def _resolve(self, name: str) -> object:
        from pytest_workflows.workers.errors import OutsideTestError

        project = self._project()
        variables = project.variables if project is not None and project.readable else {}
        if name not in variables:
            raise OutsideTestError(name)
        from pytest_workflows.standins.variables import variable

        return variable(variables[name])

    def caller(self) -> Caller | None:
        """Whose code runs: nobody asks while no test runs."""
        return None

    def note(self, error: UnprovidedError, caller: Caller | None) -> None:
        """Keep what a Worker's module uses and nobody provides."""
        from pytest_workflows.bindings.unprovided import UseNoter
        from pytest_workflows.sources.worker_code import Sources

        project = self._project()
        sources = Sources(None if project is None else project.folder)
        UseNoter(sources, self._rootdir, self.early_uses.append).note(error, None)
