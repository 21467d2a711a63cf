"""Nothing of a test is seen by another one: the storefront's tests in any order, in four processes."""

import os
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
STOREFRONT = HERE.parents[1] / "examples" / "storefront"
PLUGINS = ("pytest_asyncio.plugin", "pytest_workflows.plugin", "respx", "xdist", "shuffled", "no:cacheprovider")


def test_the_storefronts_tests_pass_in_any_order_in_four_processes():
    environment = {**os.environ, "SHUFFLED": "1", "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTHONPATH": str(HERE)}
    plugins = [part for plugin in PLUGINS for part in ("-p", plugin)]
    command = [sys.executable, "-m", "pytest", "-q", "-W", "error", "-n", "4", *plugins]

    done = subprocess.run(command, cwd=STOREFRONT, env=environment, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stdout + done.stderr
