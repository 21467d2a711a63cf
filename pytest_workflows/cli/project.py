"""The project that a command runs in: found, configured and read as pytest does it for the project's tests."""

from __future__ import annotations

import contextlib
import io
import os
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import pytest

from pytest_workflows.errors import WorkflowConfigError
from pytest_workflows.messages.short_repr import shown_path
from pytest_workflows.plugin import pytest_unconfigure
from pytest_workflows.project.wrangler import NAMES, WranglerConfig, find_config, load_config
from pytest_workflows.session.settings import Settings, read_ini

from .errors import CommandError, UsageError

FAILURES_DIR = ".workflows/failures"
# This command has imported the plugin before pytest could rewrite its asserts: nothing that the user can change.
_OPTIONS = [
    *("-s", "-o", "addopts=", "-o", "workflows_strict=false", "--workflows-record=none"),
    *("-W", "ignore::pytest.PytestAssertRewriteWarning"),
]
_WARNED = re.compile(r"Warning: |^  ")
_INSIDE = "INTERNALERROR>"
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Found:
    """The project as pytest finds it where the command runs.

    Attributes:
        rootdir: pytest's rootdir.
        testpaths: Ini `testpaths`.
        failures: Where the recordings of failing tests lie.
        path: The wrangler configuration, or None.
        environment: Which `env.NAME` of it holds.
        redact: Ini `workflows_redact`.
    """

    rootdir: Path
    testpaths: list[Path]
    failures: Path
    path: Path | None
    environment: str | None
    redact: tuple[str, ...] = ()

    @property
    def config(self) -> WranglerConfig:
        """The wrangler configuration.

        Raises:
            CommandError: If there is none, or it cannot be read.
        """
        if self.path is None:
            raise CommandError(
                f"no wrangler configuration was found from {Path.cwd()} up to {self.rootdir}.",
                f"Run this in a Worker's project, or name its configuration: --config path/to/{NAMES[1]}",
            )
        try:
            return load_config(self.path, self.environment)
        except WorkflowConfigError as error:
            raise CommandError(str(error)) from None

    @property
    def tests(self) -> Path:
        """The folder whose conftest.py gives the project's fixtures: its tests, or the project itself."""
        folder = self.rootdir if self.path is None else self.path.parent
        beside = [path for path in self.testpaths if path.is_relative_to(folder)]
        candidates = [*beside, folder / "tests", folder / "test", folder]
        with_fixtures = [path for path in candidates if (path / "conftest.py").is_file()]
        return (with_fixtures or [path for path in candidates if path.is_dir()])[0]


def find_project(config: str | None = None) -> Found:
    """Find the project.

    Args:
        config: The value of `--config`; it wins.

    Raises:
        CommandError: If pytest's or wrangler's configuration cannot be read.
    """
    return in_pytest(_found, config=config)


def find_with_settings(config: str | None = None) -> tuple[Found, Settings]:
    """Find the project, with what ini says; a conftest.py that cannot be imported does not matter.

    Args:
        config: The value of `--config`; it wins.

    Raises:
        CommandError: If pytest's or wrangler's configuration cannot be read.
    """
    return in_pytest(lambda found: (_found(found), read_ini(found)), config=config, options=("--noconftest",))


def failures_dir(config: str | None = None) -> Path:
    """The folder of the recordings of failing tests."""
    return find_project(config).failures


class _Asker:
    """A plugin that reads pytest's configuration instead of running tests."""

    def __init__(self, ask: Callable[[pytest.Config], Any]) -> None:
        self._ask = ask
        self.answer: Any = None
        self.asked = False

    @pytest.hookimpl(tryfirst=True)
    def pytest_cmdline_main(self, config: pytest.Config) -> int:
        """Read the configuration, and end the session before it begins."""
        self.asked = True
        try:
            self.answer = self._ask(config)
        finally:
            pytest_unconfigure(config)  # pytest has not configured it, and would leave our session open
        return 0


def in_pytest(ask: Callable[[pytest.Config], T], *, config: str | None = None, options: Sequence[str] = ()) -> T:
    """Call `ask` with pytest's configuration.

    Args:
        ask: Gets the configuration.
        config: The value of `--config`.
        options: Further options of pytest.

    Raises:
        CommandError: If pytest cannot be configured.
    """
    asker = _Asker(ask)
    said = run_pytest([], [asker], config=config, options=options)
    if not asker.asked:
        raise CommandError(f"pytest cannot be set up here: {complaint_in(said)}", "Does `pytest --collect-only` work?")
    return asker.answer  # type: ignore[no-any-return]


def run_pytest(
    arguments: list[str], plugins: list[object], *, config: str | None = None, options: Sequence[str] = ()
) -> str:
    """Run pytest in this process, with the project's configuration but for its addopts.

    Returns:
        What it printed: nobody else sees that. (Without its terminal plugin other plugins would fail.)
    """
    chosen = [] if config is None else ["-o", f"workflows_config={_given(config)}"]
    where = [] if config is None or arguments else [str(_given(config).parent)]
    out, errors = io.StringIO(), io.StringIO()
    with _no_addopts(), contextlib.redirect_stdout(out), contextlib.redirect_stderr(errors):
        pytest.main([*_OPTIONS, *options, *chosen, *arguments, *where], plugins=plugins)
    return errors.getvalue() + out.getvalue()


def _given(config: str) -> Path:
    if not os.path.isfile(config):
        raise UsageError(
            f"--config names {shown_path(config)}, which is no file.", f"It takes a path such as {NAMES[1]}."
        )
    return Path(config).resolve()


@contextlib.contextmanager
def _no_addopts() -> Iterator[None]:
    # Options for the project's tests (-n auto, --cov) are none for a command.
    before = os.environ.pop("PYTEST_ADDOPTS", None)
    try:
        yield
    finally:
        if before is not None:
            os.environ["PYTEST_ADDOPTS"] = before


def _found(config: pytest.Config) -> Found:
    settings = read_ini(config)
    testpaths = [config.rootpath / path for path in config.getini("testpaths")]
    return Found(
        rootdir=config.rootpath,
        testpaths=[path for path in testpaths if path.is_dir()],
        failures=config.rootpath / _ini(config, "workflows_failures_dir", FAILURES_DIR),
        path=_config_of(config, settings.config, testpaths),
        environment=settings.environment,
        redact=settings.redact,
    )


def _config_of(config: pytest.Config, configured: str | None, testpaths: list[Path]) -> Path | None:
    for start in [config.invocation_params.dir, *testpaths]:
        found = find_config(start, config.rootpath, configured)
        if found is not None:
            return found
    return None


def _ini(config: pytest.Config, name: str, otherwise: str) -> str:
    try:
        return str(config.getini(name) or otherwise)
    except (KeyError, ValueError):
        return otherwise


def complaint_in(said: str) -> str:
    """The complaint in pytest's output, in one line: its first one, and the error whose traceback it shows."""
    lines = [line for line in said.splitlines() if line.strip() and not _WARNED.search(line)]
    if not lines:
        return "it does not say why."
    raised = [line[1:].strip() for line in lines if line.startswith("E ")]
    inside = [line.removeprefix(_INSIDE).strip() for line in lines if line.startswith(_INSIDE) and line != _INSIDE]
    first = lines[0].removeprefix("ERROR: ")
    return f"{first.rstrip('.')}: {raised[-1]}" if raised else (inside or [first])[-1]
