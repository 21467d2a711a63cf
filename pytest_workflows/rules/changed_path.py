"""changed-path: after a restart `run` asks for other steps than before, in another order, or for more or fewer.

The engine notices it: it compares the paths of all executions of an instance.
"""

from .registry import register

register(
    "changed-path",
    consequence=("a replay finds other steps than the stored ones: work is done twice or results go to the wrong step"),
    remedy="let only the event, step results and constants decide which steps run, under which names",
)
