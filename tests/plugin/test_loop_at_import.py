"""A Worker's module that wants a running event loop while it is imported."""

from typing import Any

import pytest

ENTRY = """
    import asyncio
    from workers import WorkflowEntrypoint

    {}

    async def warm():
        return 5

    class OrderWorkflow(WorkflowEntrypoint):
        async def run(self, event, step):
            return await warm()
"""
TASK = """
    import asyncio
    from workers import WorkflowEntrypoint

    LOOP = asyncio.get_running_loop()
    LOCK = asyncio.Lock()

    async def warm():
        return 5

    TASK = asyncio.create_task(warm())

    class OrderWorkflow(WorkflowEntrypoint):
        async def run(self, event, step):
            async with LOCK:
                return await TASK
"""
SYNC = """
    def test_that_is_not_async(workflow_env):
        workflow_env.ORDERS
"""
ASYNC = """
    from pytest_workflows import introspect_workflow_instance

    async def go(workflow_env):
        async with introspect_workflow_instance(workflow_env.ORDERS, "o") as instance:
            await workflow_env.ORDERS.create({"id": "o"})
            await instance.wait_for_status("complete")
            assert await instance.get_output() == 5

    async def test_1(workflow_env):
        await go(workflow_env)

    async def test_2(workflow_env):
        await go(workflow_env)
"""
SAID = [
    "*entry.py:4: `LOOP = asyncio.get_running_loop()` needs a running event loop while the module is imported, and "
    "none runs here: the module is imported by a test file, or by a test or a fixture that is not async. On the "
    "platform a loop runs by then, the same for all. Do this where it is first needed, in `run`, a handler or a step. "
    "To leave the module as it is, give all tests one loop (asyncio_default_test_loop_scope = session and "
    "asyncio_default_fixture_loop_scope = session in the [[]pytest[]] section), and import the module first in an "
    "async fixture with scope='session' and autouse=True."
]


def test_a_test_that_is_not_async_says_what_to_do(worker: Any) -> None:
    worker.write("src/entry.py", TASK)

    result = worker.run(SYNC)

    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines([f"E*WorkflowConfigError: {SAID[0]}"])


IMPORTS = {
    "a test file": "import entry\n\ndef test_it(): ...\n",
    "a test": "def test_it():\n    import entry\n",
    "a fixture": "import pytest\n\n@pytest.fixture\ndef made():\n    import entry\n\ndef test_it(made): ...\n",
}


@pytest.mark.parametrize("tests", IMPORTS.values(), ids=IMPORTS)
def test_an_import_says_what_to_do(worker: Any, tests: str) -> None:
    worker.write("src/entry.py", TASK)

    result = worker.run(tests)

    assert result.parseoutcomes().get("passed", 0) == 0
    result.stdout.fnmatch_lines(["E*RuntimeError: no running event loop", "*- Workflows -*", *SAID])


def test_a_module_that_main_imports_is_named(worker: Any) -> None:
    worker.write("src/entry.py", ENTRY.format("import tools"))
    worker.write("src/tools.py", "import asyncio\n\nLOOP = asyncio.get_running_loop()\n")

    result = worker.run(SYNC)

    result.stdout.fnmatch_lines(["E*WorkflowConfigError: */src/tools.py:3: `LOOP = asyncio.get_running_loop()` needs*"])


def test_in_async_tests_the_loop_is_there(worker: Any) -> None:
    worker.write("src/entry.py", TASK)

    worker.run(ASYNC).assert_outcomes(passed=2)


def test_what_the_sentence_says_works(worker: Any) -> None:
    worker.write("src/entry.py", TASK)
    worker.set(asyncio_default_fixture_loop_scope="session", asyncio_default_test_loop_scope="session")
    worker.write(
        "conftest.py",
        """
        import pytest

        @pytest.fixture(scope="session", autouse=True)
        async def worker_module():
            import entry
        """,
    )

    worker.run(ASYNC + SYNC).assert_outcomes(passed=3)


@pytest.mark.parametrize(
    "error", ["raise RuntimeError('the shop is closed')", "from tools import start\n    start()", "asyncio.run(1)"]
)
def test_other_errors_of_a_module_stay_what_they_are(worker: Any, error: str) -> None:
    worker.write("src/entry.py", ENTRY.format(error))
    worker.write("src/tools.py", "def start():\n    raise RuntimeError('no running event')\n")

    result = worker.run(SYNC)

    result.assert_outcomes(failed=1)
    assert "needs a running event loop" not in result.stdout.str()


def test_the_error_of_a_test_itself_is_not_explained(worker: Any) -> None:
    result = worker.run("""
        import asyncio

        def test_it():
            asyncio.get_running_loop()
    """)

    result.assert_outcomes(failed=1)
    assert "needs a running event loop" not in result.stdout.str()
