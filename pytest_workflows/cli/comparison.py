"""The comparison of two recordings."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from difflib import SequenceMatcher
from typing import Any, Literal

from durable_engine import in_words
from pytest_workflows.recordings import Recording, Step, Value
from pytest_workflows.recordings.format.matching import can_match, texts_can_match

from .terminal import formatting as words

_VALUE = 200


@dataclass(frozen=True, slots=True)
class Detail:
    """A difference in something that both runs have.

    Attributes:
        name: The name of the detail.
        a: As A has it.
        b: As B has it.
        unsure: Whether one of the two is not known, so that they may be the same after all.
    """

    name: str
    a: str
    b: str
    unsure: bool = False


@dataclass(frozen=True, slots=True)
class Difference:
    """A comparison of something that both runs have, or one of them.

    Attributes:
        kind: Whether it is the same, has changed, is not known, or is in one of them only.
        what: The thing that is compared.
        details: The differences.
    """

    kind: Literal["same", "changed", "unsure", "only A", "only B"]
    what: str
    details: list[Detail] = field(default_factory=list)


def compare(a: Recording, b: Recording) -> Iterator[Difference]:
    """Compare everything of both runs, in order."""
    yield _of("params", [_values("value", a.params, b.params)])
    matcher = SequenceMatcher(None, [step.key for step in a.steps], [step.key for step in b.steps], autojunk=False)
    for tag, from_a, to_a, from_b, to_b in matcher.get_opcodes():
        if tag == "equal":
            for one, other in zip(a.steps[from_a:to_a], b.steps[from_b:to_b], strict=True):
                yield _of(_name(one), _step(one, other))
            continue
        for step in a.steps[from_a:to_a]:
            yield Difference("only A", f"{_name(step)}: {_outcome(step)}")
        for step in b.steps[from_b:to_b]:
            yield Difference("only B", f"{_name(step)}: {_outcome(step)}")
    yield _of(
        "the end", [_pair("status", a.status, b.status), _pair("result", _end(a), _end(b), unsure=_is_unsure(a, b))]
    )


def _of(what: str, pairs: list[Detail | None]) -> Difference:
    details = [pair for pair in pairs if pair is not None]
    if all(detail.unsure for detail in details):
        return Difference("unsure" if details else "same", what, details)
    return Difference("changed", what, details)


def _pair(name: str, a: str, b: str, *, unsure: bool = False) -> Detail | None:
    return None if a == b else Detail(name, words.cut(a, _VALUE), words.cut(b, _VALUE), unsure)


def _values(name: str, a: Any, b: Any) -> Detail | None:
    return _pair(name, _value(a), _value(b), unsure=can_match(a, b))


def _step(a: Step, b: Step) -> list[Detail | None]:
    return [
        _pair("outcome", _outcome(a), _outcome(b), unsure=_may_be_alike(a, b)),
        _pair("attempts", _attempts(a), _attempts(b), unsure=_may_have_gone_alike(a, b)),
        _pair("sleeps", _duration(a), _duration(b), unsure=a.duration_ms is None or b.duration_ms is None),
        _pair("waits for", a.event_type or "", b.event_type or "", unsure=not a.event_type or not b.event_type),
    ]


def _may_be_alike(a: Step, b: Step) -> bool:
    if a.unknown_outcome or b.unknown_outcome:
        return True
    if a.status != b.status:
        return False
    return texts_can_match(_outcome(a), _outcome(b)) if a.status == "errored" else can_match(_payload(a), _payload(b))


def _may_have_gone_alike(a: Step, b: Step) -> bool:
    return not a.attempts or not b.attempts or texts_can_match(_attempts(a), _attempts(b))


def _name(step: Step) -> str:
    return f"{words.TYPES[step.kind]} {step.label}"


def _outcome(step: Step) -> str:
    if step.status == "errored":
        return f"failed: {words.error(step.error)}"
    if step.unknown_outcome:
        return words.UNKNOWN
    if step.status != "complete" or step.kind == "sleep":
        return step.status
    return f"complete: {_value(_payload(step))}"


def _payload(step: Step) -> Value:
    is_event = step.kind == "wait_for_event" and isinstance(step.result, dict) and "payload" in step.result
    return step.result["payload"] if is_event else step.result


def _attempts(step: Step) -> str:
    outcomes = [words.error(attempt.error) if attempt.error else "success" for attempt in step.attempts]
    return f"{len(outcomes)} ({'; '.join(outcomes)})" if outcomes else "0"


def _duration(step: Step) -> str:
    return words.UNKNOWN if step.duration_ms is None else in_words(step.duration_ms)


def _end(recording: Recording) -> str:
    return words.error(recording.error) if recording.error is not None else _value(recording.output)


def _is_unsure(a: Recording, b: Recording) -> bool:
    if a.status != b.status:
        return False
    return texts_can_match(_end(a), _end(b)) if a.error is not None else can_match(a.output, b.output)


def _value(data: Value) -> str:
    # Keys are compared whatever their order.
    return words.value(_sorted(data))


def _sorted(data: Value) -> Value:
    if isinstance(data, dict):
        return {key: _sorted(data[key]) for key in sorted(data)}
    return [_sorted(item) for item in data] if isinstance(data, list) else data
