"""Rows that hold the same tests under `@cloudflare/vitest-plugin` and here, both in one run.

The JavaScript twins run in the platform's local runtime, with the Node of the npm package `node`. That needs npm, and
the package registry once a run; `vitest-plugin/package.json` has the versions. Without npm, or where the
registry cannot be reached, the rows are left out and say so.
"""

from __future__ import annotations

import functools
import json
import os
import pathlib
import shutil
import subprocess
import tempfile
from collections.abc import Callable

from measuring import HERE, Figures, Installed, LeftOut, Row, Used, use

TWINS = HERE / "vitest-plugin"
VERSIONS: dict[str, str] = json.loads((TWINS / "package.json").read_text())["devDependencies"]
TESTS = 100


@functools.cache
def _packages() -> tempfile.TemporaryDirectory[str]:
    """A folder with the twins and their packages, installed once a run."""
    if shutil.which("npm") is None:
        raise LeftOut("npm is not here")
    folder = tempfile.TemporaryDirectory()
    shutil.copytree(
        TWINS, folder.name, ignore=shutil.ignore_patterns("__pycache__", "node_modules"), dirs_exist_ok=True
    )
    installing = ["npm", "install", "--no-audit", "--no-fund", "--silent"]
    done = subprocess.run(installing, cwd=folder.name, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode:
        folder.cleanup()
        raise LeftOut(f"npm cannot install {', '.join(VERSIONS)}: {done.stdout.strip()}")
    return folder


def _twins(name: str) -> Callable[[Installed, pathlib.Path], Figures]:
    def measure(installed: Installed, folder: pathlib.Path) -> Figures:
        packages = pathlib.Path(_packages().name)
        twin, python = packages / name, packages / name / "python"
        source = twin / "test" / "calls.test.js"
        text = source.read_text()
        path = f"{packages / 'node_modules' / 'node' / 'bin'}{os.pathsep}{os.environ['PATH']}"
        node = ["node", str(packages / "node_modules" / "vitest" / "vitest.mjs"), "run"]

        def theirs(tests: int) -> Used:
            source.write_text(text.replace(f"length: {TESTS}", f"length: {tests}"))
            try:
                return use(node, twin, PATH=path)
            finally:
                source.write_text(text)

        def ours(tests: int) -> Used:
            chosen = () if tests == TESTS else ("-k", "[0]")
            return installed.pytest(python, "-o", "asyncio_mode=auto", "--rootdir=.", *chosen)

        figures = {}
        for whose, run in (("theirs", theirs), ("ours", ours)):
            one, many = run(1), run(TESTS)
            for what in ("cpu", "wall"):
                figures[f"{whose} {what}"] = getattr(one, what)
                figures[f"{whose} further {what}"] = (getattr(many, what) - getattr(one, what)) / (TESTS - 1)
        return figures

    return measure


def _whole(of: Figures) -> str:
    return f"{of['theirs cpu']:.2f} s / {of['ours cpu']:.2f} s; by the clock {of['theirs wall'] / of['ours wall']:.1f}"


def _further(of: Figures) -> str:
    by_clock = of["theirs further wall"] / of["ours further wall"]
    return (
        f"{of['theirs further cpu'] * 1e3:.1f} ms / {of['ours further cpu'] * 1e3:.1f} ms; by the clock {by_clock:.1f}"
    )


_BESIDE = f"beside vitest-plugin {VERSIONS['@cloudflare/vitest-plugin']}, times as fast"
_WORKFLOW, _REQUEST = _twins("workflow"), _twins("request")
ROWS = [
    Row(
        "peer",
        f"the three-step test {_BESIDE}: the whole process of one test",
        "4.2",
        "6",
        _WORKFLOW,
        lambda of: of["theirs cpu"] / of["ours cpu"],
        _whole,
    ),
    Row(
        "peer-test",
        f"the three-step test {_BESIDE}: each further test of 100",
        "5.2",
        "10",
        _WORKFLOW,
        lambda of: of["theirs further cpu"] / of["ours further cpu"],
        _further,
    ),
    Row(
        "request",
        f"a request with D1 and KV {_BESIDE}: the whole process of one test",
        "",
        "",
        _REQUEST,
        lambda of: of["theirs cpu"] / of["ours cpu"],
        _whole,
    ),
    Row(
        "request-test",
        f"a request with D1 and KV {_BESIDE}: each further test of 100",
        "",
        "",
        _REQUEST,
        lambda of: of["theirs further cpu"] / of["ours further cpu"],
        _further,
    ),
]
