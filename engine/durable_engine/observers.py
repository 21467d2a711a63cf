"""Who is told what happens on an engine: the door for reports, recordings, rules and other tools."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .binding import Workflow
    from .findings import Finding
    from .instance import Instance
    from .model import Ask, CallbackRun, Effect, Place, StepKey
    from .store import InstanceRow


class Observer:
    """Told of what happens, in the order in which it happens; a subclass overrides what it wants to hear of.

    What an observer raises reaches whoever caused it: an observer of user code must not raise.
    """

    wanted: ClassVar[tuple[str, ...]] = ()
    """What a subclass wants to hear of: the methods that it has of its own."""

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        cls.wanted = tuple(name for name in _HOOKS if getattr(cls, name) is not getattr(Observer, name))

    def instance_created(self, instance: Instance) -> None:
        """An instance was created and is about to run."""

    def instance_finished(self, instance: Instance) -> None:
        """An instance has reached a final status."""

    def life_started(self, instance: Instance, event: Any) -> None:
        """A life of an instance begins: `run` is about to be called with this event."""

    def life_ended(self, instance: Instance) -> None:
        """A life is over: the instance has ended, or its memory is lost."""

    def step_asked(self, instance: Instance, ask: Ask) -> None:
        """`run` asks for a step, outside of callbacks, whether it is known from an earlier life or not."""

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
        """The memory of an instance is lost; its next life starts from storage."""

    def restarted(self, instance: Instance, *, whole: bool) -> None:
        """An instance is about to run again, from the top (`whole`) or from one of its steps."""

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
        """A wait begins to look for events: for the first time, or again after a pause or a crash."""

    def found(self, finding: Finding) -> None:
        """A broken rule was noticed."""


_HOOKS = [name for name, value in vars(Observer).items() if callable(value) and not name.startswith("_")]


class Observers(Observer):
    """Tells every observer that wants to hear of it."""

    def __init__(self) -> None:
        self._listeners: dict[str, list[Callable[..., None]]] = {name: [] for name in _HOOKS}

    def add(self, observer: Observer) -> None:
        """Tell this one as well, from now on."""
        for name in observer.wanted:
            self._listeners[name].append(getattr(observer, name))


def _teller(name: str) -> Any:
    def tell(self: Observers, *arguments: Any, **named: Any) -> None:
        for listener in self._listeners[name][:]:
            listener(*arguments, **named)

    tell.__name__, tell.__doc__ = name, getattr(Observer, name).__doc__
    return tell


for _name in _HOOKS:
    setattr(Observers, _name, _teller(_name))
