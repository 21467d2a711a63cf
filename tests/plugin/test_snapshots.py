"""History and step records as snapshots: the same in every process, on every machine, under syrupy and inline-snapshot."""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ENTRY = """
    import asyncio
    import json

    from workers import WorkflowEntrypoint


    class OrderWorkflow(WorkflowEntrypoint):
        async def run(self, event, step):
            @step.do("price", config={"retries": {"limit": 2, "delay": "1 minute", "backoff": "linear"}})
            async def price(ctx):
                if ctx["attempt"] == 1:
                    return json.loads("{")
                return {"tags": {"cheap", "blue", "new"}, "picture": b"png", "at": event["timestamp"], "10": 1, "2": 2}

            priced = await price()
            await step.sleep("cool down", "2 days")
            paid = await step.wait_for_event("payment", "paid", timeout="1 week")

            @step.do("ship", config={"retries": {"limit": 0, "delay": 0}})
            async def ship():
                raise RuntimeError("no van")

            await ship()
"""
PLAY = """
        handle = await workflow_env.ORDERS.create({"id": "a", "params": {"b": 1, "a": [1.5, None]}})
        await handle.send_event({"type": "paid", "payload": {"amount": 5}})
        await instance.wait_for_status("errored")
"""
SYRUPY = f"""
import pytest
from pytest_workflows import introspect_workflow_instance

@pytest.mark.workflow(now="2026-01-01T00:00:00Z")
async def test_it(workflow_env, snapshot):
    async with introspect_workflow_instance(workflow_env.ORDERS, "a") as instance:{PLAY}
        assert instance.history == snapshot
"""
INLINE = f"""
import pytest
from inline_snapshot import snapshot
from pytest_workflows import introspect_workflow_instance


@pytest.mark.workflow(now="2026-01-01T00:00:00Z")
async def test_it(workflow_env):
    async with introspect_workflow_instance(workflow_env.ORDERS, "a") as instance:{PLAY}
        assert instance.history == snapshot()
        assert instance.steps == snapshot()
"""
PRINTED = f"""
import pytest
from pytest_workflows import introspect_workflow_instance

@pytest.mark.workflow(now="2026-01-01T00:00:00Z")
async def test_it(workflow_env):
    async with introspect_workflow_instance(workflow_env.ORDERS, "a") as instance:{PLAY}
        print()
        for record in [*instance.history, *instance.steps]:
            print("RECORD", record)
"""


@pytest.fixture
def shop(worker: Any) -> Any:
    worker.write("src/entry.py", ENTRY)
    return worker


PLUGINS = "pytest_asyncio.plugin,pytest_workflows.plugin,syrupy,inline_snapshot.pytest_plugin"


def run(folder: Path, *arguments: str, seed: str = "0") -> subprocess.CompletedProcess[str]:
    """Run a project's tests in a process of its own, where sets have an order of their own.

    What the libraries ask of the environment, whether xdist runs or this is CI, is the outer run's affair.
    """
    outer = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST_", "CI", "GITHUB_"))}
    named = {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTEST_PLUGINS": PLUGINS}
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *arguments],
        cwd=folder,
        env={**outer, **named, "PYTHONHASHSEED": seed, "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=False,
    )


def elsewhere(shop: Any) -> Path:
    """The same project on another machine: in another folder."""
    return Path(shutil.copytree(shop.path, shop.path.parent / f"{shop.path.name}-elsewhere" / "deeper"))


def test_syrupy_finds_the_same_history_in_another_folder_and_process(shop: Any) -> None:
    shop.write("tests/test_it.py", SYRUPY)
    assert run(shop.path, "--snapshot-update").returncode == 0

    again = run(elsewhere(shop), "--snapshot-details", seed="1")

    assert "1 snapshot passed." in again.stdout
    assert again.returncode == 0
    stored = (shop.path / "tests/__snapshots__/test_it.ambr").read_text()
    assert str(shop.path) not in stored
    assert 'File "src/entry.py", line ' in stored
    assert 'File "json/__init__.py", line ' in stored
    assert "^^^" not in stored
    assert " object at 0x" not in stored
    assert "<memory at" not in stored


def test_inline_snapshot_writes_code_that_passes_in_another_folder_and_process_and_changes_nothing_in_it(
    shop: Any,
) -> None:
    shop.write("tests/test_it.py", INLINE)
    run(shop.path, "--inline-snapshot=create")
    written = (shop.path / "tests/test_it.py").read_text()

    folder = elsewhere(shop)
    again = run(folder, "--inline-snapshot=fix,update,create,trim", seed="1")

    assert "1 passed" in again.stdout
    assert (folder / "tests/test_it.py").read_text() == written
    assert "from pytest_workflows import HistoryEvent\n" in written
    assert "from datetime import datetime\n" in written
    assert "HistoryEvent(kind='WORKFLOW_START', step=None, at=datetime(2026, 1, 1, tzinfo=timezone.utc)" in written
    assert "'picture': memoryview(b'png')" in written
    assert "HasRepr" not in written


def test_a_changed_history_fails_the_snapshot(shop: Any) -> None:
    shop.write("tests/test_it.py", SYRUPY)
    run(shop.path, "--snapshot-update")
    shop.write("src/entry.py", ENTRY.replace('"2 days"', '"3 days"'))

    again = run(shop.path)

    assert "1 snapshot failed." in again.stdout
    assert "259200000" in again.stdout


def test_records_print_the_same_in_every_process(shop: Any) -> None:
    shop.write("tests/test_it.py", PRINTED)

    outputs = [
        [line for line in run(shop.path, "-s", seed=seed).stdout.splitlines() if line.startswith("RECORD ")]
        for seed in ("0", "1")
    ]

    assert outputs[0] == outputs[1]
    assert (
        "RECORD HistoryEvent(kind='SLEEP_START', step='cool down-1', at=datetime.datetime(2026, 1, 1, 0, 1, "
        "tzinfo=datetime.timezone.utc), detail={'durationMs': 172800000})" in outputs[0]
    )
    assert any("'tags': {'blue', 'cheap', 'new'}, 'picture': b'png'" in line for line in outputs[0])
    assert any("'tags': {'blue', 'cheap', 'new'}, 'picture': memoryview(b'png')" in line for line in outputs[0])


def test_buffers_in_history_are_bytes_and_arrays_which_compare_by_their_content(worker: Any) -> None:
    worker.write(
        "src/entry.py",
        """
        from array import array

        from workers import WorkflowEntrypoint

        class OrderWorkflow(WorkflowEntrypoint):
            async def run(self, event, step):
                @step.do("read")
                async def read():
                    return [b"ab", array("d", [0.5])]

                assert isinstance((await read())[0], memoryview)
        """,
    )

    worker.set(workflows_ignore_rules="changed-at-boundary")
    result = worker.run("""
        from array import array
        from pytest_workflows import introspect_workflow_instance

        async def test_it(workflow_env):
            async with introspect_workflow_instance(workflow_env.ORDERS, "a") as instance:
                await workflow_env.ORDERS.create({"id": "a"})
                await instance.wait_for_status("complete")
                result = next(event for event in instance.history if event.kind == "STEP_SUCCESS").detail["result"]
                assert result == [b"ab", array("d", [0.5])]
                assert [type(item) for item in result] == [bytes, array]
                assert instance.history == instance.history
    """)

    result.assert_outcomes(passed=1)
