"""What records print, and the paths in recorded errors: nothing that differs between machines or processes."""

import json
import sys
from array import array
from pathlib import Path

import pytest

from durable_engine import Engine, JsDict, StepFailedError, WaitTimeoutError, WorkflowRuleWarning, printable, show
from durable_engine.text.source_paths import shown_path


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ({"b", "a"}, "{'a', 'b'}"),
        (set(), "set()"),
        (JsDict({"a": {2, 1}}), "{'a': {1, 2}}"),
        ([memoryview(b"ab")], "[memoryview(b'ab')]"),
        (memoryview(array("i", [1, 2])), "memoryview(array('i', [1, 2]))"),
        ({"n": None, "t": "x"}, "{'n': None, 't': 'x'}"),
    ],
)
def test_a_value_is_shown_by_its_content(value: object, text: str) -> None:
    assert show(value) == text


def test_a_file_of_the_project_is_shown_from_its_root(tmp_path: Path) -> None:
    assert shown_path(str(tmp_path / "src" / "entry.py"), tmp_path) == "src/entry.py"


def test_a_file_of_pythons_library_is_shown_from_there_even_below_the_root() -> None:
    assert shown_path(json.__file__, Path("/")) == "json/__init__.py"


def test_an_installed_package_is_shown_from_site_packages_even_below_the_root() -> None:
    assert shown_path(pytest.__file__, Path("/")) == "pytest/__init__.py"


def test_another_file_is_shown_from_where_it_was_imported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "path", [str(tmp_path), str(tmp_path / "lib"), *sys.path])

    assert shown_path(str(tmp_path / "lib" / "shop" / "api.py"), None) == "shop/api.py"


@pytest.mark.parametrize("name", ["<string>", "entry.py", "/nowhere/at/all.py"])
def test_a_file_that_belongs_nowhere_is_shown_as_it_is(name: str) -> None:
    assert shown_path(name, Path("/project")) == name


async def test_a_recorded_error_has_no_marks_below_its_source_and_no_folder_of_this_machine() -> None:
    async def workflow(event: object, step: object) -> None:
        json.loads("{") + json.loads("}")

    async with Engine(root=Path(__file__).parents[2]) as engine:
        binding = engine.bind("ORDERS", workflow)
        handle = await binding.create({"id": "a"})
        await engine.run_until_idle()
        message = (await handle.status()).error["message"]

    assert 'File "tests/engine/test_showing.py", line ' in message
    assert '    json.loads("{") + json.loads("}")\n  File "json/__init__.py"' in message
    assert "^" not in message


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain, é, 日本 and 👩‍👩‍👧", "plain, é, 日本 and 👩‍👩‍👧"),
        ("two\nlines\tand a tab", "two\nlines\tand a tab"),
        ("\x1b[31mred\x1b]0;title\x07", "\\x1b[31mred\\x1b]0;title\\x07"),
        ("\r over, \x7f, \x9b31m, \x00", "\\r over, \\x7f, \\x9b31m, \\x00"),
        ("\u202e rtl \u2066 isolate \u200f \u061c", "\\u202e rtl \\u2066 isolate \\u200f \\u061c"),
        ("\u2028line\u2029 \ufeff \u200b \U000e0041", "\\u2028line\\u2029 \\ufeff \\u200b \\U000e0041"),
        ("\ud800", "\\ud800"),
    ],
)
def test_what_steers_a_terminal_is_printed_as_code_writes_it(text: str, shown: str) -> None:
    assert printable(text) == shown


def test_an_errors_text_steers_no_terminal() -> None:
    assert str(StepFailedError("pay\x1b[2J-1", "Error", "\u202e")) == "Step 'pay\\x1b[2J-1' failed: Error: \\u202e"
    assert str(WaitTimeoutError("\x1b")) == "\\x1b"
    assert str(WorkflowRuleWarning("\x07")) == "\\x07"
