"""The setup of one run of a test: what its engine, its `env` and its recordings are made from."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pytest

    from pytest_workflows.exploration.run_plan import CommonStart, RunPlan
    from pytest_workflows.project.old_source import OldSource
    from pytest_workflows.project.upgraded_project import UpgradedProjects
    from pytest_workflows.project.worker_project import Project
    from pytest_workflows.project.worker_registry import WorkerRegistry
    from pytest_workflows.sources.worker_code import Sources

    from .settings import Settings


@dataclass(frozen=True)
class RunSetup:
    """The setup of one run of a test.

    Attributes:
        item: The test.
        settings: Ini and marker.
        project: The worker project that the test belongs to; None where no configuration was found.
        plan: How this run differs from the plain one.
        start: What it has in common with the test's other runs; None where there is only this one.
        registry: Knows the Workers of the repository; None where there is none.
        old_source: The older source that an upgrade is checked from; None where none is.
        upgraded: The projects, where they begin in older versions and today's take their places.
    """

    item: pytest.Item
    settings: Settings
    project: Project | None
    plan: RunPlan
    start: CommonStart | None = None
    registry: WorkerRegistry[Project] | None = None
    old_source: OldSource | None = None
    upgraded: UpgradedProjects | None = None

    @property
    def config(self) -> pytest.Config:
        """Pytest's configuration."""
        return self.item.config

    @property
    def rootdir(self) -> Path:
        """The folder that places are shown from."""
        return self.config.rootpath

    def nothing_found(self) -> str:
        """What to say where no configuration was found for the test."""
        from pytest_workflows.project.wrangler import nothing_found

        return nothing_found(self.item.path, self.rootdir)

    @property
    def title(self) -> str:
        """The test's node id, with what sets this run apart from the plain one."""
        return self.item.nodeid + self.plan.title

    @property
    def interleaving_seed(self) -> int | None:
        """What decides which of several things goes first; None for the usual order."""
        return self.settings.seed if self.plan.seed is None else self.plan.seed

    @property
    def seed(self) -> int | str:
        """What ids come from."""
        seed = self.interleaving_seed
        return self.item.nodeid if seed is None else seed

    @cached_property
    def sources(self) -> Sources:
        """The sources of the Worker under test."""
        from pytest_workflows.sources.worker_code import Sources

        if self.upgraded is not None:
            return Sources(*self.upgraded.folders)
        return Sources(None if self.project is None else self.project.folder)
