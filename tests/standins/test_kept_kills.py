"""A process that is killed while it writes: what it was answered is there, and of its last write all or nothing.

These tests have processes of their own, as nothing within one shows what its end leaves in files.
"""

from __future__ import annotations

import asyncio
import os
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

from kept_folders import KeptFolder
from kept_writer import Writer

from pytest_workflows.standins.stores import Stores

KILLS = int(os.environ.get("KEPT_KILLS", "5"))


def killed_after(answered: int, folder: Path, first: int) -> int:
    """Let a process write, and kill it after so many answers; gives how many it had."""
    process = subprocess.Popen(
        [sys.executable, str(Path(__file__).with_name("kept_writer.py")), str(folder), str(first)],
        stdout=subprocess.PIPE,
        cwd=Path(__file__).parent,
    )
    assert process.stdout is not None
    got = len(process.stdout.read(answered))
    process.kill()
    got += len(process.stdout.read())
    process.stdout.close()
    process.wait()
    assert got >= answered, "the process ended by itself"
    return got


def contents(stores: Stores) -> dict[tuple[str, ...], Any]:
    """All contents, and when alarms are due."""
    (objects,) = (one.store for one in stores.listing() if one.kind == "durable_objects")
    return {**stores.contents(), ("(due)",): objects.peek("alarms").rows}


async def test_what_was_answered_is_there_and_of_the_last_write_all_or_nothing(folder: KeptFolder) -> None:
    chance = random.Random(14)
    expected = Writer(memory := Stores())
    number = 0
    for _ in range(KILLS):
        answered = await asyncio.to_thread(killed_after, chance.randrange(1, 300), folder.path, number)
        for done in range(number, number + answered):
            await expected.write(done)
        number += answered
        found = contents(folder.begin(lambda stores: Writer(stores) and stores))
        if found != contents(memory):
            await expected.write(number)  # the last one was written and not answered
            number += 1
        assert found == contents(memory)
        folder.close()
    memory.close()
