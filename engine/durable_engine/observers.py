"""Who is told what happens on an engine: the door for reports, recordings and other tools."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from .instance import Instance
    from .model import StepKey


class Observer(Protocol):
    """Told of what happens, in the order in which it happens."""

    def instance_created(self, instance: Instance) -> None:
        """An instance was created and is about to run."""

    def instance_finished(self, instance: Instance) -> None:
        """An instance has reached a final status."""

    def step_started(self, instance: Instance, step: StepKey) -> None:
        """A step of any kind has started for the first time."""

    def step_finished(self, instance: Instance, step: StepKey) -> None:
        """A step has its outcome."""


class Observers:
    """Tells every observer."""

    def __init__(self) -> None:
        self._observers: list[Observer] = []

    def add(self, observer: Observer) -> None:
        """Tell this one as well, from now on."""
        self._observers.append(observer)

    def remove(self, observer: Observer) -> None:
        """Tell this one no more; removing twice is fine."""
        if observer in self._observers:
            self._observers.remove(observer)

    def instance_created(self, instance: Instance) -> None:
        """Tell of a new instance."""
        for observer in list(self._observers):
            observer.instance_created(instance)

    def instance_finished(self, instance: Instance) -> None:
        """Tell of an instance's end."""
        for observer in list(self._observers):
            observer.instance_finished(instance)

    def step_started(self, instance: Instance, step: StepKey) -> None:
        """Tell of a step's start."""
        for observer in self._observers:
            observer.step_started(instance, step)

    def step_finished(self, instance: Instance, step: StepKey) -> None:
        """Tell of a step's outcome."""
        for observer in self._observers:
            observer.step_finished(instance, step)
