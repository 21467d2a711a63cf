"""pause, resume, restart, terminate, delete: in every state, and events on the way."""

import asyncio

import pytest
from pyodide.ffi import JsException
from rules import BOTH, NEWEST, rule

pytestmark = pytest.mark.workflow(now="2026-01-01T00:00:00Z", clock="manual")

SECTION = "Lifecycle"
CANNOT_TERMINATE = "WorkflowError: (instance.cannot_terminate) Cannot terminate instance since its on a finite state"
NOT_FOUND = "Error: instance.not_found"
STATES = ["callback", "parallel", "retrying", "sleeping", "waiting"]
AT_WORK = ["callback", "parallel"]


class Scene:
    """A workflow that gets into a state and stays there until the test lets it go on."""

    def __init__(self, lab, state, gate):
        self.lab = lab
        self.state = state
        self.calls = []
        self.gates = [gate(), gate()]
        self.lives = 0

    async def run(self, event, step):
        self.lives += 1
        await step.do("before")(self._record("before"))()
        await getattr(self, f"_{self.state}")(step)
        await step.do("after")(self._record("after"))()
        return "end"

    def _record(self, name):
        return lambda: self.calls.append(name)

    async def _callback(self, step):
        await step.do("middle")(self._through(0))()

    async def _parallel(self, step):
        await asyncio.gather(step.do("middle")(self._through(0))(), step.do("other")(self._through(1))())

    async def _retrying(self, step):
        @step.do("middle", config={"retries": {"limit": 1, "delay": "1 hour"}})
        async def middle(ctx):
            self.calls.append("middle")
            if ctx.attempt == 1:
                raise RuntimeError("not yet")

        await middle()

    async def _sleeping(self, step):
        await step.sleep("middle", "1 hour")

    async def _waiting(self, step):
        await step.wait_for_event("middle", "go", timeout="2 hours")

    def _through(self, number):
        async def callback():
            self.calls.append("middle")
            await self.gates[number]()
            self.calls.append("through")

        return callback

    async def reach(self):
        """Start it, and let it get there."""
        self.started = await self.lab.start(self.run)
        if self.state in AT_WORK:
            await self.gates[0].reached.wait()
        await self.lab.settle()
        return self.started

    def open(self):
        for gate in self.gates:
            gate.open()

    async def finish(self):
        """Let it go on to its end."""
        self.open()
        if self.state == "waiting":
            await self.started.handle.send_event({"type": "go"})
        await asyncio.sleep(0)
        await self.lab.settle()
        if self.state in ("retrying", "sleeping"):
            await self.lab.clock.advance("1 hour")
        await self.lab.engine.run_until_idle()
        return await self.started.status()


@pytest.fixture
def scene(lab, gate, state):
    return Scene(lab, state, gate)


every_state = pytest.mark.parametrize("state", STATES)
parked_states = pytest.mark.parametrize("state", ["retrying", "sleeping", "waiting"])
states_at_work = pytest.mark.parametrize("state", AT_WORK)


async def ended(lab, status):
    """An instance that has ended in that status."""

    async def run(event, step):
        await step.do("s")(lambda: 1)()
        if status == "errored":
            raise ValueError("boom")
        if status == "terminated":
            await step.sleep("nap", "1 hour")
        return "end"

    started = await lab.start(run)
    await lab.settle()
    if status == "terminated":
        await started.handle.terminate()
    return started


every_end = pytest.mark.parametrize("final", ["complete", "errored", "terminated"])


# -- pause and resume ------------------------------------------------------------------------------


@rule(
    SECTION,
    "pause lets running callbacks end (waitingForPause), then the instance is paused",
    same=False,
    why="documented so; the local runtime ends paused Python instances as errored",
)
@states_at_work
async def test_pause_waits_for_the_running_callbacks(lab, scene):
    started = await scene.reach()
    await started.handle.pause()
    assert await started.status() == "waitingForPause"

    scene.open()
    await started.instance.wait_for_status("paused")

    assert scene.calls.count("through") == len([call for call in scene.calls if call == "middle"])
    assert "after" not in scene.calls


@rule(SECTION, "pause with several callbacks running waits for the last of them")
@pytest.mark.parametrize("state", ["parallel"])
async def test_pause_waits_for_the_last_callback(lab, scene):
    started = await scene.reach()
    await started.handle.pause()
    statuses = [await started.status()]
    scene.gates[0].open()
    await started.instance.wait_for_step_result("middle")
    await lab.settle()
    statuses.append(await started.status())
    scene.gates[1].open()
    await started.instance.wait_for_status("paused")

    await started.handle.resume()
    assert await scene.finish() == "complete"
    assert statuses == ["waitingForPause", "waitingForPause"]
    assert scene.calls == ["before", "middle", "middle", "through", "through", "after"]


@rule(SECTION, "pause of an instance that is parked takes hold at once", seen=NEWEST)
@parked_states
async def test_pause_of_a_parked_instance_takes_hold_at_once(lab, scene):
    started = await scene.reach()

    await started.handle.pause()

    assert await started.status() == "paused"


@rule(
    SECTION,
    "History has WORKFLOW_WAITING_FOR_PAUSE, WORKFLOW_PAUSED and WORKFLOW_RUNNING where the status changes, and nothing of "
    "a crash. In August 2026 it had none of them",
    seen=NEWEST,
)
async def test_history_tells_of_changes_of_the_status(lab, gate):
    opened = gate()

    async def run(event, step):
        await step.do("slow")(opened)()

    started = await lab.start(run)
    await opened.reached.wait()
    await started.handle.pause()
    await started.handle.resume()
    await started.instance.crash()
    await lab.settle()
    await started.handle.pause()
    opened.open()
    await lab.engine.run_until_idle()
    await started.handle.resume()
    await started.end()

    lines = [event.kind for event in started.instance.history if event.kind.startswith("WORKFLOW_")]
    assert lines == [
        "WORKFLOW_QUEUED",
        "WORKFLOW_START",
        "WORKFLOW_RUNNING",
        "WORKFLOW_WAITING_FOR_PAUSE",
        "WORKFLOW_RUNNING",
        "WORKFLOW_WAITING_FOR_PAUSE",
        "WORKFLOW_PAUSED",
        "WORKFLOW_RUNNING",
        "WORKFLOW_SUCCESS",
    ]


@rule(SECTION, "A paused instance goes on at resume where it was; completed steps do not run again", seen=NEWEST)
@every_state
async def test_a_paused_instance_goes_on_after_resume(lab, scene):
    started = await scene.reach()
    await started.handle.pause()
    scene.open()
    await started.instance.wait_for_status("paused")
    await started.handle.resume()

    assert await scene.finish() == "complete"
    assert scene.calls.count("before") == 1
    assert scene.calls.count("after") == 1
    assert scene.calls.count("middle") == {"callback": 1, "parallel": 2, "retrying": 2}.get(scene.state, 0)


@rule(SECTION, "While an instance is paused its timers stand still, and go on from where they were")
@pytest.mark.parametrize("state", ["retrying", "sleeping"])
async def test_timers_stand_still_while_paused(lab, scene):
    started = await scene.reach()
    await lab.clock.advance("20 minutes")
    await started.handle.pause()
    await lab.clock.advance("10 hours")
    assert await started.status() == "paused"
    await started.handle.resume()
    await lab.clock.advance("39 minutes")
    assert "after" not in scene.calls
    await lab.clock.advance("1 minute")

    assert scene.calls[-1] == "after"
    assert await started.status() == "complete"


@rule(SECTION, "The timeout of a wait stands still while the instance is paused")
@pytest.mark.parametrize("state", ["waiting"])
async def test_the_timeout_of_a_wait_stands_still_while_paused(lab, scene):
    started = await scene.reach()
    await lab.clock.advance("1 hour")
    await started.handle.pause()
    await lab.clock.advance("10 hours")
    await started.handle.resume()
    await lab.clock.advance("59 minutes")
    assert await started.status() == "waiting"
    await lab.clock.advance("1 minute")

    assert await started.status() == "errored"
    assert "Execution timed out after 7200000ms" in (await started.instance.get_error())["message"]


@rule(SECTION, "Timers keep their rest through several pauses")
@pytest.mark.parametrize("state", ["sleeping"])
async def test_timers_survive_several_pauses(lab, scene):
    started = await scene.reach()
    for _ in range(5):
        await lab.clock.advance("10 minutes")
        await started.handle.pause()
        await lab.clock.advance("1 day")
        await started.handle.resume()
        await lab.settle()
    await lab.clock.advance("9 minutes")
    assert await started.status() == "waiting"
    await lab.clock.advance("1 minute")

    assert await started.status() == "complete"


@rule(SECTION, "resume before the pause took hold cancels it", seen=NEWEST)
@states_at_work
async def test_resume_cancels_a_pause_that_has_not_taken_hold(lab, scene):
    started = await scene.reach()
    await started.handle.pause()
    await started.handle.resume()

    assert await started.status() == "running"
    assert await scene.finish() == "complete"
    assert scene.lives == 1


@rule(SECTION, "A result that came while the pause was pending reaches run after resume cancelled it")
@pytest.mark.parametrize("state", ["parallel"])
async def test_a_withheld_result_is_delivered_when_the_pause_is_cancelled(lab, scene):
    started = await scene.reach()
    await started.handle.pause()
    scene.gates[0].open()
    await started.instance.wait_for_step_result("middle")
    await started.handle.resume()

    assert await scene.finish() == "complete"
    assert scene.lives == 1


@rule(SECTION, "A pause that is pending lets no new attempt, sleep or wait begin")
async def test_nothing_begins_while_a_pause_is_pending(lab, gate):
    held, calls = gate(), []

    async def run(event, step):
        async def chain():
            await step.do("quick")(lambda: calls.append("quick"))()
            await step.sleep("nap", "10 minutes")
            await step.do("next")(lambda: calls.append("next"))()

        @step.do("flaky", config={"retries": {"limit": 1, "delay": "10 minutes"}})
        async def flaky(ctx):
            calls.append(f"flaky {ctx.attempt}")
            if ctx.attempt == 1:
                raise RuntimeError

        await asyncio.gather(step.do("slow")(held)(), chain(), flaky())

    started = await lab.start(run)
    await held.reached.wait()
    await lab.settle()
    await started.handle.pause()
    await lab.clock.advance("1 minute")
    assert await started.status() == "waitingForPause"
    held.open()
    await started.instance.wait_for_status("paused")
    await lab.clock.advance("1 hour")
    assert calls == ["quick", "flaky 1"]
    await started.handle.resume()
    await lab.clock.advance("10 minutes")

    assert await started.status() == "complete"
    assert calls == ["quick", "flaky 1", "flaky 2", "next"] or calls == ["quick", "flaky 1", "next", "flaky 2"]


@rule(SECTION, "A timer that comes due while a pause is pending starts nothing before resume")
async def test_a_retry_due_while_a_pause_is_pending_is_not_made(lab, gate):
    held, calls = gate(), []

    async def run(event, step):
        @step.do("flaky", config={"retries": {"limit": 1, "delay": "1 minute"}})
        async def flaky(ctx):
            calls.append(ctx.attempt)
            if ctx.attempt == 1:
                raise RuntimeError

        await asyncio.gather(step.do("slow")(held)(), flaky())

    started = await lab.start(run)
    await held.reached.wait()
    await lab.settle()
    await started.handle.pause()
    await lab.clock.advance("5 minutes")
    while_pending = list(calls)
    held.open()
    await started.instance.wait_for_status("paused")
    await started.handle.resume()
    await lab.clock.advance("1 minute")

    assert while_pending == [1]
    assert calls == [1, 2]
    assert await started.status() == "complete"


@rule(SECTION, "pause waits for a callback to end with the steps inside it, which go on meanwhile")
async def test_pause_waits_for_the_steps_inside_a_callback(lab, gate):
    held, calls = gate(), []

    async def run(event, step):
        @step.do("outer")
        async def outer():
            calls.append("outer")
            inner = await step.do("inner")(held)()
            await step.sleep("nap", "1 minute")
            calls.append("outer went on")
            return inner

        await outer()
        await step.do("next")(lambda: calls.append("next"))()
        return "end"

    started = await lab.start(run)
    await held.reached.wait()
    await started.handle.pause()
    held.open()
    await lab.clock.advance("30 seconds")
    assert await started.status() == "waitingForPause"
    await lab.clock.advance("30 seconds")
    assert await started.status() == "paused"
    assert calls == ["outer", "outer went on"]
    await started.handle.resume()

    assert await started.output() == "end"
    assert calls == ["outer", "outer went on", "next"]


@rule(SECTION, "pause waits for a delay function; the delay that it gave stands still until resume")
async def test_pause_waits_for_a_delay_function(lab, gate):
    held, calls = gate(), []

    async def delay(argument):
        await held()
        return "1 minute"

    async def run(event, step):
        @step.do("flaky", config={"retries": {"limit": 1, "delay": delay}})
        async def flaky(ctx):
            calls.append(ctx.attempt)
            if ctx.attempt == 1:
                raise RuntimeError

        await flaky()

    started = await lab.start(run)
    await held.reached.wait()
    await started.handle.pause()
    assert await started.status() == "waitingForPause"
    held.open()
    await started.instance.wait_for_status("paused")
    await lab.clock.advance("1 hour")
    await started.handle.resume()
    await lab.clock.advance("59 seconds")
    assert calls == [1]
    await lab.clock.advance("1 second")

    assert calls == [1, 2]
    assert await started.status() == "complete"


@rule(SECTION, "pause waits for the callback of an attempt that timed out: it is not cancelled, so it still runs")
async def test_pause_waits_for_a_callback_that_timed_out(lab, gate):
    held = gate()

    async def run(event, step):
        @step.do("slow", config={"timeout": "1 second", "retries": {"limit": 1, "delay": "1 minute"}})
        async def slow(ctx):
            if ctx.attempt == 1:
                await held()
            return ctx.attempt

        return await slow()

    started = await lab.start(run)
    await lab.clock.advance("2 seconds")
    await started.handle.pause()
    await lab.clock.advance("1 hour")
    assert await started.status() == "waitingForPause"
    held.open()
    await started.instance.wait_for_status("paused")
    await started.handle.resume()

    assert await started.output() == 2


@rule(SECTION, "pause right after create, before run began, and resume")
async def test_pause_right_after_create(lab):
    async def run(event, step):
        return await step.do("s")(lambda: "end")()

    started = await lab.start(run)
    await started.handle.pause()
    assert await started.status() == "paused"
    await started.handle.resume()

    assert await started.output() == "end"
    assert [line.split()[0] for line in started.log()][:2] == ["WORKFLOW_QUEUED", "WORKFLOW_START"]
    assert len(started.kinds("WORKFLOW_START")) == 1


@rule(SECTION, "Pausing twice is pausing once; so is resuming")
@every_state
async def test_pausing_and_resuming_twice_is_fine(lab, scene):
    started = await scene.reach()
    await started.handle.pause()
    await started.handle.pause()
    scene.open()
    await started.instance.wait_for_status("paused")
    await started.handle.pause()
    await started.handle.resume()
    await started.handle.resume()

    assert await scene.finish() == "complete"


@rule(SECTION, "Pausing or resuming an instance that has ended does nothing")
@every_end
@pytest.mark.parametrize("call", ["pause", "resume"])
async def test_pause_and_resume_leave_a_finished_instance_alone(lab, final, call):
    started = await ended(lab, final)
    before = await started.handle.status()

    await getattr(started.handle, call)()

    assert await started.handle.status() == before
    assert before["status"] == final


@rule(SECTION, "resume of an instance that is not paused does nothing")
@every_state
async def test_resume_of_a_running_instance_does_nothing(lab, scene):
    started = await scene.reach()
    await started.handle.resume()

    assert await scene.finish() == "complete"
    assert scene.lives == 1


@rule(SECTION, "A failure that came while a pause was pending is remembered, and raised after resume")
async def test_a_failure_while_a_pause_is_pending_is_raised_after_resume(lab, gate):
    held = gate()

    async def run(event, step):
        @step.do("s", config={"retries": {"limit": 0, "delay": 0}})
        async def failing():
            await held()
            raise ValueError("m")

        try:
            await failing()
        except ValueError as error:
            return str(error)

    started = await lab.start(run)
    await held.reached.wait()
    await started.handle.pause()
    held.open()
    await started.instance.wait_for_status("paused")
    await started.handle.resume()

    assert await started.output() == "ValueError: m"
    assert held.entered == 1


@rule(SECTION, "A crash does not end a pause")
@every_state
async def test_a_paused_instance_stays_paused_after_a_crash(lab, scene):
    started = await scene.reach()
    await started.handle.pause()
    await started.instance.crash()
    scene.open()
    await lab.clock.advance("1 hour")
    assert await started.status() == "paused"
    await started.handle.resume()

    assert await scene.finish() == "complete"
    assert scene.calls.count("before") == 1


# -- restart ---------------------------------------------------------------------------------------


@rule(SECTION, "restart runs from the top, in every state: the memo is wiped, the old run is gone")
@every_state
async def test_restart_runs_from_the_top(lab, scene):
    started = await scene.reach()
    await started.handle.restart()
    assert await started.status() not in ("complete", "errored", "terminated")
    await lab.settle()

    assert await scene.finish() == "complete"
    assert scene.lives == 2
    assert scene.calls.count("before") == 2
    assert scene.calls.count("after") == 1


@rule(SECTION, "restart of a paused instance, or one about to pause, runs it")
@every_state
async def test_restart_of_a_paused_instance_runs_it(lab, scene):
    started = await scene.reach()
    await started.handle.pause()
    await started.handle.restart()
    await lab.settle()

    assert await started.status() not in ("paused", "waitingForPause")
    assert await scene.finish() == "complete"


@rule(SECTION, "restart of an instance that has ended runs it again, with the same payload")
@every_end
async def test_restart_of_a_finished_instance_runs_it_again(lab, final):
    started = await ended(lab, final)
    await started.handle.restart()

    status = await started.handle.status()
    assert status["status"] in ("queued", "running")
    assert (status["__LOCAL_DEV_STEP_OUTPUTS"], status["output"], status["error"]) == ([], None, None)
    await lab.clock.advance("1 hour")
    assert await started.status() == ("errored" if final == "errored" else "complete")


@rule(SECTION, "After restart results and output are those of the new run")
async def test_restart_gives_the_results_of_the_new_life(lab):
    lives = []

    async def run(event, step):
        lives.append(event["payload"])
        await step.do("s")(lambda: f"value of life {len(lives)}")()
        return f"output of life {len(lives)}"

    started = await lab.start(run, params={"n": 1})
    assert await started.output() == "output of life 1"
    await started.handle.restart()

    assert await started.instance.wait_for_step_result("s") == "value of life 2"
    assert await started.output() == "output of life 2"
    assert lives == [{"n": 1}, {"n": 1}]
    assert (await started.handle.status())["__LOCAL_DEV_STEP_OUTPUTS"] == ["value of life 2"]


@rule(SECTION, "restart wipes events that were sent and not taken")
async def test_restart_wipes_kept_events(lab):
    async def run(event, step):
        await step.sleep("nap", "1 minute")
        await step.wait_for_event("w", "t", timeout="1 minute")

    started = await lab.start(run)
    await started.handle.send_event({"type": "t"})
    await started.handle.restart()
    await lab.clock.advance("2 minutes")

    assert await started.status() == "errored"


def four_steps(calls):
    """Four `do` steps and a sleep, as in the recorded runs."""

    async def run(event, step):
        def note(name):
            def callback():
                calls.append(name)
                return f"{name}{len(calls)}"

            return callback

        a = await step.do("a")(note("a"))()
        b = await step.do("b")(note("b"))()
        await step.sleep("nap", 10)
        c = await step.do("c")(note("c"))()
        b2 = await step.do("b")(note("b2-"))()
        return [a, b, c, b2]

    return run


@rule(SECTION, "restart from a step keeps what started before it, and runs it and all after it again")
@pytest.mark.parametrize(
    ("point", "output"),
    [
        ({"name": "a"}, ["a5", "b6", "c7", "b2-8"]),
        ({"name": "b"}, ["a1", "b5", "c6", "b2-7"]),
        ({"name": "b", "count": 1, "type": "do"}, ["a1", "b5", "c6", "b2-7"]),
        ({"name": "b", "count": 2}, ["a1", "b2", "c3", "b2-5"]),
        ({"name": "nap", "type": "sleep"}, ["a1", "b2", "c5", "b2-6"]),
    ],
    ids=str,
)
async def test_restart_from_a_step_keeps_what_came_before(lab, point, output):
    started = await lab.start(four_steps([]))
    await lab.clock.advance(10)
    assert await started.output() == ["a1", "b2", "c3", "b2-4"]

    await started.handle.restart({"from": point})
    assert await started.status() not in ("complete", "errored", "terminated")
    await lab.clock.advance(10)

    assert await started.output() == output
    assert len((await started.handle.status())["__LOCAL_DEV_STEP_OUTPUTS"]) == 4


@rule(SECTION, "restart from a wait waits again")
async def test_restart_from_a_wait_waits_again(lab):
    calls = []

    async def run(event, step):
        await step.do("a")(lambda: calls.append("a"))()
        return (await step.wait_for_event("w", "t"))["payload"]

    started = await lab.start(run)
    await started.handle.send_event({"type": "t", "payload": 1})
    assert await started.output() == 1
    await started.handle.restart({"from": {"name": "w", "type": "waitForEvent"}})
    await lab.settle()
    assert await started.status() == "waiting"
    await started.handle.send_event({"type": "t", "payload": 2})

    assert await started.output() == 2
    assert calls == ["a"]


@rule(
    SECTION,
    "What was asleep before the point that a paused instance is restarted from goes on where it was",
    same=False,
    why="documented so; miniflare 5.20261117.0-beta ends that sleep at once, which is the finding engine-hazard",
    seen=NEWEST,
)
async def test_restart_of_a_paused_instance_lets_kept_timers_go_on(lab):
    async def run(event, step):
        nap = step.sleep("nap", "1 hour")
        await step.do("again")(lambda: None)()
        await nap

    started = await lab.start(run)
    await lab.clock.advance("10 minutes")
    await started.handle.pause()
    await lab.clock.advance("1 day")
    await started.handle.restart({"from": {"name": "again"}})
    await lab.clock.advance("49 minutes")
    assert await started.status() == "waiting"
    await lab.clock.advance("1 minute")

    assert await started.status() == "complete"
    assert [finding.rule for finding in lab.engine.take_findings()] == ["engine-hazard"]


@rule(SECTION, "restart from a step that never ran is an error, and leaves the instance as it is")
@pytest.mark.parametrize(
    "point", [{"name": "nope"}, {"name": "a", "count": 2}, {"name": "nap"}, {"name": "a", "type": "sleep"}], ids=str
)
async def test_restart_from_an_unknown_step_is_an_error(lab, point):
    started = await lab.start(four_steps([]))
    await lab.clock.advance(10)
    before = await started.end()

    with pytest.raises(JsException) as caught:
        await started.handle.restart({"from": point})

    expected = f'WorkflowError: (instance.cannot_restart) Step "{point["name"]}" not found in execution history'
    assert caught.value.message == expected
    assert await started.end() == before


@rule(SECTION, "restart from a step of an instance that failed there runs it again")
async def test_restart_from_the_step_that_failed(lab):
    calls = []

    async def run(event, step):
        await step.do("a")(lambda: calls.append("a"))()

        @step.do("b", config={"retries": {"limit": 0, "delay": 0}})
        async def b():
            calls.append("b")
            if calls.count("b") == 1:
                raise ValueError("first time")
            return "ok"

        return await b()

    started = await lab.start(run)
    assert (await started.end())["status"] == "errored"
    await started.handle.restart({"from": {"name": "b"}})

    assert await started.output() == "ok"
    assert calls == ["a", "b", "b"]


@rule(SECTION, "restart from a step while another runs beside it")
@pytest.mark.parametrize("state", ["callback", "retrying"])
async def test_restart_from_a_step_in_flight(lab, scene):
    started = await scene.reach()
    await started.handle.restart({"from": {"name": "middle"}})
    await lab.settle()

    assert await scene.finish() == "complete"
    assert scene.calls.count("before") == 1
    assert scene.calls.count("middle") == {"callback": 2, "retrying": 3}[scene.state]


@rule(SECTION, "The callback of an execution that was restarted goes no further")
@states_at_work
async def test_a_callback_of_the_old_life_goes_no_further(lab, scene):
    started = await scene.reach()
    await started.handle.restart()
    await lab.settle()
    assert await scene.finish() == "complete"

    lives = 1
    assert scene.calls.count("through") == scene.calls.count("middle") - (2 if scene.state == "parallel" else 1) * lives


@rule(SECTION, "Restarting twice in a row runs once more")
async def test_restarting_twice_in_a_row(lab):
    lives = []

    async def run(event, step):
        lives.append(1)
        await step.sleep("nap", 10)
        return "end"

    started = await lab.start(run)
    await lab.settle()
    await started.handle.restart()
    await started.handle.restart()
    await lab.clock.advance(10)

    assert await started.output() == "end"
    assert len(started.kinds("SLEEP_COMPLETE")) == 1


# -- terminate -------------------------------------------------------------------------------------


@rule(SECTION, "terminate ends an instance at once, in every state; nothing of it runs on")
@every_state
async def test_terminate_ends_the_instance_at_once(lab, scene):
    started = await scene.reach()
    await started.handle.terminate()

    status = await started.handle.status()
    assert (status["status"], status["output"], status["error"]) == ("terminated", None, None)
    scene.open()
    await asyncio.sleep(0)
    await lab.clock.advance("3 hours")
    assert "after" not in scene.calls
    assert "through" not in scene.calls
    assert await started.status() == "terminated"
    assert started.instance.history[-1].kind == "WORKFLOW_TERMINATED"


@rule(SECTION, "terminate of a paused instance, or one about to pause, ends it")
@every_state
async def test_terminate_of_a_paused_instance_ends_it(lab, scene):
    started = await scene.reach()
    await started.handle.pause()
    await started.handle.terminate()
    scene.open()
    await lab.clock.advance("3 hours")

    assert await started.status() == "terminated"
    assert "after" not in scene.calls


@rule(SECTION, "terminate of an instance that has ended is an error")
@every_end
async def test_terminate_of_a_finished_instance_is_an_error(lab, final):
    started = await ended(lab, final)

    with pytest.raises(JsException) as caught:
        await started.handle.terminate()

    assert caught.value.message == CANNOT_TERMINATE
    assert await started.status() == final


@rule(SECTION, "terminate({'rollback': True}) is accepted, and has nothing to run")
@every_state
async def test_terminate_with_rollback_is_accepted(lab, scene):
    started = await scene.reach()
    await started.handle.terminate({"rollback": True})

    assert await started.status() == "terminated"


@rule(SECTION, "terminate right after create")
async def test_terminate_right_after_create(lab):
    calls = []

    async def run(event, step):
        calls.append(1)

    started = await lab.start(run)
    await started.handle.terminate()
    await lab.settle()

    assert await started.status() == "terminated"


@rule(SECTION, "A crash of an instance that has ended changes nothing")
@every_end
async def test_a_crash_leaves_a_finished_instance_alone(lab, final):
    started = await ended(lab, final)
    before = await started.end()

    await started.instance.crash()

    assert await started.end() == before


# -- delete ----------------------------------------------------------------------------------------


@rule(SECTION, "delete removes an instance in every state; nothing of it runs on, and its id is free")
@every_state
async def test_delete_removes_the_instance(lab, scene):
    started = await scene.reach()
    await started.handle.delete()
    scene.open()
    await asyncio.sleep(0)
    await lab.clock.advance("3 hours")

    assert "after" not in scene.calls
    assert lab.engine.instances == []
    with pytest.raises(JsException) as caught:
        await lab.binding.get("x")
    assert str(caught.value) == NOT_FOUND
    assert (await lab.binding.create({"id": "x"})).id == "x"


@rule(SECTION, "deleteBatch removes instances in every state")
@every_state
async def test_delete_batch_removes_the_instance(lab, scene):
    await scene.reach()

    answer = await lab.binding.deleteBatch(["x", "x"])

    assert answer == {"deleted": [{"id": "x"}, {"id": "x"}], "errors": []}
    assert lab.engine.instances == []


@rule(SECTION, "delete of a paused instance, or one about to pause, removes it")
@every_state
async def test_delete_of_a_paused_instance(lab, scene):
    started = await scene.reach()
    await started.handle.pause()
    await started.handle.delete()

    assert lab.engine.instances == []


@rule(SECTION, "delete removes an instance that has ended")
@every_end
async def test_delete_of_a_finished_instance(lab, final):
    started = await ended(lab, final)
    await started.handle.delete()

    assert lab.engine.instances == []


@rule(
    SECTION,
    "Every call on a deleted instance is the error instance.not_found; that of delete is longer since November 2026",
    seen=BOTH,
)
@pytest.mark.parametrize("call", ["status", "pause", "resume", "restart", "terminate", "delete", "send_event"])
async def test_calls_on_a_deleted_instance_are_errors(lab, call):
    started = await ended(lab, "complete")
    await started.handle.delete()

    with pytest.raises(JsException) as caught:
        await getattr(started.handle, call)(*([{"type": "t"}] if call == "send_event" else []))

    expected = "Error: WorkflowError: (instance.not_found) Instance does not exist" if call == "delete" else NOT_FOUND
    assert str(caught.value) == expected


@rule(SECTION, "An instance that is made again under a deleted one's id starts afresh")
async def test_a_deleted_id_starts_afresh(lab, bodies):
    calls = []

    async def run(event, step):
        await step.do("s")(lambda: calls.append(1))()
        return (await step.wait_for_event("w", "t", timeout="1 minute"))["payload"]

    started = await lab.start(run)
    await lab.settle()
    await started.handle.delete()
    handle = await lab.binding.create({"id": "x"})
    await lab.clock.advance("1 minute")

    assert calls == [1, 1]
    assert (await handle.status())["status"] == "errored"


# -- events on the way -----------------------------------------------------------------------------


@rule(SECTION, "An event to a paused instance is kept, and delivered after resume")
@pytest.mark.parametrize("state", ["waiting"])
async def test_an_event_to_a_paused_instance_is_delivered_after_resume(lab, scene):
    started = await scene.reach()
    await started.handle.pause()
    await started.handle.send_event({"type": "go"})
    await lab.settle()
    assert await started.status() == "paused"
    await started.handle.resume()
    await lab.settle()

    assert await started.status() == "complete"


@rule(
    SECTION,
    "Events to a paused instance are delivered once and in order",
    same=False,
    why="there more than ten change their order to 0, 1, 10, 11, 2, and one that was taken may come again",
    seen=NEWEST,
)
async def test_events_to_a_paused_instance_are_delivered_in_order(lab):
    async def run(event, step):
        return [(await step.wait_for_event(f"w{number}", "t"))["payload"] for number in range(3)]

    started = await lab.start(run)
    await lab.settle()
    await started.handle.send_event({"type": "t", "payload": 1})
    await started.handle.pause()
    for payload in (2, 3):
        await started.handle.send_event({"type": "t", "payload": payload})
    await started.handle.resume()

    assert await started.output() == [1, 2, 3]


@rule(SECTION, "An event to an instance that sleeps is kept for the wait that follows")
async def test_an_event_to_a_sleeping_instance_is_kept(lab):
    async def run(event, step):
        await step.sleep("nap", "1 hour")
        return (await step.wait_for_event("w", "t"))["payload"]

    started = await lab.start(run)
    await lab.clock.advance("30 minutes")
    await started.handle.send_event({"type": "t", "payload": "P"})
    assert await started.status() == "waiting"
    await lab.clock.advance("30 minutes")

    assert await started.output() == "P"


@rule(SECTION, "An event while a pause is pending reaches its wait after resume")
async def test_an_event_while_a_pause_is_pending(lab, gate):
    held = gate()

    async def run(event, step):
        results = await asyncio.gather(step.do("slow")(held)(), step.wait_for_event("w", "t"))
        return results[1]["payload"]

    started = await lab.start(run)
    await held.reached.wait()
    await lab.settle()
    await started.handle.pause()
    await started.handle.send_event({"type": "t", "payload": "P"})
    held.open()
    await started.instance.wait_for_status("paused")
    await started.handle.resume()

    assert await started.output() == "P"
    assert held.entered == 1


@rule(SECTION, "An event to an instance that was restarted reaches the new run")
@pytest.mark.parametrize("state", ["waiting"])
async def test_an_event_right_after_restart_reaches_the_new_life(lab, scene):
    started = await scene.reach()
    await started.handle.restart()
    await started.handle.send_event({"type": "go"})
    await lab.settle()

    assert await started.status() == "complete"


# -- crashes ---------------------------------------------------------------------------------------


@rule(SECTION, "A crash in any state is recovered from: completed steps do not run again")
@every_state
@pytest.mark.parametrize("times", [1, 3])
async def test_a_crash_in_any_state_is_recovered_from(lab, scene, times):
    started = await scene.reach()
    for _ in range(times):
        await started.instance.crash()
        await asyncio.sleep(0)
        await lab.settle()

    assert await scene.finish() == "complete"
    assert scene.lives == times + 1
    assert scene.calls.count("before") == 1
    assert scene.calls.count("after") == 1


@rule(SECTION, "A crash before run began loses nothing")
async def test_a_crash_right_after_create(lab):
    async def run(event, step):
        return await step.do("s")(lambda: "end")()

    started = await lab.start(run)
    await started.instance.crash()

    assert await started.output() == "end"
    assert len(started.kinds("WORKFLOW_START")) == 1


@rule(SECTION, "A crash runs no `except` or `finally` of the workflow")
@every_state
async def test_a_crash_runs_no_finally(lab, scene):
    cleanups = []
    inner = scene.run

    async def run(event, step):
        try:
            return await inner(event, step)
        finally:
            cleanups.append(1)

    scene.run = run
    started = await scene.reach()
    await started.instance.crash()
    await lab.settle()
    assert cleanups == []

    assert await scene.finish() == "complete"
    assert cleanups == [1]


@rule(SECTION, "Compensation in an except block goes on after a crash in its middle, each step of it once")
async def test_a_crash_in_the_middle_of_compensation(lab, gate):
    held, calls = gate(), []

    async def run(event, step):
        try:
            await step.do("pay")(lambda: calls.append("pay"))()

            @step.do("ship", config={"retries": {"limit": 0, "delay": 0}})
            async def ship():
                calls.append("ship")
                raise ValueError("no stock")

            await ship()
        except ValueError:
            await step.do("refund")(lambda: calls.append("refund"))()

            @step.do("tell")
            async def tell(ctx):
                if ctx.attempt == 1:
                    await held()
                calls.append("tell")

            await tell()
            return "refunded"

    started = await lab.start(run)
    await held.reached.wait()
    await started.instance.crash()
    await lab.settle()

    assert await started.output() == "refunded"
    assert calls == ["pay", "ship", "refund", "tell"]


@rule(SECTION, "A test may end while an instance is about to pause: it is stopped where it stands")
async def test_a_test_may_end_while_a_pause_is_pending(pytester):
    pytester.makeini("[pytest]\nasyncio_mode = auto")
    pytester.makepyfile(
        """
        import asyncio

        import pytest
        from workers import WorkflowEntrypoint

        REACHED = asyncio.Event()

        class Pausing(WorkflowEntrypoint):
            async def run(self, event, step):
                @step.do("slow")
                async def slow():
                    REACHED.set()
                    await asyncio.Event().wait()

                await asyncio.gather(slow(), step.sleep("nap", "1 hour"))

        @pytest.fixture
        def workflow_bindings():
            return {"PAUSING": Pausing}

        @pytest.mark.workflow(clock="manual")
        async def test_it_ends(workflow_env, workflow_clock):
            handle = await workflow_env.PAUSING.create({"id": "x"})
            await REACHED.wait()
            await workflow_clock.advance(0)
            await handle.pause()
        """
    )

    pytester.runpytest_subprocess(timeout=60).assert_outcomes(passed=1)
