"""A store whose every change becomes an entry of a journal, and which a journal makes anew."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from durable_engine.model import CronTrigger
from durable_engine.rows import EventRow, HistoryRow, InstanceRow, StepRow
from durable_engine.workflow import KEPT, Retention

from .journal import (
    Added,
    Batch,
    Deleted,
    Entry,
    EventAdded,
    EventsDeleted,
    EventTaken,
    Forgot,
    Moved,
    Queue,
    Recorded,
    Saved,
    Whole,
    owned,
    without_owned,
)
from .store import Contents, Line, Store, copied


class JournaledStore(Store):
    """A store in memory that writes a journal of its changes.

    Args:
        append: Takes each entry of the journal, when it is made.
    """

    def __init__(self, append: Callable[[Entry], None]) -> None:
        super().__init__()
        self._append = append
        self._queue: dict[int, None] = {}
        self._appliers: Mapping[type[Entry], Callable[[Any], object]] = {
            Added: self._apply_added,
            Saved: self._apply_saved,
            Deleted: self._apply_deleted,
            Recorded: self._apply_recorded,
            Forgot: lambda entry: super(JournaledStore, self).forget_steps(entry.instance, entry.from_seq),
            EventAdded: self._apply_event,
            EventTaken: lambda entry: super(JournaledStore, self).take_event(entry.instance, entry.event_type),
            EventsDeleted: lambda entry: super(JournaledStore, self).delete_events(entry.instance),
            Whole: self._apply_whole,
            Queue: self._apply_queue,
            Moved: lambda entry: super(JournaledStore, self).note_moved(entry.ms),
        }

    def note_moved(self, ms: int) -> None:
        """Keep by how many milliseconds real time was moved by hand."""
        super().note_moved(ms)
        self._append(Moved(ms))

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
        row = super().add_instance(workflow, id, created_at, params, retention, trigger)
        self._note_queued(row)
        self._append(Added(self._instances[row.key]))
        return row

    def queued(self) -> list[InstanceRow]:
        """The instances that wait for a slot, or have not begun, in the order in which they are to get one."""
        return [copied(self._instances[key]) for key in self._queue if key in self._instances]

    def _note_queued(self, row: InstanceRow) -> None:
        if row.status == "queued":
            self._queue.setdefault(row.key)
        else:
            self._queue.pop(row.key, None)

    def save_instance(self, row: InstanceRow) -> None:
        """Store an instance's state, unless it was deleted."""
        super().save_instance(row)
        if row.key in self._instances:
            self._note_queued(row)
            saved: InstanceRow = copied(row)
            saved.params = b""
            self._append(Saved(saved))

    def delete_instances(self, keys: Iterable[int]) -> None:
        """Leave no row of these instances."""
        gone = list(keys)
        super().delete_instances(gone)
        self._unqueue(gone)
        if gone:
            self._append(Deleted(gone))

    def _unqueue(self, keys: Iterable[int]) -> None:
        for key in keys:
            self._queue.pop(key, None)

    # -- steps, history, events --------------------------------------------------------------------------------------

    def record(self, instance: int, events: Sequence[HistoryRow], step: StepRow | None = None) -> None:
        """Add to an instance's history, and keep a step's new state beside it."""
        contents = self._contents.get(instance)
        before = 0 if contents is None else len(contents.history)
        super().record(instance, events, step)
        if contents is not None:
            lines = contents.history[before:]
            stored = None if step is None else contents.steps[step.key]
            if lines and lines[-1].value is not None:
                lines[-1] = without_owned(lines[-1], self._instances[instance], stored)
            self._append(Recorded(instance, lines, stored))

    def forget_steps(self, instance: int, from_seq: int = 0) -> None:
        """Wipe the steps that started at or after `from_seq`, and the history of everything but the others."""
        super().forget_steps(instance, from_seq)
        self._append(Forgot(instance, from_seq))

    def add_event(self, instance: int, type: str, payload: bytes, at: int, *, mocked: bool) -> int:
        """Keep an event until a wait takes it.

        Returns:
            Its number, which no other event gets.
        """
        seq = super().add_event(instance, type, payload, at, mocked=mocked)
        self._append(EventAdded(instance, EventRow(seq, type, payload, at, mocked)))
        return seq

    def take_event(self, instance: int, type: str) -> EventRow | None:
        """Remove and return the oldest event of that type, or None."""
        event = super().take_event(instance, type)
        if event is not None:
            self._append(EventTaken(instance, type))
        return event

    def delete_events(self, instance: int) -> None:
        """Drop the events that nothing has taken."""
        super().delete_events(instance)
        self._append(EventsDeleted(instance))

    # -- all of it, in entries ---------------------------------------------------------------------------------------

    def keys(self) -> list[int]:
        """The keys of all instances, in order of creation."""
        return list(self._instances)

    def whole(self, keys: Iterable[int]) -> Iterator[Whole]:
        """These instances as they stand, as far as they exist."""
        for key in keys:
            row = self._instances.get(key)
            if row is not None:
                contents = self._contents[key]
                lines = [without_owned(line, row, _step_of(line, contents)) for line in contents.history]
                yield Whole(row, list(contents.steps.values()), lines, self.events(key))

    def others(self) -> list[Entry]:
        """What there is besides instances: the order of the queue, and how time was moved."""
        return [Queue(list(self._queue)), Moved(self.moved_ms)]

    # -- made anew by a journal --------------------------------------------------------------------------------------

    def replay(self, batches: Iterable[Batch]) -> None:
        """Become what a journal says.

        Where it has the beginning of an instance no more, a `Whole` follows: entries before that are left out.
        """
        for batch in batches:
            self._last_key = batch.last_key
            self._last_event = batch.last_event
            for entry in batch.entries:
                self._appliers[type(entry)](entry)
        self._instances = dict(sorted(self._instances.items()))

    def _apply_added(self, entry: Added) -> None:
        self._put(entry.row, Contents())

    def _put(self, row: InstanceRow, contents: Contents) -> None:
        self._keys[row.workflow, row.id] = row.key
        self._instances[row.key] = row
        self._contents[row.key] = contents
        self._note_queued(row)

    def _apply_saved(self, entry: Saved) -> None:
        before = self._instances.get(entry.row.key)
        if before is not None:
            entry.row.params = before.params
            self._instances[entry.row.key] = entry.row
            self._note_queued(entry.row)

    def _apply_deleted(self, entry: Deleted) -> None:
        for key in entry.keys:
            row = self._instances.pop(key, None)
            if row is not None:
                del self._keys[row.workflow, row.id], self._contents[key]
        self._unqueue(entry.keys)

    def _apply_recorded(self, entry: Recorded) -> None:
        contents = self._contents.get(entry.instance)
        if contents is None:
            return
        row = self._instances[entry.instance]
        for line in entry.lines:
            self._complete(line, row, entry.step)
        contents.history += entry.lines
        if entry.step is not None:
            contents.steps[entry.step.key] = entry.step

    def _complete(self, line: Line, row: InstanceRow, step: StepRow | None) -> None:
        """Let a line that was read share its detail with others, and its value with its instance or step."""
        if line.detail is not None:
            line.detail = self._kept_detail(line.detail)
        if line.value is None:
            line.value = owned(line, row, step)

    def _apply_event(self, entry: EventAdded) -> None:
        contents = self._contents.get(entry.instance)
        if contents is not None:
            contents.events.setdefault(entry.event.type, deque()).append(entry.event)

    def _apply_whole(self, entry: Whole) -> None:
        contents = Contents()
        contents.steps = {step.key: step for step in entry.steps}
        contents.history = entry.lines
        for line in entry.lines:
            self._complete(line, entry.row, _step_of(line, contents))
        for event in entry.events:
            contents.events.setdefault(event.type, deque()).append(event)
        self._put(entry.row, contents)

    def _apply_queue(self, entry: Queue) -> None:
        self._queue = dict.fromkeys(key for key in entry.keys if key in self._instances)


def _step_of(line: Line, contents: Contents) -> StepRow | None:
    return None if line.key is None else contents.steps.get(line.key)
