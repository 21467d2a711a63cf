"""Code that runs as a test of the project would: with its settings, its conftest's bindings and its virtual clock."""

from __future__ import annotations

import contextlib
import sys
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

import pytest

from durable_engine import EngineError
from pytest_workflows.errors import WorkflowConfigError
from pytest_workflows.messages.short_repr import last_line
from pytest_workflows.project.newer_python import note_of
from pytest_workflows.recordings.playback.divergence import place_text
from pytest_workflows.sources.code_owner import is_library

from .errors import CommandError
from .project import Found, complaint_in, find_project, run_pytest

if TYPE_CHECKING:
    from durable_engine import Engine, WorkflowBinding
    from pytest_workflows.project.worker_project import Project
    from pytest_workflows.session.testrun import TestRun

NAME = "pytest-workflows"


@dataclass(frozen=True, slots=True)
class Bench:
    """The workbench of code that runs like a test.

    Attributes:
        test_run: The plugin's view of it.
        env: The bindings that the Worker gets as `env`.
        found: The project.
    """

    test_run: TestRun
    env: Any
    found: Found

    @property
    def engine(self) -> Engine:
        """The test's engine."""
        return self.test_run.engine

    def binding(self, name: str | None, workflow: str | None = None) -> WorkflowBinding:
        """A workflow binding.

        Args:
            name: Its name, or its workflow's; None takes the only one there is.
            workflow: The workflow's own name, where it is known: chooses among several.

        Raises:
            CommandError: If there is none of that name, or several and none is named, or its source cannot be imported.
        """
        env = self.test_run.env
        try:
            if name is not None and env.workflows.are_of_another(name):
                return env.workflow_binding(name)
            wanted = choose_binding(name, self.found, env.workflow_names(), workflow)
            return env.workflow_binding(wanted)
        except CommandError:
            raise
        except (WorkflowConfigError, EngineError) as error:
            raise CommandError(str(error)) from error
        except Exception as error:
            raise _in_source(error, self.found, self.test_run.project) from error


def _in_source(error: Exception, found: Found, project: Project | None) -> CommandError:
    """The error that the Worker's source raised while it was imported, and its place."""
    what, place = f"{type(error).__name__}: {error}".rstrip(": "), None
    if isinstance(error, SyntaxError) and error.filename is not None:
        what, place = f"{type(error).__name__}: {error.msg}", (error.filename, error.lineno or 1)
    else:
        folder = found.rootdir if found.path is None else found.path.parent
        frames = [(frame.filename, frame.lineno or 1) for frame in traceback.extract_tb(error.__traceback__)]
        mine = [place for place in frames if not is_library(place[0]) and Path(place[0]).is_relative_to(folder)]
        place = mine[-1] if mine else None
    where = "the Worker's source" if place is None else place_text(*place)
    note = note_of(error, project)
    hint = "The Worker's source cannot be imported: correct it. --debug shows more."
    return CommandError(f"{where}: {what}", hint if note is None else f"{hint} {note}")


def choose_binding(name: str | None, found: Found, names: list[str], workflow: str | None = None) -> str:
    """The name of a workflow binding, from what was typed.

    Args:
        name: The name that was typed, if any.
        found: The project.
        names: The bindings that it has.
        workflow: The workflow's own name, where it is known otherwise.

    Raises:
        CommandError: If there is none of that name, or several and none is named.
    """
    from .errors import UsageError

    if not names:
        raise CommandError(f"{found.config.path} has no workflows.", 'Name their classes there, under "workflows".')
    listed = ", ".join(names)
    if name in names:
        return name
    if name is None and len(names) == 1:
        return names[0]
    configured = found.config.all_workflows if found.path is not None else ()
    by_workflow = [one.binding for one in configured if (name or workflow) in (one.name, one.class_name)]
    if len(by_workflow) == 1:
        return by_workflow[0]
    if name is None:
        raise UsageError(f"the project has {len(names)} workflow bindings: {listed}.", "Name one of them.")
    raise UsageError(f"the project has no workflow binding {name!r}.", f"It has: {listed}.")


def run_like_a_test(act: Callable[[Bench], None], *, config: str | None = None, **marks: Any) -> None:
    """Run `act` as the one test of the project.

    Args:
        act: What to do.
        config: The value of `--config`.
        marks: The arguments that `@pytest.mark.workflow` would have.

    Raises:
        CommandError: If the project cannot be set up.
        BaseException: What `act` raises.
    """
    found = find_project(config)
    one = _OneTest(act, found, marks)
    said = run_pytest([str(found.tests)], [one], config=config)
    if one.raised is not None:
        raise one.raised
    if not one.ran:
        raise CommandError(
            f"the project's tests cannot be set up: {complaint_in(said)}", "Does `pytest` itself run here?"
        )


@dataclass(eq=False)  # pytest 8 keeps plugins in a set
class _OneTest:
    """A plugin that puts one test of its own in the place of the project's."""

    act: Callable[[Bench], None]
    found: Found
    marks: dict[str, Any]
    streams: tuple[TextIO, TextIO] = field(default_factory=lambda: (sys.stdout, sys.stderr))
    ran: bool = False
    raised: BaseException | None = None

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection(self, session: pytest.Session) -> bool:
        """Collect the folders down to the tests' one, for their conftest files, and nothing that is in them."""
        parent: Any = session
        for folder in _folders(session.config.rootpath, self.found.tests):
            parent = parent.ihook.pytest_collect_directory(path=folder, parent=parent) or parent
            report = parent.ihook.pytest_make_collect_report(collector=parent)
            if report.failed:
                said = last_line(report.longreprtext).removeprefix("E").strip() or "it does not say why"
                self.raised = CommandError(f"{folder}: its conftest.py fails: {said}")
                return True
        item = pytest.Function.from_parent(parent, name=NAME, callobj=self._function())
        session.items = [item]
        session.testscollected = 1
        return True

    def _function(self) -> Callable[[pytest.FixtureRequest, Any], None]:
        def run(request: pytest.FixtureRequest, workflow_env: Any) -> None:
            from pytest_workflows.session.session import SESSION

            test_run = request.config.stash[SESSION].test_run
            assert test_run is not None
            self.ran = True
            try:
                with contextlib.redirect_stdout(self.streams[0]), contextlib.redirect_stderr(self.streams[1]):
                    self.act(Bench(test_run, workflow_env, self.found))
            except BaseException as error:
                self.raised = error

        marked: Callable[[pytest.FixtureRequest, Any], None] = pytest.mark.workflow(crash=False, **self.marks)(run)
        return marked

    def pytest_exception_interact(self, call: pytest.CallInfo[Any]) -> None:
        """Keep an error of the project's fixtures before the test runs; later ones are of no interest."""
        if not self.ran and self.raised is None and call.excinfo is not None:
            error = call.excinfo.value
            what = f"{type(error).__name__}: {error}".rstrip(": ")
            self.raised = CommandError(f"a fixture of the project fails: {what}", "Does `pytest` itself run here?")


def _folders(rootdir: Path, tests: Path) -> list[Path]:
    inside = tests.relative_to(rootdir).parts if tests.is_relative_to(rootdir) else ()
    folders = [rootdir.joinpath(*inside[: depth + 1]) for depth in range(len(inside))]
    return [rootdir, *folders]
