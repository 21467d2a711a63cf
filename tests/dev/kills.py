"""Kills: a process that serves a Worker is killed again and again, and then everything that it acknowledged is checked.

By hand: `python tests/dev/kills.py 300 [SEED]`.
"""

import contextlib
import json
import mmap
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter, defaultdict
from pathlib import Path

HERE = Path(__file__).parent
STEPS = 4
NAP = 300
LONGEST = 30.0


class Kills:
    """A Worker's folder, and the processes that are killed there.

    Args:
        folder: An empty folder.
        seed: The seed of when they are killed.

    Attributes:
        inside: How many were killed while a commit was under way.
    """

    def __init__(self, folder, seed):
        self.folder = folder / "killed"
        shutil.copytree(HERE / "killed", self.folder)
        self.log = self.folder / "log"
        self.log.touch()
        (self.folder / "flag").write_bytes(b"\0")
        self._random = random.Random(seed)
        self._file = (self.folder / "flag").open("r+b")
        self._flag = mmap.mmap(self._file.fileno(), 1)
        self.inside = 0
        self.count = 0

    def close(self):
        self._flag.close()
        self._file.close()

    def _start(self, mode, **environment):
        self.name = f"p{self.count}"
        self._flag[0] = 0
        return subprocess.Popen(
            [sys.executable, str(HERE / "killed_process.py"), str(self.folder), mode, self.name],
            env={**os.environ, "KILLED_LOG": str(self.log), **environment},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )

    def kill_one(self):
        """Start a process, and kill it: inside of a commit, between two instructions of SQLite, or at any time."""
        self.count += 1
        way = self._random.choice(["commit", "commit", "instruction", "time"])
        at = str(self._random.randrange(1, 600)) if way == "instruction" else "0"
        process = self._start("load", KILLED_AT=at)
        try:
            if way == "time":  # be it while it starts, or goes on with what others have left
                time.sleep(0.3 + self._random.random())
            elif way == "commit":
                self._wait_until_up(process)
                self._wait_for_commits(process, self._random.randrange(1, 40))
            else:
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(3.0)  # it may have done all of its work before
        finally:
            process.send_signal(signal.SIGKILL)
            _, said = process.communicate()
        self.inside += self._flag[0]
        assert process.returncode == -signal.SIGKILL, said

    def _wait_until_up(self, process):
        deadline = time.monotonic() + LONGEST
        while f"up {self.name}\n" not in self.log.read_text():
            if process.poll() is not None:
                return  # what it said of that is asked for below
            assert time.monotonic() < deadline
            time.sleep(0.01)

    def _wait_for_commits(self, process, count):
        """Wait until so many commits have begun, or for two seconds."""
        deadline, before = time.monotonic() + 2.0, 0
        while count and time.monotonic() < deadline and process.poll() is None:
            flag = self._flag[0]
            count -= flag > before
            before = flag
            if count:
                time.sleep(0.00002)

    def end(self):
        """Let a last process bring everything to its end; returns what it found."""
        self.count += 1
        process = self._start("end")
        _, said = process.communicate(timeout=4 * LONGEST)
        assert process.returncode == 0, said
        return json.loads((self.folder / "found.json").read_text())

    def check(self, found):
        """Everything that was acknowledged is there, and nothing that was completed happened again."""
        lines = [line.split() for line in self.log.read_text().splitlines()]
        noted = defaultdict(list)
        for what, *words in lines:
            noted[what].append(words)
        instances = found["instances"]
        problems = [
            *self._created(noted, instances),
            *self._steps(lines, instances),
            *self._events(noted, instances),
            *self._sleeps(noted, instances),
            *self._contents(noted, found),
        ]
        assert not problems, "\n".join(problems)
        return Counter(what for what, *_ in lines)

    def _created(self, noted, instances):
        for (id,) in noted["created"]:
            if id not in instances:
                yield f"{id} was created, and is gone"
        for id, status in instances.items():
            if status["status"] != "complete":
                yield f"{id} is {status['status']}: {status['error']}"

    def _steps(self, lines, instances):
        seen, ran = {}, set()
        for what, *words in lines:
            if what == "seen":
                id, step, value = words
                if seen.setdefault((id, step), value) != value:
                    yield f"{id} got {value} of step {step}, and {seen[id, step]} before"
            elif what == "ran":
                ran.add(tuple(words))
                if tuple(words) in seen:
                    yield f"step {words[1]} of {words[0]} ran again, though `run` had its result"
        for id, status in instances.items():
            expected = [seen.get((id, str(number))) for number in range(STEPS)]
            if status["output"] is not None and status["output"]["seen"] != expected:
                yield f"{id} ended with {status['output']['seen']}, and saw {expected}"

    def _events(self, noted, instances):
        told = defaultdict(list)
        for id, word in noted["told"]:
            told[id].append(word)
        for id, status in instances.items():
            heard = (status["output"] or {"heard": []})["heard"]
            if len(set(heard)) != len(heard):
                yield f"{id} heard something twice: {heard}"
            if [word for word in heard if word in told[id]] != told[id]:
                yield f"{id} was told {told[id]}, and heard {heard}"

    def _sleeps(self, noted, instances):
        slept, woke = {}, {}
        for id, at in noted["sleeps"]:
            slept.setdefault(id, int(at))
        for id, at in noted["woke"]:
            woke.setdefault(id, int(at))
        for id in instances:
            if woke.get(id, 0) < slept.get(id, 0) + NAP - 20:
                yield f"{id} slept from {slept.get(id)} and woke at {woke.get(id)}"

    def _contents(self, noted, found):
        for key, value in dict(noted["put"]).items():
            if found["kv"].get(key) != value:
                yield f"KV has {found['kv'].get(key)} at {key}, and {value} was put"
        for (id,) in noted["inserted"]:
            if id not in found["d1"]:
                yield f"D1 has no row of {id}"
        for (id,) in noted["counted"]:
            if id not in found["counted"]:
                yield f"the Durable Object has not counted {id}"
        got = {id for (id,) in noted["got"]}
        for (id,) in noted["sent"]:
            if id not in got:
                yield f"the message of {id} never came"


def kill_often(folder, count, seed, tell=lambda text: None):
    """Kill so many processes, thirty to a folder, and check each folder at its end.

    Args:
        folder: An empty folder.
        count: How many.
        seed: When.
        tell: Told of each folder.

    Returns:
        How many were killed inside of a commit.
    """
    inside = 0
    for number in range(0, count, 30):
        (folder / str(number)).mkdir()
        kills = Kills(folder / str(number), f"{seed}-{number}")
        try:
            for _ in range(min(30, count - number)):
                kills.kill_one()
            noted = kills.check(kills.end())
            inside += kills.inside
            tell(f"{kills.count - 1} kills, {kills.inside} of them inside of a commit: {dict(noted)}")
        finally:
            kills.close()
    return inside


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as made:
        total, began = int(sys.argv[1]), time.monotonic()
        inside = kill_often(Path(made), total, sys.argv[2] if len(sys.argv) > 2 else "0", print)
        print(f"{total} kills, {inside} inside of a commit, in {time.monotonic() - began:.0f} s: nothing was lost.")
