"""What a test costs in instructions of the processor, which a busy machine does not change.

python benchmarks/instructions.py                     the tests of the rows `workflow` and `env`, beside an empty one
python benchmarks/instructions.py --installed PYTHON  in the environment of that Python: before and after a change

It needs valgrind. Its figures are no figures of time: code that is run once a test waits for memory more than code that
is run a hundred times, and a workflow test has much of it.
"""

from __future__ import annotations

import argparse
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from measuring import ENVIRONMENT, INI, Installed, build, install
from sources import EMPTY, ENV, WORKFLOW

FEW, MANY = 50, 150
SOURCES = {"empty": EMPTY, "env": ENV, "workflow": WORKFLOW}
_COUNTED = re.compile(r"I\s+refs:\s+([\d,]+)")


def instructions(command: Sequence[str | pathlib.Path], folder: pathlib.Path) -> int:
    """Count those of a command in a folder. What fails ends the benchmark."""
    counting = ["valgrind", "--tool=cachegrind", "--cache-sim=no", f"--cachegrind-out-file={os.devnull}"]
    done = subprocess.run(
        [*counting, *map(str, command)],
        cwd=folder,
        env=ENVIRONMENT | {"PYTHONHASHSEED": "0"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    counted = _COUNTED.search(done.stdout)
    if done.returncode or counted is None:
        sys.exit(f"{' '.join(map(str, command))} failed in {folder}:\n{done.stdout}")
    return int(counted[1].replace(",", ""))


def further_test(installed: Installed, folder: pathlib.Path, name: str) -> float:
    """The instructions of a further test of a source."""
    (folder / "pytest.ini").write_text(INI)
    counts = []
    for number in (FEW, MANY):
        file = f"test_{name}_{number}.py"
        (folder / file).write_text(SOURCES[name].format(n=number))
        installed.pytest(folder, file)  # what it compiles is not counted
        counts.append(instructions(installed.command(file), folder))
    return (counts[1] - counts[0]) / (MANY - FEW)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--python", default=sys.executable, help="the Python of the fresh environment")
    parser.add_argument("--installed", help="measure in this environment, given by its Python; build nothing")
    asked = parser.parse_args()
    if shutil.which("valgrind") is None:
        sys.exit("valgrind is not installed.")
    with tempfile.TemporaryDirectory() as name, ThreadPoolExecutor(2) as pool:
        work = pathlib.Path(name)
        if asked.installed:
            installed = Installed(pathlib.Path(asked.installed).absolute())
        else:
            installed = install(work / "with", asked.python, build(work, asked.python), "pytest-asyncio")
        folders = [work / name for name in SOURCES]
        for folder in folders:
            folder.mkdir()
        counted = pool.map(lambda folder: further_test(installed, folder, folder.name), folders)
        figures = dict(zip(SOURCES, counted, strict=True))
        print(f"Python {installed.version}; instructions of a further test")
        for name, figure in figures.items():
            print(f"{name:10}{figure / 1e6:8.2f} million   {figure / figures['empty']:5.2f}")


if __name__ == "__main__":
    main()
