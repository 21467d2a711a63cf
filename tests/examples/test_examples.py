"""Every example's tests pass on their own, in a process of their own, as a reader runs them."""

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


def run(folder, *arguments, timeout=60):
    # The outer run's options must not reach the inner one, and of the plugins only those that a reader installs: to
    # load the others takes longer than the tests themselves.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    environment["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    plugins = [word for name in PLUGINS for word in ("-p", name)]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", *plugins, "-W", "error", *arguments],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert " passed" in done.stdout
    assert " skipped" not in done.stdout
    return done.stdout


@each_example
def test_the_examples_are_durable_at_every_crash_point_and_break_no_rule(folder):
    explored = run(folder, "--workflows-crash", "--workflows-strict", *ON_PURPOSE.get(folder.name, []), timeout=600)

    # The one test of nightly_restart is left out, and says why.
    assert "none failed, 0 findings" in explored or folder.name == "nightly_restart"


@each_example
def test_the_examples_own_tests_pass_and_their_recordings_replay(folder, tmp_path, sessions):
    def run_here(*arguments):
        result = sessions.run(folder, "-p", "respx", "-p", "no:cacheprovider", "-W", "error", *arguments)
        outcomes = result.parseoutcomes()
        assert outcomes.keys() == {"passed"}
        return outcomes["passed"]

    assert run_here("--workflows-record=all", "-o", f"workflows_failures_dir={tmp_path}")
    recordings = list(tmp_path.rglob("*.json"))

    assert run_here(f"--workflows-replay={tmp_path}") == len(recordings)


def test_the_starter_shows_a_rules_warning_and_stays_green_where_warnings_are_errors():
    shown = run(EXAMPLES / "starter")

    assert "WorkflowRuleWarning: [missing-await]" in shown
    assert "step.sleep('a pause that nobody waits for') was never awaited." in shown
