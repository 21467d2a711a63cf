"""What the terminal can do that shows the session's reports; under xdist, that of the controller."""

from __future__ import annotations

import sys
from typing import NamedTuple

import pytest

from .xdist_channel import CHANNEL, Message


class Terminal(NamedTuple):
    """What a terminal can do.

    Attributes:
        has_colour: Whether it shows colours.
        is_ascii: Whether it cannot show block characters.
    """

    has_colour: bool
    is_ascii: bool


TERMINAL = Message("terminal", lambda data: Terminal(*data))


def terminal_of(config: pytest.Config) -> Terminal:
    """What the terminal can do that shows the session's reports."""
    return config.stash[CHANNEL].started_with(TERMINAL)


def examine_terminal(config: pytest.Config) -> Terminal:
    """What this process' own terminal can do."""
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    has_colour = reporter is not None and bool(config.get_terminal_writer().hasmarkup)
    return Terminal(has_colour, _is_ascii())


def _is_ascii() -> bool:
    try:
        # Not `sys.stdout`, in whose place pytest may be capturing.
        "█✗·░▒".encode(getattr(sys.__stdout__, "encoding", None) or "utf-8")
    except UnicodeEncodeError:
        return True
    return False
