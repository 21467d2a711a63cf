"""The import statements of a Worker's modules: seen one by one, and answered from the modules of its own project."""

import builtins
import contextlib
import importlib
import inspect
import json
import sys
import types

import pytest

from pytest_workflows.project.worker_project import Project


@pytest.fixture
def make_project(tmp_path):
    """Makes a project of a name, with the files of its folder `src`."""

    def make(name, **files):
        folder = tmp_path / name / "src"
        for file, text in files.items():
            path = folder / f"{file.replace('__in__', '/')}.py"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        config = tmp_path / name / "wrangler.json"
        config.write_text(json.dumps({"name": name, "main": "src/entry.py", "compatibility_date": "2026-11-10"}))
        return Project(config)

    return make


@contextlib.contextmanager
def active(project):
    project.activate()
    try:
        yield
    finally:
        project.deactivate()


@pytest.fixture
def project(make_project):
    made = make_project(
        "one", entry="import helper\n\ndef lazy():\n    import json.decoder, helper\n", helper="import os\n"
    )
    with active(made):
        yield made


def seen_by(project):
    seen = []
    project.imports.checks.append(lambda statement: seen.append(statement))
    return seen


def test_each_import_statement_of_the_workers_code_is_seen_with_its_line(project):
    seen = seen_by(project)

    project.load_main().lazy()

    assert [(one.name, one.line, one.module) for one in seen] == [
        ("helper", 1, "entry"),
        ("os", 1, "helper"),
        ("json.decoder", 4, "entry"),
        ("helper", 4, "entry"),
    ]
    assert seen[0].file == str(project.folder / "entry.py")


def test_what_libraries_and_tests_import_is_not_seen(project):
    sys.modules.pop("this_is_of_a_library", None)
    project.load_main()
    seen = seen_by(project)

    import json.tool  # noqa: F401  # a library that imports others

    assert seen == []


def test_what_a_library_in_c_imports_for_the_workers_code_is_not_seen(make_project):
    project = make_project(
        "one",
        entry="from ctypes import py_object, pythonapi\n\ndef call():\n"
        "    pythonapi.PyImport_ImportModule.restype = py_object\n"
        "    return pythonapi.PyImport_ImportModule(b'colorsys')\n",
    )
    with active(project):
        main = project.load_main()
        seen = seen_by(project)

        assert main.call().__name__ == "colorsys"
    assert seen == []


def test_a_relative_import_is_seen_under_its_absolute_name(make_project):
    project = make_project(
        "one",
        entry="import parts.one",
        parts__in____init__="",
        parts__in__one="from . import two\nfrom .two import x",
        parts__in__two="x = 1",
    )
    seen = seen_by(project)

    project.load_main()

    assert [(one.name, one.names) for one in seen] == [
        ("parts.one", ()),
        ("parts", ("two",)),
        ("parts.two", ("x",)),
    ]


def test_a_call_of_import_module_in_the_workers_code_is_an_import_of_it(make_project):
    one, two = (
        make_project(
            name,
            entry="import importlib\nfrom importlib import import_module\n\n"
            "def lazy():\n    return importlib.import_module('late').who, import_module('.late', 'parts').who\n",
            late=f"who = '{name}'",
            parts__in____init__="",
            parts__in__late=f"who = 'part of {name}'",
        )
        for name in ("one", "two")
    )
    before = importlib.import_module
    seen = seen_by(two)
    with active(one):
        assert one.load_main().lazy() == ("one", "part of one")
        assert two.load_main().lazy() == ("two", "part of two")
        assert importlib.import_module("late").who == "one"
    assert importlib.import_module is before
    assert [(one.name, one.line) for one in seen[2:]] == [("late", 5), ("parts.late", 5)]


def test_what_a_check_raises_the_statement_raises(project):
    def refuse(statement):
        if statement.name == "helper":
            raise ModuleNotFoundError("No module named 'helper'", name="helper")

    project.imports.checks.append(refuse)

    with pytest.raises(ModuleNotFoundError, match="No module named 'helper'"):
        project.load_main()


def test_two_projects_have_modules_of_one_name_at_a_time(make_project):
    one, two = (
        make_project(
            name,
            entry="import helper\n\ndef lazy():\n    import late\n    from helper import who\n    return late.who, who\n",
            helper=f"who = '{name}'",
            late=f"who = '{name} later'",
        )
        for name in ("one", "two")
    )
    with active(one):
        mine, theirs = one.load_main(), two.load_main()

        assert (mine.helper.who, theirs.helper.who) == ("one", "two")
        assert (mine.lazy(), theirs.lazy()) == (("one later", "one"), ("two later", "two"))
        assert theirs.lazy() == ("two later", "two")
        assert (sys.modules["entry"], sys.modules["helper"]) == (mine, mine.helper)
        assert two.load_main() is theirs
    assert "entry" not in sys.modules


def test_what_another_project_has_imported_is_found_without_a_change_of_places(make_project, monkeypatch):
    one, two = (
        make_project(
            name,
            entry="import parts.late\n\ndef lazy():\n"
            "    import parts.late\n    from parts import late\n    from parts.late import who\n"
            "    return parts.late is late, late.here(), who\n\n"
            "def later():\n    from parts import last\n    return last.who\n\n"
            "def missing():\n    from parts.late import no_such_name\n\n"
            "def relative():\n    from .parts import late\n",
            parts__in____init__="",
            parts__in__late=f"who = '{name}'\n\ndef here():\n    from . import late\n    return late.who\n",
            parts__in__last=f"who = 'last of {name}'",
        )
        for name in ("one", "two")
    )
    with active(one):
        mine, theirs = one.load_main(), two.load_main()
        with monkeypatch.context() as patch:
            patch.setattr(two, "activate", lambda: pytest.fail("it was put in place"))
            assert (mine.lazy(), theirs.lazy()) == ((True, "one", "one"), (True, "two", "two"))
        assert (mine.later(), theirs.later()) == ("last of one", "last of two")
        with pytest.raises(ImportError, match=r"cannot import name 'no_such_name' from 'parts\.late'"):
            theirs.missing()
        with pytest.raises(ImportError, match="relative import"):
            theirs.relative()


def test_a_builtin_that_a_test_replaces_is_replaced_in_the_workers_code(make_project, monkeypatch):
    project = make_project("one", entry="def read():\n    return open('x')\n\ndef count(x):\n    return len(x)\n")
    other = make_project("two", entry="")
    with active(other):
        module = project.load_main()  # and is put aside again
        with monkeypatch.context() as patch:
            patch.setattr(builtins, "open", lambda name: f"the file {name}")
            patch.setattr(builtins, "new_one", 1, raising=False)

            assert (module.read(), module.count([1])) == ("the file x", 1)
        with pytest.raises(FileNotFoundError):
            module.read()


def test_a_name_that_is_nowhere_is_a_name_error_in_the_workers_code(make_project):
    module = make_project("one", entry="def read():\n    return nowhere\n").load_main()

    with pytest.raises(NameError, match="name 'nowhere' is not defined"):
        module.read()
    assert inspect.getclosurevars(module.read).unbound == {"nowhere"}


def test_modules_of_python_modules_are_found_in_their_project_too_and_are_not_checked(make_project):
    one, two = (
        make_project(name, entry="import vendored\n\ndef lazy():\n    return vendored.deep()\n")
        for name in ("one", "two")
    )
    for project, who in ((one, "one"), (two, "two")):
        package = project.vendored / "vendored"
        package.mkdir(parents=True)
        (package / "__init__.py").write_text("def deep():\n    from . import sub\n    return sub.who\n")
        (package / "sub.py").write_text(f"who = '{who}'\n")
    seen = seen_by(two)
    with active(one):
        assert (one.load_main().lazy(), two.load_main().lazy()) == ("one", "two")
        assert isinstance(two.load_main().vendored, types.ModuleType)
    assert [statement.name for statement in seen] == ["vendored"]


def test_nothing_of_a_project_is_left_in_the_import_system(make_project):
    finders, path, kind = list(sys.meta_path), list(sys.path), type(builtins)
    project = make_project("one", entry="")
    with active(project):
        project.load_main()

    assert (sys.meta_path, sys.path, type(builtins)) == (finders, path, kind)
