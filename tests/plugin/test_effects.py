"""What a workflow reaches through `env` behaves as the test's own object, and tells of its calls."""

import asyncio
import contextlib
import copy
import dataclasses
import inspect
import linecache
import pickle
import traceback
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable
from types import SimpleNamespace
from typing import Any
from unittest.mock import AsyncMock, MagicMock, Mock

import pytest

from durable_engine import Effect, Engine, Observer, encode
from pytest_workflows.bindings.recording_proxy import record, unproxied


class Observed(Observer):
    def __init__(self) -> None:
        self.effects: list[Effect] = []

    def effect(self, instance, effect):
        self.effects.append(effect)

    @property
    def calls(self) -> list[str]:
        return [f"{effect.service}.{effect.method}" for effect in self.effects]


@pytest.fixture
async def observed():
    return Observed()


@pytest.fixture
async def play(observed):
    """Runs a function as a workflow, with the given objects as its `env`, and gives what it returned or raised."""

    async def play(run: Callable[..., Any], **env: object) -> Any:
        outcome: list[Any] = []

        async def workflow(event, step):
            try:
                result = run(SimpleNamespace(**{name: record(value, name) for name, value in env.items()}), step)
                outcome.append(await result if inspect.isawaitable(result) else result)
            except Exception as error:
                outcome.append(error)

        async with Engine(now="2026-01-01T00:00:00Z") as engine:
            engine.observers.add(observed)
            await engine.bind("W", workflow).create()
            await engine.run_until_idle()
        [result] = outcome
        return result

    return play


class Queue:
    """A fake with methods of every kind."""

    limit = 3

    def __init__(self):
        self.sent = []
        self.settings = {"retries": 2}
        self.dead = SimpleNamespace(size=lambda: len(self.sent), name="dead letters")

    async def send(self, message, *, delay=0):
        self.sent.append((message, delay))
        return len(self.sent)

    def peek(self):
        return self.sent[0] if self.sent else None

    async def fail(self):
        raise LookupError("the queue is gone")

    def fail_at_once(self):
        raise LookupError("the queue is gone")

    @classmethod
    def make(cls):
        return cls()

    @staticmethod
    def version():
        return "1.0"

    async def pages(self):
        for number in range(3):
            await asyncio.sleep(0)
            yield [number]

    @contextlib.asynccontextmanager
    async def transaction(self):
        self.sent.append("begin")
        try:
            yield self
        finally:
            self.sent.append("end")

    def __len__(self):
        return len(self.sent)

    def __contains__(self, message):
        return message in self.sent

    def __getitem__(self, index):
        return self.sent[index]

    def __iter__(self):
        return iter(self.sent)

    def __bool__(self):
        return True

    def __eq__(self, other):
        return isinstance(other, Queue) and self.sent == other.sent

    def __hash__(self):
        return 7


# -- what is told ------------------------------------------------------------------------------------------------------


async def test_a_call_is_told_with_its_arguments_and_its_place(play, observed):
    queue = Queue()

    async def run(env, step):
        return await env.QUEUE.send("hello", delay=5)

    assert await play(run, QUEUE=queue) == 1
    [effect] = observed.effects
    assert (effect.service, effect.method, effect.args, dict(effect.kwargs)) == (
        "QUEUE",
        "send",
        ("hello",),
        {"delay": 5},
    )
    assert (effect.step, effect.attempt) == (None, None)
    assert effect.place[0] == __file__
    assert linecache.getline(*effect.place).strip() == 'return await env.QUEUE.send("hello", delay=5)'
    assert queue.sent == [("hello", 5)]


async def test_a_call_in_a_step_is_told_with_the_step_and_the_attempt(play, observed):
    queue = Queue()

    async def run(env, step):
        @step.do("send it", config={"retries": {"limit": 1, "delay": 1}})
        async def send(ctx):
            await env.QUEUE.send(ctx.attempt)
            if ctx.attempt == 1:
                raise RuntimeError("once more")

        await send()

    assert await play(run, QUEUE=queue) is None
    assert [(effect.step.label, effect.attempt) for effect in observed.effects] == [("send it-1", 1), ("send it-1", 2)]


async def test_reading_is_no_effect(play, observed):
    async def run(env, step):
        assert (env.QUEUE.limit, env.QUEUE.settings, env.QUEUE.dead.name) == (3, {"retries": 2}, "dead letters")
        assert (len(env.QUEUE), list(env.QUEUE), "x" in env.QUEUE, bool(env.QUEUE)) == (0, [], False, True)
        return env.QUEUE.send is not None

    assert await play(run, QUEUE=Queue()) is True
    assert observed.calls == []


async def test_plain_and_class_methods_and_objects_that_are_kept_in_attributes_are_told(play, observed):
    async def run(env, step):
        return [env.QUEUE.peek(), env.QUEUE.version(), isinstance(env.QUEUE.make(), Queue), env.QUEUE.dead.size()]

    assert await play(run, QUEUE=Queue()) == [None, "1.0", True, 0]
    assert observed.calls == ["QUEUE.peek", "QUEUE.version", "QUEUE.make", "QUEUE.dead.size"]


async def test_a_binding_that_is_a_function_is_told(play, observed):
    async def notify(text):
        return text.upper()

    async def run(env, step):
        return await env.NOTIFY("hello")

    assert await play(run, NOTIFY=notify) == "HELLO"
    assert observed.calls == ["NOTIFY.()"]


async def test_a_call_that_raises_is_told(play, observed):
    async def run(env, step):
        with pytest.raises(LookupError):
            env.QUEUE.fail_at_once()
        with pytest.raises(LookupError):
            await env.QUEUE.fail()

    assert await play(run, QUEUE=Queue()) is None
    assert observed.calls == ["QUEUE.fail_at_once", "QUEUE.fail"]


class Statement:
    def __init__(self, sql, values=()):
        self.sql, self.values = sql, values

    def bind(self, *values):
        return Statement(self.sql, values)

    async def first(self):
        return SimpleNamespace(sql=self.sql, values=self.values, text=self._text)

    async def _text(self):
        return "text"


class Database:
    def __init__(self):
        self.batches = []

    def prepare(self, sql):
        return Statement(sql)

    async def batch(self, statements):
        self.batches.append(statements)


async def test_a_chain_is_one_call_that_knows_its_beginning(play, observed):
    async def run(env, step):
        row = await env.DB.prepare("SELECT ?").bind(1).first()
        return [row.sql, row.values]

    assert await play(run, DB=Database()) == ["SELECT ?", (1,)]
    [effect] = observed.effects
    assert effect.method == "prepare(...).bind(...).first"
    assert (effect.origin.method, effect.origin.args) == ("prepare(...).bind", (1,))
    assert (effect.origin.origin.method, effect.origin.origin.args) == ("prepare", ("SELECT ?",))


async def test_what_an_awaited_result_gives_belongs_to_the_chain(play, observed):
    async def run(env, step):
        return await (await env.DB.prepare("x").first()).text()

    assert await play(run, DB=Database()) == "text"
    assert observed.calls == ["DB.prepare(...).first", "DB.prepare(...).first(...).text"]


async def test_what_a_fetched_record_computes_is_no_effect(play, observed):
    class Row:
        def keys(self):
            return ["a"]

    async def run(env, step):
        return (await env.FIND()).keys()

    assert await play(run, FIND=AsyncMock(return_value=Row())) == ["a"]
    assert observed.calls == ["FIND.()"]


async def test_an_object_that_a_call_gives_at_once_counts_unless_the_call_only_begins_a_chain(play, observed):
    bank = SimpleNamespace(charge=lambda amount: SimpleNamespace(id="ch_1"), table=lambda name: SimpleNamespace())

    async def run(env, step):
        assert env.BANK.table("charges")
        return env.BANK.charge(5).id

    assert await play(run, BANK=bank) == "ch_1"
    assert observed.calls == ["BANK.charge"]


async def test_what_a_fake_does_in_turn_is_its_own_doing(play, observed):
    queue, env_of_fake = Queue(), {}

    class Bank:
        def charge_at_once(self):
            return env_of_fake["QUEUE"].peek()

        async def charge(self):
            await asyncio.sleep(0)
            return await env_of_fake["QUEUE"].send("charged")

    async def run(env, step):
        env_of_fake["QUEUE"] = env.QUEUE
        env.BANK.charge_at_once()
        return await env.BANK.charge()

    assert await play(run, BANK=Bank(), QUEUE=queue) == 1
    assert observed.calls == ["BANK.charge_at_once", "BANK.charge"]


async def test_a_test_that_got_hold_of_a_proxy_tells_nothing(play, observed):
    kept = []

    async def run(env, step):
        kept.append(env.QUEUE)

    queue = Queue()
    await play(run, QUEUE=queue)

    assert await kept[0].send("from the test") == 1
    assert observed.calls == []


async def test_workflow_bindings_and_handles_are_told_by_their_own_doors(observed):
    async def other(event, step):
        await step.wait_for_event("wait", "go")

    async def workflow(event, step):
        [handle] = await others.create_batch([{"id": "a"}])
        await (await others.get("a")).send_event({"type": "go"})
        return (await handle.status())["status"]

    async with Engine(now="2026-01-01T00:00:00Z") as engine:
        engine.observers.add(observed)
        others = engine.bind("OTHERS", other)
        assert record(others, "OTHERS") is others
        await engine.bind("W", workflow).create()
        await engine.run_until_idle()

    assert observed.calls == ["OTHERS.create_batch", "OTHERS.get", "OTHERS.send_event", "OTHERS.status"]
    assert observed.effects[0].args == ([{"id": "a"}],)
    assert linecache.getline(*observed.effects[0].place).strip().startswith("[handle] = await others.create_batch(")


# -- what does not change ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "value", [None, True, 1, 1.5, "text", b"bytes", [1], {"a": 1}, {1}, (1, 2), ValueError("x"), int, asyncio]
)
def test_plain_values_are_handed_over_as_they_are(value):
    assert record(value, "X") is value


def test_a_proxy_passes_for_its_object():
    queue = Queue()
    proxy = record(queue, "QUEUE")

    assert isinstance(proxy, Queue)
    assert proxy.__class__ is Queue
    assert proxy == queue
    assert queue == proxy
    assert hash(proxy) == hash(queue)
    assert repr(proxy) == repr(queue)
    assert str(proxy) == str(queue)
    assert dir(proxy) == dir(queue)
    assert {queue: 1}[proxy] == 1
    assert proxy.dead is proxy.dead
    assert not callable(proxy)
    assert isinstance(proxy, Iterable)
    assert not isinstance(record(SimpleNamespace(), "X"), Iterable)
    assert not isinstance(record(SimpleNamespace(), "X"), Callable)
    assert callable(proxy.send)
    assert inspect.iscoroutinefunction(proxy.send)
    assert inspect.signature(proxy.send) == inspect.signature(queue.send)
    assert proxy.send.__name__ == "send"


def test_setting_and_deleting_reach_the_object():
    queue = Queue()
    proxy = record(queue, "QUEUE")

    proxy.colour = "red"
    proxy.other = proxy
    del proxy.settings

    assert queue.colour == "red"
    assert queue.other is queue
    assert not hasattr(queue, "settings")
    assert not hasattr(proxy, "settings")


def test_an_object_with_slots_stays_as_strict_as_it_is():
    class Point:
        __slots__ = ("x",)

    point = Point()
    proxy = record(point, "POINT")
    proxy.x = 1

    assert point.x == 1
    with pytest.raises(AttributeError, match="'Point' object has no attribute 'y'"):
        proxy.y = 1
    with pytest.raises(AttributeError, match="'Point' object has no attribute 'y'"):
        _ = proxy.y


def test_an_operator_that_the_object_lacks_fails_as_it_does_without_us():
    with pytest.raises(TypeError, match=r"object of type 'types.SimpleNamespace' has no len\(\)"):
        len(record(SimpleNamespace(), "X"))


@dataclasses.dataclass
class Address:
    street: str
    lines: list[str]


def test_copies_and_pickles_are_of_the_object():
    proxy = record(Address("Elm", ["a"]), "ADDRESS")

    assert type(copy.copy(proxy)) is Address
    assert type(copy.deepcopy(proxy)) is Address
    assert type(pickle.loads(pickle.dumps(proxy))) is Address
    assert dataclasses.asdict(proxy) == {"street": "Elm", "lines": ["a"]}
    assert dataclasses.replace(proxy, street="Oak") == Address("Oak", ["a"])


async def test_mocks_answer_and_keep_their_record(play, observed):
    ai, kv, db = AsyncMock(), Mock(), MagicMock()
    ai.run.return_value = {"score": 1}
    kv.get = AsyncMock(side_effect=[None, "value"])
    db.prepare.return_value.bind.return_value.first = AsyncMock(return_value={"id": 1})

    async def run(env, step):
        assert isinstance(env.AI, AsyncMock)
        return [
            await env.AI.run("model", {"text": "x"}),
            await env.KV.get("a"),
            await env.KV.get("a"),
            await env.DB.prepare("SELECT").bind(1).first(),
        ]

    assert await play(run, AI=ai, KV=kv, DB=db) == [{"score": 1}, None, "value", {"id": 1}]
    ai.run.assert_awaited_once_with("model", {"text": "x"})
    assert kv.get.await_count == 2
    db.prepare.assert_called_once_with("SELECT")
    db.prepare.return_value.bind.assert_called_once_with(1)
    assert observed.calls == ["AI.run", "KV.get", "KV.get", "DB.prepare(...).bind(...).first"]


async def test_async_generators_and_context_managers_work(play, observed):
    queue = Queue()

    async def run(env, step):
        pages = [page async for page in env.QUEUE.pages()]
        async with env.QUEUE.transaction() as transaction:
            await transaction.send("inside")
        async with contextlib.aclosing(env.QUEUE.pages()) as some:
            first = await anext(some)
        return [pages, first]

    assert await play(run, QUEUE=queue) == [[[0], [1], [2]], [0]]
    assert queue.sent == ["begin", ("inside", 0), "end"]
    assert observed.calls == ["QUEUE.pages", "QUEUE.transaction", "QUEUE.transaction(...).send", "QUEUE.pages"]


async def test_a_plain_context_manager_and_a_generator_work(play):
    class Lock:
        held = False

        def __enter__(self):
            self.held = True
            return self

        def __exit__(self, *error):
            self.held = False
            return True  # swallows what was raised

        def numbers(self):
            yield from (1, 2)

    async def run(env, step):
        with env.LOCK as lock:
            assert lock.held
            raise RuntimeError("swallowed")
        return [env.LOCK.held, list(env.LOCK.numbers())]

    assert await play(run, LOCK=Lock()) == [False, [1, 2]]


async def test_an_object_that_can_be_awaited_can_be_chained_first(play, observed):
    class Query:
        def __init__(self, *parts):
            self.parts = parts

        def where(self, part):
            return Query(*self.parts, part)

        def __await__(self):
            yield from asyncio.sleep(0).__await__()
            return list(self.parts)

    async def run(env, step):
        return await env.SELECT("a").where("b")

    assert await play(run, SELECT=Query) == ["a", "b"]  # a class is handed over as it is
    assert await play(run, SELECT=lambda part: Query(part)) == ["a", "b"]
    assert observed.calls == ["SELECT.()", "SELECT.(...).where"]


async def test_calls_can_run_as_tasks_and_be_gathered(play):
    async def run(env, step):
        assert isinstance(env.QUEUE.send, Callable)
        coroutine = env.QUEUE.send("a")
        assert isinstance(coroutine, Coroutine)
        assert inspect.iscoroutine(coroutine)
        task = asyncio.create_task(coroutine)
        return [await task, await asyncio.gather(env.QUEUE.send("b"), env.QUEUE.send("c"))]

    assert await play(run, QUEUE=Queue()) == [1, [2, 3]]


async def test_a_call_can_be_cancelled_and_timed_out(play):
    seen = []

    async def slow():
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            seen.append("cancelled")
            raise

    async def run(env, step):
        task = asyncio.create_task(env.SLOW())
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait([task])
        return task.cancelled()

    assert await play(run, SLOW=slow) is True
    assert seen == ["cancelled"]


async def test_a_step_can_return_what_a_call_gives_unawaited(play, observed):
    async def run(env, step):
        return await step.do("send")(lambda: env.QUEUE.send("x"))()

    assert await play(run, QUEUE=Queue()) == 1
    assert observed.calls == ["QUEUE.send"]


def test_a_call_that_nobody_awaits_is_complained_about_once():
    async def send():
        pass

    with pytest.warns(RuntimeWarning, match=r"'.*\.send' was never awaited") as warned:
        record(SimpleNamespace(send=send), "QUEUE").send()

    assert len(warned) == 1


async def test_fakes_get_objects_not_proxies(play):
    database, given = Database(), []

    async def run(env, step):
        statement = env.DB.prepare("INSERT")
        await env.DB.batch([statement, statement.bind(1)])
        env.KEEP({"statement": statement}, also=(env.DB,))
        env.KEEP(plain := ["nothing of ours"])
        return plain

    plain = await play(run, DB=database, KEEP=lambda *args, **kwargs: given.append((args, kwargs)))

    assert [type(statement) for statement in database.batches[0]] == [Statement, Statement]
    [(first, keywords), (second, _)] = given
    assert type(first[0]["statement"]) is Statement
    assert keywords["also"][0] is database
    assert second[0] is plain


@pytest.mark.parametrize("value", [SimpleNamespace(), Queue(), lambda: 1, Address("Elm", []), MagicMock()])
def test_the_boundary_refuses_a_proxy_as_it_refuses_the_object(value):
    proxy = record(value, "X")
    for bare, covered in [(value, proxy), ([value], [proxy]), ({"a": value}, {"a": proxy})]:
        assert refusal(covered) == refusal(bare)


def refusal(value: object) -> tuple[type, str]:
    try:
        encode(value)
    except Exception as error:
        return type(error), str(error)
    raise AssertionError(f"{value!r} crossed")


async def test_an_awaitable_at_the_boundary_is_named_as_the_one_that_it_is():
    async def send():
        pass

    with pytest.raises(TypeError, match="Awaitable <class 'coroutine'> cannot be sent over RPC"):
        encode([record(SimpleNamespace(send=send), "X").send()])


async def test_tracebacks_show_the_users_frames_alone(play):
    async def run(env, step):
        await env.QUEUE.fail()

    error = await play(run, QUEUE=Queue())

    shown = [frame.name for frame in traceback.extract_tb(error.__traceback__) if frame.filename == __file__]
    assert shown[-2:] == ["run", "fail"]


async def test_the_error_of_a_step_shows_no_frame_of_ours(observed):
    async def workflow(event, step):
        @step.do("send", config={"retries": {"limit": 0, "delay": 0}})
        async def send():
            await record(Queue(), "QUEUE").fail()

        await send()

    async with Engine(now="2026-01-01T00:00:00Z") as engine:
        handle = await engine.bind("W", workflow).create()
        await engine.run_until_idle()
        message = (await handle.status())["error"]["message"]

    assert "LookupError: the queue is gone" in message
    assert "in fail" in message
    assert "effects.py" not in message.replace("test_effects.py", "")


def test_uncover_copies_only_what_holds_a_proxy():
    proxy = record(SimpleNamespace(), "X")
    plain = {"a": [1, (2, 3)]}

    assert unproxied(plain) is plain
    assert unproxied({"a": [proxy]})["a"][0] is proxy.__wrapped__


# -- in a project ------------------------------------------------------------------------------------------------------

ENTRY = """
    import workers
    from workers import WorkflowEntrypoint

    seen = []


    class OrderWorkflow(WorkflowEntrypoint):
        async def run(self, event, step):
            seen.append((self.env.BANK, workers.env.BANK, self.env.STAGE, self.env.LIMITS))

            @step.do("charge")
            async def charge():
                assert self.env.BANK is self.env.BANK is workers.env.BANK
                return await self.env.BANK.charge(5)

            return await charge()
"""
TEST = """
    import entry
    import pytest
    import workers
    from pytest_workflows import introspect_workflow_instance


    class Bank:
        def __init__(self):
            self.seen = []

        async def charge(self, amount):
            self.seen.append(workers.env.BANK)
            return amount


    @pytest.fixture
    def bank():
        return Bank()


    LIMITS = {"most": 5}


    @pytest.fixture
    def workflow_bindings(bank):
        return {"BANK": bank, "LIMITS": LIMITS}


    async def test_it(workflow_env, bank):
        assert workflow_env.BANK is bank
        async with introspect_workflow_instance(workflow_env.ORDERS, "one") as instance:
            await workflow_env.ORDERS.create({"id": "one"})
            assert await instance.wait_for_step_result("charge") == 5
        [(mine, other, stage, limits), *replayed] = entry.seen
        assert mine is other and mine is not bank and mine == bank and isinstance(mine, Bank)
        assert type(stage) is str and limits is LIMITS
        assert bank.seen == [bank] and bank.seen[0] is bank
        assert workflow_env.BANK is bank is workers.env.BANK


    async def test_a_mocked_step_is_the_tests_own_code(workflow_env, bank):
        seen = []

        async def charge():
            seen.append(workflow_env.BANK)

        async with introspect_workflow_instance(workflow_env.ORDERS, "one") as instance:
            async with instance.modify() as m:
                m.mock_step("charge", charge)
            await workflow_env.ORDERS.create({"id": "one"})
            await instance.wait_for_status("complete")
        assert seen[0] is bank
"""


def test_the_test_keeps_its_own_objects(worker):
    worker.write("src/entry.py", ENTRY)

    worker.run(TEST).assert_outcomes(passed=2)


def test_a_replay_calls_nothing(worker):
    worker.write(
        "src/entry.py",
        """
        from workers import WorkflowEntrypoint, fetch

        class OrderWorkflow(WorkflowEntrypoint):
            async def run(self, event, step):
                try:
                    await self.env.BANK.charge("awaited")
                    self.env.BANK.note("at once")
                    await fetch("https://bank.example.com/")
                finally:
                    self.env.BANK.note("finally")
        """,
    )
    result = worker.run(
        """
        import pytest
        import respx

        class Bank:
            def __init__(self):
                self.calls = []

            async def charge(self, what):
                self.calls.append(what)

            def note(self, what):
                self.calls.append(what)

        bank = Bank()

        @pytest.fixture
        def workflow_bindings():
            return {"BANK": bank}

        @pytest.mark.workflow(ignore_rules=["effect-outside-step"])
        async def test_it(workflow_env, workflow_engine):
            with respx.mock:
                route = respx.get("https://bank.example.com/").respond()
                await workflow_env.ORDERS.create({"id": "one"})
                await workflow_engine.run_until_idle()
            assert route.call_count == 1

        def test_after_it():
            assert bank.calls == ["awaited", "at once", "finally"]
        """
    )

    result.assert_outcomes(passed=2)


def test_fetch_is_told_where_it_is_called(worker):
    worker.write(
        "src/entry.py",
        """
        import asyncio
        from workers import WorkflowEntrypoint, fetch, Request

        class OrderWorkflow(WorkflowEntrypoint):
            async def run(self, event, step):
                @step.do("ask")
                async def ask():
                    one, two = await asyncio.gather(
                        fetch("https://a.example.com/charges?x=1", method="post", body="{}"),
                        fetch(Request("https://b.example.com:8443")),
                    )
                    return [one.status, two.status]

                return await ask()
        """,
    )
    result = worker.run(
        """
        import pytest
        import respx
        from durable_engine import Observer

        class Heard(Observer):
            def __init__(self):
                self.effects = []

            def effect(self, instance, effect):
                self.effects.append((effect.service, effect.method, effect.place[1], effect.step.label))

        @pytest.mark.workflow(ignore_rules=["many-effects-in-one-step"])
        async def test_it(workflow_env, workflow_engine):
            heard = Heard()
            workflow_engine.observers.add(heard)
            with respx.mock:
                respx.post("https://a.example.com/charges").respond(201)
                respx.get("https://b.example.com:8443/").respond(204)
                handle = await workflow_env.ORDERS.create()
                await workflow_engine.run_until_idle()
                assert (await handle.status())["output"] == [201, 204]
            assert heard.effects == [
                ("a.example.com", "POST /charges", 9, "ask-1"),
                ("b.example.com:8443", "GET /", 10, "ask-1"),
            ]
        """
    )

    result.assert_outcomes(passed=1)


async def test_async_iterators_are_still_what_they_are(play):
    async def run(env, step):
        return isinstance(env.QUEUE.pages(), AsyncIterator)

    assert await play(run, QUEUE=Queue()) is True


def test_under_crash_exploration_the_finding_names_the_point(worker):
    worker.write(
        "src/entry.py",
        """
        import json
        from workers import WorkflowEntrypoint, fetch

        class OrderWorkflow(WorkflowEntrypoint):
            async def run(self, event, step):
                @step.do("charge")
                async def charge():
                    await fetch("https://pay.example.com/charges", method="POST", body=json.dumps({"amount": 5}))

                await charge()
        """,
    )
    result = worker.run(
        """
        import respx

        async def test_it(workflow_env, workflow_engine):
            with respx.mock:
                respx.post("https://pay.example.com/charges").respond()
                handle = await workflow_env.ORDERS.create({"id": "one"})
                await workflow_engine.run_until_idle()
                assert (await handle.status())["status"] == "complete"
        """,
        "--workflows-crash",
        "--workflows-strict",
    )

    assert result.ret == 1
    result.stdout.fnmatch_lines(
        [
            '*_ test_it[[]crash: lost result of "charge"] _*',
            "E *[[]not-idempotent] *entry.py:8: the result of attempt 1 of step 'charge-1', which called POST "
            "pay.example.com/charges, was lost, and attempt 2 calls it again. In production: *",
        ]
    )
