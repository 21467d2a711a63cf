import re
from pathlib import Path

import pytest
from packaging.tags import Tag

from pytest_workflows.deployment.builds import builds_for

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "deployment.md"


def test_the_page_names_the_pyodide_of_each_python() -> None:
    rows = re.findall(r"^\| (3)\.(\d+) \| Pyodide (\S+) \|$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)

    assert [builds_for((int(major), int(minor))).pyodide for major, minor, _ in rows] == [name for *_, name in rows]
    assert len(rows) == 3


def test_a_python_that_is_not_known_has_the_builds_of_the_newest() -> None:
    assert builds_for((3, 99)) == builds_for((3, 14))


@pytest.mark.parametrize(
    ("tag", "is_taken"),
    [
        ("py3-none-any", True),
        ("cp314-none-any", True),
        ("cp314-cp314-any", False),
        ("cp314-cp314-pyemscripten_2026_0_wasm32", True),
        ("cp313-cp313-pyodide_2025_0_wasm32", False),
        ("cp314-cp314-linux_x86_64", False),
    ],
)
def test_a_wheel_is_taken_that_is_pure_or_of_that_pyodide(tag: str, is_taken: bool) -> None:
    assert builds_for((3, 14)).takes(Tag(*tag.split("-"))) == is_taken


@pytest.mark.parametrize("minor", [12, 13, 14])
def test_the_list_has_packages_under_their_canonical_names_and_nothing_else(minor: int) -> None:
    builds = builds_for((3, minor))

    assert builds.python.startswith(f"3.{minor}.")
    assert {"numpy", "pydantic-core", "ruamel-yaml", "typing-extensions"} <= builds.packages.keys()
    assert not {"hashlib", "sqlite3", "numpy-tests", "libopenblas", "openblas"} & builds.packages.keys()
    assert all(re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", name) for name in builds.packages)
