"""Answers of what is served wait for the disk, be they errors."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import httpx
import pytest

import durable_engine
from durable_engine import EngineClosedError, EngineError, JsException, StoreError
from pytest_workflows.control_plane.asking import Asker
from pytest_workflows.control_plane.served import on_loop

from .conftest import BASE
from .serving import serving


@pytest.mark.parametrize(
    ("error", "is_stored"),
    [
        (None, True),
        (JsException("Error", "instance.already_exists"), True),
        (EngineError("the instance has ended"), True),
        (StoreError("the disk is full"), False),
        (EngineClosedError("closed"), False),
    ],
)
async def test_an_answer_waits_until_everything_is_on_disk_and_so_does_an_error_that_tells_of_it(
    error: Exception | None, is_stored: bool
) -> None:
    waits: list[str] = []

    async def stored() -> None:
        waits.append("stored")

    async def ask() -> str:
        if error is not None:
            raise error
        return "found"

    served: Any = SimpleNamespace(
        loop=asyncio.get_running_loop(), engine=SimpleNamespace(store=SimpleNamespace(stored=stored))
    )
    if error is None:
        assert await on_loop(served, ask) == "found"
    else:
        with pytest.raises(type(error)):
            await on_loop(served, ask)
    assert waits == ["stored"] * is_stored


# -- what is read, from another loop ----------------------------------------------------------------------------------


class Told:
    """A store that tells when it is asked to."""

    def __init__(self) -> None:
        self.waiting: list[Callable[[StoreError | None], None]] = []
        self.about: list[Any] = []

    def once_stored(self, tell: Callable[[StoreError | None], None], about: Any) -> None:
        self.waiting.append(tell)
        self.about.append(about)


@pytest.fixture
def asker() -> Iterator[Asker]:
    """Asks a loop that runs in another thread."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    yield Asker(SimpleNamespace(loop=loop, engine=SimpleNamespace(store=Told())))  # type: ignore[arg-type]  # a part
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    loop.close()


@pytest.mark.parametrize("problem", [None, StoreError("the disk is full")])
async def test_what_is_read_waits_for_the_disk_unless_that_is_full(asker: Asker, problem: StoreError | None) -> None:
    store: Any = asker.served.engine.store
    reading = asyncio.ensure_future(asker.read(threading.get_ident, lambda found: ("about", found)))  # type: ignore[arg-type, return-value]  # whatever the store takes
    while not store.waiting:
        await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert not reading.done()

    asker.served.loop.call_soon_threadsafe(store.waiting[0], problem)

    assert await reading != threading.get_ident()
    assert store.about == [("about", await reading)]


async def test_an_error_of_a_question_is_raised_where_it_was_asked_once_everything_is_on_disk(asker: Asker) -> None:
    store: Any = asker.served.engine.store
    reading = asyncio.ensure_future(asker.read(lambda: 1 // 0, lambda _: ("about", 0)))  # type: ignore[arg-type, return-value]  # whatever the store takes
    while not (store.waiting or reading.done()):
        await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert not reading.done()

    asker.served.loop.call_soon_threadsafe(store.waiting[0], None)

    with pytest.raises(ZeroDivisionError):
        await reading
    assert store.about == [None]


@pytest.mark.parametrize("question", [int, lambda: 1 // 0])
async def test_what_is_read_on_the_loop_itself_waits_for_the_disk_as_well(question: Callable[[], int]) -> None:
    waits: list[str] = []

    async def stored() -> None:
        waits.append("stored")
        raise StoreError("the disk is full")  # it shows what is in memory then

    engine = SimpleNamespace(store=SimpleNamespace(stored=stored))
    asker = Asker(SimpleNamespace(loop=asyncio.get_running_loop(), engine=engine))  # type: ignore[arg-type]  # a part
    if question is int:
        assert await asker.read(question) == 0
    else:
        with pytest.raises(ZeroDivisionError):
            await asker.read(question)
    assert waits == ["stored"]


def test_an_answer_to_somebody_whose_loop_is_over_is_nobodys(asker: Asker) -> None:
    store: Any = asker.served.engine.store

    async def ask() -> None:
        reading = asyncio.ensure_future(asker.read(int))
        while not store.waiting:
            await asyncio.sleep(0)
        reading.cancel()

    asyncio.run(ask())

    store.waiting[0](None)


def test_each_answer_says_what_it_tells_of(monkeypatch: pytest.MonkeyPatch) -> None:
    with serving() as served:
        engine = served.shop.engine
        for id in ("a", "b"):
            body = {"instance_id": id}
            httpx.post(f"{served.url}{BASE}/orders/instances", json=body, trust_env=False).raise_for_status()
        first, second = (instance.row.key for instance in engine.instances)
        asked: list[Any] = []
        original = engine.store.once_stored

        def once_stored(tell: Callable[[StoreError | None], None], about: Any = None) -> None:
            asked.append(about)
            original(tell, about)

        monkeypatch.setattr(engine.store, "once_stored", once_stored)

        def about(path: str) -> Any:
            httpx.get(f"{served.url}{path}", trust_env=False).raise_for_status()
            return asked[-1]

        assert about(f"{BASE}/orders/instances/a") == durable_engine.Shown((first,))
        assert about(f"{BASE}/orders/instances?per_page=1") == durable_engine.Shown([second], all_rows=True)
        assert about(BASE) is None
        about("/__workflows/api/overview")  # the first one looks, and waits for all that it has seen
        assert about("/__workflows/api/overview") == durable_engine.Shown()
