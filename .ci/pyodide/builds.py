"""Writes down which packages each Pyodide has a build of: pytest_workflows/deployment/builds.json.

    python .ci/pyodide/builds.py            write the file anew
    python .ci/pyodide/builds.py --check    say what a new release has otherwise, and exit with 1

Needs npm: the list is `pyodide-lock.json` of the package `pyodide`, at the version whose index pywrangler resolves a
Worker's dependencies with.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path
from typing import Any

OUTPUT = Path(__file__).resolve().parents[2] / "pytest_workflows" / "deployment" / "builds.json"
# workers-py 1.17.9, `get_pyodide_index`.
VERSIONS = {"3.14": "314.0.7", "3.13": "0.28.3", "3.12": "0.27.7"}
# Packages of which PyPI has a wheel for any platform beside those for this one, where pip takes the latter: what is
# installed does not show it. None of them has a build in every Pyodide.
PURE_AS_WELL = (
    *("black", "cbor2", "chardet", "cython", "debugpy", "falcon", "hypothesis", "mypy", "propcache", "pyrsistent"),
    "websockets",
)


def lock_of(version: str) -> dict[str, Any]:
    """`pyodide-lock.json` of a version of Pyodide."""
    with tempfile.TemporaryDirectory() as folder:
        command = ["npm", "pack", "--silent", "--pack-destination", folder, f"pyodide@{version}"]
        name = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()[-1]
        with tarfile.open(Path(folder, name)) as archive:
            member = archive.extractfile("package/pyodide-lock.json")
            assert member is not None
            lock: dict[str, Any] = json.load(member)
            return lock


def builds_of(version: str) -> dict[str, Any]:
    """A version's entry of the file."""
    lock = lock_of(version)
    info = lock["info"]
    packages = {
        re.sub(r"[-_.]+", "-", name).lower(): entry["version"]
        for name, entry in lock["packages"].items()
        if entry["package_type"] == "package" and not name.endswith("-tests")
    }
    return {
        "pyodide": version,
        "python": info["python"],
        "abi": info["abi_version"],
        "packages": dict(sorted(packages.items())),
    }


def is_pure_as_well(name: str) -> bool:
    """Whether PyPI has a wheel of a package for any platform."""
    wanted = ["--only-binary", ":all:", "--platform", "any", "--abi", "none", "--implementation", "py"]
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", *wanted, "-d", folder, name]
        return subprocess.run(command, check=False, capture_output=True).returncode == 0


def main(arguments: list[str]) -> int:
    """Write the file, or compare it with the newest release."""
    if arguments not in ([], ["--check"]):
        print(__doc__)
        return 2
    if not arguments:
        found = {python: builds_of(version) for python, version in VERSIONS.items()}
        pure = [name for name in PURE_AS_WELL if is_pure_as_well(name)]
        OUTPUT.write_text(json.dumps({"builds": found, "pure_as_well": pure}, indent=1) + "\n", encoding="utf-8")
        print(", ".join(f"{one['pyodide']}: {len(one['packages'])} packages" for one in found.values()))
        return 0
    kept = json.loads(OUTPUT.read_text(encoding="utf-8"))["builds"]
    changed = False
    for python, version in {**VERSIONS, "the newest": "latest"}.items():
        new = builds_of(version)
        old = kept.get(python) or next(iter(kept.values()))
        for name in sorted(old["packages"].keys() | new["packages"].keys()):
            before, after = old["packages"].get(name), new["packages"].get(name)
            if before != after:
                changed = True
                print(f"{python} ({old['pyodide']} -> {version}): {name} {before or 'none'} -> {after or 'none'}")
    print("something differs" if changed else "the same")
    return int(changed)


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
