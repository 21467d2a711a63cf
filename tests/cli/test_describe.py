"""`pytest-workflows describe`: an instance and its steps."""

import json
import re

import pytest

from .conftest import text


def test_an_instance_that_retries(cli, dumps):
    ended = cli("describe", dumps / "retrying.json", "--workflow", "ORDERS", "--id", "order-7")

    assert ended.code == 0
    assert ended.out == text("""
        Workflow name:         ORDERS
        Instance id:           order-7
        Version id:            14707576-2549-4848-82ed-f68f8a1b47c7
        Status:                running
        Trigger:               api
        Queued:                2026-03-02 09:00:00 UTC
        Success:               not yet
        Start:                 2026-03-02 09:00:00.120 UTC
        End:                   not yet
        Duration:              not over yet
        Last successful step:  check stock-1
        Params:                {"sku": "tea", "card": "tok_visa", "amount": 1250}

        Steps: 2

          Name:      check stock-1
          Type:      step
          Start:     2026-03-02 09:00:00.150 UTC
          End:       2026-03-02 09:00:00.420 UTC
          Duration:  270 ms
          Success:   yes
          Output:    {"in_stock": 7}
            Attempt  Start         Duration  State    Error
            1        09:00:00.150  270 ms    success

          Name:        charge card-1
          Type:        step
          Start:       2026-03-02 09:00:00.450 UTC
          End:         not yet
          Duration:    not over yet
          Success:     not yet
          Retries at:  2026-03-02 09:00:31.400 UTC (20 seconds later)
            Attempt  Start         Duration  State  Error
            1        09:00:00.460  440 ms    error  RuntimeError: the bank answered 503
            2        09:00:10.905  495 ms    error  RuntimeError: the bank answered 503
        """)


def test_sleeps_events_and_the_output(cli, dumps):
    shown = cli("describe", dumps / "complete.json").out

    assert (
        text("""
        End:                   2026-03-05 15:12:01.350 UTC
        Duration:              3 days 6 hours
        Last successful step:  ship-2026-1
        Params:                {"sku": "tea", "card": "tok_visa", "amount": 1250}
        Output:                {"status": "shipped", "parcel": "parcel 55",
                               "approved_by": "grace"}
        """)
        in shown
    )
    assert "  Name:      cool down-1\n  Type:      sleep\n" in shown
    assert "  Duration:  3 days\n" in shown
    assert "  Type:      wait for event\n  Event:     approved\n" in shown


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("sleeping", "  Wakes up at:  2026-03-05 09:00:31.910 UTC (3 days later)"),
        ("waiting", "  Times out at:  2026-03-06 09:00:31.950 UTC (1 day later)"),
        ("event_timed_out", "  Error:     WorkflowTimeoutError: Execution timed out after 86400000ms"),
        ("terminated", "  Type:     termination"),
        ("terminated", "  End:       never: the instance ended"),
        ("errored", "Error:                 RuntimeError: the bank answered 503"),
        ("truncated", "  Output:    unknown: the output of step 'check stock-1' was cut short by the"),
        ("sparse", "Version id:            unknown"),
        ("sparse", "Start:                 unknown"),
        ("sparse", "Error:                 unknown"),
        ("sparse", "  -  What triggered the instance is not in the dump."),
    ],
)
def test_what_stands_there_and_what_is_unknown(cli, dumps, name, line):
    assert line in cli("describe", dumps / f"{name}.json").out.splitlines()


AT = "2026-03-02T09:00:30Z"


@pytest.mark.parametrize("times", [{"start": AT, "end": AT}, {}])
def test_of_steps_that_ended_at_one_time_the_last_in_the_file_is_the_last(cli, tmp_path, times):
    steps = [
        {"type": "sleep", "name": "nap-1", "finished": True, **times},
        {"type": "waitForEvent", "name": "approval-1", "finished": True, "output": 1, **times},
        {"type": "step", "name": "charge-1", "success": True, "output": 1, **times},
    ]
    (tmp_path / "dump.json").write_text(json.dumps({"status": "complete", "steps": steps}))

    assert "Last successful step:  charge-1" in cli("describe", tmp_path / "dump.json").lines


def test_of_steps_that_ran_at_the_same_time_the_one_that_ended_last_is_the_last(cli, tmp_path):
    ends = {"slow-1": "2026-03-02T09:05:00Z", "fast-1": AT}
    steps = [{"type": "step", "name": name, "start": AT, "end": end, "success": True} for name, end in ends.items()]
    (tmp_path / "dump.json").write_text(json.dumps({"status": "complete", "steps": steps}))

    assert "Last successful step:  slow-1" in cli("describe", tmp_path / "dump.json").lines


def test_attempts_without_times_are_over_all_the_same(cli, tmp_path):
    attempts = [{"success": False, "error": {"name": "Error", "message": "no"}}, {"success": True}]
    step = {"type": "step", "name": "charge-1", "success": True, "output": 1, "attempts": attempts}
    (tmp_path / "dump.json").write_text(json.dumps({"status": "complete", "steps": [step]}))

    shown = cli("describe", tmp_path / "dump.json").out
    assert "    1        unknown  unknown   error    Error: no\n    2        unknown  unknown   success\n" in shown


@pytest.mark.parametrize("kind", ["step", "sleep", "waitForEvent"])
def test_what_became_of_a_step_may_be_unknown(cli, tmp_path, kind):
    step = {"type": kind, "name": "charge-1", "attempts": [{}]}
    (tmp_path / "dump.json").write_text(json.dumps({"status": "complete", "steps": [step]}))

    shown = cli("describe", tmp_path / "dump.json").out
    assert "Last successful step:  unknown\n" in shown
    assert "  End:       unknown\n  Duration:  unknown\n  Success:   unknown\n" in shown
    assert ("    1        unknown  unknown   unknown\n" in shown) == (kind == "step")
    assert "running" not in shown


def test_an_attempt_that_was_under_way_when_the_instance_was_terminated(cli, tmp_path):
    step = {"type": "step", "name": "charge-1", "start": AT, "end": None, "success": None, "attempts": [{"start": AT}]}
    (tmp_path / "dump.json").write_text(json.dumps({"status": "terminated", "end": AT, "steps": [step]}))

    assert "    1        09:00:30  -         no outcome" in cli("describe", tmp_path / "dump.json").lines


def test_what_production_does_to_undo_a_step(cli, tmp_path):
    attempts = [{"start": AT, "end": AT, "success": True, "error": None}]
    undone = {"name": "charge-1", "start": AT, "end": AT, "success": True, "attempts": attempts}
    steps = [{"type": "step", **undone}, {"type": "rollback", **undone}]
    (tmp_path / "dump.json").write_text(json.dumps({"status": "rollingBack", "id": "a", "steps": steps}))

    reported = cli("describe", tmp_path / "dump.json")

    assert "Status:                rollingBack" in reported.lines
    assert "Steps: 1" in reported.lines
    begin = reported.lines.index("  Type:      rollback")
    assert reported.lines[begin - 1] == "  Name:      charge-1"
    assert reported.lines[begin + 3 : begin + 5] == ["  Duration:  0 ms", "  Success:   yes"]


def test_no_line_is_wider_than_the_terminal(cli, dumps):
    for path in sorted(dumps.glob("*.json")):
        assert all(len(line) <= 80 for line in cli("describe", path).lines), path


def test_json_is_a_recording_that_can_be_read_again(cli, dumps, tmp_path):
    reported = cli("describe", dumps / "complete.json", "--workflow", "ORDERS", "--json")
    (tmp_path / "recording.json").write_text(reported.out)

    assert json.loads(reported.out)["workflow"] == "ORDERS"
    assert cli("describe", tmp_path / "recording.json", "--json").out == reported.out


def test_standard_input(cli, dumps):
    piped = cli("describe", "-", given=(dumps / "waiting.json").read_text())

    assert piped.lines[1] == "Instance id:           order-77"


def test_latest_is_the_newest_recording_of_a_failing_test(shop):
    shop.write("tests/test_it.py", TEST)
    shop.pytest()

    assert shop.command("describe", "latest").lines[:4] == [
        "Workflow name:         orders / ORDERS",
        "Instance id:           order-1",
        "Version id:            unknown",
        "Status:                errored",
    ]
    assert shop.command("describe", "latest").lines[4] == "Trigger:               api"


def test_what_a_recording_of_a_test_was_terminated_by(shop):
    shop.write("tests/test_it.py", TEST.replace('"declined"', '"ok"').replace(WAIT, TERMINATE))
    shop.pytest()

    assert "  Type:     termination\n  Trigger:  api\n" in shop.command("describe", "latest").out


def test_what_a_test_s_steps_printed(shop):
    shop.change('return {"in_stock": 7}', 'print("looks it up")\n            return {"in_stock": 7}')
    shop.write("tests/test_it.py", TEST)
    shop.pytest()

    assert "  Printed:   looks it up" in shop.command("describe", "latest").lines


def test_latest_without_a_recording(shop):
    ended = shop.command("describe", "latest")

    assert ended.code == 3
    assert ended.err == (
        f"Error: 'latest': there is no recording in {shop.path}/.workflows/failures.\n"
        "Hint: A failing test that used workflows leaves one there: run pytest first, or name a file.\n"
    )


WAIT = 'await instance.wait_for_status("complete")'
TERMINATE = """await instance.wait_for_step_result("charge card")
            await (await workflow_env.ORDERS.get("order-1")).terminate()
            assert not await instance.status()"""
TEST = """
    from pytest_workflows import introspect_workflow_instance


    async def test_an_order_ships(workflow_env):
        async with introspect_workflow_instance(workflow_env.ORDERS, "order-1") as instance:
            await workflow_env.ORDERS.create({"id": "order-1", "params": {"card": "declined"}})
            await instance.wait_for_status("complete")
"""


def test_file_and_line_are_shown_of_class_steps_and_errors(shop):
    shop.write("tests/test_it.py", TEST)
    shop.pytest()

    lines = shop.command("describe", "latest").lines

    places = [line.split(maxsplit=2) for line in lines if "entry.py" in line]
    assert " ".join(places[0]) == "Source: OrderWorkflow in src/entry.py"
    raised = [line for line in lines if "Raised at:" in line]
    assert raised
    assert all(re.search(r"src/entry\.py:\d+$", line) for line in raised)
    assert len([line for line in lines if re.search(r"Source: +src/entry\.py:\d+$", line)]) == len(
        [line for line in lines if re.search(r"^ +Name:", line)]
    )


def test_where_an_error_of_production_was_raised_is_read_from_its_traceback(cli, dumps, tmp_path):
    recorded = json.loads((dumps / "errored.json").read_text(encoding="utf-8"))
    reported = (
        'PythonError: Traceback (most recent call last):\n  File "/session/metadata/entry.py", line 23, in charge_card\n'
        '  File "/session/lib/python3.13/site-packages/bank.py", line 5, in pay\nbank.Busy: the bank answered 503\n'
    )
    recorded["error"]["message"] = reported
    (tmp_path / "dump.json").write_text(json.dumps(recorded), encoding="utf-8")

    ended = cli("describe", tmp_path / "dump.json")

    raised = [line.split()[-1] for line in ended.lines if "Raised at:" in line]
    assert raised[0] == "/session/metadata/entry.py:23"


@pytest.mark.parametrize("command", [["describe"], ["describe", "--json"], ["stats"], ["stats", "--json"], ["graph"]])
def test_what_a_recording_holds_steers_no_terminal(shop, command):
    nasty = "\x1b]0;title\x07 \x9b31m \u202e\u2066 \x7f"
    step = {"kind": "do", "name": f"pay {nasty}", "status": "complete", "result": {nasty: nasty}}
    recording = {
        "format": "pytest-workflows-recording",
        "version": 1,
        "instance_id": f"a{nasty}",
        "binding": "ORDERS",
        "status": "errored",
        "params": nasty,
        "steps": [step],
        "notes": [nasty],
        "error": {"name": "Error", "message": nasty},
    }
    shop.write("nasty.json", json.dumps(recording))

    ended = shop.command(command[0], "nasty.json", *command[1:])

    assert ended.code == 0
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202e\u2066]", ended.out + ended.err)
    if "--json" in command:
        json.loads(ended.out)
