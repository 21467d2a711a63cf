"""Functions of ours stay in their places from one test of workflows to the next, and nobody else notices."""

import asyncio
import concurrent.futures
import http.client
import os
import signal
import socket
import sys
from types import ModuleType

import pytest

from pytest_workflows.bindings.http_clients import http_clients
from pytest_workflows.bindings.sockets import sockets
from pytest_workflows.interpreter.guards import Guards, guards
from pytest_workflows.interpreter.replacements import Replacements, Standing
from pytest_workflows.interpreter.whose import View

PLACES = (os, signal, socket, asyncio, asyncio.BaseEventLoop, socket.socket, http.client.HTTPConnection)
INI = "[pytest]\nasyncio_mode = auto\nasyncio_default_fixture_loop_scope = function\n"
TOP = """
import asyncio
import http.client
import os
import signal
import socket
import pytest
from pytest_workflows import introspect_workflow_instance
from workers import WorkflowEntrypoint

PLACES = (os, signal, socket, asyncio, asyncio.BaseEventLoop, socket.socket, http.client.HTTPConnection)
BEFORE = [dict(vars(one)) for one in PLACES]


class Uses(WorkflowEntrypoint):
    async def run(self, event, step):
        try:
            return repr(eval(event["payload"])())
        except BaseException as error:
            return f"{type(error).__name__}: {error}"


@pytest.fixture
def workflow_bindings():
    return {"USES": Uses}


async def outcome(env, code):
    async with introspect_workflow_instance(env.USES, "a") as instance:
        await env.USES.create({"id": "a", "params": code})
        await instance.wait_for_status("complete")
        return await instance.get_output()

"""


@pytest.fixture(autouse=True)
def _alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """A Worker's module that another test of this process has imported has users of its own until the session's end."""
    for standing in (guards, sockets, http_clients):
        standing._put_back()
        monkeypatch.setattr(standing, "_users", [])


def run(pytester: pytest.Pytester, tests: str, *options: str) -> pytest.RunResult:
    pytester.makefile(".ini", pytest=INI)
    pytester.makepyfile(test_it=TOP + tests)
    return pytester.runpytest_inprocess("-p", "no:randomly", "-p", "no:cacheprovider", "-W", "ignore", *options)


def test_a_test_that_uses_nothing_of_ours_sees_the_originals_also_between_two_that_do(
    pytester: pytest.Pytester,
) -> None:
    before = [dict(vars(one)) for one in PLACES]

    result = run(
        pytester,
        """
async def test_first(workflow_env):
    assert os.fork is not BEFORE[0]["fork"] and "alarm" not in vars(signal)
    assert "OSError" in await outcome(workflow_env, "os.fork")

def test_between():
    assert [dict(vars(one)) for one in PLACES] == BEFORE

async def test_last(workflow_env):
    assert os.fork is not BEFORE[0]["fork"] and "alarm" not in vars(signal)
    assert "OSError" in await outcome(workflow_env, "os.fork")
""",
    )

    result.assert_outcomes(passed=3)
    assert [dict(vars(one)) for one in PLACES] == before


def test_the_functions_are_put_in_their_places_once_for_all_tests_in_a_row(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    puts: list[tuple[object, str]] = []
    put = Replacements.put

    def counted(self: Replacements, owner: object, name: str, ours: object) -> None:
        puts.append((owner, name))
        put(self, owner, name, ours)

    monkeypatch.setattr(Replacements, "put", counted)

    result = run(
        pytester,
        """
@pytest.mark.parametrize("number", range(3))
async def test_it(workflow_env, number):
    assert os.fork is not BEFORE[0]["fork"]
""",
    )

    result.assert_outcomes(passed=3)
    assert {"fork", "create_connection"} <= {name for _, name in puts}
    assert len(puts) == len(set(puts))


def test_what_a_fixture_of_a_wider_scope_puts_in_their_places_is_guarded_from_the_next_test_on(
    pytester: pytest.Pytester,
) -> None:
    result = run(
        pytester,
        """
@pytest.fixture(scope="module")
def forked():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fork", lambda: 0)
        yield

async def test_first(workflow_env, forked):
    assert os.fork() == 0

async def test_second(workflow_env, forked):
    assert "OSError" in await outcome(workflow_env, "os.fork")
    assert os.fork() == 0
""",
    )

    result.assert_outcomes(passed=2)


def test_a_name_that_a_fixture_puts_back_is_hidden_again_from_the_next_test_on(pytester: pytest.Pytester) -> None:
    result = run(
        pytester,
        """
@pytest.fixture(scope="module")
def alarm():
    before = signal.alarm
    signal.alarm = lambda seconds: "theirs"
    yield
    signal.alarm = before

async def test_before(workflow_env):
    assert "AttributeError" in await outcome(workflow_env, "lambda: signal.alarm(0)")

async def test_first(workflow_env, alarm):
    assert signal.alarm(0) == "theirs"

async def test_second(workflow_env, alarm):
    assert "AttributeError" in await outcome(workflow_env, "lambda: signal.alarm(0)")
    assert signal.alarm(0) == "theirs"
""",
    )

    result.assert_outcomes(passed=3)


def test_whoever_ends_the_session_sees_the_originals(pytester: pytest.Pytester) -> None:
    pytester.makeconftest("""
import os
import socket

BEFORE = os.fork, socket.socket.connect


def pytest_sessionfinish():
    print("originals:", (os.fork, socket.socket.connect) == BEFORE)
""")

    result = run(
        pytester,
        """
async def test_it(workflow_env):
    assert os.fork is not BEFORE[0]["fork"]
    raise AssertionError

async def test_that_comes_too_late(workflow_env):
    pass
""",
        "-x",
        "-s",
    )

    result.stdout.fnmatch_lines("*originals: True")


def test_a_name_that_a_test_has_put_back_by_accident_is_not_there_for_the_next_workers_code(
    pytester: pytest.Pytester,
) -> None:
    before = dict(vars(signal))

    result = run(
        pytester,
        """
async def test_first(workflow_env, monkeypatch):
    monkeypatch.setattr(signal, "alarm", lambda seconds: seconds)  # undone, it stands in the module again

async def test_second(workflow_env):
    assert "alarm" not in vars(signal)
    assert "AttributeError" in await outcome(workflow_env, "signal.alarm")
""",
    )

    result.assert_outcomes(passed=2)
    assert dict(vars(signal)) == before


def test_a_module_that_takes_anothers_place_between_two_tests_is_guarded_too(monkeypatch: pytest.MonkeyPatch) -> None:
    view = View(lambda code: False, lambda use: None)
    guards = Guards()
    guards.enter(view)
    guards.leave(view)
    other = ModuleType("shelve")
    other.open = original = lambda name: name
    monkeypatch.setitem(sys.modules, "shelve", other)

    guards.enter(view)

    assert other.open is not original
    guards.leave(view)
    guards.put_back()
    assert other.open is original


def test_a_class_that_its_module_makes_when_it_is_asked_for_is_not_made_for_its_guard_and_guarded_all_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delattr(concurrent.futures, "ProcessPoolExecutor")  # it asks, so that there is one
    monkeypatch.delitem(sys.modules, "concurrent.futures.process")
    make = vars(concurrent.futures)["__getattr__"]
    view = View(lambda code: False, lambda use: None)
    guards = Guards()
    guards.enter(view)
    assert "concurrent.futures.process" not in sys.modules

    made = concurrent.futures.ProcessPoolExecutor

    assert hasattr(made.submit, "__wrapped__")
    assert hasattr(made.__init__, "__wrapped__")
    guards.leave(view)
    guards.enter(view)
    assert hasattr(made.submit, "__wrapped__")
    guards.leave(view)
    guards.put_back()
    assert not hasattr(made.submit, "__wrapped__")
    assert vars(concurrent.futures)["__getattr__"] is make


class Places(Standing[str]):
    """One function, and how often it was put in its place."""

    def __init__(self, owner: object) -> None:
        super().__init__()
        self._owner = owner
        self.times = 0

    def _place(self) -> None:
        if vars(self._owner).get("function") != "ours":
            self.times += 1
            self._replacements.put(self._owner, "function", "ours")


class Owner:
    function = "theirs"


def test_nothing_is_put_back_while_somebody_uses_it() -> None:
    owner = Owner()
    places = Places(owner)
    places.enter("outer")
    places.enter("inner")

    places.leave("inner")
    places.put_back()

    assert (places.user, owner.function) == ("outer", "ours")
    places.leave("outer")
    places.leave("outer")
    assert (places.user, owner.function) == (None, "ours")
    places.put_back()
    assert owner.function == "theirs"
    assert places.times == 1


def test_what_was_put_is_intact_until_one_is_replaced_or_taken_out_also_of_what_was_put_last() -> None:
    first, second = ModuleType("first"), ModuleType("second")
    replacements = Replacements()
    replacements.put(first, "one", ours := object())
    assert replacements.are_intact()
    replacements.put(first, "two", ours)
    replacements.put(second, "three", ours)
    assert replacements.are_intact()

    for module, name in ((first, "one"), (first, "two"), (second, "three")):
        setattr(module, name, "another's")
        assert not replacements.are_intact()
        delattr(module, name)
        assert not replacements.are_intact()
        setattr(module, name, ours)
        assert replacements.are_intact()

    replacements.put_back()
    assert replacements.are_intact()
    assert not any(hasattr(module, name) for module in (first, second) for name in ("one", "two", "three"))
