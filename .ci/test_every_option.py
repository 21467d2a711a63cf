"""Every option, every command and every extra once, where the whole suite is not run.

Run on the lowest versions that the bounds of pyproject.toml allow, where the development tools of the suite are not.
"""

import json
import re
import shlex
import shutil
import signal
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import typer

from pytest_workflows.cli.app import app

EXAMPLE = Path(__file__).resolve().parents[1] / "examples" / "moderation"
PROPERTY_TEST = """
from entry import ModeratorWorkflow
from hypothesis import HealthCheck, given, settings
from pytest_workflows.strategies import fault_plans


@settings(max_examples=5, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(plan=fault_plans(ModeratorWorkflow))
async def test_it(workflow_engine, plan):
    assert workflow_engine is not None
"""
CONFTEST = """
import pytest


class AI:
    async def run(self, model, inputs):
        return {"score": 99}


@pytest.fixture
def workflow_bindings(request):
    return {} if request.config.getoption("workflows_target") else {"AI": AI()}
"""
SMOKE_TEST = """
async def test_a_comment_is_taken(workflow_env):
    comment = await workflow_env.MODERATOR.create()
    await comment.terminate()
    assert (await comment.status()).status == "terminated"
"""

# What each option writes to the terminal that nothing else does. `{}` is a folder of the test's own, and `{url}` the
# address of a `dev` that runs.
OPTIONS = {
    "--workflows-report": ("--workflows-report", r"Instance '.*' of 'MODERATOR'"),
    "--workflows-durations": ("--workflows-durations=3", r"(?i)slowest|longest"),
    "--workflows-crash": ("--workflows-crash=2", r"crash"),
    "--workflows-slices": ("--workflows-crash=2 --workflows-slices=2", r"[1-9]\d* crash points"),
    "--workflows-seeds": ("--workflows-seeds=1", r"1 schedule"),
    "--workflows-seed": ("--workflows-seed=1", r"passed"),
    "--workflows-strict": ("--workflows-strict", r"passed"),
    "--workflows-upgrade-from": ("--workflows-upgrade-from={} -k batch", r"[1-9]\d* upgrades"),
    "--workflows-record": ("--workflows-record=all", r"passed"),
    "--workflows-replay": ("--workflows-replay={}/recorded", r"passed"),
    "--workflows-json": ("--workflows-json={}/part.json", r"part\.json"),
    "--workflows-html": ("--workflows-html={}/report.html", r"report\.html"),
    "--workflows-cov": ("--workflows-cov", r"(?i)coverage"),
    "--workflows-cov-report": ("--workflows-cov --workflows-cov-report=json:{}/cov.json", r"passed"),
    "--workflows-cov-fail-under": ("--workflows-cov --workflows-cov-fail-under=1", r"passed"),
    "--workflows-target": ("smoke.py --workflows-target={url}", r"1 passed"),
    "--workflows-target-worker": ("smoke.py --workflows-target={url} --workflows-target-worker={url}", r"1 passed"),
}
COMMANDS = {
    "check": "check --points 2",
    "codegen": "codegen {}",
    "describe": "describe {}",
    "dev": "dev --no-reload --port 0",
    "diff": "diff {} {}",
    "graph": "graph",
    "list": "list",
    "merge": "merge part.json --output merged",
    "pull": "pull moderation comment-1",
    "reproduce": "reproduce {}",
    "run": "run MODERATOR --id here",
    "stats": "stats {}",
    "time": "time travel --by '1 hour'",
}


def call(folder, *words):
    done = subprocess.run(
        [sys.executable, "-m", *words], cwd=folder, capture_output=True, text=True, timeout=120, check=False
    )
    return done.returncode, done.stdout + done.stderr


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    folder = tmp_path_factory.mktemp("smoke") / "project"
    shutil.copytree(EXAMPLE, folder, ignore=shutil.ignore_patterns(".workflows", "__pycache__"))
    (folder / "conftest.py").write_text(CONFTEST)
    (folder / "smoke.py").write_text(SMOKE_TEST)
    code, shown = call(
        folder,
        "pytest",
        "-q",
        "--workflows-record=all",
        "--workflows-json=part.json",
        "-o",
        f"workflows_failures_dir={folder}/recorded",
    )
    assert code == 0, shown
    return folder


@pytest.fixture(scope="module")
def dev(project):
    """The address of a `dev` that runs, until the end of these tests."""
    with subprocess.Popen(
        [sys.executable, "-m", "pytest_workflows.cli", *COMMANDS["dev"].split()],
        cwd=project,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        found = next((line.split()[1] for line in process.stdout if line.split()[:1] == ["Worker"]), None)
        yield found
        process.send_signal(signal.SIGINT)
        rest = process.stdout.read()
    assert (found is not None, process.returncode) == (True, 0), rest


@pytest.fixture
def recording(project):
    return str(min((project / "recorded").rglob("*.json")))


def test_no_option_and_no_command_is_left_out(project):
    options = set(re.findall(r"--workflows-[a-z-]+", call(project, "pytest", "--help")[1]))

    assert options == set(OPTIONS)
    assert set(typer.main.get_command(app).commands) == set(COMMANDS)


@pytest.mark.parametrize("option", OPTIONS)
def test_each_option_works(project, request, option):
    words, pattern = OPTIONS[option]
    url = request.getfixturevalue("dev") if "{url}" in words else ""

    code, shown = call(project, "pytest", "-q", *words.format(project, url=url).split())

    assert code == 0, shown
    assert re.search(pattern, shown), shown


def test_a_run_on_two_workers_is_reported_as_one(project):
    code, shown = call(project, "pytest", "-q", "-n", "2", "--workflows-report", "--workflows-crash=1")

    assert code == 0, shown
    assert "Instance '" in shown


@pytest.fixture
def account(monkeypatch):
    """An account of the platform with one instance, as the environment names it."""

    class Api(BaseHTTPRequestHandler):
        def do_GET(self):
            body = json.dumps({"success": True, "result": {"status": "queued", "steps": []}}).encode()
            self.send_response(200)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    with ThreadingHTTPServer(("127.0.0.1", 0), Api) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        monkeypatch.setenv("CLOUDFLARE_API_BASE_URL", f"http://127.0.0.1:{server.server_port}")
        monkeypatch.setenv("CLOUDFLARE_API_TOKEN", "token")
        monkeypatch.setenv("CLOUDFLARE_ACCOUNT_ID", "account")
        yield
        server.shutdown()


@pytest.mark.usefixtures("account", "dev")
@pytest.mark.parametrize("command", sorted(COMMANDS.keys() - {"dev"}))
def test_each_command_works(project, recording, command):
    code, shown = call(
        project, "pytest_workflows.cli", *(word.replace("{}", recording) for word in shlex.split(COMMANDS[command]))
    )

    assert code == 0, shown
    assert shown.strip()


def test_a_property_test_works(project):
    (project / "tests" / "test_property.py").write_text(PROPERTY_TEST)

    code, shown = call(project, "pytest", "-q", "tests/test_property.py")

    assert code == 0, shown


def test_a_failing_test_shows_its_timeline_and_leaves_a_recording(project):
    text = (project / "tests" / "test_moderation.py").read_text()
    (project / "tests" / "test_failing.py").write_text(text.replace("assert await", "assert not await", 1))

    code, shown = call(project, "pytest", "-q", "tests/test_failing.py")

    (project / "tests" / "test_failing.py").unlink()
    assert code == 1, shown
    assert "Instance '" in shown
    assert "Run it again: pytest-workflows reproduce" in shown
    written = re.search(r"^(\.workflows/\S+\.json)$", shown, re.MULTILINE)
    assert json.loads((project / written[1]).read_text())
