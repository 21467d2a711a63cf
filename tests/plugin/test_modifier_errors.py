"""What bad input to introspectors and modifiers gets: an error that says what was given and what is allowed."""

import asyncio
import textwrap
from typing import Any

import pytest
from workers import WorkflowEntrypoint

from pytest_workflows import EngineError, introspect_workflow, introspect_workflow_instance


class OrderWorkflow(WorkflowEntrypoint):
    async def run(self, event, step):
        @step.do("charge")
        async def charge():
            return 1

        await charge()
        await step.wait_for_event("wait for payment", "paid", timeout="1 day")
        return "done"


ENTRY = """
    from workers import WorkflowEntrypoint


    class OrderWorkflow(WorkflowEntrypoint):
        async def run(self, event, step):
            @step.do("charge")
            async def charge():
                return 1

            await charge()
            await step.wait_for_event("wait for payment", "paid", timeout="1 day")
            return "done"
"""
HEAD = """
    import asyncio
    import pytest
    from pytest_workflows import (
        IntrospectionError, InvalidArgumentError, ModificationError, introspect_workflow, introspect_workflow_instance,
    )
"""
NO_BINDING = (
    "takes a workflow binding such as workflow_env.ORDERS, not {type}: {value}. Bindings come from the wrangler "
    "configuration or the workflow_bindings fixture."
)
NO_STEP = "does not select a step. Give its name, or ('name', 2) or {'name': 'name', 'index': 2} for its second"
NAMES = {
    "asyncio": asyncio,
    "introspect_workflow": introspect_workflow,
    "introspect_workflow_instance": introspect_workflow_instance,
    "OrderWorkflow": OrderWorkflow,
}


@pytest.fixture
def workflow_bindings() -> dict[str, Any]:
    return {"ORDERS": OrderWorkflow}


@pytest.fixture
def shop(workflow_env: Any) -> Any:
    return workflow_env


@pytest.fixture
def project(worker: Any) -> Any:
    worker.write("src/entry.py", ENTRY)
    return worker


async def say(env: Any, body: str) -> str:
    """The error that the last statement of `body` fails with: its class, and its message without indentation."""
    names = {**NAMES, "orders": env.ORDERS, "workflow_env": env}
    exec("async def run():\n" + textwrap.indent(body, "    "), names)
    with pytest.raises(EngineError) as caught:
        await names["run"]()
    lines = [line.strip() for line in str(caught.value).splitlines()]
    return "\n".join([f"{type(caught.value).__name__}: {lines[0]}", *lines[1:]])


OPEN = "async with introspect_workflow_instance(orders, 'a') as instance:\n    await orders.create({'id': 'a'})\n    "

# -- making an introspector -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("function", ["introspect_workflow", "introspect_workflow_instance"])
@pytest.mark.parametrize(
    ("argument", "kind", "shown"),
    [
        ("'ORDERS'", "str", "'ORDERS'"),
        ("None", "NoneType", "None"),
        ("workflow_env", "_EnvWrapper", "<workers.env: ORDERS>"),
    ],
)
async def test_a_first_argument_that_is_no_binding_is_an_error_at_once(
    shop: Any, function: str, argument: str, kind: str, shown: str
) -> None:
    more = ", 'a'" if function == "introspect_workflow_instance" else ""

    said = await say(shop, f"{function}({argument}{more})")

    assert said == f"InvalidArgumentError: {function} {NO_BINDING.format(type=kind, value=shown)}"


async def test_the_class_of_a_workflow_is_no_binding(shop: Any) -> None:
    said = await say(shop, "introspect_workflow(OrderWorkflow)")

    assert said == f"InvalidArgumentError: introspect_workflow {NO_BINDING.format(type='type', value=OrderWorkflow)}"


@pytest.mark.parametrize("id", ["''", "None", "5", "b'a'"])
async def test_an_id_that_is_empty_or_no_text_is_an_error_at_once(shop: Any, id: str) -> None:
    said = await say(shop, f"introspect_workflow_instance(orders, {id})")

    assert said == (
        f"InvalidArgumentError: introspect_workflow_instance takes the instance's id, a text that is not empty, not "
        f"{id}. For ids that are made at run time use introspect_workflow."
    )


async def test_two_introspectors_of_one_id_are_an_error(shop: Any) -> None:
    said = await say(
        shop,
        "await introspect_workflow_instance(orders, 'a')\nawait introspect_workflow_instance(orders, 'a')",
    )

    assert said == (
        "IntrospectionError: Instance 'a' of 'ORDERS' already has an open introspector. Use that one, or dispose of it "
        "first."
    )


async def test_two_introspectors_of_one_workflow_are_an_error(shop: Any) -> None:
    said = await say(shop, "await introspect_workflow(orders)\nawait introspect_workflow(orders)")

    assert said == (
        "IntrospectionError: Workflow 'ORDERS' already has an open introspector. Use that one, or dispose of it first."
    )


def test_any_other_combination_is_fine(project: Any) -> None:
    project.run(
        HEAD
        + """
    async def test_it(workflow_env):
        orders = workflow_env.ORDERS
        async with (
            introspect_workflow(orders) as introspector,
            introspect_workflow_instance(orders, "a") as a,
            introspect_workflow_instance(orders, "b") as b,
        ):
            async with introspector.modify_all() as m:
                m.mock_step_result("charge", "of all")
                m.mock_event("paid")
            async with a.modify() as m:
                m.mock_step_result("charge", "of a")
            await orders.create_batch([{"id": "a"}, {"id": "b"}])
            assert await a.wait_for_step_result("charge") == "of a"
            assert await b.wait_for_step_result("charge") == "of all"
            for covered in introspector.get():
                await covered.wait_for_status("complete")
        async with introspect_workflow_instance(orders, "a"), introspect_workflow(orders):
            pass
"""
    ).assert_outcomes(passed=1)


def test_a_refused_second_introspector_leaves_the_first_as_it_was(project: Any) -> None:
    project.run(
        HEAD
        + """
    async def test_it(workflow_env):
        orders = workflow_env.ORDERS
        async with introspect_workflow(orders) as introspector:
            with pytest.raises(IntrospectionError):
                async with introspect_workflow(orders):
                    pass
            await orders.create({"id": "a"})
            (instance,) = introspector.get()
            async with introspect_workflow_instance(orders, "b") as b:
                with pytest.raises(IntrospectionError):
                    async with introspect_workflow_instance(orders, "b"):
                        pass
                await orders.create({"id": "b"})
                await b.wait_for_step_result("charge")
            await instance.wait_for_step_result("charge")
"""
    ).assert_outcomes(passed=1)


async def test_an_introspector_is_opened_once(shop: Any) -> None:
    said = await say(
        shop,
        "instance = await introspect_workflow_instance(orders, 'a')\nawait instance.dispose()\nawait instance",
    )

    assert said == (
        "IntrospectionError: <introspector of instance 'a' of 'ORDERS'> was opened before. Introspect anew: each "
        "introspector is used once."
    )


# -- before it is open, and after -------------------------------------------------------------------------------------

USES = [
    "instance.modify()",
    "await instance.wait_for_step_result('charge')",
    "await instance.wait_for_status('complete')",
    "await instance.get_output()",
    "await instance.get_error()",
    "await instance.status()",
    "instance.steps",
    "instance.history",
    "instance.exception",
    "await instance.crash()",
]


@pytest.mark.parametrize("use", USES)
async def test_every_use_before_it_is_open_says_how_to_open_it(shop: Any, use: str) -> None:
    said = await say(shop, f"instance = introspect_workflow_instance(orders, 'a')\n{use}")

    assert said == (
        "IntrospectionError: <introspector of instance 'a' of 'ORDERS'> is not open. Use `async with ... as x`, or "
        "`x = await ...`."
    )


GONE = (
    "was disposed of: its instances and their storage are gone, and nothing runs any more. Wait for them, and change "
    "them, before the `async with` block ends."
)
LOOKS = ("steps", "history", "exception", "status()", "get_output()", "get_error()")
ACTS = [use for use in USES if not use.endswith(LOOKS)]


@pytest.mark.parametrize("use", ACTS)
async def test_every_act_after_disposal_says_that_it_is_gone(shop: Any, use: str) -> None:
    said = await say(shop, f"{OPEN}pass\n{use}")

    assert said == f"IntrospectionError: <introspector of instance 'a' of 'ORDERS'> {GONE}"


@pytest.mark.parametrize("use", ["introspector.modify_all()", *ACTS])
async def test_every_act_of_a_workflow_introspector_after_disposal_says_that_it_is_gone(shop: Any, use: str) -> None:
    said = await say(
        shop,
        "async with introspect_workflow(orders) as introspector:\n    await orders.create({'id': 'a'})\n"
        f"    instance = introspector.get()[0]\n{use}",
    )

    of = "workflow 'ORDERS'" if "introspector" in use else "instance 'a' of 'ORDERS'"
    assert said == f"IntrospectionError: <introspector of {of}> {GONE}"


def test_the_id_may_be_read_at_any_time(project: Any) -> None:
    project.run(
        HEAD
        + """
    async def test_it(workflow_env):
        instance = introspect_workflow_instance(workflow_env.ORDERS, "a")
        assert instance.id == "a"
        async with instance:
            assert instance.id == "a"
        assert instance.id == "a"
"""
    ).assert_outcomes(passed=1)


async def test_a_modify_block_that_ends_after_disposal_is_an_error(shop: Any) -> None:
    said = await say(
        shop,
        f"{OPEN}pass\n    block = instance.modify()\n    m = await block.__aenter__()\n"
        "await block.__aexit__(None, None, None)",
    )

    assert said.startswith("IntrospectionError: <introspector of instance 'a' of 'ORDERS'> was disposed of: ")


@pytest.mark.parametrize("use", ["wait_for_status('complete')", "wait_for_step_result('charge')"])
def test_an_instance_of_another_test_says_that_its_test_has_ended(project: Any, use: str) -> None:
    result = project.run(
        HEAD
        + f"""
    KEPT = []

    async def test_first(workflow_env):
        KEPT.append(await introspect_workflow_instance(workflow_env.ORDERS, "a"))
        await workflow_env.ORDERS.create({{"id": "a"}})

    async def test_second(workflow_env):
        await workflow_env.ORDERS.create({{"id": "a"}})
        await KEPT[0].{use}
"""
    )

    result.assert_outcomes(passed=1, failed=1)
    assert (
        "EngineClosedError: This belongs to a test that has ended (its engine is closed). Make bindings, handles and "
        "introspectors anew in each test." in result.stdout.str()
    )


# -- waits ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "message"),
    [
        ("'completed'", "'completed' is no status of an instance. Did you mean 'complete'?"),
        ("'nonsense'", "'nonsense' is no status of an instance. There are: "),
        ("None", "None is no status of an instance. There are: "),
        ("5", "5 is no status of an instance. There are: "),
        ("['complete']", "['complete'] is no status of an instance."),
        ("''", "'' is no status of an instance. There are: "),
    ],
)
async def test_an_unknown_status_is_an_error_that_lists_them(shop: Any, status: str, message: str) -> None:
    said = await say(shop, f"{OPEN}await instance.wait_for_status({status})")

    assert said.startswith(f"InvalidArgumentError: {message}")
    assert said.endswith("There are: queued, running, paused, errored, terminated, complete, waiting, waitingForPause.")


@pytest.mark.parametrize("timeout", ["0", "-1", "'5'", "True", "float('nan')"])
@pytest.mark.parametrize("wait", ["wait_for_status('complete'", "wait_for_step_result('charge'"])
async def test_a_timeout_that_is_no_number_above_zero_is_an_error(shop: Any, wait: str, timeout: str) -> None:
    said = await say(shop, f"{OPEN}await instance.{wait}, timeout={timeout})")

    shown = "nan" if "nan" in timeout else timeout
    assert said == f"InvalidArgumentError: timeout is a number of real seconds above 0, not {shown}."


BAD_SELECTORS = ["''", "None", "5", "()", "('a',)", "('a', 2, 3)", "('', 1)", "{'index': 2}", "{'name': 'a', 'count': 2}", "[]"]  # fmt: skip


@pytest.mark.parametrize("selector", BAD_SELECTORS)
async def test_what_selects_no_step_is_an_error(shop: Any, selector: str) -> None:
    said = await say(shop, f"{OPEN}await instance.wait_for_step_result({selector})")

    assert said.startswith(f"InvalidArgumentError: {selector} {NO_STEP}")


@pytest.mark.parametrize("index", ["0", "-1", "1.5", "True", "'2'", "None"])
async def test_an_occurrence_that_does_not_exist_is_an_error(shop: Any, index: str) -> None:
    said = await say(shop, f"{OPEN}await instance.wait_for_step_result(('charge', {index}))")

    assert said == (
        f"InvalidArgumentError: ('charge', {index}) selects occurrence {index} of a step; the first one is 1."
    )


@pytest.mark.parametrize("use", ["get_output()", "get_error()", "status()", "crash()"])
async def test_an_instance_that_does_not_exist_yet_says_how_to_create_it(shop: Any, use: str) -> None:
    said = await say(
        shop, f"async with introspect_workflow_instance(orders, 'a') as instance:\n    await instance.{use}"
    )

    assert said == (
        "InstanceNotFoundError: Instance 'a' of 'ORDERS' does not exist (yet). Create it: "
        'await env.ORDERS.create({"id": "a"}).'.replace('"a"', "'a'")
    )


def test_before_it_exists_it_has_no_steps_no_history_and_no_exception(project: Any) -> None:
    project.run(
        HEAD
        + """
    async def test_it(workflow_env):
        async with introspect_workflow_instance(workflow_env.ORDERS, "a") as instance:
            assert (instance.steps, instance.history, instance.exception) == ([], [], None)
"""
    ).assert_outcomes(passed=1)


# -- the modifier -----------------------------------------------------------------------------------------------------

MODIFY = "async with introspect_workflow_instance(orders, 'a') as instance:\n    async with instance.modify() as m:\n"
METHODS = {
    "disable_sleeps({0})": None,
    "disable_retry_delays({0})": None,
    "mock_step_result({0}, 1)": None,
    "mock_step_error({0}, ValueError())": None,
    "mock_step({0}, print)": None,
    "force_step_timeout({0})": None,
    "force_event_timeout({0})": None,
}


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("selector", ["''", "5", "('a',)", "{'nmae': 'a'}"])
async def test_every_method_refuses_what_selects_no_step(shop: Any, method: str, selector: str) -> None:
    said = await say(shop, f"{MODIFY}        m.{method.replace('{0}', selector)}")

    assert said.startswith(f"InvalidArgumentError: {selector} {NO_STEP}")


@pytest.mark.parametrize(
    ("call", "message"),
    [
        ("disable_sleeps([])", "An empty list selects no step. Leave the argument out to select all."),
        ("disable_retry_delays([])", "An empty list selects no step. Leave the argument out to select all."),
        (
            "disable_sleeps(['a', 5])",
            "5 does not select a step. Give its name, or ('name', 2) or {'name': 'name', 'index': 2} for its second "
            "occurrence.",
        ),
        (
            "mock_step_error('a', 'boom')",
            "mock_step_error takes an exception instance such as ValueError('no stock'), not 'boom'.",
        ),
        (
            "mock_step_error('a', ValueError)",
            "mock_step_error takes an exception instance such as ValueError('no stock'), not <class 'ValueError'>.",
        ),
        (
            "mock_step_error('a', ValueError('x'), times=0)",
            "mock_step_error('a', ValueError('x'), times=0): times is a number of attempts from 1 on, not 0.",
        ),
        (
            "mock_step_error('a', ValueError('x'), times='2')",
            "mock_step_error('a', ValueError('x'), times='2'): times is a number of attempts from 1 on, not '2'.",
        ),
        (
            "mock_step_error('a', ValueError('x'), times=True)",
            "mock_step_error('a', ValueError('x'), times=True): times is a number of attempts from 1 on, not True.",
        ),
        (
            "force_step_timeout('a', times=-1)",
            "force_step_timeout('a', times=-1): times is a number of attempts from 1 on, not -1.",
        ),
        (
            "mock_step('a', 5)",
            "mock_step takes a callable, an exception or an iterable of outcomes, not 5. For one result that answers "
            "every attempt use mock_step_result.",
        ),
        (
            "mock_step('a', 'text')",
            "mock_step takes a callable, an exception or an iterable of outcomes, not 'text'. For one result that "
            "answers every attempt use mock_step_result.",
        ),
        (
            "mock_step('a', {'x': 1})",
            "mock_step takes a callable, an exception or an iterable of outcomes, not {'x': 1}. For one result that "
            "answers every attempt use mock_step_result.",
        ),
        ("mock_event('')", "mock_event takes the event's type, a text, not ''."),
        ("mock_event(None)", "mock_event takes the event's type, a text, not None."),
        ("mock_event(['paid'])", "mock_event takes the event's type, a text, not ['paid']."),
    ],
)
async def test_a_wrong_argument_says_what_is_allowed(shop: Any, call: str, message: str) -> None:
    assert await say(shop, f"{MODIFY}        m.{call}") == f"InvalidArgumentError: {message}"


@pytest.mark.parametrize(
    ("first", "second", "message"),
    [
        (
            "mock_step_result('a', 1)",
            "mock_step_result('a', 2)",
            "Trying to mock step 'a' multiple times! mock_step_result('a') follows mock_step_result('a'). Keep one of "
            "them; for different outcomes of one step use mock_step('a', [...]).",
        ),
        (
            "mock_step('a', print)",
            "mock_step_result(('a', 1), 2)",
            "Trying to mock step 'a' multiple times! mock_step_result('a') follows mock_step('a'). Keep one of them; "
            "for different outcomes of one step use mock_step('a', [...]).",
        ),
        (
            "mock_step_result('a', 1)",
            "mock_step_error('a', ValueError('x'))",
            "Trying to mock error on step 'a' after mocking its result! mock_step_error('a', ValueError('x')) follows "
            "mock_step_result('a'). Give the errors first: the result answers once they are used up.",
        ),
        (
            "mock_step_result('a', 1)",
            "force_step_timeout('a', times=2)",
            "Trying to mock error on step 'a' after mocking its result! force_step_timeout('a', times=2) follows "
            "mock_step_result('a'). Give the errors first: the result answers once they are used up.",
        ),
    ],
)
@pytest.mark.parametrize("blocks", [1, 2])
async def test_modifications_that_contradict_each_other_are_an_error(
    shop: Any, first: str, second: str, message: str, blocks: int
) -> None:
    between = "    async with instance.modify() as m:\n" if blocks == 2 else ""

    said = await say(shop, f"{MODIFY}        m.{first}\n{between}        m.{second}")

    assert said == f"ModificationError: {message}"


async def test_the_same_holds_for_modify_all(shop: Any) -> None:
    said = await say(
        shop,
        "async with introspect_workflow(orders) as introspector:\n"
        "    async with introspector.modify_all() as m:\n        m.mock_step_result('a', 1)\n"
        "    async with introspector.modify_all() as m:\n        m.mock_step_result('a', 1)",
    )

    assert said.startswith("ModificationError: Trying to mock step 'a' multiple times!")


def test_a_block_that_raises_leaves_no_modification(project: Any) -> None:
    project.run(
        HEAD
        + """
    async def test_it(workflow_env):
        async with introspect_workflow_instance(workflow_env.ORDERS, "a") as instance:
            with pytest.raises(ZeroDivisionError):
                async with instance.modify() as m:
                    m.mock_step_result("charge", "mocked")
                    1 / 0
            with pytest.raises(InvalidArgumentError):
                async with instance.modify() as m:
                    m.mock_step_result("charge", "mocked")
                    m.mock_event("")
            with pytest.raises(ZeroDivisionError):
                await instance.modify(lambda m: (m.mock_step_result("charge", "mocked"), 1 / 0))
            await workflow_env.ORDERS.create({"id": "a"})
            assert await instance.wait_for_step_result("charge") == 1
"""
    ).assert_outcomes(passed=1)


def test_modify_takes_a_function_plain_or_async(project: Any) -> None:
    project.run(
        HEAD
        + """
    async def test_it(workflow_env):
        async def events(m):
            await asyncio.sleep(0)
            m.mock_event("paid")

        async with introspect_workflow_instance(workflow_env.ORDERS, "a") as instance:
            assert await instance.modify(lambda m: m.mock_step_result("charge", "mocked")) is instance
            assert await instance.modify(events) is instance
            await workflow_env.ORDERS.create({"id": "a"})
            assert await instance.wait_for_step_result("charge") == "mocked"
            await instance.wait_for_status("complete")
"""
    ).assert_outcomes(passed=1)


@pytest.mark.parametrize(
    ("use", "message"),
    [
        (
            "await instance.modify()",
            "instance.modify() was awaited without a function. Write `async with instance.modify() as m:`, or "
            "`await instance.modify(fn)`.",
        ),
        (
            "async with instance.modify(print): pass",
            "modify(fn) is awaited; `async with` takes modify() without a function.",
        ),
    ],
)
async def test_the_two_forms_of_modify_do_not_mix(shop: Any, use: str, message: str) -> None:
    assert await say(shop, OPEN + use) == f"IntrospectionError: {message}"


async def test_modify_with_something_that_cannot_be_called_is_an_error_of_ours(shop: Any) -> None:
    said = await say(shop, f"{OPEN}await instance.modify('charge')")

    assert said.startswith("InvalidArgumentError: ")
    assert "'charge'" in said


async def test_a_modifier_is_of_no_use_after_its_block(shop: Any) -> None:
    said = await say(shop, f"{MODIFY}        pass\n    m.disable_sleeps()")

    assert said == (
        "IntrospectionError: disable_sleeps() comes after its modify block has ended. Open another one: "
        "`async with instance.modify() as m:`."
    )


def test_a_result_that_cannot_cross_the_boundary_is_refused_as_the_platform_does(project: Any) -> None:
    result = project.run(
        HEAD
        + """
    async def test_it(workflow_env):
        async with introspect_workflow_instance(workflow_env.ORDERS, "a") as instance:
            for call in ("mock_step_result('charge', object())", "mock_event('paid', object())"):
                with pytest.raises(Exception) as caught:
                    async with instance.modify() as m:
                        eval(f"m.{call}")
                assert type(caught.value).__module__ in ("pyodide.ffi", "builtins")
"""
    )

    result.assert_outcomes(passed=1)


def test_a_stand_in_that_asks_for_what_the_step_does_not_have_says_what_there_is(project: Any) -> None:
    result = project.run(
        HEAD
        + """
    async def test_it(workflow_env):
        async with introspect_workflow_instance(workflow_env.ORDERS, "a") as instance:
            async with instance.modify() as m:
                m.mock_step("charge", lambda amount: amount)
            await workflow_env.ORDERS.create({"id": "a"})
            await instance.wait_for_status("complete")
"""
    )

    result.assert_outcomes(failed=1)
    text = result.stdout.str()
    assert "ModificationError: The stand-in <function " in text
    assert "takes 'amount', which the step does not have. It can take: ctx." in text
