"""Steps: configuration, retries, identity, dependencies, limits."""

import asyncio
import contextlib
import functools

import pytest
from pyodide.ffi import JsException
from rules import DOCUMENTED, NEWEST, rule
from workers.workflows import NonRetryableError

pytestmark = pytest.mark.workflow(now="2026-01-01T00:00:00Z")

SECTION = "Steps"
DEFAULT = {"retries": {"limit": 5, "delay": 1000, "backoff": "exponential"}, "timeout": "10 minutes"}
INVALID = (
    'WorkflowFatalError: Step config for "s" is in a invalid format. '
    "See https://developers.cloudflare.com/workflows/build/sleeping-and-retrying/"
)


def failing(calls=None, error=None):
    async def callback():
        if calls is not None:
            calls.append(1)
        raise error or RuntimeError("x")

    return callback


def echo(value):
    return value


def raising_run(**config):
    """A workflow whose only step always fails, and what it caught."""
    caught, calls = [], []

    async def run(event, step):
        try:
            await step.do("s", config=config)(failing(calls))()
        except Exception as error:
            caught.append(error)

    return run, caught, calls


# -- configuration ---------------------------------------------------------------------------------


@rule(SECTION, "A step without config has 5 retries, 1 second apart, exponential, and a timeout of 10 minutes")
async def test_a_step_without_config_gets_the_defaults(lab):
    async def run(event, step):
        await step.do("s")(lambda: 1)()

    started = await lab.start(run)
    await started.end()

    assert started.kinds("STEP_START")[0].detail["config"] == DEFAULT


@rule(SECTION, "Attempts are the limit plus 1: six by default, one at limit 0, three at limit 2")
@pytest.mark.parametrize(
    ("config", "attempts"),
    [
        ({}, 6),
        ({"retries": {"limit": 0, "delay": 1}}, 1),
        ({"retries": {"limit": 2, "delay": 1}}, 3),
        ({"timeout": "1 second"}, 6),
    ],
)
async def test_a_step_is_attempted_limit_plus_one_times(lab, config, attempts):
    run, _, calls = raising_run(**config)

    await (await lab.start(run)).end()

    assert len(calls) == attempts


@rule(SECTION, "The delay before retry n is d (constant), d*n (linear), d*2**(n-1) (exponential, the default)")
@pytest.mark.parametrize(
    ("retries", "delays"),
    [
        ({"backoff": "constant"}, [100, 100, 100, 100]),
        ({"backoff": "linear"}, [100, 200, 300, 400]),
        ({"backoff": "exponential"}, [100, 200, 400, 800]),
        ({}, [100, 200, 400, 800]),
    ],
)
async def test_the_delays_between_attempts_follow_the_backoff(lab, retries, delays):
    run, _, _ = raising_run(retries={"limit": 4, "delay": 100, **retries})

    started = await lab.start(run)
    await started.end()

    assert [event.detail.get("retryDelayMs") for event in started.kinds("ATTEMPT_FAILURE")] == [*delays, None]
    assert lab.elapsed == sum(delays)


@rule(SECTION, "A step that fails for good writes its history in this order")
async def test_the_history_of_a_failed_step_has_the_platforms_order(lab):
    run, _, _ = raising_run()

    started = await lab.start(run)
    await started.end()

    assert started.log() == [
        "WORKFLOW_QUEUED",
        "WORKFLOW_START",
        "WORKFLOW_RUNNING",
        "STEP_START s-1",
        'ATTEMPT_START s-1 {"attempt":1}',
        'ATTEMPT_FAILURE s-1 {"attempt":1,"retryDelayMs":1000}',
        'ATTEMPT_START s-1 {"attempt":2}',
        'ATTEMPT_FAILURE s-1 {"attempt":2,"retryDelayMs":2000}',
        'ATTEMPT_START s-1 {"attempt":3}',
        'ATTEMPT_FAILURE s-1 {"attempt":3,"retryDelayMs":4000}',
        'ATTEMPT_START s-1 {"attempt":4}',
        'ATTEMPT_FAILURE s-1 {"attempt":4,"retryDelayMs":8000}',
        'ATTEMPT_START s-1 {"attempt":5}',
        'ATTEMPT_FAILURE s-1 {"attempt":5,"retryDelayMs":16000}',
        'ATTEMPT_START s-1 {"attempt":6}',
        'ATTEMPT_FAILURE s-1 {"attempt":6}',
        "STEP_FAILURE s-1",
        "WORKFLOW_SUCCESS",
    ]


@rule(SECTION, "A config that cannot be read fails the step at once, before its callback runs")
@pytest.mark.parametrize(
    "config",
    [
        {"retries": {"limit": 1}},
        {"retries": {"delay": 1}},
        {"retries": {"limit": 1, "delay": 1, "jitter": True}},
        {"retry": 3},
        {"timeout": 0},
        {"timeout": "1s"},
        {"timeout": "soon"},
        {"timeout": "0"},
        {"timeout": ""},
        {"timeout": -0.5},
        {"timeout": True},
        {"retries": {"limit": -1, "delay": 1}},
        {"retries": {"limit": float("nan"), "delay": 1}},
        {"retries": {"limit": 1, "delay": -1}},
        {"retries": {"limit": True, "delay": 1}},
        {"retries": {"limit": "3", "delay": 1}},
        {"retries": {"limit": float("inf"), "delay": 1}},
        {"retries": {"limit": 1, "delay": 1, "backoff": "fibonacci"}},
        {"retries": {"limit": 1, "delay": "1s"}},
        {"sensitive": "input"},
        {"retries": 3},
        {"timeout": None, "retries": [1, 2]},
    ],
    ids=str,
)
async def test_an_unreadable_config_is_rejected(lab, config):
    run, caught, calls = raising_run(**config)

    started = await lab.start(run)
    await started.end()

    assert calls == []
    assert isinstance(caught[0], JsException)
    assert caught[0].message == INVALID
    assert started.kinds("STEP_START") == []


@rule(
    SECTION,
    "Half a retry is none, one and a half are one, and a timeout may be a part of a millisecond, or 0 and less as a text "
    "with a unit",
    seen=NEWEST,
)
@pytest.mark.parametrize(
    ("config", "attempts"),
    [
        ({"retries": {"limit": 0.5, "delay": 1}}, 1),
        ({"retries": {"limit": 1.5, "delay": 1}}, 2),
        ({"retries": {"limit": 1, "delay": ""}}, 2),
        ({"retries": {"limit": 0, "delay": 1}, "timeout": 0.5}, 1),
        ({"retries": {"limit": 0, "delay": 1}, "timeout": "0 seconds"}, 1),
        ({"retries": {"limit": 0, "delay": 1}, "timeout": "-5 seconds"}, 1),
    ],
    ids=str,
)
async def test_odd_configurations_are_taken(lab, config, attempts):
    run, caught, calls = raising_run(**config)

    await (await lab.start(run)).end()

    assert len(calls) == attempts
    assert "RuntimeError: x" in str(caught[0])


@rule(SECTION, "A delay that is negative, as a text, ends the step where it would be used", seen=NEWEST)
async def test_a_negative_delay_ends_the_step(lab):
    run, caught, calls = raising_run(retries={"limit": 1, "delay": "-5 seconds"})

    started = await lab.start(run)
    await started.end()

    assert len(calls) == 1
    assert str(caught[0]) == (
        'Error: NonRetryableDelayError: The delay function for step "s-1" returned an invalid delay value (expected a '
        'number of ms or a duration string like "30 seconds"). It is -5000ms.'
    )
    assert started.kinds("ATTEMPT_FAILURE")[0].detail["error"]["name"] == "Error"


@rule(SECTION, "A config that is no dict fails the step as well")
@pytest.mark.parametrize("config", [3, "3 retries", [("timeout", 5)]], ids=str)
async def test_a_config_that_is_no_dict_is_rejected(lab, config):
    async def run(event, step):
        await step.do("s", config=config)(lambda: 1)()

    started = await lab.start(run)
    await started.end()

    assert started.instance.exception.message == INVALID


@rule(SECTION, "An attempt that takes longer than the timeout fails, and what its callback returns later is ignored")
@pytest.mark.workflow(clock="manual")
async def test_a_step_that_timed_out_is_retried_and_its_late_result_is_ignored(lab, gate):
    first = gate()

    async def run(event, step):
        @step.do("s", config={"timeout": "1 minute", "retries": {"limit": 1, "delay": 0}})
        async def slow(ctx):
            if ctx.attempt == 1:
                await first()
                return "late"
            return "second"

        return await slow()

    started = await lab.start(run)
    await lab.clock.advance("1 minute")
    first.open()

    assert await started.output() == "second"
    failure = started.kinds("ATTEMPT_FAILURE")[0].detail["error"]
    assert failure == {"name": "WorkflowTimeoutError", "message": "Execution timed out after 60000ms"}


# -- delay functions -------------------------------------------------------------------------------


@rule(
    SECTION,
    "The delay may be a function of one argument with ctx and error; it gives milliseconds or a text, and the backoff "
    "applies to that",
    seen=NEWEST,
)
@pytest.mark.parametrize("asynchronous", [False, True])
@pytest.mark.parametrize(("answer", "ms"), [(250, 250), ("2 seconds", 2000), (0, 0), (True, 1), ("", 0)])
async def test_a_delay_function_decides_each_delay(lab, asynchronous, answer, ms):
    seen = []

    def delay(argument):
        seen.append(
            (argument.ctx.attempt, argument["ctx"]["step"]["name"], argument.error.name, argument.error.message)
        )
        return answer

    async def async_delay(argument):
        return delay(argument)

    run, _, calls = raising_run(retries={"limit": 2, "delay": async_delay if asynchronous else delay})

    started = await lab.start(run)
    await started.end()

    assert len(calls) == 3
    assert [entry[:3] for entry in seen] == [(1, "s", "Error"), (2, "s", "Error")]
    assert seen[0][3].endswith("RuntimeError: x\n")
    assert [event.detail.get("retryDelayMs") for event in started.kinds("ATTEMPT_FAILURE")] == [ms, ms * 2, None]


def _raises(argument):
    raise ValueError("no idea")


@rule(SECTION, "A delay function that fails or returns nonsense ends the step without another attempt")
@pytest.mark.parametrize(
    "delay",
    [_raises, lambda argument: "1s", lambda argument: None, lambda argument: -1, lambda argument: float("nan")],
    ids=["raises", "unreadable", "None", "negative", "nan"],
)
async def test_a_delay_function_that_gives_no_delay_ends_the_step(lab, delay):
    run, caught, calls = raising_run(retries={"limit": 2, "delay": delay})

    started = await lab.start(run)
    await started.end()

    assert len(calls) == 1
    failure = started.kinds("STEP_FAILURE")[0].detail["error"]
    assert failure["name"] == "NonRetryableDelayError"
    assert failure["message"].startswith('The delay function for step "s-1" ')
    assert 'The delay function for step "s-1" ' in str(caught[0])


@rule(SECTION, "A delay function that has not answered after 5 seconds ends the step", seen=NEWEST)
@pytest.mark.workflow(clock="manual")
async def test_a_delay_function_that_hangs_ends_the_step(lab, gate):
    never = gate()
    run, caught, calls = raising_run(retries={"limit": 2, "delay": lambda argument: never()})

    started = await lab.start(run)
    await lab.clock.advance("4 seconds")
    assert caught == []
    await lab.clock.advance("1 second")

    assert len(calls) == 1
    assert started.kinds("STEP_FAILURE")[0].detail["error"]["name"] == "NonRetryableDelayError"
    assert started.kinds("ATTEMPT_FAILURE")[0].detail["error"]["message"].endswith("RuntimeError: x\n")


@rule(SECTION, "A delay function that never answers ends the step, in a test that just waits", seen=NEWEST)
async def test_a_delay_function_that_never_answers_does_not_stop_the_test(lab, gate):
    never = gate()
    run, caught, calls = raising_run(retries={"limit": 2, "delay": lambda argument: never()})

    started = await lab.start(run)
    await started.end()

    message = 'The delay function for step "s-1" did not return within 5 seconds'
    assert str(caught[0]) == f"Error: NonRetryableDelayError: {message}"
    assert (len(calls), lab.elapsed) == (1, 5000)


async def test_a_delay_function_that_was_quick_is_not_waited_for_any_more(lab, monkeypatch):
    monkeypatch.setattr("durable_engine.execution.do.DELAY_FUNCTION_PATIENCE", 0)
    run, _, calls = raising_run(retries={"limit": 1, "delay": lambda argument: "1 hour"})

    started = await lab.start(run)
    await lab.settle()
    for _ in range(3):
        await asyncio.sleep(0)
    await started.end()

    assert (len(calls), lab.elapsed) == (2, 3_600_000)


@rule(
    SECTION,
    "A delay function that sleeps for less than 5 seconds gives its delay; one that sleeps longer ends the step",
    seen=NEWEST,
)
@pytest.mark.parametrize(("seconds", "attempts", "elapsed"), [(3, 2, 4000), (6, 1, 5000)])
async def test_a_delay_function_may_sleep(lab, seconds, attempts, elapsed):
    async def delay(argument):
        await asyncio.sleep(seconds)
        return 1000

    run, _, calls = raising_run(retries={"limit": 1, "delay": delay})

    started = await lab.start(run)
    await started.end()

    (failure,) = started.kinds("STEP_FAILURE")
    took = (failure.at - started.instance.history[0].at).total_seconds() * 1000
    assert (len(calls), took) == (attempts, elapsed)


# -- names and limits ------------------------------------------------------------------------------


@rule(SECTION, "A step's name has at most 256 characters as JavaScript counts them, and none below U+0020")
@pytest.mark.parametrize("name", ["n" * 257, "😀" * 129, "a\nb", "a\tb", "a\x00b"])
async def test_a_name_that_is_too_long_or_has_control_characters_is_rejected(lab, name):
    async def run(event, step):
        await step.do(name)(lambda: 1)()

    started = await lab.start(run)
    status = await started.end()

    assert status["status"] == "errored"
    expected = f'Step name "{name}" exceeds max length (256 chars) or invalid characters found'
    assert started.instance.exception.message == expected


@rule(SECTION, "The names of sleeps and waits may be of any length and have any characters", seen=NEWEST)
@pytest.mark.parametrize("name", ["n" * 257, "a\nb", "a\x00b", ""])
async def test_names_of_sleeps_and_waits_are_not_looked_at(lab, name):
    async def run(event, step):
        await step.sleep(name, 1)
        return (await step.wait_for_event(name, "t")).payload

    started = await lab.start(run)
    await started.handle.send_event({"type": "t", "payload": "came"})

    assert await started.output() == "came"


@rule(SECTION, "256 characters, an empty text, other alphabets, slashes and DEL are names like others")
@pytest.mark.parametrize("name", ["n" * 256, "😀" * 128, "", "pago ✓ 支付", "a/b", "a\x7fb"])
async def test_unusual_names_are_fine(lab, name):
    async def run(event, step):
        return await step.do(name)(lambda: "ran")()

    assert await (await lab.start(run)).output() == "ran"


@rule(SECTION, "A restart counts the steps of the new run anew")
@pytest.mark.workflow(step_limit=3)
async def test_a_restart_counts_steps_anew(lab):
    async def run(event, step):
        for number in range(3):
            await step.do(f"s{number}")(lambda: None)()
        return "end"

    started = await lab.start(run)
    await started.end()
    await started.handle.restart()
    await started.end()
    await started.handle.restart({"from": {"name": "s2"}})

    assert await started.output() == "end"


@rule(SECTION, "The limit of steps counts `do` alone, over the instance's run")
@pytest.mark.workflow(step_limit=5)
async def test_the_sixth_step_of_five_ends_the_instance(lab):
    async def run(event, step):
        for number in range(6):
            await step.sleep(f"nap {number}", 1)
            await step.do(f"s{number}")(lambda: None)()

    started = await lab.start(run)
    status = await started.end()

    assert status["status"] == "errored"
    assert len(started.kinds("STEP_SUCCESS")) == 5
    assert started.instance.exception.message == (
        "The limit of 5 steps has been reached. This limit can be changed in your worker configuration."
    )


@rule(SECTION, "The limit of steps is 10,000 where nothing changes it")
async def test_the_default_limit_is_ten_thousand_steps(lab):
    assert lab.binding.workflow.step_limit == 10_000


@rule(SECTION, "A replay does not use up the limit of steps")
@pytest.mark.workflow(step_limit=3, clock="manual")
async def test_steps_that_are_replayed_count_once(lab):
    async def run(event, step):
        for number in range(3):
            await step.do(f"s{number}")(lambda: None)()
        await step.sleep("nap", "1 hour")
        return "end"

    started = await lab.start(run)
    await lab.settle()
    await started.instance.crash()
    await lab.clock.advance("1 hour")

    assert await started.output() == "end"


@rule(SECTION, "Hundreds of steps made in a loop run, and each is remembered")
async def test_hundreds_of_dynamic_steps_run(lab):
    # Not a lambda with a default: implicit dependencies would look for a step of that parameter's name.
    async def run(event, step):
        total = 0
        for number in range(300):
            total += await step.do(f"s{number}")(functools.partial(echo, number))()
        return total

    assert await (await lab.start(run)).output() == sum(range(300))


# -- ctx -------------------------------------------------------------------------------------------


@rule(SECTION, "ctx tells the step's name and count, the attempt, and the config with the defaults merged in")
@pytest.mark.parametrize(
    ("config", "merged"),
    [
        (None, DEFAULT),
        (
            {"retries": {"limit": 2, "delay": "5 seconds", "backoff": "linear"}, "timeout": "1 minute"},
            {"retries": {"limit": 2, "delay": "5 seconds", "backoff": "linear"}, "timeout": "1 minute"},
        ),
        (
            {"retries": {"limit": 1, "delay": 7}},
            {"retries": {"limit": 1, "delay": 7, "backoff": "exponential"}, "timeout": "10 minutes"},
        ),
        (
            {"retries": {"limit": 1, "delay": lambda argument: 1}},
            {"retries": {"limit": 1, "backoff": "exponential"}, "timeout": "10 minutes"},
        ),
    ],
)
async def test_ctx_shows_the_step_the_attempt_and_the_merged_config(lab, config, merged):
    seen = []

    async def run(event, step):
        for _ in range(2):
            await step.do("s", config=config)(lambda ctx: seen.append(ctx))()

    await (await lab.start(run)).end()

    assert seen == [
        {"step": {"name": "s", "count": 1}, "attempt": 1, "config": merged},
        {"step": {"name": "s", "count": 2}, "attempt": 1, "config": merged},
    ]
    assert seen[0].step.count == 1
    assert seen[0].config.retries.limit == merged["retries"]["limit"]


@rule(SECTION, "Changing ctx changes nothing")
async def test_a_changed_ctx_has_no_effect(lab):
    seen = []

    async def run(event, step):
        @step.do("s", config={"retries": {"limit": 1, "delay": 1}})
        async def meddle(ctx):
            seen.append((ctx["attempt"], ctx["config"]["retries"]["limit"]))
            ctx["attempt"] = 99
            ctx["config"]["retries"]["limit"] = 99
            raise RuntimeError

        await meddle()

    await (await lab.start(run)).end()

    assert seen == [(1, 1), (2, 1)]


# -- lost attempts ---------------------------------------------------------------------------------


@rule(SECTION, "An attempt during which the engine died is recorded as failed, and counts in ctx.attempt")
@pytest.mark.workflow(clock="manual")
async def test_a_crash_in_a_step_loses_the_attempt_and_the_callback_runs_again(lab, gate):
    first, attempts = gate(), []

    async def run(event, step):
        @step.do("s", config={"retries": {"limit": 0, "delay": 1}})
        async def slow(ctx):
            attempts.append(ctx.attempt)
            if ctx.attempt == 1:
                await first()
            return "done"

        return await slow()

    started = await lab.start(run)
    await first.reached.wait()
    await started.instance.crash()
    await lab.settle()

    assert await started.output() == "done"
    assert attempts == [1, 2]
    assert lab.elapsed == 0
    assert started.log() == [
        "WORKFLOW_QUEUED",
        "WORKFLOW_START",
        "WORKFLOW_RUNNING",
        "STEP_START s-1",
        'ATTEMPT_START s-1 {"attempt":1}',
        'ATTEMPT_FAILURE s-1 {"attempt":1}',
        'ATTEMPT_START s-1 {"attempt":2}',
        'ATTEMPT_SUCCESS s-1 {"attempt":2}',
        'STEP_SUCCESS s-1 {"result":"done"}',
        'WORKFLOW_SUCCESS {"result":"done"}',
    ]
    assert started.kinds("ATTEMPT_FAILURE")[0].detail["error"]["message"] == (
        "Attempt failed due to internal workflows error"
    )


@rule(SECTION, "Lost attempts never use up the retries of a step")
@pytest.mark.workflow(clock="manual")
async def test_lost_attempts_leave_the_retries_alone(lab, gate):
    gates, attempts = [gate() for _ in range(3)], []

    async def run(event, step):
        @step.do("s", config={"retries": {"limit": 1, "delay": 10}})
        async def slow(ctx):
            attempts.append(ctx.attempt)
            if ctx.attempt <= 3:
                await gates[ctx.attempt - 1]()
            raise RuntimeError

        try:
            await slow()
        except JsException:
            return "failed"

    started = await lab.start(run)
    for number in range(3):
        await gates[number].reached.wait()
        await started.instance.crash()
    await lab.clock.advance(10)

    assert await started.output() == "failed"
    assert attempts == [1, 2, 3, 4, 5]


@rule(SECTION, "A completed step never runs its callback again; one that was interrupted does")
@pytest.mark.workflow(clock="manual")
async def test_a_completed_step_is_replayed_from_storage(lab, gate):
    first, calls = gate(), []

    async def run(event, step):
        @step.do("done")
        async def done():
            calls.append("done")
            return {"n": len(calls)}

        @step.do("open")
        async def interrupted():
            calls.append("open")
            if calls.count("open") == 1:
                await first()
            return "open"

        return [await done(), await interrupted()]

    started = await lab.start(run)
    await first.reached.wait()
    await started.instance.crash()
    await lab.settle()

    assert await started.output() == [{"n": 1}, "open"]
    assert calls == ["done", "open", "open"]


@rule(SECTION, "A failed step is remembered: after a crash it raises again without running")
@pytest.mark.workflow(clock="manual")
async def test_a_failed_step_raises_again_on_replay_without_running(lab):
    calls, caught = [], []

    async def run(event, step):
        try:
            await step.do("s", config={"retries": {"limit": 0, "delay": 0}})(failing(calls, ValueError("m")))()
        except ValueError as error:
            caught.append(str(error))
        await step.sleep("nap", "1 hour")

    started = await lab.start(run)
    await lab.settle()
    await started.instance.crash()
    await lab.clock.advance("1 hour")

    assert (await started.end())["status"] == "complete"
    assert calls == [1]
    assert caught == ["ValueError: m", "ValueError: m"]


@rule(SECTION, "A non-retryable failure is not remembered: after a crash the step runs again")
@pytest.mark.workflow(clock="manual")
async def test_a_non_retryable_failure_runs_again_on_replay(lab):
    calls = []

    async def run(event, step):
        with contextlib.suppress(NonRetryableError):
            await step.do("s")(failing(calls, NonRetryableError("m")))()
        await step.sleep("nap", "1 hour")

    started = await lab.start(run)
    await lab.settle()
    await started.instance.crash()
    await lab.settle()

    assert calls == [1, 1]


# -- identity --------------------------------------------------------------------------------------


@rule(SECTION, "A decorated step that is called twice runs twice, with counts 1 and 2; so do two of one name")
async def test_a_step_called_twice_runs_twice(lab):
    counts = []

    async def run(event, step):
        @step.do("dup")
        async def dup(ctx):
            counts.append(ctx.step.count)
            return ctx.step.count

        @step.do("dup")
        async def same_name(ctx):
            counts.append(ctx.step.count)
            return ctx.step.count

        return [await dup(), await dup(), await same_name()]

    assert await (await lab.start(run)).output() == [1, 2, 3]
    assert counts == [1, 2, 3]


@rule(SECTION, "step.do() without a name takes the function's")
async def test_a_step_without_a_name_takes_the_functions(lab):
    async def run(event, step):
        @step.do()
        async def charge():
            return "charged"

        return await charge()

    started = await lab.start(run)

    assert await started.output() == "charged"
    assert [step.name for step in started.instance.steps] == ["charge"]


@rule(SECTION, "With explicit dependencies step.do() needs a name: TypeError")
async def test_in_legacy_mode_a_step_needs_a_name(lab):
    async def run(event, step):
        step.do()

    started = await lab.start(run, legacy=True)
    await started.end()

    assert isinstance(started.instance.exception, TypeError)


class Shop:
    def charge(self):
        return "method"


@rule(SECTION, "Plain functions, lambdas, partials and bound methods are callbacks like async functions")
@pytest.mark.parametrize(
    ("callback", "result"),
    [(lambda: "lambda", "lambda"), (functools.partial(echo, 5), 5), (Shop().charge, "method"), (dict, {})],
    ids=["lambda", "partial", "method", "builtin"],
)
async def test_any_callable_is_a_callback(lab, callback, result):
    async def run(event, step):
        return await step.do("s")(callback)()

    assert await (await lab.start(run)).output() == result


@rule(SECTION, "Calling a step with arguments is a TypeError")
async def test_a_step_takes_no_arguments(lab):
    async def run(event, step):
        await step.do("s")(lambda: 1)(5)

    started = await lab.start(run)
    await started.end()

    assert isinstance(started.instance.exception, TypeError)


@rule(SECTION, "A step inside a step's callback works")
async def test_nested_steps_run_inside_each_other(lab):
    async def run(event, step):
        @step.do("outer")
        async def outer():
            @step.do("inner")
            async def inner():
                return "in"

            return "out+" + await inner()

        return await outer()

    started = await lab.start(run)

    assert await started.output() == "out+in"
    assert started.log() == [
        "WORKFLOW_QUEUED",
        "WORKFLOW_START",
        "WORKFLOW_RUNNING",
        "STEP_START outer-1",
        'ATTEMPT_START outer-1 {"attempt":1}',
        "STEP_START inner-1",
        'ATTEMPT_START inner-1 {"attempt":1}',
        'ATTEMPT_SUCCESS inner-1 {"attempt":1}',
        'STEP_SUCCESS inner-1 {"result":"in"}',
        'ATTEMPT_SUCCESS outer-1 {"attempt":1}',
        'STEP_SUCCESS outer-1 {"result":"out+in"}',
        'WORKFLOW_SUCCESS {"result":"out+in"}',
    ]


@rule(SECTION, "A nested step that completed is not run again when its outer step is retried after a crash")
@pytest.mark.workflow(clock="manual")
async def test_a_completed_inner_step_survives_the_loss_of_its_outer_one(lab, gate):
    first, calls = gate(), []

    async def run(event, step):
        @step.do("outer")
        async def outer(ctx):
            @step.do("inner")
            async def inner():
                calls.append("inner")
                return "in"

            value = await inner()
            if ctx.attempt == 1:
                await first()
            return value

        return await outer()

    started = await lab.start(run)
    await first.reached.wait()
    await started.instance.crash()
    await lab.settle()

    assert await started.output() == "in"
    assert calls == ["inner"]


# -- dependencies ----------------------------------------------------------------------------------


@rule(SECTION, "A callback's parameter is the result of the step of that name, which runs first if it has not")
async def test_a_parameter_names_a_dependency(lab):
    order = []

    async def run(event, step):
        @step.do()
        async def first():
            order.append("first")
            return 1

        @step.do()
        async def second(first, ctx):
            order.append("second")
            return first + ctx.attempt

        return await second()

    started = await lab.start(run)

    assert await started.output() == 2
    assert order == ["first", "second"]
    assert started.step("second").inputs == {"first": 1}


@rule(SECTION, "A dependency's result is memoised: several dependents run it once")
async def test_a_dependency_runs_once_for_all_its_dependents(lab):
    calls = []

    async def run(event, step):
        @step.do()
        async def base():
            calls.append(1)
            return 1

        @step.do()
        async def left(base):
            return base

        @step.do()
        async def right(base):
            return base

        return [await left(), await right()]

    assert await (await lab.start(run)).output() == [1, 1]
    assert calls == [1]


@rule(SECTION, "A dependency in flight is shared by its dependents")
@pytest.mark.workflow(clock="manual")
async def test_a_dependency_in_flight_is_shared(lab, gate):
    held = gate()

    async def run(event, step):
        @step.do()
        async def base():
            await held()
            return 1

        @step.do()
        async def left(base):
            return base

        @step.do()
        async def right(base):
            return base

        return await asyncio.gather(left(), right())

    started = await lab.start(run)
    await held.reached.wait()
    await lab.settle()
    held.open()
    await started.instance.wait_for_status("complete")

    assert await started.output() == [1, 1]
    assert held.entered == 1


@rule(SECTION, "A dependency that failed runs again for the next dependent")
async def test_a_failed_dependency_runs_again_for_the_next_dependent(lab):
    calls = []

    async def run(event, step):
        @step.do(config={"retries": {"limit": 0, "delay": 0}})
        async def base():
            calls.append(1)
            if len(calls) == 1:
                raise ValueError("first time")
            return "ok"

        @step.do()
        async def left(base):
            return base

        @step.do()
        async def right(base):
            return base

        try:
            await left()
        except ValueError:
            return await right()

    started = await lab.start(run)

    assert await started.output() == "ok"
    assert [step.key.label for step in started.instance.steps] == ["base-1", "base-2", "right-1"]


@rule(SECTION, "A dependency that was run before by hand is memoised as well")
async def test_a_step_that_ran_before_is_not_run_for_its_dependent(lab):
    async def run(event, step):
        @step.do()
        async def base():
            return {"n": 1}

        @step.do()
        async def dependent(base):
            return base["n"]

        await base()
        return await dependent()

    started = await lab.start(run)

    assert await started.output() == 1
    assert [step.key.label for step in started.instance.steps] == ["base-1", "dependent-1"]


@rule(SECTION, "Dependencies are resolved one by one, with concurrent=True together")
@pytest.mark.workflow(clock="manual")
@pytest.mark.parametrize(("concurrent", "together"), [(False, False), (True, True)])
@pytest.mark.parametrize("legacy", [False, True])
async def test_dependencies_are_resolved_together_or_one_by_one(lab, gate, concurrent, together, legacy):
    left_gate, right_gate = gate(), gate()

    async def run(event, step):
        @step.do("left")
        async def left():
            await left_gate()
            return 1

        @step.do("right")
        async def right():
            await right_gate()
            return 2

        depends = {"depends": [left, right]} if legacy else {}

        @step.do("join", concurrent=concurrent, **depends)
        async def join(left, right):
            return [left, right]

        return await join()

    started = await lab.start(run, legacy=legacy)
    await left_gate.reached.wait()
    await lab.settle()
    assert right_gate.reached.is_set() == together
    left_gate.open()
    right_gate.open()
    await started.instance.wait_for_status("complete")

    assert await started.output() == [1, 2]


async def error_of(lab, declare, **options):
    async def run(event, step):
        await declare(step)()

    started = await lab.start(run, **options)
    assert (await started.end())["status"] == "errored"
    return started.instance.exception


@rule(SECTION, "A parameter that names no declared step, even one with a default, is a TypeError")
@pytest.mark.parametrize("callback", [lambda nothing: 1, lambda nothing=5: 1])
async def test_a_parameter_that_names_no_step_is_an_error(lab, callback):
    error = await error_of(lab, lambda step: step.do("s")(callback))

    assert isinstance(error, TypeError)
    assert str(error) == "Received unexpected parameter nothing"


@rule(SECTION, "depends= is an unexpected keyword where dependencies are implicit; ours says both ways out")
async def test_depends_is_unexpected_in_implicit_mode(lab):
    error = await error_of(lab, lambda step: step.do("s", depends=[])(lambda: 1))

    assert isinstance(error, TypeError)
    assert "unexpected keyword argument 'depends'" in str(error)
    assert "Name the callback's parameters after the steps" in str(error)
    assert "no_python_workflows_implicit_dependencies" in str(error)


@rule(SECTION, "In legacy mode depends= gives the dependencies in the order of the parameters, ctx skipped")
async def test_legacy_dependencies_are_given_in_order(lab):
    async def run(event, step):
        @step.do("one")
        async def one():
            return 1

        @step.do("two")
        async def two():
            return 2

        @step.do("join", depends=[two, one])
        async def join(a, ctx, b):
            return [a, ctx.attempt, b]

        return await join()

    assert await (await lab.start(run, legacy=True)).output() == [2, 1, 1]


@rule(SECTION, "In legacy mode a list of dependencies that does not fit the parameters is an error")
@pytest.mark.parametrize(
    ("depends", "callback", "message"),
    [
        (None, lambda x: 1, "Step has 1 non-ctx parameter(s) but no 'depends' list provided"),
        ("one", lambda x, y: 1, "Step declares 2 non-ctx parameter(s) but 'depends' has 1 item(s)"),
        ("plain", lambda x: 1, "'depends' entry for parameter 'x' is not a function decorated with step.do"),
    ],
)
async def test_legacy_dependencies_that_do_not_fit_are_errors(lab, depends, callback, message):
    def declare(step):
        given = {None: None, "one": [step.do("one")(lambda: 1)], "plain": [lambda: 1]}[depends]
        return step.do("s", depends=given)(callback)

    error = await error_of(lab, declare, legacy=True)

    assert str(error) == message


# -- outputs ---------------------------------------------------------------------------------------


@rule(
    SECTION,
    "A result over 1 MiB fails the attempt: WorkflowInternalError",
    same=False,
    why="it is documented so; in November 2026 it failed between 4 and 9 MB, with the text of 1 MiB",
    seen=DOCUMENTED,
)
async def test_an_output_over_one_mebibyte_fails_the_step(lab):
    calls, caught = [], []

    async def run(event, step):
        try:
            await step.do("s", config={"retries": {"limit": 1, "delay": 0}})(lambda: calls.append(1) or "x" * 2**20)()
        except Exception as error:
            caught.append(error)

    started = await lab.start(run)
    await started.end()

    failure = started.kinds("STEP_FAILURE")[0].detail["error"]
    assert failure["name"] == "WorkflowInternalError"
    assert failure["message"].startswith("Step s-1 output is too large. Maximum allowed size is 1MiB.")
    assert "Step s-1 output is too large. Maximum allowed size is 1MiB." in str(caught[0])


@rule(SECTION, "A result of nearly 1 MiB is fine")
async def test_an_output_of_nearly_one_mebibyte_is_stored(lab):
    async def run(event, step):
        return len(await step.do("s")(lambda: "x" * (2**20 - 100))())

    assert await (await lab.start(run)).output() == 2**20 - 100


@rule(SECTION, "sensitive='output' hides the result in history, in status and from wait_for_step_result, not from run")
async def test_a_sensitive_output_is_redacted_everywhere_but_in_run(lab):
    async def run(event, step):
        value = await step.do("s", config={"sensitive": "output"})(lambda: "secret")()
        return len(value)

    started = await lab.start(run)

    assert await started.output() == 6
    assert await started.instance.wait_for_step_result("s") == "[REDACTED]"
    assert (await started.handle.status())["__LOCAL_DEV_STEP_OUTPUTS"] == ["[REDACTED]"]
    assert started.step("s").result == "[REDACTED]"
    assert 'STEP_SUCCESS s-1 {"result":"[REDACTED]"}' in started.log()


@rule(SECTION, "A sensitive result is the real one again after a crash")
@pytest.mark.workflow(clock="manual")
async def test_a_sensitive_output_is_replayed_as_it_is(lab):
    async def run(event, step):
        value = await step.do("s", config={"sensitive": "output"})(lambda: "secret")()
        await step.sleep("nap", 1000)
        return value

    started = await lab.start(run)
    await lab.settle()
    await started.instance.crash()
    await lab.clock.advance(1000)

    assert await started.output() == "secret"


@rule(SECTION, "A sensitive result is hidden among the inputs of its dependents as well; their callbacks get it")
@pytest.mark.parametrize("concurrent", [False, True])
@pytest.mark.parametrize("legacy", [False, True])
@pytest.mark.workflow(clock="manual")
async def test_a_sensitive_output_is_redacted_where_it_is_an_input(lab, legacy, concurrent):
    seen = []

    async def run(event, step):
        key = step.do("key", config={"sensitive": "output"})(lambda: {"secret": "TOPSECRET"})
        user = step.do("user")(lambda: "ada")
        given = {"concurrent": concurrent} | ({"depends": [key, user]} if legacy else {})

        @step.do("first", **given)
        async def first(key, user):
            seen.append((key["secret"], user))
            return len(key["secret"])

        @step.do("second", **given | ({"depends": [key, first]} if legacy else {}))
        async def second(key, first):
            seen.append((key["secret"], first))

        await first()
        await step.sleep("nap", 1000)
        await second()

    started = await lab.start(run, legacy=legacy)
    await lab.settle()
    await started.instance.crash()
    await lab.clock.advance(1000)

    assert await started.status() == "complete"
    assert seen == [("TOPSECRET", "ada"), ("TOPSECRET", 9)]
    assert started.step("first").inputs == {"key": "[REDACTED]", "user": "ada"}
    assert started.step("second").inputs == {"key": "[REDACTED]", "first": 9}
    assert "TOPSECRET" not in f"{started.instance.steps} {started.instance.history}"


@rule(SECTION, "A step with a function as its result ends the instance at once, unretried")
async def test_a_function_as_result_ends_the_instance(lab):
    calls = []

    async def run(event, step):
        try:
            await step.do("s")(lambda: calls.append(1) or print)()
        except BaseException:
            calls.append("caught")

    started = await lab.start(run)
    status = await started.end()

    assert calls == [1]
    assert status["error"] == {
        "name": "WorkflowFatalError",
        "message": 'The execution of the Workflow instance was terminated, as the step "s" returned a value which is '
        "not serialisable",
    }


@rule(SECTION, "A step's NonRetryableError ends it at its first attempt")
async def test_a_non_retryable_error_is_not_retried(lab):
    calls = []

    async def run(event, step):
        await step.do("s")(failing(calls, NonRetryableError("stop")))()

    started = await lab.start(run)
    status = await started.end()

    assert calls == [1]
    assert status["status"] == "errored"


@rule(SECTION, "After a failure was caught run goes on with other steps")
async def test_run_goes_on_after_a_caught_failure(lab):
    async def run(event, step):
        try:
            await step.do("a", config={"retries": {"limit": 0, "delay": 0}})(failing())()
        except JsException:
            return await step.do("b")(lambda: "b")()

    assert await (await lab.start(run)).output() == "b"


@rule(SECTION, "There is no step.with_rollback in the Python SDK: AttributeError")
async def test_rollback_handlers_do_not_exist(lab):
    async def run(event, step):
        step.with_rollback("s")

    started = await lab.start(run)
    await started.end()

    assert isinstance(started.instance.exception, AttributeError)
