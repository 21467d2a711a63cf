"""The recording format, version 1: one run of one instance, as it is written to a file.

Times are virtual and aware (UTC), durations are milliseconds. A field of type `Value` holds JSON; what JSON has no form
for stands there tagged (`values.py`), and `untag` gives the Python value. docs/reference/recordings.md says what each
field means; docs/reference/recording.schema.json is made from these structs. New versions of the plugin add fields,
with defaults, and rename none: what an older version wrote stays readable.
"""

from typing import TYPE_CHECKING, Annotated, Any, Literal

import msgspec

from durable_engine import PLAIN_DATETIME, StepKey, StepKind, StepStatus

if TYPE_CHECKING:
    from datetime import datetime
else:
    # Not the class that a user's freezegun may have put into `datetime` by now; and no annotations that are read later.
    datetime = PLAIN_DATETIME

FORMAT: Literal["pytest-workflows-recording"] = "pytest-workflows-recording"
VERSION = 1
Time = Annotated[datetime, msgspec.Meta(tz=True)]
"""A point in virtual time: aware, UTC."""
Value = Any
"""JSON, with tags where JSON has no form for a value."""


class _Part(msgspec.Struct, omit_defaults=True):
    """Base of every part of a recording: fields at their defaults are left out of the file."""


class ErrorRecord(_Part):
    """An error as the platform reports it.

    Attributes:
        name: `Error`, `WorkflowTimeoutError`, ...
        message: Its message; for an exception of the user's code the traceback's text is in it.
    """

    name: str
    message: str


class SourcePlace(_Part):
    """Where in the user's source; the file is relative to the folder that pytest calls rootdir, where it lies in it.

    Attributes:
        file: The file.
        line: The line in it.
    """

    file: str
    line: int


class LogLine(_Part):
    """A line that user code printed or logged.

    Attributes:
        at: When.
        source: `"stdout"`, `"stderr"`, or `"logging"`.
        text: The printed text, or the log record's message.
        level: The log record's level, `"WARNING"`.
        logger: The log record's logger.
    """

    at: Time
    source: Literal["stdout", "stderr", "logging"]
    text: str
    level: str | None = None
    logger: str | None = None


class Attempt(_Part):
    """One attempt of a `do` step.

    Attributes:
        number: 1 for the first.
        started_at: When it began; None where that is not known.
        ended_at: When it ended; None while it runs, or where that is not known.
        error: The error that it failed with; None if it did not fail.
        retry_delay_ms: How long the engine waits before the next attempt; None if there is none.
        lost: Whether the engine died while it ran.
        mocked: Whether a modification answered in the callback's place.
        real_at_ms: When its callback began, in real time from the instance's creation; None where that is not known.
        real_ms: How long it took in real time; None where that is not known.
        log: Its output, printed and logged.
    """

    number: int
    started_at: Time | None = None
    ended_at: Time | None = None
    error: ErrorRecord | None = None
    retry_delay_ms: int | None = None
    lost: bool = False
    mocked: bool = False
    real_at_ms: float | None = None
    real_ms: float | None = None
    log: list[LogLine] = []


class Step(_Part):
    """A step of any kind.

    Attributes:
        kind: `"do"`, `"sleep"` or `"wait_for_event"`.
        name: Its name.
        count: Which occurrence of that name it is, 1-based; of a sleep, among those of its name and duration.
        status: `"running"`, `"waiting"`, `"complete"` or `"errored"`.
        started_at: When it started; None where that is not known.
        ended_at: When it had its outcome.
        config: Of a `do`: retries and timeout, defaults merged in.
        inputs: The dependencies' values, by name.
        result: The value that `run` got.
        error: The error that it failed with for good.
        mocked: Whether a modification answered in the callback's place.
        sensitive: Whether its output is secret, and stands here redacted.
        attempts: Its attempts, oldest first.
        duration_ms: Of a sleep: how long.
        event_type: Of a wait: the type of event that it waits for.
        timeout_ms: Of a wait: how long it waits.
        event: Of a wait: which of the recording's events it took, an index in them, from 0.
        real_at_ms: When it started, in real time from the instance's creation; None where that is not known.
        real_ms: How long it took in real time, up to its outcome; None where that is not known.
        place: Where the step stands in the source.
        branch: 0 for `run` itself; a number for each task that it started, in order of their first step.
        parent: The step whose callback asked for it, with its occurrence; None for what `run` itself asked for.
        unknown_outcome: Whether the instance has ended, and what became of the step is not known: `status` is the last
            thing that is.
    """

    kind: StepKind
    name: str
    count: int = 1
    # By a function, since a default is left out of files if it is the same object: a constant of storage is, what a
    # database gives is not.
    status: Annotated[StepStatus, msgspec.Meta(extra_json_schema={"default": "complete"})] = msgspec.field(
        default_factory=lambda: "complete"
    )
    started_at: Time | None = None
    ended_at: Time | None = None
    config: dict[str, Value] | None = None
    inputs: dict[str, Value] = {}
    result: Value = None
    error: ErrorRecord | None = None
    mocked: bool = False
    sensitive: bool = False
    attempts: list[Attempt] = []
    duration_ms: int | None = None
    event_type: str | None = None
    timeout_ms: int | None = None
    event: int | None = None
    real_at_ms: float | None = None
    real_ms: float | None = None
    place: SourcePlace | None = None
    branch: int = 0
    parent: str | None = None
    unknown_outcome: bool = False

    @property
    def key(self) -> StepKey:
        """The step's identity."""
        return StepKey(self.kind, self.name, self.count, self.duration_ms if self.kind == "sleep" else None)

    @property
    def label(self) -> str:
        """The name as history shows it: `charge-1`."""
        return self.key.label


class SentEvent(_Part):
    """An event that was sent to the instance.

    Attributes:
        type: Its type.
        payload: Its payload.
        sent_at: When it was sent; None where that is not known.
        mocked: Whether `mock_event` made it.
        taken_by: The wait that took it, with its occurrence, `approval-1`; None if none did.
        taken_at: When that was.
    """

    type: str
    payload: Value = None
    sent_at: Time | None = None
    mocked: bool = False
    taken_by: str | None = None
    taken_at: Time | None = None


class Effect(_Part):
    """A call on a binding, a fake or an HTTP service that code of the instance made.

    Attributes:
        service: The binding's name, or the host of a request.
        method: The called method: `send`, `POST /charges`.
        args: Its positional arguments.
        kwargs: Its keyword arguments.
        at: When.
        step: The step whose callback made it, with its occurrence; None for code of `run` itself.
        attempt: The attempt of that step.
        place: Where in the source.
    """

    service: str
    method: str
    args: list[Value] = []
    kwargs: dict[str, Value] = {}
    at: Time | None = None
    step: str | None = None
    attempt: int | None = None
    place: SourcePlace | None = None


class ModificationRecord(_Part):
    """A modification that was in force.

    Attributes:
        call: As the test wrote it: `mock_step_result('charge')`.
        kind: The kind of change: `result`, `error`, `sleep`, `event`, ...
        step: The name of the step that it is for; None for all, or for an event.
        index: Which occurrence of that step.
        times: For how many attempts; None for all.
        used: Whether anything was answered by it.
    """

    call: str
    kind: str
    step: str | None = None
    index: int | None = None
    times: int | None = None
    used: bool = False


class Crash(_Part):
    """A point at which the engine lost the instance's memory and recovered it.

    Attributes:
        at: When.
        after: The last step before it that had started, with its occurrence; None if none had.
        attempt: The attempt of a step that was lost by it, or None.
        step: That step.
    """

    at: Time
    after: str | None = None
    step: str | None = None
    attempt: int | None = None


class FindingRecord(_Part):
    """A broken rule that the run showed.

    Attributes:
        rule: Its name, `random-outside-step`.
        message: The observation.
        place: Where in the source.
        step: The step's name with its occurrence, or None.
    """

    rule: str
    message: str
    place: SourcePlace
    step: str | None = None


class HistoryLine(_Part):
    """One event of the instance's history.

    Attributes:
        kind: `STEP_START`, ...
        step: The step's name with its occurrence; None for events of the instance.
        at: When.
        detail: The data of that kind of event.
    """

    kind: str
    at: Time
    step: str | None = None
    detail: dict[str, Value] = {}


class RunSettings(_Part):
    """The settings of a run that matter for running it again.

    Attributes:
        step_limit: How many `do` steps an execution may ask for.
        implicit_dependencies: Whether a callback's parameters name its dependencies.
        limits: The platform's limits that the test set lower (or higher), by name.
    """

    step_limit: int | None = None
    implicit_dependencies: bool = True
    limits: dict[str, int] = {}


class ResourceUse(_Part):
    """The use of something that the platform limits.

    Attributes:
        resource: `"steps"`, `"requests"` (by `fetch`), `"calls of bindings"`, `"state"`, `"processor time"` or
            `"memory"`; the last two are real, and those of the step that took most.
        used: How much.
        limit: The limit; None where there is none.
        unit: Of both: `"bytes"`, `"ms"`, or empty for a number of something.
    """

    resource: str
    used: float
    limit: int | None = None
    unit: Literal["", "bytes", "ms"] = ""


class Recording(_Part):
    """One run of one instance.

    Attributes:
        instance_id: The instance's id.
        status: Its status at the end of the recording.
        format: Distinguishes a recording from any other JSON.
        version: Of the format.
        source: `"test"`, or `"production"` for what the platform's API gave.
        made_by: The program and its version.
        test: The test's node id.
        outcome: The test's: `"passed"` or `"failed"`.
        binding: The workflow's binding; None where that is not known.
        workflow: The workflow's own name; None where that is not known.
        class_name: The workflow's class.
        module: The module that the class is defined in.
        file: That module's file, relative to rootdir where it lies in it.
        config: The wrangler configuration's file, likewise.
        bindings: Names of the bindings that the test gave, beside the configured ones.
        version_id: Production's id of the Worker's version that ran.
        params: The params of the instance.
        trigger: The trigger that started it.
        clock_start: Where the test's virtual clock started.
        created_at: When the instance was created (queued).
        started_at: When it first ran.
        ended_at: When it reached its final status; None if it did not.
        recorded_at: The virtual time at which the recording was made.
        seed: The seed of the ids that the engine made.
        schedule_seed: The seed of the interleaving; None for the order of asyncio.
        settings: How the workflow ran.
        modifications: The modifications of the test.
        steps: Its steps, in order of their start.
        events: The events that were sent to it, in order.
        effects: Its calls on bindings, in order.
        log: The output of `run` outside of steps, printed and logged.
        crashes: Where the engine died and recovered it.
        findings: Rules that it broke.
        history: Its history, in order.
        output: The value that `run` returned; None unless complete.
        error: The error that it ended with; None unless errored.
        traceback: The traceback of the original exception that ended it, causes included.
        real_ms: Real milliseconds from its creation to its end, or to the end of the recording.
        lives: How often `run` was called for it.
        uses: What it used of what the platform limits; empty where that is not known.
        notes: Notes on what is not known, or was left out.
        left_out: How many steps and attempts were left out of the middle; of such a recording nothing can be run again.
        rollbacks: Production's steps that undid others, each under the name of the step it undid. A Python workflow
            has none.
    """

    instance_id: str
    status: str
    format: Literal["pytest-workflows-recording"] = FORMAT
    version: int = VERSION
    source: Literal["test", "production"] = "test"
    made_by: str | None = None
    test: str | None = None
    outcome: Literal["passed", "failed"] | None = None
    binding: str | None = None
    workflow: str | None = None
    class_name: str | None = None
    module: str | None = None
    file: str | None = None
    config: str | None = None
    bindings: list[str] = []
    version_id: str | None = None
    params: Value = None
    trigger: Value = None
    clock_start: Time | None = None
    created_at: Time | None = None
    started_at: Time | None = None
    ended_at: Time | None = None
    recorded_at: Time | None = None
    seed: int | str | None = None
    schedule_seed: int | None = None
    settings: RunSettings = msgspec.field(default_factory=RunSettings)
    modifications: list[ModificationRecord] = []
    steps: list[Step] = []
    events: list[SentEvent] = []
    effects: list[Effect] = []
    log: list[LogLine] = []
    crashes: list[Crash] = []
    findings: list[FindingRecord] = []
    history: list[HistoryLine] = []
    output: Value = None
    error: ErrorRecord | None = None
    traceback: str | None = None
    real_ms: float | None = None
    lives: int = 1
    uses: list[ResourceUse] = []
    notes: list[str] = []
    left_out: int = 0
    rollbacks: list[Step] = []
