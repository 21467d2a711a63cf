"""The end of the process where code of a Worker can be ended by nothing else."""

from __future__ import annotations

import os
import sys
from functools import partial
from typing import Any

import pytest

END_CODE = 2
"""The exit code of the process: pytest's own of a session that was interrupted."""


def arm_watchdog(item: pytest.Item, stderr: int) -> None:
    """Let the engine's watchdog end the process as pytest would, where it must.

    Args:
        item: The test that runs.
        stderr: The file descriptor that is printed to.
    """
    from durable_engine import WATCHDOG

    WATCHDOG.stderr = stderr
    WATCHDOG.end_process = partial(end_process, item, stderr)


def stop_watchdog() -> None:
    """Leave no thread to tests that have nothing to do with workflows."""
    if "durable_engine" in sys.modules:
        from durable_engine import WATCHDOG

        WATCHDOG.stop()


def end_process(item: pytest.Item, stderr: int, text: str) -> None:
    """Print what the running test has printed, and why the process ends, and end it with code 2.

    Args:
        item: The test that runs.
        stderr: The file descriptor that is printed to.
        text: The fact, its place, and the next step.
    """
    capture: Any = item.config.pluginmanager.getplugin("capturemanager")
    printed = ""
    if capture is not None:
        capture.suspend_global_capture(in_=True)
        printed = "".join(capture.read_global_capture())
    lines = [printed.rstrip("\n"), f"{item.nodeid}: the process ends here, with code {END_CODE}.", text.strip("\n"), ""]
    # Not through sys.stderr, which the stopped code may hold the lock of.
    os.write(stderr, "\n".join(lines).encode(errors="backslashreplace"))
    os._exit(END_CODE)
