"""What is kept of the calls of bindings: all of a test's, and the newest ones in a process that runs for weeks."""

import pytest

from durable_engine import Effect, Engine, RealClock
from pytest_workflows.bindings.call_log import MOST_LIVE_RECORDS, CallLog
from pytest_workflows.standins.made_calls import MOST_LIVE_CALLS, made_calls


def effect(number):
    return Effect("KV", "put", (number,), {}, ("file.py", number))


@pytest.mark.parametrize("is_live", [True, False])
async def test_the_newest_calls_of_a_binding_are_kept_where_time_is_real(is_live):
    async with Engine(clock=RealClock() if is_live else None) as engine:
        log = CallLog("KV", engine, is_strict=False)
        for number in range(MOST_LIVE_RECORDS + 5):
            log.note("put", (number,))

        first, records = log.records[0], log.records
        assert (len(records), first.args) == ((1000, (5,)) if is_live else (1005, (0,)))


@pytest.mark.parametrize("is_live", [True, False])
async def test_the_calls_of_an_instance_go_with_it_where_time_is_real(is_live):
    async with Engine(clock=RealClock() if is_live else None) as engine:
        handle = await engine.bind("W", lambda event, step: None).create({"id": "x"})
        calls = made_calls(engine)
        for number in range(MOST_LIVE_CALLS + 5):
            calls.add(1, effect(number))
        assert len(calls.of(1)) == (1000 if is_live else 1005)

        await handle.delete()

        assert len(made_calls(engine).of(1)) == (0 if is_live else 1005)
