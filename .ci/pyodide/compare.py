#!/usr/bin/env python3
"""Write what Pyodide's Python does in another way than CPython's into the package, or say whether that has changed.

    python .ci/pyodide/compare.py            writes pytest_workflows/interpreter/differences.json
    python .ci/pyodide/compare.py --check    runs the probes again, and exits with 1 where the file says something else
    python .ci/pyodide/compare.py --check --newest     the same with the newest release of npm beside those of the file

It installs the package `pyodide` from npm, at the versions that compatibility dates mean, into a folder of its own, and
runs `probes.py` on each of them under Node and on the CPython of the same minor version. Where pyenv has none of that
version, name one: `--python 3.12=/path/to/python`. It needs Node 20 or newer and takes two to five minutes.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
TABLE = HERE.parents[1] / "pytest_workflows" / "interpreter" / "differences.json"
VERSIONS = {"3.12": "0.26.4", "3.13": "0.28.3", "3.14": "314.0.7"}
"""The release of Pyodide for each Python that a compatibility date can mean."""
UNVENDORED = {"ssl", "sqlite3", "lzma", "_hashlib", "test", "_pydecimal", "pydoc_data"}
"""Modules that Pyodide's older releases have in packages of their own, which npm's package is without."""
OF_SSL = re.compile("https|ssl|tls", re.IGNORECASE)
"""Names that other modules have where `ssl` is."""
Outcomes = dict[tuple[str, str], list[Any]]


def run_probes(command: list[str], folder: Path) -> Outcomes:
    """Run the probes to their end, going on behind each that ends the interpreter."""
    found: Outcomes = {}
    first, has_ended = 0, False
    while not has_ended:
        number = -1
        for entry in _entries([*command, str(first)], folder):
            if entry == ["end"]:
                has_ended = True
                break
            if not entry:
                number -= 1  # that probe is run once more
                break
            number, kind, what, outcome = entry
            found[kind, what] = ["ends"] if outcome == "begins" else outcome
        if number < first and not has_ended:
            raise SystemExit(f"{' '.join(command)} printed no outcome")
        first = number + 1
    return found


def _entries(command: list[str], folder: Path) -> Iterator[list[Any]]:
    """What a run prints, until it ends, has ended, or is at one probe for a minute."""
    process = subprocess.Popen(
        command,
        cwd=folder,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        start_new_session=True,  # what it starts is ended with it
    )
    assert process.stdout is not None
    timer = threading.Timer(60, os.killpg, (process.pid, signal.SIGKILL))
    try:
        timer.start()
        for line in process.stdout:
            _, mark, text = line.decode(errors="replace").rpartition("\x02")
            if mark and not text.endswith("\n"):
                yield []  # it was ended in the middle of a line
                break
            if mark:
                timer.cancel()
                timer = threading.Timer(60, os.killpg, (process.pid, signal.SIGKILL))
                timer.start()
                yield json.loads(text)
    finally:
        timer.cancel()
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def install(version: str, folder: Path) -> Path:
    """Install a release of Pyodide, and give its folder."""
    place = folder / version
    package = place / "node_modules" / "pyodide"
    if not package.is_dir():
        place.mkdir(parents=True, exist_ok=True)
        (place / "package.json").write_text('{"private": true}')
        subprocess.run(
            ["npm", "install", "--silent", "--no-audit", "--no-fund", f"pyodide@{version}"], cwd=place, check=True
        )
    return package


def python_of(minor: str, named: dict[str, str]) -> str:
    """The CPython of a minor version."""
    if minor in named:
        return named[minor]
    versions = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    found = sorted(versions.glob(f"{minor}.*/bin/python"), key=lambda one: [int(n) for n in one.parts[-3].split(".")])
    if not found:
        raise SystemExit(f"There is no Python {minor} here. Name one: --python {minor}=/path/to/python")
    return str(found[-1])


def differences(there: Outcomes, here: Outcomes) -> dict[str, Any]:
    """What is another thing on Pyodide, by the kind of the probe."""
    modules: dict[str, str] = {}
    names: dict[str, list[str]] = {}
    calls: dict[str, Any] = {}
    older = there["import", "ssl"][0] == "raises"  # then OpenSSL is in a package of its own, and `hashlib` has less
    for (kind, what), outcome in there.items():
        other = here.get((kind, what), ["ends"])
        if kind == "import":
            if outcome[0] == "raises" and not (older and what.partition(".")[0] in UNVENDORED):
                modules[what] = outcome[3]
        elif kind == "names":
            if outcome[0] == other[0] == "ok" and (what != "hashlib" or not older):
                missing = absent(set(outcome[1]), set(other[1]))
                missing = [one for one in missing if not (older and OF_SSL.search(one))]
                if missing:
                    names[what] = missing
        elif (
            is_less(outcome, other)
            and not (older and what.startswith("hashlib."))
            and not is_known(what, outcome, modules, names)
            and not (older and is_loaded(what, outcome))
        ):
            calls[what] = outcome[:3] if outcome[0] != "ok" else [*outcome, *other[1:]]
    return {"modules": modules, "names": names, "calls": calls}


def is_less(there: list[Any], here: list[Any]) -> bool:
    """Whether a call does less on Pyodide, or gives something else."""
    if there[0] == "ok":
        return here[0] == "ok" and there != here
    return here[0] != "raises" and there != here


def is_known(what: str, outcome: list[Any], modules: dict[str, str], names: dict[str, list[str]]) -> bool:
    """Whether a call says no more than that its name, or its module, is not there."""
    module, _, name = what.rpartition(".")
    return name in names.get(module, ()) or any(what == one or what.startswith(f"{one}.") for one in modules)


def is_loaded(what: str, outcome: list[Any]) -> bool:
    """Whether a call fails for want of a module that the platform has loaded."""
    return outcome[0] == "raises" and any(re.search(rf"\b{one}\b", outcome[3]) for one in UNVENDORED)


def absent(there: set[str], here: set[str]) -> list[str]:
    """The names that only CPython has; of a class that is absent, not its parts."""
    missing = here - there
    return sorted(name for name in missing if name.partition(".")[0] == name or name.partition(".")[0] not in missing)


def main() -> None:
    """Run the probes, and write or compare."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--check", action="store_true")
    options.add_argument("--newest", action="store_true")
    options.add_argument("--python", action="append", default=[], metavar="3.N=PATH")
    options.add_argument("--folder", type=Path, help="keep what npm installs here")
    options.add_argument("--raw", type=Path, help="write all outcomes into this file")
    given = options.parse_args()
    named = dict(one.split("=", 1) for one in given.python)
    versions = dict(VERSIONS)
    if given.newest:
        newest = newest_release()
        versions[f"{minor_of(newest)} of {newest}"] = newest
    with tempfile.TemporaryDirectory() as temporary:
        folder = given.folder or Path(temporary)
        table, raw = {}, {}
        for name, version in versions.items():
            minor = name.partition(" ")[0]
            print(f"Pyodide {version} and CPython {minor}", file=sys.stderr, flush=True)
            package = install(version, folder)
            there = run_probes(["node", str(HERE / "run.mjs"), str(package)], Path(temporary))
            here = run_probes([python_of(minor, named), str(HERE / "probes.py")], Path(temporary))
            table[name] = {"pyodide": version, **differences(there, here)}
            raw[name] = {f"{kind} {what}": [one, here.get((kind, what))] for (kind, what), one in there.items()}
    if given.raw:
        given.raw.write_text(json.dumps(raw, indent=1))
    if not given.check:
        TABLE.write_text(json.dumps(table, indent=1, sort_keys=True) + "\n")
        return
    known = json.loads(TABLE.read_text())
    changes = [line for name in table for line in changed(name, known[name.partition(" ")[0]], table[name])]
    print("\n".join(changes) or "The table is what Pyodide does.")
    sys.exit(1 if changes else 0)


def newest_release() -> str:
    """The newest release of Pyodide on npm."""
    found = subprocess.run(["npm", "view", "pyodide", "version"], capture_output=True, text=True, check=True)
    return found.stdout.strip()


def minor_of(release: str) -> str:
    """The Python of a release: `3.14` of 314.0.7; the newest one that is known of a release that does not say it."""
    first = release.partition(".")[0]
    return f"3.{first[1:]}" if len(first) == 3 and first[0] == "3" else max(VERSIONS, key=lambda one: int(one[2:]))


def changed(name: str, known: dict[str, Any], found: dict[str, Any]) -> Iterator[str]:
    """What one table has and the other has not, a line for each.

    Args:
        name: The Python.
        known: The table of the package.
        found: That of a release.
    """
    for part in ("modules", "names", "calls"):
        for what in sorted({*known[part], *found[part]}):
            before, now = known[part].get(what), found[part].get(what)
            if before != now:
                usual = "as on CPython"
                yield f"Python {name}, {part}: {what}: it was {before or usual}, and is {now or usual}"


if __name__ == "__main__":
    main()
