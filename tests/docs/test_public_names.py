"""What README, the docs and the changelog name is there, under that name: imports, options, hooks, fixtures, commands.

Files may move inside the packages. These names may not: who follows the docs must not notice.
"""

import ast
import builtins
import importlib
import importlib.metadata
import inspect
import os
import re
import subprocess
import sys
import textwrap
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import pytest_workflows
from pytest_workflows import hookspecs, recordings
from pytest_workflows.timeline.run import keep_run

ROOT = Path(__file__).parents[2]
REFERENCE = ROOT / "docs" / "reference"
TEXT = "\n".join(
    page.read_text(encoding="utf-8")
    for page in (ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").rglob("*.md")))
)
DISTRIBUTION = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]

_BLOCK = re.compile(r"^( *)```(\w+)[^\n]*\n(.*?)^\1```", re.MULTILINE | re.DOTALL)
_PACKAGES = r"pytest_workflows|durable_engine|workers|pyodide"
_PROSE = _BLOCK.sub("", TEXT)

ALWAYS = {
    "durable_engine.Engine",
    "pytest_workflows.importer.install",
    "pytest_workflows.importer.uninstall",
    "pytest_workflows.inline_snapshots",
    "pytest_workflows.plugin",
    "pytest_workflows.recordings.dump",
    "pytest_workflows.recordings.load",
    "pytest_workflows.recordings.schema",
    "pytest_workflows.recordings.tag",
    "pytest_workflows.recordings.untag",
    "pytest_workflows.strategies.fault_plans",
    "pytest_workflows.strategies.workflow_params",
    "pytest_workflows.timeline.render",
    *(f"pytest_workflows.{name}" for name in pytest_workflows.__all__),
}
"""What is public whether a page names it today or not."""


# -- imports -----------------------------------------------------------------------------------------------------------


def imported_names() -> Iterator[str]:
    """What the pages' code imports of ours: `pytest_workflows.reproduce`."""
    for _, language, code in _BLOCK.findall(TEXT):
        if language != "python":
            continue
        for node in ast.walk(ast.parse(textwrap.dedent(code))):
            if isinstance(node, ast.ImportFrom) and re.match(rf"(?:{_PACKAGES})\b", node.module or ""):
                yield from (f"{node.module}.{alias.name}" for alias in node.names)
            elif isinstance(node, ast.Import):
                yield from (alias.name for alias in node.names if re.match(rf"(?:{_PACKAGES})\b", alias.name))


def written_names() -> Iterator[str]:
    """What the pages' sentences name in code: `pytest_workflows.timeline.render(run)`."""
    for code in re.findall(r"`([^`\n]+)`", _PROSE):
        yield from re.findall(rf"(?<![\w./])(?:{_PACKAGES})(?:\.[A-Za-z]\w*)+(?!\.py)\b(?!/)", code)


def found_in(name: str) -> Any:
    """The object of a dotted name, each part of which is an attribute or a module."""
    path, *parts = name.split(".")
    found: Any = importlib.import_module(path)
    for part in parts:
        path = f"{path}.{part}"
        try:
            found = getattr(found, part)
        except AttributeError:
            found = importlib.import_module(path)
    return found


NAMES = sorted({*ALWAYS, *imported_names(), *written_names()})


def test_the_pages_have_names_to_look_at() -> None:
    assert {"pytest_workflows.introspect_workflow", "durable_engine.Engine"} <= {*imported_names()}
    assert {"pytest_workflows.timeline.render", "durable_engine.InstanceNotFoundError"} <= {*written_names()}


@pytest.mark.parametrize("name", NAMES)
def test_a_name_of_the_docs_can_be_imported(name: str) -> None:
    assert found_in(name) is not None


def test_the_schema_is_printed_by_its_module() -> None:
    command = [sys.executable, "-m", "pytest_workflows.recordings.schema"]

    result = subprocess.run(command, capture_output=True, text=True, check=True)

    assert result.stdout == (REFERENCE / "recording.schema.json").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("group", "name", "value"),
    [
        *(("console_scripts", *entry) for entry in DISTRIBUTION["scripts"].items()),
        *((group, *entry) for group, found in DISTRIBUTION["entry-points"].items() for entry in found.items()),
    ],
)
def test_an_entry_point_leads_somewhere(group: str, name: str, value: str) -> None:
    module, _, attribute = value.partition(":")

    assert importlib.metadata.entry_points(group=group, name=name)[name].value == value
    assert not attribute or callable(getattr(importlib.import_module(module), attribute))


def test_the_entry_points_are_the_known_ones() -> None:
    assert DISTRIBUTION["scripts"] == {"pytest-workflows": "pytest_workflows.cli:main"}
    assert DISTRIBUTION["entry-points"] == {
        "pytest11": {"pytest_workflows.plugin": "pytest_workflows.plugin"},
        "inline_snapshot": {"pytest_workflows": "pytest_workflows.inline_snapshots"},
    }


# -- what the tables name ----------------------------------------------------------------------------------------------


def table_codes(page: str, heading: str) -> list[str]:
    """The code in the first column of the first table below a heading."""
    text = (REFERENCE / page).read_text(encoding="utf-8").partition(f"{heading}\n")[2]
    rows = re.search(r"^\|.*\n\|[-|]+\n((?:\|.*\n)+)", text, re.MULTILINE)
    assert rows is not None, f"{page} has no table below {heading!r}"
    cells = [re.split(r"(?<!\\)\|", row)[1] for row in rows[1].splitlines()]
    return [code for cell in cells for code in re.findall(r"`([^`]+)`", cell)]


def members(page: str, heading: str) -> set[tuple[str, frozenset[str]]]:
    """The attributes of a table, each with its parameters: `await .status(options=None)`."""
    found = set()
    for code in table_codes(page, heading):
        match = re.match(r"(?:@|await )?(?:\w*\.)?(\w+)(?:\((.*)\))?$", code)
        assert match is not None, code
        parameters = frozenset(re.findall(r"(?:^|, )\*?(\w+)(?==|,|$|\))", match[2] or ""))
        found.add((match[1], parameters))
    return found


async def test_what_the_tables_name_is_there(workflow_engine: Any, workflow_clock: Any) -> None:
    async def workflow(event: Any, step: Any) -> None:
        steps.append(step)
        await step.do("one")(one)()

    async def one() -> None: ...

    steps: list[Any] = []
    binding = workflow_engine.bind("ORDERS", workflow)
    async with pytest_workflows.introspect_workflow_instance(binding, "a") as instance:
        async with instance.modify() as modifier:
            pass
        handle = await binding.create({"id": "a"})
        await instance.wait_for_status("complete")
        run = keep_run(workflow_engine, workflow_engine.find(binding.workflow, "a"))
        described = {
            ("bindings.md", "## Binding"): binding,
            ("bindings.md", "## Handle"): handle,
            ("bindings.md", "## Step"): steps[0],
            ("fixtures.md", "## `workflow_clock`"): workflow_clock,
            ("fixtures.md", "## `workflow_engine`"): workflow_engine,
            ("hooks.md", "## The end of the session"): run,
            ("introspection.md", "## Instance introspector"): instance,
            ("introspection.md", "### Step records"): instance.steps[0],
            ("modifier.md", "## What it can do"): modifier,
        }
        missing = [part for where, owner in described.items() for part in missing_of(owner, *where)]
    async with pytest_workflows.introspect_workflow(binding) as introspector:
        missing += missing_of(introspector, "introspection.md", "## Workflow introspector")

    assert missing == []


def missing_of(owner: object, page: str, heading: str) -> list[str]:
    """What a table names and the object does not have."""
    missing = []
    for name, parameters in members(page, heading):
        if not hasattr(owner, name):
            missing.append(f"{page}: {name}")
        elif parameters:
            known = inspect.signature(getattr(owner, name)).parameters
            takes_any = any(one.kind is one.VAR_KEYWORD for one in known.values())
            missing += [f"{page}: {name}({one})" for one in sorted(parameters - {*known}) if not takes_any]
    return missing


def test_what_a_recording_holds_is_there() -> None:
    named = {*table_codes("recordings.md", "## The file")} - {"$type"}

    parts = (pytest_workflows.Recording, recordings.Step, recordings.Attempt)
    assert sorted(named - {field for part in parts for field in part.__struct_fields__}) == []


def test_the_exceptions_of_the_docs_are_there() -> None:
    codes = [*table_codes("errors.md", "## What a test meets"), *table_codes("errors.md", "## What nobody provides")]
    codes += table_codes("errors.md", "## Warnings")

    named = {code for code in codes if not hasattr(builtins, code)}

    assert len(named) > 20
    assert sorted(named - {*pytest_workflows.__all__}) == []


# -- pytest ------------------------------------------------------------------------------------------------------------

OPTIONS = sorted({*re.findall(r"--workflows-[a-z]+(?:-[a-z]+)*", TEXT)})
INI = table_codes("settings.md", "## Ini options")
HOOKS = sorted({*re.findall(r"`(pytest_workflows_\w+)\(([\w, ]*)\)`", TEXT)})
FIXTURES = table_codes("fixtures.md", "# Fixtures")


@pytest.mark.parametrize("option", OPTIONS)
def test_an_option_of_the_docs_is_there(option: str, pytestconfig: pytest.Config) -> None:
    pytestconfig.getoption(option)


@pytest.mark.parametrize("name", INI)
def test_an_ini_option_of_the_docs_is_there(name: str, pytestconfig: pytest.Config) -> None:
    pytestconfig.getini(name)


@pytest.mark.parametrize("name", FIXTURES)
def test_a_fixture_of_the_docs_is_there(name: str, request: pytest.FixtureRequest) -> None:
    assert request.getfixturevalue(name) is not None or name == "workflow_seed"


@pytest.mark.parametrize(("name", "arguments"), HOOKS)
def test_a_hook_of_the_docs_is_there(name: str, arguments: str) -> None:
    assert [*inspect.signature(getattr(hookspecs, name)).parameters] == arguments.split(", ")


def test_nothing_of_pytest_is_missing_in_the_docs(tmp_path: Path) -> None:
    """What is there and named nowhere would make the tests above see too little."""
    command = [sys.executable, "-m", "pytest", "-p", "pytest_workflows.plugin", "--help"]
    alone = {**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}

    text = subprocess.run(command, cwd=tmp_path, env=alone, capture_output=True, text=True, check=True).stdout

    assert {*re.findall(r"--workflows-[a-z]+(?:-[a-z]+)*", text)} == {*OPTIONS}
    assert {*re.findall(r"^  (workflows_\w+) \(", text, re.MULTILINE)} == {*INI}
    assert {name for name in dir(hookspecs) if name.startswith("pytest_")} == {name for name, _ in HOOKS}


def test_the_keywords_of_the_marker_are_those_of_the_docs(pytestconfig: pytest.Config) -> None:
    (ours,) = [line for line in pytestconfig.getini("markers") if line.startswith("workflow(")]

    known = ours.partition("(")[2].partition(")")[0].split(", ")

    assert sorted(known) == sorted(table_codes("settings.md", "## Marker"))


# -- the command -------------------------------------------------------------------------------------------------------


def test_the_commands_and_their_options_are_those_of_the_docs() -> None:
    """Each command's usage line names its options, and no others than it has."""
    typer = pytest.importorskip("typer")
    from pytest_workflows.cli.app import app

    text = (REFERENCE / "cli.md").read_text(encoding="utf-8")
    usages = re.findall(r"```text\npytest-workflows (\w+)([^`]*)```", text)
    documented = {name: {*re.findall(r"--[a-z-]+", usage)} for name, usage in usages}
    commands = typer.main.get_command(app).commands

    known = {
        name: {option for one in command.params for option in (*one.opts, *one.secondary_opts) if option[:2] == "--"}
        for name, command in commands.items()
    }

    assert documented.keys() == known.keys()
    assert [re.findall(r"\w+", code)[0] for code in table_codes("cli.md", "# Command line")] == [*known]
    for name, options in documented.items():
        assert options <= known[name], name
