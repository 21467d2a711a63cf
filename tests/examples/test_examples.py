"""Every example's tests pass on their own, recorded, replayed and with a crash at each point."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
FOLDERS = sorted(config.parent for config in EXAMPLES.rglob("wrangler.*") if "node_modules" not in config.parts)
PLUGINS = ("pytest_asyncio.plugin", "pytest_workflows.plugin", "respx", "no:cacheprovider")


def test_there_are_examples():
    assert FOLDERS


each_example = pytest.mark.parametrize(
    "folder", [pytest.param(folder, id=str(folder.relative_to(EXAMPLES))) for folder in FOLDERS]
)


# One of the starter's sleeps is not awaited, on purpose: strict mode would make an error of the warning that a reader sees.
ON_PURPOSE = {"starter": ["-o", "workflows_ignore_rules=missing-await"]}


@pytest.fixture
def run(sessions):
    """Runs an example's tests; of the plugins there are only those that a reader installs."""

    def run(folder, *arguments):
        result = sessions.run(folder, "-q", "-p", "respx", "-p", "no:cacheprovider", "-W", "error", *arguments)
        outcomes = result.parseoutcomes()
        assert result.ret == 0
        assert outcomes["passed"]
        assert "skipped" not in outcomes
        return result.stdout.str(), outcomes["passed"]

    return run


@each_example
def test_the_examples_are_durable_at_every_crash_point_and_break_no_rule(folder, run):
    explored, _ = run(folder, "--workflows-crash", "--workflows-strict", *ON_PURPOSE.get(folder.name, []))

    # The one test of nightly_restart is left out, and says why.
    assert "none failed, 0 findings" in explored or folder.name == "nightly_restart"


@each_example
def test_the_examples_own_tests_pass_and_their_recordings_replay(folder, run, tmp_path):
    run(folder, "--workflows-record=all", "-o", f"workflows_failures_dir={tmp_path}")
    recordings = list(tmp_path.rglob("*.json"))

    _, replayed = run(folder, f"--workflows-replay={tmp_path}")

    assert replayed == len(recordings)


def test_the_starter_shows_a_rules_warning_and_stays_green_where_warnings_are_errors():
    """In a process of its own, as a reader runs it."""
    # The outer run's options must not reach the inner one.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    environment["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    plugins = [word for name in PLUGINS for word in ("-p", name)]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", *plugins, "-W", "error"],
        cwd=EXAMPLES / "starter",
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert done.returncode == 0, done.stdout + done.stderr
    assert "WorkflowRuleWarning: [missing-await]" in done.stdout
    assert "step.sleep('a pause that nobody waits for') was never awaited." in done.stdout
