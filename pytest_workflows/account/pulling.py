"""One instance of an account as a recording: its outputs whole, its secrets taken out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import msgspec

from pytest_workflows.recordings import Recording, RecordingError, tag
from pytest_workflows.recordings.files import read
from pytest_workflows.recordings.format.redaction import Secrets
from pytest_workflows.recordings.format.validation import is_too_deep
from pytest_workflows.recordings.production import (
    NO_ID,
    are_encoded,
    give_whole_output,
    names_in_dump,
    steps_without_output,
)

from .api import Account
from .errors import UnreadableInstanceError
from .requests import Json, StatusError

_LOOK = "Look at it: npx wrangler workflows instances describe {workflow} {id}"


def pull_recording(
    account: Account,
    workflow: str,
    id: str,
    *,
    binding: str | None = None,
    redacted: Iterable[str] = (),
    json_outputs: bool | None = None,
) -> Recording:
    """Pull an instance.

    Args:
        account: The account.
        workflow: The workflow's own name.
        id: The instance's id.
        binding: Its binding in the project, where it has one.
        redacted: Keys whose values are secret.
        json_outputs: Whether outputs are JSON text; None to guess.

    Raises:
        InstanceGoneError: If there is no such instance.
        UnreadableInstanceError: If the answer is no instance that can be read.
        AccountError: If the API cannot be asked.
    """
    answer = account.instance(workflow, id)
    try:
        recording = read(answer, where=f"the instance {id!r} of {workflow!r}", json_outputs=json_outputs)
    except RecordingError as error:
        message, _, hint = str(error).partition(". ")
        raise UnreadableInstanceError(message, hint or _LOOK.format(workflow=workflow, id=id)) from None
    recording.instance_id, recording.workflow, recording.binding = id, workflow, binding
    recording.notes = [note for note in recording.notes if note != NO_ID]
    _complete(account, workflow, recording, names_in_dump(answer), are_encoded(recording.notes, json_outputs))
    # What is JSON in a text is looked into as well: what it holds under such a key must not stand in the text.
    inner = Recording(
        instance_id=id, status=recording.status, params=[tag(value) for value in _values_in_texts(answer)]
    )
    return Secrets([recording, inner], redacted).recordings[0]


def _complete(account: Account, workflow: str, recording: Recording, names: set[str], is_encoded: bool) -> None:
    """Ask for the outputs that were cut short, one by one."""
    for step in steps_without_output(recording):
        name = step.label if step.label in names else step.name
        try:
            output = account.step_output(workflow, recording.instance_id, name, is_wait=step.kind != "do")
        except StatusError:
            continue  # it stays unknown, and the recording's notes say so
        give_whole_output(recording, step, output, is_encoded=is_encoded)


def _values_in_texts(value: Json) -> Iterator[Any]:
    """The objects and lists that stand in a dump as JSON text."""
    if isinstance(value, Mapping):
        value = list(value.values())
    if isinstance(value, list):
        for item in value:
            yield from _values_in_texts(item)
    elif isinstance(value, str) and value.lstrip()[:1] in ("{", "["):
        try:
            found = msgspec.json.decode(value)
        except (msgspec.DecodeError, RecursionError):
            return
        if not is_too_deep(found):
            yield found
            yield from _values_in_texts(found)
