"""The secrets of one test's run, and texts without them."""

from __future__ import annotations

import contextlib
from functools import cached_property
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pytest_workflows.project.worker_project import Project
    from pytest_workflows.project.worker_registry import WorkerRegistry
    from pytest_workflows.recordings.format.redaction import Secrets

    from .settings import Settings

_COMMON_VALUES = frozenset({"true", "false", "null", "none"})
"""Values of `.dev.vars` that are no secrets, in lower case: taking them out of everything would hide too much."""


class RunSecrets:
    """What must not be shown of one run of a test.

    Args:
        settings: The test's settings, which name keys whose values are secret.
        project: The test's project, which may have secrets.
        registry: Knows the other Workers that the test may reach, which may have some too.
    """

    def __init__(
        self, settings: Settings, project: Project | None, registry: WorkerRegistry[Project] | None = None
    ) -> None:
        self._keys = settings.redact
        self._project = project
        self._registry = registry
        self._collect: Callable[[], Secrets | None] | None = None
        self._collected: Secrets | None = None

    @cached_property
    def values(self) -> list[str]:
        """The values of `.dev.vars` that are secrets."""
        from pytest_workflows.errors import WorkflowConfigError

        found: list[str] = []
        for project in self._projects():
            with contextlib.suppress(WorkflowConfigError):  # whoever asks for one of them gets the error
                found += project.secrets.values()
        return [value for value in dict.fromkeys(found) if value.lower() not in _COMMON_VALUES]

    def _projects(self) -> Iterator[Project]:
        project, registry = self._project, self._registry
        if project is not None:
            yield project
        if registry is not None and project is not None and project.readable:
            yield from registry.related_to(project.config)
        elif registry is not None and registry.is_configured:
            yield from registry.projects

    @property
    def are_known(self) -> bool:
        """Whether anything is secret before the test runs: keys that are redacted, or values of `.dev.vars`."""
        return bool(self._keys or self.values)

    def attach(self, collect: Callable[[], Secrets | None]) -> None:
        """Take the secrets of the instances that are recorded.

        Args:
            collect: Gives all secrets of the run so far; None where there are none.
        """
        self._collect, self._collected = collect, None

    def detach(self) -> None:
        """Keep the secrets that there are: the instances are about to go."""
        if self._collect is not None:
            secrets = self.collect() if self._collected is None and self.are_known else self._collected
            self._collect = lambda: secrets

    def collect(self) -> Secrets | None:
        """The secrets of the run so far, those of its instances included; None where there are none."""
        self._collected = None if self._collect is None else self._collect()
        return self._collected

    def redact(self, text: str) -> str:
        """A text without the secrets that are redacted in recordings."""
        secrets = self.collect() if self._collected is None else self._collected
        return text if secrets is None else secrets.text(text)

    def redact_known(self, text: str) -> str:
        """A text without secrets, where any are known; it costs nothing where none are."""
        return self.redact(text) if self.are_known else text
