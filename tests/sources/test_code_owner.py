"""Whose code a file has."""

import dataclasses
import json
import pkgutil
from pathlib import Path

import pytest

import durable_engine
import pytest_workflows
from durable_engine import Owner, owner_of
from pytest_workflows.rules.analysis import clock_reads
from pytest_workflows.sources import code_owner
from pytest_workflows.sources.code_owner import is_generated, is_library, is_ours, is_standard, is_workers


def files_of(package):
    """The files of a package, those of its folders included."""
    for info in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
        yield info.module_finder.find_spec(info.name).origin


@pytest.mark.parametrize("package", [durable_engine, pytest_workflows])
def test_every_file_of_ours_is_ours_wherever_it_lies(package):
    files = [package.__file__, *files_of(package)]

    assert len(files) > 40
    assert [file for file in files if not is_ours(file)] == []


def test_a_test_is_a_users():
    assert owner_of(__file__) is Owner.USER
    assert not is_library(__file__)


def test_an_installed_package_is_a_library_and_not_standard():
    assert owner_of(pytest.__file__) is Owner.INSTALLED
    assert is_library(pytest.__file__)
    assert not is_standard(pytest.__file__)


def test_the_standard_library_is_both():
    assert owner_of(json.__file__) is Owner.STANDARD
    assert is_library(json.__file__)
    assert is_standard(json.__file__)


def test_what_dataclasses_compile_is_generated():
    made = dataclasses.make_dataclass("Made", ["field"])

    assert is_generated(made.__init__.__code__.co_filename)
    assert is_standard(made.__init__.__code__.co_filename)


@pytest.mark.parametrize("folder", ["python_modules", "node_modules"])
def test_what_a_worker_brings_along_is_a_library(tmp_path, folder):
    file = str(tmp_path / folder / "httpx" / "_api.py")

    assert is_library(file)
    assert not is_workers(str(tmp_path), file)


def test_a_file_beside_the_workers_folder_is_not_the_workers(tmp_path):
    assert is_workers(str(tmp_path / "src"), str(tmp_path / "src" / "entry.py"))
    assert not is_workers(str(tmp_path / "src"), str(tmp_path / "src_of_others" / "entry.py"))


def test_the_module_counts_its_own_package():
    assert is_ours(code_owner.__file__)


@pytest.mark.parametrize("module", [pytest_workflows, clock_reads, durable_engine], ids=lambda module: module.__name__)
def test_the_files_of_the_plugin_and_of_the_engine_are_ours_however_deep_they_lie(module):
    assert is_ours(module.__file__)
    assert is_library(module.__file__)


@pytest.mark.parametrize("package", [pytest_workflows, durable_engine], ids=lambda package: package.__name__)
def test_what_lies_beside_them_is_not(package):
    folder = Path(package.__file__).parent

    assert not is_ours(str(folder.parent / "conftest.py"))
    assert not is_ours(str(folder.with_name(f"{folder.name}_helpers") / "entry.py"))
