"""Rows of a cold start: what is rewritten, what is compiled, and what is imported without need."""

from __future__ import annotations

import pathlib
import re

from measuring import INI, Figures, Installed, Row
from sources import PLAIN, WORKFLOW

OURS = ("pytest_workflows", "durable_engine")


def _one_test(folder: pathlib.Path, source: str) -> str:
    (folder / "pytest.ini").write_text(INI)
    (folder / "test_one.py").write_text(source.format(n=1))
    return "test_one.py"


def fresh(installed: Installed, folder: pathlib.Path) -> Figures:
    test = _one_test(folder, WORKFLOW)
    installed.pytest(folder, test)
    warm = installed.pytest(folder, test).cpu
    for path in installed.rewritten(*OURS):
        path.unlink()
    return {"warm": warm, "cold": installed.pytest(folder, test).cpu}


def unwritten(installed: Installed, folder: pathlib.Path) -> Figures:
    test = _one_test(folder, WORKFLOW)
    installed.pytest(folder, test)
    warm = installed.pytest(folder, test).cpu
    # A container that was just built: nobody ran a test in it, so what plugins of others brought is rewritten as well.
    for path in [*installed.rewritten(), *folder.rglob("*.pyc")]:
        path.unlink()
    return {"warm": warm, "cold": installed.pytest(folder, test, PYTHONDONTWRITEBYTECODE="1").cpu}


_IMPORT = re.compile(r"^import time:\s+(\d+) \|\s+(\d+) \|( +)(\S+)$", re.MULTILINE)


def imports(output: str) -> dict[str, float]:
    """Microseconds of pytest, of our modules, and of these with what they were the first to import.

    The interpreter prints a module behind those that it imported, which are further to the right.
    """
    figures = {"pytest": 0.0, "ours": 0.0, "with others": 0.0, "modules": 0.0}
    of_ours: int | None = None  # how far to the right the module of ours stands that the lines before belong to
    for match in reversed(list(_IMPORT.finditer(output))):
        alone, together, indent, name = int(match[1]), int(match[2]), len(match[3]), match[4]
        if of_ours is not None and indent <= of_ours:
            of_ours = None
        if name == "pytest":
            figures["pytest"] = together
        if name.partition(".")[0] in OURS:
            figures["ours"] += alone
            figures["modules"] += 1
            if of_ours is None:
                figures["with others"] += together
                of_ours = indent
    return figures


def unused(installed: Installed, folder: pathlib.Path) -> Figures:
    test = _one_test(folder, PLAIN)
    installed.pytest(folder, test)
    return imports(installed.pytest(folder, test, options=("-X", "importtime")).output)


def _ms(seconds: float) -> str:
    return f"{seconds * 1000:.0f} ms"


def _warm_and_cold(figures: Figures) -> str:
    return f"{_ms(figures['cold'])} / {_ms(figures['warm'])}"


ROWS = [
    Row(
        "fresh",
        "one workflow test, our modules' *-pytest-*.pyc gone, against the same warm",
        "1.26 to 1.55",
        "1.10",
        fresh,
        lambda of: of["cold"] / of["warm"],
        _warm_and_cold,
    ),
    Row(
        "unwritten",
        "the same with PYTHONDONTWRITEBYTECODE=1, nothing rewritten before, against bytecode written",
        "2 to 3",
        "1.3",
        unwritten,
        lambda of: of["cold"] / of["warm"],
        _warm_and_cold,
    ),
    Row(
        "unused",
        "what the unused plugin imports, against `import pytest` (-X importtime, sum of ours)",
        "0.3",
        "0.03",
        unused,
        lambda of: of["ours"] / of["pytest"],
        lambda of: (
            f"{of['modules']:.0f} modules, {of['ours'] / 1000:.1f} ms, with what they are the first to import "
            f"{of['with others'] / 1000:.1f} ms / {of['pytest'] / 1000:.0f} ms"
        ),
    ),
]
