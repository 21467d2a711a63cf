"""`pytest-workflows reproduce`: a recorded instance against today's source."""

import json

import pytest

from pytest_workflows.recordings.production import AS_JSON

from .conftest import TESTS, text


def test_production_s_instance_goes_its_recorded_way(shop, dumps):
    ended = shop.command("reproduce", str(dumps / "complete.json"), "--workflow", "ORDERS", "--id", "order-7")

    assert ended.code == 0
    assert ended.out == text("""
        +0 ms                 ORDERS order-7 begins at 2026-03-02 09:00:00 UTC
        +420 ms               step  check stock-1 complete: {'in_stock': 7}
        +460 ms               step  charge card-1 attempt 1: RuntimeError: the bank
                              answered 503, retried after 10 seconds 5 ms
        +10 seconds 905 ms    step  charge card-1 attempt 2: RuntimeError: the bank
                              answered 503, retried after 20 seconds 10 ms
        +31 seconds 900 ms    step  charge card-1 complete: {'charge': 'ch_81'}
        +31 seconds 900 ms    sleep cool down-1 begins
        +3 days 31 seconds    sleep cool down-1 is over
        +3 days 31 seconds    wait  approval-1 begins
        +3 days 6 hours       wait  approval-1 took {'by': 'grace'}
        +3 days 6 hours       step  ship-2026-1 complete: 'parcel 55'

        As recorded: complete.
        """)


@pytest.mark.parametrize(
    ("name", "end"),
    [
        ("errored", "As recorded: errored, RuntimeError: the bank answered 503."),
        ("event_timed_out", "As recorded: complete."),
        ("sleeping", "As recorded: waiting."),
        ("waiting", "As recorded: waiting."),
        ("retrying", "As recorded: running."),
        ("running", "As recorded: running."),
        ("terminated", "As recorded: terminated."),
    ],
)
def test_every_end_is_reproduced(shop, dumps, name, end):
    # The project has one workflow: a dump that names none is of that.
    ended = shop.command("reproduce", str(dumps / f"{name}.json"))

    assert (ended.code, ended.lines[-1]) == (0, end)


@pytest.mark.parametrize(
    ("name", "what"),
    [("truncated", "was cut short by the API"), ("sparse", "is missing in the dump")],
)
def test_it_stops_where_a_value_matters_that_is_not_known(shop, dumps, name, what):
    ended = shop.command("reproduce", str(dumps / f"{name}.json"))

    assert ended.code == 3
    reported = " ".join(ended.out.split())
    assert f"this value is not known: the output of step 'check stock-1' {what}." in reported


def test_a_value_that_is_not_known_is_no_other_end(shop, dumps):
    dump = json.loads((dumps / "complete.json").read_text())
    ship = next(step for step in dump["result"]["steps"] if step["name"] == "ship-2026-1")
    ship["output"] = "[truncated output]"
    shop.write("dump.json", json.dumps(dump))

    ended = shop.command("reproduce", "dump.json")

    assert (ended.code, ended.lines[-1]) == (0, "As recorded: complete.")


@pytest.fixture
def encoded(shop):
    """A dump of which every output is an object as JSON text, whatever the source makes of it."""
    step = {"type": "step", "name": "check stock-1", "success": True, "output": '{"in_stock": 0}', "attempts": []}
    dump = {"status": "complete", "params": {}, "output": '{"status": "out of stock"}', "steps": [step]}
    shop.write("dump.json", json.dumps(dump))
    return dump


@pytest.fixture
def of_texts(shop):
    """A source whose steps return such objects as texts."""
    shop.change('return {"in_stock": 7}', "return '{\"in_stock\": 0}'")
    shop.change("stock = await check_stock()", "stock = json.loads(await check_stock())")
    shop.change('return {"status": "out of stock"}', 'return \'{"status": "out of stock"}\'')
    shop.change("from workers", "import json\n\nfrom workers")


def test_outputs_that_are_objects_as_json_text_need_no_option(shop, encoded):
    ended = shop.command("reproduce", "dump.json")

    assert (ended.code, ended.lines[-1]) == (0, "As recorded: complete.")
    assert AS_JSON not in words(ended)


@pytest.mark.parametrize("until", [[], ["--until", "check stock"]])
def test_where_it_goes_another_way_it_says_that_it_guessed_how_outputs_are_read(shop, encoded, until, request):
    if until:
        shop.change('return {"in_stock": 7}', "raise ValueError('no')")
    else:
        request.getfixturevalue("of_texts")
    ended = shop.command("reproduce", "dump.json", *until)

    assert ended.code == 1
    assert words(ended).endswith(AS_JSON)


def test_how_outputs_are_read_can_be_said(shop, encoded, of_texts):
    said = shop.command("reproduce", "dump.json", "--text-outputs")
    shop.write("dump.json", json.dumps({**encoded, "outputs": "text"}))
    written = shop.command("reproduce", "dump.json")
    shop.write("dump.json", json.dumps({**encoded, "outputs": "texts"}))
    wrong = shop.command("reproduce", "dump.json")

    assert (said.code, said.lines[-1]) == (0, "As recorded: complete.")
    assert (written.code, written.lines[-1]) == (0, "As recorded: complete.")
    assert wrong.code == 3
    assert wrong.err == (
        'Error: dump.json: "outputs" is "texts", and it says how outputs are to be read that are JSON text.\n'
        'Hint: Write "outputs": "json" for the values that they hold, or "outputs": "text" for the texts as they are.\n'
    )


def words(ended):
    return " ".join(ended.out.split())


@pytest.mark.parametrize("until", [[], ["--until", "charge card"]])
def test_it_stops_where_it_is_not_known_what_became_of_a_step(shop, until):
    steps = [{"type": "step", "name": "check stock-1"}, {"type": "step", "name": "charge card-1"}]
    shop.write("dump.json", json.dumps({"status": "complete", "params": {}, "steps": steps}))

    ended = shop.command("reproduce", "dump.json", *until)

    assert ended.code == 3
    assert ended.err == (
        "Error: Instance 'unknown' of 'ORDERS' follows dump.json up to step.do('check stock'), and what became of that is "
        "not known: the recording has neither its outcome nor its end.\n"
        "Hint: Write into it what you know, such as the step's success and output.\n"
    )


def test_a_source_that_goes_another_way(shop, dumps):
    shop.change('"charge card"', '"charge the card"')
    ended = shop.command("reproduce", str(dumps / "errored.json"), "--id", "order-7")

    assert ended.code == 1
    reported = " ".join(ended.out.split())
    assert "at src/entry.py:" in reported
    assert "it asks for step.do('charge the card'), where the recording has step.do('charge card')." in reported
    assert "  -> do charge card-1" in ended.out


@pytest.mark.parametrize(
    "error",
    [
        {"name": "Error", "message": "the bank answered 503"},
        {"name": "RuntimeError", "message": "the bank answered 503"},
        {"name": "NonRetryableError", "message": "the bank answered 503"},
        {"name": "Error", "message": "RuntimeError: the bank answered 503"},
    ],
)
def test_an_error_that_is_told_in_short_is_the_same_error(shop, dumps, error):
    dump = json.loads((dumps / "errored.json").read_text())
    dump["error"] = error
    for attempt in dump["steps"][1]["attempts"]:
        attempt["error"] = error
    shop.write("dump.json", json.dumps(dump))

    ended = shop.command("reproduce", "dump.json")
    from_there = shop.command("reproduce", "dump.json", "--until", "charge card")

    assert (ended.code, ended.lines[-1]) == (0, f"As recorded: errored, {error['message']}.")
    assert from_there.code == 1


def test_a_recording_of_a_failing_test_names_its_workflow(shop):
    shop.write("tests/test_it.py", TESTS)
    failing = shop.pytest()
    hint = next(line for line in failing.lines if line.startswith("Run it again: "))

    ended = shop.command(*hint.removeprefix("Run it again: pytest-workflows ").split())

    assert ended.code == 0
    assert ended.lines[-1] == "As recorded: errored, RuntimeError: the bank answered 503."
    assert shop.command("reproduce", "latest").lines[-1] == ended.lines[-1]


def test_from_a_step_on_it_runs_for_real(shop, dumps):
    shop.change('order.get("card") == "declined"', "True")
    failing = shop.command("reproduce", str(dumps / "errored.json"), "--until", "charge card")
    shop.change("if True:", "if False:")
    corrected = shop.command("reproduce", str(dumps / "errored.json"), "--until", "charge card-1")

    assert (failing.code, failing.lines[-1]) == (0, "As recorded: errored, RuntimeError: the bank answered 503.")
    assert corrected.code == 1
    assert corrected.lines[-2:] == [
        "Recorded: errored, RuntimeError: the bank answered 503.",
        "Now:      complete.",
    ]


def test_the_debugger_opens_where_it_fails(shop, dumps):
    shop.change('order.get("card") == "declined"', 'order["card"] == "tok_visa"')
    ended = shop.command(
        "reproduce",
        str(dumps / "errored.json"),
        "--until",
        "charge card",
        "--pdb",
        given="p order['amount']\nq\n",
        process=True,
    )

    assert "charge_card()\n-> raise RuntimeError(" in ended.out
    assert "(Pdb) 1250\n" in ended.out
    assert ended.code == 0


def test_a_step_that_the_recording_does_not_have(shop, dumps):
    ended = shop.command("reproduce", str(dumps / "errored.json"), "--until", "refund")

    assert ended.code == 2
    assert ended.err == (
        "Error: --until 'refund': the recording has no such step.\nHint: It has: 'check stock-1', 'charge card-1'.\n"
    )


def test_a_dump_that_names_its_binding_needs_no_option(shop, dumps):
    shop.add_binding()
    dump = json.loads((dumps / "errored.json").read_text())
    shop.write("dump.json", json.dumps(dump))
    shop.write("named.json", json.dumps({**dump, "binding": "AGAIN"}))

    assert shop.command("reproduce", "dump.json").err == (
        "Error: the project has 2 workflow bindings: ORDERS, AGAIN.\nHint: Name one of them.\n"
    )
    assert shop.command("reproduce", "named.json").lines[0].startswith("+0 ms                 AGAIN unknown begins")
    assert shop.command("reproduce", "named.json", "--workflow", "ORDERS").lines[0].split()[2] == "ORDERS"


def test_a_dump_that_names_its_workflow_needs_no_option(shop, dumps):
    shop.add_binding()
    dump = json.loads((dumps / "errored.json").read_text())
    shop.write("dump.json", json.dumps({**dump, "workflowName": "again"}))

    assert shop.command("reproduce", "dump.json").lines[0].split()[2] == "AGAIN"
    assert "binding = workflow_env.AGAIN" in shop.command("codegen", "dump.json").out


def test_another_way_is_told_with_the_binding_that_was_taken(shop, dumps):
    shop.change('"charge card"', '"charge the card"')

    reported = shop.command("reproduce", str(dumps / "errored.json")).out
    assert "Instance 'unknown' of 'ORDERS' does not follow" in reported


def test_a_workflow_that_the_project_does_not_have(shop, dumps):
    ended = shop.command("reproduce", str(dumps / "errored.json"), "--workflow", "CARTS")

    assert (ended.code, ended.err) == (
        2,
        "Error: the project has no workflow binding 'CARTS'.\nHint: It has: ORDERS.\n",
    )
