"""What a configuration says of workflows, by wrangler's rules: what it refuses is refused, what it warns of warned of."""

import json

import pytest

from pytest_workflows.errors import WorkflowConfigError
from pytest_workflows.project.wrangler import load_config

WORKFLOW = {"binding": "WF", "name": "wf", "class_name": "Wf"}
BASE = {"name": "shop", "main": "src/entry.py"}
NAMES = "Write 1 to 64 of A-Z, a-z, 0-9, _ and -, not beginning with -."
LIST = 'Write a cron expression or a list of them, such as ["0 * * * *"].'


def load(tmp_path, environment=None, **settings):
    path = tmp_path / "wrangler.jsonc"
    path.write_text(json.dumps({**BASE, **settings}, indent=1))
    return load_config(path, environment)


def refused(tmp_path, environment=None, **settings):
    """The line that the configuration is refused for, and the message."""
    with pytest.raises(WorkflowConfigError) as caught:
        load(tmp_path, environment, **settings)
    name, line, message = str(caught.value).removeprefix(f"{tmp_path}/").split(":", 2)
    assert name == "wrangler.jsonc"
    source = (tmp_path / name).read_text().splitlines()
    return source[int(line) - 1].strip().rstrip(","), message.strip()


def warned(tmp_path, environment=None, **settings):
    """The lines that the configuration is warned of, and the messages."""
    found = load(tmp_path, environment, **settings).warnings
    source = (tmp_path / "wrangler.jsonc").read_text().splitlines()
    return [(source[line - 1].strip().rstrip(","), message) for line, message in found]


def declared(form, **settings):
    """A workflow with these settings, as a binding and as an export; and what messages call it."""
    if form == "binding":
        return {"workflows": [{**WORKFLOW, **settings}]}, "workflows[0]"
    return {"exports": {"Wf": {"type": "workflow", "name": "wf", **settings}}}, "exports.Wf"


both = pytest.mark.parametrize("form", ["binding", "export"])


# -- what is read ----------------------------------------------------------------------------------


@both
def test_settings_are_read(tmp_path, form):
    config, _ = declared(
        form,
        limits={"steps": 25000},
        concurrency={"limit": 3.0},
        schedules=["0 * * * *", "5 4 * * *"],
        default_retention={"success_retention": "1 day", "error_retention": 5000},
        jurisdiction="eu",
    )

    found = load(tmp_path, **config)

    (workflow,) = found.all_workflows
    assert (workflow.name, workflow.class_name, workflow.step_limit) == ("wf", "Wf", 25000)
    assert (workflow.concurrency, workflow.schedules) == (3, ("0 * * * *", "5 4 * * *"))
    assert (workflow.success_retention, workflow.error_retention) == ("1 day", 5000)
    assert found.warnings == ()
    assert [one.binding for one in found.exports] == ([] if form == "binding" else ["Wf"])


def test_one_schedule_may_be_a_text(tmp_path):
    assert load(tmp_path, **declared("binding", schedules="0 * * * *")[0]).workflows[0].schedules == ("0 * * * *",)


def test_exports_in_toml_are_read(tmp_path):
    path = tmp_path / "wrangler.toml"
    path.write_text(
        'main = "x.py"\n[exports.Wf]\ntype = "workflow"\nname = "wf"\nschedules = ["0 * * * *"]\nschedule = 1\n'
    )

    config = load_config(path)

    assert config.exports[0].schedules == ("0 * * * *",)
    assert [line for line, _ in config.warnings] == [6]


def test_an_environment_inherits_exports_but_no_workflows(tmp_path):
    config, _ = declared("export", concurrency={"limit": 0})

    assert refused(tmp_path, "staging", **config, env={"staging": {}})[0] == '"limit": 0'


def test_an_environment_without_the_workflows_of_the_top_level_is_warned_of(tmp_path):
    assert warned(tmp_path, "staging", workflows=[WORKFLOW], env={"staging": {}}) == [
        (
            '"staging": {}',
            "the top level has workflows and env.staging has none: an environment inherits no workflows. Write them into "
            'env.staging as well, or "workflows": [] if it has none.',
        )
    ]
    assert warned(tmp_path, "staging", workflows=[WORKFLOW], env={"staging": {"workflows": []}}) == []


def test_an_environments_workflows_follow_the_same_rules(tmp_path):
    staging = {"staging": {"workflows": [{**WORKFLOW, "name": "-bad"}]}}

    assert refused(tmp_path, "staging", workflows=[WORKFLOW], env=staging) == (
        '"name": "-bad"',
        f"workflows[0].name is '-bad', which is no name of a workflow. {NAMES}",
    )


# -- what is refused -------------------------------------------------------------------------------


@both
@pytest.mark.parametrize("name", ["-bad name!!", "a b", "ä", "a.b", "w\n", ""])
def test_a_name_that_is_none_is_refused(tmp_path, form, name):
    config, where = declared(form, name=name)

    _, message = refused(tmp_path, **config)

    assert message.startswith(f"{where}.name is {name!r}, ")
    assert message.endswith(NAMES) or name == ""


@both
def test_a_name_has_up_to_64_characters(tmp_path, form):
    config, where = declared(form, name="w" * 65)

    line, message = refused(tmp_path, **config)

    assert line == f'"name": "{"w" * 65}"'
    assert message == f"{where}.name is {'w' * 65!r}, which is no name of a workflow. {NAMES} It has 65."
    assert load(tmp_path, **declared(form, name="_" + "W-9" * 21)[0]).warnings == ()


def test_names_are_unique(tmp_path):
    config = {"workflows": [WORKFLOW, {**WORKFLOW, "binding": "WF2"}]}

    assert refused(tmp_path, **config) == (
        '"name": "wf"',
        "workflows[1].name is 'wf', and so is workflows[0].name. Names of workflows are unique: give one of them another "
        "name.",
    )
    with pytest.raises(WorkflowConfigError, match=r"wrangler.jsonc:12: "):
        load(tmp_path, **config)


def test_names_of_exports_are_unique(tmp_path):
    export = {"type": "workflow", "name": "wf"}

    assert refused(tmp_path, exports={"A": export, "B": export})[1] == (
        "exports.B.name is 'wf', and so is exports.A.name. Names of workflows are unique: give one of them another name."
    )


@both
@pytest.mark.parametrize(
    ("settings", "line", "message"),
    [
        ({"limits": 5}, '"limits": 5', ".limits is a number (5), not a table."),
        ({"limits": None}, '"limits": null', ".limits is null, not a table."),
        ({"limits": {"steps": 0}}, '"steps": 0', ".limits.steps is 0, not a number of steps from 1 on."),
        ({"limits": {"steps": 1.5}}, '"steps": 1.5', ".limits.steps is 1.5, not a number of steps from 1 on."),
        ({"limits": {"steps": "5"}}, '"steps": "5"', ".limits.steps is '5', not a number of steps from 1 on."),
        ({"limits": {"steps": True}}, '"steps": true', ".limits.steps is true, not a number of steps from 1 on."),
        ({"limits": {"steps": None}}, '"steps": null', ".limits.steps is null, not a number of steps from 1 on."),
        ({"concurrency": []}, '"concurrency": []', ".concurrency is a list ([]), not a table."),
        ({"concurrency": {"limit": 0}}, '"limit": 0', ".concurrency.limit is 0, not a number of instances from 1 on."),
        (
            {"concurrency": {"limit": 2.5}},
            '"limit": 2.5',
            ".concurrency.limit is 2.5, not a number of instances from 1 on.",
        ),
        ({"schedules": []}, '"schedules": []', f".schedules is []. {LIST}"),
        ({"schedules": ""}, '"schedules": ""', f".schedules is ''. {LIST}"),
        ({"schedules": None}, '"schedules": null', f".schedules is null. {LIST}"),
        ({"schedules": ["0 * * * *", ""]}, '"schedules": [', f".schedules is ['0 * * * *', '']. {LIST}"),
        ({"schedules": [5]}, '"schedules": [', f".schedules is [5]. {LIST}"),
        ({"schedules": {"cron": "x"}}, '"schedules": {', f".schedules is {{'cron': 'x'}}. {LIST}"),
        (
            {"default_retention": "1 day"},
            '"default_retention": "1 day"',
            ".default_retention is a text ('1 day'), not a table.",
        ),
        (
            {"default_retention": {"success_retention": 0}},
            '"success_retention": 0',
            '.default_retention.success_retention is 0. Write a duration such as "3 days", or a whole number of '
            "milliseconds above 0.",
        ),
        (
            {"default_retention": {"error_retention": ""}},
            '"error_retention": ""',
            ".default_retention.error_retention is ''. Write a duration such as \"3 days\", or a whole number of "
            "milliseconds above 0.",
        ),
        (
            {"jurisdiction": "mars"},
            '"jurisdiction": "mars"',
            '.jurisdiction is \'mars\'. Write one of "eu", "fedramp", "us".',
        ),
    ],
)
def test_a_setting_that_wrangler_refuses_is_refused_with_its_line(tmp_path, form, settings, line, message):
    config, where = declared(form, **settings)

    assert refused(tmp_path, **config) == (line, f"{where}{message}")


@pytest.mark.parametrize(
    ("exports", "message"),
    [
        ([], "exports is a list ([]), not a table of exports by their class."),
        ({"Wf": "workflow"}, "exports.Wf is a text ('workflow'), not a table."),
        ({"Wf": {"name": "wf"}}, 'exports.Wf.type is missing. Write one of "durable-object", "worker", "workflow".'),
        (
            {"Wf": {"type": "workflows", "name": "wf"}},
            'exports.Wf.type is \'workflows\'. Write one of "durable-object", "worker", "workflow".',
        ),
        ({"Wf": {"type": "workflow"}}, "exports.Wf.name is missing: it is the workflow's own name."),
        ({"Wf": {"type": "workflow", "name": 5}}, "exports.Wf.name is 5, not a text."),
    ],
)
def test_exports_that_wrangler_refuses_are_refused(tmp_path, exports, message):
    assert refused(tmp_path, exports=exports)[1] == message


def test_other_exports_are_known_by_their_type(tmp_path):
    exports = {"Room": {"type": "durable-object", "storage": "sqlite"}, "Api": {"type": "worker"}}

    assert load(tmp_path, exports=exports).other_exports == {"Room": "durable-object", "Api": "worker"}


@pytest.mark.parametrize(
    ("binding", "message"),
    [
        (
            {"script_name": "billing"},
            "workflows[0] is the workflow 'wf' of the Worker 'billing', and exports.Wf declares one of that name in this "
            'Worker. Names of workflows are unique in an account: remove "script_name", or give the export another name.',
        ),
        (
            {"class_name": "Other"},
            "workflows[0] says that the workflow 'wf' is the class 'Other', and exports.Wf that it is 'Wf'. Write the "
            "same class, or give one of them another name.",
        ),
        (
            {"limits": {"steps": 5}},
            "workflows[0].limits is a setting of the workflow 'wf', which exports.Wf declares. Move \"limits\" to "
            "exports.Wf.",
        ),
    ],
)
def test_a_binding_and_an_export_of_one_workflow_must_agree(tmp_path, binding, message):
    exports = {"Wf": {"type": "workflow", "name": "wf"}}

    assert refused(tmp_path, workflows=[{**WORKFLOW, **binding}], exports=exports)[1] == message


def test_a_workflow_that_is_only_exported_needs_main(tmp_path):
    path = tmp_path / "wrangler.jsonc"
    path.write_text('{"exports": {"Wf": {"type": "workflow", "name": "wf"}}}')

    with pytest.raises(WorkflowConfigError, match='there are workflows, but no "main"'):
        load_config(path)


@pytest.mark.parametrize(
    ("secrets", "message"),
    [
        (["A"], "secrets is a list (['A']), not a table."),
        ({"required": "A"}, "secrets.required is a text ('A'), not a list of names."),
        ({"required": [5]}, "secrets.required is a list ([5]), not a list of names."),
    ],
)
def test_secrets_that_wrangler_refuses_are_refused(tmp_path, secrets, message):
    assert refused(tmp_path, secrets=secrets)[1] == message


TOML = """
    main = "workflows.py"
    [[workflows]]
    limits.steps = 1
    binding = "A"
    name = "a"
    class_name = "A"
    [[workflows]]
    limits = {steps = 0} # here
    binding = "B"
    name = "b"
    class_name = "B"
"""
INLINE = """
    main = "workflows.py"
    workflows = [
      {limits = {steps = 1}, binding = "A", name = "]", class_name = "A"},
      {limits = {steps = 0}, binding = "B", name = "b", class_name = "B"}, # here
    ]
"""
JSON = """
    {
      "main": "workflows.py",
      "workflows": [
        {"limits": {"steps": 1}, "binding": "A", "name": "a", "class_name": "A"},
        {"limits": {"steps": 0}, // here
         "binding": "B", "name": "b", "class_name": "B"},
        {"limits": {"steps": 1}, "binding": "C", "name": "c", "class_name": "C"}
      ]
    }
"""


@pytest.mark.parametrize(
    ("name", "source"),
    [
        ("wrangler.toml", TOML),
        ("wrangler.toml", INLINE.replace('"]"', '"a"')),
        ("wrangler.jsonc", JSON),
        ("wrangler.jsonc", JSON.replace('"class_name": "A"', "'class_name': '[A}'")),
    ],
)
def test_a_line_is_that_of_its_entry_whatever_the_order_of_the_keys(tmp_path, name, source):
    path = tmp_path / name
    path.write_text(source)

    with pytest.raises(WorkflowConfigError) as caught:
        load_config(path)

    line = next(number for number, text in enumerate(source.splitlines(), 1) if text.rstrip().endswith(" here"))
    assert str(caught.value).startswith(f"{path}:{line}: workflows[1].limits.steps is 0")


# -- what is warned of -----------------------------------------------------------------------------


@both
@pytest.mark.parametrize(
    ("settings", "line", "table", "key", "hint", "known"),
    [
        ({"schedule": "0 * * * *"}, '"schedule": "0 * * * *"', "", "schedule", ' Did you mean "schedules"?', "..."),
        ({"limits": {"step": 5}}, '"step": 5', ".limits", "step", ' Did you mean "steps"?', "steps"),
        ({"concurrency": {"max": 5}}, '"max": 5', ".concurrency", "max", "", "limit"),
        (
            {"default_retention": {"success": 5}},
            '"success": 5',
            ".default_retention",
            "success",
            "",
            "success_retention, error_retention",
        ),
    ],
)
def test_a_key_that_nobody_knows_is_warned_of(tmp_path, form, settings, line, table, key, hint, known):
    config, where = declared(form, **settings)
    if known == "...":
        first = "binding, name, class_name, script_name" if form == "binding" else "type, name"
        known = f"{first}, limits, concurrency, schedules, default_retention, jurisdiction"

    assert warned(tmp_path, **config) == [
        (
            line,
            f'{where}{table} has the key "{key}", which wrangler does not know: it has no effect.{hint} Known: {known}.',
        )
    ]


@both
def test_more_steps_than_production_has_are_warned_of(tmp_path, form):
    config, where = declared(form, limits={"steps": 30000})

    assert warned(tmp_path, **config) == [
        (
            '"steps": 30000',
            f"{where}.limits.steps is 30000, and production has at most 25000: this may not work there.",
        )
    ]


def test_a_key_of_secrets_that_nobody_knows_is_warned_of(tmp_path):
    assert warned(tmp_path, secrets={"require": []}) == [
        (
            '"require": []',
            'secrets has the key "require", which wrangler does not know: it has no effect. Known: required.',
        )
    ]


def test_a_key_of_a_consumer_that_nobody_knows_is_warned_of(tmp_path):
    ((_, said),) = warned(tmp_path, queues={"consumers": [{"queue": "q", "max_batch_sise": 3}]})

    assert said.startswith(
        'queues.consumers[0] has the key "max_batch_sise", which wrangler does not know: it has no effect. Did you mean '
        '"max_batch_size"? Known: queue, type, max_batch_size,'
    )


@pytest.mark.parametrize("triggers", [{"crons": "0 * * * *"}, {"crons": [5]}, "0 * * * *"])
def test_crons_are_a_list_of_texts(tmp_path, triggers):
    with pytest.raises(WorkflowConfigError, match=r"triggers\.crons is .*\. Write a list of texts"):
        load(tmp_path, triggers=triggers)


# -- in a session ----------------------------------------------------------------------------------

MISSPELT = """
    {
      "name": "shop",
      "main": "src/entry.py",
      "compatibility_date": "2026-11-10",
      "workflows": [
        {"binding": "ORDERS", "name": "orders", "class_name": "OrderWorkflow", "limits": {"step": 5}}
      ]
    }
"""
TESTS = """
    async def test_one(workflow_env):
        assert workflow_env.ORDERS


    async def test_two(workflow_env):
        assert workflow_env.ORDERS


    def test_of_something_else():
        pass
"""


def test_a_warning_comes_once_a_session_with_file_and_line(worker):
    worker.write("wrangler.jsonc", MISSPELT)
    worker.set(filterwarnings="default")

    result = worker.run(TESTS)

    result.assert_outcomes(passed=3, warnings=1)
    result.stdout.fnmatch_lines(
        [
            f"  {worker.path}/wrangler.jsonc:6: WorkflowConfigWarning: {worker.path}/wrangler.jsonc:6: workflows[[]0].limits "
            'has the key "step", which wrangler does not know: it has no effect. Did you mean "steps"? Known: steps.'
        ]
    )


def test_where_warnings_are_errors_the_tests_of_the_worker_fail_and_say_why(worker):
    worker.write("wrangler.jsonc", MISSPELT)

    result = worker.run(TESTS)

    result.assert_outcomes(passed=1, failed=2)
    result.stdout.fnmatch_lines(
        [
            'E *WorkflowConfigWarning: *wrangler.jsonc:6: workflows[[]0].limits has the key "step", *',
            "E *Warnings are errors in this session: *",
        ]
    )


def test_the_warning_can_be_named_in_a_filter(worker):
    worker.write("wrangler.jsonc", MISSPELT)
    worker.set(filterwarnings="ignore::pytest_workflows.WorkflowConfigWarning")

    worker.run(TESTS).assert_outcomes(passed=3, warnings=0)
