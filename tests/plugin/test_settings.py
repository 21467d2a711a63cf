"""The marker and the ini options: what each of them does, and what a mistake in them gets."""

from typing import Any

import pytest

ALLOWED = (
    "Allowed: now (a datetime or an ISO 8601 text such as '2026-01-01T00:00:00Z'), seed (an int), timeout (real "
    "seconds, a number above 0), clock ('auto' or 'manual'), step_limit (an int above 0), unused_mocks ('error' or "
    "'ignore'), unprovided ('error' or 'ignore'), allow_network (True or False), limits (a dict of numbers for some "
    "of step_output, event_payload, storage, step_name, instance_id, batch, sleep, subrequests, service_calls, "
    "cpu_ms), crash (True or False), "
    "upgrade (True or False), replay (True or False), ignore_rules (a list of rules' names such as ['missing-await']), "
    "ignore_state (a list of bindings, or of their tables, such as ['CACHE', 'DB.audit_log'])."
)

# -- the marker's keywords --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "now",
    [
        "'2026-01-01T00:00:00Z'",
        "'2026-01-01'",
        "'2026-01-01T01:00:00+01:00'",
        "datetime(2026, 1, 1)",
        "datetime(2026, 1, 1, tzinfo=timezone.utc)",
    ],
)
def test_now_says_where_the_virtual_clock_starts(worker: Any, now: str) -> None:
    result = worker.run(f"""
        from datetime import datetime, timezone
        import pytest

        @pytest.mark.workflow(now={now})
        def test_it(workflow_clock):
            assert workflow_clock.now.isoformat() == "2026-01-01T00:00:00+00:00"
            assert datetime.now(timezone.utc) == workflow_clock.now
    """)

    result.assert_outcomes(passed=1)


def test_without_now_it_starts_at_the_real_time_cut_to_the_second(worker: Any) -> None:
    result = worker.run("""
        import time

        REAL = time.time

        def test_it(workflow_clock):
            assert workflow_clock.now.microsecond == 0
            assert -1 <= REAL() - workflow_clock.now.timestamp() < 60
    """)

    result.assert_outcomes(passed=1)


def test_timeout_limits_a_wait_in_real_seconds(worker: Any) -> None:
    worker.write(
        "src/entry.py",
        """
        import asyncio
        from workers import WorkflowEntrypoint

        class OrderWorkflow(WorkflowEntrypoint):
            async def run(self, event, step):
                @step.do("stuck")
                async def stuck():
                    await asyncio.get_running_loop().create_future()

                await stuck()
        """,
    )

    result = worker.run("""
        import pytest
        from pytest_workflows import introspect_workflow_instance

        @pytest.mark.workflow(timeout=0.05)
        async def test_it(workflow_env):
            async with introspect_workflow_instance(workflow_env.ORDERS, "a") as instance:
                await workflow_env.ORDERS.create({"id": "a"})
                await instance.wait_for_status("complete")
    """)

    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["E*It did not happen within 0.05 real seconds."])


def test_step_limit_overrides_that_of_the_configuration(worker: Any) -> None:
    result = worker.run("""
        import pytest
        from pytest_workflows import introspect_workflow_instance

        @pytest.mark.workflow(step_limit=1)
        async def test_it(workflow_env):
            async with introspect_workflow_instance(workflow_env.ORDERS, "a") as instance:
                await workflow_env.ORDERS.create({"id": "a"})
                await instance.wait_for_status("errored")
                assert "The limit of 1 steps has been reached." in (await instance.get_error())["message"]
    """)

    result.assert_outcomes(passed=1)


@pytest.mark.parametrize(("marker", "passed"), [("", 0), ("@pytest.mark.workflow(unused_mocks='ignore')", 1)])
def test_unused_mocks_may_be_ignored(worker: Any, marker: str, passed: int) -> None:
    result = worker.run(f"""
        import pytest
        from pytest_workflows import introspect_workflow_instance

        {marker}
        async def test_it(workflow_env):
            async with introspect_workflow_instance(workflow_env.ORDERS, "a") as instance:
                async with instance.modify() as m:
                    m.mock_step_result("charge", 1)
    """)

    result.assert_outcomes(passed=passed, failed=1 - passed)


def test_a_manual_clock_is_moved_by_the_test_alone(worker: Any) -> None:
    result = worker.run("""
        import pytest
        from pytest_workflows import WaitTimeoutError, introspect_workflow_instance

        @pytest.mark.workflow(clock="manual")
        async def test_it(workflow_env, workflow_clock):
            async with introspect_workflow_instance(workflow_env.ORDERS, "a") as instance:
                await workflow_env.ORDERS.create({"id": "a"})
                with pytest.raises(WaitTimeoutError):
                    await instance.wait_for_status("complete")
                await workflow_clock.advance("1 day")
                await instance.wait_for_status("complete")
    """)

    result.assert_outcomes(passed=1)


FETCHING = """
    import pytest
    from workers import fetch
    from workers import env

    async def answer(reader, writer):
        await reader.readuntil(b"\\r\\n\\r\\n")
        writer.write(b"HTTP/1.1 200 OK\\r\\ncontent-length: 5\\r\\nconnection: close\\r\\n\\r\\nhello")
        await writer.drain()
        writer.close()
        await writer.wait_closed()

    {marker}
    async def test_it(workflow_env):
        import asyncio
        server = await asyncio.start_server(answer, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        try:
            response = await fetch(f"http://127.0.0.1:{{port}}/x")
            assert await response.text() == "hello"
        finally:
            server.close()
            await server.wait_closed()
"""


def test_the_network_is_refused(worker: Any) -> None:
    result = worker.run(FETCHING.format(marker=""))

    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        [
            "E*NetworkRefusedError: workers.fetch was about to send GET http://127.0.0.1:*/x to the network: no mock "
            "answered it. Answer it with respx or with pytest-httpx (fixture httpx_mock), or let requests out with "
            "@pytest.mark.workflow(allow_network=True)."
        ]
    )


def test_allow_network_lets_requests_out(worker: Any) -> None:
    worker.run(FETCHING.format(marker="@pytest.mark.workflow(allow_network=True)")).assert_outcomes(passed=1)


def test_allow_network_holds_for_a_test_without_our_fixtures_before_it_touches_a_binding(worker: Any) -> None:
    tests = FETCHING.format(marker="@pytest.mark.workflow(allow_network=True)").replace("(workflow_env)", "()")

    worker.run(tests).assert_outcomes(passed=1)


def test_the_network_is_refused_again_after_a_test_that_allowed_it(worker: Any) -> None:
    tests = FETCHING.format(marker="@pytest.mark.workflow(allow_network=True)")
    again = tests[tests.index("    async def test_it") :].replace("test_it", "test_next")

    worker.run(tests + again).assert_outcomes(passed=1, failed=1)


def test_the_closest_marker_wins_keyword_by_keyword(worker: Any) -> None:
    result = worker.run("""
        import pytest

        pytestmark = pytest.mark.workflow(now="2026-01-01", timeout=3)

        @pytest.mark.workflow(now="2027-01-01")
        class TestIt:
            @pytest.mark.workflow(now="2028-01-01")
            def test_own(self, workflow_engine):
                assert workflow_engine.clock.now.year == 2028
                assert workflow_engine.timeout == 3

            def test_of_the_class(self, workflow_engine):
                assert workflow_engine.clock.now.year == 2027

        def test_of_the_module(workflow_engine):
            assert workflow_engine.clock.now.year == 2026
    """)

    result.assert_outcomes(passed=3)


def test_the_marker_is_registered(worker: Any) -> None:
    result = worker.run(None, "--markers")

    result.stdout.fnmatch_lines(["@pytest.mark.workflow(now, seed, timeout, clock, step_limit, unused_mocks, *"])


# -- mistakes in the marker -------------------------------------------------------------------------------------------


def usage_error(result: pytest.RunResult) -> str:
    """The message of a usage error."""
    assert result.ret == pytest.ExitCode.USAGE_ERROR, result.stdout.str()
    text = result.stderr.str()
    assert "Traceback" not in text
    assert "INTERNALERROR" not in text + result.stdout.str()
    return "\n".join(line.removeprefix("ERROR: ") for line in text.splitlines() if line.strip())


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("nwo='2026-01-01'", f"does not know the keyword 'nwo'. Did you mean 'now'? {ALLOWED}"),
        ("retries=3", f"does not know the keyword 'retries'. {ALLOWED}"),
        ("'2026-01-01'", f"takes keywords only, got ('2026-01-01',). {ALLOWED}"),
        ("now=5", "(now=...) takes a datetime or an ISO 8601 text such as '2026-01-01T00:00:00Z', not 5."),
        (
            "now='tomorrow'",
            "(now=...) takes a datetime or an ISO 8601 text such as '2026-01-01T00:00:00Z', not 'tomorrow'.",
        ),
        ("now=None", "(now=...) takes a datetime or an ISO 8601 text such as '2026-01-01T00:00:00Z', not None."),
        ("seed='7'", "(seed=...) takes an int, not '7'."),
        ("seed=True", "(seed=...) takes an int, not True."),
        ("timeout=0", "(timeout=...) takes real seconds, a number above 0, not 0."),
        ("timeout=-1.5", "(timeout=...) takes real seconds, a number above 0, not -1.5."),
        ("timeout='2'", "(timeout=...) takes real seconds, a number above 0, not '2'."),
        ("timeout=float('inf')", "(timeout=...) takes real seconds, a number above 0, not inf."),
        ("timeout=float('nan')", "(timeout=...) takes real seconds, a number above 0, not nan."),
        ("clock='off'", "(clock=...) takes 'auto' or 'manual', not 'off'."),
        ("clock=['auto']", "(clock=...) takes 'auto' or 'manual', not ['auto']."),
        ("step_limit=0", "(step_limit=...) takes an int above 0, not 0."),
        ("step_limit=1.5", "(step_limit=...) takes an int above 0, not 1.5."),
        ("step_limit=True", "(step_limit=...) takes an int above 0, not True."),
        ("unused_mocks=False", "(unused_mocks=...) takes 'error' or 'ignore', not False."),
        ("allow_network='yes'", "(allow_network=...) takes True or False, not 'yes'."),
        ("allow_network=1", "(allow_network=...) takes True or False, not 1."),
    ],
)
def test_a_mistake_in_the_marker_is_a_usage_error(worker: Any, arguments: str, message: str) -> None:
    result = worker.run(f"""
        import pytest

        @pytest.mark.workflow({arguments})
        def test_it():
            pass
    """)

    joint = "" if message.startswith("(") else " "
    assert usage_error(result) == f"tests/test_it.py::test_it: @pytest.mark.workflow{joint}{message}"


def test_a_mistake_in_a_marker_that_a_hook_adds_later_is_an_error_of_that_test_alone(worker: Any) -> None:
    worker.write(
        "conftest.py",
        """
        import pytest

        @pytest.hookimpl(trylast=True)
        def pytest_collection_modifyitems(items):
            items[0].add_marker(pytest.mark.workflow(clock="off"))
        """,
    )

    result = worker.run("""
        def test_it():
            pass

        def test_other():
            pass
    """)

    result.assert_outcomes(errors=1, passed=1)
    result.stdout.fnmatch_lines(["*mark.workflow(clock=...) takes 'auto' or 'manual', not 'off'."])


# -- ini --------------------------------------------------------------------------------------------------------------


def test_the_ini_options_say_what_holds_for_every_test_and_a_marker_overrides_them(worker: Any) -> None:
    worker.set(workflows_timeout="1.5", workflows_now="2026-01-01T00:00:00Z")

    result = worker.run("""
        import pytest

        def test_ini(workflow_engine):
            assert workflow_engine.timeout == 1.5
            assert workflow_engine.clock.now.isoformat() == "2026-01-01T00:00:00+00:00"

        @pytest.mark.workflow(timeout=2, now="2027-01-01")
        def test_marker(workflow_engine):
            assert workflow_engine.timeout == 2
            assert workflow_engine.clock.now.year == 2027
    """)

    result.assert_outcomes(passed=2)


def test_a_wait_takes_five_real_seconds_by_default(worker: Any) -> None:
    worker.run("""
        def test_it(workflow_engine):
            assert workflow_engine.timeout == 5
    """).assert_outcomes(passed=1)


@pytest.mark.parametrize(
    ("option", "value", "message"),
    [
        ("workflows_timeout", "soon", "ini option workflows_timeout takes real seconds, a number above 0, not 'soon'."),
        ("workflows_timeout", "0", "ini option workflows_timeout takes real seconds, a number above 0, not '0'."),
        ("workflows_timeout", "-1", "ini option workflows_timeout takes real seconds, a number above 0, not '-1'."),
        ("workflows_timeout", "inf", "ini option workflows_timeout takes real seconds, a number above 0, not 'inf'."),
        (
            "workflows_now",
            "tomorrow",
            "ini option workflows_now takes a datetime or an ISO 8601 text such as '2026-01-01T00:00:00Z', "
            "not 'tomorrow'.",
        ),
    ],
)
def test_a_mistake_in_an_ini_option_is_a_usage_error(worker: Any, option: str, value: str, message: str) -> None:
    worker.set(**{option: value})

    result = worker.run("""
        def test_it():
            pass
    """)

    assert usage_error(result) == message


def test_options_may_stand_in_pyproject_toml(worker: Any) -> None:
    (worker.path / "pytest.ini").unlink()
    worker.write(
        "pyproject.toml",
        """
        [tool.pytest.ini_options]
        asyncio_default_fixture_loop_scope = "function"
        workflows_timeout = "1.5"
        workflows_config = "wrangler.jsonc"
        """,
    )

    worker.run("""
        def test_it(workflow_engine):
            assert workflow_engine.timeout == 1.5
            assert list(workflow_engine.bindings) == ["ORDERS"]
    """).assert_outcomes(passed=1)


# -- ini workflows_config and workflows_wrangler_env ------------------------------------------------------------------


def test_workflows_config_names_the_configuration(worker: Any) -> None:
    worker.write(
        "shop/orders.toml",
        """
        main = "../src/entry.py"

        [[workflows]]
        binding = "PURCHASES"
        name = "purchases"
        class_name = "OrderWorkflow"
        """,
    )
    worker.set(workflows_config="shop/orders.toml")

    worker.run("""
        def test_it(workflow_env):
            assert repr(workflow_env) == "<workers.env: PURCHASES>"
            workflow_env.PURCHASES
    """).assert_outcomes(passed=1)


def test_without_a_configuration_bindings_come_from_the_fixture_alone(worker: Any) -> None:
    (worker.path / "wrangler.jsonc").unlink()

    worker.run("""
        def test_it(workflow_env):
            assert repr(workflow_env) == "<workers.env: no bindings>"
    """).assert_outcomes(passed=1)


def test_workflows_config_that_does_not_exist_is_a_usage_error_that_names_what_there_is(worker: Any) -> None:
    worker.set(workflows_config="wrangler.json")

    result = worker.run("""
        def test_it():
            pass
    """)

    assert usage_error(result) == (
        f"The ini option workflows_config names 'wrangler.json', and {worker.path}/wrangler.json does not exist. There "
        "is wrangler.jsonc. Correct the option, or remove it: the file beside the tests is found by itself."
    )


def test_workflows_config_that_does_not_parse_is_a_usage_error_with_file_and_line(worker: Any) -> None:
    worker.write("broken.jsonc", '{\n  "main": "src/entry.py"\n  "vars": {}\n}\n')
    worker.set(workflows_config="broken.jsonc")

    result = worker.run("""
        def test_it():
            pass
    """)

    assert usage_error(result).startswith(f"{worker.path}/broken.jsonc:3: this is no valid JSON with comments: ")


def test_a_class_that_main_does_not_have_is_an_error_with_file_line_and_the_classes_that_are_there(
    worker: Any,
) -> None:
    config = (worker.path / "wrangler.jsonc").read_text().replace("OrderWorkflow", "OrdersWorkflow")
    worker.write("wrangler.jsonc", config)

    result = worker.run("""
        def test_it(workflow_env):
            workflow_env.ORDERS
    """)

    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        [
            f"E*WorkflowConfigError: {worker.path}/wrangler.jsonc:8: {worker.path}/src/entry.py has no class "
            "'OrdersWorkflow'. Did you mean 'OrderWorkflow'? It has: OrderWorkflow."
        ]
    )


def test_a_main_that_does_not_exist_is_an_error_with_file_and_line(worker: Any) -> None:
    (worker.path / "src/entry.py").unlink()

    result = worker.run("""
        def test_it(workflow_env):
            workflow_env.ORDERS
    """)

    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        [
            f"E*WorkflowConfigError: {worker.path}/wrangler.jsonc:3: * '{worker.path}/src/entry.py', which does not exist*"
        ]
    )


def test_a_main_that_cannot_be_imported_shows_the_error_of_its_own_line(worker: Any) -> None:
    worker.write("src/entry.py", "import json\nimport no_such_module\n")

    result = worker.run("""
        def test_it(workflow_env):
            workflow_env.ORDERS
    """)

    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["E*ModuleNotFoundError: No module named 'no_such_module'", "src/entry.py:2: *"])


def test_a_configuration_that_is_broken_and_used_is_an_error_with_file_and_line(worker: Any) -> None:
    worker.write("wrangler.jsonc", '{\n  "main": 5\n}\n')

    result = worker.run("""
        def test_it(workflow_env):
            workflow_env.ORDERS
    """)

    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines([f"E*WorkflowConfigError: {worker.path}/wrangler.jsonc:2: main is a number (5), *"])


def test_a_configuration_that_is_broken_and_not_used_disturbs_nobody(worker: Any) -> None:
    worker.write("wrangler.jsonc", '{"main": ')
    worker.write("sub/wrangler.toml", "main = \n")
    worker.write("sub/test_sub.py", "def test_sub(): pass\n")

    worker.run("""
        async def test_it():
            pass
    """).assert_outcomes(passed=2)


def test_workflows_wrangler_env_chooses_the_environment(worker: Any) -> None:
    worker.write(
        "wrangler.jsonc",
        """
        {
          "main": "src/entry.py",
          "vars": {"STAGE": "top"},
          "env": {
            "staging": {
              "vars": {"STAGE": "staging"},
              "workflows": [{"binding": "ORDERS", "name": "orders-staging", "class_name": "OrderWorkflow"}]
            }
          }
        }
        """,
    )
    worker.set(workflows_wrangler_env="staging")

    worker.run("""
        def test_it(workflow_env):
            assert workflow_env.STAGE == "staging"
            workflow_env.ORDERS
    """).assert_outcomes(passed=1)


def test_an_environment_that_does_not_exist_is_an_error_that_lists_those_that_do(worker: Any) -> None:
    worker.write("wrangler.jsonc", '{\n  "main": "src/entry.py",\n  "env": {"staging": {}, "live": {}}\n}\n')
    worker.set(workflows_wrangler_env="prod")

    result = worker.run("""
        def test_it(workflow_env):
            workflow_env.ORDERS
    """)

    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(
        ["*wrangler.jsonc:3: there is no environment 'prod' (ini workflows_wrangler_env). There are: staging, live.*"]
    )


def test_a_binding_that_is_not_provided_says_how_to_give_one(worker: Any) -> None:
    worker.write(
        "wrangler.jsonc",
        '{"main": "src/entry.py", "pipelines": [{"binding": "DB", "pipeline": "x"}]}',
    )

    result = worker.run("""
        def test_it(workflow_env):
            workflow_env.DB.prepare("SELECT 1")
    """)

    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        [
            f"E*MissingBindingError: env.DB.prepare was used: the binding 'DB' (pipelines in {worker.path}/"
            "wrangler.jsonc) is not provided here. Give the test a stand-in for it, in the test file or in conftest.py:"
        ]
    )


# -- what pytest itself cannot read -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("option", "value", "form"),
    [
        ("workflows_strict", "maybe", "true or false"),
        ("workflows_redact", "a 'b", "keys with spaces between them, such as: token card_number"),
        ("workflows_ignore_rules", 'a "b', "names of rules with spaces between them, such as: missing-await reused-id"),
    ],
)
def test_an_ini_option_that_pytest_cannot_read_is_named(worker: Any, option: str, value: str, form: str) -> None:
    worker.set(**{option: value})

    result = worker.run("def test_it(workflow_env): pass")

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([f"ERROR: ini option {option} in *pytest.ini takes {form}; pytest cannot read *: *"])


def test_a_folder_for_recordings_that_is_a_file_is_refused_before_any_test_runs(worker: Any) -> None:
    worker.set(workflows_failures_dir="pytest.ini")

    result = worker.run("def test_it(workflow_env): pass")

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(
        ["ERROR: ini option workflows_failures_dir: no recordings *: it is a file, no folder.*"]
    )


@pytest.mark.parametrize("argument", ["--workflows-seed=²", "--workflows-seeds=²", f"--workflows-seed={'9' * 5000}"])
def test_a_number_of_an_option_that_is_none_is_refused(worker: Any, argument: str) -> None:
    result = worker.run("def test_it(workflow_env): pass", argument)

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["ERROR: --workflows-seed* takes *, not *"])
