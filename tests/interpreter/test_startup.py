"""What a Worker's module may not do while it is imported: draw at random, and open connections."""

import textwrap

import pytest

from pytest_workflows.interpreter.startup import NOT_IN_GLOBAL_SCOPE, TOO_EARLY

ENTROPY = f"OSError: [Errno 29] {TOO_EARLY}"
JAVASCRIPT = f"JsException: Error: {NOT_IN_GLOBAL_SCOPE}"


def of_random(name: str) -> str:
    return f"RuntimeError: Cannot use random.{name}() outside of request context. {TOO_EARLY}"


MODULES = {
    "import uuid; uuid.uuid4()": ENTROPY,
    "import secrets; secrets.token_hex()": ENTROPY,
    "import secrets; secrets.choice('ab')": ENTROPY,
    "import os; os.urandom(4)": ENTROPY,
    "from os import urandom; urandom(4)": ENTROPY,
    "import random; random.Random()": ENTROPY,
    "import random; random.SystemRandom().random()": ENTROPY,
    "import random; random.random()": of_random("random"),
    "import random; random.choice('ab')": of_random("choice"),
    "from random import randint; randint(1, 2)": of_random("randint"),
    "import random; random.seed(5)": of_random("seed"),
    "from js import crypto; crypto.randomUUID()": JAVASCRIPT,
    "from js import Math; Math.random()": JAVASCRIPT,
    "import http.client; http.client.HTTPConnection('127.0.0.1', 1).request('GET', '/')": JAVASCRIPT,
    "import socket; socket.create_connection(('127.0.0.1', 1))": JAVASCRIPT,
    "import urllib.request; urllib.request.urlopen('http://localhost:1/')": JAVASCRIPT,
    "import random; random.Random(5).random(); random.SystemRandom()": "nothing",
    "import tempfile; tempfile.mkdtemp()": "nothing",
    "import tempfile, random, uuid, secrets, multiprocessing.process": "nothing",
    "import later; later.draw": "nothing",
}
LATER = """
    import random
    from os import urandom
    from random import choice
    from uuid import uuid4


    class Kept:
        draw = staticmethod(random.random)


    def draw():
        return [len(urandom(3)), choice("aa"), len(uuid4().hex), Kept.draw() < 1]
"""
ENTRY = """
    from later import draw
    from workers import WorkflowEntrypoint


    class W(WorkflowEntrypoint):
        async def run(self, event, step):
            @step.do("draw")
            async def drawn():
                import lazily
                return [*draw(), lazily.ID]

            return await drawn()
"""
TEST = """
    import importlib, os, random, uuid
    from pytest_workflows import introspect_workflow_instance

    MODULES = {modules!r}


    def outcome_of(name):
        try:
            importlib.import_module(name)
        except Exception as error:
            return f"{{type(error).__name__}}: {{error}}"
        return "nothing"


    def test_each():
        before = os.urandom, random.random, random.Random.seed
        found = {{code: outcome_of(name) for name, code in MODULES.items()}}
        assert found == {wanted!r}
        assert (os.urandom, random.random, random.Random.seed) == before
        assert random.random() < 1 and uuid.uuid4()


    async def test_it_draws_later(workflow_env):
        for name in "ab":
            async with introspect_workflow_instance(workflow_env.W, name) as instance:
                await workflow_env.W.create({{"id": name}})
                await instance.wait_for_status("complete")
                found = (await (await workflow_env.W.get(name)).status())["output"]
                assert found == [3, "a", 32, True, 32]
"""


@pytest.fixture
def project(pytester: pytest.Pytester) -> pytest.Pytester:
    pytester.makefile(".ini", pytest="[pytest]\nasyncio_mode = auto\nasyncio_default_fixture_loop_scope = function\n")
    pytester.makefile(
        ".jsonc",
        wrangler='{"name": "it", "main": "src/entry.py", "compatibility_date": "2026-11-10", '
        '"workflows": [{"binding": "W", "name": "w", "class_name": "W"}]}',
    )
    (pytester.path / "src").mkdir()
    return pytester


def write(project: pytest.Pytester, name: str, text: str) -> None:
    (project.path / name).write_text(textwrap.dedent(text))


def test_nothing_is_drawn_and_no_connection_opened_while_a_module_is_imported(project: pytest.Pytester) -> None:
    modules = {f"early_{number}": code for number, code in enumerate(MODULES)}
    for name, code in modules.items():
        write(project, f"src/{name}.py", code.replace("; ", "\n"))
    write(project, "src/later.py", LATER)
    write(project, "src/lazily.py", "import uuid\nID = len(uuid.uuid4().hex)\n")
    write(project, "src/entry.py", ENTRY)
    write(project, "test_it.py", TEST.format(modules=modules, wanted=MODULES))

    result = project.runpytest_inprocess("-p", "no:cacheprovider", "-W", "default")

    result.assert_outcomes(passed=2)


def test_it_is_a_finding_with_its_line_of_each_test(project: pytest.Pytester) -> None:
    write(project, "src/entry.py", "import uuid\n\n\nRUN_ID = uuid.uuid4().hex\n" + textwrap.dedent(ENTRY))
    write(project, "src/later.py", LATER)
    write(project, "test_it.py", TEST.format(modules={}, wanted={}))

    result = project.runpytest_inprocess("-p", "no:cacheprovider", "-k", "later")

    result.assert_outcomes(failed=1)
    [line] = [line for line in result.outlines if line.startswith("  [not-on-platform]")]
    assert "src/entry.py:4: `os.urandom before the first request` raises OSError(29, 'Randomness is" in line
    assert line.endswith(" Instead: do it in a step or a handler, or in a function that one of them calls.")
