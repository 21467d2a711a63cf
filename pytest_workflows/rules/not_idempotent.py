"""not-idempotent: an attempt was lost after it had an effect, and the next attempt had the same effect again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from durable_engine import CallbackRun, Effect, Engine, Instance, StepKey
from pytest_workflows.sources.worker_code import Sources

from .base import RuleObserver
from .calls import last_name, shown
from .idempotency import has_reference, key_of, repeating


@dataclass
class _StepsCalls:
    """What the attempts of a step did.

    Attributes:
        calls: By attempt.
        lost: The attempts whose outcome was lost.
    """

    calls: dict[int, list[Effect]] = field(default_factory=dict)
    lost: list[int] = field(default_factory=list)


class NotIdempotent(RuleObserver):
    """Compares the calls of an attempt with those of the lost ones before it."""

    rule = "not-idempotent"

    def __init__(self, engine: Engine, sources: Sources) -> None:
        super().__init__(engine, sources)
        self._steps: dict[tuple[int, StepKey], _StepsCalls] = {}

    def callback_started(self, instance: Instance, run: CallbackRun) -> None:
        """A first attempt is that of a new instance, or of one that was restarted."""
        if run.attempt == 1:
            self._steps[instance.row.key, run.key] = _StepsCalls()

    def attempt_lost(self, instance: Instance, step: StepKey, attempt: int) -> None:
        """An attempt's outcome is gone."""
        self._of(instance, step).lost.append(attempt)

    def step_finished(self, instance: Instance, step: StepKey) -> None:
        """No further attempt will be made."""
        self._steps.pop((instance.row.key, step), None)

    def effect(self, instance: Instance, effect: Effect) -> None:
        """A service was called."""
        if effect.step is None or effect.attempt is None:
            return
        place = self._sources.place_of_caller()
        if place is None:
            return
        step = self._of(instance, effect.step)
        mine = step.calls.setdefault(effect.attempt, [])
        for attempt in step.lost:
            earlier = _same(effect, mine, step.calls.get(attempt, ()), instance)
            if earlier is not None:
                self._judge(instance, earlier, effect)
        mine.append(effect)

    def _of(self, instance: Instance, step: StepKey) -> _StepsCalls:
        return self._steps.setdefault((instance.row.key, step), _StepsCalls())

    def _judge(self, instance: Instance, earlier: Effect, effect: Effect) -> None:
        verdict = repeating(effect, instance)
        before, now = key_of(earlier, instance), key_of(effect, instance)
        if verdict == "harmless" or (before and before == now):
            return
        assert effect.step is not None
        label = effect.step.label
        message = (
            f"the result of attempt {earlier.attempt} of step {label!r}, which called {shown(earlier)}, was lost, and "
            f"attempt {effect.attempt} calls it again"
        )
        if before and now:
            message += f" with another key ({now[0]!r}, not {before[0]!r})"
        if verdict == "unknown" or has_reference(effect):
            message += "; unless it knows the second call for the first, it may happen twice"
        self.report(message, effect.place, instance, step=label, about=shown(effect))


def _same(effect: Effect, mine: Sequence[Effect], earlier: Sequence[Effect], instance: Instance) -> Effect | None:
    """The call of an earlier attempt that this one repeats.

    One with the same arguments is; one with others is if the attempt did not look first what was done already.
    """
    like = [one for one in earlier if _is_like(one, effect)]
    for one in like:
        if _equal((one.args, dict(one.kwargs)), (effect.args, dict(effect.kwargs))):
            return one
    has_checked = any(repeating(one, instance) == "harmless" and one.service == effect.service for one in mine)
    nth = sum(_is_like(one, effect) for one in mine)
    return None if has_checked or nth >= len(like) else like[nth]


def _is_like(one: Effect, other: Effect) -> bool:
    return (one.service, one.place, last_name(one)) == (other.service, other.place, last_name(other))


def _equal(one: object, other: object) -> bool:
    try:
        return bool(one == other)
    except Exception:  # an object of the user's whose comparison fails is not known to be the same
        return False
