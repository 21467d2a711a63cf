"""The page on speed, the table that the benchmarks print, and their page name the same things."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_the_page_has_a_line_for_each_row_that_is_measured() -> None:
    page = (ROOT / "docs" / "explanation" / "speed.md").read_text(encoding="utf-8")
    code = "import run; print(*(row.name for row in run.ROWS))"

    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT / "benchmarks", capture_output=True, text=True, check=True
    )

    assert re.findall(r"^\| `([\w-]+)` \|", page, re.MULTILINE) == done.stdout.split()


def test_the_page_of_the_benchmarks_names_each_command_that_is_there() -> None:
    page = (ROOT / "benchmarks" / "README.md").read_text(encoding="utf-8")
    commands = {
        path.name for path in (ROOT / "benchmarks").glob("*.py") if "print(f" in path.read_text(encoding="utf-8")
    }

    assert set(re.findall(r"`python benchmarks/(\w+\.py)", page)) == commands


def test_what_the_unused_plugin_imports_is_summed_from_what_the_interpreter_prints() -> None:
    output = "\n".join(
        [
            "import time: self [us] | cumulative | imported package",
            "import time:       100 |        900 | pytest",
            "import time:        30 |         30 |     json",
            "import time:        20 |         50 |   pytest_workflows.errors",
            "import time:         5 |          5 |     durable_engine.text",
            "import time:        10 |         65 | pytest_workflows.session",
            "import time:        70 |         70 | _pytest.python",
        ]
    )
    code = f"from rows_of_start import imports; print(imports({output!r}))"

    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT / "benchmarks", capture_output=True, text=True, check=True
    )

    assert done.stdout.strip() == "{'pytest': 900.0, 'ours': 35.0, 'with others': 65.0, 'modules': 3.0}".replace(
        "900.0", "900"
    )
