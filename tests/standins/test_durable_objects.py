"""Durable Objects: ids, stubs, RPC, and what ends an object."""

import asyncio

import pytest
from object_host import ObjectHost

from durable_engine import JsException
from pytest_workflows.javascript.objects import js_error, noted
from pytest_workflows.standins.durable_ids import Ids
from pytest_workflows.workers.context import wait_until
from pytest_workflows.workers.entrypoints import DurableObject


class Counter(DurableObject):
    def __init__(self, ctx, env):
        super().__init__(ctx, env)
        self.calls = 0

    async def add(self, amount=1):
        value = (await self.ctx.storage.get("value") or 0) + amount
        await self.ctx.storage.put("value", value)
        return value

    async def add_slowly(self):
        value = await self.ctx.storage.get("value") or 0
        await asyncio.sleep(0)
        await self.ctx.storage.put("value", value + 1)
        return value + 1

    async def value(self):
        return await self.ctx.storage.get("value")

    async def count(self):
        self.calls += 1
        return self.calls

    async def echo(self, value):
        return value

    async def fail(self):
        raise ValueError("no")

    async def fail_with_a_note(self):
        raise noted(js_error("Error", "no"), "a note of ours")

    async def call(self, function, argument):
        return await function(argument)

    async def keep(self, function):
        self.function = function

    async def use_kept(self):
        return await self.function(1)

    async def add_and_abort(self):
        await self.add()
        self.ctx.abort("enough")

    async def add_sync_and_abort(self):
        await self.add()
        await self.ctx.storage.sync()
        self.ctx.abort()

    async def wait_and_fail_in_section(self):
        async def section():
            await self.ctx.storage.put("value", -1)
            raise ValueError("in section")

        try:
            await self.ctx.blockConcurrencyWhile(section)
        except JsException:
            return "caught"


@pytest.fixture
def namespace(objects):
    return objects.namespace(Counter)


def test_the_id_of_a_name_is_the_local_runtimes_own():
    id = Ids("w", "Counter").of_name("ctx")

    assert id.toString().startswith("5244c9f061f6aa33d8c6d98543749fa10a6723ec7")


def test_an_id_of_another_namespace_is_refused(namespace):
    other = Ids("worker", "Other").of_name("a").toString()

    with pytest.raises(JsException, match=r"TypeError: Durable Object ID is not valid for this namespace\."):
        namespace.idFromString(other)


def test_an_id_from_a_text_has_no_name_and_is_the_same_object(namespace):
    id = namespace.idFromName("a")
    again = namespace.idFromString(id.toString().upper())

    assert (again.equals(id), again == id, again.name, id.name) == (True, False, None, "a")


async def test_stubs_of_one_name_are_one_object(namespace):
    await namespace.getByName("a").count()

    assert await namespace.get(namespace.idFromName("a")).count() == 2
    assert await namespace.getByName("b").count() == 1


async def test_calls_that_only_await_storage_lose_no_update(namespace):
    stub = namespace.getByName("a")

    assert await asyncio.gather(*[stub.add() for _ in range(10)]) == list(range(1, 11))


async def test_calls_that_await_anything_else_lose_updates(namespace):
    stub = namespace.getByName("a")

    assert await asyncio.gather(stub.add_slowly(), stub.add_slowly()) == [1, 1]


async def test_a_call_that_nobody_awaits_is_made(namespace):
    stub = namespace.getByName("a")

    stub.add().close()

    assert await stub.value() == 1


async def test_an_exception_is_a_python_error_with_the_traceback(namespace):
    with pytest.raises(JsException) as caught:
        await namespace.getByName("a").fail()

    error = caught.value
    assert (error.name, error.type, error.remote) == ("PythonError", "ValueError", True)
    assert error.message.startswith("Traceback (most recent call last):\n")
    assert error.message.splitlines()[1].endswith(" in wrapper_func")
    assert error.message.endswith("ValueError: no\n")


async def test_a_note_of_ours_is_no_part_of_what_a_caller_gets(namespace):
    with pytest.raises(JsException) as caught:
        await namespace.getByName("a").fail_with_a_note()

    assert caught.value.message.endswith("JsException: Error: no\n")


async def test_before_april_2026_an_error_loses_its_name():
    objects = ObjectHost(flags={"enhanced_error_serialization": False})

    with pytest.raises(JsException) as caught:
        await objects.namespace(Counter).getByName("a").fail()

    assert caught.value.name == "Error"
    assert caught.value.message.startswith("PythonError: Traceback")
    assert not hasattr(caught.value, "durableObjectId")


async def test_a_method_that_is_missing_is_a_type_error(namespace):
    with pytest.raises(JsException, match="TypeError: Method nope does not exist"):
        await namespace.getByName("a").nope()


@pytest.mark.parametrize("name", ["alarm", "webSocketMessage", "dup"])
async def test_handlers_are_no_methods(namespace, name):
    with pytest.raises(JsException, match=f"'{name}' is a reserved method and cannot be called over RPC"):
        await getattr(namespace.getByName("a"), name)()


async def test_a_function_crosses_as_a_stub_of_it(namespace):
    assert await namespace.getByName("a").call(lambda x: x + 1, 2) == 3


async def test_a_function_is_disposed_when_the_call_that_it_was_given_to_is_over(namespace):
    stub = namespace.getByName("a")
    await stub.keep(lambda x: x)

    with pytest.raises(JsException, match="RPC stub used after being disposed"):
        await stub.use_kept()


async def test_a_value_that_crosses_is_a_copy(namespace):
    given = {"items": [1, {"two": 2}]}

    back = await namespace.getByName("a").echo(given)

    assert back == given
    assert back["items"] is not given["items"]


async def test_what_no_receiver_can_be_is_a_data_clone_error(namespace):
    with pytest.raises(JsException, match=r"^DataCloneError: Proxy could not be serialized"):
        await namespace.getByName("a").echo(1j)


async def test_an_abort_loses_the_writes_of_its_call_and_is_a_finding(objects, namespace):
    stub = namespace.getByName("a")
    await stub.add(5)

    with pytest.raises(JsException, match="Error: enough"):
        await stub.add_and_abort()

    assert await stub.value() == 5
    [(rule, problem)] = objects.warnings
    assert rule == "lost-write"
    assert "is lost, although it awaited the write" in problem


async def test_an_abort_after_sync_loses_nothing(objects, namespace):
    stub = namespace.getByName("a")

    with pytest.raises(JsException, match=r"Application called abort\(\) to reset Durable Object\."):
        await stub.add_sync_and_abort()

    assert await stub.value() == 1
    assert objects.warnings == []


async def test_an_object_that_was_aborted_is_made_anew(namespace):
    stub = namespace.getByName("a")
    await stub.count()
    with pytest.raises(JsException):
        await stub.add_and_abort()

    assert await stub.count() == 1


async def test_what_raises_in_a_section_ends_the_object_even_if_it_is_caught(namespace):
    stub = namespace.getByName("a")
    await stub.add(3)
    await stub.count()

    with pytest.raises(JsException, match="PythonError"):
        await stub.wait_and_fail_in_section()

    assert await stub.value() == 3
    assert await stub.count() == 1


async def test_what_a_constructor_raises_is_a_python_error_and_the_next_call_makes_the_object_anew(objects):
    made = []

    class Fragile(DurableObject):
        def __init__(self, ctx, env):
            super().__init__(ctx, env)
            made.append(self)
            if len(made) == 1:
                raise ValueError("not yet")

        async def ping(self):
            return "pong"

    stub = objects.namespace(Fragile).getByName("a")

    with pytest.raises(JsException, match="PythonError") as caught:
        await stub.ping()
    assert caught.value.type == "ValueError"
    assert await stub.ping() == "pong"


async def test_calls_wait_for_the_section_that_a_constructor_opens(objects):
    class Prepared(DurableObject):
        def __init__(self, ctx, env):
            super().__init__(ctx, env)
            self.ready = False
            self.ctx.blockConcurrencyWhile(self.prepare)

        async def prepare(self):
            for _ in range(3):
                await asyncio.sleep(0)
            self.ready = True

        async def is_ready(self):
            return self.ready

    stub = objects.namespace(Prepared).getByName("a")

    assert await asyncio.gather(stub.is_ready(), stub.is_ready()) == [True, True]


async def test_a_section_of_a_constructor_that_fails_ends_the_object(objects):
    made = []

    class Fragile(DurableObject):
        def __init__(self, ctx, env):
            super().__init__(ctx, env)
            made.append(self)
            self.ctx.blockConcurrencyWhile(self.prepare)

        async def prepare(self):
            if len(made) == 1:
                raise ValueError("not yet")

        async def ping(self):
            return "pong"

    stub = objects.namespace(Fragile).getByName("a")

    with pytest.raises(JsException, match="not yet"):
        await stub.ping()
    assert await stub.ping() == "pong"


async def test_a_section_that_takes_half_a_minute_ends_the_object(objects):
    class Stuck(DurableObject):
        async def wait(self):
            await self.ctx.blockConcurrencyWhile(asyncio.Event().wait)

        async def ping(self):
            return "pong"

    stub = objects.namespace(Stuck).getByName("a")
    call = asyncio.ensure_future(stub.wait())
    for seconds, is_over in ((0, False), (29.999, False), (0.001, True)):
        await objects.advance(seconds)
        for _ in range(5):
            await asyncio.sleep(0)
        assert call.done() is is_over

    with pytest.raises(JsException, match="waited for too long"):
        await call
    assert await stub.ping() == "pong"


async def test_what_is_left_behind_and_fails_is_in_the_log_as_for_any_handler(objects, caplog):
    class Careless(DurableObject):
        async def leave(self):
            wait_until(self.later())

        async def later(self):
            await asyncio.sleep(0)
            raise ValueError("no")

    await objects.namespace(Careless).getByName("a").leave()
    for _ in range(5):
        await asyncio.sleep(0)

    assert caplog.messages == ["What method leave of Durable Object a of Careless gave to waitUntil raised ValueError"]
