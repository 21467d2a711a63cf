"""What the platform's API returns for an instance, read as a recording: liberal in what is read, exact in what is said."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from durable_engine import UnknownValue
from pytest_workflows.recordings import RecordingError, load, read, untag
from pytest_workflows.recordings.production import AS_JSON, AS_TEXT

DUMPS = Path(__file__).with_name("dumps")


def dump(**fields):
    return {"status": "complete", "params": {}, "trigger": {"source": "api"}, "id": "i-1", "success": True} | {
        "queued": "2026-03-02T09:00:00Z",
        "start": "2026-03-02T09:00:00Z",
        "end": "2026-03-02T09:00:09Z",
        "output": None,
        "steps": [],
        **fields,
    }


def do(name="charge-1", **fields):
    times = {"start": "2026-03-02T09:00:01Z", "end": "2026-03-02T09:00:02Z"}
    return {"type": "step", "name": name, "success": True, "output": 1, "attempts": [], **times, **fields}


def only_step(**fields):
    return read(dump(steps=[do(**fields)])).steps[0]


def outcome_of(step):
    return step.status, untag(step.result)


# -- the envelope ------------------------------------------------------------------------------------------------------


def test_the_bare_object_and_the_envelope_are_the_same():
    bare = read(dump(steps=[do()]))
    wrapped = read({"result": dump(steps=[do()]), "success": True, "errors": [], "messages": []})

    assert wrapped == bare
    assert (bare.source, bare.instance_id, bare.status, bare.binding) == ("production", "i-1", "complete", None)


@pytest.mark.parametrize(
    ("found", "message"),
    [
        (
            {"result": None, "success": False, "errors": [{"code": 10007, "message": "not found"}]},
            "not found (code 10007)",
        ),
        (
            {"success": False, "errors": []},
            "the API answered with an error, not with an instance: it does not say which",
        ),
        ({"result": None, "success": True, "errors": []}, "the API's answer holds no instance: its result is null."),
        ({"result": {}, "success": True}, "the API's answer holds no instance: its result is an empty object."),
        ({"result": [dump(), dump()], "success": True}, "this is a list of 2, as the API gives for all instances"),
        ([], "this is a list of 0, as the API gives for all instances of a workflow. Ask it for one instance"),
        ("errored", "this is a text, not an object."),
        ({"name": "shop", "main": "src/entry.py"}, "it has the keys 'name', 'main'."),
        ({}, "it has no keys at all."),
    ],
)
def test_what_holds_no_instance_is_refused_with_the_reason(found, message):
    with pytest.raises(RecordingError) as error:
        read(found)

    assert message in str(error.value)


@pytest.mark.parametrize(
    "found",
    [
        dump(binding="ORDERS"),
        {"result": dump(), "success": True, "binding": "ORDERS"},
        {"result": dump(binding="ORDERS"), "success": True},
    ],
)
def test_whoever_has_a_dump_may_write_its_binding_into_it(found):
    assert read(found).binding == "ORDERS"
    assert read(dump()).binding is None


def test_a_list_that_holds_one_instance_with_its_steps_is_read():
    assert read({"result": [dump(steps=[do()])], "success": True}).steps[0].name == "charge"


# -- the instance ------------------------------------------------------------------------------------------------------


def test_the_fields_of_an_instance():
    recording = load(DUMPS / "complete.json")

    assert recording.status == "complete"
    assert recording.version_id == "14707576-2549-4848-82ed-f68f8a1b47c7"
    assert recording.trigger == {"source": "api"}
    assert recording.params == {"sku": "tea", "card": "tok_visa", "amount": 1250}
    assert recording.created_at == datetime(2026, 3, 2, 9, tzinfo=UTC)
    assert recording.started_at == datetime(2026, 3, 2, 9, 0, 0, 120_000, tzinfo=UTC)
    assert recording.ended_at == datetime(2026, 3, 5, 15, 12, 1, 350_000, tzinfo=UTC)
    assert recording.output == {"status": "shipped", "parcel": "parcel 55", "approved_by": "grace"}
    assert recording.notes == ["The instance's id is not in the dump."]


def test_an_instance_id_that_is_not_there_is_unknown_and_said_so():
    recording = read({"status": "running", "steps": []})

    assert recording.instance_id == "unknown"
    assert recording.notes == [
        "The instance's id is not in the dump.",
        "What triggered the instance is not in the dump.",
        "The params are not in the dump.",
        "When the instance started is not in the dump.",
    ]
    assert repr(untag(recording.params)) == "<unknown: the value of params is missing in the dump>"


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({"error": {"name": "Error", "message": "m"}}, "errored"),
        ({"success": False}, "errored"),
        ({"success": True}, "complete"),
        ({"end": None}, "running"),
        ({}, "unknown"),
    ],
)
def test_a_missing_status_is_what_the_rest_says(fields, status):
    recording = read({"id": "i-1", "steps": [], "params": {}, "trigger": {"source": "api"}, **fields})

    assert recording.status == status
    assert f"The status is not in the dump; what else is there says {status!r}." in recording.notes


def test_a_status_of_a_newer_platform_is_kept_and_said():
    recording = read(dump(status="dreaming"))

    assert recording.status == "dreaming"
    assert "The status 'dreaming' is none that this version knows." in recording.notes


def test_an_instance_that_is_rolled_back_is_read_with_what_undid_its_steps():
    undone = do("charge-1", type="rollback", start="2026-03-02T09:00:20Z", end="2026-03-02T09:00:21Z")
    recording = read(dump(status="rollingBack", steps=[do(), undone], rollback={"outcome": "complete"}))

    assert recording.status == "rollingBack"
    assert [step.label for step in recording.steps] == ["charge-1"]
    (rollback,) = recording.rollbacks
    assert (rollback.label, rollback.status, rollback.ended_at.second) == ("charge-1", "complete", 21)
    assert recording.notes == ["The instance was rolled back: complete."]


def test_a_cron_trigger_carries_its_schedule():
    found = read(dump(trigger={"source": "cron"}, schedule={"cron": "0 9 * * 1", "scheduledTime": 1_772_442_000_000}))

    assert found.trigger == {"source": "cron", "cron": "0 9 * * 1", "scheduledTime": 1_772_442_000_000}


def test_an_errored_instance_without_an_error_has_an_unknown_one():
    recording = read(dump(status="errored", success=False))

    assert recording.error.message == "The dump does not say what the error was."
    assert "What the instance ended with is not in the dump." in recording.notes


@pytest.mark.parametrize(
    "error", ["it broke", {"message": "it broke"}, {"name": "Error", "message": "it broke", "stack": "..."}]
)
def test_an_error_is_read_in_every_form(error):
    found = read(dump(status="errored", error=error)).error

    assert (found.name, found.message) == ("Error", "it broke")


@pytest.mark.parametrize(
    "start",
    ["2026-03-02T09:00:00Z", "2026-03-02T10:00:00+01:00", "2026-03-02 09:00:00", 1_772_442_000, 1_772_442_000_000],
)
def test_a_time_is_read_in_every_form(start):
    assert read(dump(start=start)).started_at == datetime(2026, 3, 2, 9, tzinfo=UTC)


def test_a_time_that_cannot_be_read_is_unknown_and_said():
    recording = read(dump(queued="yesterday"))

    assert recording.created_at is None
    assert "The time of queueing is 'yesterday', which is no time: it is unknown." in recording.notes


def test_fields_are_read_in_both_spellings():
    recording = read(dump(version_id="v-1", id=None, instanceId="i-2"))

    assert recording.version_id == "v-1"


def test_a_termination_is_kept_in_history():
    recording = load(DUMPS / "terminated.json")

    assert [(line.kind, line.detail) for line in recording.history] == [
        ("WORKFLOW_QUEUED", {}),
        ("WORKFLOW_START", {}),
        ("WORKFLOW_TERMINATED", {"trigger": {"source": "api"}}),
    ]
    assert [step.label for step in recording.steps] == ["check stock-1", "charge card-1", "cool down-1"]
    assert "Step 'cool down-1' had no outcome when the instance ended." in recording.notes


def test_a_termination_without_a_time_is_said():
    recording = read(
        {"status": "terminated", "id": "i-1", "steps": [{"type": "termination", "trigger": {"source": "api"}}]}
    )

    assert "The instance was terminated (trigger: api); when is not in the dump." in recording.notes


@pytest.mark.parametrize("kind", ["teleport", "hologram", 7])
def test_a_step_of_an_unknown_type_is_left_out_and_said(kind):
    recording = read(dump(steps=[do(), do("undo-1", type=kind)]))

    assert [step.label for step in recording.steps] == ["charge-1"]
    assert recording.notes == [
        f"Step 'undo-1' has the type {json.dumps(kind)}, which this version does not know: it is left out.",
    ]


def test_a_dump_without_steps_says_how_many_there_are():
    found = dump(step_count=4)
    del found["steps"]

    assert read(found).notes == ["The dump has none of its 4 steps: ask the API for them, without simple=true."]


def test_a_dump_with_fewer_steps_than_it_says():
    assert "The dump has 1 of 3 steps." in read(dump(steps=[do()], step_count=3)).notes


def test_steps_are_put_in_order_when_the_newest_stand_first():
    late = do("b-1", start="2026-03-02T09:00:05Z", end="2026-03-02T09:00:06Z")

    assert [step.name for step in read(dump(steps=[late, do("a-1")])).steps] == ["a", "b"]


# -- names -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["charge card-1"], [("charge card", 1)]),
        (["page-1", "page-2"], [("page", 1), ("page", 2)]),
        (["order-2026-1", "order-2026-2"], [("order-2026", 1), ("order-2026", 2)]),
        (["upload a-b-c-10"], [("upload a-b-c", 10)]),
        (["2026-1"], [("2026", 1)]),
        (["-1-1"], [("-1", 1)]),
        (["step-01-1"], [("step-01", 1)]),
    ],
)
def test_the_occurrence_is_behind_the_last_dash(names, expected):
    recording = read(dump(steps=[do(name) for name in names]))

    assert [(step.name, step.count) for step in recording.steps] == expected


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["charge", "charge"], [("charge", 1), ("charge", 2)]),
        (["charge", "page-7"], [("charge", 1), ("page-7", 1)]),
        (["charge", "page-1", "page-2"], [("charge", 1), ("page", 1), ("page", 2)]),
        (["order-2026", "wait-0"], [("order-2026", 1), ("wait-0", 1)]),
    ],
)
def test_names_without_occurrences_are_counted(names, expected):
    recording = read(dump(steps=[do(name) for name in names]))

    assert [(step.name, step.count) for step in recording.steps] == expected
    assert any("carries no occurrence" in note for note in recording.notes)


def test_a_name_that_stands_twice_is_counted_on_and_said():
    recording = read(dump(steps=[do(), do()]))

    assert [(step.name, step.count) for step in recording.steps] == [("charge", 1), ("charge", 2)]
    assert "The step 'charge-1' stands in the dump more than once: the later one is counted on." in recording.notes


def test_kinds_are_counted_apart():
    recording = read(dump(steps=[do("x-1"), do("x-1", type="sleep", finished=True)]))

    assert [(step.kind, step.label) for step in recording.steps] == [("do", "x-1"), ("sleep", "x-1")]


# -- outputs -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "output",
    [None, 0, "", "shipped", "12", "[info] all good", "wait...", "{curly", {"a": [1, {"b": None}]}, [], 1.5, True],
)
def test_an_output_is_what_it_is(output):
    assert outcome_of(only_step(output=output)) == ("complete", output)


@pytest.mark.parametrize(
    "output",
    [
        '{"pages": ["Lorem ips',
        '{"pages": ["Lorem", ',
        '[{"id": 1}, {"id"',
        '{"ok": tru',
        "[1, 2, 3",
        "Lorem ipsum [truncated]",
        "Lorem ipsum... (truncated)",
        "Lorem ipsum [...output truncated]",
        "Lorem ipsum <truncated 4096 bytes>",
        "Lorem ipsum… truncated",
        f"{'Lorem ipsum ' * 20}...",
        f"{'Lorem ipsum ' * 20}…",
    ],
)
def test_an_output_that_was_cut_short_is_unknown_and_said(output):
    recording = read(dump(steps=[do(output=output), do("other-1")]))

    assert repr(untag(recording.steps[0].result)) == "<unknown: the output of step 'charge-1' was cut short by the API>"
    assert any(note.startswith("The output of step 'charge-1' is not whole in the dump") for note in recording.notes)
    assert untag(recording.steps[1].result) == 1


def test_what_was_cut_inside_of_an_output_is_unknown_there_alone():
    found = untag(only_step(output={"id": 7, "text": "Lorem [truncated]"}).result)

    assert found["id"] == 7
    assert repr(found["text"]) == "<unknown: the output of step 'charge-1' was cut short by the API>"


@pytest.mark.parametrize("mark", ["truncated", "outputTruncated", "output_truncated", "isTruncated"])
def test_an_output_that_is_marked_as_cut_is_unknown(mark):
    assert "cut short" in repr(untag(only_step(output="Lor", **{mark: True}).result))


def test_a_missing_output_is_unknown_and_said():
    step = do()
    del step["output"]
    recording = read(dump(steps=[step]))

    assert repr(untag(recording.steps[0].result)) == "<unknown: the output of step 'charge-1' is missing in the dump>"
    assert "The output of step 'charge-1' is not in the dump." in recording.notes


def test_a_sensitive_output_is_redacted():
    config = {"retries": {"limit": 1, "delay": 1}, "timeout": 1, "sensitive": "output"}
    step = only_step(output="[REDACTED]", config=config)

    assert step.sensitive
    assert repr(untag(step.result)) == "[REDACTED]"


def test_what_json_has_no_form_for():
    assert untag(only_step(output="[BigInt(12345678901234567890)]").result) == 12345678901234567890
    assert repr(untag(only_step(output="[Uint8Array(5 bytes)]").result)) == (
        "<unknown: the output of step 'charge-1' holds bytes, which the API does not give: [Uint8Array(5 bytes)]>"
    )


EVENT = '{"payload": {"by": "ada"}, "timestamp": "2026-03-02T09:00:09Z", "type": "approved"}'


@pytest.mark.parametrize("output", ['{"id": 1}', "[1, 2]", '"x"', "null", EVENT, "{}"])
def test_outputs_that_all_stand_as_json_text_are_read_as_the_values_and_that_is_said(output):
    recording = read(dump(output="3", steps=[do(output=output), do("b-1", output="true")]))

    assert [untag(step.result) for step in recording.steps] == [json.loads(output), True]
    assert recording.output == 3
    assert recording.notes == [AS_JSON]


def test_outputs_of_which_every_one_is_an_object_as_json_text_are_objects():
    steps = [do(output='{"id": 1}'), do("b-1", output='{"id": 2}')]
    recording = read(dump(output='{"status": "shipped"}', steps=steps))

    assert [untag(step.result) for step in recording.steps] == [{"id": 1}, {"id": 2}]
    assert untag(recording.output) == {"status": "shipped"}


def test_texts_of_numbers_and_booleans_alone_stay_texts_and_that_is_said():
    recording = read(dump(output="true", steps=[do(output="3"), do("b-1", output="-1.5e3")]))

    assert [untag(step.result) for step in recording.steps] == ["3", "-1.5e3"]
    assert recording.output == "true"
    assert recording.notes == [AS_TEXT]


@pytest.mark.parametrize("other", ["shipped", "", "{'id': 1}", 3, True, {"id": 2}, [1]])
def test_one_output_that_is_no_json_text_tells_that_all_are_as_they_are(other):
    for found in (
        dump(output='"done"', steps=[do(output='{"id": 1}'), do("b-1", output=other)]),
        dump(output=other, steps=[do(output='{"id": 1}')]),
        dump(output='"done"', steps=[do(output='{"id": 1}'), {"type": "waitForEvent", "name": "w", "output": other}]),
    ):
        recording = read(found)

        assert untag(recording.steps[0].result) == '{"id": 1}'
        assert not {AS_JSON, AS_TEXT} & set(recording.notes)


@pytest.mark.parametrize(
    "unknown",
    [
        {"output": "[REDACTED]"},
        {"output": '"[REDACTED]"'},
        {"output": "Lorem [truncated]"},
        {"output": '{"id": 2, "na'},
        {"output": "[Uint8Array(5 bytes)]"},
        {"output": "Lor", "truncated": True},
        {"output": "secret", "config": {"sensitive": "output"}},
        {"output": None},
    ],
)
def test_an_output_that_is_not_known_tells_nothing(unknown):
    recording = read(dump(output='{"id": 3}', steps=[do(output='{"id": 1}'), do("b-1", **unknown)]))

    assert untag(recording.steps[0].result) == {"id": 1}
    known = untag(recording.steps[1].result)
    assert known is None if unknown["output"] is None else isinstance(known, UnknownValue)


def test_where_no_output_is_known_nothing_is_guessed():
    assert read(dump(output=None, steps=[do(output=None)])).notes == []


HOW = [(True, {"id": 1}), (False, '{"id": 1}')]
GUESSED = dump(steps=[do(output='{"id": 1}'), do("b-1", output='"x"')])


@pytest.mark.parametrize(("json_outputs", "expected"), HOW)
def test_how_texts_are_read_can_be_said(tmp_path, json_outputs, expected):
    (tmp_path / "dump.json").write_text(json.dumps({**GUESSED, "outputs": "text" if json_outputs else "json"}))

    recording = load(tmp_path / "dump.json", json_outputs=json_outputs)

    assert untag(recording.steps[0].result) == expected
    assert recording.notes == []


@pytest.mark.parametrize(("json_outputs", "expected"), HOW)
def test_whoever_has_a_dump_may_write_into_it_how_texts_are_read(json_outputs, expected):
    said = {"outputs": "json" if json_outputs else "text"}

    for found in ({**GUESSED, **said}, {"result": GUESSED, **said}, {"result": {**GUESSED, **said}}):
        recording = read(found)

        assert untag(recording.steps[0].result) == expected
        assert recording.notes == []


@pytest.mark.parametrize("said", ["JSON", "", None, True, ["json"]])
def test_how_texts_are_read_is_one_of_two(said):
    for found in ({**GUESSED, "outputs": said}, {"result": GUESSED, "success": True, "outputs": said}):
        with pytest.raises(RecordingError) as caught:
            read(found, "dump.json")

        assert str(caught.value) == (
            f'dump.json: "outputs" is {json.dumps(said)}, and it says how outputs are to be read that are JSON text. Write '
            '"outputs": "json" for the values that they hold, or "outputs": "text" for the texts as they are.'
        )


def test_a_text_that_is_no_json_stays_one_where_outputs_are_said_to_be_json_text():
    recording = read(dump(steps=[do(output='{"id": 1}'), do("b-1", output="shipped")]), json_outputs=True)

    assert [untag(step.result) for step in recording.steps] == [{"id": 1}, "shipped"]


def test_a_text_that_happens_to_be_json_stays_a_text_beside_other_values():
    recording = read(dump(steps=[do(output='{"id": 1}'), do("b-1", output={"id": 2})]))

    assert untag(recording.steps[0].result) == '{"id": 1}'


# -- callbacks ---------------------------------------------------------------------------------------------------------


def test_attempts_with_their_errors_and_delays():
    charge = load(DUMPS / "complete.json").steps[1]

    assert charge.label == "charge card-1"
    assert [(attempt.number, attempt.retry_delay_ms) for attempt in charge.attempts] == [
        (1, 10_005),
        (2, 20_010),
        (3, None),
    ]
    assert charge.attempts[0].error.message.endswith("RuntimeError: the bank answered 503\n")
    assert charge.attempts[2].error is None
    assert charge.config["retries"] == {"limit": 2, "delay": "10 seconds", "backoff": "exponential"}


def test_a_failed_step_has_its_last_attempts_error():
    charge = load(DUMPS / "errored.json").steps[1]

    assert charge.status == "errored"
    assert charge.error == charge.attempts[-1].error


def test_a_step_that_waits_for_its_next_attempt():
    charge = load(DUMPS / "retrying.json").steps[1]

    assert (charge.status, charge.ended_at, charge.result) == ("waiting", None, None)
    assert charge.attempts[-1].retry_delay_ms == 20_000


@pytest.mark.parametrize(
    ("backoff", "delay", "expected"),
    [
        ("constant", "10 seconds", 10_000),
        ("linear", 500, 1_000),
        ("exponential", 500, 1_000),
        ("exponential", "[dynamic]", None),
        ("exponential", "soon", None),
    ],
)
def test_when_the_next_attempt_is_due(backoff, delay, expected):
    failed = {
        "start": "2026-03-02T09:00:01Z",
        "end": "2026-03-02T09:00:02Z",
        "success": False,
        "error": {"message": "m"},
    }
    config = {"retries": {"limit": 5, "delay": delay, "backoff": backoff}, "timeout": 1}
    step = read(dump(status="running", steps=[do(success=None, end=None, attempts=[failed] * 2, config=config)])).steps[
        0
    ]

    assert step.attempts[-1].retry_delay_ms == expected


def test_a_step_at_work():
    step = load(DUMPS / "running.json").steps[0]

    assert (step.status, step.ended_at) == ("running", None)
    assert (step.attempts[0].ended_at, step.attempts[0].error) == (None, None)


@pytest.mark.parametrize("fields", [{}, {"success": None}])
def test_a_step_whose_last_attempt_succeeded_is_complete(fields):
    step = {"type": "step", "name": "charge-1", "attempts": [{"success": True}], "output": 3, **fields}

    [charge] = read(dump(steps=[step])).steps
    assert (charge.status, charge.result, charge.unknown_outcome) == ("complete", 3, False)


@pytest.mark.parametrize("kind", ["step", "sleep", "waitForEvent"])
def test_a_step_of_an_ended_instance_without_an_outcome_and_an_end_is_unknown_and_said(kind):
    recording = read(dump(steps=[{"type": kind, "name": "charge-1"}]))

    assert recording.steps[0].unknown_outcome
    assert "What became of step 'charge-1' is not in the dump." in recording.notes


def test_a_step_that_had_no_outcome_when_its_instance_ended_is_known():
    recording = read(dump(status="terminated", steps=[do(success=None, end=None)]))

    assert not recording.steps[0].unknown_outcome
    assert "Step 'charge-1' had no outcome when the instance ended." in recording.notes


def test_an_attempt_that_failed_without_an_error():
    recording = read(dump(status="errored", steps=[do(success=False, attempts=[{"success": False}])]))

    assert recording.steps[0].error.message == "The dump does not say what the error was."
    assert "What attempt 1 of step 'charge-1' failed with is not in the dump." in recording.notes


def test_an_error_beside_a_success_is_none():
    step = only_step(attempts=[{"success": True, "error": {"name": "string", "message": "string"}}])

    assert step.attempts[0].error is None


# -- sleeps and waits --------------------------------------------------------------------------------------------------


def test_a_sleep_that_is_over():
    sleep = load(DUMPS / "complete.json").steps[2]

    assert (sleep.kind, sleep.status, sleep.duration_ms) == ("sleep", "complete", 3 * 24 * 3600 * 1000)
    assert sleep.ended_at == datetime(2026, 3, 5, 9, 0, 31, 910_000, tzinfo=UTC)


def test_a_sleep_that_goes_on_has_its_end_as_the_time_when_it_is_due():
    sleep = load(DUMPS / "sleeping.json").steps[2]

    assert (sleep.status, sleep.ended_at, sleep.duration_ms) == ("waiting", None, 3 * 24 * 3600 * 1000)


def test_an_event_with_its_type_and_time():
    recording = load(DUMPS / "complete.json")
    wait = recording.steps[3]

    assert (wait.kind, wait.status, wait.event_type, wait.event) == ("wait_for_event", "complete", "approved", 0)
    assert untag(wait.result) == {
        "payload": {"by": "grace"},
        "type": "approved",
        "timestamp": datetime(2026, 3, 5, 15, 12),
    }
    assert [(event.type, event.payload, event.taken_by) for event in recording.events] == [
        ("approved", {"by": "grace"}, "approval-1")
    ]


def test_an_event_that_stands_there_as_its_payload_alone():
    wait = {"type": "waitForEvent", "name": "approval-1", "finished": True, "output": {"by": "grace"}, "error": None}
    times = {"start": "2026-03-02T09:00:01Z", "end": "2026-03-02T09:00:02Z"}
    recording = read(dump(steps=[{**wait, **times}]))

    found = untag(recording.steps[0].result)
    assert found["payload"] == {"by": "grace"}
    assert found["timestamp"] == datetime(2026, 3, 2, 9, 0, 2)
    assert repr(found["type"]) == "<unknown: the type of the event that 'approval-1' took is missing in the dump>"
    assert "The type of the event that 'approval-1' waits for is not in the dump." in recording.notes


def test_a_wait_that_timed_out():
    wait = load(DUMPS / "event_timed_out.json").steps[3]

    assert (wait.status, wait.error.name, wait.timeout_ms) == ("errored", "WorkflowTimeoutError", 24 * 3600 * 1000)


def test_a_wait_that_goes_on():
    recording = load(DUMPS / "waiting.json")

    assert (recording.steps[3].status, recording.steps[3].event_type) == ("waiting", "approved")
    assert recording.instance_id == "order-77"
    assert recording.notes == []


@pytest.mark.parametrize("kind", ["waitForEvent", "wait_for_event", "waitforevent", "wait-for-event"])
def test_a_type_is_read_in_every_spelling(kind):
    assert only_step(type=kind, finished=True).kind == "wait_for_event"


@pytest.mark.parametrize(
    ("fields", "kind"),
    [
        ({"attempts": []}, "do"),
        ({"output": 1}, "do"),
        ({"finished": True}, "sleep"),
        ({"finished": True, "output": {}}, "wait_for_event"),
        ({"finished": True, "event_type": "approved"}, "wait_for_event"),
    ],
)
def test_a_missing_type_is_what_the_fields_say(fields, kind):
    assert read(dump(steps=[{"name": "x-1", **fields}])).steps[0].kind == kind


# -- anything ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("value", [None, 7, "text", [], {}, [None], {"a": 1}, True], ids=str)
def test_no_field_of_an_unexpected_kind_stops_the_reading(value):
    names = [
        "status",
        "params",
        "trigger",
        "versionId",
        "queued",
        "start",
        "end",
        "success",
        "error",
        "output",
        "steps",
    ]
    inside = ["name", "type", "start", "end", "attempts", "config", "output", "success", "error", "finished"]

    for name in [*names, "step_count", "id", "schedule", "rollback"]:
        assert read(dump(**{name: value})).source == "production"
    for name in inside:
        for kind in ("step", "sleep", "waitForEvent"):
            assert read(dump(steps=[do(type=kind, **{name: value})] if name != "type" else [do(**{name: value})]))
    for name in ("start", "end", "success", "error"):
        assert read(dump(steps=[do(attempts=[{name: value}])]))


def test_a_file_that_breaks_off_is_no_json(tmp_path):
    (tmp_path / "dump.json").write_text('{"status": "errored", "steps": [')

    with pytest.raises(RecordingError, match=r"dump\.json: this is no JSON: .*truncated"):
        load(tmp_path / "dump.json")
