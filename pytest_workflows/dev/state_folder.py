"""The folder that holds what a process leaves for the next one: instances, contents, versions; ignored by git."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

import msgspec

from durable_engine.storage.lock import is_in_use

from .errors import DevError

STORE = "workflows.sqlite"
"""The file of the instances, in the state's folder."""

_RUNNING = "running.json"


class Running(msgspec.Struct, frozen=True):
    """A process that serves.

    Attributes:
        url: Its address.
        pid: Its number.
        token: The token that it asks for; None for none.
    """

    url: str
    pid: int
    token: str | None = None


class StateFolder:
    """The folder of a process.

    Args:
        path: The folder; made where it is not there.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def make(self) -> None:
        """Make the folder, ignored by git.

        Raises:
            DevError: If it cannot be made or written to.
        """
        ignore = self.path / ".gitignore"
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            if not ignore.exists():
                ignore.write_text("# Made by `pytest-workflows dev`: what it has stored.\n*\n", encoding="utf-8")
        except OSError as error:
            raise DevError(
                f"the state cannot be kept in {self.path}: {error.strerror or error}.",
                "Give a folder that can be written to: `--state FOLDER`.",
            ) from None

    def announce(self, running: Running) -> None:
        """Write down who serves, for commands that ask it.

        Args:
            running: The process.

        Raises:
            DevError: If that cannot be written.
        """
        path = self.path / _RUNNING
        try:
            with contextlib.suppress(FileNotFoundError):
                path.unlink()
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)  # it may hold a token
            with open(descriptor, "wb") as file:
                file.write(msgspec.json.encode(running))
        except OSError as error:
            raise DevError(
                f"{path}, by which commands find the process, cannot be written: {error.strerror or error}.",
                "Give a folder that can be written to: `--state FOLDER`.",
            ) from None

    def leave(self) -> None:
        """This process serves no more; one that came after the folder was removed may."""
        announced = self._announced()
        if announced is not None and announced.pid == os.getpid():
            with contextlib.suppress(OSError):
                (self.path / _RUNNING).unlink()

    def running(self) -> Running | None:
        """Who serves; None where nobody does: one that was killed has left its address, which may be another's now."""
        announced = self._announced()
        return announced if announced is not None and is_in_use(self.path / STORE) else None

    def _announced(self) -> Running | None:
        try:
            return msgspec.json.decode((self.path / _RUNNING).read_bytes(), type=Running)
        except (OSError, msgspec.DecodeError):
            return None
