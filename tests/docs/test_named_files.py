"""The pages for maintainers name files and folders: each is there, and so is each room of the packages in the house."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = [ROOT / "pytest_workflows", ROOT / "engine" / "durable_engine"]
PAGES = sorted((ROOT / "docs" / "explanation").glob("*.md"))
_PATH = re.compile(r"(?<![\w/.-])((?:[\w.-]+/)+(?:[\w.-]+\.\w+)?|\w+\.py)(?![\w/<])")
_PLACEHOLDER = re.compile(r"<\w+>")


def named_in(page: Path) -> list[str]:
    """The paths that a page names in code, those with a part to be filled in left out."""
    code = re.findall(r"`([^`\n]+)`", page.read_text(encoding="utf-8"))
    return sorted({found for text in code if not _PLACEHOLDER.search(text) for found in _PATH.findall(text)})


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_the_files_that_a_page_names_are_there(page: Path) -> None:
    bases = [ROOT, ROOT / "engine", *PACKAGES]
    files = {file.name for package in PACKAGES for file in package.rglob("*.py")}
    missing = [path for path in named_in(page) if path not in files and not any((one / path).exists() for one in bases)]

    assert missing == []


def test_pages_name_files_at_all() -> None:
    assert {"engine.py", "execution/step.py"} <= {path for page in PAGES for path in named_in(page)}


@pytest.mark.parametrize("package", PACKAGES, ids=lambda package: package.name)
def test_the_house_shows_every_room(package: Path) -> None:
    house = (ROOT / "docs" / "explanation" / "house.md").read_text(encoding="utf-8")
    rooms = [folder.parent.name for folder in package.glob("*/__init__.py")]

    assert [room for room in rooms if f"{room}/" not in house] == []


@pytest.mark.parametrize("package", PACKAGES, ids=lambda package: package.name)
def test_every_room_says_what_belongs_in_it_and_what_does_not(package: Path) -> None:
    for room in package.rglob("*/__init__.py"):
        text = ast.get_docstring(ast.parse(room.read_text(encoding="utf-8"))) or ""
        assert "belong" in text, f"{room.relative_to(ROOT)} does not say what belongs in it"
