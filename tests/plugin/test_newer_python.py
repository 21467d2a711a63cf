"""A Worker whose compatibility date means a newer Python than the test's says so when its source does not load."""

import sys

import pytest

from pytest_workflows.project.wrangler import WranglerConfig, python_version

older = pytest.mark.skipif(sys.version_info >= (3, 14), reason="no Python of the platform is newer")

CONFIG = """
    {
      "name": "shop",
      "main": "src/entry.py",
      "compatibility_date": "2026-10-01",
      "compatibility_flags": [],
      "workflows": [{"binding": "ORDERS", "name": "orders", "class_name": "OrderWorkflow"}]
    }
"""
SOURCE = """
    from workers import Response, WorkerEntrypoint, WorkflowEntrypoint


    class OrderWorkflow(WorkflowEntrypoint):
        async def run(self, event, step):
            @step.do("id", config={"retries": {"limit": 0, "delay": 0}})
            async def make_id():
                import uuid

                return str(uuid.uuid7())

            return await make_id()


    class Default(WorkerEntrypoint):
        async def fetch(self, request):
            return Response("plain")
"""
TEST = """
    async def test_it(workflow_worker):
        assert (await workflow_worker.fetch("/")).status == 200
"""
MEANS = (
    "*The compatibility_date 2026-10-01 in *wrangler.jsonc means Python 3.14 on the platform, and this test runs on "
)
NEWER = "def f():\n    try:\n        return 1\n    except ValueError, TypeError:\n        return 2\n"


def configure(worker, source=SOURCE, config=CONFIG):
    worker.write("wrangler.jsonc", config)
    return worker.write("src/entry.py", source)


def add(path, text):
    path.write_text(path.read_text() + "\n\n" + text)


@pytest.mark.parametrize(
    ("date", "flags", "version"),
    [
        ("2026-10-01", (), (3, 14)),
        ("2026-09-08", (), (3, 14)),
        ("2026-09-07", (), (3, 13)),
        ("2025-09-29", (), (3, 13)),
        ("2025-09-28", (), (3, 12)),
        ("2025-09-28", ("python_workers_314",), (3, 14)),
        ("2025-09-28", ("python_workers_20250116",), (3, 13)),
        ("2026-10-01", ("no_python_workers_314",), (3, 13)),
        (None, (), (3, 14)),
    ],
)
def test_which_python_a_date_means(tmp_path, date, flags, version):
    assert python_version(WranglerConfig(tmp_path, compatibility_date=date, compatibility_flags=flags)) == version


@older
def test_a_source_that_does_not_parse_says_which_python_its_date_means(worker):
    add(configure(worker), NEWER)

    result = worker.run(TEST)

    result.assert_outcomes(failed=1)
    version = ".".join(map(str, sys.version_info[:2]))
    result.stdout.fnmatch_lines(
        [
            "E   SyntaxError: *",
            f"E   {MEANS[1:]}Python {version} ({sys.executable}). What does not parse here may be the syntax of Python "
            "3.14. Run the tests on Python 3.14, for example with `uv run --python 3.14 pytest`, or write the source so "
            f"that Python {version} takes it as well.",
        ]
    )


@older
def test_a_module_beside_main_that_does_not_parse_says_so_too(worker):
    path = configure(worker)
    worker.write("src/helpers.py", NEWER)
    add(path, "import helpers\n")

    worker.run(TEST).stdout.fnmatch_lines([MEANS + "*may be the syntax of Python 3.14.*"])


@older
@pytest.mark.parametrize("statement", ["from entry import OrderWorkflow", "import entry"])
def test_a_test_module_that_imports_such_a_source_says_so(worker, statement):
    add(configure(worker), NEWER)

    result = worker.run(f"{statement}\n\n\ndef test_it():\n    pass\n")

    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines([MEANS + "*may be the syntax of Python 3.14.*"])


@older
@pytest.mark.parametrize(
    ("source", "what"),
    [
        (
            "from string.templatelib import Template",
            "What is imported from string.templatelib may be there from Python",
        ),
        ("from uuid import no_such_uuid", "What is imported from uuid may be there from Python"),
        ("import annotationlib", "What is imported from annotationlib may be there from Python"),
        ("import uuid\nID = uuid.no_such_uuid", "uuid.no_such_uuid may be there from Python"),
        (
            "def f(a: Later):\n    pass\n\n\nclass Later:\n    pass",
            "From Python 3.14 on an annotation may name what is defined further down, such as 'Later'.",
        ),
    ],
)
def test_what_only_newer_pythons_have_says_so(worker, source, what):
    add(configure(worker), source)

    result = worker.run(TEST)

    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines([f"E {MEANS}*{what}*"])


@older
def test_a_step_that_uses_what_only_newer_pythons_have_says_so(worker):
    configure(worker)

    result = worker.run(
        """
        async def test_it(workflow_env, workflow_engine):
            handle = await workflow_env.ORDERS.create()
            await workflow_engine.run_until_idle()
            assert (await handle.status())["status"] == "complete"
        """
    )

    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines([MEANS + "*uuid.uuid7 may be there from Python 3.14 on.*"])


@pytest.mark.parametrize(
    "source",
    [
        "import no_such_package",
        "import json\nraise AttributeError('of our own')",
        "def f():\n    return no_such_name\n\n\nf()",
        "raise ValueError('of our own')",
    ],
)
def test_any_other_mistake_says_nothing_of_a_python(worker, source):
    add(configure(worker), source)

    result = worker.run(TEST)

    result.assert_outcomes(failed=1)
    result.stdout.no_fnmatch_line("*means Python*")


def test_a_date_that_means_no_newer_python_says_nothing(worker):
    add(configure(worker, config=CONFIG.replace("2026-10-01", "2025-01-01")), "def f(:\n")

    if sys.version_info >= (3, 12):
        worker.run(TEST).stdout.no_fnmatch_line("*means Python*")
    else:
        worker.run(TEST).stdout.fnmatch_lines(["*compatibility_date 2025-01-01 *means Python 3.12 *"])


def test_a_test_that_does_not_parse_is_no_matter_of_the_worker(worker):
    configure(worker)

    result = worker.run("def test_it(:\n    pass\n")

    result.assert_outcomes(errors=1)
    result.stdout.no_fnmatch_line("*means Python*")


@older
def test_a_flag_that_chooses_the_python_is_named(worker):
    config = CONFIG.replace("2026-10-01", "2025-01-01").replace("[]", '["python_workers_314"]')
    add(configure(worker, config=config), NEWER)

    worker.run(TEST).stdout.fnmatch_lines(["E *The compatibility flag python_workers_314 in *means Python 3.14 *"])


@older
def test_without_a_date_the_newest_python_is_meant(worker):
    add(configure(worker, config=CONFIG.replace('"compatibility_date": "2026-10-01",', "")), NEWER)

    worker.run(TEST).stdout.fnmatch_lines(["E *Without a compatibility_date, *wrangler.jsonc means Python 3.14 *"])
