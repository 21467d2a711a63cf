"""`--workflows-replay`: recordings as a regression suite of histories."""

import json
from typing import Any

import pytest

from pytest_workflows.recordings.production import AS_JSON

ENTRY = """
    from workers import WorkflowEntrypoint


    class OrderWorkflow(WorkflowEntrypoint):
        async def run(self, event, step):
            stock = self.env.STOCK

            @step.do("reserve", config={"retries": {"limit": 1, "delay": "1 minute"}})
            async def reserve(ctx):
                if ctx["attempt"] == 1:
                    raise ValueError("try again")
                return await stock.take(event["payload"]["sku"])

            left = await reserve()
            await step.sleep("cool down", "2 days")
            if left == 0:
                raise RuntimeError("nothing left")
            return {"left": left}
"""
TESTS = """
    import pytest

    class Stock:
        async def take(self, sku):
            return {"A1": 1, "A2": 0}[sku]

    @pytest.fixture
    def workflow_bindings():
        return {"STOCK": Stock()}

    @pytest.mark.parametrize("sku", ["A1", "A2"])
    async def test_an_order(workflow_env, workflow_engine, sku):
        await workflow_env.ORDERS.create({"id": f"order-{sku}", "params": {"sku": sku}})
        await workflow_engine.run_until_idle()
"""


@pytest.fixture
def shop(worker: Any) -> Any:
    worker.write("src/entry.py", ENTRY)
    worker.set(workflows_failures_dir="histories", workflows_now="2026-01-01T00:00:00Z")
    worker.run(TESTS, "--workflows-record=all").assert_outcomes(passed=2)
    for folder in (worker.path / "histories").glob("tests.*"):
        for file in folder.iterdir():
            file.rename(worker.path / "histories" / file.name)
        folder.rmdir()
    return worker


def change(shop: Any, old: str, new: str) -> None:
    path = shop.path / "src/entry.py"
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def test_each_recording_is_a_test_and_nothing_else_is_collected(shop):
    result = shop.run(None, "--workflows-replay=histories", "-v")

    result.assert_outcomes(passed=2)
    result.stdout.fnmatch_lines(
        [
            "histories/ORDERS-order-A1.json::ORDERS[[]order-A1[]] PASSED*",
            "histories/ORDERS-order-A2.json::ORDERS[[]order-A2[]] PASSED*",
        ],
        consecutive=True,
    )


def test_a_single_file_and_a_file_together_with_a_folder_of_tests(shop):
    shop.run(None, "--workflows-replay=histories/ORDERS-order-A1.json").assert_outcomes(passed=1)
    shop.run(None, "tests", "--workflows-replay=histories/ORDERS-order-A1.json").assert_outcomes(passed=3)


def test_a_failure_says_what_runs_it_again(shop):
    change(shop, 'step.sleep("cool down"', 'step.sleep("wait a while"')

    result = shop.run(None, "--workflows-replay=histories")
    again = shop.run(None, "--workflows-replay=histories/ORDERS-order-A1.json")

    result.assert_outcomes(failed=2)
    result.stdout.fnmatch_lines(["*- Run it again -*", "pytest --workflows-replay=histories/ORDERS-order-A1.json"])
    again.assert_outcomes(failed=1)


def test_a_file_outside_of_rootdir_has_its_path_in_its_name(shop, tmp_path_factory):
    file = tmp_path_factory.mktemp("elsewhere") / "a.json"
    (shop.path / "histories/ORDERS-order-A1.json").rename(file)

    result = shop.run(None, f"--workflows-replay={file}", "-v")
    folder = shop.run(None, f"--workflows-replay={file.parent}", "-v")

    for one in (result, folder):
        one.assert_outcomes(passed=1)
        assert f"{file}::ORDERS[order-A1] PASSED" in one.stdout.str()


def test_a_folder_whose_name_begins_with_a_dot_is_looked_into(shop):
    (shop.path / ".workflows").mkdir()
    (shop.path / "histories").rename(shop.path / ".workflows/kept")

    shop.run(None, "--workflows-replay=.workflows/kept").assert_outcomes(passed=2)


def test_a_step_with_another_name_fails_without_a_traceback_of_ours(shop):
    change(shop, 'step.sleep("cool down"', 'step.sleep("wait a while"')

    result = shop.run(None, "--workflows-replay=histories/ORDERS-order-A1.json")

    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        [
            "*_ ORDERS[[]order-A1[]] _*",
            "Instance 'order-A1' of 'ORDERS' does not follow histories/ORDERS-order-A1.json: at src/entry.py:15 it asks for "
            "step.sleep('wait a while'), where the recording has step.sleep('cool down').",
        ],
        consecutive=True,
    )
    result.stdout.fnmatch_lines(["  -> sleep cool down-1  src/entry.py:15   sleep wait a while-1  src/entry.py:15"])
    result.stdout.no_fnmatch_line("*replay.py*")
    result.stdout.no_fnmatch_line("*Workflow recordings*")


def test_another_error_at_the_end_fails(shop):
    change(shop, '"nothing left"', '"sold out"')

    result = shop.run(None, "--workflows-replay=histories")

    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(
        [
            "Instance 'order-A2' of 'ORDERS' follows histories/ORDERS-order-A2.json, but to another end:",
            "  recorded: errored with RuntimeError: nothing left",
            "  now:      errored with RuntimeError: sold out (src/entry.py:17)",
        ],
        consecutive=True,
    )


def test_another_output_fails(shop):
    change(shop, 'return {"left": left}', 'return {"left": left + 1}')

    result = shop.run(None, "--workflows-replay=histories/ORDERS-order-A1.json")

    result.stdout.fnmatch_lines(
        ["  recorded: complete with {'left': 1}", "  now:      complete with {'left': 2}"], consecutive=True
    )


ERRORS = """
    from workers import WorkflowEntrypoint


    class OrderWorkflow(WorkflowEntrypoint):
        async def run(self, event, step):
            @step.do("check")
            async def check():
                return {"errors": [ValueError("bad sku")]}

            found = await check()
            paid = await step.wait_for_event("payment", "paid", timeout="1 day")
            return " ".join(map(str, [found["errors"][0], *paid["payload"], event["payload"]["error"]]))
"""
SECRETS = """
    from workers import WorkflowEntrypoint


    class OrderWorkflow(WorkflowEntrypoint):
        async def run(self, event, step):
            token = event["payload"]["token"]

            @step.do("login", config={"sensitive": "output"})
            async def login():
                return {"key": "sens_abcdefgh", "pin": 1}

            login = await login()
            if event["payload"]["fails"]:
                raise ValueError(f"cannot use {token}")
            return {"t": token, "header": f"Bearer {token}", "key": login, "left": 1}
"""


@pytest.fixture
def secretive(worker):
    worker.write("src/entry.py", SECRETS)
    worker.set(workflows_failures_dir="histories", workflows_redact="token")
    test = """
        import pytest

        @pytest.mark.parametrize("fails", [True, False])
        async def test_an_order(workflow_env, workflow_engine, fails):
            params = {"token": "tok_12345678", "fails": fails}
            await workflow_env.ORDERS.create({"id": "a", "params": params})
            await workflow_engine.run_until_idle()
    """
    worker.run(test, "--workflows-record=all").assert_outcomes(passed=2)
    return worker


def test_what_is_redacted_replays_against_the_source_that_made_it(secretive):
    secretive.run(None, "--workflows-replay=histories").assert_outcomes(passed=2)


def test_what_is_not_redacted_is_compared_beside_it(secretive):
    change(secretive, '"Bearer {token}"', '"Basic {token}"')
    change(secretive, '"cannot use {token}"', '"cannot take {token}"')

    result = secretive.run(None, "--workflows-replay=histories")

    result.assert_outcomes(failed=2)
    result.stdout.fnmatch_lines(["  recorded: errored with ValueError: cannot use [[]REDACTED[]]"])
    result.stdout.fnmatch_lines(["Some recorded values are redacted or unknown, which may lead `run` elsewhere."])


def test_a_recording_from_before_texts_were_redacted_under_other_keys_replays(secretive):
    for file in (secretive.path / "histories").rglob("*.json"):
        text = file.read_text()
        file.write_text(
            text.replace('"t": "[REDACTED]"', '"t": "tok_12345678"').replace("use [REDACTED]", "use tok_12345678")
        )

    secretive.run(None, "--workflows-replay=histories").assert_outcomes(passed=2)


def test_exceptions_that_are_values_are_the_same_in_a_replay(worker):
    worker.write("src/entry.py", ERRORS)
    worker.set(workflows_ignore_rules="changed-at-boundary")
    worker.run(
        """
        async def test_an_order(workflow_env, workflow_engine):
            handle = await workflow_env.ORDERS.create({"id": "a", "params": {"error": KeyError("params")}})
            await handle.send_event({"type": "paid", "payload": [ValueError("payload"), ValueError()]})
            await workflow_engine.run_until_idle()
            assert (await handle.status())["output"] == "Error: bad sku Error: payload Error Error: 'params'"
        """,
        "--workflows-record=all",
    ).assert_outcomes(passed=1)

    worker.run(None, "--workflows-replay=.workflows/failures").assert_outcomes(passed=1)


def test_an_end_before_the_last_recorded_step_fails(shop):
    change(shop, 'await step.sleep("cool down", "2 days")', "pass")

    result = shop.run(None, "--workflows-replay=histories/ORDERS-order-A1.json")

    result.stdout.fnmatch_lines(
        [
            "Instance 'order-A1' of 'ORDERS' does not follow histories/ORDERS-order-A1.json: it is complete with "
            "{'left': 1}, and has not asked for step.sleep('cool down'), which the recording has.",
        ]
    )


def test_what_changed_inside_a_recorded_step_does_not_matter(shop):
    change(shop, 'raise ValueError("try again")', 'raise KeyError("another")')
    change(shop, '"limit": 1, "delay": "1 minute"', '"limit": 0, "delay": "1 hour"')

    shop.run(None, "--workflows-replay=histories").assert_outcomes(passed=2)


def test_a_binding_that_is_called_outside_of_a_step_cannot_be_replayed_and_says_so(shop):
    change(shop, "left = await reserve()", "left = await reserve()\n        stock.count")

    result = shop.run(None, "--workflows-replay=histories/ORDERS-order-A1.json")

    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        [
            "The workflow reads its 'count', but this value is not known: in a replay the binding 'STOCK' answers nothing "
            "outside of recorded steps.*"
        ]
    )


def test_an_instance_that_was_still_waiting_is_replayed_as_far_as_it_came(shop):
    shop.run(
        """
        import pytest
        from pytest_workflows import introspect_workflow_instance

        @pytest.fixture
        def workflow_bindings():
            return {"STOCK": None}

        async def test_it_waits(workflow_env):
            async with introspect_workflow_instance(workflow_env.ORDERS, "order-1") as instance:
                async with instance.modify() as m:
                    m.mock_step_result("reserve", 1)
                await workflow_env.ORDERS.create({"id": "order-1"})
                await instance.wait_for_status("waiting")
        """,
        "--workflows-record=all",
    ).assert_outcomes(passed=1)

    folder = "histories/tests.test_it--test_it_waits"
    shop.run(None, f"--workflows-replay={folder}").assert_outcomes(passed=1)

    change(shop, 'await step.sleep("cool down", "2 days")', "return 1")
    result = shop.run(None, f"--workflows-replay={folder}")
    result.stdout.fnmatch_lines(["*it is complete with 1, and has not asked for step.sleep('cool down')*"])


STOPPED = """
    import pytest
    from pytest_workflows import introspect_workflow_instance

    @pytest.fixture
    def workflow_bindings():
        return {"STOCK": None}

    async def test_it_is_stopped(workflow_env, workflow_clock):
        async with introspect_workflow_instance(workflow_env.ORDERS, "order-1") as instance:
            async with instance.modify() as m:
                m.mock_step_result("reserve", 1)
            handle = await workflow_env.ORDERS.create({"id": "order-1"})
            await instance.wait_for_step_result("reserve")
            LATER
            await handle.terminate()
"""


@pytest.mark.parametrize(
    ("later", "change_to", "message"),
    [
        ("await workflow_clock.advance('1 hour')", None, None),
        ("await workflow_clock.advance('1 hour')", "await step.sleep('a', 1); await step.sleep('b', 1)", "sleep('a')"),
        ("await workflow_clock.advance('1 hour')", "return 1", "has not asked for step.sleep('cool down')"),
        # Terminated in the instant in which the step ended: what `run` does then is not recorded.
        ("", None, None),
        ("", "return 1", None),
        ("", "await step.sleep('a', 1)", None),
    ],
)
def test_a_terminated_instance_is_replayed_up_to_where_it_was_stopped(shop, later, change_to, message):
    shop.run(STOPPED.replace("LATER", later or "pass"), "--workflows-record=all").assert_outcomes(passed=1)
    if change_to is not None:
        change(shop, 'await step.sleep("cool down", "2 days")', change_to)

    result = shop.run(None, "--workflows-replay=histories/tests.test_it--test_it_is_stopped")

    result.assert_outcomes(passed=message is None, failed=message is not None)
    if message is not None:
        assert message in result.stdout.str()


def test_workers_of_xdist_replay_as_well(shop):
    shop.run(None, "--workflows-replay=histories", "-n", "2").assert_outcomes(passed=2)


def test_a_class_outside_of_the_configuration_is_found_by_its_module(worker):
    worker.write(
        "flows.py",
        """
        from workers import WorkflowEntrypoint


        class Greeting(WorkflowEntrypoint):
            async def run(self, event, step):
                @step.do("greet")
                async def greet():
                    return "hello"

                return await greet()
        """,
    )
    test = """
        import pytest
        from flows import Greeting

        @pytest.fixture
        def workflow_bindings():
            return {"GREETING": Greeting}

        async def test_it_greets(workflow_env, workflow_engine):
            await workflow_env.GREETING.create({"id": "g"})
            await workflow_engine.run_until_idle()
    """
    worker.set(pythonpath=".")
    worker.run(test, "--workflows-record=all").assert_outcomes(passed=1)

    worker.run(None, "--workflows-replay=.workflows/failures").assert_outcomes(passed=1)


def test_a_class_inside_of_a_function_cannot_be_found_and_says_so(worker):
    test = """
        import pytest
        from workers import WorkflowEntrypoint

        @pytest.fixture
        def workflow_bindings():
            class Greeting(WorkflowEntrypoint):
                async def run(self, event, step):
                    return 1
            return {"GREETING": Greeting}

        async def test_it_greets(workflow_env, workflow_engine):
            await workflow_env.GREETING.create({"id": "g"})
            await workflow_engine.run_until_idle()
    """
    worker.run(test, "--workflows-record=all").assert_outcomes(passed=1)

    result = worker.run(None, "--workflows-replay=.workflows/failures")

    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        [
            "The workflow 'GREETING' is in no configuration, and its class (workflow_bindings.<locals>.Greeting) is defined inside of a function*"
        ]
    )


DUMP = {
    "status": "complete",
    "params": {},
    "output": [1, "shipped"],
    "steps": [
        {"type": "step", "name": "charge-1", "success": True, "output": 1},
        {"type": "sleep", "name": "cool down-1", "finished": True},
        {"type": "step", "name": "ship-1", "success": True, "output": "shipped"},
    ],
}


@pytest.fixture
def two(worker: Any) -> Any:
    """A project with two bindings, and a dump of production in d."""
    config = json.loads((worker.path / "wrangler.jsonc").read_text())
    config["workflows"].append({**config["workflows"][0], "binding": "AGAIN", "name": "again"})
    worker.write("wrangler.jsonc", json.dumps(config))
    worker.write("d/dump.json", json.dumps(DUMP))
    return worker


def test_a_dump_of_production_is_of_the_only_workflow(worker):
    worker.write("d/dump.json", json.dumps(DUMP))

    worker.run(None, "--workflows-replay=d").assert_outcomes(passed=1)


def test_a_dump_says_which_of_several_workflows_it_is_of(two):
    result = two.run(None, "--workflows-replay=d")
    two.write("d/dump.json", json.dumps({**DUMP, "binding": "ORDERS"}))
    two.write("d/enveloped.json", json.dumps({"result": DUMP, "success": True, "binding": "AGAIN"}))
    two.write("d/called.json", json.dumps({**DUMP, "workflowName": "again"}))

    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        [
            "The recording does not name its workflow, and the configuration has 2: ORDERS, AGAIN. "
            'Write the name into the recording, at its top: "binding": "...".'
        ]
    )
    two.run(None, "--workflows-replay=d").assert_outcomes(passed=3)


def test_a_dump_of_a_workflow_that_the_configuration_does_not_have(two):
    two.write("d/dump.json", json.dumps({**DUMP, "binding": "NOPE"}))

    result = two.run(None, "--workflows-replay=d")

    result.stdout.fnmatch_lines(
        ["The recording is of the workflow 'NOPE', which the configuration does not have. It has: ORDERS, AGAIN."]
    )


ENCODED = {**DUMP, "output": '{"status": "shipped"}', "steps": [{**DUMP["steps"][0], "output": '{"charge": 1}'}]}


def test_a_dump_says_whether_its_outputs_are_json_text(worker):
    worker.write(
        "src/entry.py",
        """
        from workers import WorkflowEntrypoint


        class OrderWorkflow(WorkflowEntrypoint):
            async def run(self, event, step):
                @step.do("charge")
                async def charge():
                    pass

                assert isinstance(await charge(), str)
                return '{"status": "shipped"}'
        """,
    )
    worker.write("d/dump.json", json.dumps(ENCODED))
    guessed = worker.run(None, "--workflows-replay=d")
    worker.write("d/dump.json", json.dumps({**ENCODED, "outputs": "text"}))
    said = worker.run(None, "--workflows-replay=d")
    worker.write("d/dump.json", json.dumps({**ENCODED, "outputs": True}))
    wrong = worker.run(None, "--workflows-replay=d")

    guessed.assert_outcomes(failed=1)
    assert AS_JSON in guessed.stdout.str()
    said.assert_outcomes(passed=1)
    wrong.assert_outcomes(errors=1)
    wrong.stdout.fnmatch_lines(['*dump.json: "outputs" is true, and it says how outputs are to be read that are JSON*'])


def test_a_file_that_is_no_recording_is_an_error_of_its_own(shop):
    (shop.path / "histories/other.json").write_text("{")

    result = shop.run(None, "--workflows-replay=histories", "--continue-on-collection-errors")

    result.assert_outcomes(passed=2, errors=1)
    result.stdout.fnmatch_lines(["*histories/other.json: this is no JSON: *"])


@pytest.mark.parametrize(
    ("path", "message"),
    [
        pytest.param(
            "nowhere", "nowhere: there is no such file or folder. Give a recording, or a folder", id="no file"
        ),
        pytest.param("tests", "tests: the folder holds no recordings (*.json).", id="no recordings"),
    ],
)
def test_a_path_without_recordings_is_a_usage_error(shop, path, message):
    result = shop.run(None, f"--workflows-replay={path}", process=True)

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert f"ERROR: --workflows-replay={shop.path}/{message}" in result.stderr.str()
