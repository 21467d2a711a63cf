"""The replay of a recording: whether today's source asks for the recorded steps, up to the recorded end."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Any

from durable_engine import FINAL_STATUSES, UnknownValueError, WorkflowBinding, engine_of, error_of
from pytest_workflows.introspection.instance import InstanceIntrospector
from pytest_workflows.recordings.format.matching import can_match, texts_can_match
from pytest_workflows.recordings.format.model import Recording
from pytest_workflows.recordings.format.redaction import TEXT, redact
from pytest_workflows.recordings.format.values import tag, untag
from pytest_workflows.recordings.production import UNKNOWN_ERROR

from .divergence import ended_otherwise
from .reproduction import Reproduction
from .script import RecordedScript

_HEADINGS = ("Traceback ", "During handling of ", "The above exception ", "PythonError: Traceback ")


async def replay(
    binding: WorkflowBinding,
    recording: Recording,
    name: str,
    redacted: Iterable[str] = (),
    *,
    script: type[RecordedScript] = RecordedScript,
) -> None:
    """Run a recording to its end.

    Args:
        binding: The workflow's binding, on an engine on which nothing has happened; its event loop is for this alone.
        recording: The recording.
        name: Names it in errors.
        redacted: Keys whose values recordings do not have.
        script: What is asked of the source: by default the recorded path, with `OtherPathScript` the recorded effects.

    Raises:
        DivergenceError: If the source asks for something else, or comes to another end.
        UnknownValueError: If the source uses a value that the recording does not have.
    """
    __tracebackhide__ = True
    asyncio.get_running_loop().set_exception_handler(_handle)
    reproduction = Reproduction(binding, recording, name, script=script)
    try:
        async with reproduction as instance:
            await engine_of(binding).run_until_idle()
            reproduction.check_known()
            await _check_end(reproduction, instance, binding, redacted)
    except UnknownValueError as error:
        if not reproduction.script.ends_unknown(error):
            raise


def _handle(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """Handle an error as asyncio does, except one that was never retrieved: a callback may have, and none runs here."""
    if not str(context.get("message")).endswith("exception was never retrieved"):
        loop.default_exception_handler(context)


async def _check_end(
    reproduction: Reproduction, instance: InstanceIntrospector, binding: WorkflowBinding, redacted: Iterable[str]
) -> None:
    __tracebackhide__ = True
    recording, script = reproduction.script.recording, reproduction.script
    row = engine_of(binding).require(binding.workflow, instance.id).row
    status = (await instance.status())["status"]
    output = None if row.output is None else await instance.get_output()
    now = redact(Recording(instance_id=instance.id, status=status, output=tag(output)), redacted)
    error = error_of(row)
    outcome = _end(status, now.output, None if error is None else error["message"])
    if status in FINAL_STATUSES and script.missing:
        raise script.ended_without(outcome)
    recorded_message = None if recording.error is None else recording.error.message
    recorded = _end(recording.status, recording.output, recorded_message)
    if script.may_end and not script.missing:
        return
    if status in FINAL_STATUSES or recording.status in FINAL_STATUSES:
        same_error = error is None or same_failure(recording, error["message"])
        if status != recording.status or not same_error or not can_match(recording.output, now.output):
            raise ended_otherwise(script, recorded, outcome, _place_of_end(instance.exception))
    elif script.missing:
        raise script.ended_without(outcome)


def same_failure(recording: Recording, message: str) -> bool:
    """Whether an instance that ended with this message failed as the recorded one did."""
    if recording.error is None:
        return False
    recorded, now = _message_lines(recording.error.message), _message_lines(message)
    if recording.source == "test":
        return texts_can_match("\n".join(recorded), "\n".join(now))
    # Production's tools may show an error without the exceptions round it, or with others.
    if recording.error.message == UNKNOWN_ERROR or not recorded:
        return True
    return bool(now) and texts_can_match(TEXT + recorded[-1], now[-1])


def _end(status: str, output: Any, message: str | None) -> str:
    """A status, and what came with it, in words."""
    if status == "complete":
        return f"complete with {untag(output)!r}"
    return status if message is None else f"{status} with {' / '.join(_message_lines(message))}"


def _message_lines(message: str) -> list[str]:
    """The lines of an error that say what happened, without its traceback's frames, which move with the source."""
    lines = [line for line in message.splitlines() if line.strip() and not line.startswith((" ", *_HEADINGS))]
    return lines[-1:] if "Traceback " in message else lines


def _place_of_end(exception: BaseException | None) -> tuple[str, int] | None:
    """The place where the user's source raised the exception that ended the instance."""
    if exception is None or exception.__traceback__ is None:
        return None
    frame = exception.__traceback__
    while frame.tb_next is not None:
        frame = frame.tb_next
    return frame.tb_frame.f_code.co_filename, frame.tb_lineno
