"""What a type checker says of a test that is written against us."""

import subprocess
import sys
import textwrap

GOOD = """
    from typing import Any
    from typing_extensions import assert_type

    from pytest_workflows import InstanceIntrospector, StepRecord, introspect_workflow, introspect_workflow_instance
    from durable_engine import Engine, WorkflowBinding

    async def check(binding: WorkflowBinding) -> None:
        async with introspect_workflow_instance(binding, "x") as instance:
            assert_type(instance, InstanceIntrospector)
            async with instance.modify() as m:
                m.mock_step_result("a", {"b": 1})
            assert_type(instance.steps, list[StepRecord])
            assert_type(await instance.wait_for_step_result("a"), Any)
            assert_type(await instance.get_error(), dict[str, str])
            assert_type(await instance.modify(lambda m: None), InstanceIntrospector)
        introspector = await introspect_workflow(binding)
        instances: list[InstanceIntrospector] = introspector.get()
        same: list[InstanceIntrospector] = await introspector.get()
        assert_type(introspector.get()[0], InstanceIntrospector)
        await introspector.dispose()
"""
BAD = """
    from pytest_workflows import introspect_workflow_instance
    from durable_engine import WorkflowBinding

    async def check(binding: WorkflowBinding) -> None:
        introspect_workflow_instance(binding, 5)
"""


def test_the_public_names_have_the_types_that_the_docs_tell_and_a_wrong_argument_is_found_before_the_test_runs(
    tmp_path,
):
    (tmp_path / "good.py").write_text(textwrap.dedent(GOOD))
    (tmp_path / "bad.py").write_text(textwrap.dedent(BAD))

    command = [sys.executable, "-m", "mypy", "--strict", "--config-file=", "good.py", "bad.py"]
    result = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)

    [error] = [line for line in result.stdout.splitlines() if ": error: " in line]
    assert error.startswith("bad.py:6: ")
    assert 'Argument 2 to "introspect_workflow_instance" has incompatible type "int"; expected "str"' in error
