"""An older source of the Workers under test: a git ref, taken out of the repository into a folder, or a folder."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from pytest_workflows.errors import WorkflowConfigError
from pytest_workflows.messages.short_repr import brief, shown, shown_path

from .worker_project import Project
from .worker_registry import config_in

OPTION = "--workflows-upgrade-from"


@dataclass(frozen=True, slots=True)
class OldSource:
    """An older source.

    Attributes:
        name: What it is called on the command line.
        folder: Where it lies.
        beside: The folder of today's source that it is another version of: the repository's, or pytest's rootdir.
        is_ref: Whether it is a git ref.
    """

    name: str
    folder: str
    beside: str
    is_ref: bool

    @property
    def shown_name(self) -> str:
        """Its name, in messages."""
        return shown_path(self.name)

    def project_of(self, today: Project) -> Project:
        """The older source of a project.

        Args:
            today: The project as it is today.

        Raises:
            WorkflowConfigError: If the older source has no configuration for it.
        """
        folder = today.path.parent.resolve()
        places = [Path(self.folder, folder.relative_to(self.beside))] if folder.is_relative_to(self.beside) else []
        if not self.is_ref:
            places.append(Path(self.folder))
        for place in places:
            same = place / today.path.name
            found = same if same.is_file() else config_in(place)
            if found is not None:
                if self.is_ref:
                    _lend_modules(today, place)
                return today.version_at(found)
        searched = " and ".join(dict.fromkeys(shown_path(self._named(place)) for place in places)) or "it"
        raise WorkflowConfigError(
            f"{OPTION}={self.shown_name}: there is no wrangler configuration in {searched}, which would be the older "
            f"version of {shown_path(today.path)}."
        )

    def shown_file(self, file: str) -> str | None:
        """A file of it as a reader finds it, `v1.2:src/entry.py`; None for any other file."""
        real, root = os.path.realpath(file), os.path.realpath(self.folder)
        if not real.startswith(root + os.sep):
            return None
        inside = real[len(root) + 1 :]
        return f"{self.shown_name}:{inside}" if self.is_ref else os.path.join(self.shown_name, inside)

    def not_importable(self, project: Project, error: BaseException) -> str:
        """What to say of a project of it whose main module cannot be imported.

        Args:
            project: The older version of a project.
            error: The exception that it cannot be imported for.
        """
        where = self.shown_file(str(project.config.main)) or project.config.main
        return (
            f"{OPTION}={self.shown_name}: the older source {where} cannot be imported: "
            f"{type(error).__name__}: {error}. It runs with the packages that are installed now."
        )

    def has_test(self, file: Path, function: str) -> bool:
        """Whether it has a test, as far as its text says: a function of that name in the same file.

        A folder that has sources alone is not asked for tests.

        Args:
            file: The test's file of today.
            function: The name of its function.
        """
        file = file.resolve()
        if not file.is_relative_to(self.beside):
            return True
        path = Path(self.folder, file.relative_to(self.beside))
        if not self.is_ref and not path.parent.is_dir():
            return True
        try:
            return f"def {function}(" in path.read_text(encoding="utf-8")
        except (OSError, ValueError):
            return False

    def _named(self, place: Path) -> str:
        return self.shown_file(str(place)) or self.shown_name


def _lend_modules(today: Project, place: Path) -> None:
    """Let what was taken out of git have the libraries of today, which git does not keep."""
    vendored = place / today.vendored.name
    if today.vendored.is_dir() and not vendored.exists():
        vendored.symlink_to(today.vendored, target_is_directory=True)


def find_old_source(given: str, rootdir: Path, started_in: Path) -> OldSource:
    """Find what `--workflows-upgrade-from` names; a git ref is taken out into a temporary folder.

    Args:
        given: A git ref, or a path.
        rootdir: pytest's rootdir.
        started_in: The folder that paths of the command line are seen from.

    Raises:
        WorkflowConfigError: If it is neither.
    """
    path = (started_in / given).resolve()
    is_path = given.startswith((".", os.sep, "~")) or not given
    commit, why = (None, "") if is_path else _commit(given, rootdir)
    if commit is None:
        path = Path(os.path.expanduser(given)).resolve() if given.startswith("~") else path
        if given and path.is_dir():
            return OldSource(given, str(path), str(rootdir.resolve()), is_ref=False)
        raise WorkflowConfigError(_neither(given, path, why, is_path=is_path))
    top = _git(rootdir, "rev-parse", "--show-toplevel").stdout.decode(errors="replace").strip()
    return OldSource(given, _taken_out(given, commit, Path(top)), str(Path(top).resolve()), is_ref=True)


def is_recordings(path: Path) -> bool:
    """Whether a path is a recording, or a folder of them, and no source: instances that an older source has begun."""
    if path.is_file():
        return path.suffix == ".json"
    return path.is_dir() and not any(path.rglob("*.py")) and any(path.rglob("*.json"))


def put_away(source: OldSource) -> None:
    """Remove the folder that a git ref was taken out into."""
    if source.is_ref:
        shutil.rmtree(source.folder, ignore_errors=True)


def _neither(given: str, path: Path, why: str, *, is_path: bool) -> str:
    if not given:
        return f"{OPTION} takes a git ref, such as a tag, or the folder of an older source; not nothing."
    if path.exists():
        return f"{OPTION}={shown_path(given)}: this is a file, and an older source is a git ref or a folder."
    if is_path:
        return f"{OPTION}={shown_path(given)}: there is no folder {shown_path(path)}. Give the one of an older source."
    reason = f" ({why})" if why else ""
    return (
        f"{OPTION}={shown_path(given)}: there is no such git ref{reason}, and no such folder. Give the tag or the "
        "commit that is deployed, or a folder with its source. In CI, a shallow clone has no tags: fetch them first."
    )


def _commit(ref: str, folder: Path) -> tuple[str | None, str]:
    """The commit of a ref; or None, and why there is none."""
    try:
        found = _git(folder, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{ref}^{{commit}}")
        said = _git(folder, "rev-parse", "--is-inside-work-tree") if found.returncode else found
    except OSError as error:
        return None, f"git cannot be started: {error.strerror or error}"
    if found.returncode == 0:
        return found.stdout.decode().strip(), ""
    return None, _said(said) if said.returncode else ""


def _taken_out(ref: str, commit: str, top: Path) -> str:
    folder = os.path.realpath(tempfile.mkdtemp(prefix="pytest-workflows-"))
    # Not `git archive`, which leaves out what is marked export-ignore, as tests often are.
    with tempfile.TemporaryDirectory() as aside:
        index = {"GIT_INDEX_FILE": os.path.join(aside, "index")}
        made = _git(top, "read-tree", "--no-sparse-checkout", commit, **index)
        if not made.returncode:
            made = _git(top, "checkout-index", "--all", f"--prefix={folder}{os.sep}", **index)
    if made.returncode:
        shutil.rmtree(folder, ignore_errors=True)
        raise WorkflowConfigError(f"{OPTION}={shown_path(ref)}: git cannot give this source: {_said(made)}")
    return folder


def _git(folder: Path, *arguments: str, **variables: str) -> subprocess.CompletedProcess[bytes]:
    environment = {**os.environ, **variables}
    return subprocess.run(["git", *arguments], cwd=folder, env=environment, capture_output=True, check=False)


def _said(made: subprocess.CompletedProcess[bytes]) -> str:
    return brief(made.stderr.decode(errors="replace").removeprefix("fatal: ")) or shown(made.returncode)
