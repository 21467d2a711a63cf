"""`workers.env`: one object, answering with whatever test is running."""

from __future__ import annotations

import copy

import pytest

from pytest_workflows.workers import env, environment
from pytest_workflows.workers.errors import OutsideTestError


@pytest.fixture
def bindings():
    known: dict[str, object] = {"AI": object(), "GREETING": "hello"}
    before = environment.set_resolver(known.__getitem__, known.keys)
    yield known
    environment.set_resolver(*(before or (None,)))


@pytest.fixture
def no_test_running():
    before = environment.set_resolver(None)
    yield
    environment.set_resolver(*(before or (None,)))


def test_a_binding_is_handed_over_as_it_is(bindings):
    assert env.AI is bindings["AI"]
    assert env.GREETING == "hello"


def test_the_answer_follows_the_running_test(bindings):
    first = env.AI
    bindings["AI"] = object()

    assert env.AI is not first


def test_an_unknown_name_lists_the_bindings_that_exist(bindings):
    with pytest.raises(AttributeError) as caught:
        _ = env.DB

    assert str(caught.value) == (
        "workers.env has no binding 'DB'. Bindings of this test: AI, GREETING. "
        "Add it to the wrangler configuration, or to the fixture workflow_bindings."
    )


def test_hasattr_and_getattr_with_a_default_work(bindings):
    assert hasattr(env, "AI")
    assert not hasattr(env, "DB")
    assert getattr(env, "DB", None) is None


def test_reading_a_binding_while_no_test_runs_says_so(no_test_running):
    with pytest.raises(OutsideTestError) as caught:
        _ = env.AI

    assert str(caught.value) == (
        "workers.env.AI was read while no test is running, and bindings live for one test. "
        "Read it inside the test, a fixture, a handler or a workflow instead of at import time."
    )


def test_tools_that_inspect_any_object_meet_no_error(no_test_running):
    assert not hasattr(env, "__wrapped__")
    assert copy.copy(env) is not None
    assert repr(env) == "<workers.env: no bindings>"
    assert dir(env) == []


def test_the_bindings_are_listed(bindings):
    assert dir(env) == ["AI", "GREETING"]
    assert repr(env) == "<workers.env: AI, GREETING>"


def test_a_binding_cannot_be_pinned_for_the_tests_that_follow(bindings, monkeypatch):
    message = (
        r"^workers\.env\.AI cannot be set or deleted: the object is shared by all tests\. "
        r"Override the fixture workflow_bindings to add or replace a binding\.$"
    )
    with pytest.raises(AttributeError, match=message):
        env.AI = "fake"
    with pytest.raises(AttributeError, match=message):
        del env.AI


def test_setting_a_resolver_gives_back_the_one_before(bindings):
    before = environment.set_resolver({"INNER": 1}.__getitem__)
    assert env.INNER == 1

    environment.set_resolver(*before)

    assert env.AI is bindings["AI"]
