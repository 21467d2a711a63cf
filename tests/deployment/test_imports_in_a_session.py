"""The import statements of a Worker's code, as findings of its tests."""

import re
import textwrap

import pytest

CONFIG = """\
{"name": "it", "main": "src/entry.py", "compatibility_date": "2026-11-10",
 "workflows": [{"binding": "W", "name": "w", "class_name": "W"}]}
"""
PYPROJECT = """\
[project]
name = "it"
version = "0"
dependencies = ["pluggy"]

[tool.pytest.ini_options]
asyncio_mode = "auto"
asyncio_default_fixture_loop_scope = "function"
"""
ENTRY = """\
    from typing import TYPE_CHECKING

    import helper
    import pluggy
    import wrapt  # found
    from workers import WorkflowEntrypoint

    if TYPE_CHECKING:
        import never_there

    try:
        import msgspec
    except ImportError:
        msgspec = None
    try:
        import httpx  # found
    except Exception:
        httpx = None


    class W(WorkflowEntrypoint):
        async def run(self, event, step):
            if event["payload"]:
                import iniconfig  # found, by the test that runs it

                return iniconfig.__name__
            return [helper.rich is None, msgspec is None, httpx is None]
"""
HELPER = """\
    import contextlib
    import sys

    if sys.platform == "emscripten":
        from js import Object
    else:
        import wrapt
    if "pyodide" not in sys.modules:
        import wrapt as again

    rich = None
    with contextlib.suppress(ModuleNotFoundError):
        import rich
"""
TESTS = """\
    import msgspec  # a test's own import is nobody's business



    async def test_first(workflow_env, workflow_engine):
        instance = await workflow_env.W.create({"params": False})
        await workflow_engine.run_until_idle()
        assert (await instance.status())["output"] == [True, True, False]
        assert msgspec.json.encode(1) == b"1"


    async def test_second(workflow_env, workflow_engine):
        instance = await workflow_env.W.create({"params": True})
        await workflow_engine.run_until_idle()
        assert (await instance.status())["output"] == "iniconfig"


    async def test_third(workflow_env, workflow_engine):
        await workflow_env.W.create({"params": False})
        await workflow_engine.run_until_idle()


    def test_without_a_worker():
        pass
"""


@pytest.fixture
def project(pytester: pytest.Pytester) -> pytest.Pytester:
    files = {
        "wrangler.json": CONFIG,
        "pyproject.toml": PYPROJECT,
        "src/entry.py": ENTRY,
        "src/helper.py": HELPER,
        "tests/test_it.py": TESTS,
    }
    for name, text in files.items():
        path = pytester.path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(textwrap.dedent(text))
    return pytester


def found_in(text: str) -> dict[str, list[str]]:
    """By test: the places of its findings."""
    failures = re.split(r"^_+ (test_\w+) _+$", text, flags=re.MULTILINE)[1:]
    return {
        name: re.findall(r"^E +\[not-deployed\] \S*?(\w+\.py:\d+): ", said, re.MULTILINE)
        for name, said in zip(failures[::2], failures[1::2], strict=True)
    }


def test_what_is_wrong_at_the_top_of_a_module_is_wrong_for_each_test_and_in_a_function_for_the_one_that_runs_it(
    project: pytest.Pytester,
) -> None:
    result = project.runpytest_inprocess("--workflows-strict", "-p", "no:cacheprovider")

    top = ["entry.py:5", "entry.py:16"]
    assert found_in(result.stdout.str()) == {
        "test_first": top,
        "test_second": [*top, "entry.py:24"],
        "test_third": top,
    }
    result.assert_outcomes(passed=1, failed=3)


def test_a_session_warns_of_each_statement_once_and_its_tests_pass(project: pytest.Pytester) -> None:
    result = project.runpytest_inprocess("-p", "no:cacheprovider", "-W", "default")

    result.assert_outcomes(passed=4, warnings=3)
    assert len(re.findall(r"WorkflowRuleWarning: \[not-deployed\]", result.stdout.str())) == 3


def test_the_rule_can_be_left_out_and_nothing_is_said_where_nothing_is_declared(project: pytest.Pytester) -> None:
    ignored = project.runpytest_inprocess(
        "-p", "no:cacheprovider", "--workflows-strict", "-o", "workflows_ignore_rules=not-deployed"
    )
    ignored.assert_outcomes(passed=4)
    (project.path / "pyproject.toml").write_text(PYPROJECT.partition("\n\n")[2])
    (project.path / "tests" / "test_it.py").write_text(
        textwrap.dedent(TESTS).replace("[True, True, False]", "[False] * 3")
    )

    silent = project.runpytest_inprocess("-p", "no:cacheprovider", "--workflows-strict")

    silent.assert_outcomes(passed=4)
