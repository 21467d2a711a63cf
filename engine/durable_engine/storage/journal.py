"""The journal of a store: what was written, entry by entry, in the form in which a file keeps it.

A batch is what one commit writes. Each entry is an array with its number first and then its fields by their order, and
so are the rows in it. A value that a line of history shows of its instance or step is in it once. A file of an earlier
version is read as long as fields only come at the end, with a default, and numbers keep their meaning. `FORMAT` of
`database.py` is raised with each field that is appended as well, since an older version would read such a file without
that field, and write it anew so; and for all else.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

import msgspec

from durable_engine.model import StepKey
from durable_engine.rows import EventRow, InstanceRow, StepRow

from .store import Line


class Added(msgspec.Struct, array_like=True, tag=1, gc=False):
    """A new instance."""

    row: InstanceRow


class Saved(msgspec.Struct, array_like=True, tag=2, gc=False):
    """An instance's state, without its params: they never change."""

    row: InstanceRow


class Deleted(msgspec.Struct, array_like=True, tag=3, gc=False):
    """Nothing is left of these instances."""

    keys: list[int]


class Recorded(msgspec.Struct, array_like=True, tag=4, gc=False):
    """Lines of an instance's history, and a step's new state beside them."""

    instance: int
    lines: list[Line]
    step: StepRow | None


class Forgot(msgspec.Struct, array_like=True, tag=5, gc=False):
    """The steps from one on are forgotten, and the history of everything but the others."""

    instance: int
    from_seq: int


class EventAdded(msgspec.Struct, array_like=True, tag=6, gc=False):
    """An event is kept until a wait takes it."""

    instance: int
    event: EventRow


class EventTaken(msgspec.Struct, array_like=True, tag=7, gc=False):
    """The oldest event of a type is taken."""

    instance: int
    event_type: str


class EventsDeleted(msgspec.Struct, array_like=True, tag=8, gc=False):
    """The events that nothing has taken are dropped."""

    instance: int


class Whole(msgspec.Struct, array_like=True, tag=9, gc=False):
    """All of an instance as it stands: whatever the journal has of it before may go."""

    row: InstanceRow
    steps: list[StepRow]
    lines: list[Line]
    events: list[EventRow]


class Queue(msgspec.Struct, array_like=True, tag=10, gc=False):
    """The keys of the queued instances, in the order in which they are to run."""

    keys: list[int]


class Moved(msgspec.Struct, array_like=True, tag=11, gc=False):
    """Real time was moved by hand, by so many milliseconds in all."""

    ms: int


class Escaped(msgspec.Struct, array_like=True, tag=12, gc=False):
    """An entry as JSON, which has escapes for what UTF-8 cannot encode, and numbers of any size."""

    json: str


Entry = (
    Added
    | Saved
    | Deleted
    | Recorded
    | Forgot
    | EventAdded
    | EventTaken
    | EventsDeleted
    | Whole
    | Queue
    | Moved
    | Escaped
)


class Batch(msgspec.Struct, array_like=True, gc=False):
    """What one commit writes.

    Attributes:
        last_key: The highest key that an instance has had.
        last_event: The highest number that an event has had.
        entries: What was written, in order.
    """

    last_key: int
    last_event: int
    entries: Sequence[Entry]


def instances_of(entry: Entry) -> Sequence[int]:
    """The keys of the instances of which an entry has something."""
    match entry:
        case Added() | Saved() | Whole():
            return (entry.row.key,)
        case Deleted():
            return entry.keys
        case Queue() | Moved() | Escaped():
            return ()
    return (entry.instance,)


def parts_of(entry: Entry) -> list[Entry]:
    """The same in several entries, where an entry is all of an instance: that may be more than a value of a file."""
    if not isinstance(entry, Whole):
        return [entry]
    row, steps = entry.row, {step.key: step for step in entry.steps}
    lines = [Recorded(row.key, [line], _shown_step(line, row, steps)) for line in entry.lines]
    shown = {one.step.key for one in lines if one.step is not None}
    others = [Recorded(row.key, [], step) for step in entry.steps if step.key not in shown]
    return [Whole(row, [], [], []), *others, *lines, *(EventAdded(row.key, event) for event in entry.events)]


def _shown_step(line: Line, row: InstanceRow, steps: Mapping[StepKey, StepRow]) -> StepRow | None:
    """The step whose result a line shows; None where it shows none, or has it itself."""
    step = None if line.key is None else steps.get(line.key)
    return step if line.value is None and owned(line, row, step) is not None else None


def without_owned(line: Line, row: InstanceRow, step: StepRow | None) -> Line:
    """A line as the journal has it: without a value that the row of its instance or step has as well."""
    if line.value is None or owned(line, row, step) is not line.value:
        return line
    return Line(line.kind, line.key, line.at, line.detail, None)


def owned(line: Line, row: InstanceRow, step: StepRow | None) -> bytes | None:
    """The value of a line's instance or step that such a line shows, unless it has one of its own."""
    match line.kind:
        case "STEP_SUCCESS" | "WAIT_COMPLETE":
            return None if step is None else step.result
        case "WORKFLOW_QUEUED":
            return row.params
        case "WORKFLOW_SUCCESS":
            return row.output
        case _:
            return None


def encode_batch(last_key: int, last_event: int, entries: Sequence[Entry]) -> bytes:
    """A batch as the file has it."""
    try:
        return _encode(Batch(last_key, last_event, entries))
    except (UnicodeEncodeError, OverflowError):
        return _encode(Batch(last_key, last_event, [_encodable(entry) for entry in entries]))


def _encodable(entry: Entry) -> Entry:
    """An entry that can be encoded: JavaScript has texts that UTF-8 has not, and a wait may last beyond 64 bits."""
    try:
        _encode(entry)
    except (UnicodeEncodeError, OverflowError):
        return Escaped(json.dumps(msgspec.to_builtins(entry)))
    return entry


def decode_batch(batch: bytes) -> Batch:
    """A batch that the file has.

    Raises:
        msgspec.DecodeError: If it is damaged.
    """
    decoded = _decode(batch)
    decoded.entries = [
        msgspec.convert(json.loads(entry.json), Entry) if isinstance(entry, Escaped) else entry
        for entry in decoded.entries
    ]
    return decoded


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Batch).decode
