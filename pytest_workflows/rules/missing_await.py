"""missing-await: nobody awaits a `do`, a `sleep` or a `wait_for_event`.

The engine notices it: it knows which steps were started.
"""

from .registry import register

register(
    "missing-await",
    consequence="it never runs, or nobody waits for it",
    remedy="write `await` before it",
)
