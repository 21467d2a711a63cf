"""Records of each run of a test for the reports at the end of the session, carried from xdist's workers too."""

from __future__ import annotations

import msgspec

from pytest_workflows.recordings import Recording


class TestRuns(msgspec.Struct):
    """The instances of one run of a test.

    Attributes:
        test: Its node id, with the crash point or schedule that it was run under.
        worker: The xdist worker, or None.
        quiet: Whether it is one of the passing runs of an exploration, which count but are not shown one by one.
        recordings: Its instances.
        place: Where in the order of the collected tests it stands.
        kept_steps: How many steps of an instance its recordings' files keep, 0 for all; None where none were written.
    """

    __test__ = False  # pytest must not collect the class

    test: str
    worker: str | None
    quiet: bool
    recordings: list[Recording]
    place: int = 0
    kept_steps: int | None = None


def quieten(recording: Recording) -> Recording:
    """A recording reduced to what is counted: its steps and events, without values, and its crashes."""
    return msgspec.structs.replace(
        recording,
        steps=[msgspec.structs.replace(step, inputs={}, result=None) for step in recording.steps],
        events=[msgspec.structs.replace(event, payload=None) for event in recording.events],
        history=[],
        effects=[],
        log=[],
        modifications=[],
        params=None,
        output=None,
    )
