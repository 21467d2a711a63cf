"""The recordings of one test: instances are kept as they go, and made into recordings when those are wanted."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

import msgspec

from durable_engine import Engine, Workflow
from pytest_workflows.introspection.registry import Leaving

from .observer import Watcher
from .snapshot import Origin, Snapshot, sensitive_outputs, snapshot

if TYPE_CHECKING:
    from pytest_workflows.recordings.format.model import Recording
    from pytest_workflows.recordings.format.redaction import Secrets

MOST = 500
"""The most instances of a test whose recordings are kept, unless all tests are recorded."""


class Capture:
    """A store of the snapshots that the recordings of one test are made from.

    Args:
        engine: The test's engine.
        keys: Whose values are redacted.
        most: Of how many instances recordings are kept; None for all.
        secrets: Texts that are redacted wherever they stand.

    Attributes:
        left_out: How many instances were more than that.
    """

    def __init__(
        self, engine: Engine, keys: Iterable[str], most: int | None = MOST, secrets: Iterable[str] = ()
    ) -> None:
        self._secrets = tuple(secrets)
        self._engine = engine
        self._keys = tuple(keys)
        self._most = most
        self._kept: list[Snapshot] = []
        self._finished = False
        self.left_out = 0
        self._watcher = Watcher(engine)
        engine.observers.add(self._watcher)

    def keep(self, workflow: Workflow, ids: Iterable[str], leaving: Leaving | None = None) -> None:
        """Keep instances that are about to go.

        Args:
            workflow: Their workflow.
            ids: Their ids.
            leaving: Gives their runs, where somebody else keeps those, too.
        """
        leaving = leaving or Leaving(self._engine)
        for id in ids:
            instance = self._engine.find(workflow, id)
            if instance is None:
                continue
            if self._most is not None and len(self._kept) >= self._most:
                self.left_out += 1
                continue
            seen = self._watcher.of(workflow.name, id)
            self._kept.append(snapshot(self._engine, instance, seen, leaving.run_of(instance)))

    def finish(self) -> None:
        """Keep every instance that is left; doing so again, or when the engine is closed, changes nothing."""
        if self._finished or self._engine.closed:
            return
        self._finished = True
        for instance in self._engine.instances:
            self.keep(instance.workflow, [instance.id])

    def stop(self) -> None:
        """Stop capturing output."""
        self._watcher.stop()

    def dismantle(self) -> None:
        """Let go of the observer, which knows who captures output for it."""
        self._watcher.dismantle()

    def recordings(self, origin: Callable[[Watcher], Origin]) -> list[Recording]:
        """The recordings of what was kept, in the order in which the instances went.

        Args:
            origin: Gives what they have in common.
        """
        recordings = self.secrets(origin).recordings
        if self.left_out:
            note = f"{self.left_out} more instance(s) of this test were not recorded: the first {self._most} are."
            recordings = [msgspec.structs.replace(one, notes=[*one.notes, note]) for one in recordings]
        return recordings

    def hiding(self, origin: Callable[[Watcher], Origin]) -> Secrets | None:
        """The secrets that are kept out of everything shown of the test; None where nothing is secret.

        Args:
            origin: As for `recordings`.
        """
        if not self._keys and not self._secrets and not any(map(sensitive_outputs, self._kept)):
            return None
        return self.secrets(origin)

    def secrets(self, origin: Callable[[Watcher], Origin]) -> Secrets:
        """The secrets that are kept out of these recordings, and of everything else shown of the test.

        Args:
            origin: As for `recordings`.
        """
        from pytest_workflows.recordings.format.redaction import Secrets

        from .builder import build

        mine = origin(self._watcher)
        outputs = [output for run in self._kept for output in sensitive_outputs(run)]
        return Secrets([build(run, mine) for run in self._kept], self._keys, [*outputs, *self._secrets])
