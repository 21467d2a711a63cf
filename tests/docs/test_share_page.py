"""docs/how-to/share-a-run-among-machines.md: its CI matrix, each job as a process in a checkout of its own."""

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

from tests.docs.test_docs import EXAMPLE, ROOT, blocks_of

PAGE = ROOT / "docs" / "how-to" / "share-a-run-among-machines.md"
BLOCKS = {block.title: block.code for block in blocks_of(PAGE) if block.title}
MATRIX = BLOCKS[".github/workflows/tests.yml"]
# pip's scripts of this environment, under the names that the page has.
MODULES = {"pytest": "pytest", "pytest-workflows": "pytest_workflows.cli"}


def run_line(program: str) -> str:
    """The one line of the matrix that runs a program, whether it is folded or not."""
    lines = [" ".join(line.removeprefix(">-").split()) for line in re.findall(r"- run: (.*(?:\n {10}.*)*)", MATRIX)]
    (found,) = [line for line in lines if line.split()[0] == program]
    return found


def start(line: str, folder: Path) -> "subprocess.Popen[str]":
    program, *words = shlex.split(line)
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST", "COV"))}
    return subprocess.Popen(
        [sys.executable, "-m", MODULES[program], *words],
        cwd=folder,
        env={**environment, "COLUMNS": "80", "NO_COLOR": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def without_times(text: str) -> str:
    return re.sub(r"in [0-9.]+ s|file://\S+", "", text)


# Four processes are what the page is about: the three jobs run side by side, and take seven seconds of CPU.
def test_the_matrix_makes_one_page_of_three_jobs(tmp_path: Path) -> None:
    line, merge = run_line("pytest"), run_line("pytest-workflows")
    (groups,) = re.findall(r"group: \[(.*)\]", MATRIX)
    jobs = {}
    for group in groups.split(", "):
        shutil.copytree(EXAMPLE, tmp_path / group, ignore=shutil.ignore_patterns(".workflows", "__pycache__"))
        jobs[group] = start(line.replace("${{ matrix.group }}", group), tmp_path / group)
    for group, job in jobs.items():
        said, _ = job.communicate()
        assert job.returncode == 0, said
        kept = tmp_path / "merging" / "parts" / f"part-{group}"  # as actions/download-artifact leaves it
        kept.mkdir(parents=True)
        shutil.move(tmp_path / group / f"part-{group}.json", kept)

    merging = start(merge, tmp_path / "merging")

    said, _ = merging.communicate()
    assert merging.returncode == 0, said
    assert without_times(said) == without_times(BLOCKS["merge"])
    assert (tmp_path / "merging/merged/report.html").exists()
