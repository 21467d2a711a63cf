"""unknown-option: create is given an option that it does not have."""

import textwrap

import pytest

from pytest_workflows.session.worker import WorkflowWorker

RULE = "unknown-option"
HEAD = """
        from pyodide.ffi import to_js
        from js import Object
        from workers import Response, WorkerEntrypoint

        class Child(WorkflowEntrypoint):
            async def run(self, event, step):
                await step.sleep("a moment", 1)

"""


def handler(body: str) -> str:
    lines = textwrap.indent(textwrap.dedent(body).strip(), " " * 16)
    return f"""{HEAD}
        class Default(WorkerEntrypoint):
            async def fetch(self, request):
                create = self.env.WORKFLOW.create
                batch = self.env.WORKFLOW.create_batch
{lines}
                return Response("ok")
"""


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ('await create({"payload": 1})', "no option `payload`; did you mean `params`?"),
        ("await create(payload=1)", "no option `payload`; did you mean `params`?"),
        ('await create({"parms": 1})', "no option `parms`; did you mean `params`?"),
        ('await create({"ID": "a"})', "no option `ID`; did you mean `id`?"),
        ('await create({"colour": "red"})', "no option `colour`"),
        ('await batch([{"id": "x"}, {"id": "y", "data": 1}])', "no option `data`; did you mean `params`?"),
        (
            'await create(to_js({"payload": 1}, dict_converter=Object.fromEntries))',
            "no option `payload`; did you mean `params`?",
        ),
    ],
)
async def test_what_the_platform_ignores_is_found(bench, body: str, said: str) -> None:
    findings = await bench.findings(handler(f"{body}  # <-- here"), act=call_the_handler(bench))

    assert [(one.rule, one.message, one.workflow) for one in findings if one.rule == RULE] == [
        (RULE, f"create has {said}", "WORKFLOW")
    ]
    assert str(findings[0]).count("?.") == 0


@pytest.mark.parametrize(
    "body",
    [
        "await create()",
        'await create({"id": "a", "params": {"payload": 1}, "retention": {"successRetention": "1 day"}})',
        'await create(id="a", params=None)',
        'await batch([{"id": "x"}, {"params": {"data": 1}}])',
    ],
)
async def test_the_options_that_there_are_are_not(bench, body: str) -> None:
    findings = await bench.findings(handler(body), act=call_the_handler(bench))

    assert [one for one in findings if one.rule == RULE] == []


async def test_each_name_and_place_is_found_once(bench) -> None:
    body = "for n in (1, 2):\n    await create({'payload': n, 'colour': 'red'})"

    findings = await bench.findings(handler(body), act=call_the_handler(bench))

    assert sorted(one.message for one in findings if one.rule == RULE) == [
        "create has no option `colour`",
        "create has no option `payload`; did you mean `params`?",
    ]


async def test_a_create_by_the_test_is_the_test_s(bench) -> None:
    async def act(handle: object) -> None:
        await bench.running.env.resolve("WORKFLOW").create({"payload": 1})

    findings = await bench.findings(handler("pass"), act=act)

    assert [one for one in findings if one.rule == RULE] == []


def call_the_handler(bench):
    async def act(handle: object) -> None:
        await WorkflowWorker(bench.running).fetch("/")

    return act
