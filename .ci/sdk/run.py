"""Run the suites that the platform's Python SDK publishes, byte for byte, against the stand-ins.

    python .ci/sdk/run.py                     all suites, from the package index
    python .ci/sdk/run.py --sdist FILE        from a sdist that is here already
    python .ci/sdk/run.py sdk asgi            some of them

Nothing of them is committed. What the sdist lacks is supplied: a few lines of `testlib/`, the compatibility date, a
configuration where a suite's bindings stand elsewhere, and for some a file or two beside the tests (`beside/`).
"""

from __future__ import annotations

import argparse
import hashlib
import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections import Counter
from pathlib import Path

from suites import COMPATIBILITY_DATE, SUITES, Suite

HERE = Path(__file__).resolve().parent
SDK = "workers-runtime-sdk==1.9.5"
SHA256 = "605c87a36a38557bf4ccf657de22fe4ee85fb96b1b04c1aacaa476b461ef71bc"
LEAST = 0.95
PLUGINS = ("outcomes", "in_the_worker", "pytest_asyncio.plugin", "pytest_workflows.plugin", "no:cacheprovider")


def main() -> int:
    """Run what the command line asks for; 0 if enough passes and nothing fails that is not listed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("suites", nargs="*", help="names of suites; all by default")
    parser.add_argument("--sdist", type=Path, help="a sdist that is here already")
    parser.add_argument("--offline-ok", action="store_true", help="succeed where the sdist cannot be fetched")
    asked = parser.parse_args()
    chosen = [suite for suite in SUITES if not asked.suites or suite.name in asked.suites]
    with tempfile.TemporaryDirectory() as work:
        sdist = asked.sdist or fetch(Path(work))
        if sdist is None:
            return 0 if asked.offline_ok else 1
        tests = unpack(sdist, Path(work))
        results = [(suite, run(suite, tests, Path(work) / "suites")) for suite in chosen]
    return report(results)


def fetch(work: Path) -> Path | None:
    """The SDK's sdist from the package index; None, with a word on stderr, where it cannot be had."""
    command = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "--no-binary", ":all:", "-d", str(work), SDK]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    found = next(work.glob("workers_runtime_sdk-*.tar.gz"), None)
    if found is None:
        last = (done.stderr.strip().splitlines() or ["pip gave no reason"])[-1]
        print(
            f"The SDK's suites did not run: {SDK} could not be fetched ({last}). "
            "With the sdist at hand, give it: python .ci/sdk/run.py --sdist FILE",
            file=sys.stderr,
        )
    return found


def unpack(sdist: Path, work: Path) -> Path:
    """The sdist's folder `tests`. A sdist that is not the one that the suites were counted in is refused."""
    digest = hashlib.sha256(sdist.read_bytes()).hexdigest()
    if digest != SHA256:
        raise SystemExit(f"{sdist} is not the sdist of {SDK}: its SHA-256 is {digest}, not {SHA256}.")
    with tarfile.open(sdist) as archive:
        archive.extractall(work / "sdist", filter="data")
    return next((work / "sdist").iterdir()) / "tests"


def run(suite: Suite, tests: Path, work: Path) -> list[dict[str, str]] | str:
    """The outcomes of a suite's tests, or why it did not run."""
    missing = [name for name in suite.packages if importlib.util.find_spec(name) is None]
    if missing:
        return f"not installed: {', '.join(missing)}"
    folder = work / suite.name
    shutil.copytree(tests / suite.folder, folder)
    (folder / "pyproject.toml").unlink()  # no configuration of pytest's; its folder would be the root
    configure(suite, folder)
    if suite.is_worker:
        for file in (folder / "tests").glob("test_*.py"):
            file.rename(folder / _cases(file.name))
    for file in beside(suite):
        shutil.copy(file, folder / file.name)
    outcomes = work / f"{suite.name}.json"
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(filter(None, (str(HERE), os.environ.get("PYTHONPATH")))),
        "SDK_OUTCOMES": str(outcomes),
        "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    command = [sys.executable, "-m", "pytest", "-q", "--continue-on-collection-errors"]
    command += ["--rootdir", str(folder), "-c", os.devnull]
    command += ["-o", "python_files=test_*.py *_cases.py"]
    for plugin in PLUGINS:
        command += ["-p", plugin]
    ignored = [name for name in suite.uncounted if "::" not in name]
    command += [f"--ignore-glob=*/{name}" for name in ignored]
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, check=False, timeout=900
    )
    unchanged(suite, tests / suite.folder, folder)
    if not outcomes.exists():
        return f"pytest ended before its first test:\n{done.stdout}{done.stderr}"
    seen = [json.loads(line) for line in outcomes.read_text(encoding="utf-8").splitlines()]
    return [one for outcome in seen for one in each_test(outcome, folder)]


def each_test(outcome: dict[str, str], folder: Path) -> list[dict[str, str]]:
    """An outcome; of a file that could not be imported, one for each test in it."""
    if not outcome["test"].endswith(".py"):
        return [outcome]
    names = re.findall(r"^(?:async )?def (test_\w+)", (folder / outcome["test"]).read_text(), re.MULTILINE)
    return [{**outcome, "test": f"{outcome['test']}::{name}"} for name in names]


def beside(suite: Suite) -> list[Path]:
    """The files that a suite gets beside its own."""
    everyones = HERE / "beside"
    handler = [everyones / "test_default.py"] if suite.has_test_handler else []
    return handler + sorted((everyones / suite.name.replace("-", "_")).glob("*.py"))


def configure(suite: Suite, folder: Path) -> None:
    """Give the suite its configuration."""
    path = folder / "wrangler.jsonc"
    if suite.config is None:
        path.write_text(path.read_text().replace("%COMPAT_DATE", COMPATIBILITY_DATE))
        return
    ours = {
        "name": suite.name,
        "main": "worker.py",
        "compatibility_date": COMPATIBILITY_DATE,
        "compatibility_flags": ["python_workers", "service_binding_extra_handlers"],
        **suite.config,
    }
    path.write_text(json.dumps(ours, indent=2))


def unchanged(suite: Suite, published: Path, copied: Path) -> None:
    """Make sure that what ran is what was published."""
    for path in published.rglob("*.py"):
        moved = suite.is_worker and path.parent.name == "tests"
        copy = copied / (_cases(path.name) if moved else path.relative_to(published))
        assert copy.read_bytes() == path.read_bytes(), path


def _cases(name: str) -> str:
    """What a test file is called that is code of the Worker."""
    return f"{name.removeprefix('test_').removesuffix('.py')}_cases.py"


def report(results: list[tuple[Suite, list[dict[str, str]] | str]]) -> int:
    """Print the counts by suite and every exception with its reason."""
    total: Counter[str] = Counter()
    unlisted = 0
    for suite, outcomes in results:
        if isinstance(outcomes, str):
            print(f"{suite.name:28} did not run: {outcomes}")
            unlisted += 1
            continue
        ran = [one for one in outcomes if _reason(suite.uncounted, one["test"]) is None]
        counted = [one for one in ran if one["outcome"] != "skipped"]
        counts = Counter(one["outcome"] for one in counted)
        total += counts
        print(f"{suite.name:28} {counts['passed']:4} of {len(counted)} pass")
        for one in counted:
            if one["outcome"] != "passed":
                reason = _reason(suite.fails, one["test"])
                unlisted += reason is None
                print(f"    {one['outcome']:7} {one['test']}: {reason or one['text']}")
        for one in ran:
            if one["outcome"] == "skipped":
                print(f"    not counted: {one['test']}, which skips itself: {one['text']}")
        for name, reason in suite.uncounted.items():
            print(f"    not counted: {name}, which {reason}" if "::" in name else f"    not counted: {name}: {reason}")
    all_counted = total.total()
    share = total["passed"] / all_counted if all_counted else 0
    print(f"\n{total['passed']} of {all_counted} test cases of {SDK} pass ({share:.1%}; at least {LEAST:.0%} must).")
    return 0 if share >= LEAST and not unlisted else 1


def _reason(reasons: dict[str, str], test: str) -> str | None:
    """The reason of a test `folder/file.py::test[params]`, given for its file or for all of its parameters."""
    file, _, name = test.rpartition("/")[2].partition("::")
    return reasons.get(file) or reasons.get(f"{file}::{name.partition('[')[0]}")


if __name__ == "__main__":
    sys.exit(main())
