"""`--workflows-replay`: recordings as test items. Registered only where the option is given."""

from __future__ import annotations

import asyncio
import importlib
import importlib.util
import os
import shlex
from collections.abc import Generator, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from durable_engine import EngineError, UnknownValue
from pytest_workflows.errors import WorkflowConfigError
from pytest_workflows.messages.short_repr import shown_path
from pytest_workflows.project.wrangler import binding_meant
from pytest_workflows.recordings import Recording, RecordingError, load
from pytest_workflows.recordings.playback.other_path import OtherPathScript
from pytest_workflows.recordings.playback.replay import replay
from pytest_workflows.recordings.playback.script import RecordedScript
from pytest_workflows.session.session import SESSION
from pytest_workflows.session.settings import OWN_SETTINGS

if TYPE_CHECKING:
    from pytest_workflows.session.testrun import TestRun

NAME = "pytest-workflows-replay"


def set_up_replays(config: pytest.Config) -> None:
    """Collect what `--workflows-replay` names; nothing else, unless paths are on the command line as well.

    Raises:
        pytest.UsageError: If a path does not exist, or a folder holds no recording.
    """
    roots = [_existing(config.invocation_params.dir / given) for given in config.option.workflows_replay]
    paths = [str(root) for root in roots]
    config.option.workflows_replay = paths  # for xdist's workers, wherever they run
    given = list(config.args) if config.args_source is pytest.Config.ArgsSource.ARGS else []
    config.args = [*given, *(path for path in paths if path not in given)]
    config.pluginmanager.register(ReplayHooks(roots), NAME)


def _existing(path: Path) -> Path:
    if not os.path.exists(path):
        raise pytest.UsageError(
            f"--workflows-replay={shown_path(path)}: there is no such file or folder. Give a recording, or a "
            "folder of them, such as .workflows/failures."
        )
    path = path.resolve()
    if path.is_dir() and not any(path.rglob("*.json")):
        raise pytest.UsageError(f"--workflows-replay={path}: the folder holds no recordings (*.json).")
    return path


class ReplayHooks:
    """Hooks that collect recordings.

    Args:
        roots: The files and folders that were named.
    """

    def __init__(self, roots: Sequence[Path]) -> None:
        self._roots = roots

    def pytest_ignore_collect(self, collection_path: Path) -> bool | None:
        """Do not ignore folders that begin with a dot where they were named."""
        inside = any(collection_path.is_relative_to(root) for root in self._roots)
        return False if inside and collection_path.is_dir() else None

    def pytest_collect_file(self, file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
        """Collect a recording that was named."""
        if file_path.suffix != ".json" or not any(file_path.is_relative_to(root) for root in self._roots):
            return None
        # Outside of rootdir pytest has no name of its own for a file that stands on the command line.
        outside = not file_path.is_relative_to(parent.config.rootpath)
        nodeid = file_path.as_posix() if outside else None
        return RecordingFile.from_parent(parent, path=file_path, nodeid=nodeid)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(self, item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Add the command that runs the recording again: its node id alone collects nothing."""
        report = yield
        if isinstance(item, RecordingItem) and report.failed:
            report.sections.append(("Run it again", f"pytest {shlex.quote(f'--workflows-replay={item.shown}')}"))
        return report


class RecordingFile(pytest.File):
    """A file that holds a recording."""

    def collect(self) -> Iterator[pytest.Item]:
        """Collect the one item of the file.

        Raises:
            pytest.Collector.CollectError: If it is no recording.
        """
        try:
            recording = load(self.path)
        except RecordingError as error:
            raise self.CollectError(str(error)) from None
        name = f"{recording.binding or recording.workflow or 'workflow'}[{recording.instance_id}]"
        item: RecordingItem = RecordingItem.from_parent(
            self, name=name, path=_home(recording, self.config.rootpath), recording=recording
        )
        # What a replay shows is recorded already, and was replayed by this. What nobody provides was shown as well.
        item.stash[OWN_SETTINGS] = {"record": "none", "clock": "auto", "replay": False, "unprovided": "ignore"}
        yield item


class RecordingItem(pytest.Item):
    """Replays a recording: does today's source still do the same?

    Args:
        recording: The recording.
        arguments: What any item of pytest takes.
    """

    parent: RecordingFile

    def __init__(self, *, recording: Recording, **arguments: Any) -> None:
        super().__init__(**arguments)
        self.recording = recording

    def runtest(self) -> None:
        """Run the recording against the source, on an event loop of its own."""
        test_run = self.config.stash[SESSION].test_run
        assert test_run is not None
        test_run.override(_stand_ins(test_run, self.recording, self.config.rootpath))
        binding = test_run.env.workflow_binding(_binding_name(test_run, self.recording))
        script = RecordedScript if test_run.settings.strict else OtherPathScript
        asyncio.run(replay(binding, self.recording, self.shown, test_run.settings.redact, script=script))

    @property
    def shown(self) -> str:
        """The recording's file, as it is named on the command line."""
        path, folder = self.parent.path, self.config.invocation_params.dir
        return str(path.relative_to(folder) if path.is_relative_to(folder) else path)

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """The failure, without frames of ours."""
        if isinstance(excinfo.value, EngineError | WorkflowConfigError):
            return str(excinfo.value)
        return super().repr_failure(excinfo, "short")

    def reportinfo(self) -> tuple[Path, int | None, str]:
        """The recording's file."""
        return self.parent.path, None, self.name


def _home(recording: Recording, rootdir: Path) -> Path:
    """A path of the project that the workflow belongs to."""
    for file in (recording.config, recording.file):
        if file is not None and (rootdir / file).exists():
            return rootdir / file
    return rootdir


def _binding_name(test_run: TestRun, recording: Recording) -> str:
    workflows = test_run.env.workflows
    names = workflows.names()
    listed = ", ".join(names) or "none"
    if recording.binding is not None:
        if recording.binding in names or workflows.are_of_another(recording.binding):
            return recording.binding
        raise RecordingError(
            f"The recording is of the workflow {recording.binding!r}, which the configuration does not have. It has: "
            f"{listed}."
        )
    configured = () if test_run.project is None else test_run.project.config.all_workflows
    found = binding_meant(configured, recording.workflow, names)
    if found is None:
        raise RecordingError(
            f"The recording does not name its workflow, and the configuration has {len(names)}: {listed}. Write the "
            'name into the recording, at its top: "binding": "...".'
        )
    return found


def _stand_ins(test_run: TestRun, recording: Recording, rootdir: Path) -> dict[str, Any]:
    """The stand-ins for what the configuration does not give: the workflow's class, and bindings, never called."""
    configured = None if test_run.project is None else test_run.project.config
    names = dict.fromkeys(recording.bindings)
    names.update(dict.fromkeys(() if configured is None else configured.other_bindings))
    known = (
        set()
        if test_run.project is None or configured is None
        else {one.binding for one in configured.all_workflows} | test_run.project.variables.keys()
    )
    given: dict[str, Any] = {
        name: UnknownValue(f"in a replay the binding {name!r} answers nothing outside of recorded steps")
        for name in names
        if name not in known
    }
    name = recording.binding
    if name is None or recording.class_name is None or name in known or test_run.env.workflows.are_of_another(name):
        return given
    return {**given, name: _class_of(recording, rootdir)}


def _class_of(recording: Recording, rootdir: Path) -> type:
    name, module = recording.class_name, recording.module
    if name is None or module is None or "<locals>" in name:
        raise RecordingError(
            f"The workflow {recording.binding!r} is in no configuration, and its class ({name}) is defined inside of a "
            "function, where a replay cannot find it. Define it in a module, or replay the recording with "
            "`async with reproduce(binding, path)` in a test."
        )
    found: Any = _import(module, None if recording.file is None else rootdir / recording.file)
    for part in name.split("."):
        found = getattr(found, part, None)
    if not isinstance(found, type):
        raise RecordingError(
            f"{recording.file or module} has no class {name!r} any more, which the recording of "
            f"{recording.binding!r} was made with."
        )
    return found


def _import(module: str, file: Path | None) -> Any:
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        spec = None if file is None else importlib.util.spec_from_file_location(module, file)
        if spec is None or spec.loader is None or not spec.origin or not Path(spec.origin).exists():
            raise RecordingError(
                f"The module {module!r}, which the recorded workflow was defined in, cannot be imported: {error}."
            ) from None
        found = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(found)
        return found
