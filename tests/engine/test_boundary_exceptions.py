"""Exceptions that the golden file does not hold, and what is added for a test's sake: the way back to the original."""

import copy
import pickle

import pytest

from durable_engine import JsException, NonRetryableError
from durable_engine.values.boundary import BoundaryError, encode
from durable_engine.values.failures import ErrorInfo, describe, instance_error, original_of, rebuild


def caught(raising):
    try:
        raising()
    except BaseException as error:
        return error
    raise AssertionError("nothing was raised")


def thrown(error):
    def go():
        raise error

    return caught(go)


def through_a_step(error):
    """What `run` catches once the error was stored."""
    return thrown(rebuild(ErrorInfo.load(describe(error).dump()), error))


class Sub(NonRetryableError):
    pass


def named(name):
    """A class as a module of the user's own would define it."""
    return type(name, (Exception,), {"__qualname__": name, "__module__": "shop"})


def test_a_class_of_the_users_own_that_is_called_non_retryable_error_is_one():
    error = thrown(named("NonRetryableError")("m"))
    older = describe(error, preserve=False)
    newest = describe(error)

    assert (older.name, older.retryable) == ("WorkflowFatalError", False)
    assert older.message == 'Step threw a NonRetryableError with message "NonRetryableError: m"'
    assert (newest.name, newest.message, newest.retryable) == ("NonRetryableError", "m", False)
    assert repr(rebuild(older)) == repr(rebuild(newest)) == "NonRetryableError('m')"


def test_a_subclass_of_non_retryable_error_is_retried():
    assert describe(thrown(Sub("m"))).retryable


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (ValueError("m"), ValueError("ValueError: m")),
        (TypeError("m"), TypeError("TypeError: m")),
        (RuntimeError("first\nTypeError: second"), TypeError("TypeError: second")),
        (
            RuntimeError("first\nworkers.workflows.NonRetryableError: second"),
            NonRetryableError("workers.workflows.NonRetryableError: second"),
        ),
        (NonRetryableError(), NonRetryableError()),
    ],
)
def test_the_last_line_alone_decides_what_run_catches(error, expected):
    result = through_a_step(thrown(error))

    assert (type(result), str(result)) == (type(expected), str(expected))


@pytest.mark.parametrize("error", [ValueError("m"), KeyError("k"), NonRetryableError("m")])
def test_the_causes_lead_to_the_original(error):
    result = through_a_step(thrown(error))

    assert type(result.__cause__).__name__ == "JsException"
    assert type(result.__cause__).__module__ == "pyodide.ffi"
    assert isinstance(result.__cause__, JsException)
    assert result.__cause__.__cause__ is error
    assert original_of(result) is error


def test_an_exception_that_the_user_raised_from_a_caught_one_is_its_own_original():
    result = through_a_step(thrown(KeyError("k")))

    def translate():
        raise LookupError("mine") from result

    error = caught(translate)

    assert original_of(error) is error


def test_causes_of_the_users_own_are_told():
    def failing():
        try:
            {}["k"]
        except KeyError as error:
            raise ValueError("outer") from error

    lines = describe(caught(failing)).message.split("\n")

    assert lines[0] == "PythonError: Traceback (most recent call last):"
    assert "KeyError: 'k'" in lines
    assert "The above exception was the direct cause of the following exception:" in lines
    assert lines[-2:] == ["ValueError: outer", ""]


def test_the_members_of_an_exception_group_are_told():
    message = describe(thrown(ExceptionGroup("g", [ValueError("a"), TypeError("b")]))).message

    assert "ExceptionGroup: g (2 sub-exceptions)" in message
    assert "ValueError: a" in message
    assert "TypeError: b" in message


def test_an_instance_that_a_step_ended_says_where_the_step_failed():
    error = instance_error(through_a_step(thrown(ValueError("m"))))

    lines = error["message"].split("\n")
    assert error["name"] == "Error"
    assert lines[0] == "PythonError: Traceback (most recent call last):"
    assert lines[-2:] == ["ValueError: ValueError: m", ""]
    assert error["message"].count("ValueError: m\n") == 2  # the step's, and the one that left `run`


def test_a_javascript_error_that_left_run_is_told_once():
    message = instance_error(through_a_step(thrown(KeyError("k"))))["message"]

    assert message.endswith("KeyError: 'k'\n\n")
    assert message.count("KeyError: 'k'") == 1


def test_frames_of_the_engine_are_not_told():
    message = describe(caught(lambda: encode((1,)))).message

    assert "durable_engine" not in message
    assert message.startswith("PythonError: Traceback (most recent call last):\n")
    assert message.endswith("\nTypeError: <class 'tuple'> cannot be sent over RPC.\n")


def test_an_error_of_the_boundary_keeps_its_name_and_one_of_the_users_does_not():
    assert describe(caught(lambda: encode(object()))).name == "DataCloneError"
    assert describe(thrown(JsException("DataCloneError", "m"))).name == "Error"


@pytest.mark.parametrize("error", [ValueError("\ud800"), NonRetryableError("\ud800")])
def test_a_lone_surrogate_can_be_stored_and_is_then_what_it_was_before(error):
    info = describe(thrown(error))

    assert "ud800" in info.message
    assert ErrorInfo.load(info.dump()) == info
    assert info.public()["message"].encode()


def test_an_error_of_the_engine_that_names_half_of_a_surrogate_pair_can_be_shown():
    message = "Step \ud800-1 output is too large."
    error = thrown(BoundaryError("DataCloneError", message))

    shown = "Step \\ud800-1 output is too large."
    assert ErrorInfo("WorkflowInternalError", message).public()["message"] == shown
    assert describe(error).message == instance_error(error)["message"] == shown


def test_an_exception_of_javascript_is_the_proxy_of_its_error():
    error = JsException("TypeError", "no")

    assert error.js_error is error
    assert error.args == (error,)
    assert repr(error) == str(error) == "TypeError: no"
    assert error.stack.startswith("TypeError: no\n")


def test_an_exception_of_javascript_is_copied_and_pickled_with_its_note():
    error = JsException("TypeError", "no")
    error.add_note("why")

    for again in (copy.copy(error), pickle.loads(pickle.dumps(error))):
        assert (again.name, again.message, again.__notes__) == ("TypeError", "no", ["why"])
