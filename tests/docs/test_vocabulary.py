"""The words of the project: identifiers are the field's terms, and docs/explanation/glossary.md explains the rest."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = (ROOT / "engine" / "durable_engine", ROOT / "pytest_workflows")
SOURCES = sorted(path for package in PACKAGES for path in package.rglob("*.py"))
GLOSSARY = ROOT / "docs" / "explanation" / "glossary.md"

# What somebody is told, hears or looks at says nothing of what is done: notified, warned, reported, shown, checked.
PRIVATE = re.compile(r"told|tell_\w+|hear|graveyard|reborn|doomed|harvest|looked|looking", re.IGNORECASE)
_ROW = re.compile(
    r"^\| (?P<term>[^|]+) \| (?P<meaning>[^|]+) \|(?: (?P<code>`\w+`) )?\|$|^\| (?:[^|]+) \| (?:[^|]+) \| \|$"
)


def names_in(path: Path) -> Iterator[tuple[str, int]]:
    """Every identifier of a source file, and its line."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        line = getattr(node, "lineno", 0)
        for field in ("id", "attr", "name", "arg", "asname", "rest", "module"):
            value = getattr(node, field, None)
            if isinstance(value, str):
                yield from ((part, line) for part in value.split("."))
        if isinstance(node, ast.Global | ast.Nonlocal):
            yield from ((name, line) for name in node.names)
        if isinstance(node, ast.MatchClass):
            yield from ((name, line) for name in node.kwd_attrs)


@cache
def identifiers() -> list[tuple[Path, str, int]]:
    """Every identifier of both packages, with its file and line."""
    return [(path, name, line) for path in SOURCES for name, line in names_in(path)]


def rows() -> list[str]:
    lines = GLOSSARY.read_text(encoding="utf-8").splitlines()
    return [line for line in lines if line.startswith("| ") and not line.startswith("| term ")]


def test_every_kind_of_identifier_is_seen(tmp_path: Path) -> None:
    source = tmp_path / "source.py"
    source.write_text(
        "import a1 as a2\nfrom b1.b2 import b3 as b4\n"
        "class C1:\n    c2: int\n"
        "async def d1(d2, /, d3, *d4, d5, **d6):\n    global d7\n    e1.e2 = [e3 for e3 in e4(e5=1)]\n"
        "    text = f'{f1!r:{f2}}'\n    try:\n        pass\n    except g1 as g2:\n        pass\n"
        "    match h1:\n        case h2(h3=h4):\n            pass\n        case {'k': h5, **h6}:\n            pass\n"
        "        case [*h7]:\n            pass\n"
    )

    seen = {name for name, _ in names_in(source)}

    expected = "a1 a2 b1 b2 b3 b4 C1 c2 d1 d2 d3 d4 d5 d6 d7 e1 e2 e3 e4 e5 f1 f2 g1 g2 h1 h2 h3 h4 h5 h6 h7"
    assert set(expected.split()) - seen == set()


def test_no_identifier_is_of_the_private_vocabulary() -> None:
    found = [f"{path.relative_to(ROOT)}:{line}: {name}" for path, name, line in identifiers() if PRIVATE.search(name)]

    assert found == []


def test_no_file_is_named_in_the_private_vocabulary() -> None:
    names = [path.relative_to(ROOT).as_posix() for package in PACKAGES for path in package.rglob("*")]

    assert [name for name in names if PRIVATE.search(name) and "__pycache__" not in name] == []


def test_the_glossary_has_a_line_a_term_and_each_term_once() -> None:
    terms = [line.split(" | ")[0].removeprefix("| ") for line in rows()]
    once = [term for entry in terms for term in entry.split(", ")]

    assert len(once) > 60
    assert len(set(once)) == len(once)
    assert [line for line in rows() if _ROW.match(line) is None] == []


@pytest.mark.parametrize("term", ["workflow", "instance", "execution", "step", "attempt", "interleaving", "recording"])
def test_the_glossary_explains(term: str) -> None:
    assert any(line.startswith(f"| {term} |") for line in rows())


def test_what_the_glossary_names_in_the_code_is_there() -> None:
    defined = {name for _, name, _ in identifiers()}
    named = {code for line in rows() for code in re.findall(r"`(\w+)` \|$", line)}

    assert len(named) > 50
    assert named - defined == set()


def test_the_index_of_the_docs_leads_to_the_glossary() -> None:
    assert "(docs/explanation/glossary.md)" in (ROOT / "README.md").read_text(encoding="utf-8")
