"""A value that nobody knows, since production's tools did not tell it: it may be held, and says what it is when it is shown."""

import copy
import pickle

from durable_engine import ErrorInfo, UnknownValue, cross, to_json


def test_it_is_shown_by_its_reason_where_a_status_is_json():
    assert to_json(UnknownValue("cut short")) == "<unknown: cut short>"


def test_it_crosses_the_boundary_and_is_copied_as_it_is():
    value = UnknownValue("cut short")

    assert copy.copy(value) is value
    assert copy.deepcopy({"a": [value]})["a"][0] is value
    assert repr(pickle.loads(pickle.dumps(value))) == repr(value) == repr(cross(value))


def test_an_error_that_was_never_retried_is_known_by_its_name_as_production_tells_it():
    reported = ErrorInfo.from_public("NonRetryableError", "NonRetryableError: no use")

    assert (reported.retryable, reported.reason) == (False, "no use")


def test_the_engines_own_fatal_error_gives_its_reason_back():
    reported = ErrorInfo.from_public(
        "WorkflowFatalError", 'Step threw a NonRetryableError with message "NonRetryableError: no use"'
    )

    assert (reported.retryable, reported.reason) == (False, "no use")
