"""The parts of `pytest-workflows dev` that need no Worker: ports, the state's folder, the client, the terminal."""

import contextlib
import errno
import importlib.util
import io
import json
import logging
import os
import re
import socket
import sqlite3
import stat
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from types import SimpleNamespace

import pytest
from typer.testing import CliRunner

from pytest_workflows.cli.app import app
from pytest_workflows.dev.errors import DevError
from pytest_workflows.dev.ports import addresses, bind, is_loopback
from pytest_workflows.dev.process import DevProcess
from pytest_workflows.dev.settings import DevSettings
from pytest_workflows.dev.state_folder import Running, StateFolder
from pytest_workflows.dev.terminal import LogLines, RequestLines, Terminal
from pytest_workflows.dev.watching import WatchedPlaces
from pytest_workflows.project.worker_project import Project


def command(*arguments):
    ran = CliRunner().invoke(app, list(arguments))
    return ran.exit_code, ran.output


# -- ports -------------------------------------------------------------------------------------------------------------


def test_the_next_free_port_is_taken():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with bind("127.0.0.1", port) as bound:
            assert port < bound.getsockname()[1] < port + 100


def test_an_address_of_another_machine_is_refused_in_words():
    with pytest.raises(DevError, match=r"203\.0\.113\.1 is no address of this machine"):
        bind("203.0.113.1", 0)


@pytest.mark.parametrize("number", [errno.EAFNOSUPPORT, errno.EINVAL])
def test_an_address_that_this_machine_knows_nothing_of_is_refused_in_words(monkeypatch, number):
    def refuse(host, port):
        raise OSError(number, "of the system")

    monkeypatch.setattr("pytest_workflows.dev.ports._bound", refuse)
    with pytest.raises(DevError, match=r"fe80::1 is no address of this machine"):
        bind("fe80::1", 8787)


@pytest.mark.parametrize(
    ("host", "expected"),
    [("127.0.0.1", True), ("127.1.2.3", True), ("::1", True), ("localhost", True), ("0.0.0.0", False)],
)
def test_which_addresses_are_of_this_machine_alone(host, expected):
    assert is_loopback(host) is expected


def test_the_addresses_of_a_port():
    assert addresses("127.0.0.1", 80) == ["http://127.0.0.1:80"]
    assert addresses("::1", 80) == ["http://[::1]:80"]
    assert addresses("0.0.0.0", 80)[0] == "http://127.0.0.1:80"


@pytest.fixture
def process(tmp_path, monkeypatch):
    """Makes processes that start no thread."""
    monkeypatch.setattr("pytest_workflows.dev.process.EngineThread", object)

    def make(**settings):
        return DevProcess(
            DevSettings(tmp_path / "wrangler.jsonc", tmp_path / "state", tmp_path, **settings), Terminal()
        )

    return make


def test_a_token_is_asked_for_where_one_is_given_or_others_get_in(process):
    def token(**settings):
        return process(**settings)._security(["http://127.0.0.1:1"]).token

    assert token() is None
    assert token(token="given") == "given"
    assert token(host="0.0.0.0", token="given") == "given"
    assert len(token(host="0.0.0.0")) >= 32
    assert len(token(hosts=frozenset({"tunnel.example.com"}))) >= 32


def test_the_addresses_that_a_browser_opens_have_the_token(process, capsys):
    made = process(port=0)
    made._worker = SimpleNamespace(env=SimpleNamespace(project=None), versions=[SimpleNamespace(number=1)])

    made._greet(["http://127.0.0.1:1"], 1, "a+b")
    said = capsys.readouterr().out

    assert "Page      http://127.0.0.1:1/__workflows?token=a%2Bb\n" in said
    assert "API docs  http://127.0.0.1:1/__workflows/docs?token=a%2Bb\n" in said


@contextlib.contextmanager
def in_use(folder):
    """A state's folder that a process has open."""
    with contextlib.closing(sqlite3.connect(folder / "workflows.sqlite.lock", isolation_level=None)) as lock:
        lock.execute("BEGIN EXCLUSIVE")
        yield


# -- the state's folder ------------------------------------------------------------------------------------------------


def test_the_folder_is_ignored_by_git_and_says_who_serves_to_its_owner_alone(tmp_path):
    folder = StateFolder(tmp_path / "a" / "state")
    folder.make()
    folder.make()
    assert folder.running() is None

    running = Running("http://127.0.0.1:1", os.getpid(), "secret")
    folder.announce(running)

    with in_use(folder.path):
        assert folder.running() == running
    assert stat.S_IMODE((folder.path / "running.json").stat().st_mode) == 0o600
    assert (folder.path / ".gitignore").read_text().splitlines()[-1] == "*"
    folder.leave()
    folder.leave()
    assert not (folder.path / "running.json").exists()


def test_a_process_that_was_killed_serves_no_more_though_another_has_its_port(tmp_path):
    folder = StateFolder(tmp_path)
    folder.announce(Running("http://127.0.0.1:1", os.getpid()))

    assert folder.running() is None
    with in_use(folder.path):
        assert folder.running() is not None
    assert folder.running() is None
    assert not list(tmp_path.glob("*-journal"))


def test_a_process_takes_back_what_it_has_written_and_nothing_else(tmp_path):
    folder = StateFolder(tmp_path)
    later = Running("http://127.0.0.1:1", os.getpid() + 1)
    folder.announce(later)  # its folder was removed, and another process began there

    folder.leave()

    with in_use(folder.path):
        assert folder.running() == later


def test_a_folder_in_which_nobody_can_say_who_serves_is_told_in_words(tmp_path):
    (tmp_path / "running.json").mkdir()

    with pytest.raises(DevError, match=r"running\.json, by which commands find the process, cannot be written: "):
        StateFolder(tmp_path).announce(Running("http://127.0.0.1:1", 7))


def test_a_folder_that_cannot_be_made_is_told_in_words(tmp_path):
    (tmp_path / "file").write_text("")

    with pytest.raises(DevError, match="the state cannot be kept in"):
        StateFolder(tmp_path / "file" / "state").make()


# -- what commands ask -------------------------------------------------------------------------------------------------


class Answers(BaseHTTPRequestHandler):
    """A process, as far as commands ask it."""

    asked: list = []  # noqa: RUF012 (the server's, of one test)
    answer: bytes = b""

    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"] or 0))
        self.asked.append((self.path, json.loads(body), self.headers["authorization"]))
        self.send()

    def do_GET(self):
        self.asked.append((self.path, None, self.headers["authorization"]))
        self.send()

    def send(self):
        self.send_response(200 if b"true" in self.answer else 404)
        self.send_header("content-length", str(len(self.answer)))
        self.end_headers()
        self.wfile.write(self.answer)

    def log_message(self, *_):
        pass


@pytest.fixture
def answering(tmp_path, monkeypatch):
    """A process whose state is in the folder that commands run in."""
    kind = type("One", (Answers,), {"asked": []})
    server = HTTPServer(("127.0.0.1", 0), kind)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    state = StateFolder(tmp_path / ".workflows" / "state")
    state.make()
    state.announce(Running(f"http://127.0.0.1:{server.server_port}", 1, "secret"))
    (tmp_path / "below").mkdir()
    monkeypatch.chdir(tmp_path / "below")
    with in_use(state.path):
        yield kind
    server.shutdown()
    thread.join()
    server.server_close()


def test_time_is_moved_in_the_process_of_a_folder_above(answering):
    answering.answer = b'{"success": true, "result": {"now": "2026-12-04T09:00:00+00:00"}}'

    assert command("time", "skip", "ORDERS", "o-1") == (0, "The sleep is over: ORDERS o-1.\n")
    assert command("time", "retry", "ORDERS", "o-1", "--step", "pay", "--count", "2")[1].startswith("The next attempt")
    assert command("time", "timeout", "ORDERS", "o-1", "--step", "poll")[0] == 0  # whichever of that name waits
    assert command("time", "travel", "--by", "3 days") == (0, "It is 2026-12-04 09:00:00 UTC.\n")
    assert answering.asked == [
        ("/__workflows/api/time/skip", {"workflow": "ORDERS", "id": "o-1"}, "Bearer secret"),
        (
            "/__workflows/api/time/retry",
            {"workflow": "ORDERS", "id": "o-1", "name": "pay", "count": 2},
            "Bearer secret",
        ),
        ("/__workflows/api/time/timeout", {"workflow": "ORDERS", "id": "o-1", "name": "poll"}, "Bearer secret"),
        ("/__workflows/api/time/travel", {"by": "3 days"}, "Bearer secret"),
    ]


def test_what_the_process_refuses_is_told_without_its_code(answering):
    answering.answer = (
        b'{"success": false, "errors": [{"code": 1, "message": "workflows.api.error.bad_request: No sleep."}]}'
    )

    assert command("time", "skip", "ORDERS", "o-1") == (3, "Error: No sleep.\n")


def test_what_is_no_process_of_ours_is_told(answering):
    answering.answer = b"<html>"

    code, said = command("time", "skip", "ORDERS", "o-1")

    assert code == 3
    assert "is no `pytest-workflows dev`: status 404" in said


def test_a_process_that_does_not_answer_is_told(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    state = StateFolder(tmp_path / ".workflows" / "state")
    state.make()
    with socket.create_server(("127.0.0.1", 0)) as gone:
        port = gone.getsockname()[1]
    state.announce(Running(f"http://127.0.0.1:{port}", 1))

    with in_use(state.path):
        code, said = command("stats", "--by", "day")

    assert code == 3
    assert f"Error: nothing answers at http://127.0.0.1:{port}" in said
    assert "Hint: Start it: `pytest-workflows dev`" in said
    code, said = command("stats", "--by", "day")  # it was killed
    assert code == 3
    assert said.startswith(f"Error: no `pytest-workflows dev` is known to run from {tmp_path} upwards.")


def test_where_no_process_is_known_the_folder_is_named(tmp_path):
    assert command("stats", "--by", "day", "--state", str(tmp_path))[1].startswith(
        f"Error: no `pytest-workflows dev` is known to run in {tmp_path}."
    )


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["time", "skip"], "time skip takes WORKFLOW and ID."),
        (["time", "travel"], "time travel takes --to or --by, one of them."),
        (["time", "travel", "--to", "x", "--by", "y"], "time travel takes --to or --by, one of them."),
        (["time", "travel", "ORDERS", "--by", "y"], "time travel takes no WORKFLOW"),
        (["stats"], "stats needs a PATH, or --by day."),
        (["stats", "x.json", "--by", "day"], "stats takes PATH, or --by, and not both."),
        (["dev", "--token", " "], "the --token is empty."),
        (["dev", "--token", "a;b"], "the --token has what no header and cookie takes."),
        (["dev", "--host", " "], "the --host is empty."),
    ],
)
def test_wrong_usage_is_told(arguments, said):
    code, output = command(*arguments)

    assert code == 2
    assert output.startswith(f"Error: {said}")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--url", "http://[::1"], "'http://[::1' is no address of a server."),
        (["--url", "127.0.0.1:8787"], "'127.0.0.1:8787' is no address of a server."),
        (["--url", ""], "'' is no address of a server."),
        (["--url", "http://127.0.0.1:1", "--token", "\u00e9"], "the --token has what no token has."),
        (["--url", "http://127.0.0.1:1", "--token", "a\nb"], "the --token has what no token has."),
    ],
)
def test_what_leads_to_no_process_is_told(arguments, said):
    code, output = command("time", "travel", "--by", "1 day", *arguments)

    assert code == 3
    assert output.startswith(f"Error: {said}")


def test_a_refusal_of_another_kind_of_server_is_told(answering):
    answering.answer = b'{"success": false, "errors": ["no", {"message": "such way"}]}'

    assert command("time", "travel", "--by", "1 day")[1].startswith("Error: such way")


def test_numbers_are_shown_by_day(answering, monkeypatch):
    monkeypatch.setenv("COLUMNS", "120")
    spread = {"count": 1, "total": 12_345, "median": 12_345, "longest": 12_345}
    none = {"count": 0, "total": 0, "median": 0, "longest": 0}
    part = {"instances": 2, "statuses": {"complete": 1, "errored": 1}, "steps": 5, "retries": 1, "working_ms": 7}
    step = {"workflow": "ORDERS", "kind": "do", "name": "pay", "runs": 2, "failed": 1, "retries": 1}
    numbers = {
        "by": "day",
        "now": 0,
        "total": {**part, "name": "total", "wall": spread, "virtual": spread},
        "parts": [{**part, "name": "2026-11-29", "wall": none, "virtual": spread}],
        "slowest": [{**step, "working": spread, "virtual": none}],
        "longest": [],
    }
    answering.answer = json.dumps({"success": True, "result": numbers}).encode()

    code, said = command("stats", "--by", "day")

    assert code == 0
    assert re.sub(" +", " ", said) == (
        "Day Instances Status Steps Retries Median Longest Virtual\n"
        "2026-11-29 2 1 complete, 1 errored 5 1 - - 12 seconds\n"
        "all 2 1 complete, 1 errored 5 1 12 seconds 12 seconds 12 seconds\n"
        "\n"
        "Slowest steps Workflow Runs Failed Retries Working Virtual\n"
        "step pay ORDERS 2 1 1 12 seconds -\n"
    )
    assert json.loads(command("stats", "--by", "day", "--json")[1]) == numbers


def test_a_missing_extra_is_told(monkeypatch):
    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "uvicorn" else find(name))

    code, said = command("dev")

    assert code == 2
    assert said == (
        "Error: the command dev needs what the extra `dev` brings. Not installed: uvicorn.\n"
        "Hint: pip install 'pytest-workflows[dev]'\n"
    )


# -- what is watched ---------------------------------------------------------------------------------------------------


def watched(folder):
    (folder / "wrangler.jsonc").write_text(json.dumps({"name": "x", "main": "src/entry.py"}))
    (folder / "src" / "entry.py").touch()
    return WatchedPlaces([Project(folder / "wrangler.jsonc")])


def test_the_sources_are_watched_with_all_below_them_and_the_configuration_s_folder_alone(tmp_path):
    (tmp_path / "src" / "__pycache__").mkdir(parents=True)

    places = watched(tmp_path)

    assert (places.trees, places.folders) == ([tmp_path / "src"], [tmp_path])


def test_what_is_installed_beside_the_sources_is_not_watched(tmp_path):
    for name in ("src/node_modules/large", "src/.venv", "src/own/deep"):
        (tmp_path / name).mkdir(parents=True)

    places = watched(tmp_path)

    assert (places.trees, places.folders) == ([tmp_path / "src" / "own"], [tmp_path, tmp_path / "src"])


# -- the terminal ------------------------------------------------------------------------------------------------------


async def test_requests_of_the_worker_are_shown_and_no_others():
    stream = io.StringIO()

    async def answer(scope, receive, send):
        if scope["path"] == "/breaks":
            raise ValueError
        await send({"type": "http.response.start", "status": 201})

    async def nothing(*_):
        pass

    lines = RequestLines(answer, Terminal(stream), lambda path: path == "/own")
    for path in ("/own", "/orders"):
        await lines({"type": "http", "method": "POST", "path": path}, nothing, nothing)
    with pytest.raises(ValueError, match=r"^$"):
        await lines({"type": "http", "method": "GET", "path": "/breaks"}, nothing, nothing)

    shown = re.sub(r"\d\d:\d\d:\d\d|\d+ ms", "#", stream.getvalue())
    assert shown == "# POST /orders 201 #\n# GET /breaks broken off #\n"


def test_what_steers_a_terminal_is_written_as_code_has_it():
    stream = io.StringIO()

    Terminal(stream).note("one\x1b[2J\ntwo")

    first, second = stream.getvalue().splitlines()
    assert first.endswith(r"one\x1b[2J")
    assert second == "         two"


def test_what_the_terminal_has_no_character_for_is_written_as_code_has_it():
    written = io.BytesIO()
    stream = io.TextIOWrapper(written, encoding="ascii")

    Terminal(stream).plain("żółw")

    assert written.getvalue().decode() == r"\u017c\xf3\u0142w" + "\n"


def test_a_terminal_that_nobody_reads_any_more_is_no_error():
    reading, writing = os.pipe()
    os.close(reading)
    with open(writing, "wb", buffering=0) as raw:  # unbuffered: nothing is left to be written when it is closed
        stream = io.TextIOWrapper(raw, write_through=True)

        Terminal(stream).note("one")

        stream.detach()


def test_the_worker_s_basic_config_sets_the_level_alone(capsys):
    level, handlers, basic_config = logging.root.level, list(logging.root.handlers), logging.basicConfig
    lines = LogLines()
    lines.start()
    try:
        logging.basicConfig(level=logging.INFO, format="mine")
        logging.getLogger("shop").info("sold")
        assert logging.root.level == logging.INFO
    finally:
        lines.stop()
        logging.root.setLevel(level)
    assert set(logging.root.handlers) <= set(handlers)  # those of engines that are over may go meanwhile
    assert logging.basicConfig is basic_config


def test_paths_are_those_of_the_settings():
    from pytest_workflows.dev.settings import DevSettings

    settings = DevSettings(Path("wrangler.jsonc"), Path("state"), Path())

    assert (settings.host, settings.port, settings.reloads) == ("127.0.0.1", 8787, True)
