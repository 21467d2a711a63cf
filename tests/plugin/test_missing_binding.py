"""A binding that nobody provides: it may be held, and says how to provide it when it is used."""

import asyncio
import copy
import inspect
import pickle
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pytest_workflows.bindings.missing_binding import MissingBinding
from pytest_workflows.errors import MissingBindingError


@pytest.fixture
def database() -> MissingBinding:
    return MissingBinding("ORDER_DB", "d1_databases", Path("shop/wrangler.jsonc"))


def test_using_it_says_which_binding_it_is_and_how_to_give_one(database: MissingBinding) -> None:
    with pytest.raises(MissingBindingError) as caught:
        database.prepare("SELECT 1")

    assert str(caught.value) == (
        "env.ORDER_DB.prepare was used: the binding 'ORDER_DB' (d1_databases in shop/wrangler.jsonc) is "
        "not provided here. Give the test a stand-in for it, in the test file or in conftest.py:\n"
        "\n"
        "    @pytest.fixture\n"
        "    def workflow_bindings():\n"
        '        return {"ORDER_DB": FakeOrderDb()}'
    )


async def _await(binding: Any) -> None:
    await binding


@pytest.mark.parametrize(
    ("use", "says"),
    [
        (lambda binding: binding("x"), "env.ORDER_DB(...) was called"),
        (lambda binding: binding["x"], "env.ORDER_DB['x'] was used"),
        (lambda binding: setattr(binding, "x", 1), "env.ORDER_DB.x was set"),
        (lambda binding: binding.__setitem__("x", 1), "env.ORDER_DB['x'] was set"),
        (len, "len(env.ORDER_DB) was taken"),
        (aiter, "env.ORDER_DB was iterated over"),
        (iter, "env.ORDER_DB was iterated over"),
        (lambda binding: "x" in binding, "env.ORDER_DB was iterated over"),
        (lambda binding: hasattr(binding, "prepare"), "env.ORDER_DB.prepare was used"),
        (lambda binding: _await(binding).send(None), "env.ORDER_DB was awaited"),
    ],
)
def test_every_use_is_an_error(database: MissingBinding, use: Callable[[Any], object], says: str) -> None:
    with pytest.raises(MissingBindingError) as caught:
        use(database)

    assert str(caught.value).startswith(f"{says}: ")


def test_it_may_be_held_passed_and_compared(database: MissingBinding) -> None:
    assert database
    assert {database: 1}[database] == 1
    assert database != MissingBinding("ORDER_DB", "d1_databases", Path("shop/wrangler.jsonc"))


def test_its_repr_names_it(database: MissingBinding) -> None:
    expected = "<binding 'ORDER_DB' (d1_databases in wrangler.jsonc), which this test does not provide>"

    assert repr(database) == str(database) == expected


def test_tools_that_look_at_any_object_are_no_use_of_it(database: MissingBinding) -> None:
    assert repr(copy.copy(database)) == repr(copy.deepcopy(database)) == repr(database)
    assert repr(pickle.loads(pickle.dumps(database))) == repr(database)
    assert isinstance(database, MissingBinding)
    assert not hasattr(database, "__wrapped__")
    assert inspect.unwrap(database) is database
    assert not inspect.iscoroutinefunction(database)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # deprecated in Python 3.14; libraries still ask it
        assert not asyncio.iscoroutinefunction(database)
    assert inspect.signature(database)
    assert not hasattr(database, "_pytestfixturefunction")
