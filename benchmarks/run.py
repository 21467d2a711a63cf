"""What tests cost, as ratios within one run, beside what they cost before and what is aimed at.

python benchmarks/run.py                      all rows, on the wheel in a fresh environment
python benchmarks/run.py --only workflow env  these rows
python benchmarks/run.py --beside PYTHON      the same rows in another environment as well, by turns
"""

from __future__ import annotations

import argparse
import pathlib
import sys
import tempfile
from collections.abc import Callable, Sequence

import peers
import rows_of_exploration
import rows_of_size
import rows_of_start
import rows_of_tests
from measuring import Figures, Installed, LeftOut, Row, build, install, medians

ROWS: list[Row] = [
    *rows_of_start.ROWS,
    *rows_of_tests.ROWS,
    *rows_of_exploration.ROWS,
    *rows_of_size.ROWS,
    *peers.ROWS,
]
ROUNDS = 5


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    names = [row.name for row in ROWS]
    parser.add_argument("--only", nargs="+", choices=names, default=names, metavar="ROW", help=", ".join(names))
    parser.add_argument("--rounds", type=int, default=ROUNDS, help=f"measured rounds of each row (default: {ROUNDS})")
    parser.add_argument("--python", default=sys.executable, help="the Python of the fresh environment")
    parser.add_argument("--installed", help="measure in this environment, given by its Python; build nothing")
    parser.add_argument("--beside", help="measure in this environment too, given by its Python, by turns")
    return parser.parse_args()


def environments(asked: argparse.Namespace, chosen: Sequence[Row], work: pathlib.Path) -> list[tuple[Row, Installed]]:
    """Where each row is measured: what some rows need beside the wheel would slow the others down."""
    if asked.installed:
        installed = Installed(pathlib.Path(asked.installed).absolute())
        return [(row, installed) for row in chosen]
    wheel = build(work, asked.python)
    made: dict[tuple[str, ...], Installed] = {}
    for row in chosen:
        if row.needs not in made:
            folder = work / "-".join(("with", *row.needs))
            made[row.needs] = install(folder, asked.python, wheel, "pytest-asyncio", *row.needs)
    return [(row, made[row.needs]) for row in chosen]


def measure(row: Row, installed: Sequence[Installed], rounds: int, work: pathlib.Path) -> list[Figures]:
    """The medians of a row's figures in each environment. These take turns, so that a busy machine is busy for both."""
    for one in installed:
        if not one.has(*row.needs):
            raise LeftOut(f"{', '.join(row.needs)} not installed in {one.title}")
    counted = min(rounds, row.rounds or rounds)
    warming = row.rounds is None  # the first round compiles, and is not counted
    results: list[list[Figures]] = [[] for _ in installed]
    for number in range(warming + counted):
        for one, figures in zip(installed, results, strict=True):
            with tempfile.TemporaryDirectory(dir=work) as folder:
                measured = row.measure(one, pathlib.Path(folder))
            if number >= warming:
                figures.append(measured)
    return [medians(figures) for figures in results]


def line(name: str, title: str, *columns: str) -> str:
    """One line of the table."""
    measured, at_start, target = columns
    return f"{name:13}{title:90}{measured:>9}   {at_start:13} {target}"


def main() -> None:
    asked = arguments()
    with tempfile.TemporaryDirectory() as name:
        work = pathlib.Path(name)
        placed = environments(asked, [row for row in ROWS if row.name in asked.only], work)
        beside = [Installed(pathlib.Path(asked.beside).absolute(), f"in {asked.beside}")] if asked.beside else []
        print(f"Python {placed[0][1].version}; processor time, medians of {asked.rounds} rounds")
        print(line("", "", "measured", "at the start", "aimed at"), flush=True)
        kept: dict[Callable[..., Figures], list[Figures]] = {}  # some rows are of one measurement
        for row, installed in placed:
            try:
                if row.measure not in kept:
                    kept[row.measure] = measure(row, [installed, *beside], asked.rounds, work)
            except LeftOut as why:
                print(f"{row.name:13}left out: {why}", flush=True)
                continue
            here, *there = kept[row.measure]
            print(line(row.name, row.title, f"{row.ratio(here):.2f}", row.at_start, row.target))
            print(f"{'':15}{row.show(here)}", flush=True)
            for figures in there:
                print(line("", beside[0].title, f"{row.ratio(figures):.2f}", "", ""))
                print(f"{'':15}{row.show(figures)}", flush=True)


if __name__ == "__main__":
    main()
