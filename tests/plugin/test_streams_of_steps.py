"""A step may return a ReadableStream: its content is stored, and each reader gets a stream of its own."""

from __future__ import annotations

from textwrap import dedent

CONFIG = '{"main": "src/entry.py", "workflows": [{"name": "w", "binding": "W", "class_name": "W"}]}'
ENTRY = """
    import asyncio

    from js import ReadableStream, Response
    from pyodide.ffi import to_js
    from workers import WorkflowEntrypoint

    CALLS = []

    class W(WorkflowEntrypoint):
        async def run(self, event, step):
            @step.do("report")
            async def report():
                CALLS.append("called")
                if event["payload"].get("slow"):
                    async def pull(controller):
                        await asyncio.sleep(0)
                        controller.enqueue(to_js(b"slow"))
                        controller.close()
                    return ReadableStream.new(pull=pull)
                return Response.new("x" * (3 * 1024 * 1024)).body

            stream = await report()
            await step.sleep("pause", "1 hour")
            text = await Response.new(stream).text()
            return [stream.constructor.name, len(text), text[:4]]
"""


TESTS = """
import entry
import pytest
from js import ReadableStream, Response

from pytest_workflows import introspect_workflow_instance


@pytest.mark.parametrize("slow", [False, True])
async def test_its_content_is_what_later_readers_get(workflow_env, slow):
    entry.CALLS.clear()
    async with introspect_workflow_instance(workflow_env.W, "one") as instance:
        await workflow_env.W.create({"id": "one", "params": {"slow": slow}})
        await instance.wait_for_status("complete")
        output = await instance.get_output()
    assert output == ["ReadableStream", 4 if slow else 3 * 1024 * 1024, "slow" if slow else "xxxx"]
    assert len(entry.CALLS) <= 2  # a crash may lose the first result


async def test_a_mock_may_be_one(workflow_env):
    async with introspect_workflow_instance(workflow_env.W, "one") as instance:
        async with instance.modify() as m:
            m.mock_step_result("report", Response.new("mocked").body)
        await workflow_env.W.create({"id": "one", "params": {}})
        await instance.wait_for_status("complete")
        assert await instance.get_output() == ["ReadableStream", 6, "mock"]


async def test_a_mock_is_whole(workflow_env):
    async with introspect_workflow_instance(workflow_env.W, "one") as instance:
        with pytest.raises(TypeError, match="^a stream whose content is not all there yet cannot be a mocked result"):
            async with instance.modify() as m:
                m.mock_step_result("report", ReadableStream.new())
"""


def test_a_stream_is_stored_and_read_again(pytester):
    pytester.makefile(".jsonc", wrangler=CONFIG)
    pytester.makeini("[pytest]\nasyncio_mode = auto\nasyncio_default_fixture_loop_scope = function\n")
    pytester.path.joinpath("src").mkdir()
    pytester.path.joinpath("src", "entry.py").write_text(dedent(ENTRY))
    pytester.makepyfile(TESTS)

    result = pytester.runpytest("-p", "no:cacheprovider", "--workflows-crash")

    result.assert_outcomes(passed=4)


def test_its_content_is_recorded_and_replayed(pytester):
    pytester.makefile(".jsonc", wrangler=CONFIG)
    pytester.makeini("[pytest]\nasyncio_mode = auto\nasyncio_default_fixture_loop_scope = function\n")
    pytester.path.joinpath("src").mkdir()
    pytester.path.joinpath("src", "entry.py").write_text(dedent(ENTRY))
    pytester.makepyfile(TESTS)
    pytester.runpytest("-p", "no:cacheprovider", "--workflows-record=all", "-k", "True").assert_outcomes(
        passed=1, deselected=3
    )

    recorded = next(pytester.path.glob(".workflows/**/*.json")).read_text()
    result = pytester.runpytest("-p", "no:cacheprovider", "--workflows-replay=.workflows")

    assert '"$type": "stream"' in recorded
    result.assert_outcomes(passed=1)
