"""The same calls under @cloudflare/vitest-plugin and here: requests that make a query of D1, a put and a get of KV.

Needs npm, and the package registry once. The JavaScript twin runs in the platform's local runtime, with the Node of the
npm package `node`. Printed are seconds, and ratios of that run to ours: of the whole command with one test, and of each
further test.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).parent / "vitest-plugin"
ROUNDS = 3


def main() -> None:
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made) / "twin"
        shutil.copytree(HERE, folder, ignore=shutil.ignore_patterns("__pycache__", "node_modules"))
        subprocess.run(["npm", "install", "--no-audit", "--no-fund", "--silent"], cwd=folder, check=True)
        one_test = folder / "test" / "calls.test.js"
        hundred = one_test.read_text()
        environment = {**os.environ, "PATH": f"{folder / 'node_modules/node/bin'}{os.pathsep}{os.environ['PATH']}"}
        environment.pop("PYTHONDONTWRITEBYTECODE", None)

        def twin(tests: int) -> float:
            one_test.write_text(hundred.replace("length: 100", f"length: {tests}"))
            return _seconds(["node", "node_modules/vitest/vitest.mjs", "run"], folder, environment)

        def ours(tests: int) -> float:
            chosen = [] if tests == 100 else ["test_calls.py::test_one_query_and_one_put[0]"]
            command = [sys.executable, "-m", "pytest", "-q", "-o", "asyncio_mode=auto", "--rootdir=.", *chosen]
            return _seconds(command, folder / "python", environment)

        times = {}
        for name, run in (("vitest-plugin", twin), ("here", ours)):
            run(100)  # compiled and cached once
            times[name] = [min(run(tests) for _ in range(ROUNDS)) for tests in (1, 100)]
    further = {name: (many - one) / 99 for name, (one, many) in times.items()}
    for name, (one, many) in times.items():
        print(
            f"{name:14} 1 test {one:6.2f} s, 100 tests {many:6.2f} s, each further test {further[name] * 1000:6.2f} ms"
        )
    twin_time, our_time = (times[name][0] for name in times)
    twin_test, our_test = further.values()
    print(f"ratio: cold start {twin_time / our_time:.1f}, a further test {twin_test / our_test:.1f}")


def _seconds(command: list[str], folder: Path, environment: dict[str, str]) -> float:
    before = time.perf_counter()
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"{' '.join(command)} failed:\n{done.stdout}\n{done.stderr}")
    return time.perf_counter() - before


if __name__ == "__main__":
    main()
