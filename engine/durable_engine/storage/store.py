"""The storage of an engine: all its instances, in memory, as they stand after each turn of the event loop.

`disk.py` is the store that keeps them in a file as well.

What is stored are copies, made when they are stored and made anew when they are read: an execution that loses its
memory has nothing but these, and no code that holds a row can change what is stored. Values are the bytes that crossed
the boundary, so that a value exists once, however many rows name it (docs/explanation/engine.md, "Storage").
"""

from __future__ import annotations

import heapq
import json
import operator
from collections import deque
from collections.abc import Callable, Collection, Container, Iterable, Mapping, Sequence
from typing import Any

import msgspec
from msgspec.msgpack import Ext

from durable_engine.errors import EngineClosedError, StoreError
from durable_engine.history import INSTANCE_BEGINNINGS, HistoryKind
from durable_engine.model import CronTrigger, StepKey
from durable_engine.rows import EventRow, HistoryRow, InstanceRow, StepRow
from durable_engine.workflow import KEPT, Retention

_MOST_SHARED = 200
"""The most bytes of a detail that lines of history share: most of them say one of the same few things."""

_MOST_DETAILS = 10_000
"""The most details that are kept to be shared, once instances are deleted: errors say ever new things."""

_AS_JSON = 1
"""The code of a detail that MessagePack cannot encode: half of a surrogate pair in a text, a number beyond 64 bits."""

_ENCODER = msgspec.msgpack.Encoder()
_DECODER = msgspec.msgpack.Decoder(ext_hook=lambda _, data: json.loads(bytes(data)))
_seq = operator.attrgetter("seq")
copied = operator.methodcaller("__copy__")
"""What `copy.copy` comes to, for a row."""


class Line(msgspec.Struct, array_like=True, gc=False):
    """A line of history as it is kept: as `HistoryRow`, its detail packed. It has no part in cycles of references."""

    kind: HistoryKind
    key: StepKey | None
    at: int
    detail: bytes | None
    value: bytes | None


class Contents:
    """What is stored of an instance besides its row.

    Attributes:
        steps: Its steps, in no particular order.
        history: Its history, in order.
        events: The events that nothing has taken, oldest first, by their type.
    """

    __slots__ = ("events", "history", "steps")

    def __init__(self) -> None:
        self.steps: dict[StepKey, StepRow] = {}
        self.history: list[Line] = []
        self.events: dict[str, deque[EventRow]] = {}


class Shown(msgspec.Struct, frozen=True):
    """What an answer tells of: nothing that a kill could take back may be in it.

    Attributes:
        instances: The keys of the instances of which it tells everything.
        all_rows: Whether it tells which instances there are, and what has become of each, as well.
    """

    instances: Collection[int] = ()
    all_rows: bool = False


class Store:
    """The engine's storage. Reads see every write before them.

    Attributes:
        writes_later: Whether what was written gets to where it is kept later than at once (`when_stored`).
        moved_ms: By how many milliseconds real time was moved by hand, where time is real.
    """

    writes_later = False

    def __init__(self) -> None:
        self._instances: dict[int, InstanceRow] = {}
        self._keys: dict[tuple[str, str], int] = {}
        self._contents: dict[int, Contents] = {}
        self._details: dict[bytes, bytes] = {}
        self._last_key = 0
        self._last_event = 0
        self._is_closed = False
        self.moved_ms = 0

    def close(self) -> None:
        """Drop everything; closing twice is fine."""
        self._is_closed = True
        self._instances.clear()
        self._keys.clear()
        self._contents.clear()
        self._details.clear()

    def _of(self, instance: int) -> Contents:
        """What is stored of an instance; nothing of one that does not exist.

        Raises:
            EngineClosedError: If the store is closed.
        """
        contents = self._contents.get(instance)
        if contents is None:
            self._check_open()
            contents = Contents()
        return contents

    def _check_open(self) -> None:
        if self._is_closed:
            raise EngineClosedError("The engine is closed, and its storage with it.")

    # -- what was written --------------------------------------------------------------------------------------------

    def when_stored(self, action: Callable[[], None]) -> None:
        """Do something once everything written so far is where it is kept: at once, in memory."""
        action()

    def once_stored(self, tell: Callable[[StoreError | None], None], about: Shown | None = None) -> None:
        """Tell once what was written so far is where it is kept, or why it cannot be: at once, in memory.

        Args:
            tell: Called with None, or the error.
            about: What is told of, where that is not everything.
        """
        tell(None)

    async def stored(self) -> None:
        """Wait until everything written so far is where it is kept; in memory it is."""

    def note_moved(self, ms: int) -> None:
        """Keep by how many milliseconds real time was moved by hand."""
        self.moved_ms = ms

    # -- instances ---------------------------------------------------------------------------------------------------

    def add_instance(
        self,
        workflow: str,
        id: str,
        created_at: int,
        params: bytes,
        retention: Retention = KEPT,
        trigger: CronTrigger | None = None,
    ) -> InstanceRow:
        """Store a new instance; its id must be free."""
        self._check_open()
        assert (workflow, id) not in self._keys
        self._last_key += 1
        row = InstanceRow(
            self._last_key,
            workflow,
            id,
            created_at,
            params,
            "queued",
            success_retention=retention.success,
            error_retention=retention.error,
            cron=None if trigger is None else msgspec.msgpack.encode(trigger),
        )
        self._keys[workflow, id] = row.key
        self._contents[row.key] = Contents()
        self._instances[row.key] = copied(row)
        return row

    @property
    def last_key(self) -> int:
        """The highest key that an instance has had."""
        return self._last_key

    def find_instance(self, workflow: str, id: str) -> InstanceRow | None:
        """The instance of that workflow and id, or None."""
        self._check_open()
        key = self._keys.get((workflow, id))
        return None if key is None else copied(self._instances[key])

    def all_instances(self) -> list[InstanceRow]:
        """Every instance, in order of creation."""
        self._check_open()
        return [copied(row) for row in self._instances.values()]

    def queued(self) -> list[InstanceRow]:
        """The instances that wait for a slot, or have not begun, in the order in which they are to get one."""
        return [row for row in self.all_instances() if row.status == "queued"]

    def save_instance(self, row: InstanceRow) -> None:
        """Store an instance's state, unless it was deleted."""
        self._check_open()
        if row.key in self._instances:
            self._instances[row.key] = copied(row)

    def delete_instances(self, keys: Iterable[int]) -> None:
        """Leave no row of these instances."""
        self._check_open()
        for key in keys:
            row = self._instances.pop(key)
            del self._keys[row.workflow, row.id], self._contents[key]
        if len(self._details) > _MOST_DETAILS:  # those that are kept are shared no more
            self._details.clear()

    # -- steps and history -------------------------------------------------------------------------------------------

    def record(self, instance: int, events: Sequence[HistoryRow], step: StepRow | None = None) -> None:
        """Add to an instance's history, and keep a step's new state beside it."""
        contents = self._of(instance)
        for kind, key, at, detail, value in events:
            packed = None
            if detail is not None:
                packed = self._kept_detail(_packed(detail))
            contents.history.append(Line(kind, key, at, packed, value))
        if step is not None:
            contents.steps[step.key] = copied(step)

    def _kept_detail(self, packed: bytes) -> bytes:
        return self._details.setdefault(packed, packed) if len(packed) <= _MOST_SHARED else packed

    def steps(self, instance: int) -> list[StepRow]:
        """An instance's steps in order of their start."""
        return sorted(map(copied, self._of(instance).steps.values()), key=_seq)

    def step(self, instance: int, key: StepKey) -> StepRow | None:
        """One step of an instance, or None."""
        row = self._of(instance).steps.get(key)
        return None if row is None else copied(row)

    def history(self, instance: int) -> list[HistoryRow]:
        """An instance's history in order."""
        return history_rows(self._of(instance).history)

    def lines(self, instance: int) -> list[Line]:
        """An instance's history in order, as it is kept: `history_rows` makes rows of it when somebody reads them."""
        return self._of(instance).history.copy()

    def history_after(self, instance: int, number: int, most: int | None = None) -> list[HistoryRow]:
        """An instance's history without its first lines; `most` is how many lines, None for all."""
        end = None if most is None else number + most
        return history_rows(self._of(instance).history[number:end])

    def last_at(self, instance: int) -> int | None:
        """When the last line of an instance's history was written (epoch milliseconds); None where it has none."""
        history = self._of(instance).history
        return history[-1].at if history else None

    def ranks(self, instance: int, kinds: Container[HistoryKind]) -> dict[StepKey, int]:
        """The places in an instance's history of each step's last line of one of these kinds."""
        history = self._of(instance).history
        return {line.key: rank for rank, line in enumerate(history) if line.key is not None and line.kind in kinds}

    def forget_steps(self, instance: int, from_seq: int = 0) -> None:
        """Wipe the steps that started at or after `from_seq`, and the history of everything but the others.

        How the instance began stays in its history, unless everything goes (`from_seq` 0).
        """
        contents = self._of(instance)
        contents.steps = steps = {key: step for key, step in contents.steps.items() if step.seq < from_seq}
        beginnings = INSTANCE_BEGINNINGS if from_seq else ()
        contents.history = [one for one in contents.history if one.key in steps or one.kind in beginnings]

    # -- events ------------------------------------------------------------------------------------------------------

    def add_event(self, instance: int, type: str, payload: bytes, at: int, *, mocked: bool) -> int:
        """Keep an event until a wait takes it.

        Returns:
            Its number, which no other event gets.
        """
        self._last_event += 1
        event = EventRow(self._last_event, type, payload, at, mocked)
        self._of(instance).events.setdefault(type, deque()).append(event)
        return event.seq

    def has_event(self, instance: int, type: str) -> bool:
        """Whether an event of that type is kept."""
        return bool(self._of(instance).events.get(type))

    def take_event(self, instance: int, type: str) -> EventRow | None:
        """Remove and return the oldest event of that type, or None."""
        kept = self._of(instance).events.get(type)
        return kept.popleft() if kept else None

    def events(self, instance: int) -> list[EventRow]:
        """The events that nothing has taken, oldest first."""
        return list(heapq.merge(*self._of(instance).events.values(), key=_seq))

    def delete_events(self, instance: int) -> None:
        """Drop the events that nothing has taken."""
        self._of(instance).events.clear()


def _packed(detail: Mapping[str, Any]) -> bytes:
    try:
        return _ENCODER.encode(detail)
    except (UnicodeEncodeError, OverflowError):
        return _ENCODER.encode(Ext(_AS_JSON, json.dumps(detail).encode()))


def history_rows(lines: Iterable[Line]) -> list[HistoryRow]:
    """Lines of history as rows."""
    return [
        HistoryRow(
            line.kind, line.key, line.at, None if line.detail is None else _DECODER.decode(line.detail), line.value
        )
        for line in lines
    ]
