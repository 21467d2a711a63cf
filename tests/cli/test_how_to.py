"""The how-to's commands print what stands there."""

import re
import shlex
from pathlib import Path

import pytest

PAGE = Path(__file__).parents[2] / "docs/how-to/reproduce-a-production-failure.md"
_TITLED = re.compile(r'```\w+ title="([^"]+)"\n(.*?)```', re.DOTALL)
_CONSOLE = re.compile(r"```console\n\$ pytest-workflows (.*?)\n(.*?)```", re.DOTALL)


@pytest.mark.parametrize(("command", "expected"), _CONSOLE.findall(PAGE.read_text(encoding="utf-8")))
def test_a_command_of_the_page_prints_what_stands_there(shop, command, expected):
    for name, content in _TITLED.findall(PAGE.read_text(encoding="utf-8")):
        shop.write(name, content)

    assert shop.command(*shlex.split(command)).out == expected
