"""Every exception that was raised in a step of the real platform, raised in ours."""

import pytest
from golden_values import GOLDEN, raiser

from durable_engine import Engine

KEYS = list(GOLDEN["exceptions"])


def same(text, observed):
    """First and last lines agree; the file between them holds traces of its own machine."""
    text = text.replace("golden_values.", "worker.")
    assert text.split("\n")[0] == observed.split("\n")[0]
    assert text.rstrip().split("\n")[-1] == observed.rstrip().split("\n")[-1]


async def run(workflow):
    async with Engine(now="2026-01-01T00:00:00Z") as engine:
        # What was observed is what the platform did before compatibility date 2026-05-14.
        binding = engine.bind("W", workflow, preserves_non_retryable=False)
        handle = await binding.create({"id": "x"})
        await engine.run_until_idle()
        row = engine.instances[0].row
        return await handle.status(), engine.store.history(row.key), engine.exceptions.get(row.key)


def step_that_raises(step, key, attempts):
    @step.do("s", config={"retries": {"limit": 1, "delay": 0}})
    async def failing():
        attempts.append(1)
        raiser(key)()

    return failing


@pytest.mark.parametrize("key", KEYS)
async def test_run_catches_what_was_observed(key):
    expected = GOLDEN["exceptions"][key]
    attempts, caught = [], []

    async def workflow(event, step):
        try:
            await step_that_raises(step, key, attempts)()
        except BaseException as error:
            caught.append(error)
        return await step.do("after")(lambda: "ok")()

    status, history, _ = await run(workflow)

    assert len(attempts) == expected["attempts"]
    error, observed = caught[0], expected["run_catches"]
    kind = type(error)
    name = kind.__name__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__name__}"
    assert name == observed["type"]
    same(str(error), observed["str"])
    assert type(error.__cause__).__module__ + "." + type(error.__cause__).__name__ == observed["cause_type"]
    if "js_name" in observed:
        assert error.name == observed["js_name"]
        same(error.message, observed["js_message"])
    failures = [line.detail for line in history if line.kind == "ATTEMPT_FAILURE"]
    assert failures[-1]["error"]["name"] == expected["engine_attempt_error"]["name"]
    same(failures[-1]["error"]["message"], expected["engine_attempt_error"]["message"])
    assert status["output"] == "ok"


@pytest.mark.parametrize("key", KEYS)
async def test_an_uncaught_failure_of_a_step_ends_the_instance_as_observed(key):
    expected = GOLDEN["exceptions"][key]["uncaught_in_step"]
    attempts = []

    async def workflow(event, step):
        await step_that_raises(step, key, attempts)()

    status, _, original = await run(workflow)

    assert len(attempts) == expected["attempts"]
    assert status["status"] == expected["status"]
    assert status["error"]["name"] == expected["instance_error"]["name"]
    same(status["error"]["message"], expected["instance_error"]["message"])
    assert not str(type(original)).startswith("<class 'pyodide.ffi") or "Js" in key


@pytest.mark.parametrize("key", KEYS)
async def test_raised_in_run_it_ends_the_instance_as_observed(key):
    expected = GOLDEN["exceptions"][key]["raised_in_run"]

    async def workflow(event, step):
        raiser(key)()

    status, _, _ = await run(workflow)

    assert status["status"] == expected["status"]
    assert status["error"]["name"] == expected["instance_error"]["name"]
    same(status["error"]["message"], expected["instance_error"]["message"])
