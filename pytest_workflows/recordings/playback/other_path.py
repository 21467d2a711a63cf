"""A recording as the script of a source that may take another path: equal effects are asked for, not an equal path.

A step that the recording does not have is answered with an unknown value, after all that is recorded: no callback runs.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from durable_engine import Ask, Instance, PlayedStep, StepKey, UnknownValue, UnknownValueError
from pytest_workflows.exploration.judgement import BegunStep, Judgement, PathDifference
from pytest_workflows.recordings.errors import DivergenceError
from pytest_workflows.recordings.format.model import Attempt, Recording, Step
from pytest_workflows.recordings.format.values import tag

from .divergence import call, diverged
from .script import RecordedScript, play

_SLEEP_TOLERANCE_MS = 1000
"""Two sleeps that differ by less, or by a hundredth, may be one: the time of `sleep_until` is counted from its call."""
_NOT_RECORDED = "the recording does not have {step}, which is new"


@dataclass(slots=True)
class OtherPathScript(RecordedScript):
    """A script that follows a source on another path, as long as it comes to the recorded effects.

    Attributes:
        judgement: The judgement of the execution that is under way.
    """

    judgement: Judgement = field(init=False)
    _new: dict[StepKey, PlayedStep] = field(default_factory=dict)
    _instead_of: dict[StepKey, tuple[Ask, Step | None]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        RecordedScript.__post_init__(self)
        self._judge_anew()

    def begins(self, instance: Instance) -> None:
        """Begin anew, as `run` does."""
        RecordedScript.begins(self, instance)
        self._judge_anew()

    def _judge_anew(self) -> None:
        self.judgement = Judgement([BegunStep(step.key, *self._spans[step.key]) for step in self.expected])

    def find(self, key: StepKey) -> PlayedStep | None:
        """The recorded step of that identity, or the answer to a new one."""
        return self._new.get(key) or RecordedScript.find(self, key)

    def ended_without(self, outcome: str) -> DivergenceError:
        """The error for a `run` that goes no further and has not taken up all that is recorded."""
        difference = self.judgement.finish()
        if difference is None or difference.new is None:
            return RecordedScript.ended_without(self, outcome)
        return self._error(difference)

    def ends_unknown(self, error: UnknownValueError) -> bool:
        """Whether `run` stopped at the unknown outcome of a new step, and the recording has nothing against it so far.

        Raises:
            DivergenceError: If an effect is recorded that the source has not come to, and the new step stands there.
        """
        if not any(error.reason == _reason(key) for key in self._new):
            return False
        if any(key.kind == "do" for key in self.judgement.missing):
            raise self.ended_without("stopped") from None
        return not self.judgement.missing

    def _find_recorded(self, instance: Instance, key: StepKey) -> StepKey:
        recorded = RecordedScript._find_recorded(self, instance, key)
        if recorded == key or key.duration is None or not _is_another_sleep(self._steps[recorded], key.duration):
            return recorded
        self._recorded[key] = key
        return key

    def _check_path(self, instance: Instance, ask: Ask, missing: list[Step]) -> Exception | None:
        if ask.key not in self._steps:
            if self._is_beyond(instance, missing):
                return None
            self._instead_of[ask.key] = (ask, missing[0] if missing else None)
            self._new[ask.key] = _answer(ask.key, instance.engine.clock.now, self.recording)
        answered = [key for key, step in self._new.items() if self.played.get(key) == len(step.lines)]
        difference = self.judgement.ask(ask.key, answered)
        return None if difference is None else self._error(difference)

    def _error(self, difference: PathDifference) -> DivergenceError:
        assert difference.new is not None
        own = next((ask for ask in self.asked if ask.key == difference.new), self.asked[-1])
        ask, recorded = self._instead_of.get(difference.new, (own, self._steps[difference.old]))
        return diverged(self, ask, recorded, _in_words(difference))


def _is_another_sleep(recorded: Step, duration: int) -> bool:
    """Whether a sleep of that duration, in milliseconds, cannot be the recorded one.

    Production shows how long a sleep took. A pause makes that longer and nothing makes it shorter; of one that lasts it
    is how long it will take.
    """
    took = recorded.duration_ms
    if took is None:
        return False
    longer = duration - took
    allowed = max(_SLEEP_TOLERANCE_MS, took // 100)
    return longer > allowed or (recorded.status != "complete" and -longer > allowed)


def _reason(key: StepKey) -> str:
    return _NOT_RECORDED.format(step=call(key))


def _in_words(difference: PathDifference) -> str:
    old, new = call(difference.old), "" if difference.new is None else call(difference.new)
    return {
        "renamed": f"The effect of {old} is there already, and would come again under another name.",
        "changed sleep": f"What {old} has slept does not count for a sleep of another duration, which begins anew.",
        "lost": f"{old} is never taken up: what it did is lost, and {new} stands in its place.",
        "reordered": f"{new} is taken up before {old}, or without it.",
        "late": f"The effect of {old} is there already, and that of {new} would come behind it.",
    }[difference.kind]


def _answer(key: StepKey, now: datetime, recording: Recording) -> PlayedStep:
    """The answer to a step that is not recorded: unknown, and after everything else, which it may run beside."""
    times = [recording.ended_at, recording.started_at, recording.created_at]
    times += [time for step in recording.steps for time in (step.started_at, step.ended_at)]
    end = max([now + timedelta(milliseconds=max(key.duration or 0, 0)), *(time for time in times if time is not None)])
    unknown = tag(UnknownValue(_reason(key)))
    is_wait = key.kind == "wait_for_event"
    step = Step(
        kind=key.kind,
        name=key.name,
        count=key.count,
        status="complete",
        started_at=now,
        ended_at=end,
        duration_ms=key.duration,
        attempts=[Attempt(number=1, started_at=now, ended_at=end)] if key.kind == "do" else [],
        result={"payload": unknown, "type": unknown, "timestamp": unknown} if is_wait else unknown,
    )
    return play(key, step, float("inf"), recording)
