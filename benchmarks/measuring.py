"""What the benchmarks share: environments with the built wheel, and what a process used."""

from __future__ import annotations

import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

HERE = pathlib.Path(__file__).parent
ROOT = HERE.parent
Figures = Mapping[str, float]
INI = "[pytest]\nasyncio_mode = auto\nasyncio_default_fixture_loop_scope = function\n"
# Bytecode is cached wherever people run tests; without it each run would measure the compiler. What the shell says to
# pytest or to Python's import would be measured too.
LEFT_OUT = ("PYTHONDONTWRITEBYTECODE", "PYTHONPATH", "PYTEST_", "COV_", "COVERAGE_")
ENVIRONMENT = {key: value for key, value in os.environ.items() if not key.startswith(LEFT_OUT)}


class LeftOut(Exception):
    """A row cannot be measured here, and why."""


@dataclass(frozen=True)
class Used:
    """What a process and its children used.

    Attributes:
        cpu: Seconds of a processor.
        wall: Seconds of the clock.
        peak: Bytes of memory at the most, of the largest of the processes.
        output: What it printed.
    """

    cpu: float
    wall: float
    peak: int
    output: str = ""


# A process of its own, since what a parent knows of its children's memory is the largest child that it ever had.
# Nor would it know of a grandchild that outlives its parent, unless the kernel gives it to this process.
_RUN = """
import ctypes, json, os, resource, subprocess, sys, time
if sys.platform == "linux":
    ctypes.CDLL(None).prctl(36, 1, 0, 0, 0)  # PR_SET_CHILD_SUBREAPER
began = time.perf_counter()
done = subprocess.run(sys.argv[2:], stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
wall = time.perf_counter() - began
while True:
    try:
        os.wait()
    except ChildProcessError:
        break
used = resource.getrusage(resource.RUSAGE_CHILDREN)
with open(sys.argv[1], "w") as file:
    file.write(json.dumps([done.returncode, used.ru_utime + used.ru_stime, wall, used.ru_maxrss * 1024]))
sys.stdout.buffer.write(done.stdout)
"""


def use(command: Sequence[str | pathlib.Path], folder: pathlib.Path, **environment: str) -> Used:
    """Run a command in a folder, and measure it. What fails ends the benchmark."""
    with tempfile.NamedTemporaryFile("r", suffix=".json") as file:
        watched = [sys.executable, "-c", _RUN, file.name, *map(str, command)]
        done = subprocess.run(watched, cwd=folder, env=ENVIRONMENT | environment, stdout=subprocess.PIPE, check=True)
        code, cpu, wall, peak = json.load(file)
    output = done.stdout.decode(errors="replace")
    if code:
        sys.exit(f"{' '.join(map(str, command))} failed in {folder}:\n{output}")
    return Used(cpu, wall, peak, output)


@dataclass(frozen=True)
class Installed:
    """An environment in which pytest-workflows is installed.

    Attributes:
        python: Its interpreter.
        title: What it is called in the table.
    """

    python: pathlib.Path
    title: str = "measured"
    site: pathlib.Path = field(init=False)

    def __post_init__(self) -> None:
        code = "import sysconfig; print(sysconfig.get_path('purelib'))"
        found = subprocess.run([self.python, "-c", code], stdout=subprocess.PIPE, text=True, check=True).stdout
        object.__setattr__(self, "site", pathlib.Path(found.strip()))

    @property
    def version(self) -> str:
        """The version of its Python."""
        code = "import sys; print(sys.version.split()[0])"
        return subprocess.run([self.python, "-c", code], stdout=subprocess.PIPE, text=True, check=True).stdout.strip()

    def command(self, *arguments: str, options: Sequence[str] = ()) -> list[str | pathlib.Path]:
        """How pytest is run, with options of the interpreter before it."""
        return [self.python, *options, "-m", "pytest", "-q", "-p", "no:cacheprovider", *arguments]

    def pytest(self, folder: pathlib.Path, *arguments: str, options: Sequence[str] = (), **environment: str) -> Used:
        """Run pytest in a folder, with options of the interpreter before it."""
        return use(self.command(*arguments, options=options), folder, **environment)

    def has(self, *distributions: str) -> bool:
        """Whether other distributions are installed there."""
        return all(list(self.site.glob(f"{name.replace('-', '_')}-*.dist-info")) for name in distributions)

    def rewritten(self, *packages: str) -> list[pathlib.Path]:
        """What pytest's import hook left beside the modules of packages; of all that are installed, without any."""
        return [path for package in packages or ("",) for path in (self.site / package).rglob("*-pytest-*.pyc")]


def environment(folder: pathlib.Path, base: str, *arguments: str | pathlib.Path) -> pathlib.Path:
    """Make an environment with a Python and call its pip once, which compiles what it installs. Returns its Python."""
    subprocess.run([base, "-m", "venv", folder], check=True)
    python = folder / "bin" / "python"
    quiet = ["-qq", "--disable-pip-version-check"]
    subprocess.run([python, "-m", "pip", *arguments, *quiet], env=ENVIRONMENT, check=True)
    return python


def build(work: pathlib.Path, base: str) -> pathlib.Path:
    """Build the wheel."""
    environment(work / "build", base, "wheel", "--no-deps", "-w", work / "wheel", ROOT)
    return next((work / "wheel").glob("*.whl"))


def install(folder: pathlib.Path, base: str, wheel: pathlib.Path, *others: str) -> Installed:
    """Make an environment with a wheel and other distributions."""
    return Installed(environment(folder, base, "install", wheel, *others))


@dataclass(frozen=True)
class Row:
    """One row of the table.

    Attributes:
        name: What `--only` calls it.
        title: What it measures.
        at_start: The figure before anything was done about it.
        target: The figure that is aimed at, as text.
        measure: One round: measures in a folder of its own, and returns its figures by name.
        ratio: What the table shows of the medians of all rounds.
        show: The medians in words, with their units.
        needs: Distributions that it needs beside pytest-asyncio.
        rounds: How many rounds, where it is not the number that is asked for: what is the same each time needs few.
    """

    name: str
    title: str
    at_start: str
    target: str
    measure: Callable[[Installed, pathlib.Path], Figures]
    ratio: Callable[[Figures], float]
    show: Callable[[Figures], str]
    needs: tuple[str, ...] = ()
    rounds: int | None = None


def medians(rounds: Iterable[Figures]) -> dict[str, float]:
    """The median of each figure over all rounds."""
    kept = list(rounds)
    return {name: statistics.median(figures[name] for figures in kept) for name in kept[0]}


def many_and_one(
    installed: Installed, folder: pathlib.Path, sources: Mapping[str, str], tests: int
) -> dict[str, float]:
    """Seconds of a processor of each source, once with one test and once with many more, by turns.

    A source has `{n}` where the number of its tests stands. The figures are called `one NAME` and `further NAME`.
    """
    (folder / "pytest.ini").write_text(INI)
    figures = {}
    for name, source in sources.items():
        for n in (1, tests + 1):
            (folder / f"test_{name}_{n}.py").write_text(source.format(n=n))
        one = installed.pytest(folder, f"test_{name}_1.py").cpu
        many = installed.pytest(folder, f"test_{name}_{tests + 1}.py").cpu
        figures[f"one {name}"], figures[f"further {name}"] = one, (many - one) / tests
    return figures
