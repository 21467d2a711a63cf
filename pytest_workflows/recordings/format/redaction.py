"""Redaction of recordings: of values under the keys that ini `workflows_redact` names, and of sensitive outputs.

A text under such a key becomes `[REDACTED]`, any other value becomes unknown, at any depth. What such values and
sensitive outputs hold is taken out wherever else it stands: in the values of all of a test's recordings, in what was
printed, logged and raised. Short texts and numbers are left: too much else would go.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import Any, TypeVar

import msgspec

from durable_engine import REDACTED_REASON, UnknownValue

from .model import Attempt, Effect, ErrorRecord, HistoryLine, LogLine, Recording, Step
from .values import TYPE, JsonValue, tag, untag

TEXT = "[REDACTED]"
HIDDEN = tag(UnknownValue(REDACTED_REASON))
"""A value that is not shown, tagged."""
P = TypeVar("P", bound=msgspec.Struct)
_SHORTEST = 4
"""Shorter texts than this are not searched for."""
_ANYWHERE = 6
"""Shorter texts than this are searched for as words of their own."""
_AS_KEY = 8
"""Shorter texts than this may be names of fields as well."""
_DIGITS = 8
"""Whole numbers with fewer digits than this are not searched for."""
_KEPT = frozenset({"config", "event"})
"""Fields of history that hold no value of a workflow."""


def redact(recording: Recording, keys: Iterable[str]) -> Recording:
    """A recording without the values of these keys, whatever their case."""
    return Secrets([recording], keys).recordings[0]


class Secrets:
    """The secrets that must not stand in recordings.

    Args:
        recordings: All of a test's: what is secret in one may have been handed to another.
        keys: Whose values are secret, whatever their case.
        outputs: Sensitive outputs, tagged.
    """

    def __init__(self, recordings: Iterable[Recording], keys: Iterable[str], outputs: Iterable[Any] = ()) -> None:
        self._keys = frozenset(key.lower() for key in keys)
        self._texts: dict[str, None] = {}
        self._numbers: set[int] = set()
        self._buffers: set[bytes] = set()
        self._wholes: list[Any] = []
        for output in outputs:
            self._learn(output)
            if _is_distinctive(output):
                self._wholes.append(output)
        self._recordings = [self._hide(one) for one in recordings] if self._keys else list(recordings)

    @property
    def recordings(self) -> list[Recording]:
        """The recordings without the secrets."""
        if not (self._texts or self._numbers or self._buffers or self._wholes):
            return self._recordings
        return [self._cleaner_for(one).recording(one) for one in self._recordings]

    def text(self, text: str) -> str:
        """A text without the secrets."""
        return self._whole_cleaner.text(text)

    def shown(self, value: object) -> object:
        """A value without the secrets."""
        return untag(self._whole_cleaner.value(self._value(tag(value))))

    @cached_property
    def _whole_cleaner(self) -> _Cleaner:
        return self._cleaner(self._spellings)

    def _cleaner_for(self, recording: Recording) -> _Cleaner:
        data = msgspec.json.encode(recording)
        mine = [text for text in self._spellings if msgspec.json.encode(text)[1:-1] in data]
        return self._cleaner(mine)

    def _cleaner(self, spellings: list[str]) -> _Cleaner:
        inside = {text.encode() for text in self._texts if text.isascii() and len(text) >= _ANYWHERE}
        return _Cleaner(spellings, self._numbers, self._buffers | inside, self._wholes)

    @cached_property
    def _spellings(self) -> list[str]:
        """The texts as they may be written, the longest first: what is a part of another one must not cut it up."""
        found = {spelling for text in self._texts for spelling in _spellings(text)}
        found |= {str(number) for number in self._numbers}
        return sorted((one for one in found if one not in TEXT), key=lambda one: (-len(one), one))

    # -- under the keys ----------------------------------------------------------------------------------------------

    def _hide(self, recording: Recording) -> Recording:
        return msgspec.structs.replace(
            recording,
            params=self._value(recording.params),
            output=self._value(recording.output),
            events=[_changed(event, payload=self._value(event.payload)) for event in recording.events],
            steps=[
                _changed(
                    step,
                    inputs={name: self._under(name, item) for name, item in step.inputs.items()},
                    result=self._value(step.result),
                )
                for step in recording.steps
            ],
            effects=[
                _changed(one, args=self._value(one.args), kwargs=self._value(one.kwargs)) for one in recording.effects
            ],
            history=[_changed(line, detail=self._value(line.detail)) for line in recording.history],
        )

    def _value(self, value: JsonValue) -> JsonValue:
        if isinstance(value, list):
            return [self._value(item) for item in value]
        return self._object(value) if isinstance(value, dict) else value

    def _object(self, value: dict[str, Any]) -> JsonValue:
        if value.get(TYPE) == "object":
            return {**value, "value": [[key, self._under(key, item)] for key, item in value["value"]]}
        if TYPE in value:
            return {**value, "value": self._value(value["value"])} if "value" in value else value
        return {key: self._under(key, item) for key, item in value.items()}

    def _under(self, key: object, value: JsonValue) -> JsonValue:
        if not isinstance(key, str) or key.lower() not in self._keys:
            return self._value(value)
        self._learn(value)
        if isinstance(value, str):
            return TEXT
        return None if value is None else HIDDEN

    # -- what is in them ---------------------------------------------------------------------------------------------

    def _learn(self, value: Any) -> None:
        """Note what a secret value holds; keys of objects are names, and none of it."""
        if isinstance(value, str):
            self._learn_text(value)
        elif isinstance(value, int):
            self._learn_number(value)
        elif isinstance(value, list):
            for item in value:
                self._learn(item)
        elif isinstance(value, dict):
            self._learn_dict(value)

    def _learn_dict(self, value: dict[str, Any]) -> None:
        kind, inner = value.get(TYPE), value.get("value")
        if kind is None:
            self._learn(list(value.values()))
        elif kind in ("bytes", "array"):
            data = base64.b64decode(value["value"])
            if len(data) >= _SHORTEST:
                self._buffers.add(data)
            if data.isascii():
                self._learn_text(data.decode())
        elif kind == "object":
            self._learn([item for _, item in value["value"]])
        elif kind == "bigint":
            self._learn_number(int(value["value"]))
        elif kind == "error":
            self._learn_text(str(inner).removeprefix("Error: "))
        elif kind in ("text", "tuple", "set"):
            self._learn(inner)

    def _learn_text(self, text: str) -> None:
        if len(text.strip()) >= _SHORTEST:
            self._texts[text] = None

    def _learn_number(self, number: int) -> None:
        if abs(number) >= 10 ** (_DIGITS - 1):
            self._numbers.add(abs(number))


class _Cleaner:
    """A cleaner: takes secrets out of texts and values."""

    def __init__(self, spellings: list[str], numbers: set[int], buffers: set[bytes], wholes: list[Any]) -> None:
        self._pattern = re.compile("|".join(map(_search_pattern, spellings))) if spellings else None
        self._as_keys = [text for text in spellings if len(text) >= _AS_KEY]
        self._numbers = numbers
        self._buffers = buffers
        self._wholes = wholes

    def recording(self, recording: Recording) -> Recording:
        return msgspec.structs.replace(
            recording,
            params=self.value(recording.params),
            output=self.value(recording.output),
            events=[_changed(event, payload=self.value(event.payload)) for event in recording.events],
            steps=[self._step(step) for step in recording.steps],
            effects=[self._effect(one) for one in recording.effects],
            history=[self._line(line) for line in recording.history],
            log=self._log(recording.log),
            modifications=[_changed(one, call=self.text(one.call)) for one in recording.modifications],
            findings=[_changed(one, message=self.text(one.message)) for one in recording.findings],
            error=self._error(recording.error),
            traceback=None if recording.traceback is None else self.text(recording.traceback),
        )

    def text(self, text: str) -> str:
        return text if self._pattern is None else self._pattern.sub(lambda _: TEXT, text)

    def value(self, value: JsonValue) -> JsonValue:
        """A tagged value without secrets."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, int) and not isinstance(value, bool):
            return HIDDEN if abs(value) in self._numbers else value
        if not isinstance(value, list | dict):
            return value
        if value in self._wholes:
            return HIDDEN
        return [self.value(item) for item in value] if isinstance(value, list) else self._dict(value)

    def _dict(self, value: dict[str, Any]) -> JsonValue:
        kind, inner = value.get(TYPE), value.get("value")
        if kind is None:
            return HIDDEN if any(map(self._is_secret_key, value)) else self._items(value)
        if kind in ("bytes", "array"):
            data = base64.b64decode(value["value"])
            return HIDDEN if any(one in data for one in self._buffers) else value
        if kind == "bigint":
            return HIDDEN if abs(int(value["value"])) in self._numbers else value
        if kind == "object":
            is_secret = any(isinstance(key, str) and self._is_secret_key(key) for key, _ in value["value"])
            return HIDDEN if is_secret else {**value, "value": [[key, self.value(one)] for key, one in value["value"]]}
        if kind == "set":
            # An unknown value cannot be a member of a set.
            items = [self.value(item) for item in value["value"]]
            return HIDDEN if HIDDEN in items else {**value, "value": items}
        if kind in ("text", "error", "repr", "tuple"):
            return {**value, "value": self.value(inner)}
        return value

    def _items(self, value: Mapping[str, Any]) -> dict[str, Any]:
        return {key: self.value(item) for key, item in value.items()}

    def _is_secret_key(self, key: str) -> bool:
        return any(text in key for text in self._as_keys)

    def _step(self, step: Step) -> Step:
        attempts = [self._attempt(one) for one in step.attempts]
        inputs, result = self._items(step.inputs), self.value(step.result)
        return _changed(step, inputs=inputs, result=result, attempts=attempts, error=self._error(step.error))

    def _attempt(self, attempt: Attempt) -> Attempt:
        return _changed(attempt, error=self._error(attempt.error), log=self._log(attempt.log))

    def _effect(self, effect: Effect) -> Effect:
        # Lists and dicts that the call itself brings, not its arguments.
        args, kwargs = [self.value(item) for item in effect.args], self._items(effect.kwargs)
        return _changed(effect, method=self.text(effect.method), args=args, kwargs=kwargs)

    def _line(self, line: HistoryLine) -> HistoryLine:
        detail = {key: item if key in _KEPT else self.value(item) for key, item in line.detail.items()}
        return _changed(line, detail=detail)

    def _log(self, lines: list[LogLine]) -> list[LogLine]:
        return [_changed(line, text=self.text(line.text)) for line in lines]

    def _error(self, error: ErrorRecord | None) -> ErrorRecord | None:
        return None if error is None else _changed(error, message=self.text(error.message))


def _is_distinctive(output: Any) -> bool:
    """Whether an output is an object or a list with content, so that an equal one elsewhere is no coincidence."""
    if isinstance(output, list | dict) and TYPE not in output:
        items = output if isinstance(output, list) else output.values()
        return any(
            _is_distinctive(item) or (isinstance(item, str | int | float) and item not in (True, False, ""))
            for item in items
        )
    return False


def _spellings(text: str) -> Iterable[str]:
    """A text as it is, as code and JSON write it, and line by line, as a log has it."""
    forms = [text, repr(text)[1:-1], json.dumps(text)[1:-1], json.dumps(text, ensure_ascii=False)[1:-1]]
    lines = [line.strip() for line in text.splitlines()] if "\n" in text else []
    forms += [line for line in lines if len(line) >= _ANYWHERE]
    for form in forms:
        try:
            form.encode()
        except UnicodeEncodeError:
            continue  # nothing that is recorded is written so
        yield form


def _search_pattern(text: str) -> str:
    plain = re.escape(text)
    return plain if len(text) >= _ANYWHERE else rf"(?<!\w){plain}(?!\w)"


def _changed(part: P, **changes: Any) -> P:
    return msgspec.structs.replace(part, **changes)
