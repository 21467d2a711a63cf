"""The wrangler configuration: which file holds, what it says, and what a mistake in it gets."""

import sys
import textwrap
from pathlib import Path
from typing import Any

import pytest

from pytest_workflows.errors import WorkflowConfigError
from pytest_workflows.project.wrangler import (
    WorkflowBindingConfig,
    WranglerConfig,
    find_config,
    implicit_dependencies,
    load_config,
    preserves_non_retryable,
)


def write(folder: Path, text: str, name: str = "wrangler.jsonc") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    path.write_text(textwrap.dedent(text).lstrip(), encoding="utf-8")
    return path


def message_of(path: Path, environment: str | None = None) -> str:
    """The message that reading `path` fails with, the folder cut off."""
    with pytest.raises(WorkflowConfigError) as caught:
        load_config(path, environment)
    return str(caught.value).replace(f"{path.parent}/", "")


ORDERS_JSONC = """
    {
      // Our orders
      "name": "orders",
      "main": "src/entry.py", /* the Worker */
      "compatibility_date": "2026-11-10",
      "compatibility_flags": ["python_workers"],
      "vars": {"URL": "https://example.com//x", "LIMITS": {"a": [1]}},
      "workflows": [
        {
          "binding": "ORDERS",
          "name": "orders-flow",
          "class_name": "OrderWorkflow",
          "limits": {"steps": 25},
        },
      ],
    }
"""
ORDERS_TOML = """
    name = "orders"
    main = "src/entry.py"
    compatibility_date = "2026-11-10"
    compatibility_flags = ["python_workers"]

    [vars]
    URL = "https://example.com//x"
    LIMITS = { a = [1] }

    [[workflows]]
    binding = "ORDERS"
    name = "orders-flow"
    class_name = "OrderWorkflow"
    limits = { steps = 25 }
"""


@pytest.mark.parametrize(
    ("name", "text", "line"), [("wrangler.jsonc", ORDERS_JSONC, 12), ("wrangler.toml", ORDERS_TOML, 13)]
)
def test_everything_that_matters_to_a_test_is_read(tmp_path: Path, name: str, text: str, line: int) -> None:
    path = write(tmp_path, text, name)

    config = load_config(path)

    assert config.path == path
    assert config.main == (tmp_path / "src/entry.py").resolve()
    assert config.vars == {"URL": "https://example.com//x", "LIMITS": {"a": [1]}}
    assert config.compatibility_date == "2026-11-10"
    assert config.compatibility_flags == ("python_workers",)
    assert config.workflows == (WorkflowBindingConfig("ORDERS", "orders-flow", "OrderWorkflow", None, 25, line),)


def test_a_config_is_frozen(tmp_path: Path) -> None:
    config = load_config(write(tmp_path, "{}"))

    with pytest.raises(AttributeError):
        config.main = tmp_path  # type: ignore[misc]


# -- which file ------------------------------------------------------------------------------------


def test_the_nearest_config_holds(tmp_path: Path) -> None:
    write(tmp_path, "{}")
    nearest = write(tmp_path / "shop", "{}", "wrangler.toml")
    test = tmp_path / "shop/tests/unit/test_it.py"
    test.parent.mkdir(parents=True)
    test.touch()

    assert find_config(test, tmp_path) == nearest
    assert find_config(test.parent, tmp_path) == nearest
    assert find_config(tmp_path, tmp_path) == tmp_path / "wrangler.jsonc"


def test_of_several_in_one_folder_the_one_holds_that_wrangler_prefers(tmp_path: Path) -> None:
    for name in ("wrangler.toml", "wrangler.jsonc", "wrangler.json"):
        path = write(tmp_path, "", name)
        assert find_config(tmp_path, tmp_path) == path


def test_the_search_ends_at_rootdir(tmp_path: Path) -> None:
    write(tmp_path, "{}")
    (tmp_path / "root/tests").mkdir(parents=True)

    assert find_config(tmp_path / "root/tests", tmp_path / "root") is None


def test_outside_rootdir_the_search_ends_at_the_root_of_the_repository(tmp_path: Path) -> None:
    write(tmp_path, "{}")
    (tmp_path / "repo/.git").mkdir(parents=True)
    (tmp_path / "repo/tests").mkdir()

    assert find_config(tmp_path / "repo/tests", tmp_path / "elsewhere") is None


def test_a_configured_path_wins(tmp_path: Path) -> None:
    write(tmp_path, "{}")
    configured = write(tmp_path / "workers", "{}", "orders.toml")

    assert find_config(tmp_path, tmp_path, "workers/orders.toml") == configured


def test_a_configured_path_that_does_not_exist_is_an_error(tmp_path: Path) -> None:
    write(tmp_path, "", "wrangler.toml")

    with pytest.raises(WorkflowConfigError) as caught:
        find_config(tmp_path, tmp_path, "wrangler.jsonc")

    assert str(caught.value) == (
        f"The ini option workflows_config names 'wrangler.jsonc', and {tmp_path / 'wrangler.jsonc'} does not "
        "exist. There is wrangler.toml. Correct the option, or remove it: the file beside the tests is found "
        "by itself."
    )


# -- environments ----------------------------------------------------------------------------------

ENVIRONMENTS = """
    {
      "main": "src/entry.py",
      "compatibility_date": "2026-01-01",
      "vars": {"STAGE": "top"},
      "kv_namespaces": [{"binding": "CACHE"}],
      "workflows": [{"binding": "ORDERS", "name": "orders", "class_name": "OrderWorkflow"}],
      "env": {
        "bare": {},
        "staging": {
          "main": "src/staging.py",
          "vars": {"STAGE": "staging"},
          "compatibility_flags": ["python_workers"],
          "workflows": [{"binding": "ORDERS", "name": "orders-2", "class_name": "OrderWorkflow"}]
        }
      }
    }
"""


def test_an_environment_inherits_main_and_the_date_but_no_binding(tmp_path: Path) -> None:
    config = load_config(write(tmp_path, ENVIRONMENTS), "bare")

    assert config.main == (tmp_path / "src/entry.py").resolve()
    assert config.compatibility_date == "2026-01-01"
    assert (config.vars, config.workflows, config.other_bindings) == ({}, (), {})


def test_an_environment_overrides(tmp_path: Path) -> None:
    config = load_config(write(tmp_path, ENVIRONMENTS), "staging")

    assert config.main == (tmp_path / "src/staging.py").resolve()
    assert config.vars == {"STAGE": "staging"}
    assert config.compatibility_flags == ("python_workers",)
    assert [workflow.name for workflow in config.workflows] == ["orders-2"]


def test_an_unknown_environment_is_an_error_that_lists_the_known(tmp_path: Path) -> None:
    assert message_of(write(tmp_path, ENVIRONMENTS), "prod") == (
        "wrangler.jsonc:7: there is no environment 'prod' (ini workflows_wrangler_env). There are: bare, staging."
    )


# -- bindings that we do not provide ---------------------------------------------------------------


def test_bindings_that_are_not_provided_are_known_by_name_and_kind(tmp_path: Path) -> None:
    config = load_config(
        write(
            tmp_path,
            """
            {
              "d1_databases": [{"binding": "DB", "database_name": "x"}],
              "kv_namespaces": [{"binding": "CACHE", "id": "x"}],
              "r2_buckets": [{"binding": "FILES"}],
              "queues": {"producers": [{"binding": "JOBS", "queue": "x"}], "consumers": [{"queue": "x"}]},
              "durable_objects": {"bindings": [{"name": "ROOM", "class_name": "Room"}]},
              "send_email": [{"name": "MAIL"}],
              "ratelimits": [{"name": "LIMITER"}],
              "ai": {"binding": "AI"},
              "assets": {"directory": "public"},
              "version_metadata": {"binding": "VERSION"}
            }
            """,
        )
    )

    assert config.other_bindings == {
        "DB": "d1_databases",
        "CACHE": "kv_namespaces",
        "FILES": "r2_buckets",
        "JOBS": "queues.producers",
        "ROOM": "durable_objects.bindings",
        "MAIL": "send_email",
        "LIMITER": "ratelimits",
        "AI": "ai",
        "VERSION": "version_metadata",
    }


# -- mistakes --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        (
            "wrangler.jsonc",
            '{\n  // a comment\n  "a": 1\n  "b": 2\n}',
            'wrangler.jsonc:4: this is no valid JSON with comments: Unexpected """ at column 3.',
        ),
        (
            "wrangler.toml",
            'main = "x"\nvars = \n',
            "wrangler.toml:2: this is no valid TOML: Invalid value (at line 2, column 8).",
        ),
        (
            "wrangler.toml",
            "a = 1\nb = [",
            "wrangler.toml:2: this is no valid TOML: Invalid value (at end of document).",
        ),
    ],
)
def test_what_does_not_parse_is_an_error_with_its_line(tmp_path: Path, name: str, text: str, message: str) -> None:
    path = tmp_path / name
    path.write_text(text)

    assert message_of(path) == message


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[]", "wrangler.jsonc:1: the configuration is a list ([]), not a table of settings."),
        ('{"main": 5}', "wrangler.jsonc:1: main is a number (5), not a path."),
        ('{\n"vars": []}', "wrangler.jsonc:2: vars is a list ([]), not a table of variables."),
        ('{\n"workflows": {}}', "wrangler.jsonc:2: workflows is a table ({}), not a list of workflows."),
        ('{\n"workflows": [5]}', "wrangler.jsonc:2: workflows[0] is a number (5), not a table."),
        (
            '{"main": "x.py", "workflows": [\n{"binding": "B",\n"name": "n"}]}',
            'wrangler.jsonc:2: workflows[0] has no "class_name" (found: binding, name).',
        ),
        (
            '{"main": "x.py", "workflows": [\n{"binding": 5, "name": "n", "class_name": "C"}]}',
            "wrangler.jsonc:2: workflows[0].binding is 5, not a text.",
        ),
        (
            '{"main": "x.py", "workflows": [{"binding": "B", "name": "n", "class_name": "C",\n'
            '"limits": {"steps": 0}}]}',
            "wrangler.jsonc:2: workflows[0].limits.steps is 0, not a number of steps from 1 on.",
        ),
        (
            '{\n"workflows": [{"binding": "B", "name": "n", "class_name": "C"}]}',
            'wrangler.jsonc:2: there are workflows, but no "main" that names the module of their classes.',
        ),
        (
            '{\n"compatibility_date": 5}',
            'wrangler.jsonc:2: compatibility_date is 5; write it as "2026-11-10".',
        ),
        (
            '{\n"compatibility_flags": "x"}',
            "wrangler.jsonc:2: compatibility_flags is 'x', not a list of texts.",
        ),
        (
            '{\n"kv_namespaces": {}}',
            "wrangler.jsonc:2: kv_namespaces is a table ({}), not a list of bindings.",
        ),
        (
            '{"kv_namespaces": [\n{"binding": "X"}],\n"ai": {"binding": "X"},\n"main": "x.py",\n'
            '"workflows": [{"binding": "X", "name": "n", "class_name": "C"}]}',
            "wrangler.jsonc:2: the binding 'X' is declared more than once.",
        ),
    ],
)
def test_what_is_not_as_it_must_be_is_an_error_with_its_line(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "wrangler.jsonc"
    path.write_text(text)

    assert message_of(path) == message


# -- compatibility ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("date", "flags", "implicit"),
    [
        ("2026-02-24", (), False),
        ("2026-02-25", (), True),
        ("2026-02-24", ("python_workflows_implicit_dependencies",), True),
        ("2026-11-10", ("no_python_workflows_implicit_dependencies",), False),
        (None, (), True),
    ],
)
def test_dependencies_are_implicit_by_date_unless_a_flag_says_otherwise(
    tmp_path: Path, date: str | None, flags: tuple[str, ...], implicit: bool
) -> None:
    config = WranglerConfig(tmp_path, compatibility_date=date, compatibility_flags=flags)

    assert implicit_dependencies(config) is implicit


def test_dependencies_are_implicit_without_a_config() -> None:
    assert implicit_dependencies(None) is True


@pytest.mark.parametrize(
    ("date", "flags", "preserves"),
    [
        ("2026-05-13", (), False),
        ("2026-05-14", (), True),
        ("2026-05-13", ("workflows_preserve_non_retryable_error_message",), True),
        ("2026-11-10", ("workflows_replace_non_retryable_error_message",), False),
        (None, (), True),
    ],
)
def test_a_non_retryable_error_is_shown_as_it_is_by_date_unless_a_flag_says_otherwise(
    tmp_path: Path, date: str | None, flags: tuple[str, ...], preserves: bool
) -> None:
    config = WranglerConfig(tmp_path, compatibility_date=date, compatibility_flags=flags)

    assert preserves_non_retryable(config) is preserves
    assert preserves_non_retryable(None) is True


@pytest.mark.parametrize(
    ("date", "error"),
    [
        ("2026-05-13", "WorkflowFatalError: Step threw a NonRetryableError with message"),
        ("2026-05-14", "NonRetryableError: declined"),
    ],
)
def test_the_date_of_the_configuration_decides_what_a_test_sees_of_it(worker: Any, date: str, error: str) -> None:
    worker.write("wrangler.jsonc", ORDERS_JSONC.replace("2026-11-10", date))
    worker.write(
        "src/entry.py",
        """
        from workers import WorkflowEntrypoint
        from workers.workflows import NonRetryableError


        class OrderWorkflow(WorkflowEntrypoint):
            async def run(self, event, step):
                @step.do("charge")
                async def charge():
                    raise NonRetryableError("declined")

                await charge()
        """,
    )
    result = worker.run(f"""
        import pytest
        from pytest_workflows import StepFailedError, introspect_workflow_instance

        async def test_it(workflow_env):
            async with introspect_workflow_instance(workflow_env.ORDERS, "a") as instance:
                await workflow_env.ORDERS.create({{"id": "a"}})
                with pytest.raises(StepFailedError, match={error!r}):
                    await instance.wait_for_step_result("charge")
    """)

    result.assert_outcomes(passed=1)


# -- lines, environments and bindings, in detail ----------------------------------------------------


def test_a_line_is_never_that_of_a_comment(tmp_path: Path) -> None:
    path = tmp_path / "wrangler.toml"
    path.write_text('# class_name = "C"\nmain = "x.py"\n[[workflows]]\nbinding = "B"\nname = "n"\nclass_name = "C"\n')

    config = load_config(path)

    assert (config.main_line, config.workflows[0].line) == (2, 6)


def test_a_line_is_that_of_the_chosen_environment(tmp_path: Path) -> None:
    assert load_config(write(tmp_path, ENVIRONMENTS), "staging").workflows[0].line == 13


def test_a_file_that_is_no_text_is_an_error_of_ours(tmp_path: Path) -> None:
    path = tmp_path / "wrangler.jsonc"
    path.write_bytes(b'{"vars": {"CITY": "K\xf6ln"}}')

    assert message_of(path) == (
        "wrangler.jsonc:1: this cannot be read: 'utf-8' codec can't decode byte 0xf6 in position 20: "
        "invalid start byte. Save it as UTF-8."
    )


def test_a_setting_that_is_null_is_not_there(tmp_path: Path) -> None:
    config = load_config(write(tmp_path, '{"main": null, "workflows": null, "vars": null, "env": null}'))

    assert config == WranglerConfig(config.path)


def test_a_worker_without_a_class_of_its_own_needs_no_main(tmp_path: Path) -> None:
    workflow = '"binding": "B", "name": "n", "class_name": "C"'
    path = write(tmp_path, f'{{"name": "shop", "workflows": [{{{workflow}, "script_name": "billing"}}]}}')

    assert load_config(path).workflows[0].script_name == "billing"


@pytest.mark.parametrize(("environment", "script"), [(None, "shop"), ("staging", "shop-staging")])
def test_a_workflow_that_names_its_own_worker_is_one_of_main(
    tmp_path: Path, environment: str | None, script: str
) -> None:
    workflows = '"workflows": [{"binding": "B", "name": "n", "class_name": "C", "script_name": "' + script + '"}]'
    path = write(tmp_path, f'{{"name": "shop", "main": "x.py", {workflows}, "env": {{"staging": {{{workflows}}}}}}}')

    assert load_config(path, environment).workflows[0].script_name is None


def test_without_an_environment_a_worker_has_no_name_of_one(tmp_path: Path) -> None:
    workflow = '{"binding": "B", "name": "n", "class_name": "C", "script_name": "shop-None"}'
    config = load_config(write(tmp_path, f'{{"name": "shop", "workflows": [{workflow}]}}'))

    assert config.own_names == {"shop"}
    assert config.workflows[0].script_name == "shop-None"


def test_assets_are_inherited_and_need_no_binding(tmp_path: Path) -> None:
    path = write(tmp_path, '{"assets": {"binding": "FILES"}, "env": {"x": {}, "y": {"assets": {}}}}')

    assert load_config(path, "x").other_bindings == {"FILES": "assets"}
    assert load_config(path, "y").other_bindings == {}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            '{\n"compatibility_date": "2026-99-99"}',
            "wrangler.jsonc:2: compatibility_date is '2026-99-99'; write it as \"2026-11-10\".",
        ),
        (
            '{"vars": {"A": 1},\n"ai": {"binding": "A"}}',
            "wrangler.jsonc:1: the binding 'A' is declared more than once.",
        ),
        (
            '{\n"kv_namespaces": [{"binding": "A"}, {"binding": "A"}]}',
            "wrangler.jsonc:2: the binding 'A' is declared more than once.",
        ),
        (
            '{\n"kv_namespaces": [{"id": "A"}]}',
            'wrangler.jsonc:2: kv_namespaces[0] has no text as "binding", the name in env (found: id).',
        ),
        ('{\n"ai": "AI"}', "wrangler.jsonc:2: ai is a text ('AI'), not a table."),
        ('{\n"queues": []}', "wrangler.jsonc:2: queues is a list ([]), not a table."),
        (
            '{"main": "x.py", "workflows": [\n{"binding": "A", "name": "a", "class_name": "A"},\n'
            '{"binding": "B", "name": 5, "class_name": "B"}]}',
            "wrangler.jsonc:3: workflows[1].name is 5, not a text.",
        ),
    ],
)
def test_what_wrangler_would_refuse_is_refused(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "wrangler.jsonc"
    path.write_text(text)

    assert message_of(path) == message


def test_comments_alone_do_not_load_the_slow_parser(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "json5", None)
    path = write(tmp_path, '{\n// one\n"vars": {"URL": "https://x"} /* two */}')

    assert load_config(path).vars == {"URL": "https://x"}
