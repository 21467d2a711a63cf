"""The `pytest-workflows dev` that runs, for commands that ask it."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from .errors import CommandError

if TYPE_CHECKING:
    from pytest_workflows.dev.client import Client


@contextlib.contextmanager
def running(url: str | None, token: str | None, state: Path | None) -> Iterator[Client]:
    """A block that asks the process that runs.

    Args:
        url: Its address; None for that of the nearest folder with a state.
        token: Its token.
        state: The folder of its state.

    Raises:
        CommandError: If none runs, or it refuses.
    """
    from pytest_workflows.dev.client import find_running
    from pytest_workflows.dev.errors import DevError

    try:
        yield find_running(url, token, state)
    except DevError as error:
        raise CommandError(error.message, error.hint) from None
