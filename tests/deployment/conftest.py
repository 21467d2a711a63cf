"""A Worker's project, and an environment with packages of the test's own making."""

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import pytest

from pytest_workflows.deployment.deployment import Deployment
from pytest_workflows.project.worker_project import Project


class World:
    """A project in a folder, and packages that are installed in another one.

    Args:
        folder: The folder of both.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "worker"
        self.installed = folder / "site-packages"
        self.write("src/entry.py", "")
        self.configure()

    def write(self, name: str, text: str) -> Path:
        """Write a file of the project."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    def configure(self, **settings: object) -> None:
        """Write the wrangler configuration."""
        defaults = {"name": "it", "main": "src/entry.py", "compatibility_date": "2026-11-10"}
        self.write("wrangler.json", json.dumps(defaults | settings))

    def declare(self, *dependencies: str, more: str = "") -> None:
        """Write `pyproject.toml`."""
        listed = json.dumps(list(dependencies))
        self.write("pyproject.toml", f'[project]\nname = "worker"\nversion = "0"\ndependencies = {listed}\n{more}')

    def install(
        self,
        name: str,
        *files: str,
        requires: Sequence[str] = (),
        tag: str | None = "py3-none-any",
        into: Path | None = None,
        url: Mapping[str, object] | None = None,
    ) -> None:
        """Install a package: `install("PyYAML", "yaml/__init__.py")`, of version 1.0."""
        site = into or self.installed
        info = site / f"{name.replace('-', '_')}-1.0.dist-info"
        info.mkdir(parents=True)
        needed = "".join(f"Requires-Dist: {one}\n" for one in requires)
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n{needed}")
        if tag is not None:
            (info / "WHEEL").write_text(f"Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: {tag}\n")
        (info / "RECORD").write_text("".join(f"{file},,\n" for file in files))
        if url is not None:
            (info / "direct_url.json").write_text(json.dumps(url))
        for file in files:
            path = site / file
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text("")

    @property
    def deployment(self) -> Deployment:
        """What is deployed, read anew."""
        return Deployment(Project(self.folder / "wrangler.json"))

    def said(self, module: str, *names: str) -> str | None:
        """The rule that an import breaks, and what is said of it."""
        problem = self.deployment.problem(module, names)
        return None if problem is None else f"[{problem.rule}] {problem.text}"


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """A project that declares nothing yet, and an environment that has nothing more than this one."""
    world = World(tmp_path)
    world.installed.mkdir()
    monkeypatch.syspath_prepend(world.installed)
    before = set(sys.modules)
    yield world
    for name in set(sys.modules) - before:
        if str(getattr(sys.modules[name], "__file__", None)).startswith(str(tmp_path)):
            del sys.modules[name]
