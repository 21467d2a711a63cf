"""`reproduce`: the current source against a recording, and what is said where it goes another way."""

import json
from pathlib import Path
from typing import Any

import pytest

from durable_engine import StepKey
from pytest_workflows.recordings import Recording, Step, load
from pytest_workflows.recordings.playback.script import find_until

ENTRY = """
    from datetime import datetime

    from workers import WorkflowEntrypoint

    calls = []


    class OrderWorkflow(WorkflowEntrypoint):
        async def run(self, event, step):
            times = [datetime.now().isoformat()]

            @step.do("reserve")
            async def reserve():
                calls.append("reserve")
                return {"left": 1}

            @step.do("charge", config={"retries": {"limit": 1, "delay": "10 seconds"}})
            async def charge(ctx):
                calls.append(f"charge {ctx['attempt']}")
                if ctx["attempt"] == 1:
                    raise ValueError("declined")
                return "ch_1"

            await reserve()
            await charge()
            times.append(datetime.now().isoformat())
            paid = await step.wait_for_event("payment", "paid", timeout="1 day")
            await step.sleep("cool down", "2 days")
            times.append(datetime.now().isoformat())
            if paid["payload"]["amount"] > 3:
                raise RuntimeError(f"cannot ship {times}")
            return times
"""
RECORD = """
    import pytest
    from pytest_workflows import introspect_workflow_instance

    @pytest.mark.workflow(now="2026-01-01T00:00:00Z")
    async def test_an_order_ships(workflow_env, workflow_clock):
        async with introspect_workflow_instance(workflow_env.ORDERS, "order-1") as instance:
            handle = await workflow_env.ORDERS.create({"id": "order-1", "params": {"sku": "A1"}})
            await instance.wait_for_step_result("charge")
            await workflow_clock.advance("1 hour")
            await handle.send_event({"type": "paid", "payload": {"amount": 5}})
            await instance.wait_for_status("complete")
"""
HEAD = """
    import pytest
    import entry
    from pathlib import Path
    from pytest_workflows import DivergenceError, RecordingError, UnknownValueError, reproduce

    FILE = ".workflows/failures/tests.test_it--test_an_order_ships/ORDERS-order-1.json"

    @pytest.fixture(autouse=True)
    def no_calls():
        entry.calls.clear()
"""


@pytest.fixture
def shop(worker: Any) -> Any:
    worker.set(workflows_ignore_rules="random-outside-step")  # its source tells the times that `run` sees
    worker.write("src/entry.py", ENTRY)
    worker.run(RECORD).assert_outcomes(failed=1)
    (worker.path / "tests/test_it.py").unlink()
    return worker


def run(shop: Any, test: str, passed: int = 1) -> pytest.RunResult:
    shop.write("tests/test_again.py", HEAD)
    with (shop.path / "tests/test_again.py").open("a") as file:
        file.write(shop.write("more.txt", test).read_text())
    result: pytest.RunResult = shop.run()
    result.assert_outcomes(passed=passed, failed=not passed)
    return result


def change(shop: Any, old: str, new: str) -> None:
    path = shop.path / "src/entry.py"
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def test_recorded_steps_answer_as_recorded_at_the_recorded_times(shop):
    run(
        shop,
        """
        async def test_again(workflow_env):
            async with reproduce(workflow_env.ORDERS, FILE) as instance:
                await instance.wait_for_status("errored")

                assert entry.calls == []
                reserve, charge, payment, cool_down = instance.steps
                assert reserve.result == {"left": 1}
                assert [str(attempt.started_at)[11:19] for attempt in charge.attempts] == ["00:00:00", "00:00:10"]
                assert charge.attempts[0].error["message"].endswith("ValueError: declined\\n")
                assert charge.attempts[0].retry_delay.total_seconds() == 10
                assert str(payment.ended_at) == "2026-01-01 01:00:10+00:00"
                assert payment.result["payload"] == {"amount": 5}
                assert str(cool_down.ended_at) == "2026-01-03 01:00:10+00:00"
        """,
    )


def test_the_clock_stands_where_it_stood_and_the_history_is_the_same(shop):
    run(
        shop,
        """
        import json

        async def test_again(workflow_env):
            async with reproduce(workflow_env.ORDERS, FILE) as instance:
                await instance.wait_for_status("errored")
                assert "['2026-01-01T00:00:00', '2026-01-01T00:00:10', '2026-01-03T01:00:10']" in str(instance.exception)

                recorded = [(line["kind"], line.get("step"), line["at"]) for line in json.loads(Path(FILE).read_text())["history"]]
                assert [
                    (line.kind, line.step, line.at.isoformat().replace("+00:00", "Z")) for line in instance.history
                ] == recorded
        """,
    )


def test_until_runs_for_real_from_that_step_on(shop):
    run(
        shop,
        """
        async def test_again(workflow_env):
            async with reproduce(workflow_env.ORDERS, FILE, until="charge") as instance:
                await instance.wait_for_status("errored")

                assert entry.calls == ["charge 1", "charge 2"]
                # The recorded event comes when it came.
                assert str(instance.steps[2].ended_at) == "2026-01-01 01:00:10+00:00"
        """,
    )


def test_until_takes_a_step_with_its_occurrence_as_history_shows_it(shop):
    run(
        shop,
        """
        async def test_again(workflow_env):
            async with reproduce(workflow_env.ORDERS, FILE, until="charge-1") as instance:
                await instance.wait_for_status("errored")
                assert entry.calls == ["charge 1", "charge 2"]
        """,
    )


def test_until_prefers_a_step_that_is_really_called_so():
    recording = Recording(instance_id="i", status="complete")
    recording.steps = [Step(kind="do", name="charge"), Step(kind="do", name="charge-1")]

    assert find_until(recording, "charge-1") == StepKey("do", "charge-1", 1)
    assert find_until(recording, "charge-1-1") == StepKey("do", "charge-1", 1)
    assert find_until(recording, "charge") == StepKey("do", "charge", 1)


def test_a_source_that_is_mended_comes_to_another_end(shop):
    change(shop, "> 3:", "> 5:")

    run(
        shop,
        """
        async def test_again(workflow_env):
            async with reproduce(workflow_env.ORDERS, FILE) as instance:
                await instance.wait_for_status("complete")
                assert len(await instance.get_output()) == 3
        """,
    )


def test_a_recording_is_taken_as_a_path_a_dict_and_a_recording(shop):
    run(
        shop,
        """
        import json
        from pytest_workflows.recordings import load

        @pytest.mark.parametrize("make", [Path, lambda path: json.loads(Path(path).read_text()), load])
        async def test_again(workflow_env, make):
            async with reproduce(workflow_env.ORDERS, make(FILE)) as instance:
                await instance.wait_for_status("errored")
        """,
        passed=3,
    )


def test_one_recording_after_the_other_can_be_reproduced_in_one_test(shop):
    run(
        shop,
        """
        async def test_again(workflow_env):
            for _ in range(2):
                async with reproduce(workflow_env.ORDERS, FILE) as instance:
                    await instance.wait_for_status("errored")
        """,
    )


DIVERGENCE = """
E           pytest_workflows.recordings.errors.DivergenceError: Instance 'order-1' of 'ORDERS' does not follow {file}: at src/entry.py:17 it asks for step.do('charge card'), where the recording has step.do('charge').
E
E                recorded                                    now
E                do reserve-1  src/entry.py:12               do reserve-1  src/entry.py:12
E             -> do charge-1  src/entry.py:17                do charge card-1  src/entry.py:17
E                wait_for_event payment-1  src/entry.py:27   -
E                sleep cool down-1  src/entry.py:28          -
E
E           An instance in flight has the recorded steps, and would go another way from here on. Keep those steps as they are, or let new code apply to new instances alone.
"""


def test_a_renamed_step_is_shown_beside_the_recorded_one(shop):
    change(shop, '"charge", config', '"charge card", config')

    result = run(
        shop,
        """
        async def test_again(workflow_env):
            async with reproduce(workflow_env.ORDERS, FILE) as instance:
                await instance.wait_for_status("errored")
        """,
        passed=0,
    )

    file = ".workflows/failures/tests.test_it--test_an_order_ships/ORDERS-order-1.json"
    lines = DIVERGENCE.format(file=file).strip("\n").splitlines()
    start = result.outlines.index(lines[0])
    assert lines == [line.rstrip() for line in result.outlines[start : start + len(lines)]]


def diverges(shop: Any, *expected: str) -> None:
    result = run(
        shop,
        """
        async def test_again(workflow_env):
            async with reproduce(workflow_env.ORDERS, FILE) as instance:
                await instance.wait_for_status("errored")
        """,
        passed=0,
    )
    result.stdout.fnmatch_lines([f"*{text}*" for text in expected])


def test_a_step_that_is_left_out_is_a_divergence(shop):
    change(shop, "            await charge()\n"[4:], "")

    diverges(
        shop,
        "DivergenceError: * at src/entry.py:26 it asks for step.wait_for_event('payment'), where the recording has step.do('charge').",
        "-> do charge-1  src/entry.py:17 * wait_for_event payment-1  src/entry.py:26",
    )


def test_two_steps_that_swapped_places_are_a_divergence(shop):
    change(shop, "await reserve()\n        await charge()", "await charge()\n        await reserve()")

    diverges(shop, "DivergenceError: * it asks for step.do('charge'), where the recording has step.do('reserve').")


def test_a_further_step_is_a_divergence(shop):
    change(shop, "        times.append", '        await step.sleep("a nap", 5)\n        times.append')

    diverges(
        shop,
        "DivergenceError: * it asks for step.sleep('a nap'), where the recording has step.wait_for_event('payment').",
    )


def test_steps_that_run_at_the_same_time_now_are_none(shop):
    change(
        shop,
        "await reserve()\n        await charge()",
        "import asyncio\n        await asyncio.gather(reserve(), charge())",
    )

    run(
        shop,
        """
        async def test_again(workflow_env):
            async with reproduce(workflow_env.ORDERS, FILE) as instance:
                await instance.wait_for_status("errored")
        """,
    )


def test_a_divergence_that_nobody_awaits_fails_the_test_all_the_same(shop):
    change(shop, '"charge", config', '"charge card", config')

    run(
        shop,
        """
        async def test_again(workflow_env, workflow_engine):
            with pytest.raises(DivergenceError, match="asks for step.do..charge card.."):
                async with reproduce(workflow_env.ORDERS, FILE) as instance:
                    await workflow_engine.advance("1 hour")
        """,
    )


def test_a_value_that_was_redacted_stops_the_run_where_it_is_used(worker):
    worker.write(
        "src/entry.py",
        """
        from workers import WorkflowEntrypoint

        calls = []


        class OrderWorkflow(WorkflowEntrypoint):
            async def run(self, event, step):
                @step.do("log in")
                async def log_in():
                    return {"password": {"text": "abc"}}

                @step.do("use")
                async def use():
                    return 1

                try:
                    await use()
                    if log_in_was_fine(await log_in()):
                        raise ValueError
                except Exception as error:
                    raise RuntimeError("swallowed") from error


        def log_in_was_fine(session):
            return session["password"]["text"] == "abc"
        """,
    )
    worker.set(workflows_redact="password")
    worker.run(
        """
        from pytest_workflows import introspect_workflow_instance

        async def test_an_order_ships(workflow_env):
            async with introspect_workflow_instance(workflow_env.ORDERS, "order-1") as instance:
                await workflow_env.ORDERS.create({"id": "order-1"})
                await instance.wait_for_status("complete")
        """
    ).assert_outcomes(failed=1)
    (worker.path / "tests/test_it.py").unlink()

    run(
        worker,
        """
        async def test_again(workflow_env):
            with pytest.raises(UnknownValueError, match="The workflow looks into it, but this value is not known: redacted"):
                async with reproduce(workflow_env.ORDERS, FILE) as instance:
                    await instance.wait_for_status("errored")
        """,
    )


def test_a_sensitive_output_stays_hidden_among_the_inputs_of_its_dependents(worker):
    worker.write(
        "src/entry.py",
        """
        from workers import WorkflowEntrypoint

        calls = []


        class OrderWorkflow(WorkflowEntrypoint):
            async def run(self, event, step):
                @step.do("key", config={"sensitive": "output"})
                async def key():
                    return {"private": "very secret"}

                @step.do("sign")
                async def sign(key):
                    return len(key["private"])

                raise RuntimeError(f"signed {await sign()}")
        """,
    )
    worker.run(RECORD).assert_outcomes(failed=1)
    (worker.path / "tests/test_it.py").unlink()

    run(
        worker,
        """
        async def test_again(workflow_env):
            async with reproduce(workflow_env.ORDERS, FILE) as instance:
                await instance.wait_for_status("errored")
                assert instance.steps[1].inputs == {"key": "[REDACTED]"}
                assert "signed 11" in (await instance.get_error())["message"]

        async def test_from_there_on(workflow_env):
            with pytest.raises(UnknownValueError, match="but this value is not known: redacted"):
                async with reproduce(workflow_env.ORDERS, FILE, until="sign") as instance:
                    await instance.wait_for_status("errored")
        """,
        passed=2,
    )


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        pytest.param(
            'reproduce(workflow_env.ORDERS, FILE, until="pay")',
            "RecordingError",
            "until='pay': the recording has no such step. It has: 'reserve-1', 'charge-1', 'payment-1', 'cool down-1'.",
            id="an unknown step",
        ),
        pytest.param(
            "reproduce('ORDERS', FILE)", "TypeError", "reproduce takes a workflow binding such as", id="no binding"
        ),
        pytest.param(
            "reproduce(workflow_env.ORDERS, 5)", "TypeError", "reproduce takes a recording's file", id="a number"
        ),
        pytest.param(
            'reproduce(workflow_env.ORDERS, "nowhere.json")',
            "RecordingError",
            "nowhere.json: the recording cannot",
            id="no file",
        ),
    ],
)
def test_arguments_that_make_no_sense_are_refused_at_once(shop, call, error, message):
    run(
        shop,
        f"""
        async def test_again(workflow_env):
            with pytest.raises({error}) as caught:
                {call}
            assert {message!r} in str(caught.value)
        """,
    )


def test_a_manual_clock_is_refused(shop):
    run(
        shop,
        """
        @pytest.mark.workflow(clock="manual")
        async def test_again(workflow_env):
            with pytest.raises(RecordingError, match="Take clock=.manual. off this test's marker"):
                async with reproduce(workflow_env.ORDERS, FILE):
                    pass
        """,
    )


def test_time_does_not_go_back_for_instances_that_exist(shop):
    run(
        shop,
        """
        @pytest.mark.workflow(now="2027-01-01T00:00:00Z")
        async def test_again(workflow_env):
            await workflow_env.ORDERS.create({"id": "order-2", "params": {}})
            with pytest.raises(Exception, match="The clock cannot go back from 2027-01-01T00:00:00.* to 2026-01-01T"):
                async with reproduce(workflow_env.ORDERS, FILE):
                    pass
        """,
    )


@pytest.mark.parametrize("moment", ['wait_for_step_result("charge")', 'wait_for_status("waiting")'])
def test_an_instance_that_crashes_while_it_is_reproduced_goes_on_as_recorded(shop, moment):
    run(
        shop,
        f"""
        async def test_again(workflow_env):
            async with reproduce(workflow_env.ORDERS, FILE) as instance:
                async with instance.modify() as m:
                    m.crash("end")
                await instance.{moment}
                await instance.crash()
                await instance.wait_for_status("errored")

                assert entry.calls == []
                assert str(instance.steps[-1].ended_at) == "2026-01-03 01:00:10+00:00"
        """,
    )


# -- ends that `run` does not choose ----------------------------------------------------------------------------------


def record(worker: Any, entry: str, act: str) -> None:
    """Leave a recording of an instance in the file that the tests here read."""
    worker.write("src/entry.py", entry)
    test = """
        import pytest
        from pytest_workflows import introspect_workflow_instance

        @pytest.mark.workflow(now="2026-01-01T00:00:00Z")
        async def test_an_order_ships(workflow_env, workflow_clock):
            async with introspect_workflow_instance(workflow_env.ORDERS, "order-1") as instance:
                handle = await workflow_env.ORDERS.create({"id": "order-1"})
                ACT
                pytest.fail("it is to be recorded")
    """
    worker.write("tests/test_it.py", test.replace("ACT", act))
    worker.run().assert_outcomes(failed=1)
    (worker.path / "tests/test_it.py").unlink()


def test_an_attempt_that_was_lost_is_lost_again(worker):
    worker.set(workflows_ignore_rules="random-outside-step")
    act = """async with instance.modify() as m:
                    m.crash("lost:charge#1")
                await instance.wait_for_step_result("charge")"""
    record(worker, ENTRY.replace('if ctx["attempt"] == 1:', "if False:"), act)
    run(
        worker,
        """
        async def test_again(workflow_env):
            async with reproduce(workflow_env.ORDERS, FILE) as instance:
                await instance.wait_for_step_result("charge")

                assert entry.calls == []
                lost, good = instance.steps[1].attempts
                assert lost.error["name"] == "WorkflowInternalError"
                assert (lost.retry_delay, good.error) == (None, None)
                assert [event.kind for event in instance.history if event.step == "charge-1"] == [
                    "STEP_START",
                    "ATTEMPT_START",
                    "ATTEMPT_FAILURE",
                    "ATTEMPT_START",
                    "ATTEMPT_SUCCESS",
                    "STEP_SUCCESS",
                ]
        """,
    )


TERMINATED = """
    from workers import WorkflowEntrypoint

    calls = []


    class OrderWorkflow(WorkflowEntrypoint):
        async def run(self, event, step):
            try:
                @step.do("reserve")
                async def reserve():
                    calls.append("reserve")
                    return 1

                await reserve()
                await step.sleep("cool down", "2 days")
            finally:
                calls.append("finally")
"""


@pytest.mark.parametrize(
    ("act", "at"),
    [
        ("await workflow_clock.advance('1 day'); await handle.terminate()", "2026-01-02T00:00:00+00:00"),
        ("await instance.wait_for_step_result('reserve'); await handle.terminate()", "2026-01-01T00:00:00+00:00"),
    ],
    ids=["in the sleep", "at the instant in which a step ends"],
)
def test_a_terminated_instance_is_terminated_when_it_was(worker, act, at):
    record(worker, TERMINATED, act)

    run(
        worker,
        f"""
        from pytest_workflows import introspect_workflow_instance

        async def test_again(workflow_env, workflow_clock):
            async with reproduce(workflow_env.ORDERS, FILE) as instance:
                await instance.wait_for_status("terminated")
                assert workflow_clock.now.isoformat() == "{at}"
                assert [(step.name, step.status) for step in instance.steps][0] == ("reserve", "complete")
            assert entry.calls == []
        """,
    )


def test_an_instance_that_ends_before_it_was_terminated_is_left_alone(worker):
    record(worker, TERMINATED, "await workflow_clock.advance('1 day'); await handle.terminate()")
    change(worker, 'await step.sleep("cool down", "2 days")', 'await step.sleep("cool off", "2 days")')

    run(
        worker,
        """
        async def test_again(workflow_env, workflow_clock):
            with pytest.raises(DivergenceError, match="cool off"):
                async with reproduce(workflow_env.ORDERS, FILE) as instance:
                    await workflow_clock.advance("2 days")
                    await instance.wait_for_status("terminated")
        """,
    )


BOTH = """
    import asyncio

    from workers import WorkflowEntrypoint

    calls = []


    class OrderWorkflow(WorkflowEntrypoint):
        async def run(self, event, step):
            async def work(name, turns):
                @step.do(name)
                async def callback():
                    for _ in range(turns):
                        await asyncio.sleep(0)
                    return name

                ended.append(await callback())

            ended = []
            await asyncio.gather(work("slow", 5), work("fast", 0))
            await step.wait_for_event("never", "never")
"""


def test_steps_that_ended_in_one_instant_end_in_the_recorded_order(worker):
    record(worker, BOTH, "await instance.wait_for_step_result('slow')")

    run(
        worker,
        """
        async def test_again(workflow_env):
            async with reproduce(workflow_env.ORDERS, FILE) as instance:
                await instance.wait_for_step_result("slow")
                ended = [event.step for event in instance.history if event.kind == "STEP_SUCCESS"]
                assert ended == ["fast-1", "slow-1"]
        """,
    )


UNSERIALISABLE = """
    from workers import WorkflowEntrypoint

    calls = []


    class OrderWorkflow(WorkflowEntrypoint):
        async def run(self, event, step):
            try:
                @step.do("reserve")
                async def reserve():
                    calls.append("reserve")
                    return print

                await reserve()
            except BaseException:
                calls.append("caught")
"""


def test_a_step_that_ended_its_instance_at_once_does_so_again(worker):
    record(worker, UNSERIALISABLE, "await instance.wait_for_status('errored')")

    run(
        worker,
        """
        async def test_again(workflow_env):
            async with reproduce(workflow_env.ORDERS, FILE) as instance:
                await instance.wait_for_status("errored")
                assert "returned a value which is not serialisable" in (await instance.get_error())["message"]
            assert entry.calls == []
        """,
    )


COMPENSATED = """
    from workers import WorkflowEntrypoint
    from workers.workflows import NonRetryableError

    calls = []


    class OrderWorkflow(WorkflowEntrypoint):
        async def run(self, event, step):
            @step.do("charge")
            async def charge():
                raise NonRetryableError("declined")

            @step.do("release")
            async def release():
                calls.append("release")

            try:
                await charge()
            except Exception:
                await release()
                raise
"""


def test_what_run_did_after_a_step_that_failed_for_good_is_reproduced(worker):
    record(worker, COMPENSATED, "await instance.wait_for_status('errored')")

    run(
        worker,
        """
        async def test_again(workflow_env):
            async with reproduce(workflow_env.ORDERS, FILE) as instance:
                await instance.wait_for_status("errored")
                assert [(step.name, step.status) for step in instance.steps] == [
                    ("charge", "errored"),
                    ("release", "complete"),
                ]
        """,
    )


@pytest.mark.parametrize("more", ["", "'queued': '2026-03-02T09:00:00Z', 'params': {}, ", "'params': {}, "])
@pytest.mark.parametrize("step", ["", ", 'attempts': []"])
def test_a_step_of_which_no_attempt_is_known_is_shown_as_far_as_it_is(shop, more, step):
    result = run(
        shop,
        f"""
        DUMP = {{{more}"status": "running", "steps": [{{"type": "step", "name": "reserve-1"{step}}}]}}

        async def test_again(workflow_env):
            async with reproduce(workflow_env.ORDERS, DUMP) as instance:
                await instance.wait_for_status("complete")
        """,
        passed=0,
    )

    result.stdout.fnmatch_lines(
        ["*Instance 'unknown' of 'ORDERS': *", "  +0*do*reserve-1*running*", "  now: runs the callback of 'reserve-1'"]
    )
    result.stdout.no_fnmatch_line("*ValueError*")
    [recording] = (shop.path / ".workflows/failures/tests.test_again--test_again").iterdir()
    assert [step.status for step in load(recording).steps] == ["running"]


def test_a_wait_for_what_is_not_known_says_so(shop):
    result = run(
        shop,
        """
        DUMP = {"status": "complete", "params": {}, "steps": [{"type": "step", "name": "reserve-1"}]}

        async def test_again(workflow_env):
            async with reproduce(workflow_env.ORDERS, DUMP) as instance:
                await instance.wait_for_status("complete")
        """,
        passed=0,
    )

    result.stdout.fnmatch_lines(
        [
            "E   *RecordingError: Instance 'unknown' of 'ORDERS' follows the recording up to step.do('reserve'), and what *"
        ]
    )


def test_where_it_was_guessed_how_production_s_outputs_are_read_errors_say_so(shop):
    change(shop, "await reserve()\n", 'assert (await reserve())["left"] == 1\n')
    test = """
        from pytest_workflows.recordings import load
        from pytest_workflows.recordings.production import AS_JSON

        STEP = {"type": "step", "name": "reserve-1", "success": True, "output": '{"left": 1}', "attempts": []}
        DUMP = {"status": "errored", "params": {}, "steps": [STEP]}

        async def test_again(workflow_env):
            async with reproduce(workflow_env.ORDERS, {**DUMP, "outputs": "json"}) as instance:
                with pytest.raises(DivergenceError, match="charge") as said:
                    await instance.wait_for_status("errored")
            assert AS_JSON not in str(said.value)

        async def test_guessed(workflow_env):
            with pytest.raises(DivergenceError, match="charge") as guessed:
                async with reproduce(workflow_env.ORDERS, DUMP) as instance:
                    await instance.wait_for_status("errored")
            assert str(guessed.value).endswith(AS_JSON)
            assert not hasattr(guessed.value, "__notes__")

        async def test_texts(workflow_env):
            async with reproduce(workflow_env.ORDERS, {**DUMP, "outputs": "text"}) as instance:
                await instance.wait_for_status("errored")
            Path("dump.json").write_text(__import__("json").dumps(DUMP))
            async with reproduce(workflow_env.ORDERS, load("dump.json", json_outputs=False)) as instance:
                await instance.wait_for_status("errored")
    """
    run(shop, test, passed=3)


def test_where_it_ends_otherwise_the_test_s_error_says_how_outputs_were_guessed(shop):
    change(shop, "await reserve()\n", 'await reserve(); raise RuntimeError("nothing left")\n')
    test = """
        STEP = {"type": "step", "name": "reserve-1", "success": True, "output": '{"left": 1}', "attempts": []}

        async def test_again(workflow_env):
            dump = {"status": "complete", "params": {}, "output": '{"left": 1}', "steps": [STEP]}
            async with reproduce(workflow_env.ORDERS, dump) as instance:
                await instance.wait_for_status("complete")
    """
    result = run(shop, test, passed=0)
    result.stdout.fnmatch_lines(["*How outputs are read was guessed: each one in the dump is JSON text*"])


# -- several sleeps of one name -----------------------------------------------------------------------------------------

NAPS = """
    from workers import WorkflowEntrypoint


    class NapWorkflow(WorkflowEntrypoint):
        async def run(self, event, step):
            await step.sleep("nap", "1 hour")
            await step.sleep("nap", "2 hours")
            woken = await step.wait_for_event("woken", "noise", timeout="1 day")
            await step.sleep("nap", "1 hour")

            @step.do("tell")
            async def tell():
                return f"woken by {woken.payload}"

            return await tell()
"""
AGAIN = """
    from pytest_workflows import DivergenceError, reproduce

    async def test_again(workflow_env):
        async with reproduce(workflow_env.NAPS, "naps.json") as instance:
            await instance.wait_for_status("complete")
            assert [step.duration.total_seconds() / 3600 for step in instance.steps if step.kind == "sleep"] == [1, 2, 1]
            assert await instance.get_output() == "woken by dog"
"""


@pytest.fixture
def naps(worker: Any) -> Any:
    worker.write(
        "wrangler.jsonc",
        '{"name": "naps", "main": "src/entry.py", "compatibility_date": "2026-11-10", '
        '"workflows": [{"name": "naps", "binding": "NAPS", "class_name": "NapWorkflow"}]}',
    )
    worker.write("src/entry.py", NAPS)
    sample = Path(__file__).parents[1] / "recordings" / "samples" / "sleeps_of_0_1_0.json"
    worker.write("naps.json", sample.read_text(encoding="utf-8"))
    return worker


def test_a_recording_of_0_1_0_still_replays(naps):
    naps.run(AGAIN).assert_outcomes(passed=1)


def test_a_sleep_of_another_duration_is_another_step(naps):
    change(naps, '"2 hours"', '"3 hours"')
    result = naps.run(AGAIN)

    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        [
            "*it asks for step.sleep('nap') of 3 hours, where the recording has step.sleep('nap') of 2 hours.",
        ]
    )


def test_production_tells_how_long_a_sleep_took_and_not_how_long_it_was_to_take(naps):
    recording = json.loads((naps.path / "naps.json").read_text(encoding="utf-8"))
    steps = []
    for step in recording["steps"]:
        name = f"{step['name']}-{step.get('count', 1)}"
        if step["kind"] == "sleep":
            name = f"nap-{1 if step.get('count', 1) < 3 else 2}"
            times = {"start": step["started_at"], "end": step["ended_at"].replace(":00Z", ":00.007Z"), "finished": True}
            steps.append({"type": "sleep", "name": name, **times})
        elif step["kind"] == "wait_for_event":
            output = {"payload": "dog", "type": "noise", "timestamp": step["ended_at"]}
            times = {"start": step["started_at"], "end": step["ended_at"], "finished": True}
            steps.append({"type": "waitForEvent", "name": name, **times, "output": output})
        else:
            times = {"start": step["started_at"], "end": step["ended_at"], "success": True}
            steps.append({"type": "step", "name": name, **times, "output": step["result"], "attempts": []})
    dump = {
        "id": "nap-1",
        "status": "complete",
        "queued": recording["created_at"],
        "start": recording["started_at"],
        "end": recording["ended_at"],
        "params": {},
        "output": recording["output"],
        "steps": steps,
    }
    naps.write("naps.json", json.dumps(dump))

    naps.run(AGAIN).assert_outcomes(passed=1)
