"""`pytest-workflows run`: one instance without writing a test."""

import re

import pytest

from .conftest import text

NOW = ("--id", "order-7", "--now", "2026-01-01")
SMALL = """
    from workers import WorkflowEntrypoint


    class OrderWorkflow(WorkflowEntrypoint):
        async def run(self, event, step):
            @step.do("a")
            async def a():
                return 1

            await a()
            ...
            return 1
"""


def timeless(out):
    return re.sub(r"Real time:     \d+\.\d\d s", "Real time:     0.00 s", out)


def test_an_instance_is_watched_to_its_end(shop):
    ended = shop.command("run", "ORDERS", *NOW, "--event", """approved={"by": "ada@shop"}@2 hours""")

    # The event is there before it is asked for: it is kept.
    assert ended.code == 0
    assert timeless(ended.out) == text("""
        +0 ms                 ORDERS order-7 begins at 2026-01-01 00:00:00 UTC
        +0 ms                 step  check stock-1 complete: {'in_stock': 7}
        +0 ms                 step  charge card-1 complete: {'charge': 'ch_81'}
        +0 ms                 sleep cool down-1 begins
        +2 hours              event 'approved' arrives
        +3 days               sleep cool down-1 is over
        +3 days               wait  approval-1 begins
        +3 days               wait  approval-1 took {'by': 'ada@shop'}
        +3 days               step  ship-2026-1 complete: 'parcel 55'

        Status:        complete
        Output:        {"status": "shipped", "parcel": "parcel 55", "approved_by":
                       "ada@shop"}
        Virtual time:  3 days
        Real time:     0.00 s
        """)


def test_an_instance_that_fails(shop):
    ended = shop.command("run", *NOW, "--params", '{"card": "declined"}')

    assert ended.code == 1
    assert timeless(ended.out) == text("""
        +0 ms                 ORDERS order-7 begins at 2026-01-01 00:00:00 UTC
        +0 ms                 step  check stock-1 complete: {'in_stock': 7}
        +0 ms                 step  charge card-1 attempt 1: RuntimeError: the bank
                              answered 503, retried after 10 seconds
        +10 seconds           step  charge card-1 attempt 2: RuntimeError: the bank
                              answered 503, retried after 20 seconds
        +30 seconds           step  charge card-1 fails: RuntimeError: the bank answered
                              503

        Status:        errored
        Error:         RuntimeError: the bank answered 503
        Virtual time:  30 seconds
        Real time:     0.00 s
        """)


def test_nobody_sends_the_event(shop):
    ended = shop.command("run", *NOW)

    assert "+4 days               wait  approval-1 fails: Execution timed out after" in ended.lines
    assert 'Output:        {"status": "not approved"}' in ended.lines


def test_an_event_without_a_time_comes_at_once(shop):
    wait = 'await step.wait_for_event("approval", "approved", timeout="1 day")'
    shop.write("src/entry.py", SMALL.replace("...", wait))
    ended = shop.command("run", *NOW, "--event", 'approved={"by": "ada"}')

    assert ended.code == 0
    assert "+0 ms                 event 'approved' arrives" in ended.lines
    assert "+0 ms                 wait  approval-1 took {'by': 'ada'}" in ended.lines
    assert "Output:        1" in ended.lines


def test_an_event_that_nobody_waits_for_keeps_no_instance_from_its_end(shop):
    shop.write("src/entry.py", SMALL.replace("...", "pass"))
    ended = shop.command("run", *NOW, "--event", "approved")

    assert ended.code == 0
    assert "Output:        1" in ended.lines


def test_bindings_come_from_the_projects_conftest(shop):
    shop.change('return {"in_stock": 7}', 'return {"in_stock": await self.env.STOCK.count(order["sku"])}')
    shop.write(
        "tests/conftest.py",
        """
        import pytest


        class Stock:
            async def count(self, sku):
                return len(sku)


        @pytest.fixture
        def stock():
            return Stock()


        @pytest.fixture
        def workflow_bindings(stock):
            return {"STOCK": stock}
        """,
    )

    shown = shop.command("run", *NOW, "--params", '{"sku": "tea"}').lines

    assert "+0 ms                 step  check stock-1 complete: {'in_stock': 3}" in shown


def test_a_broken_rule_is_told(shop):
    shop.change('"3 days"', '"3 Days"')

    shown = shop.command("run", *NOW).out.replace("\n", " ")

    assert "[duration-unit]" in shown
    assert "'3 Days'" in shown


def test_nothing_is_recorded_and_no_addopts_hold(shop):
    shop.write("pytest.ini", "[pytest]\nasyncio_default_fixture_loop_scope = function\naddopts = --no-such-option\n")
    ended = shop.command("run", *NOW, "--params", '{"card": "declined"}')

    assert ended.code == 1
    assert not (shop.path / ".workflows").exists()


def test_a_request_stays_here_unless_it_is_let_out(shop):
    shop.change('return {"in_stock": 7}', 'return await fetch("https://stock.example.com")')
    shop.change("import WorkflowEntrypoint", "import WorkflowEntrypoint, fetch")

    assert shop.command("run", *NOW).lines[-1] == "Requests stay here unless you let them out: --allow-network"


def test_what_nobody_provides_is_told_though_the_worker_catches_it(shop):
    shop.change('return {"in_stock": 7}', "return await self.stock()")
    shop.change(
        "async def run(self",
        "async def stock(self):\n"
        "        try:\n"
        '            return await fetch("https://stock.example.com")\n'
        "        except Exception:\n"
        '            return {"in_stock": 7}\n\n'
        "    async def run(self",
    )
    shop.change("import WorkflowEntrypoint", "import WorkflowEntrypoint, fetch")

    ended = shop.command("run", *NOW)

    assert ended.code == 1
    assert "Status:        complete" in ended.lines
    assert (
        "NetworkRefusedError: workers.fetch was about to send GET https://stock.example.com/ to"
        in ended.out.replace("\n", " ")
    )


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (["NOPE"], "Error: the project has no workflow binding 'NOPE'.\nHint: It has: ORDERS.\n"),
        (
            ["--id", "a/b"],
            "Error: the instance cannot be created: Error: WorkflowError: Workflow instance has invalid id: "
            "'a/b' is not made of letters, digits, - and _, or begins with -.\n"
            "Hint: Look at --params and --id.\n",
        ),
    ],
)
def test_what_the_project_does_not_have(shop, arguments, error):
    ended = shop.command("run", *arguments)

    assert (ended.code, ended.err) == (2, error)


def test_a_workflow_is_found_by_its_own_name_as_well(shop):
    assert shop.command("run", "orders", *NOW).lines[0].endswith("ORDERS order-7 begins at 2026-01-01 00:00:00 UTC")


def test_several_bindings_and_none_is_named(shop):
    shop.add_binding()

    assert shop.command("run").err == (
        "Error: the project has 2 workflow bindings: ORDERS, AGAIN.\nHint: Name one of them.\n"
    )


@pytest.mark.parametrize("arguments", [[], ["ORDERS"]])
def test_a_folder_without_a_configuration(shop, arguments):
    (shop.path / "wrangler.jsonc").unlink()
    ended = shop.command("run", *arguments)

    assert ended.code == 3
    assert ended.err == (
        f"Error: no wrangler configuration was found from {shop.path} up to {shop.path}.\n"
        "Hint: Run this in a Worker's project, or name its configuration: --config path/to/wrangler.jsonc\n"
    )


def test_a_configuration_without_workflows(shop):
    shop.write("wrangler.jsonc", '{"name": "shop", "main": "src/entry.py"}')
    ended = shop.command("run")

    assert ended.code == 3
    assert ended.err == (
        f'Error: {shop.path}/wrangler.jsonc has no workflows.\nHint: Name their classes there, under "workflows".\n'
    )


def test_a_conftest_that_fails(shop):
    shop.write("tests/conftest.py", "import nowhere")
    ended = shop.command("run")

    assert ended.code == 3
    assert "ModuleNotFoundError: No module named 'nowhere'" in ended.err


@pytest.mark.parametrize(
    ("line", "error"),
    [
        ("import nothere", "ModuleNotFoundError: No module named 'nothere'"),
        ("from workers import Nope", "ImportError: module 'workers' has no attribute 'Nope'."),
        ("def broken(:", "SyntaxError: invalid syntax"),
        ("import json; json.loads('{')", "JSONDecodeError: Expecting property name"),
    ],
)
@pytest.mark.parametrize("command", ["run", "reproduce"])
def test_an_error_in_the_source_is_told_with_its_place(shop, dumps, command, line, error):
    shop.change("from workers import", f"{line}\nfrom workers import")
    ended = shop.command(command, *([] if command == "run" else [str(dumps / "errored.json")]))

    reported, hint = ended.err.splitlines()
    assert ended.code == 3
    assert reported.startswith(f"Error: src/entry.py:1: {error}")
    # On an older Python than the platform's, what does not parse may be new syntax: then that is said besides.
    assert hint.startswith("Hint: The Worker's source cannot be imported: correct it. --debug shows more.")


def test_an_error_in_a_module_beside_the_source_has_its_own_place(shop):
    shop.change("from workers import", "import prices\nfrom workers import")
    shop.write("src/prices.py", "TEA = 3\nMILK = TEA / 0\n")

    assert shop.command("run").err.startswith("Error: src/prices.py:2: ZeroDivisionError: division by zero\n")


def test_a_class_that_the_source_does_not_have(shop):
    shop.change("class OrderWorkflow", "class OrdersWorkflow")
    ended = shop.command("run")

    assert ended.code == 3
    assert "has no class 'OrderWorkflow'. Did you mean 'OrdersWorkflow'?" in ended.err


@pytest.mark.parametrize(
    ("event", "error"),
    [
        ("=1", "--event '=1' has no type."),
        ("approved={by", "--event 'approved={by': '{by' is no JSON."),
        ("approved={by}@1 day", "--event 'approved={by}@1 day': '{by}' is no JSON: "),
        ("approved=1@soon", "--event 'approved=1@soon': 'soon' is no duration."),
        ("approved=1@2 Days", "--event 'approved=1@2 Days': '2 Days' is no duration."),
    ],
)
def test_an_event_that_cannot_be_read(cli, event, error):
    ended = cli("run", "--event", event)

    assert ended.code == 2
    assert ended.err.startswith(f"Error: {error}")


def test_events_in_every_form():
    from pytest_workflows.cli.events import PlannedEvent, read_event

    day = 24 * 3600 * 1000
    assert read_event("go") == PlannedEvent("go", None, 0)
    assert read_event("go@1 day") == PlannedEvent("go", None, day)
    assert read_event('go={"to": "a@b"}') == PlannedEvent("go", {"to": "a@b"}, 0)
    assert read_event('go={"to": "a@b"}@1 day') == PlannedEvent("go", {"to": "a@b"}, day)
    assert read_event("""go="x=y"@"1 day\"""") == PlannedEvent("go", "x=y", day)
    assert read_event("go=1@500") == PlannedEvent("go", 1, 500)
