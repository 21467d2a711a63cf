"""`m.mock_step(step, side_effect)`: a stand-in for a callback, as in `unittest.mock`."""

from unittest.mock import AsyncMock, Mock

import pytest
from workers import WorkflowEntrypoint

from pytest_workflows import ModificationError, introspect_workflow_instance


class Checkout(WorkflowEntrypoint):
    async def run(self, event, step):
        @step.do()
        async def cart():
            return {"total": 5}

        @step.do("charge", config={"retries": {"limit": 3, "delay": "1 minute"}})
        async def charge(ctx, cart):
            return f"really charged {cart['total']}"

        return await charge()


@pytest.fixture
def workflow_bindings():
    return {"CHECKOUT": Checkout}


@pytest.fixture
async def checkout(workflow_env):
    async def run(side_effect, **steps):
        async with introspect_workflow_instance(workflow_env.CHECKOUT, "c-1") as instance:
            async with instance.modify() as m:
                m.mock_step("charge", side_effect)
            await workflow_env.CHECKOUT.create({"id": "c-1"})
            await instance.wait_for_status("complete")
            assert instance.steps[-1].mocked
            return await instance.get_output(), len(instance.steps[-1].attempts)

    return run


async def plain(cart):
    return cart["total"] * 2


def stands_in_with_a_default(cart, currency="EUR"):
    return f"{cart['total']} {currency}"


def by_position(ctx, cart, /):
    return [ctx["attempt"], cart["total"]]


@pytest.mark.parametrize(
    ("stand_in", "output"),
    [
        (lambda: "nothing asked for", "nothing asked for"),
        (lambda cart: cart["total"] + 1, 6),
        (lambda ctx: ctx["step"]["name"], "charge"),
        (lambda *, cart, ctx: [cart["total"], ctx.attempt], [5, 1]),
        (lambda **given: sorted(given), ["cart", "ctx"]),
        (lambda *given: len(given), 0),
        (lambda cart, **rest: sorted(rest), ["ctx"]),
        (by_position, [1, 5]),
        (stands_in_with_a_default, "5 EUR"),
        (plain, 10),
        (dict, {}),  # a builtin does not tell what it takes
    ],
)
async def test_a_stand_in_is_called_with_those_of_the_callbacks_arguments_that_it_names(checkout, stand_in, output):
    assert await checkout(stand_in) == (output, 1)


async def test_a_mock_gets_all_of_the_callbacks_arguments_by_name(checkout):
    stand_in = Mock(return_value="mocked")

    assert await checkout(stand_in) == ("mocked", 1)
    stand_in.assert_called_once()
    assert stand_in.call_args.kwargs["cart"] == {"total": 5}
    assert stand_in.call_args.kwargs["ctx"].attempt == 1


async def test_an_async_mock_is_awaited(checkout):
    assert await checkout(AsyncMock(return_value="mocked")) == ("mocked", 1)


async def test_what_a_stand_in_raises_is_retried_as_an_error_of_the_callback(checkout):
    assert await checkout(Mock(side_effect=[RuntimeError("declined"), "accepted"])) == ("accepted", 2)


@pytest.mark.parametrize(
    ("outcomes", "output", "attempts"),
    [
        (["at once"], "at once", 1),
        ([RuntimeError("declined"), RuntimeError("declined"), "accepted"], "accepted", 3),
        ([RuntimeError, ("x",), "accepted"], "accepted", 3),  # a class is raised too; a tuple cannot cross
        (iter([RuntimeError("declined"), None]), None, 2),
    ],
)
async def test_an_iterable_gives_one_outcome_an_attempt(checkout, outcomes, output, attempts):
    assert await checkout(outcomes) == (output, attempts)


@pytest.mark.parametrize(("error", "said"), [(ValueError, "ValueError"), (ValueError("no"), "ValueError: no")])
async def test_an_exception_or_its_class_is_raised_by_every_attempt(workflow_env, error, said):
    async with introspect_workflow_instance(workflow_env.CHECKOUT, "c-1") as instance:
        async with instance.modify() as m:
            m.mock_step("charge", error)
        await workflow_env.CHECKOUT.create({"id": "c-1"})
        await instance.wait_for_status("errored")

        charge = instance.steps[-1]
        assert charge.mocked
        assert [attempt.error["message"].splitlines()[-1] for attempt in charge.attempts] == [said] * 4


async def test_of_two_blocks_that_contradict_each_other_the_one_that_ends_later_changes_nothing(workflow_env):
    async with introspect_workflow_instance(workflow_env.CHECKOUT, "c-1") as instance:

        async def contradict():
            async with instance.modify() as outer:
                outer.mock_step_result("cart", {"total": 9})
                outer.mock_step_result("charge", "outer")
                async with instance.modify() as inner:
                    inner.mock_step_result("charge", "inner")

        with pytest.raises(ModificationError, match="Trying to mock step 'charge' multiple times!"):
            await contradict()
        await workflow_env.CHECKOUT.create({"id": "c-1"})
        await instance.wait_for_status("complete")

        assert await instance.get_output() == "inner"
        assert await instance.wait_for_step_result("cart") == {"total": 5}
