"""The folder that holds what a process leaves for the next one: instances, contents, versions; ignored by git."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

import msgspec

from .errors import DevError

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
        """
        path = self.path / _RUNNING
        with contextlib.suppress(FileNotFoundError):
            path.unlink()
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)  # it may hold a token
        with open(descriptor, "wb") as file:
            file.write(msgspec.json.encode(running))

    def leave(self) -> None:
        """Nobody serves any more."""
        with contextlib.suppress(OSError):
            (self.path / _RUNNING).unlink()

    def running(self) -> Running | None:
        """Who serves, or did until it was killed; None where nobody does."""
        try:
            return msgspec.json.decode((self.path / _RUNNING).read_bytes(), type=Running)
        except (OSError, msgspec.DecodeError):
            return None
