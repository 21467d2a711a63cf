"""Modifications in a recording: each method of a modifier leaves the same fields, whatever the engine makes of it."""

import msgspec
import pytest

from pytest_workflows.introspection.modifier import Modifier
from pytest_workflows.recordings.capture.builder import modification_record

CALLS = {
    "disable_sleeps()": {"kind": "sleep"},
    "disable_sleeps(('nap', 2))": {"kind": "sleep", "step": "nap", "index": 2},
    "disable_retry_delays()": {"kind": "retry_delay"},
    "disable_retry_delays('charge')": {"kind": "retry_delay", "step": "charge", "index": 1},
    "mock_step_result('charge', 1)": {"kind": "result", "step": "charge", "index": 1},
    "mock_step_error('charge', OSError('no'))": {"kind": "error", "step": "charge", "index": 1},
    "mock_step_error('charge', OSError('no'), times=2)": {"kind": "error", "step": "charge", "index": 1, "times": 2},
    "mock_step('charge', print)": {"kind": "callback", "step": "charge", "index": 1},
    "mock_step('charge', OSError)": {"kind": "callback", "step": "charge", "index": 1},
    "mock_step('charge', [1, OSError('no')])": {"kind": "callback", "step": "charge", "index": 1},
    "force_step_timeout('charge')": {"kind": "timeout", "step": "charge", "index": 1},
    "force_step_timeout('charge', times=3)": {"kind": "timeout", "step": "charge", "index": 1, "times": 3},
    "mock_event('paid')": {"kind": "event"},
    "mock_event('paid', after='2 hours')": {"kind": "late_event"},
    "force_event_timeout('payment')": {"kind": "event_timeout", "step": "payment", "index": 1},
    "crash('end')": {"kind": "crash", "times": 1},
    "crash('lost:charge#1', times=2)": {"kind": "crash", "times": 2},
}
SHOWN = {
    "mock_step_result('charge', 1)": "mock_step_result('charge')",
    "mock_step('charge', print)": "mock_step('charge')",
    "mock_step('charge', OSError)": "mock_step('charge')",
    "mock_step('charge', [1, OSError('no')])": "mock_step('charge')",
}
"""How those are recorded that have a value of any size in them."""


@pytest.mark.parametrize("call", CALLS)
def test_a_modification_is_recorded(call: str) -> None:
    modifier = Modifier()

    eval(f"modifier.{call}", {"modifier": modifier})

    (made,) = modifier.close()
    record = msgspec.to_builtins(modification_record(made))
    assert record == {"call": SHOWN.get(call, call), **CALLS[call]}


def test_every_method_is_among_them() -> None:
    methods = {name for name in vars(Modifier) if not name.startswith("_")} - {"apply", "close"}

    assert {call.partition("(")[0] for call in CALLS} == methods
