"""Steps a second of the engine on disk beside those of the engine in memory, by turns, in one run.

A thousand instances of ten steps at a time. On disk each result is in the file before `run` sees it, and the disk's
own sync is left to the system (`PRAGMA synchronous=OFF`), so that what is measured is ours; `--sync` measures as it is
used. In memory time is virtual, as in a test, or real, as on disk.

python benchmarks/disk.py [--rounds 5] [--sync]        in the environment of this Python, which has the project
"""

import argparse
import asyncio
import gc
import statistics
import tempfile
import time
from pathlib import Path

from durable_engine import Engine, RealClock
from durable_engine.storage.disk import DiskStore

INSTANCES = 1000
STEPS = 10


async def ten_steps(event, step):
    for _ in range(STEPS):
        await step.do("s")(lambda: {"charged": 42})()


async def seconds(folder=None, *, sync=False, is_live=True):
    """Wall and processor seconds from the first create to the last end, on disk where a folder is given."""
    store = None if folder is None else await DiskStore.open(Path(folder) / "workflows.sqlite")
    if store is not None and not sync:
        await store._database._connection.execute_fetchall("PRAGMA synchronous=OFF")
    async with Engine(clock=RealClock() if is_live else None, store=store, timeout=60) as engine:
        binding = engine.bind("W", ten_steps)
        engine.recover()
        gc.collect()
        wall, processor = time.perf_counter(), time.process_time()
        for _ in range(INSTANCES // 100):
            await binding.create_batch([{} for _ in range(100)])
        await engine.run_until_idle()
        await engine.store.stored()
        taken = time.perf_counter() - wall, time.process_time() - processor
        assert all(instance.finished for instance in engine.instances)
        if store is not None:
            await store.aclose()
    return taken


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--sync", action="store_true", help="let SQLite sync as it does in use (NORMAL)")
    asked = parser.parse_args()
    runs = {"in memory, virtual time": [], "in memory, real time": [], "on disk": []}
    for _ in range(asked.rounds):
        runs["in memory, virtual time"].append(asyncio.run(seconds(is_live=False)))
        runs["in memory, real time"].append(asyncio.run(seconds()))
        with tempfile.TemporaryDirectory() as folder:
            runs["on disk"].append(asyncio.run(seconds(folder, sync=asked.sync)))
    print(f"{'':26}{'steps/s':>10}{'in processor time':>20}")
    speeds = {}
    for name, measured in runs.items():
        speeds[name] = [INSTANCES * STEPS / statistics.median(column) for column in zip(*measured, strict=True)]
        print(f"{name:26}{speeds[name][0]:>10,.0f}{speeds[name][1]:>20,.0f}")
    best = [max(speeds[name][column] for name in speeds if name != "on disk") for column in (0, 1)]
    ratios = [disk / memory for disk, memory in zip(speeds["on disk"], best, strict=True)]
    print(f"{'disk / the faster memory':26}{ratios[0]:>10.2f}{ratios[1]:>20.2f}")


if __name__ == "__main__":
    main()
