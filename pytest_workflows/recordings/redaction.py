"""Keeps secrets out of recordings: values under the keys that ini `workflows_redact` names, at any depth.

A text under such a key becomes `[REDACTED]`, any other value becomes unknown. Where such a text stands in what was
printed, logged, raised or handed to a binding, it is taken out as well.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, TypeVar

import msgspec

from durable_engine import REDACTED_REASON, UnknownValue

from .model import Effect, ErrorRecord, LogLine, Recording, Step
from .values import TYPE, tag

TEXT = "[REDACTED]"
HIDDEN = tag(UnknownValue(REDACTED_REASON))
"""A value that is not shown, tagged."""
P = TypeVar("P", bound=msgspec.Struct)
_SHORTEST = 6
"""Shorter texts than this are not looked for in other texts: too much else would go."""


def redact(recording: Recording, keys: Iterable[str]) -> Recording:
    """A recording without the values of these keys, whatever their case."""
    wanted = frozenset(key.lower() for key in keys)
    return _Redactor(wanted).recording(recording) if wanted else recording


class _Redactor:
    def __init__(self, keys: frozenset[str]) -> None:
        self._keys = keys
        self._secrets: dict[str, None] = {}

    def recording(self, recording: Recording) -> Recording:
        copy = msgspec.structs.replace(
            recording,
            params=self.value(recording.params),
            output=self.value(recording.output),
            events=[_changed(event, payload=self.value(event.payload)) for event in recording.events],
            steps=[self._step(step) for step in recording.steps],
            effects=[self._effect(effect) for effect in recording.effects],
            history=[_changed(line, detail=self.value(line.detail)) for line in recording.history],
        )
        return self._without_secrets(copy) if self._secrets else copy

    def value(self, value: Any) -> Any:
        """A tagged value without what is under the keys."""
        if isinstance(value, list):
            return [self.value(item) for item in value]
        if not isinstance(value, dict):
            return value
        if value.get(TYPE) == "object":
            return {**value, "value": [[key, self._under(key, item)] for key, item in value["value"]]}
        if TYPE in value:
            return {**value, "value": self.value(value["value"])} if "value" in value else value
        return {key: self._under(key, item) for key, item in value.items()}

    def _under(self, key: Any, value: Any) -> Any:
        if not isinstance(key, str) or key.lower() not in self._keys:
            return self.value(value)
        if not isinstance(value, str):
            return None if value is None else HIDDEN
        if len(value) >= _SHORTEST and value != TEXT:
            self._secrets[value] = None
        return TEXT

    def _step(self, step: Step) -> Step:
        inputs = {name: self._under(name, item) for name, item in step.inputs.items()}
        return _changed(step, inputs=inputs, result=self.value(step.result))

    def _effect(self, effect: Effect) -> Effect:
        return _changed(effect, args=self.value(effect.args), kwargs=self.value(effect.kwargs))

    # -- texts -------------------------------------------------------------------------------------------------------

    def _without_secrets(self, recording: Recording) -> Recording:
        return msgspec.structs.replace(
            recording,
            steps=[self._clean_step(step) for step in recording.steps],
            effects=[
                _changed(one, args=self._clean(one.args), kwargs=self._clean(one.kwargs)) for one in recording.effects
            ],
            history=[_changed(line, detail=self._clean(line.detail)) for line in recording.history],
            log=self._clean_log(recording.log),
            modifications=[_changed(one, call=self._clean(one.call)) for one in recording.modifications],
            error=self._clean_error(recording.error),
            traceback=self._clean(recording.traceback),
        )

    def _clean_step(self, step: Step) -> Step:
        attempts = [
            _changed(attempt, error=self._clean_error(attempt.error), log=self._clean_log(attempt.log))
            for attempt in step.attempts
        ]
        return _changed(step, attempts=attempts, error=self._clean_error(step.error))

    def _clean_log(self, lines: list[LogLine]) -> list[LogLine]:
        return [_changed(line, text=self._clean(line.text)) for line in lines]

    def _clean_error(self, error: ErrorRecord | None) -> ErrorRecord | None:
        return None if error is None else _changed(error, message=self._clean(error.message))

    def _clean(self, value: Any) -> Any:
        if isinstance(value, str):
            for secret in self._secrets:
                value = value.replace(secret, TEXT)
            return value
        if isinstance(value, list):
            return [self._clean(item) for item in value]
        if isinstance(value, Mapping):
            return {key: self._clean(item) for key, item in value.items()}
        return value


def _changed(part: P, **changes: Any) -> P:
    return msgspec.structs.replace(part, **changes)
