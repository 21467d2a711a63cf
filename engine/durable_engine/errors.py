"""Every exception and every message text of the engine.

Two families live here. The first is what *user code* meets, because the platform raises it there: `JsException`,
`ConversionError` and `NonRetryableError`. The second is what a *test* meets: subclasses of `EngineError`, whose
messages start with what happened, go on with what was known, and end with what to do.
"""

from __future__ import annotations

from .text.stable_repr import printable

# ---------------------------------------------------------------------------------------------------------------------
# Exceptions that the platform raises inside user code
# ---------------------------------------------------------------------------------------------------------------------


class JsException(Exception):
    """A JavaScript error as Python code sees it on the platform (`pyodide.ffi.JsException`).

    Args:
        name: The JavaScript error's name, such as `"Error"` or `"DataCloneError"`.
        message: The JavaScript error's message.

    Source: docs/reference/fidelity.md, "Exceptions".
    """

    name: str
    message: str
    stack: str
    fact: str | None = None
    """The name under which an exception has the fact that we add to the platform's own text, a note of it as well."""

    def __init__(self, name: str = "Error", message: str = "") -> None:
        super().__init__(name, message)
        self.name = name
        self.message = message
        self.stack = f"{self}\n    at <anonymous>"  # no JavaScript ran here

    @property
    def js_error(self) -> JsException:
        """The error of JavaScript: the exception is its proxy."""
        return self

    @property
    def args(self) -> tuple[JsException]:  # type: ignore[override]
        """The error of JavaScript, whose text is the exception's."""
        return (self,)

    def __reduce__(self) -> tuple[object, ...]:
        return type(self), (self.name, self.message), self.__dict__

    def __repr__(self) -> str:
        return str(self)

    def __str__(self) -> str:
        return f"{self.name}: {self.message}" if self.message else self.name


JsException.__module__ = "pyodide.ffi"


def with_fact(message: str, fact: str) -> JsException:
    """An error whose text is the platform's to the letter, with a note of ours beside it."""
    error = JsException("Error", message)
    error.fact = fact
    error.add_note(fact)
    return error


class ConversionError(Exception):
    """A value that cannot become a JavaScript value (`pyodide.ffi.ConversionError`)."""


ConversionError.__module__ = "pyodide.ffi"


class NonRetryableError(Exception):
    """Raised by a step to end it at once: no further attempt is made (`workers.workflows.NonRetryableError`)."""


NonRetryableError.__module__ = "workers.workflows"


# ---------------------------------------------------------------------------------------------------------------------
# Exceptions that a test meets
# ---------------------------------------------------------------------------------------------------------------------


class EngineError(Exception):
    """Base of every error that the engine raises towards a test (never towards a workflow).

    Its text holds no character that would steer a terminal, whatever the user's values in it are.
    """

    def __str__(self) -> str:
        return printable(super().__str__())


class InvalidArgumentError(EngineError, TypeError, ValueError):
    """An argument of the wrong type or value; the message says what was given and what is allowed."""


class EngineClosedError(EngineError):
    """The engine (and with it the test) that this object belongs to has ended."""


class DismantledError(EngineClosedError, AttributeError):
    """The same, raised where an attribute is asked for: `hasattr` and `getattr` with a default know of nothing else."""


# Who gets it need not know where it was raised.
DismantledError.__name__ = DismantledError.__qualname__ = EngineClosedError.__name__


class StoreError(EngineError):
    """The file that a store is kept in cannot be used; the message says why, and what to do."""


class InstanceNotFoundError(EngineError):
    """The instance does not exist (yet, or any more)."""


class UnknownValueError(EngineError):
    """A workflow used a value that is not known, since the recording that it runs against does not have it.

    Args:
        message: The message.
        reason: Why it is not known, as `UnknownValue` has it.
    """

    def __init__(self, message: str, reason: str = "") -> None:
        super().__init__(message)
        self.reason = reason


class StepFailedError(EngineError):
    """The awaited step has failed for good.

    Args:
        step: The step's name as history shows it, `charge-1`.
        name: Name of the error of the last attempt, such as `"Error"` or `"WorkflowFatalError"`.
        message: Message of that error.
    """

    def __init__(self, step: str, name: str, message: str) -> None:
        super().__init__(f"Step {step!r} failed: {name}: {message}")
        self.step = step
        self.name = name
        self.message = message


class UnreachableStatusError(EngineError):
    """The instance ended in a final status other than the awaited one."""


class WaitTimeoutError(EngineError, TimeoutError):
    """A wait's real-time limit has passed; the message shows what was awaited and the timeline."""


class EventLoopBlockedError(WaitTimeoutError):
    """Code of the Worker ran on without giving way to the event loop, beyond the time that a wait may take.

    The message names the step, and file and line where it was.
    """


class NeverHappensError(WaitTimeoutError):
    """Nothing can run, no timer is left, and what was awaited has not happened: waiting on is pointless."""


class InstanceEndedError(EngineError):
    """The run that the awaited step belonged to was ended by a restart, terminate or delete."""


class NotAvailableError(EngineError):
    """An output or error was asked for that the instance does not have in its status."""


class InternalError(EngineError):
    """The engine contradicts itself: a mistake of the engine, and neither of the test nor of the workflow."""


class ModificationError(EngineError):
    """A modification that contradicts another one, or cannot be carried out."""


class UnusedModificationError(EngineError):
    """A modification was made that nothing used; the message lists the steps that did run."""


class MissingAwaitError(EngineError):
    """A test called what must be awaited, and did not; the message names each place."""


class IntrospectionError(EngineError):
    """An introspector was used against the rules: two at a time, after disposal, on a foreign instance."""


class ReplayEnded(BaseException):
    """Raised in `run` while it is replayed for a check only, where it calls something outside of its steps.

    It is no Exception: `except Exception` in user code must not take it for a failure of what was called.
    """


class WorkflowRuleError(EngineError):
    """A workflow breaks rules of durable workflows, and the test is strict about them; the message names them all."""


class WorkflowRuleWarning(UserWarning):
    """A workflow breaks one of the rules of durable workflows: it will misbehave in production."""

    def __str__(self) -> str:
        return printable(super().__str__())


class WorkflowObserverWarning(UserWarning):
    """Another plugin's hook, or a rule of ours, raised while it observed a workflow, and was switched off."""


class WorkflowDurationWarning(WorkflowRuleWarning):
    """A duration's unit is not one that the platform knows, so that it counts as milliseconds there."""


# ---------------------------------------------------------------------------------------------------------------------
# Message texts of the platform (docs/reference/fidelity.md names the source of each)
# ---------------------------------------------------------------------------------------------------------------------

ALREADY_EXISTS = 'WorkflowError: (instance.already_exists) Workflow instance with id "{id}" already exists'
BATCH_EMPTY = "WorkflowError: batchCreate should have at least 1 instance"
BATCH_COUNT = "count must be a positive integer"
BATCH_INVALID = "Provided argument is invalid"
BATCH_INVALID_ID = "WorkflowError: (instance.invalid_id) Instance ID is invalid"
BATCH_SIZE = "Batch size exceeds maximum allowed"
BATCH_TOO_LARGE = "batchCreate only supports {limit} instances at a time"
CANNOT_RESTART = 'WorkflowError: (instance.cannot_restart) Step "{name}" not found in execution history'
CANNOT_TERMINATE = "WorkflowError: (instance.cannot_terminate) Cannot terminate instance since its on a finite state"
DELAY_INVALID = (
    'returned an invalid delay value (expected a number of ms or a duration string like "30 seconds"). It is {value}.'
)
DELETE_EMPTY = "batchDeleteInstances should have at least 1 instance"
DELETE_TOO_LARGE = "batchDeleteInstances only supports {limit} instances at a time"
EXECUTION_TIMED_OUT = "Execution timed out after {ms}ms"
FATAL_NOT_SERIALISABLE = (
    "The execution of the Workflow instance was terminated, as the step "
    '"{name}" returned a value which is not serialisable'
)
INVALID_CONFIG = (
    'Step config for "{name}" is in a invalid format. '
    "See https://developers.cloudflare.com/workflows/build/sleeping-and-retrying/"
)
INVALID_DURATION = (
    "Duration must be a number or a string in format '{{number}} {{unit}}' where unit is second(s), minute(s), etc."
)
INVALID_TYPE = "Invalid input: expected {expected}, received {kind}"
INVALID_OPTION = "Invalid option: expected one of {allowed}"
INVALID_ID = "WorkflowError: Workflow instance has invalid id"
INVALID_SUBSCRIPTION = "Invalid Workflow subscription options"
INVALID_STEP_NAME = 'Step name "{name}" exceeds max length ({limit} chars) or invalid characters found'
LOST_ATTEMPT = "Attempt failed due to internal workflows error"
NOT_FOUND = "instance.not_found"
NOTHING_TO_DELETE = "WorkflowError: (instance.not_found) Instance does not exist"
OUTPUT_TOO_LARGE = "Step {step} output is too large. Maximum allowed size is {limit}. It is {size} bytes."
PAYLOAD_TOO_LARGE = 'Payload of event "{type}" is too large. Maximum allowed size is {limit}. It is {size} bytes.'
PARAMS_TOO_LARGE = (
    'The params of {instance} of "{workflow}" are too large. Maximum allowed size is {limit}. They are {size} bytes.'
)
PAST_SLEEP = "You can't sleep until a time in the past, time-traveler"
SLEEP_TOO_LONG = 'Sleep "{name}" is too long: {ms}ms. Maximum allowed duration is {limit}ms.'
STORAGE_FULL = (
    'Step "{step}" exceeds the storage of the instance. Maximum allowed size is {limit}. It would be {size} bytes.'
)
SUBSCRIPTION_ABORTED = "Aborting engine: User called {call}"
STEP_LIMIT = "The limit of {limit} steps has been reached. This limit can be changed in your worker configuration."
STEP_NOT_SERIALISABLE = 'Value returned from step "{name}" is not serialisable'
_CONFIGURED = (
    "To configure this limit, refer to https://developers.cloudflare.com/workers/wrangler/configuration/#limits"
)
TOO_MANY_FETCHES = f"Too many subrequests by single Worker invocation. {_CONFIGURED}"
TOO_MANY_SERVICE_CALLS = f"Too many API requests by single Worker invocation. {_CONFIGURED}"
