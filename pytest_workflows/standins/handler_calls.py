"""`queue()` and `scheduled()` of a service binding: handlers of another entrypoint, called for their outcome.

The platform has them with the compatibility flag `service_binding_extra_handlers`.
Source: observed with workerd 1.20261117.1.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from pytest_workflows.javascript.collections import JsDate
from pytest_workflows.javascript.objects import JsArray, JsObject, JsPlain, JsPromise, js_error, js_text, option

from .queue_batch import Answer, QueueController, QueueMessage
from .scheduled import ScheduledController

if TYPE_CHECKING:
    from .host import Host


def call_queue(host: Host, entrypoint: str | None, args: list[Any]) -> JsPromise:
    """Give an entrypoint's `queue` handler one batch.

    Args:
        host: The test.
        entrypoint: The class; None for the default entrypoint.
        args: What `queue()` was called with: the queue's name and the messages, values of JavaScript.

    Returns:
        What the handler said of them, when it is over: nothing is retried.
    """
    try:
        queue = js_text(args[0]) if args else ""
        messages = [_message(one) for one in _items(args[1] if len(args) > 1 else None)]
    except Exception as error:
        return JsPromise.rejected(error)

    async def call() -> JsPlain:
        controller = QueueController(queue, lambda answer: [QueueMessage(*one, answer) for one in messages])
        answer: Answer = await host.deliver_batch(controller, entrypoint)
        return answer.as_js()

    return JsPromise.running(host.spawn(call(), f"The queue handler of {entrypoint or 'the default entrypoint'}"))


def call_scheduled(host: Host, entrypoint: str | None, args: list[Any]) -> JsPromise:
    """Call an entrypoint's `scheduled` handler.

    Args:
        host: The test.
        entrypoint: The class; None for the default entrypoint.
        args: What `scheduled()` was called with: an object of `cron` and `scheduledTime`, or nothing.
    """
    options = args[0] if args else None
    cron, at = option(options, "cron"), option(options, "scheduledTime")
    moment = at._ms if isinstance(at, JsDate) else at if isinstance(at, int | float) else host.now_ms()

    async def call() -> JsPlain:
        controller = ScheduledController("" if cron is None else js_text(cron), moment)
        outcome = await host.call_handler("scheduled", controller, entrypoint)
        return JsPlain({"outcome": outcome, "noRetry": controller._is_final})

    return JsPromise.running(host.spawn(call(), f"The scheduled handler of {entrypoint or 'the default entrypoint'}"))


def _items(messages: Any) -> list[Any]:
    if not isinstance(messages, JsArray):
        raise js_error("TypeError", "Failed to execute 'queue' on 'Fetcher': parameter 2 is not of type 'Array'.")
    return messages._items


def _message(given: Any) -> tuple[str, float, Callable[[], Any], int]:
    if not isinstance(given, JsObject):
        raise js_error("TypeError", "Incorrect type: the provided value is not of type 'ServiceBindingQueueMessage'.")
    attempts = option(given, "attempts")
    if isinstance(attempts, bool) or not isinstance(attempts, int):
        raise js_error("TypeError", "The value cannot be converted because it is not an integer.")
    at, body = option(given, "timestamp"), option(given, "body")
    moment = at._ms if isinstance(at, JsDate) else at if isinstance(at, int | float) else 0
    return js_text(option(given, "id")), moment, lambda: body, attempts
