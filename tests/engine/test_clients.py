"""Clients of the Worker in other threads and processes: virtual time stands still for what they ask and may ask."""

import asyncio
import datetime
import hashlib
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from durable_engine import Clients, Engine, NeverHappensError, WaitTimeoutError, call_bounded, run_untimed
from durable_engine.time.world import World

START = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)


@pytest.fixture
async def engine():
    async with Engine(now=START, timeout=2) as engine:
        yield engine


async def asleep(event, step):
    await step.sleep("s", "3 days")


async def approved(event, step):
    return (await step.wait_for_event("w", "approval", timeout="1 day"))["payload"]


async def ended(engine, timeout=None):
    """A wait for the end of the instance x."""
    found = engine.find(engine.bindings["W"].workflow, "x")
    await engine.wait(lambda: found.finished, lambda: "Waiting for its end.", about=("W", "x"), timeout=timeout)
    return found.status


class Outside:
    """So many clients, of which one is starting for so long, and at work for so long: `starts` and `works` looks."""

    def __init__(self, clients=0, *, starts=0, works=0):
        self._clients, self._starts, self._works, self._worked = clients, starts, works, 0

    def processor_time(self):
        if self._works > 0:
            self._works -= 1
            self._worked += 0.01
        return self._worked

    def count(self):
        return self._clients

    def is_starting(self):
        self._starts -= 1
        return self._starts >= 0


class Sender:
    """A thread that does something on the loop, after a moment in which timers could fire."""

    def __init__(self):
        self._asked = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self):
        self._asked.wait()
        threading.Event().wait(0.1)
        self._loop.call_soon_threadsafe(self._action)

    def ask(self, action):
        self._action, self._loop = action, asyncio.get_running_loop()
        self._asked.set()

    def approve(self, handle):
        self.ask(lambda: asyncio.ensure_future(handle.send_event({"type": "approval", "payload": "yes"})))

    async def joined(self):
        await asyncio.to_thread(self._thread.join)


@pytest.fixture
def sender():
    """A thread that is older than the engine: nothing but the count of clients tells that it may act."""
    return Sender()


# -- what is under way ------------------------------------------------------------------------------------------------


async def test_time_stands_still_while_a_request_is_under_way(engine):
    engine.clients.asking.add("request")
    await engine.bind("W", asleep).create({"id": "x"})

    with pytest.raises(WaitTimeoutError):
        await ended(engine, timeout=0.1)
    assert engine.clock.now == START

    engine.clients.asking.clear()
    assert await ended(engine) == "complete"


async def test_a_timer_of_the_workers_code_waits_for_a_body_that_is_on_its_way(sender, engine):
    body = asyncio.Event()
    seen = []

    async def handler():
        limit = asyncio.create_task(asyncio.sleep(60))
        arrived = asyncio.create_task(body.wait())
        await asyncio.wait([limit, arrived], return_when=asyncio.FIRST_COMPLETED)
        seen.append("body" if arrived.done() else "limit")
        limit.cancel()
        arrived.cancel()

    engine.clients.arriving.add("request")
    sender.ask(body.set)
    await call_bounded(engine, "The fetch handler", handler)

    assert seen == ["body"]
    assert engine.clock.now == START
    await sender.joined()


# -- what may come ----------------------------------------------------------------------------------------------------


async def test_a_client_outside_gets_the_time_to_ask_before_a_timer_fires(sender, engine):
    engine.clients.outside = Outside(1)
    handle = await engine.bind("W", approved).create({"id": "x"})
    sender.approve(handle)

    assert await ended(engine) == "complete"
    assert engine.clock.now == START
    await sender.joined()


async def test_a_thread_of_the_test_is_a_client_where_the_worker_is_served(engine):
    engine.clients.outside = Outside()
    handle = await engine.bind("W", approved).create({"id": "x"})
    late = Sender()
    late.approve(handle)

    assert await ended(engine) == "complete"
    await late.joined()


async def test_a_thread_that_runs_what_we_call_for_the_test_is_one_too(engine):
    engine.clients.outside = Outside()
    handle = await engine.bind("W", approved).create({"id": "x"})
    loop = asyncio.get_running_loop()

    def work():
        threading.Event().wait(0.1)
        asyncio.run_coroutine_threadsafe(handle.send_event({"type": "approval", "payload": 1}), loop).result()

    thread = asyncio.create_task(asyncio.to_thread(run_untimed, work))

    assert await ended(engine) == "complete"
    await thread


async def test_a_client_that_never_asks_stops_no_time(engine, monkeypatch):
    monkeypatch.setattr("durable_engine.time.patience.SOON_MS", 100)
    engine.clients.outside = Outside(1)
    await engine.bind("W", asleep).create({"id": "x"})

    assert await ended(engine) == "complete"


async def test_one_that_is_starting_has_more_time(sender, engine, monkeypatch):
    monkeypatch.setattr("durable_engine.time.patience.SOON_MS", 1)
    engine.clients.outside = Outside(1, starts=50)  # of 20 ms, or until something happens
    handle = await engine.bind("W", approved).create({"id": "x"})
    sender.approve(handle)

    assert await ended(engine) == "complete"
    await sender.joined()


async def test_one_that_is_at_work_has_more_time(sender, engine, monkeypatch):
    monkeypatch.setattr("durable_engine.time.patience.SOON_MS", 20)
    engine.clients.outside = Outside(1, works=100)
    handle = await engine.bind("W", approved).create({"id": "x"})
    sender.approve(handle)  # in 0.1 seconds

    assert await ended(engine) == "complete"
    assert engine.clock.now == START
    await sender.joined()


async def test_a_thread_of_the_test_that_computes_is_at_work(engine, monkeypatch):
    monkeypatch.setattr("durable_engine.time.patience.SOON_MS", 600)
    engine.clients.outside = Outside()
    handle = await engine.bind("W", approved).create({"id": "x"})
    loop = asyncio.get_running_loop()

    def work():
        began = time.thread_time()
        while time.thread_time() - began < 0.9:
            hashlib.sha256(bytes(1 << 20)).digest()
        asyncio.run_coroutine_threadsafe(handle.send_event({"type": "approval", "payload": 1}), loop).result()

    thread = asyncio.create_task(asyncio.to_thread(run_untimed, work))

    assert await ended(engine, timeout=30) == "complete"
    await thread


async def test_work_that_waits_for_an_idle_thread_of_a_pool_is_at_work(engine):
    world = World(engine, set)

    with ThreadPoolExecutor(1) as pool:
        pool.submit(int).result()
        while world.threads:  # the pool's one thread is on its way to its next wait
            await asyncio.sleep(0)

        interval = sys.getswitchinterval()
        sys.setswitchinterval(60)  # so that the thread does not wake before it is looked at
        try:
            pool.submit(int)
            assert world.threads == 1
        finally:
            sys.setswitchinterval(interval)


async def test_a_client_that_is_at_work_for_ever_stops_no_time(engine, monkeypatch):
    monkeypatch.setattr("durable_engine.time.patience.SOON_MS", 20)
    monkeypatch.setattr("durable_engine.time.patience.MOST_WORK", 0.1)
    engine.clients.outside = Outside(1, works=1_000_000)
    await engine.bind("W", asleep).create({"id": "x"})

    assert await ended(engine) == "complete"


async def test_a_client_that_waits_for_its_answer_is_not_about_to_ask(engine, monkeypatch):
    monkeypatch.setattr("durable_engine.time.patience.SOON_MS", 60_000)
    engine.clients.outside = Outside(1)
    engine.clients.answered.add("request")
    await engine.bind("W", asleep).create({"id": "x"})

    assert await ended(engine) == "complete"  # at once, and not in a minute


async def test_a_wait_for_an_event_gives_clients_that_ask_their_time_again(sender, engine, monkeypatch):
    monkeypatch.setattr("durable_engine.time.patience.SOON_MS", 300)
    engine.clients.outside = Outside(1)

    async def workflow(event, step):
        engine.clients.wait_began()  # nobody has asked for anything yet
        await step.sleep("s", "1 hour")  # which uses up the time that clients have
        engine.clients.has_asked = True
        engine.clients.wait_began()
        sender.approve(await engine.bindings["W"].get("x"))
        return (await step.wait_for_event("w", "approval", timeout="1 day"))["payload"]

    await engine.bind("W", workflow).create({"id": "x"})

    assert await ended(engine) == "complete"
    assert engine.clock.now == START + datetime.timedelta(hours=1)
    await sender.joined()


async def test_an_instance_that_acts_gives_clients_no_further_time(engine, monkeypatch):
    monkeypatch.setattr("durable_engine.time.patience.SOON_MS", 300)
    engine.clients.outside = Outside(1)
    other = engine.bind("OTHER", asleep)

    async def parent(event, step):
        for number in range(20):

            @step.do(f"start {number}")
            async def start():
                await other.create()

            await start()
            await step.sleep(f"s {number}", "1 hour")

    await engine.bind("W", parent).create({"id": "x"})

    assert await ended(engine) == "complete"  # within 2 seconds: not 20 times 0.3


async def test_where_the_worker_is_served_nothing_is_said_never_to_happen_before_the_waits_own_time(engine):
    await engine.bind("W", approved).create({"id": "x"})
    never = engine.wait(lambda: False, lambda: "Waiting.", about=("W", "x"), timeout=0.1)
    engine.clients.outside = Outside()

    with pytest.raises(WaitTimeoutError) as caught:
        await never

    assert not isinstance(caught.value, NeverHappensError)


# -- the record of them -----------------------------------------------------------------------------------------------


def test_a_closed_record_holds_nothing():
    clients = Clients()
    clients.outside = Outside(3)
    for requests in (clients.asking, clients.answered, clients.arriving):
        requests.add("request")
    assert clients.are_served

    clients.close()

    assert not clients.are_served
    assert [*clients.asking, *clients.answered, *clients.arriving] == []
