"""A failing test leaves a recording of each of its instances, says where, and how to run one again."""

import json
import re
from typing import Any

import pytest

from pytest_workflows.recordings import Recording, load, untag

ENTRY = """
    import logging
    import sys

    from workers import WorkflowEntrypoint

    log = logging.getLogger("orders")


    class OrderWorkflow(WorkflowEntrypoint):
        async def run(self, event, step):
            print("order of", event["payload"]["sku"])

            @step.do("reserve")
            async def reserve():
                print("reserving", end=" ")
                print("now")
                print("careful", file=sys.stderr)
                log.warning("stock is %s", "low")
                return {"token": "tok-123456", "left": 1}

            @step.do("charge", config={"retries": {"limit": 1, "delay": "10 seconds"}})
            async def charge(reserve, ctx):
                print("attempt", ctx["attempt"])
                if ctx["attempt"] == 1:
                    raise ValueError(f"declined with {reserve['token']}")
                return "ch_1"

            @step.do("key", config={"sensitive": "output"})
            async def key():
                return {"private": "very secret"}

            @step.do("sign")
            async def sign(key):
                return len(key["private"])

            await charge()
            await sign()
            paid = await step.wait_for_event("payment", "paid", timeout="1 day")
            await step.sleep("cool down", "2 days")
            raise RuntimeError(f"cannot ship {paid['payload']['amount']}")
"""
TESTS = """
    from pytest_workflows import introspect_workflow_instance


    async def test_an_order_ships(workflow_env):
        async with introspect_workflow_instance(workflow_env.ORDERS, "order-1") as instance:
            async with instance.modify() as m:
                m.disable_sleeps("cool down")
            handle = await workflow_env.ORDERS.create({"id": "order-1", "params": {"sku": "A1"}})
            await instance.wait_for_step_result("key")
            await handle.send_event({"type": "paid", "payload": {"amount": 5}})
            await instance.wait_for_status("complete")
"""
FOLDER = ".workflows/failures/tests.test_it--test_an_order_ships"
PASSING = """
    async def test_an_order_starts(workflow_env, workflow_engine):
        await workflow_env.ORDERS.create({"id": "order-1", "params": {"sku": "A1"}})
        await workflow_env.ORDERS.create({"id": "order-2", "params": {"sku": "A2"}})
        await workflow_engine.run_until_idle()
"""


@pytest.fixture
def shop(worker: Any) -> Any:
    worker.write("src/entry.py", ENTRY)
    worker.set(workflows_now="2026-01-01T00:00:00Z")
    return worker


def recorded(shop: Any, folder: str = FOLDER, name: str = "ORDERS-order-1") -> Recording:
    return load(shop.path / folder / f"{name}.json")


def files(shop: Any) -> list[str]:
    return sorted(str(path.relative_to(shop.path)) for path in (shop.path / ".workflows").rglob("*.json"))


def test_the_report_of_a_failing_test_names_its_recordings_and_the_line_to_run_one_again(shop):
    result = shop.run(TESTS)

    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        [
            "*- Workflow recordings -*",
            f"{FOLDER}/ORDERS-order-1.json",
            f"Run it again: pytest-workflows reproduce {FOLDER}/ORDERS-order-1.json",
        ],
        consecutive=True,
    )
    assert files(shop) == [f"{FOLDER}/ORDERS-order-1.json"]


def test_a_recording_says_what_ran_and_how_it_ended(shop):
    shop.run(TESTS)

    found = recorded(shop)

    assert (found.test, found.outcome) == ("tests/test_it.py::test_an_order_ships", "failed")
    assert (found.binding, found.workflow, found.instance_id) == ("ORDERS", "orders", "order-1")
    assert (found.class_name, found.module, found.file) == ("OrderWorkflow", "entry", "src/entry.py")
    assert found.config == "wrangler.jsonc"
    assert found.params == {"sku": "A1"}
    assert found.seed == "tests/test_it.py::test_an_order_ships"
    assert [one.call for one in found.modifications] == ["disable_sleeps('cool down')"]
    assert found.modifications[0].used
    assert found.status == "errored"
    assert found.error is not None
    assert found.error.message.endswith("RuntimeError: cannot ship 5\n")
    assert found.traceback is not None
    assert re.fullmatch(
        r'Traceback \(most recent call last\):\n  File ".*entry.py", line 40, in run\n    raise RuntimeError.*\n'
        r"RuntimeError: cannot ship 5\n",
        found.traceback,
    )
    assert found.real_ms is not None
    assert str(found.clock_start) == str(found.created_at) == "2026-01-01 00:00:00+00:00"
    assert str(found.ended_at) == "2026-01-01 00:00:10+00:00"


def test_a_recording_has_every_attempt_with_its_times_and_its_output(shop):
    shop.run(TESTS)

    reserve, charge = (step for step in recorded(shop).steps if step.name in ("reserve", "charge"))

    assert [(line.source, line.text, line.level) for line in reserve.attempts[0].log] == [
        ("stdout", "reserving now", None),
        ("stderr", "careful", None),
        ("logging", "stock is low", "WARNING"),
    ]
    assert [str(attempt.started_at)[11:19] for attempt in charge.attempts] == ["00:00:00", "00:00:10"]
    assert [attempt.retry_delay_ms for attempt in charge.attempts] == [10_000, None]
    assert charge.attempts[0].error is not None
    assert charge.attempts[0].error.message.endswith("ValueError: declined with tok-123456\n")
    assert [(str(line.at)[11:19], line.text) for attempt in charge.attempts for line in attempt.log] == [
        ("00:00:00", "attempt 1"),
        ("00:00:10", "attempt 2"),
    ]
    assert all(attempt.real_ms is not None for attempt in charge.attempts)
    assert charge.inputs == {"reserve": {"token": "tok-123456", "left": 1}}
    assert charge.place is not None
    assert (charge.place.file, charge.place.line) == ("src/entry.py", 21)
    assert [line.text for line in recorded(shop).log] == ["order of A1"]


def test_a_recording_has_events_waits_and_sleeps(shop):
    shop.run(TESTS)

    found = recorded(shop)
    payment, cool_down = found.steps[-2:]

    assert (payment.event_type, payment.timeout_ms, payment.event) == ("paid", 86_400_000, 0)
    assert found.events[0].payload == {"amount": 5}
    assert found.events[0].taken_by == "payment-1"
    assert cool_down.duration_ms == 172_800_000
    assert [line.kind for line in found.history[:4]] == [
        "WORKFLOW_QUEUED",
        "WORKFLOW_START",
        "WORKFLOW_RUNNING",
        "STEP_START",
    ]


def test_a_sensitive_output_is_not_in_the_file(shop):
    shop.run(TESTS)

    steps = {step.name: step for step in recorded(shop).steps}

    assert steps["key"].sensitive
    assert repr(untag(steps["key"].result)) == "[REDACTED]"
    assert repr(untag(steps["sign"].inputs["key"])) == "[REDACTED]"
    assert steps["sign"].result == 11
    assert "very secret" not in (shop.path / FOLDER / "ORDERS-order-1.json").read_text()


def test_values_of_redacted_keys_are_in_the_file_nowhere(shop):
    shop.set(workflows_now="2026-01-01T00:00:00Z", workflows_redact="TOKEN sku")

    shop.run(TESTS)

    text = (shop.path / FOLDER / "ORDERS-order-1.json").read_text()
    reserve = next(step for step in recorded(shop).steps if step.name == "reserve")
    assert reserve.result == {"token": "[REDACTED]", "left": 1}
    assert recorded(shop).params == {"sku": "[REDACTED]"}
    assert "tok-123456" not in text
    assert "ValueError: declined with [REDACTED]" in text


LEAKY = """
    from workers import WorkflowEntrypoint


    class OrderWorkflow(WorkflowEntrypoint):
        async def run(self, event, step):
            params = event["payload"]

            @step.do("login", config={"sensitive": "output"})
            async def login():
                return {"key": "sens_abcdefgh"}

            @step.do("use")
            async def use(login):
                print("with", login["key"])
                await self.env.BANK.pay(f"Bearer {login['key']}", by=params["token"])
                return {"header": f"key={login['key']}", "t": params["token"]}

            key = (await login())["key"]
            used = await use()
            paid = await step.wait_for_event("payment", "paid", timeout="1 day")
            if params.get("fails"):
                raise RuntimeError(f"no use for {key}, {params['token']}")
            return {"key": key, "t": [f"token={params['token']}"], "used": used, "paid": paid["payload"]}
"""
LEAKY_TESTS = """
    import pytest
    from pytest_workflows import introspect_workflow_instance

    class Bank:
        async def pay(self, key, by):
            return 1

    @pytest.fixture
    def workflow_bindings():
        return {"BANK": Bank()}

    @pytest.mark.parametrize("fails", [False, True])
    async def test_an_order(workflow_env, fails):
        async with introspect_workflow_instance(workflow_env.ORDERS, f"order-{fails}") as instance:
            handle = await workflow_env.ORDERS.create(
                {"id": f"order-{fails}", "params": {"token": "tok_12345678", "seen": "by tok_12345678", "fails": fails}}
            )
            await handle.send_event({"type": "paid", "payload": "sens_abcdefgh"})
            await instance.wait_for_status("errored" if fails else "complete")
"""


@pytest.fixture
def leaky(worker):
    worker.set(workflows_redact="token", workflows_failures_dir="histories")
    worker.write("src/entry.py", LEAKY)
    worker.run(LEAKY_TESTS, "--workflows-record=all").assert_outcomes(passed=2)
    return worker


def test_secrets_stand_in_a_recording_nowhere(leaky):
    files = list((leaky.path / "histories").rglob("*.json"))

    assert len(files) == 2
    for file in files:
        text = file.read_text()
        assert "sens_" not in text
        assert "tok_" not in text
    recording = load(next(file for file in files if "False" in file.name))
    assert recording.params["seen"] == "by [REDACTED]"
    assert recording.steps[1].result == {"header": "key=[REDACTED]", "t": "[REDACTED]"}
    assert recording.steps[1].attempts[0].log[0].text == "with [REDACTED]"
    assert recording.effects[0].args == ["Bearer [REDACTED]"]
    assert recording.effects[0].kwargs == {"by": "[REDACTED]"}
    assert recording.events[0].payload == "[REDACTED]"
    assert recording.output["t"] == ["token=[REDACTED]"]


def test_a_mocked_attempt_and_a_nested_step_are_marked(worker):
    worker.write(
        "src/entry.py",
        """
        from workers import WorkflowEntrypoint


        class OrderWorkflow(WorkflowEntrypoint):
            async def run(self, event, step):
                @step.do("outer")
                async def outer():
                    @step.do("inner")
                    async def inner():
                        return 1

                    return await inner()

                @step.do("mocked")
                async def mocked():
                    return 1

                await outer()
                await mocked()
        """,
    )

    worker.run(
        """
        from pytest_workflows import introspect_workflow_instance

        async def test_an_order_ships(workflow_env):
            async with introspect_workflow_instance(workflow_env.ORDERS, "order-1") as instance:
                async with instance.modify() as m:
                    m.mock_step_result("mocked", 2)
                await workflow_env.ORDERS.create({"id": "order-1"})
                await instance.wait_for_status("complete")
                assert 0
        """
    )

    outer, inner, mocked = recorded(worker).steps
    assert (outer.parent, inner.parent) == (None, "outer-1")
    assert [step.attempts[0].mocked for step in (outer, inner, mocked)] == [False, False, True]


def test_a_crash_is_recorded_with_what_it_took(worker):
    worker.run(
        """
        from pytest_workflows import introspect_workflow_instance

        async def test_an_order_ships(workflow_env):
            async with introspect_workflow_instance(workflow_env.ORDERS, "order-1") as instance:
                async with instance.modify() as m:
                    m.crash("lost:charge")
                await workflow_env.ORDERS.create({"id": "order-1"})
                await instance.wait_for_status("complete")
                assert 0
        """
    )

    found = recorded(worker)
    assert [(crash.after, crash.step, crash.attempt) for crash in found.crashes] == [("charge-1", "charge-1", 1)]
    assert found.lives == 2
    assert [attempt.lost for attempt in found.steps[0].attempts] == [True, False]


def test_a_passing_test_leaves_no_recording(shop):
    result = shop.run(PASSING)

    result.assert_outcomes(passed=1)
    assert not (shop.path / ".workflows").exists()


def test_a_test_that_passes_again_takes_its_recordings_away(shop):
    shop.run(TESTS)
    assert files(shop)

    shop.run(TESTS.replace('wait_for_status("complete")', 'wait_for_status("errored")')).assert_outcomes(passed=1)

    assert files(shop) == []


def test_a_test_that_fails_again_replaces_its_recordings(shop):
    shop.run(TESTS)
    (shop.path / FOLDER / "ORDERS-of-before.json").write_text("{}")

    shop.run(TESTS)

    assert files(shop) == [f"{FOLDER}/ORDERS-order-1.json"]


def test_record_all_keeps_those_of_passing_tests_as_well(shop):
    result = shop.run(PASSING, "--workflows-record=all")

    result.assert_outcomes(passed=1)
    result.stdout.no_fnmatch_line("*Workflow recordings*")
    folder = ".workflows/failures/tests.test_it--test_an_order_starts"
    assert files(shop) == [f"{folder}/ORDERS-order-1.json", f"{folder}/ORDERS-order-2.json"]
    assert recorded(shop, folder).outcome == "passed"
    assert recorded(shop, folder).status == "errored"


def test_record_none_records_nothing(shop):
    result = shop.run(TESTS, "--workflows-record=none")

    result.assert_outcomes(failed=1)
    result.stdout.no_fnmatch_line("*Workflow recordings*")
    assert not (shop.path / ".workflows").exists()


def test_another_word_than_all_failed_and_none_is_a_usage_error(shop):
    result = shop.run(TESTS, "--workflows-record=some", process=True)

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*--workflows-record: invalid choice: 'some' (choose from*"])


def test_the_folder_can_be_chosen(shop):
    shop.set(workflows_failures_dir="build/histories")

    shop.run(TESTS)

    assert (shop.path / "build/histories/tests.test_it--test_an_order_ships/ORDERS-order-1.json").is_file()
    assert not (shop.path / ".workflows").exists()


def test_git_does_not_see_the_folder(shop):
    shop.run(TESTS)

    assert (shop.path / ".workflows/failures/.gitignore").read_text().endswith("*\n")


def test_each_case_of_a_parametrised_test_has_a_folder_whatever_its_name(shop):
    shop.run(
        """
        import pytest

        @pytest.mark.parametrize("sku", ["a/b", "a b", "ä" * 200])
        async def test_an_order(workflow_env, workflow_engine, sku):
            await workflow_env.ORDERS.create({"id": "order-1", "params": {"sku": sku}})
            await workflow_engine.run_until_idle()
            assert 0
        """
    ).assert_outcomes(failed=3)

    folders = [path.split("/")[2] for path in files(shop)]
    assert len(set(folders)) == 3
    assert all(re.fullmatch(r"tests\.test_it--test_an_order-[a-zA-Z0-9_.-]{0,120}", folder) for folder in folders)


def test_two_instances_with_one_id_after_each_other_have_a_file_each(shop):
    shop.run(
        """
        from pytest_workflows import introspect_workflow_instance

        async def test_an_order_ships(workflow_env):
            for sku in ("A1", "A2"):
                async with introspect_workflow_instance(workflow_env.ORDERS, "order-1") as instance:
                    await workflow_env.ORDERS.create({"id": "order-1", "params": {"sku": sku}})
                    await instance.wait_for_step_result("charge")
            assert 0
        """
    )

    assert recorded(shop).params == {"sku": "A1"}
    assert recorded(shop, name="ORDERS-order-1.2").params == {"sku": "A2"}


def test_workers_of_xdist_record_as_well(shop):
    result = shop.run(TESTS, "-n", "1")

    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines([f"{FOLDER}/ORDERS-order-1.json"])
    assert recorded(shop).status == "errored"


def test_what_user_code_prints_is_captured_as_before(shop):
    result = shop.run(
        TESTS
        + """

    async def test_capsys_sees_it(workflow_env, workflow_engine, capsys):
        await workflow_env.ORDERS.create({"id": "order-1", "params": {"sku": "A1"}})
        await workflow_engine.run_until_idle()
        assert "order of A1" in capsys.readouterr().out
        assert capsys.readouterr().out == ""
    """
    )

    result.assert_outcomes(failed=1, passed=1)
    result.stdout.fnmatch_lines(["*Captured stdout call*", "order of A1", "reserving now", "attempt 1", "attempt 2"])
    result.stdout.fnmatch_lines(["*Captured stderr call*", "careful"])


def test_an_explored_run_that_fails_has_recordings_of_its_own(worker):
    worker.write(
        "src/entry.py",
        """
        from workers import WorkflowEntrypoint

        calls = []


        class OrderWorkflow(WorkflowEntrypoint):
            async def run(self, event, step):
                @step.do("charge")
                async def charge():
                    calls.append(1)

                await charge()
        """,
    )
    result = worker.run(
        """
        import entry

        async def test_it_charges_once(workflow_env, workflow_engine):
            entry.calls.clear()
            await workflow_env.ORDERS.create({"id": "order-1"})
            await workflow_engine.run_until_idle()
            assert entry.calls == [1]
        """,
        "--workflows-crash=lost:charge#1",
    )

    result.stdout.fnmatch_lines(
        ["*.workflows/failures/tests.test_it--test_it_charges_once-crash-lost-result-of-charge-*"]
    )
    assert len(files(worker)) == 1


def test_the_file_is_json_with_a_mark_and_a_version_first(shop):
    shop.run(TESTS)

    found = json.loads((shop.path / FOLDER / "ORDERS-order-1.json").read_text())

    assert list(found)[:2] == ["format", "version"]
    assert (found["format"], found["version"]) == ("pytest-workflows-recording", 1)
