"""unstable-step-name: a step has another name after a restart.

The engine notices it: it compares the paths of all executions of an instance.
"""

from .registry import register

register(
    "unstable-step-name",
    consequence="the replay does not find the stored result under the new name, and runs the step again",
    remedy="build step names from the event, from step results and from constants",
)
