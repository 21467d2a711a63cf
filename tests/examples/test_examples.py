"""Every example's tests pass on their own, in a process of their own, as a reader runs them."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
FOLDERS = sorted(config.parent for config in EXAMPLES.rglob("wrangler.*") if "node_modules" not in config.parts)


def test_there_are_examples():
    assert FOLDERS


@pytest.mark.parametrize("folder", [pytest.param(folder, id=str(folder.relative_to(EXAMPLES))) for folder in FOLDERS])
def test_the_examples_own_tests_pass(folder):
    # The outer run's options and plugins must not reach the inner one.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}

    run = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-W", "error"],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert run.returncode == 0, run.stdout + run.stderr
    assert " passed" in run.stdout
    assert " skipped" not in run.stdout
