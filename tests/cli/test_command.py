"""The command itself: help, errors of one line and a hint, exit codes."""

import subprocess
import sys

import pytest

COMMANDS = ["list", "run", "check", "describe", "diff", "reproduce", "codegen", "stats", "pull"]


def test_without_a_command_the_help_is_shown(cli):
    ended = cli()

    assert ended.code == 0
    assert "Run, replay and look at Cloudflare Python Workflows on the command line." in ended.out
    assert "Exit codes: 0 all is well, 1 the answer is no" in ended.out
    for command in COMMANDS:
        assert f"│ {command} " in ended.out


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_a_help_with_examples(cli, command):
    ended = cli(command, "--help")

    assert ended.code == 0
    assert f"Usage: pytest-workflows {command}" in ended.out
    assert "Examples:" in ended.out
    assert f"  pytest-workflows {command}" in ended.out
    assert all(len(line) <= 80 for line in ended.lines)


def test_the_version(cli):
    assert cli("--version").out.startswith("pytest-workflows 0.")


def test_shells_complete_it(cli):
    assert "--install-completion" in cli("--help").out


@pytest.mark.parametrize(
    ("arguments", "error", "hint", "code"),
    [
        (["descrbe"], "No such command 'descrbe'. Did you mean 'describe'?", "pytest-workflows --help", 2),
        (["describe"], "Missing argument 'FILE'.", "pytest-workflows describe --help", 2),
        (["describe", "x", "--colour"], "No such option: --colour", "pytest-workflows describe --help", 2),
        (
            ["describe", "nope.json"],
            "nope.json: the recording cannot be read: No such file or directory.",
            "Name a recording, the JSON of an instance in production, or `latest`.",
            3,
        ),
        (["describe", "."], ". is a folder.", "Name a recording that lies in it, or `latest`.", 3),
        (
            ["diff", "nope.json", "."],
            "nope.json: the recording cannot be read: No such file or directory.",
            "Name a recording, the JSON of an instance in production, or `latest`.",
            3,
        ),
        (["stats", "nope"], "nope does not exist.", "Name a recording, or a folder of them.", 3),
        (
            ["run", "--params", "{sku"],
            "--params '{sku' is no JSON: Expecting property name enclosed in double quotes: line 1 column 2 (char 1).",
            'Quote it for the shell: --params \'{"sku": "A1"}\'',
            2,
        ),
        (["run", "--now", "soon"], "--now 'soon' is no time.", "Write it as 2026-01-01T00:00:00Z.", 2),
        (
            ["list", "--config", "nope"],
            "--config names nope, which is no file.",
            "It takes a path such as wrangler.jsonc.",
            2,
        ),
    ],
)
def test_an_error_is_one_line_and_a_hint(cli, tmp_path, monkeypatch, arguments, error, hint, code):
    monkeypatch.chdir(tmp_path)
    ended = cli(*arguments)

    assert (ended.code, ended.out) == (code, "")
    assert ended.err == f"Error: {error}\nHint: {hint}\n"


def test_an_api_error_is_told(cli, dumps):
    ended = cli("describe", dumps / "api_error.json")

    assert ended.code == 3
    assert ended.err == (
        f"Error: {dumps}/api_error.json: the API answered with an error, not with an instance: "
        "workflows.api.error.not_found (code 10007).\n"
        "Hint: Ask it again: see docs/how-to/reproduce-a-production-failure.md.\n"
    )


def test_our_own_errors_ask_for_debug(cli, dumps, monkeypatch):
    monkeypatch.setattr("pytest_workflows.cli.commands.describe.show_recording", lambda *_: 1 / 0)
    ended = cli("describe", dumps / "waiting.json")

    assert ended.code == 4
    assert ended.err == (
        "Error: ZeroDivisionError: division by zero\n"
        "Hint: This is an error in pytest-workflows itself. Run it again with --debug for the traceback, and report "
        "it.\n"
    )


@pytest.mark.parametrize("place", [0, 2])
def test_debug_shows_the_traceback_wherever_it_stands(shop, place):
    arguments = ["describe", "nope.json"]
    arguments.insert(place, "--debug")
    ended = shop.command(*arguments, process=True)

    assert ended.code == 1
    assert "Traceback (most recent call last):" in ended.err
    assert "CommandError: nope.json: the recording cannot be read" in ended.err


def test_without_typer_it_says_how_to_install_it():
    code = "import sys; sys.modules['typer'] = None; from pytest_workflows.cli import main; main()"
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)

    assert ended.returncode == 2
    assert ended.stdout == ""
    assert ended.stderr == (
        "pytest-workflows: the command needs typer. Install it: pip install 'pytest-workflows[cli]'\n"
    )


def test_the_entry_point_is_installed():
    from importlib.metadata import entry_points

    [found] = entry_points(group="console_scripts", name="pytest-workflows")
    assert found.value == "pytest_workflows.cli:main"
