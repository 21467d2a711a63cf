"""Durable Objects that outlive their process, and ends that nobody's call waits for: a write, an alarm that fail."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from kept_folders import KeptFolder
from test_kept_objects import DUE, Counted, namespace_of

from durable_engine import JsException
from pytest_workflows.standins.keeping import objects as kept_objects


class Family(Counted):
    """An object whose tables refer to each other, which is looked at when a transaction ends."""

    async def make_tables(self) -> None:
        self.ctx.storage.sql.exec(
            "CREATE TABLE p(id INTEGER PRIMARY KEY);CREATE TABLE c(p REFERENCES p(id) DEFERRABLE INITIALLY DEFERRED)"
        )

    async def write_an_orphan(self, waits: bool) -> str:
        await self.ctx.storage.put("paid", "yes")
        self.ctx.storage.sql.exec("INSERT INTO c VALUES (7)")
        if waits:
            await asyncio.sleep(0)
        return "stored"

    async def write_an_orphan_and_sync(self) -> str:
        self.ctx.storage.sql.exec("INSERT INTO c VALUES (7)")
        await self.ctx.storage.sync()
        return "stored"

    async def write_an_orphan_in_a_transaction(self) -> str:
        async def work(transaction: Any) -> None:
            await transaction.put("paid", "yes")
            self.ctx.storage.sql.exec("INSERT INTO c VALUES (7)")

        await self.ctx.storage.transaction(work)
        return "stored"


ORPHANS = {
    "at the end of a turn": lambda a: a.write_an_orphan(True),
    "at the end of the call": lambda a: a.write_an_orphan(False),
    "when it is told to": lambda a: a.write_an_orphan_and_sync(),
    "in a transaction": lambda a: a.write_an_orphan_in_a_transaction(),
}


@pytest.mark.parametrize("when", ORPHANS)
async def test_a_constraint_that_does_not_hold_at_the_end_fails_the_call_that_wrote(
    folder: KeptFolder, when: str
) -> None:
    _, first = namespace_of(folder, Family)
    a = first.getByName("a")
    await a.make_tables()

    with pytest.raises(JsException, match="FOREIGN KEY constraint failed"):
        await ORPHANS[when](a)

    assert await a.get("paid") is None
    await a.put("later", 1)
    other = namespace_of(folder, Family)[1].getByName("a")
    assert (await other.get("later"), await other.get("paid")) == (1, None)


async def test_a_write_that_fails_for_any_reason_fails_its_call(
    folder: KeptFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, first = namespace_of(folder)
    a = first.getByName("a")
    await a.put("a", "before")

    def broken(value: Any) -> bytes:
        raise RecursionError("nested too deeply")

    monkeypatch.setattr(kept_objects, "encode", broken)
    with pytest.raises(JsException, match="nested too deeply"):
        await a.write_and_wait(asyncio.Event().wait)
    monkeypatch.undo()

    assert await a.get("a") == "before"
    await a.put("a", "after")
    assert await namespace_of(folder)[1].getByName("a").get("a") == "after"


async def test_an_alarm_whose_object_cannot_be_made_is_tried_again(
    folder: KeptFolder, caplog: pytest.LogCaptureFixture
) -> None:
    class Unmade(Counted):
        def __init__(self, state: Any, env: Any) -> None:
            super().__init__(state, env)
            if failing:
                raise failing.pop()

    failing: list[BaseException] = []
    _, first = namespace_of(folder, Unmade)
    await first.getByName("a").set_alarm(DUE)
    failing += [KeyError("CONFIG"), JsException("no"), KeyError("CONFIG")]

    host, second = namespace_of(folder, Unmade)
    await host.advance(60)
    assert [timer.due for timer in host.timers if not timer.is_cancelled] == [DUE + 2000]
    await host.advance(20)

    assert await second.getByName("a").get("rings") == 1
    assert caplog.text.count("CONFIG") >= 2


async def test_a_test_that_is_interrupted_in_an_alarm_ends_all_the_same(folder: KeptFolder) -> None:
    class Interrupted(Counted):
        def __init__(self, state: Any, env: Any) -> None:
            super().__init__(state, env)
            if state.storage.kv.get("key"):
                raise KeyboardInterrupt

    _, first = namespace_of(folder, Interrupted)
    await first.getByName("a").set_alarm(DUE)
    await first.getByName("a").put("key", 1)

    host, _ = namespace_of(folder, Interrupted)
    with pytest.raises(KeyboardInterrupt):
        await host.advance(60)


class Late(Counted):
    """An object that writes when it is told that it has ended."""

    async def late(self, how: str) -> None:
        async def work(transaction: Any) -> None:
            await transaction.put("late", 1)
            if how == "in an open transaction":
                await asyncio.Event().wait()

        try:
            if how == "in an open transaction":
                await self.ctx.storage.transaction(work)
            await asyncio.Event().wait()
        finally:
            if how == "in a transaction":
                await self.ctx.storage.transaction(work)
            elif how == "in SQL":
                self.ctx.storage.sql.exec("CREATE TABLE late(x)")
            else:
                await self.ctx.storage.put("late", 1)


@pytest.mark.parametrize("how", ["by a key", "in SQL", "in a transaction", "in an open transaction"])
async def test_an_object_that_has_ended_writes_nothing_into_the_one_that_is_made_anew(
    folder: KeptFolder, how: str
) -> None:
    host, first = namespace_of(folder, Late)
    a = first.getByName("a")
    await a.put("key", 1)
    call = asyncio.ensure_future(a.late(how))
    for _ in range(10):
        await asyncio.sleep(0)
    (listed,) = host.stores.listing()
    again = asyncio.ensure_future(a.put("meanwhile", 1))

    listed.store.reset(RuntimeError("reloaded"))

    with pytest.raises(JsException, match="reloaded"):
        await call
    await again
    await a.put("acknowledged", 1)
    for namespace in (first, namespace_of(folder, Late)[1]):
        found = [await namespace.getByName("a").get(key) for key in ("key", "meanwhile", "acknowledged", "late")]
        assert found == [1, 1, 1, None]
