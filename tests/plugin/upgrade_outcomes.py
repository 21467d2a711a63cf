"""What a session with `--workflows-upgrade-from` says of its upgrades."""

import re

import pytest

_HEADING = re.compile(r"_+ ([\w.]+)(?:\[(\w+)\])?\[upgrade: (.*)\] _+$")


def red_points(result: pytest.RunResult) -> dict[str, list[str]]:
    """The points whose upgrades failed, by the test's parameter, or by its name where it has none."""
    found: dict[str, list[str]] = {}
    for heading in filter(None, map(_HEADING.match, result.outlines)):
        found.setdefault(heading[2] or heading[1], []).append(heading[3])
    return found
