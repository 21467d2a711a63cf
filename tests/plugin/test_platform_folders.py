"""A user's folder may be named as one of the platform's modules: `workers`, `js`, `pyodide`."""

from pathlib import Path
from typing import Any

import pytest

TEST = """
from workers import Response, WorkflowEntrypoint
from pyodide.ffi import to_js
from js import Object


async def test_it(workflow_env):
    instance = await workflow_env.ORDERS.create({"id": "a"})
    assert (instance.id, sum([1, 2])) == ("a", 3)
"""


def init(folder: Path, kind: str) -> None:
    """Make packages of a folder and of those in it."""
    folders = {"none": [], "top": [folder], "all": [folder, *(one for one in folder.rglob("*") if one.is_dir())]}[kind]
    for one in folders:
        (one / "__init__.py").touch()


def above(worker: Any, name: str, kind: str) -> None:
    """The whole project lies in a folder of that name."""
    for file in ("wrangler.jsonc", "src/entry.py"):
        target = worker.path / name / "shop" / file
        target.parent.mkdir(parents=True, exist_ok=True)
        (worker.path / file).rename(target)
    worker.write(f"{name}/shop/tests/test_it.py", TEST)
    init(worker.path / name, kind)


def within(worker: Any, name: str, kind: str) -> None:
    """Tests lie in a folder of that name, with a conftest where that is a module of its own."""
    worker.write(f"tests/{name}/conftest.py", "import pytest\n\n@pytest.fixture\ndef one():\n    return 1\n")
    worker.write(f"tests/{name}/test_it.py", TEST + "\ndef test_fixture(one):\n    assert one == 1\n")
    if kind == "none":  # it would be called `conftest`, as others are that this process has on its path
        (worker.path / f"tests/{name}/conftest.py").rename(worker.path / "conftest.py")
    init(worker.path / "tests" / name, kind)


LAYOUTS = {"above": above, "within": within}


@pytest.mark.parametrize("mode", ["prepend", "append", "importlib"])
@pytest.mark.parametrize("kind", ["none", "top", "all"])
@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_folder_named_workers(worker: Any, layout: str, kind: str, mode: str) -> None:
    LAYOUTS[layout](worker, "workers", kind)
    # A conftest that is no module of a package is called `conftest`, as others are that this process has imported.
    process = layout == "within" and kind == "none"

    worker.run(None, f"--import-mode={mode}", process=process).assert_outcomes(passed=1 + (layout == "within"))


@pytest.mark.parametrize("mode", ["prepend", "importlib"])
@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("name", ["js", "pyodide"])
def test_a_folder_named_js_or_pyodide(worker: Any, name: str, layout: str, mode: str) -> None:
    LAYOUTS[layout](worker, name, "all")

    worker.run(None, f"--import-mode={mode}").assert_outcomes(passed=1 + (layout == "within"))


@pytest.mark.parametrize("mode", ["prepend", "importlib"])
def test_under_xdist(worker: Any, mode: str) -> None:
    above(worker, "workers", "all")

    worker.run(None, f"--import-mode={mode}", "-n", "1").assert_outcomes(passed=1)


def test_asserts_in_it_are_rewritten(worker: Any) -> None:
    within(worker, "workers", "top")
    worker.write("tests/workers/test_it.py", "def test_it():\n    assert [1, 2] == [1, 3]\n")

    result = worker.run()

    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["E*At index 1 diff: 2 != 3"])


def test_its_modules_can_be_imported_and_are_gone_with_the_session(worker: Any) -> None:
    worker.ini("[pytest]\nasyncio_mode = auto\npythonpath = .\nasyncio_default_fixture_loop_scope = function\n")
    worker.write("workers/helper.py", "NUMBER = 7\n")
    test = """
        import workers.helper
        from workers import WorkflowEntrypoint, helper

        def test_it():
            assert workers.helper is helper
            assert helper.NUMBER == 7
            assert WorkflowEntrypoint.__module__.startswith("pytest_workflows")
    """

    worker.write("tests/test_it.py", test)
    script = worker.write(
        "run.py",
        """
        import sys
        import pytest

        assert pytest.main(["-p", "no:cacheprovider", "tests"]) == 0
        import pytest_workflows.workers as ours

        assert not hasattr(ours, "helper")
        assert not [name for name in sys.modules if name.endswith("workers.helper") or name == "workers"]
        """,
    )

    assert worker.pytester.runpython(script).ret == 0


def test_what_it_does_not_have_is_explained_as_ever(worker: Any) -> None:
    within(worker, "workers", "top")

    result = worker.run("""
        import pytest

        def test_it():
            with pytest.raises(ImportError, match="has no attribute 'hlper'. It provides: Blob"):
                from workers import hlper
            with pytest.raises(ModuleNotFoundError, match="has no attribute 'agsi'"):
                import workers.agsi
    """)

    result.assert_outcomes(passed=3)
