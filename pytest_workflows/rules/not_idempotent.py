"""not-idempotent: an attempt was lost after it had an effect, and the next attempt had the same effect again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from durable_engine import CallbackRun, Effect, Engine, Instance, StepKey
from pytest_workflows.sources.worker_code import Sources
from pytest_workflows.standins.entropy import is_drawn

from .base import RuleObserver
from .registry import register


@dataclass
class _Attempts:
    """The attempts of a step.

    Attributes:
        calls: The calls on services, by attempt.
        lost: The attempts whose outcome was lost.
    """

    calls: dict[int, list[Effect]] = field(default_factory=dict)
    lost: list[int] = field(default_factory=list)


@register(
    "not-idempotent",
    consequence="an attempt whose result is lost is run again, and the effect happens twice",
    remedy="pass a key that lets the service know the second call for the first, or look first whether it is done",
)
class NotIdempotent(RuleObserver):
    """An observer that compares the calls of an attempt with those of the lost attempts before it."""

    def __init__(self, engine: Engine, sources: Sources) -> None:
        super().__init__(engine, sources)
        self._steps: dict[tuple[int, StepKey], _Attempts] = {}

    def callback_started(self, instance: Instance, run: CallbackRun) -> None:
        """Begin anew at a first attempt: that of a new instance, or of one that was restarted."""
        if run.attempt == 1:
            self._steps[instance.row.key, run.key] = _Attempts()

    def attempt_lost(self, instance: Instance, step: StepKey, attempt: int) -> None:
        """Keep that an attempt's outcome is lost."""
        self._of(instance, step).lost.append(attempt)

    def step_finished(self, instance: Instance, step: StepKey) -> None:
        """Forget the step: no further attempt will be made."""
        self._steps.pop((instance.row.key, step), None)

    def effect(self, instance: Instance, effect: Effect) -> None:
        """Compare a call with those of the lost attempts."""
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

    def _of(self, instance: Instance, step: StepKey) -> _Attempts:
        return self._steps.setdefault((instance.row.key, step), _Attempts())

    def _judge(self, instance: Instance, earlier: Effect, effect: Effect) -> None:
        from .analysis.call_names import describe_call
        from .analysis.idempotency import classify_repeat, has_reference, key_of

        verdict = classify_repeat(effect, instance)
        before, now = key_of(earlier, instance), key_of(effect, instance)
        is_random = any(map(is_drawn, now))
        if verdict == "harmless" or (before and before == now and not is_random):
            return
        assert effect.step is not None
        label = effect.step.label
        message = (
            f"the result of attempt {earlier.attempt} of step {label!r}, which called {describe_call(earlier)}, was "
            f"lost, and attempt {effect.attempt} calls it again"
        )
        if is_random:
            message += f" with another key ({now[0]!r} is drawn in the step: in production each attempt draws its own)"
        elif before and now:
            message += f" with another key ({now[0]!r}, not {before[0]!r})"
        if verdict == "unknown" or has_reference(effect):
            message += "; unless it knows the second call for the first, it may happen twice"
        self.report(message, effect.place, instance.workflow, step=label, about=describe_call(effect))


def _same(effect: Effect, mine: Sequence[Effect], earlier: Sequence[Effect], instance: Instance) -> Effect | None:
    """The call of an earlier attempt that a call repeats, or None.

    A call with the same arguments is repeated. One with other arguments is if the attempt did not first ask the service
    what is done already.
    """
    like = [one for one in earlier if _is_like(one, effect)]
    for one in like:
        if _equal((one.args, dict(one.kwargs)), (effect.args, dict(effect.kwargs))):
            return one
    from .analysis.idempotency import classify_repeat

    has_asked = any(classify_repeat(one, instance) == "harmless" and one.service == effect.service for one in mine)
    nth = sum(_is_like(one, effect) for one in mine)
    return None if has_asked or nth >= len(like) else like[nth]


def _is_like(one: Effect, other: Effect) -> bool:
    from .analysis.call_names import last_name

    return (one.service, one.place, last_name(one)) == (other.service, other.place, last_name(other))


def _equal(one: object, other: object) -> bool:
    try:
        return bool(one == other)
    except Exception:  # an object of the user's whose comparison fails is not known to be the same
        return False
