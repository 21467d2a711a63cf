"""`.dev.vars` beside the configuration: read as wrangler reads it, and shown nowhere."""

import json
import textwrap

import pytest

from pytest_workflows.project.dev_vars import parse_dev_vars

ENTRY = """
    from workers import Response, WorkerEntrypoint, WorkflowEntrypoint
    from workers import env


    class W(WorkflowEntrypoint):
        async def run(self, event, step):
            @step.do("call")
            async def call():
                return f"sent with {self.env.API_KEY}"

            return await call()


    class Default(WorkerEntrypoint):
        async def fetch(self, request):
            return Response(f"{self.env.API_KEY} {env.API_KEY}")
"""
CONFIG = {
    "name": "w",
    "main": "src/entry.py",
    "compatibility_date": "2026-03-01",
    "vars": {"STAGE": "vars"},
    "workflows": [{"name": "w", "binding": "W", "class_name": "W"}],
}
PRINT = """
    async def test_it(workflow_worker, workflow_env):
        names = ("API_KEY", "STAGE", "MORE")
        print("TOLD", [getattr(workflow_env, name, None) for name in names], sorted(dir(workflow_env)))
"""


def configure(worker, **changes):
    worker.write("wrangler.jsonc", json.dumps({**CONFIG, **changes}, indent=2))
    worker.write("src/entry.py", ENTRY)


def reported(result):
    result.assert_outcomes(passed=1)
    return next(line.partition("TOLD ")[2] for line in result.outlines if "TOLD " in line)


@pytest.mark.parametrize(
    ("source", "values"),
    [
        ('API_KEY="dummy"', {"API_KEY": "dummy"}),
        ("A=1\nB = two words \nexport C=3\n  D: four", {"A": "1", "B": "two words", "C": "3", "D": "four"}),
        ("# a comment\n\nA=1 # another\nB=a#b\nC='a#b' # more", {"A": "1", "B": "a", "C": "a#b"}),
        ('A="one\ntwo"\nB=\'three\nfour\'\nC=`it\'s "so"`', {"A": "one\ntwo", "B": "three\nfour", "C": 'it\'s "so"'}),
        (r'''A="a\nb\r\t\"c"''', {"A": 'a\nb\r\\t\\"c'}),
        (r"A='a\nb'", {"A": r"a\nb"}),
        ("A=${B}$C\nB=1", {"A": "${B}$C", "B": "1"}),
        ("A=\nB=2\nC=''", {"A": "", "B": "2", "C": ""}),
        ("A=1\nA=2", {"A": "2"}),
        ("A='it''s'\nB=\"x\" y\nC=\"open", {"A": "it''s", "B": '"x" y', "C": '"open'}),
        ("A=1\r\nB=2\r\n", {"A": "1", "B": "2"}),
        ("not a line\nA.b-c=1\n=x\nÄ=1", {"A.b-c": "1"}),
        ('{"a": 1}', {}),
        ("", {}),
    ],
)
def test_the_language_is_that_of_the_package_that_wrangler_reads_it_with(source, values):
    assert parse_dev_vars(source) == values


def test_a_secret_is_in_env_and_in_workers_env(worker):
    configure(worker)
    worker.write(".dev.vars", 'API_KEY="dummy"\n')

    worker.run(
        """
        async def test_it(workflow_worker):
            assert await (await workflow_worker.fetch("/")).text() == "dummy dummy"
        """
    ).assert_outcomes(passed=1)


def test_a_secret_wins_over_vars_and_workflow_bindings_over_it(worker):
    configure(worker)
    worker.write(".dev.vars", "API_KEY=secret\nSTAGE=secret\nMORE=secret\n")

    result = worker.run(
        textwrap.dedent(
            """
            import pytest


            @pytest.fixture
            def workflow_bindings():
                return {"API_KEY": "given"}
            """
        )
        + textwrap.dedent(PRINT),
        "-s",
    )

    assert reported(result) == "['given', 'secret', 'secret'] ['API_KEY', 'MORE', 'STAGE', 'W']"


@pytest.mark.parametrize(
    ("environment", "values"), [("staging", "[None, None, 'own']"), ("other", "['common', None, None]")]
)
def test_the_file_of_the_environment_holds_in_place_of_the_common_one(worker, environment, values):
    workflows = {"workflows": CONFIG["workflows"]}
    configure(worker, env={"staging": workflows, "other": workflows})
    worker.write(".dev.vars", "API_KEY=common")
    worker.write(".dev.vars.staging", "MORE=own")
    worker.set(workflows_wrangler_env=environment)

    assert reported(worker.run(PRINT, "-s")).startswith(values)


def test_the_ini_option_turns_it_off(worker):
    configure(worker)
    worker.write(".dev.vars", "API_KEY=secret")
    worker.set(workflows_dev_vars="no")

    assert reported(worker.run(PRINT, "-s")) == "[None, 'vars', None] ['STAGE', 'W']"


def test_of_a_configuration_that_names_its_secrets_those_and_its_vars_are_read(worker):
    configure(worker, secrets={"required": ["API_KEY"]})
    worker.write(".dev.vars", "API_KEY=secret\nSTAGE=secret\nMORE=secret")

    assert reported(worker.run(PRINT, "-s")) == "['secret', 'secret', None] ['API_KEY', 'STAGE', 'W']"


def test_a_required_secret_that_nothing_gives_says_how_to_give_it(worker):
    configure(worker, secrets={"required": ["API_KEY"]})

    result = worker.run("async def test_it(workflow_env):\n    workflow_env.API_KEY.encode()\n")

    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        ["E *MissingBindingError: env.API_KEY.encode was used: *'API_KEY' (secrets.required in *wrangler.jsonc)*"]
    )


def test_a_source_may_read_a_secret_while_it_is_imported(worker):
    configure(worker)
    worker.write("src/entry.py", ENTRY.replace("class W(", "KEY = env.API_KEY\n\n\n    class W(", 1))
    worker.write(".dev.vars", "API_KEY=secret")

    worker.run("import entry\n\n\ndef test_it():\n    assert entry.KEY == 'secret'\n").assert_outcomes(passed=1)


def test_a_file_that_cannot_be_read_is_an_error_that_does_not_show_it(worker):
    configure(worker)
    (worker.path / ".dev.vars").write_bytes(b"API_KEY=s\xf6cret")

    result = worker.run("async def test_it(workflow_env):\n    workflow_env.API_KEY\n")

    assert "\\xf6" not in result.stdout.str()
    result.stdout.fnmatch_lines(
        [
            f"E *WorkflowConfigError: {worker.path}/.dev.vars:1: these secrets cannot be read: it is no UTF-8 text. "
            "Correct the file, or turn it off with ini workflows_dev_vars = no."
        ]
    )


def test_a_secret_stands_in_no_recording_and_on_no_page(worker):
    configure(worker)
    worker.write(".dev.vars", "API_KEY=hunter2hunter2\nDEBUG=true")

    result = worker.run(
        """
        async def test_it(workflow_env, workflow_engine):
            await workflow_env.W.create({"id": "x"})
            await workflow_engine.run_until_idle()
            assert False
        """,
        "--workflows-html=page.html",
    )

    result.assert_outcomes(failed=1)
    (recording,) = (worker.path / ".workflows/failures").rglob("*.json")
    assert "hunter2" not in recording.read_text()
    assert "sent with [REDACTED]" in recording.read_text()
    assert '"DEBUG"' not in recording.read_text()
    assert "hunter2" not in (worker.path / "page.html").read_text()
