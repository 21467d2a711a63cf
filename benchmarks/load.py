"""How quickly `pytest-workflows dev` answers while 1,000 instances of ten steps run, with each result on disk.

python benchmarks/load.py                   needs the extra dev, and a machine that has little else to do

Wanted: the API and the page with 95 of 100 answers within 50 ms, the Worker's own fetch handler within 500 ms.
"""

import contextlib
import json
import pathlib
import re
import subprocess
import sys
import tempfile
import threading
import time

import httpx
from measuring import ENVIRONMENT

INSTANCES, AT_ONCE, STEPS = 1000, 100, 10
PAUSE = 0.02
CONFIG = {
    "name": "load",
    "main": "entry.py",
    "compatibility_date": "2026-11-10",
    "compatibility_flags": ["python_workers"],
    "workflows": [{"name": "tens", "binding": "TENS", "class_name": "Ten"}],
}
ENTRY = f"""
from workers import Response, WorkerEntrypoint, WorkflowEntrypoint


class Ten(WorkflowEntrypoint):
    async def run(self, event, step):
        total = 0
        for number in range({STEPS}):

            @step.do(f"add {{number}}")
            async def add():
                return {{"number": number}}

            total += (await add())["number"]
        return total


class Default(WorkerEntrypoint):
    async def fetch(self, request):
        return Response("hello")
"""


@contextlib.contextmanager
def served(folder):
    """A process of `dev`; gives its address, and its id."""
    (folder / "wrangler.jsonc").write_text(json.dumps(CONFIG))
    (folder / "entry.py").write_text(ENTRY)
    command = [sys.executable, "-m", "pytest_workflows.cli", "dev", "--port", "0"]
    process = subprocess.Popen(
        command, cwd=folder, env=ENVIRONMENT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    said = ""
    try:
        while "Ctrl-C" not in said:
            line = process.stdout.readline()
            if not line:
                sys.exit(f"dev does not start:\n{said}")
            said += line
        reader = threading.Thread(target=process.stdout.read)
        reader.start()
        yield re.search(r"Worker +(http://\S+)", said)[1], process.pid
    finally:
        process.terminate()
        process.wait(30)


def cpu_seconds(pid):
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / 100


def ask(url, took, is_over):
    """Ask for one thing again and again, with a pause between two answers."""
    with httpx.Client(trust_env=False, timeout=60) as client:
        while not is_over.is_set():
            began = time.perf_counter()
            client.get(url).raise_for_status()
            took.append(time.perf_counter() - began)
            time.sleep(PAUSE)


def percentile(took, share):
    return sorted(took)[int(len(took) * share)] * 1000


def measure(url, pid):
    instances = f"{url}/client/v4/accounts/local/workflows/tens/instances"
    asked = {
        "the API, one instance": f"{instances}/i-500",
        "the API, a list of 20": f"{instances}?per_page=20",
        "the page, what there is": f"{url}/__workflows/api/overview",
        "the Worker's fetch handler": url,
    }
    took = {title: [] for title in asked}
    is_over = threading.Event()
    threads = [threading.Thread(target=ask, args=(asked[title], took[title], is_over)) for title in asked]
    with httpx.Client(trust_env=False, timeout=60) as client:
        client.get(url).raise_for_status()
        began, cpu = time.perf_counter(), cpu_seconds(pid)
        for first in range(0, INSTANCES, AT_ONCE):
            batch = [{"instance_id": f"i-{first + number}"} for number in range(AT_ONCE)]
            client.post(f"{instances}/batch", json=batch).raise_for_status()
        for thread in threads:
            thread.start()
        ended = 0
        while ended < INSTANCES:
            time.sleep(0.2)
            ended = client.get(f"{instances}?status=complete&per_page=1").json()["result_info"]["total_count"]
        seconds, cpu = time.perf_counter() - began, cpu_seconds(pid) - cpu
        is_over.set()
        for thread in threads:
            thread.join()
    print(f"{INSTANCES:,} instances of {STEPS} steps in {seconds:.1f} s, {cpu:.1f} s of processor time")
    print(f"{'milliseconds':32}{'answers':>9}{'half':>9}{'95 of 100':>11}{'longest':>9}")
    for title, all_took in took.items():
        half, most = percentile(all_took, 0.5), percentile(all_took, 0.95)
        print(f"{title:32}{len(all_took):>9}{half:>9.0f}{most:>11.0f}{max(all_took) * 1000:>9.0f}")


def main():
    with tempfile.TemporaryDirectory() as name, served(pathlib.Path(name)) as (url, pid):
        measure(url, pid)


if __name__ == "__main__":
    main()
