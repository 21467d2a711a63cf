"""The platform's own client against the control plane: each method, its answers strictly as the client's models are."""

from __future__ import annotations

import json
import types
import typing
from datetime import datetime

import pytest

from .conftest import START_MS, client_of

cloudflare = pytest.importorskip("cloudflare")  # it is not installed on every Python that the suite runs on

VERSION = "14707576-2549-4848-82ed-f68f8a1b47c7"


@pytest.fixture
async def workflows(shop):
    """The client's workflows; each answer is checked when it is parsed."""
    async with client_of(shop) as http:
        client = cloudflare.AsyncCloudflare(
            api_token="anything", base_url="http://127.0.0.1:8787/client/v4", http_client=http, max_retries=0
        )
        yield client.workflows


def unknown_keys(value, at="") -> list[str]:
    """The keys that a model does not know, in it and in the models that it holds."""
    if isinstance(value, list):
        return [found for index, one in enumerate(value) for found in unknown_keys(one, f"{at}[{index}]")]
    if not hasattr(value, "model_extra"):
        return []
    own = [f"{at}.{name}" for name in value.model_extra or ()]
    fields = type(value).model_fields
    return own + [found for name in fields for found in unknown_keys(getattr(value, name), f"{at}.{name}")]


def empty_fields(value, at="") -> set[str]:
    """The fields that are None."""
    if isinstance(value, list):
        return {found for one in value for found in empty_fields(one, at)}
    if not hasattr(value, "model_fields_set"):
        return set()
    names = type(value).model_fields
    found = {f"{at}{name}" for name in names if getattr(value, name) is None}
    return found.union(*(empty_fields(getattr(value, name), f"{at}{name}.") for name in names))


async def asked(call, **arguments):
    """The answer of a call, as the client's model has it: strictly, with no unknown key."""
    raw = await call(**arguments)
    envelope = json.loads(await raw.text() if isinstance(raw.text, types.MethodType) else raw.text)
    assert (envelope["success"], envelope["errors"], envelope["messages"]) == (True, [], [])
    parsed = await raw.parse()
    rows = parsed.result if hasattr(parsed, "result") else parsed
    if isinstance(rows, list):
        found = [
            type(one).model_validate_json(json.dumps(dump), strict=True)
            for one, dump in zip(rows, envelope["result"], strict=True)
        ]
    else:
        found = type(rows).model_validate_json(json.dumps(envelope["result"]), strict=True)
    assert unknown_keys(found) == []
    return found


async def created(workflows, id="order-1", **params):
    return await asked(
        workflows.instances.with_raw_response.create,
        workflow_name="orders",
        account_id="acc",
        instance_id=id,
        params=json.dumps({"sku": "tea", **params}),
    )


async def of(workflows, id="order-1", **query):
    return await asked(
        workflows.instances.with_raw_response.get,
        instance_id=id,
        account_id="acc",
        workflow_name="orders",
        **query,
    )


async def test_workflows_are_listed_and_read_and_put_as_they_are(shop, workflows):
    await created(workflows)

    (listed,) = await asked(workflows.with_raw_response.list, account_id="acc", search="ORD")
    one = await asked(workflows.with_raw_response.get, workflow_name="orders", account_id="acc")
    put = await asked(
        workflows.with_raw_response.update,
        workflow_name="orders",
        account_id="acc",
        class_name="OrderWorkflow",
        script_name="worker",
    )

    assert empty_fields(listed) == set()
    assert (one.name, one.class_name, one.script_name) == ("orders", "OrderWorkflow", "worker")
    assert one.instances["running"] + one.instances["waiting"] == 1
    assert one.triggered_on == datetime.fromtimestamp(START_MS / 1000, one.triggered_on.tzinfo)
    assert (put.id, put.version_id, empty_fields(put)) == (one.id, VERSION, set())


async def test_versions_are_listed_and_read(workflows):
    (listed,) = await asked(workflows.versions.with_raw_response.list, workflow_name="orders", account_id="acc")
    one = await asked(
        workflows.versions.with_raw_response.get, version_id=VERSION, account_id="acc", workflow_name="orders"
    )

    assert one.model_dump() == listed.model_dump()
    assert (one.id, one.class_name, one.language, one.limits.steps) == (VERSION, "OrderWorkflow", "python", 10_000)


async def test_instances_are_created_one_and_many(shop, workflows):
    one = await created(workflows)
    many = await asked(
        workflows.instances.with_raw_response.bulk,
        workflow_name="orders",
        account_id="acc",
        body=[{"instance_id": "order-1"}, {"instance_id": "order-2", "params": "[1]"}, {}],
    )

    assert (one.id, one.version_id, one.trigger_source, empty_fields(one)) == ("order-1", VERSION, "api", set())
    assert [found.trigger_source for found in many] == ["api", "api"]
    assert many[0].id == "order-2"
    assert len(shop.engine.instances) == 3


async def test_a_list_has_filters_and_goes_on_page_by_page(shop, workflows):
    for number in range(5):
        await created(workflows, f"order-{number}")
        await shop.engine.advance("1 hour")
    await shop.engine.advance("5 days")
    await created(workflows, "late")
    listing = {"workflow_name": "orders", "account_id": "acc"}

    failed = await asked(workflows.instances.with_raw_response.list, **listing, status="errored")
    early = await asked(workflows.instances.with_raw_response.list, **listing, date_end="2026-03-02T10:30:00Z")
    by_number = [one.id async for one in workflows.instances.list(**listing, per_page=2)]
    first = await workflows.instances.list(**listing, per_page=4, direction="asc")
    rest = await workflows.instances.list(
        **listing, per_page=4, direction="asc", cursor=first.result_info.model_extra["cursor"]
    )

    assert {one.status for one in failed} == {"errored"}
    assert [one.id for one in early] == ["order-1", "order-0"]
    assert empty_fields(failed) == set()
    assert by_number == ["late", "order-4", "order-3", "order-2", "order-1", "order-0"]
    assert [one.id for one in first.result + rest.result] == by_number[::-1]
    assert rest.result_info.model_extra["cursor"] is None


async def test_an_instance_is_read_at_each_stage(shop, workflows):
    await created(workflows)
    await shop.engine.settle()
    sleeping = await of(workflows)
    await shop.engine.advance("3 days")
    waiting = await of(workflows, order="desc")
    simple = await of(workflows, simple="true")
    await asked(
        workflows.instances.events.with_raw_response.create,
        event_type="approved",
        account_id="acc",
        workflow_name="orders",
        instance_id="order-1",
        body={"by": "grace"},
    )
    await shop.engine.run_until_idle()
    complete = await of(workflows)

    assert sleeping.status == "waiting"
    assert (sleeping.steps[2].type, sleeping.steps[2].finished) == ("sleep", False)
    assert (sleeping.steps[2].end - sleeping.steps[2].start).days == 3
    assert [step.name for step in waiting.steps] == ["approval-1", "cool down-1", "charge card-1", "check stock-1"]
    assert (simple.step_count, simple.steps) == (4, [])
    assert (complete.status, complete.success, complete.output) == ("complete", True, '{"approved_by":"grace"}')
    assert complete.params == {"sku": "tea"}
    assert json.loads(complete.steps[3].output)["payload"] == {"by": "grace"}
    assert empty_fields(complete) == {
        "error",
        "rollback",
        "schedule",
        "steps.error",
        "steps.attempts.error",
        "steps.config.sensitive",
    }


async def test_a_failed_step_has_its_attempts_and_their_errors(shop, workflows):
    await created(workflows, card="declined")
    await shop.engine.run_until_idle()

    failed = await of(workflows)

    step = failed.steps[1]
    assert (failed.status, failed.success, step.success, step.output) == ("errored", False, False, None)
    assert "the bank answered 503" in failed.error.message
    assert [(one.success, one.end is not None) for one in step.attempts] == [(False, True)] * 3
    assert (step.config.retries.limit, step.config.retries.delay, step.config.timeout) == (2, "10 seconds", "2 minutes")


async def test_the_output_of_one_step_and_of_one_attempt(shop, workflows):
    await created(workflows)
    await created(workflows, "order-2", card="declined")
    await shop.engine.advance("3 days")
    step = workflows.instances.with_raw_response.step
    at = {"account_id": "acc", "workflow_name": "orders"}

    done = await asked(step, instance_id="order-1", **at, name="check stock-1", type="step")
    waits = await asked(step, instance_id="order-1", **at, name="approval-1", type="waitForEvent")
    attempt = await asked(step, instance_id="order-2", **at, name="charge card-1", type="step", attempt=2)

    assert (done.status, done.output, done.error, done.event_type) == ("complete", {"in_stock": 7}, None, None)
    assert (waits.status, waits.event_type) == ("waiting", "approved")
    assert (attempt.status, attempt.error.name) == ("errored", "Error")


async def test_an_instance_is_paused_resumed_restarted_from_a_step_and_terminated(shop, workflows):
    await created(workflows)
    await shop.engine.settle()
    at = {"instance_id": "order-1", "account_id": "acc", "workflow_name": "orders"}
    edit = workflows.instances.status.with_raw_response.edit

    statuses = []
    for change in (
        {"status": "pause"},
        {"status": "resume"},
        {"status": "restart"},
        {"status": "restart", "from_": {"name": "charge card", "count": 1, "type": "do"}},
        {"status": "terminate", "rollback": False},
    ):
        statuses.append((await asked(edit, **at, **change)).status)
        await shop.engine.settle()

    terminated = await of(workflows)
    assert (statuses[0], statuses[-1], terminated.status) == ("paused", "terminated", "terminated")
    assert terminated.steps[-1].type == "termination"
    assert terminated.step_count == len(terminated.steps) - 1


async def test_a_workflow_that_is_deleted_loses_its_instances(shop, workflows):
    await created(workflows)

    gone = await asked(workflows.with_raw_response.delete, workflow_name="orders", account_id="acc")

    assert (gone.status, gone.success, shop.engine.instances) == ("ok", True, [])


@pytest.mark.parametrize(
    ("call", "arguments", "error", "code"),
    [
        ("get", {"workflow_name": "reports"}, "NotFoundError", 10200),
        ("instances.get", {"instance_id": "none", "workflow_name": "orders"}, "NotFoundError", 10400),
        ("instances.create", {"workflow_name": "orders", "instance_id": "taken"}, "BadRequestError", 10405),
        ("instances.create", {"workflow_name": "orders", "instance_id": "no id!"}, "BadRequestError", 10404),
        ("instances.create", {"workflow_name": "orders", "params": "{no json"}, "BadRequestError", 10004),
        ("instances.create", {"workflow_name": "orders", "params": "NaN"}, "BadRequestError", 10004),
        ("instances.list", {"workflow_name": "orders", "date_start": "12"}, "BadRequestError", 10004),
        ("instances.list", {"workflow_name": "orders", "page": 1, "cursor": "MQ"}, "BadRequestError", 10004),
        ("instances.list", {"workflow_name": "orders", "cursor": "no cursor"}, "BadRequestError", 10004),
        ("versions.get", {"workflow_name": "orders", "version_id": "none"}, "NotFoundError", 10300),
        ("versions.graph", {"workflow_name": "orders", "version_id": "none"}, "NotFoundError", 10300),
        (
            "update",
            {"workflow_name": "orders", "class_name": "Other", "script_name": "worker"},
            "ConflictError",
            10004,
        ),
        (
            "instances.step",
            {"workflow_name": "orders", "instance_id": "taken", "name": "check stock", "type": "step"},
            "NotFoundError",
            10007,
        ),
        (
            "instances.status.edit",
            {
                "workflow_name": "orders",
                "instance_id": "taken",
                "status": "restart",
                "from_": {"name": "none"},
            },
            "BadRequestError",
            10402,
        ),
    ],
)
async def test_what_cannot_be_had_is_the_client_s_error_with_the_platform_s_code(
    workflows, call, arguments, error, code
):
    await created(workflows, "taken")
    method = workflows
    for name in call.split("."):
        method = getattr(method, name)

    with pytest.raises(getattr(cloudflare, error)) as refused:
        await method(account_id="acc", **arguments)

    assert [one.code for one in refused.value.errors] == [code]


def test_no_method_of_the_client_is_left_out():
    """A version of the client that has more of them is to be served as well."""
    from cloudflare.resources import workflows as resources

    def methods(resource: type) -> set[str]:
        own = {name for name, value in vars(resource).items() if isinstance(value, types.FunctionType)}
        return {name for name in own if typing.get_type_hints and not name.startswith(("_", "with_"))}

    assert methods(resources.WorkflowsResource) == {"update", "list", "delete", "get"}
    assert methods(resources.InstancesResource) == {"create", "list", "bulk", "get", "step"}
    assert methods(resources.VersionsResource) == {"list", "get", "graph"}
