"""race-outside-step: which of several steps was first is decided outside of a step.

The engine notices it: it replays `run` with the answers in the opposite order.
"""

from .registry import register

register(
    "race-outside-step",
    consequence="on a replay all stored results are there at once, and another one may come first",
    remedy="decide inside a step which one was first, and use the stored answer",
)
