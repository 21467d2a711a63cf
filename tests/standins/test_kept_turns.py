"""Durable Objects that outlive their process, in real time: it passes while code runs, and what is kept is whole turns."""

from __future__ import annotations

import contextlib
import inspect
from typing import Any, ClassVar

import pytest
from kept_folders import KeptFolder
from object_host import ObjectHost
from test_kept_objects import DUE, Counted, namespace_of

from durable_engine import JsException


class Ticking(ObjectHost):
    """A host whose time is real: it passes while code runs."""

    def now_ms(self) -> int:
        self.now += 1
        return self.now


def ticking(folder: KeptFolder, made: type) -> tuple[ObjectHost, Any]:
    """The host and the namespace of the class, in another process whose time is real."""
    host = folder.begin(Ticking)
    return host, host.namespace(made)


def on_disk(folder: KeptFolder, made: type) -> Any:
    """What another process finds that begins now: the contents, without the alarms."""
    host, _ = namespace_of(folder, made)
    (listed,) = host.stores.listing()
    contents = dict(listed.store.contents())
    del contents["(alarms)"]
    return contents


class Hasty(Counted):
    """An object that writes much without waiting for anything."""

    middle: ClassVar[list[Any]]
    look: ClassVar[Any]

    def undone(self) -> None:
        def work() -> None:
            for number in range(3):
                self.ctx.storage.kv.put(f"in{number}", 1)
                self.ctx.storage.sql.exec("INSERT INTO t VALUES (?)", number)
            raise ValueError("no")

        with contextlib.suppress(ValueError):
            self.ctx.storage.transactionSync(work)

    def done_and_undone(self) -> None:
        def work() -> None:
            self.ctx.storage.kv.put("outer", 1)
            self.undone()
            self.ctx.storage.kv.put("outer", 2)

        self.ctx.storage.transactionSync(work)

    async def write_all(self, how: str) -> None:
        storage = self.ctx.storage
        writes = {
            "kv": lambda: storage.kv.put("key", 1),
            "sql": lambda: storage.sql.exec("INSERT INTO t VALUES (1)"),
            "put": lambda: storage.put("key", 1),
            "alarm": lambda: storage.setAlarm(DUE),
        }
        await storage.put("first", 1)
        for _ in range(2):
            if inspect.isawaitable(written := writes[how]()):
                await written
        self.middle.append(self.look())

    async def write_and_abort(self) -> None:
        self.ctx.storage.kv.put("first", 1)
        self.ctx.storage.kv.put("second", 1)
        self.ctx.abort("enough")


async def test_a_transaction_that_raises_is_undone_although_time_passes_in_it(folder: KeptFolder) -> None:
    _, first = ticking(folder, Hasty)
    a = first.getByName("a")
    await a.insert(7)

    await a.undone()
    assert (await a.get("in0"), await a.rows()) == (None, [7])
    await a.put("later", 1)
    await a.done_and_undone()

    assert on_disk(folder, Hasty) == {
        "": {("a", "later"): 1, ("a", "outer"): 2},
        "t": {(("(object)", "a"), ("x", 7.0)): 1},
    }


@pytest.mark.parametrize("how", ["kv", "sql", "put", "alarm"])
async def test_what_is_written_in_one_turn_is_one_transaction_however_long_it_takes(
    folder: KeptFolder, how: str
) -> None:
    class Looking(Hasty):
        middle: ClassVar[list[Any]] = []
        look = staticmethod(lambda: on_disk(folder, Looking))

    _, first = ticking(folder, Looking)
    await first.getByName("a").insert(7)
    before = on_disk(folder, Looking)

    await first.getByName("a").write_all(how)

    assert Looking.middle == [before]
    assert ("a", "first") in on_disk(folder, Looking)[""]


async def test_an_object_that_aborts_takes_back_all_of_its_turn_and_is_made_anew(folder: KeptFolder) -> None:
    host, first = ticking(folder, Hasty)
    await first.getByName("a").put("key", 1)

    with pytest.raises(JsException, match="enough"):
        await first.getByName("a").write_and_abort()

    assert [rule for rule, _ in host.warnings] == ["lost-write"]
    assert await first.getByName("a").get("key") == 1
    await first.getByName("a").put("later", 1)
    assert on_disk(folder, Hasty) == {"": {("a", "key"): 1, ("a", "later"): 1}}
