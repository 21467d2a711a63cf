"""The how-to's commands print what stands there, in one process from top to bottom."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

PAGE = Path(__file__).parents[2] / "docs/how-to/run-it-on-your-machine.md"
_TITLED = re.compile(r'```\w+ title="([^"]+)"\n(.*?)```', re.DOTALL)
_CONSOLE = re.compile(r"```console\n\$ (.*?)\n(.*?)```", re.DOTALL)
_URL = "http://127.0.0.1:8787"


def matches(expected: str, printed: str) -> bool:
    """Whether a text is as expected, where `...` stands for anything."""
    pattern = re.escape(expected.strip()).replace(re.escape("..."), ".*")
    return re.fullmatch(pattern, printed.strip(), re.DOTALL) is not None


@pytest.mark.skipif(sys.platform == "win32", reason="the commands are those of a POSIX shell")
def test_the_commands_of_the_page_print_what_stands_there(tmp_path, start):
    folder = tmp_path / "shop"
    for name, content in _TITLED.findall(PAGE.read_text(encoding="utf-8")):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(content, encoding="utf-8")
    (first, greeting), *others = _CONSOLE.findall(PAGE.read_text(encoding="utf-8"))
    assert first == "pytest-workflows dev"
    assert len(others) >= 5

    dev = start(folder).wait_until_up()
    assert matches(greeting.replace(_URL, dev.url), dev.said)

    environment = {
        **os.environ,
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "COLUMNS": "100",
    }
    for command, expected in others:
        ran = subprocess.run(
            command.replace(_URL, dev.url),
            shell=True,
            cwd=folder,
            env=environment,
            capture_output=True,
            text=True,
            timeout=60,
        )
        expected = expected.replace("1 complete", "1 ...")  # it may not be by then
        assert matches(expected, ran.stdout), (command, ran.stdout, ran.stderr)
        assert ran.returncode == 0
