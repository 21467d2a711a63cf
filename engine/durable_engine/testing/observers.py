"""Observers: the API through which reports, recordings, rules and other tools follow an engine.

An exception that an observer raises is caught and reported once, and the observer is switched off: neither
the workflow nor its test is touched.
"""

from __future__ import annotations

import traceback
import warnings
from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from operator import attrgetter
from typing import Any, NamedTuple

from durable_engine.errors import WorkflowObserverWarning
from durable_engine.guard.unwinding import GiveWay
from durable_engine.instance import Instance
from durable_engine.model import Ask, CallbackRun, Effect, Place, StepKey
from durable_engine.rows import InstanceRow
from durable_engine.text.source_paths import shown_path
from durable_engine.text.stable_repr import printable
from durable_engine.workflow import Workflow

from .findings import Finding


class Observer:
    """A base class of observers, which are notified in order; a subclass overrides the hooks that it wants.

    An Exception that it raises is reported once, and the observer is notified no more. What is no Exception, such as
    a KeyboardInterrupt, passes.
    """

    wanted: tuple[str, ...] = ()
    """The hooks that a subclass wants: the methods that it has of its own."""

    @property
    def title(self) -> str:
        """The observer's name in reports; those of one title are switched off together."""
        return f"observer {type(self).__module__}.{type(self).__qualname__}"

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        cls.wanted = tuple(name for name in _HOOKS if getattr(cls, name) is not getattr(Observer, name))

    def _leave(self) -> None:
        """The test is over: put back what stands anywhere but in the engine."""

    def instance_created(self, instance: Instance) -> None:
        """An instance was created and is about to run."""

    def instance_finished(self, instance: Instance) -> None:
        """An instance has reached a final status."""

    def execution_started(self, instance: Instance, event: Any) -> None:
        """An execution of an instance begins: `run` is about to be called with this event."""

    def execution_ended(self, instance: Instance) -> None:
        """An execution is over: the instance has ended, or its memory is lost."""

    def step_asked(self, instance: Instance, ask: Ask) -> None:
        """`run` asks for a step, outside of callbacks, whether an earlier execution knows it or not."""

    def step_started(self, instance: Instance, step: StepKey) -> None:
        """A step of any kind has started for the first time."""

    def step_finished(self, instance: Instance, step: StepKey) -> None:
        """A step has its outcome."""

    def callback_started(self, instance: Instance, run: CallbackRun) -> None:
        """The user's callback is about to be called; a mocked attempt calls none."""

    def callback_returned(self, instance: Instance, run: CallbackRun, value: Any, data: bytes) -> None:
        """The callback returned `value`, which was stored as `data`."""

    def callback_ended(self, instance: Instance, run: CallbackRun) -> None:
        """The callback has returned or raised, or was lost."""

    def attempt_overlapped(self, instance: Instance, run: CallbackRun) -> None:
        """A further attempt begins while the callback of this one, which timed out, still runs."""

    def crashed(self, instance: Instance) -> None:
        """The memory of an instance is lost; its next execution starts from storage."""

    def restarted(self, instance: Instance, *, whole: bool) -> None:
        """An instance is about to run again, from the top (`whole`) or from one of its steps."""

    def instance_discarded(self, row: InstanceRow) -> None:
        """Nothing of an instance is stored any more: it was deleted, or its time had come."""

    def attempt_lost(self, instance: Instance, step: StepKey, attempt: int) -> None:
        """The memory was lost while this attempt ran: it will be made again."""

    def effect(self, instance: Instance, effect: Effect) -> None:
        """Code of an instance called a binding, a fake or an HTTP service."""

    def binding_called(self, workflow: Workflow, method: str, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> None:
        """Some code, of an instance or not, calls a workflow's binding or an instance's handle."""

    def create_refused(self, workflow: Workflow, id: str) -> None:
        """An instance was not created, since its id is taken."""

    def event_sent(self, instance: Instance, event_type: str, payload: bytes) -> None:
        """An event arrived for an instance that has not ended."""

    def event_kept(self, row: InstanceRow, event_type: str, event: int) -> None:
        """An event, sent or mocked, was stored under that number for the next wait."""

    def event_taken(self, instance: Instance, wait: StepKey, event_type: str, event: int) -> None:
        """A wait takes the event that was stored under that number."""

    def event_lost(self, instance: Instance, event_type: str | None, place: Place) -> None:
        """An event was sent to an instance that has ended, or without a type: nobody can take it."""

    def wait_started(self, instance: Instance, wait: StepKey, event_type: str, place: Place) -> None:
        """A wait begins to take events: for the first time, or again after a pause or a crash."""

    def found(self, finding: Finding) -> None:
        """A broken rule was noticed."""


_WANTED = attrgetter("wanted")
_HOOKS = [name for name, value in vars(Observer).items() if callable(value) and not name.startswith("_")]


class ObserverFailure(NamedTuple):
    """An observer raised, and is switched off.

    Attributes:
        title: The observer's name in reports.
        during: The hook that it raised in.
        error: The exception that it raised.
    """

    title: str
    during: str
    error: Exception

    def warn(self) -> None:
        """Warn of it, at the place where it was raised; no filter makes a failure of somebody else's test of it."""
        frames = traceback.extract_tb(self.error.__traceback__)
        file, line, name = frames[-1].filename, frames[-1].lineno or 0, frames[-1].name
        raised = "".join(traceback.format_exception_only(self.error)).strip()
        text = (
            f"{self.title} raised in {self.during}: {raised} ({shown_path(file, None)}:{line}, in {name}). "
            "It is switched off for the rest of the session; the workflow and its test are not touched. Mend it there."
        )
        warning = WorkflowObserverWarning(printable(text))
        try:
            warnings.warn_explicit(warning, WorkflowObserverWarning, file, line)
        except WorkflowObserverWarning:
            with warnings.catch_warnings():
                warnings.simplefilter("always", WorkflowObserverWarning)
                warnings.warn_explicit(warning, WorkflowObserverWarning, file, line)


@lru_cache(maxsize=64)
def _places_of_wanting(wanted: tuple[tuple[str, ...], ...]) -> dict[str, list[int]]:
    """By hook, the places of those observers that want it, which are the same ones in nearly every test."""
    found: dict[str, list[int]] = {name: [] for name in _HOOKS}
    for place, names in enumerate(wanted):
        for name in names:
            found[name].append(place)
    return found


class Observers(Observer):
    """The observers of an engine: each hook is passed on to every observer that has it.

    Args:
        passthrough: Exceptions that pass though an observer raises them.

    Attributes:
        off: The titles of those that were switched off; several engines may share it.
        report: Called with each failure, once a title.
    """

    def __init__(self, passthrough: tuple[type[BaseException], ...] = ()) -> None:
        self.passthrough = passthrough
        self._observers: list[Observer] = []
        self._later: list[tuple[int, Callable[[], Iterable[Observer]]]] = []
        self._listeners: dict[str, list[tuple[Observer, Callable[..., None]]]] = {}
        self.off: set[str] = set()
        self.report: Callable[[ObserverFailure], None] = ObserverFailure.warn

    def add(self, observer: Observer) -> None:
        """Notify this observer from now on, unless it was switched off."""
        if self._is_on(observer):
            self._observers.append(observer)
            self._listeners = {}

    def _is_on(self, observer: Observer) -> bool:
        return not self.off or observer.title not in self.off

    def add_when_needed(self, make: Callable[[], Iterable[Observer]]) -> None:
        """Notify observers that are made when the first hook is called: a test without instances calls none.

        Args:
            make: Makes them. They are notified as if they had been added now.
        """
        self._later.append((len(self._observers), make))
        self._listeners = {}

    def clear(self) -> None:
        """Notify nobody any more: the test is over, and no observer and its engine keep each other in memory."""
        observers, self._observers, self._later, self._listeners = self._observers, [], [], {}
        for observer in observers:
            observer._leave()

    def _listening(self, name: str) -> list[tuple[Observer, Callable[..., None]]]:
        """Those who want to know of a hook, found when it is first called."""
        later, self._later = self._later, []
        for place, make in reversed(later):
            self._observers[place:place] = filter(self._is_on, make())
        places = _places_of_wanting(tuple(map(_WANTED, self._observers)))[name]
        found = [(observer, getattr(observer, name)) for observer in map(self._observers.__getitem__, places)]
        self._listeners[name] = found
        return found

    def switch_off(self, title: str, during: str, error: Exception) -> None:
        """Stop notifying the observers of a title, and report why, once.

        Args:
            title: The observer's name in reports.
            during: The hook that it raised in.
            error: The exception that it raised.

        Raises:
            Exception: The error itself, where it is one that passes.
        """
        if isinstance(error, self.passthrough):
            raise error
        self._observers = [one for one in self._observers if one.title != title]
        self._listeners = {}
        if title not in self.off:
            self.off.add(title)
            self.report(ObserverFailure(title, during, error))


_NEVER_KEPT = (KeyboardInterrupt, SystemExit, GiveWay)
"""Exceptions that end the session or a loop at once, wherever they are raised."""

_IN_ENGINE_CODE = frozenset(
    ("attempt_lost", "attempt_overlapped", "event_taken", "instance_finished", "execution_ended", "step_finished")
)
"""Hooks that are called from the engine's own code, about an instance, while neither `run` nor the test waits."""


def _notifier(name: str) -> Callable[..., None]:
    def notify(self: Observers, *arguments: Any, **named: Any) -> None:
        # Who comes or goes meanwhile changes no list: others are made then.
        off, listeners = self.off, self._listeners.get(name)
        for observer, listener in self._listening(name) if listeners is None else listeners:
            if off and observer.title in off:
                continue  # it raised meanwhile
            try:
                if named:
                    listener(*arguments, **named)
                else:
                    listener(*arguments)
            except self.passthrough as error:
                if name not in _IN_ENGINE_CODE or isinstance(error, _NEVER_KEPT):
                    raise
                # It would reach neither the test nor `run`: the event loop would only log it.
                arguments[0].abort_soon(error)
            except Exception as error:
                self.switch_off(observer.title, name, error)

    notify.__name__, notify.__doc__ = name, getattr(Observer, name).__doc__
    return notify


for _name in _HOOKS:
    setattr(Observers, _name, _notifier(_name))
