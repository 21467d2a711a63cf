"""What the engine costs by itself, without pytest: steps, instances, sleeps and a replay.

python benchmarks/engine.py                in the environment of this Python, which has the project
"""

import asyncio
import statistics
import sys
import time

from durable_engine import Engine

REPEAT = 5


async def engine_seconds(workflow, *, batches=1, batch=1):
    """Seconds until all instances of a workflow are done."""
    async with Engine(now="2026-01-01T00:00:00Z", timeout=60) as engine:
        binding = engine.bind("W", workflow)
        began = time.thread_time()
        for _ in range(batches):
            await binding.create_batch([{} for _ in range(batch)])
        await engine.run_until_idle()
        return time.thread_time() - began


async def replay_seconds(workflow):
    """Seconds that an instance takes to get back to where it was after a crash."""
    async with Engine(now="2026-01-01T00:00:00Z", timeout=60) as engine:
        binding = engine.bind("W", workflow)
        handle = await binding.create({"id": "x"})
        await engine.advance(0)
        began = time.thread_time()
        engine.crash(binding.workflow, handle.id)
        await engine.advance(0)
        return time.thread_time() - began


async def thousand_steps(event, step):
    for _ in range(1000):
        await step.do("s")(lambda: 1)()


async def thousand_steps_and_a_wait(event, step):
    await thousand_steps(event, step)
    await step.wait_for_event("w", "t")


async def one_step(event, step):
    await step.do("s")(lambda: 1)()


async def a_year(event, step):
    for _ in range(1000):
        await step.sleep("day", "365 days")


def measured(make, *, per=1):
    return statistics.median(asyncio.run(make()) for _ in range(REPEAT)) / per


def main():
    rows = [
        ("a step, of 1,000 in a row", measured(lambda: engine_seconds(thousand_steps), per=1000)),
        (
            "an instance, of 1,000 in one test",
            measured(lambda: engine_seconds(one_step, batches=10, batch=100), per=1000),
        ),
        ("a sleep of 365 days", measured(lambda: engine_seconds(a_year), per=1000)),
        (
            "replay of a 1,000-step instance, a step",
            measured(lambda: replay_seconds(thousand_steps_and_a_wait), per=1000),
        ),
    ]
    print(f"Python {sys.version.split()[0]}; medians of {REPEAT}; processor time")
    for name, seconds in rows:
        print(f"{name:42}{seconds * 1e6:>9.0f} us")


if __name__ == "__main__":
    main()
