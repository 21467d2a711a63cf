"""The arguments of `createBatch` and `deleteBatch`: what the platform refuses, in its order and its words.

Source: docs/reference/fidelity.md, "Batches".
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from durable_engine.errors import (
    BATCH_COUNT,
    BATCH_EMPTY,
    BATCH_INVALID,
    BATCH_INVALID_ID,
    BATCH_SIZE,
    BATCH_TOO_LARGE,
    DELETE_EMPTY,
    DELETE_TOO_LARGE,
    INVALID_DURATION,
    INVALID_OPTION,
    INVALID_TYPE,
    JsException,
    with_fact,
)
from durable_engine.values.durations import parse_duration
from durable_engine.values.js_values import unwrap

LOCATION_HINTS = ("wnam", "weur", "enam", "eeur", "apac", "apac-ne", "apac-se", "oc", "sam", "afr", "me")
_RESERVED = re.compile(r"batch|terminate|terminateAll|cf_[0-9a-f]{64}")
_ADDRESSABLE = re.compile(r"[a-zA-Z0-9, */#_-]+", re.ASCII)
_LONGEST_ADDRESSABLE = 271
"""An instance that a schedule made has its cron in its id: blanks, `*`, `/`, `,` and `#` included."""
_JS_TYPES: tuple[tuple[type | tuple[type, ...], str], ...] = (
    (bool, "boolean"),
    ((int, float), "number"),
    (str, "string"),
    (list, "array"),
    (type(None), "undefined"),
)
_FORMS = "It takes a list of options, {'instances': [{'id': ..., 'params': ...}, ...]} or {'count': 3, 'params': ...}"


def listed(batch: Sequence[object], most: int) -> Sequence[object]:
    """The options of a batch that is a list.

    Raises:
        JsException: If there is none, or one too many.
    """
    if not batch:
        raise JsException("Error", BATCH_EMPTY)
    if len(batch) > most:
        message = f"WorkflowError: {BATCH_TOO_LARGE.format(limit=most)}"
        raise with_fact(message, f"There are {len(batch)}.")
    return batch


def spread(batch: object, most: int) -> Sequence[object]:
    """The options of a batch that is an object, one for each instance.

    Args:
        batch: `{"instances": [...]}` or `{"count": ..., "params": ...}`.
        most: How many a batch may have.

    Raises:
        JsException: If it is neither, or has none, or one too many.
    """
    if not isinstance(batch, Mapping):
        raise _refused(BATCH_INVALID, f"{_FORMS}, not {type(batch).__name__}: {batch!r}.")
    count, instances = batch.get("count"), unwrap(batch.get("instances"))
    if count is not None:
        if isinstance(count, bool) or not isinstance(count, int | float) or count <= 0 or count != count // 1:
            raise _refused(BATCH_COUNT, f"It is {count!r}.")
        if count > most:
            raise _refused(BATCH_TOO_LARGE.format(limit=most), f"The count is {count}.")
        each = {key: batch[key] for key in ("params", "retention", "locationHint") if key in batch}
        return [each] * int(count)
    if not isinstance(instances, list):
        raise _refused(BATCH_INVALID, f"{_FORMS}, not {batch!r}.")
    if not 0 < len(instances) <= most:
        raise _refused(BATCH_SIZE, f"There are {len(instances)}, and from 1 to {most} are allowed.")
    return instances


def check_spread(options: object, is_valid_id: Callable[[object], bool]) -> None:
    """See to it that the platform would take these options of an instance of a batch that is an object.

    Args:
        options: The options.
        is_valid_id: Whether `create` takes an id.

    Raises:
        JsException: If it would not.
    """
    if not isinstance(options, Mapping):
        raise _refused(_wrong_type("object", options), f"The options of an instance are a dict, not {options!r}.")
    issues = [*_issues(options)]
    if issues:
        messages, facts = zip(*issues, strict=True)
        raise _refused("; ".join(messages), " ".join(facts))
    id = options.get("id")
    if id is not None and (not is_valid_id(id) or _RESERVED.fullmatch(id)):
        raise with_fact(BATCH_INVALID_ID, f"{id!r} is no valid id here, or a reserved one.")


def _issues(options: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """The errors in the options of an instance: the platform's text, and the given value."""
    id, retention, hint = options.get("id"), options.get("retention"), options.get("locationHint")
    if id is not None and not isinstance(id, str):
        yield _wrong_type("string", id), f"The id is {id!r}."
    if retention is not None and not isinstance(retention, Mapping):
        yield _wrong_type("object", retention), f"retention is {retention!r}."
    elif retention is not None:
        for name in ("successRetention", "errorRetention"):
            given = retention.get(name)
            if given is not None and not _is_retention(given):
                yield INVALID_DURATION, f"{name} is {given!r}."
    if hint is not None and hint not in LOCATION_HINTS:
        allowed = "|".join(f'"{one}"' for one in LOCATION_HINTS)
        yield INVALID_OPTION.format(allowed=allowed), f"The locationHint is {hint!r}."


def _wrong_type(expected: str, given: object) -> str:
    kind = next((name for kind, name in _JS_TYPES if isinstance(given, kind)), "object")
    return INVALID_TYPE.format(expected=expected, kind=kind)


def check_deleted(ids: object, most: int) -> list[str]:
    """The ids of a `deleteBatch`.

    Raises:
        JsException: If they are no list, or none, or one too many, or if one is no id.
    """
    if not isinstance(ids, list):
        raise _refused(BATCH_INVALID, f"deleteBatch takes a list of ids, not {type(ids).__name__}: {ids!r}.")
    if len(ids) > most:
        raise _refused(DELETE_TOO_LARGE.format(limit=most), f"There are {len(ids)}.")
    if not ids:
        raise _refused(DELETE_EMPTY, "The list is empty.")
    for id in ids:
        if not isinstance(id, str) or len(id) > _LONGEST_ADDRESSABLE or not _ADDRESSABLE.fullmatch(id):
            raise with_fact(BATCH_INVALID_ID, f"{id!r} is no id, and nothing was deleted.")
    return ids


def _is_retention(value: object) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return False
    read = parse_duration(value)
    return read is not None and read.ms > 0 and (isinstance(value, str) or value == value // 1)


def _refused(message: str, fact: str) -> JsException:
    return with_fact(f"WorkflowError: (body) {message}", fact)
