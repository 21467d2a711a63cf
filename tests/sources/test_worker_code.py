"""What counts as the Worker's source."""

import types
from functools import partial
from pathlib import Path

import pytest

from pytest_workflows.sources.worker_code import Sources
from pytest_workflows.workers import WorkflowEntrypoint

SOURCE = """
def helper(sources):
    return sources.place_of_caller()

def call(function):
    return function()
"""


def module_at(path: Path) -> types.ModuleType:
    """A module whose functions say that they come from this file."""
    module = types.ModuleType(path.stem)
    exec(compile(SOURCE, str(path), "exec"), module.__dict__)
    return module


@pytest.mark.parametrize("file", ["entry.py", "shop/orders.py", "deep/er/tests_of_time.py"])
def test_files_below_the_folder_of_main_are_the_workers(tmp_path, file):
    assert Sources(tmp_path).is_file(str(tmp_path / file))


@pytest.mark.parametrize(
    "file",
    [
        "test_entry.py",
        "entry_test.py",
        "conftest.py",
        "tests/helpers.py",
        "shop/test/fakes.py",
        ".venv/lib/python3.12/site-packages/httpx/_api.py",
        "python_modules/httpx/_api.py",
        "node_modules/tool/setup.py",
        "../elsewhere.py",
    ],
)
def test_tests_and_libraries_below_it_are_not(tmp_path, file):
    assert not Sources(tmp_path).is_file(str((tmp_path / file).resolve()))


def test_without_a_project_no_file_is():
    assert not Sources(None).is_file(__file__)


def test_a_folder_that_is_a_link_is_followed(tmp_path):
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")

    assert Sources(tmp_path / "link").is_file(str(tmp_path / "real" / "entry.py"))
    assert Sources(tmp_path / "real").is_file(str(tmp_path / "link" / "entry.py"))


def test_what_is_known_of_code_is_known_of_the_workers_that_it_was_asked_of(tmp_path):
    entry = module_at(tmp_path / "one" / "entry.py")
    code = entry.helper.__code__
    one, other = Sources(tmp_path / "one"), Sources(tmp_path / "other")

    assert [sources.is_code(code) for sources in (one, other, Sources(tmp_path / "one"))] == [True, False, True]

    other.add_folder(tmp_path / "one")
    assert other.is_code(code)
    assert not Sources(tmp_path / "other").is_code(code)


def test_the_place_is_the_line_of_the_workers_code_that_calls(tmp_path):
    entry = module_at(tmp_path / "entry.py")

    assert entry.helper(Sources(tmp_path)) == (str(tmp_path / "entry.py"), 3)


def test_the_top_level_of_a_module_is_not_looked_at(tmp_path):
    sources = Sources(tmp_path)
    found = []

    exec(compile("found.append(sources.place_of_caller())", str(tmp_path / "entry.py"), "exec"), locals())

    assert found == [None]


def test_a_test_function_in_between_makes_it_the_tests_doing(tmp_path):
    entry, fake = module_at(tmp_path / "entry.py"), module_at(tmp_path / "conftest.py")
    sources = Sources(tmp_path)

    assert entry.call(lambda: fake.helper(sources)) is None


def test_a_library_in_between_is_looked_through_on_request(tmp_path):
    entry, library = module_at(tmp_path / "entry.py"), module_at(tmp_path / "site-packages" / "tool.py")
    ask = Sources(tmp_path).place_of_caller

    through = entry.call(partial(library.call, ask))
    not_through = entry.call(partial(library.call, partial(ask, through_libraries=False)))

    assert (through, not_through) == ((str(tmp_path / "entry.py"), 6), None)


def test_of_a_class_that_a_test_binds_only_its_own_code_is_the_workers():
    sources = Sources(None)

    def beside():
        return sources.place_of_caller()

    class Base(WorkflowEntrypoint):
        def inherited(self):
            return sources.place_of_caller()

    class Workflow(Base):
        def method(self):
            def nested():
                return sources.place_of_caller()

            return nested()

        @staticmethod
        def static():
            return sources.place_of_caller()

        def calls_the_test(self):
            return beside()

    sources.add_class("WORKFLOW", Workflow)
    workflow = Workflow(None, None)

    assert [place[0] for place in (workflow.method(), workflow.inherited(), workflow.static())] == [__file__] * 3
    assert workflow.calls_the_test() is None
    assert beside() is None
