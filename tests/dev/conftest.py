"""Workers on this machine: their files, and processes that serve them."""

import json
import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

sys.path.insert(0, str(Path(__file__).parent))  # helpers of these tests are imported by their names

CONFIG = {
    "name": "greeter",
    "main": "src/entry.py",
    "compatibility_date": "2026-11-10",
    "compatibility_flags": ["python_workers"],
    "vars": {"GREETING": "hello"},
    "workflows": [{"name": "greetings", "binding": "GREETINGS", "class_name": "Greeting"}],
}
ENTRY = """\
from workers import Response, WorkerEntrypoint, WorkflowEntrypoint


class Greeting(WorkflowEntrypoint):
    async def run(self, event, step):
        @step.do("write")
        async def write():
            return f"{self.env.GREETING} {event['payload']['name']}"

        text = await write()
        await step.wait_for_event("approval", "approve")
        return text


class Default(WorkerEntrypoint):
    async def fetch(self, request):
        if request.method == "POST":
            instance = await self.env.GREETINGS.create({"id": "g-1", "params": await request.json()})
            return Response.json({"id": instance.id}, status=202)
        return Response("version one")
"""
_UP = re.compile(r"Worker +(http://\S+)")


class Files:
    """A Worker's files."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "src").mkdir(parents=True)
        self.configure()
        self.write(ENTRY)

    def configure(self, **changes: Any) -> None:
        (self.folder / "wrangler.jsonc").write_text(json.dumps({**CONFIG, **changes}))

    def write(self, entry: str, name: str = "src/entry.py") -> None:
        (self.folder / name).write_text(entry)

    def replace(self, old: str, new: str) -> None:
        entry = (self.folder / "src/entry.py").read_text()
        assert old in entry
        self.write(entry.replace(old, new))

    @property
    def state(self) -> Path:
        return self.folder / ".workflows" / "state"


@pytest.fixture
def files(tmp_path: Path) -> Files:
    return Files(tmp_path / "greeter")


class Dev:
    """A process of `pytest-workflows dev`, whose lines are read as they come."""

    def __init__(self, folder: Path, *arguments: str) -> None:
        environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
        self._process = subprocess.Popen(
            [sys.executable, "-m", "pytest_workflows.cli", "dev", "--port", "0", *arguments],
            cwd=folder,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self._lines: list[str] = []
        self._changed = threading.Condition()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        self.url = ""

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            with self._changed:
                self._lines.append(line)
                self._changed.notify_all()
        with self._changed:
            self._lines.append("")  # the end
            self._changed.notify_all()

    @property
    def said(self) -> str:
        return "".join(self._lines)

    def wait_for(self, text: str) -> str:
        """Wait for a text among the lines."""
        with self._changed:
            found = self._changed.wait_for(lambda: text in self.said or "" in self._lines, 30)
        assert found, self.said
        assert text in self.said, self.said
        return self.said

    def wait_until_up(self) -> "Dev":
        self.url = _UP.findall(self.wait_for("Ctrl-C stops"))[0]
        return self

    def interrupt(self) -> int:
        self._process.send_signal(signal.SIGINT)
        return self.end()

    def kill(self) -> None:
        self._process.kill()
        self.end()

    def end(self) -> int:
        code = self._process.wait(60)
        self._reader.join(60)
        assert self._process.stdout is not None
        self._process.stdout.close()
        return code

    def close(self) -> None:
        if self._process.poll() is None:
            self.kill()
        elif not self._process.stdout.closed:
            self.end()


@pytest.fixture
def start() -> Iterator[Callable[..., Dev]]:
    """Starts processes, which end with the test."""
    started: list[Dev] = []

    def start(folder: Path, *arguments: str) -> Dev:
        started.append(Dev(folder, *arguments))
        return started[-1]

    yield start
    for one in started:
        one.close()


@pytest.fixture
def http() -> Iterator[httpx.Client]:
    with httpx.Client(trust_env=False, timeout=30) as client:
        yield client
