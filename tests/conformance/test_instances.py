"""Instances and bindings: ids, options, batches, status, events, workflows that use workflows."""

import asyncio
import re
import uuid
from datetime import datetime

import pytest
from pyodide.ffi import JsException, to_js
from rules import NEWEST, rule

from pytest_workflows import introspect_workflow, introspect_workflow_instance

pytestmark = pytest.mark.workflow(now="2026-01-01T00:00:00Z")

SECTION = "Instances and bindings"
ALREADY_EXISTS = 'WorkflowError: (instance.already_exists) Workflow instance with id "x" already exists'
INVALID_ID = "WorkflowError: Workflow instance has invalid id"
NOT_FOUND = "Error: instance.not_found"


async def echo(event, step):
    return event["payload"]


async def asleep(event, step):
    await step.sleep("nap", "1 hour")
    return "awake"


async def broken(event, step):
    raise ValueError("boom")


# -- the event -------------------------------------------------------------------------------------


@rule(SECTION, "event has timestamp (a naive datetime, UTC), payload, instanceId and workflowName, in this order")
async def test_the_event_tells_when_what_and_who(lab):
    seen = []

    async def run(event, step):
        seen.append(event)

    await (await lab.start(run, params={"a": {"b": 1}})).end()

    event = seen[0]
    assert list(event) == ["timestamp", "payload", "instanceId", "workflowName"]
    assert event.timestamp == datetime(2026, 1, 1)
    assert event.timestamp.tzinfo is None
    assert event.payload.a.b == 1
    assert (event.instanceId, event.workflowName) == ("x", lab.binding.workflow.workflow_name)


@rule(SECTION, "Params that are left out are {}, params None are None")
@pytest.mark.parametrize(
    ("options", "payload"),
    [({}, {}), ({"params": None}, None), ({"params": "text"}, "text"), ({"params": [1, 2]}, [1, 2])],
    ids=str,
)
async def test_params_that_are_left_out_are_an_empty_object(lab, options, payload):
    assert await (await lab.start(echo, **options)).output() == payload


@rule(SECTION, "The event is the same after a crash, but never shares an object with an earlier execution")
@pytest.mark.workflow(clock="manual")
async def test_the_event_is_the_same_in_every_life(lab):
    seen = []

    async def run(event, step):
        seen.append(dict(event))
        event["payload"]["list"].append("changed")
        await step.sleep("nap", "1 hour")

    started = await lab.start(run, params={"list": []})
    await lab.clock.advance("30 minutes")
    await started.instance.crash()
    await lab.settle()

    assert [entry["timestamp"] for entry in seen] == [datetime(2026, 1, 1)] * 2
    assert seen[0]["payload"] is not seen[1]["payload"]
    assert seen[1]["payload"] == {"list": ["changed"]}
    assert {finding.rule for finding in lab.engine.findings.take()} == {"changed-event"}


# -- create ----------------------------------------------------------------------------------------


@rule(SECTION, "create takes a dict or keywords")
async def test_create_takes_a_dict_or_keywords(lab, bodies):
    bodies["WORKFLOW"] = echo

    by_dict = await lab.binding.create({"id": "a", "params": 1})
    by_keyword = await lab.binding.create(id="b", params=2)
    await lab.engine.run_until_idle()

    assert [handle.id for handle in (by_dict, by_keyword)] == ["a", "b"]
    assert [(await handle.status())["output"] for handle in (by_dict, by_keyword)] == [1, 2]


@rule(SECTION, "An id that is left out is a UUID")
async def test_an_id_that_is_left_out_is_a_uuid(lab, bodies):
    bodies["WORKFLOW"] = echo

    ids = [(await lab.binding.create()).id, (await lab.binding.create({"params": 1})).id]

    assert len(set(ids)) == 2
    assert [str(uuid.UUID(id)) for id in ids] == ids


@rule(SECTION, "An id has up to 100 letters, digits, - and _, the first no -")
@pytest.mark.parametrize("id", ["a", "A-1_b", "_x", "0", "9-", "a" * 100])
async def test_ids_of_the_platforms_form_are_taken(lab, bodies, id):
    bodies["WORKFLOW"] = echo

    assert (await lab.binding.create({"id": id})).id == id


@rule(SECTION, "Another id is an error")
@pytest.mark.parametrize("id", ["", "-a", "a b", "a.b", "a/b", "é", "a\n", "a" * 101, 5, True])
async def test_ids_of_another_form_are_rejected(lab, bodies, id):
    bodies["WORKFLOW"] = echo

    with pytest.raises(JsException) as caught:
        await lab.binding.create({"id": id})

    assert caught.value.message == INVALID_ID
    assert lab.engine.instances == []


@rule(SECTION, "An id that is taken is an error, whatever became of the instance")
@pytest.mark.parametrize("body", [echo, asleep, broken])
async def test_an_id_that_is_taken_is_rejected(lab, body):
    started = await lab.start(body)
    await started.end()

    with pytest.raises(JsException) as caught:
        await lab.binding.create({"id": "x"})

    assert caught.value.message == ALREADY_EXISTS


@rule(SECTION, "Ids are unique per workflow: another workflow may use the same")
async def test_another_workflow_may_use_the_same_id(lab):
    started = await lab.start(echo, params=1)
    other = await lab.other(echo).create({"id": "x", "params": 2})
    await lab.engine.run_until_idle()

    assert await started.instance.get_output() == 1
    assert (await other.status())["output"] == 2


@rule(SECTION, "get of an id that does not exist is the error instance.not_found")
async def test_get_of_an_unknown_id_is_not_found(lab):
    with pytest.raises(JsException) as caught:
        await lab.binding.get("nobody")

    assert str(caught.value) == NOT_FOUND


@rule(
    SECTION,
    "get of something that is no text is the error instance.not_found; our note says what to write",
    seen=NEWEST,
)
@pytest.mark.parametrize(
    ("given", "advice"),
    [
        ({"id": "x"}, "Write get('x')."),
        ({}, "Write get('order-1')."),
        (5, "Write get('order-1')."),
        (None, "Write get('order-1')."),
    ],
)
async def test_get_of_no_text(lab, bodies, given, advice):
    bodies["WORKFLOW"] = echo
    await lab.binding.create({"id": "x"})

    with pytest.raises(JsException) as caught:
        await lab.binding.get(given)

    assert str(caught.value) == "Error: instance.not_found"
    note = f"get takes an instance's id, a text, not {type(given).__name__}: {given!r}. {advice}"
    assert caught.value.__notes__ == [note]


@rule(SECTION, "get gives a handle of the same instance")
async def test_get_gives_another_handle_of_the_instance(lab):
    async def run(event, step):
        return [(await step.wait_for_event(name, "t"))["payload"] for name in ("w1", "w2")]

    started = await lab.start(run)
    again = await lab.binding.get("x")
    await again.send_event({"type": "t", "payload": "get"})
    await started.handle.send_event({"type": "t", "payload": "create"})

    assert again.id == "x"
    assert await started.output() == ["get", "create"]


# -- create_batch ----------------------------------------------------------------------------------


@rule(SECTION, "create_batch makes an instance per option, and gives their handles in order")
@pytest.mark.parametrize("name", ["create_batch", "createBatch"])
async def test_a_batch_makes_an_instance_per_option(lab, bodies, name):
    bodies["WORKFLOW"] = echo

    handles = await getattr(lab.binding, name)([{"id": "a", "params": 1}, {"params": 2}, {}])
    await lab.engine.run_until_idle()

    assert handles[0].id == "a"
    assert [(await handle.status())["output"] for handle in handles] == [1, 2, {}]


@rule(
    SECTION,
    "A batch that is a list leaves out ids that are taken, or that it repeats. In August 2026 it gave a handle for each",
    seen=NEWEST,
)
async def test_a_batch_leaves_existing_instances_as_they_are(lab):
    started = await lab.start(echo, params="original")
    handles = await lab.binding.create_batch(
        [{"id": "x", "params": 2}, {"id": "n", "params": 3}, {"id": "n", "params": 4}]
    )
    await lab.engine.run_until_idle()

    assert [handle.id for handle in handles] == ["n"]
    assert await started.instance.get_output() == "original"
    assert (await handles[0].status())["output"] == 3


@rule(SECTION, "An empty batch is an error")
async def test_an_empty_batch_is_an_error(lab):
    with pytest.raises(JsException) as caught:
        await lab.binding.create_batch([])

    assert caught.value.message == "WorkflowError: batchCreate should have at least 1 instance"


@rule(SECTION, "A batch is a list: a tuple is a TypeError")
async def test_a_batch_that_is_a_tuple_is_a_type_error(lab):
    with pytest.raises(TypeError):
        await lab.binding.create_batch(({"id": "a"},))


@rule(SECTION, "A batch has up to 100 options", seen=NEWEST)
async def test_a_batch_has_up_to_a_hundred_instances(lab, bodies):
    bodies["WORKFLOW"] = echo

    assert len(await lab.binding.create_batch([{} for _ in range(100)])) == 100
    with pytest.raises(JsException, match="100"):
        await lab.binding.create_batch([{} for _ in range(101)])
    assert len(lab.engine.instances) == 100


@rule(
    SECTION,
    "An invalid id in a batch is an error, and nothing is created. In August 2026 the others were",
    seen=NEWEST,
)
async def test_an_invalid_id_in_a_batch_is_an_error(lab, bodies):
    bodies["WORKFLOW"] = echo

    with pytest.raises(JsException) as caught:
        await lab.binding.create_batch([{"id": "ok"}, {"id": "not ok"}])

    assert caught.value.message == INVALID_ID
    assert lab.engine.instances == []


# -- status ----------------------------------------------------------------------------------------


@rule(SECTION, "status has status, __LOCAL_DEV_STEP_OUTPUTS (of steps and events), output and error")
async def test_the_status_of_a_complete_instance(lab):
    async def run(event, step):
        await step.do("a")(lambda: {"n": 1})()
        await step.do("nothing")(lambda: None)()
        await step.wait_for_event("w", "t")
        await step.sleep("nap", 1)
        return {"answer": 42}

    started = await lab.start(run)
    await started.handle.send_event({"type": "t", "payload": "P"})

    status = await started.end()
    assert status == {
        "status": "complete",
        "__LOCAL_DEV_STEP_OUTPUTS": [{"n": 1}, None, "P"],
        "output": {"answer": 42},
        "error": None,
    }
    assert list(status) == ["status", "__LOCAL_DEV_STEP_OUTPUTS", "output", "error"]
    assert status.output.answer == 42


@rule(SECTION, "The step outputs of a status stand in the order in which steps and waits were completed")
async def test_step_outputs_are_in_order_of_completion(lab, gate):
    slow_gate = gate()

    async def run(event, step):
        async def slow():
            await slow_gate()
            return "slow"

        async def outer():
            return "outer of " + await step.do("inner")(lambda: "inner")()

        wait = asyncio.create_task(step.wait_for_event("w", "t"))
        await asyncio.gather(step.do("slow")(slow)(), step.do("quick")(lambda: "quick")())
        await wait
        await step.do("outer")(outer)()

    started = await lab.start(run)
    await started.instance.wait_for_step_result("quick")
    slow_gate.open()
    await started.instance.wait_for_step_result("slow")
    await started.handle.send_event({"type": "t", "payload": "event"})

    outputs = (await started.end())["__LOCAL_DEV_STEP_OUTPUTS"]
    assert outputs == ["quick", "slow", "event", "inner", "outer of inner"]
    await started.handle.restart({"from": {"name": "outer"}})
    assert (await started.end())["__LOCAL_DEV_STEP_OUTPUTS"] == outputs


@rule(SECTION, "The status of an instance whose run returned nothing has output None")
async def test_the_status_without_an_output(lab):
    async def run(event, step):
        pass

    status = await (await lab.start(run)).end()

    assert (status["status"], status["output"], status["error"]) == ("complete", None, None)


@rule(SECTION, "The status of an errored instance has the error's name and message")
async def test_the_status_of_an_errored_instance(lab):
    status = await (await lab.start(broken)).end()

    assert status["status"] == "errored"
    assert status["output"] is None
    assert status["error"]["name"] == "Error"
    assert status["error"]["message"].startswith("PythonError: Traceback (most recent call last):\n")
    assert status["error"]["message"].endswith("ValueError: boom\n")


@rule(SECTION, "Right after create an instance is queued or running")
async def test_the_status_right_after_create(lab):
    started = await lab.start(asleep)

    assert await started.status() in ("queued", "running", "waiting")


@rule(
    SECTION,
    "An instance that is parked on a sleep or an event is waiting",
    same=False,
    why="production says waiting, as documented; the local runtime says running",
)
@pytest.mark.workflow(clock="manual")
@pytest.mark.parametrize("kind", ["sleep", "event", "both"])
async def test_a_parked_instance_is_waiting(lab, kind):
    async def run(event, step):
        if kind != "event":
            nap = step.sleep("nap", "1 hour")
        if kind != "sleep":
            await step.wait_for_event("w", "t")
        await nap

    started = await lab.start(run)
    await lab.settle()

    assert await started.status() == "waiting"
    await started.instance.wait_for_status("waiting")
    await started.instance.wait_for_status("running")


@rule(SECTION, "While a callback runs or a retry is waited for the instance is running")
@pytest.mark.workflow(clock="manual")
async def test_an_instance_at_work_is_running(lab, gate):
    held = gate()

    async def run(event, step):
        await step.do("slow")(held)()

        @step.do("retrying", config={"retries": {"limit": 3, "delay": 60_000}})
        async def retrying():
            raise ValueError("x")

        await retrying()

    started = await lab.start(run)
    await held.reached.wait()
    during = await started.status()
    held.open()
    await started.instance.wait_for_step_result("slow")
    await lab.settle()

    assert during == "running"
    assert await started.status() == "running"
    assert started.step("retrying").status == "waiting"


# -- events ----------------------------------------------------------------------------------------


@rule(SECTION, "send_event takes a dict or keywords, and is sendEvent as well")
@pytest.mark.parametrize("name", ["send_event", "sendEvent"])
async def test_send_event_has_two_names_and_two_forms(lab, name):
    async def run(event, step):
        return [(await step.wait_for_event(one, "t"))["payload"] for one in ("w1", "w2")]

    started = await lab.start(run)
    await getattr(started.handle, name)({"type": "t", "payload": 1})
    await getattr(started.handle, name)(type="t", payload=2)

    assert await started.output() == [1, 2]


@rule(SECTION, "An event to an instance that has ended is accepted and does nothing")
@pytest.mark.workflow(ignore_rules=["engine-hazard"])
@pytest.mark.parametrize("body", [echo, broken])
async def test_an_event_to_a_finished_instance_does_nothing(lab, body):
    started = await lab.start(body)
    before = await started.end()

    await started.handle.send_event({"type": "t", "payload": 1})

    assert await started.end() == before
    assert lab.engine.store.events(lab.engine.instances[0].row.key) == []


@rule(SECTION, "An event whose payload cannot be sent raises at the call")
async def test_an_event_that_cannot_be_sent_raises_at_the_call(lab):
    started = await lab.start(asleep)

    with pytest.raises(TypeError, match="cannot be sent over RPC"):
        await started.handle.send_event({"type": "t", "payload": (1, 2)})


# -- deleting --------------------------------------------------------------------------------------


@rule(SECTION, "deleteBatch tells what was deleted and what was not", seen=NEWEST)
async def test_delete_batch_tells_what_it_deleted(lab, bodies):
    bodies["WORKFLOW"] = echo
    await lab.binding.create_batch([{"id": "a"}, {"id": "b"}, {"id": "c"}])

    answer = await lab.binding.deleteBatch(["a", "nobody", "b"])

    assert answer["deleted"] == [{"id": "a"}, {"id": "b"}]
    assert [(error["id"], error["code"]) for error in answer["errors"]] == [("nobody", 10400)]
    assert set(answer["errors"][0]) == {"id", "code", "message"}
    assert [instance.id for instance in lab.engine.instances] == ["c"]


@rule(
    SECTION,
    "deleteBatch of an id that was deleted before, or that never was, is an error. In August 2026 it counted as deleted",
    seen=NEWEST,
)
@pytest.mark.parametrize("way", ["delete", "deleteBatch"])
async def test_delete_batch_of_a_deleted_instance(lab, bodies, way):
    bodies["WORKFLOW"] = echo
    handle = await lab.binding.create({"id": "x"})
    await (handle.delete() if way == "delete" else lab.binding.deleteBatch(["x"]))

    answer = await lab.binding.deleteBatch(["x"])

    message = "workflows.api.error.instance.not_found"
    assert answer == {"deleted": [], "errors": [{"id": "x", "code": 10400, "message": message}]}
    with pytest.raises(JsException, match=r"instance.not_found"):
        await lab.binding.get("x")


@rule(SECTION, "deleteBatch of an id that another workflow had, or that was disposed of, is not found", seen=NEWEST)
async def test_delete_batch_of_an_instance_that_was_never_deleted(lab, bodies):
    bodies["WORKFLOW"] = bodies["OTHER"] = echo
    other = await lab.env.OTHER.create({"id": "x"})
    await other.delete()
    for _ in range(2):
        async with introspect_workflow_instance(lab.binding, "y"):
            handle = await lab.binding.create({"id": "y"})
            await handle.delete()
            await lab.binding.create({"id": "y"})

    answer = await lab.binding.deleteBatch(["x", "y"])

    assert answer["deleted"] == []
    assert [error["code"] for error in answer["errors"]] == [10400] * 2


@rule(
    SECTION,
    "deleteBatch takes ids that were converted by hand, and repeats its answer for each place of an id",
    seen=NEWEST,
)
async def test_delete_batch_takes_converted_ids(lab, bodies):
    bodies["WORKFLOW"] = echo
    await lab.binding.create_batch([{"id": "a"}, {"id": "b"}])

    answer = await lab.binding.deleteBatch(to_js(["a", "a"]))

    assert answer == {"deleted": [{"id": "a"}, {"id": "a"}], "errors": []}
    assert [instance.id for instance in lab.engine.instances] == ["b"]


@rule(SECTION, "deleteBatch takes up to 100 ids", seen=NEWEST)
async def test_delete_batch_takes_up_to_a_hundred_ids(lab, bodies):
    bodies["WORKFLOW"] = echo
    handles = await lab.binding.create_batch([{} for _ in range(100)])

    with pytest.raises(Exception, match="100"):
        await lab.binding.deleteBatch([f"i{number}" for number in range(101)])
    answer = await lab.binding.deleteBatch([handle.id for handle in handles])

    assert len(answer["deleted"]) == 100
    assert lab.engine.instances == []


# -- names -----------------------------------------------------------------------------------------


@rule(SECTION, "The binding has no delete_batch: AttributeError, and ours names deleteBatch")
async def test_delete_batch_in_snake_case_does_not_exist(lab):
    with pytest.raises(AttributeError, match=re.escape("'deleteBatch'")):
        _ = lab.binding.delete_batch


@rule(SECTION, "Other names do not exist either")
@pytest.mark.parametrize("name", ["getBatch", "create_instance", "list"])
async def test_other_names_of_the_binding_do_not_exist(lab, name):
    with pytest.raises(AttributeError, match=name):
        getattr(lab.binding, name)


@rule(SECTION, "A handle has the platform's names alone")
@pytest.mark.parametrize("name", ["sendevent", "get_status", "rollback", "wait"])
async def test_other_names_of_the_handle_do_not_exist(lab, name):
    started = await lab.start(echo)

    with pytest.raises(AttributeError, match=name):
        getattr(started.handle, name)


# -- workflows that use workflows ------------------------------------------------------------------


@rule(SECTION, "A step may create an instance of its own workflow; the workflow introspector sees both")
async def test_an_instance_creates_another_of_its_workflow(lab, bodies):
    async def run(event, step):
        if event["payload"].get("child"):
            return await step.do("work")(lambda: "real work")()

        @step.do("spawn")
        async def spawn():
            child = await lab.env.WORKFLOW.create({"id": "child", "params": {"child": 1}})
            return child.id

        return await spawn()

    bodies["WORKFLOW"] = run
    async with introspect_workflow(lab.binding) as introspector:
        async with introspector.modify_all() as m:
            m.mock_step_result("work", "MOCK")
        await lab.binding.create({"id": "parent"})
        await lab.engine.run_until_idle()

        parent, child = introspector.get()
        assert [parent.id, child.id] == ["parent", "child"]
        assert await parent.get_output() == "child"
        assert await child.get_output() == "MOCK"


@rule(SECTION, "An instance may create, watch and signal an instance of another workflow")
async def test_an_instance_signals_and_watches_another_workflows(lab):
    async def child(event, step):
        decision = await step.wait_for_event("decision", "approval")
        return decision["payload"]

    other = lab.other(child)

    async def run(event, step):
        @step.do("spawn")
        async def spawn():
            return (await lab.env.OTHER.create({"id": "child"})).id

        id = await spawn()

        @step.do("signal")
        async def signal():
            await (await lab.env.OTHER.get(id)).send_event({"type": "approval", "payload": "yes"})

        await signal()

        while True:
            await step.sleep("poll", "1 minute")

            @step.do("look")
            async def look():
                return await (await lab.env.OTHER.get(id)).status()

            status = await look()
            if status["status"] == "complete":
                return status["output"]

    started = await lab.start(run)

    assert await started.output() == "yes"
    assert (await (await other.get("child")).status())["status"] == "complete"


@rule(SECTION, "An instance may terminate another; the caller goes on")
async def test_an_instance_terminates_another(lab):
    lab.other(asleep)

    async def run(event, step):
        @step.do("spawn")
        async def spawn():
            await lab.env.OTHER.create({"id": "child"})

        await spawn()

        @step.do("stop")
        async def stop():
            child = await lab.env.OTHER.get("child")
            await child.terminate()
            return (await child.status())["status"]

        return await stop()

    assert await (await lab.start(run)).output() == "terminated"


@rule(SECTION, "An instance that terminates itself in a step goes no further")
async def test_an_instance_terminates_itself(lab):
    after = []

    async def run(event, step):
        @step.do("stop")
        async def stop():
            await (await lab.env.WORKFLOW.get("x")).terminate()
            after.append("callback")

        await stop()
        after.append("run")

    started = await lab.start(run)

    assert (await started.end())["status"] == "terminated"
    assert after == []


@rule(SECTION, "The same class under two bindings is two workflows")
async def test_one_class_under_two_bindings_is_two_workflows(lab):
    first = lab.bind("FIRST", echo)
    second = lab.bind("SECOND", echo)

    one = await first.create({"id": "x", "params": 1})
    two = await second.create({"id": "x", "params": 2})
    await lab.engine.run_until_idle()

    assert [(await one.status())["output"], (await two.status())["output"]] == [1, 2]
    await one.delete()
    assert (await two.status())["status"] == "complete"
